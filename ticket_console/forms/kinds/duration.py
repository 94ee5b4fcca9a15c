"""How long something takes, kept in whole minutes."""

import re
from datetime import tzinfo
from decimal import Decimal

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Showing, bounds
from ticket_console.forms.kinds.reading import as_it_is, decimal_of, same_cell, whole, within
from ticket_console.i18n import translate

LONGEST = 10 * 366 * 24 * 60

_CLOCK = re.compile(r"(\d{1,6}):([0-5]\d)")
_WORDS = re.compile(
    r"(?:P?T?)(?:(\d{1,6})\s*(?:h|H|hours?|小时|时))?\s*(?:(\d{1,7})\s*(?:m|M|min|minutes?|分钟|分))?"
)


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> int:
    minutes = _minutes(raw.strip()) if isinstance(raw, str) else decimal_of(raw)
    if minutes != minutes.to_integral_value() or not 0 <= minutes <= LONGEST:
        raise BadValue("field.bad_duration")
    within(spec, minutes)
    return int(minutes)


def _minutes(text: str) -> Decimal:
    if found := _CLOCK.fullmatch(text):
        return Decimal(60 * int(found[1]) + int(found[2]))
    if (found := _WORDS.fullmatch(text)) and (found[1] or found[2]):
        return Decimal(60 * int(found[1] or 0) + int(found[2] or 0))
    try:
        return decimal_of(text)
    except BadValue:
        raise BadValue("field.bad_duration") from None


def _show(spec: FieldSpec, value: int, to: Showing) -> str:
    hours, minutes = divmod(value, 60)
    if not hours:
        return translate("kind.duration.minutes", to.locale, minutes=minutes)
    if not minutes:
        return translate("kind.duration.hours", to.locale, hours=hours)
    return translate("kind.duration.both", to.locale, hours=hours, minutes=minutes)


def _schema(spec: FieldSpec) -> dict[str, object]:
    least, most = whole(spec.minimum, 0), whole(spec.maximum, LONGEST)
    return {"type": ["integer", "string"], "minimum": least, "maximum": most}


KIND = Kind(
    kind=FieldKind.DURATION,
    group=PaletteGroup.TIME,
    icon="timer",
    renderer="DurationInput",
    parse=_parse,
    schema=_schema,
    show=_show,
    cell=same_cell,
    settings=bounds(Editor.WHOLE),
    converts={
        **dict.fromkeys(
            (FieldKind.TEXT, FieldKind.LONG_TEXT),
            _show,
        ),
        FieldKind.NUMBER: as_it_is,
    },
)
