"""A moment, kept as an instant in UTC."""

from datetime import datetime, tzinfo

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Showing, bounds
from ticket_console.forms.kinds.reading import fixed, in_time_order, moment_of
from ticket_console.kernel.canonical import instant_text


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    try:
        at = (
            raw
            if isinstance(raw, datetime)
            else datetime.fromisoformat(raw.strip() if isinstance(raw, str) else "")
        )
    except ValueError:
        raise BadValue("field.bad_datetime") from None
    if at.tzinfo is None:
        if zone is None:
            raise BadValue("field.no_zone")
        at = at.replace(tzinfo=zone)
    try:
        return in_time_order(spec, instant_text(at))
    except (OverflowError, ValueError) as outside:
        raise outside if isinstance(outside, BadValue) else BadValue("field.bad_datetime") from None


def _show(spec: FieldSpec, value: str, to: Showing) -> str:
    try:
        return datetime.fromisoformat(value).astimezone(to.zone).strftime("%Y-%m-%d %H:%M")
    except OverflowError:
        return value


def _cell(spec: FieldSpec, value: str, to: Showing) -> datetime:
    return datetime.fromisoformat(value)


def _read(spec: FieldSpec, text: str, zone: tzinfo | None) -> object:
    at = moment_of(text, zone)
    return text if at is None else at.isoformat()


def _day(spec: FieldSpec, value: str, to: Showing) -> str:
    return datetime.fromisoformat(value).astimezone(to.zone).date().isoformat()


KIND = Kind(
    kind=FieldKind.DATETIME,
    group=PaletteGroup.TIME,
    icon="calendar-clock",
    renderer="MomentInput",
    parse=_parse,
    schema=fixed({"type": "string", "format": "date-time"}),
    show=_show,
    cell=_cell,
    read=_read,
    settings=bounds(Editor.DATETIME),
    converts={
        **dict.fromkeys(
            (FieldKind.TEXT, FieldKind.LONG_TEXT),
            _show,
        ),
        FieldKind.DATE: _day,
    },
)
