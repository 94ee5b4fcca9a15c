"""A day."""

from datetime import date, datetime, tzinfo

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Showing, bounds
from ticket_console.forms.kinds.reading import as_it_is, as_text, fixed, in_time_order, iso_moment


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    if isinstance(raw, datetime) or not isinstance(raw, str | date):
        raise BadValue("field.bad_date")
    try:
        day = raw if isinstance(raw, date) else date.fromisoformat(raw.strip())
    except ValueError:
        raise BadValue("field.bad_date") from None
    return in_time_order(spec, day.isoformat())


def _cell(spec: FieldSpec, value: str, to: Showing) -> date:
    return date.fromisoformat(value)


def _read(spec: FieldSpec, text: str, zone: tzinfo | None) -> object:
    return iso_moment(text).removesuffix(" 00:00:00")


KIND = Kind(
    kind=FieldKind.DATE,
    group=PaletteGroup.TIME,
    icon="calendar",
    renderer="DateInput",
    parse=_parse,
    schema=fixed({"type": "string", "format": "date"}),
    show=as_text,
    cell=_cell,
    read=_read,
    settings=bounds(Editor.DATE),
    converts=dict.fromkeys(
        (FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.DATETIME),
        as_it_is,
    ),
)
