"""The kinds of field: how each reads what was entered, and how the API describes it.

A parser returns the value as it is kept, in plain JSON, and reads its own result back unchanged. Numbers
and amounts are kept as decimal text ("12.5", "1200.00"), never as floats; instants as UTC text. Text is only
text: markup in it is kept as written and is the business of whoever shows it.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.errors import Param

TEXT_LIMIT = 500
LONG_TEXT_LIMIT = 10_000
MAX_DIGITS = 18
MAX_FILES = 30
MAX_PARTS = 100
RATING_MAXIMUM = 5

_PHONE = re.compile(r"\+?[0-9]{5,15}(x[0-9]{1,6})?")
_PHONE_FILLING = re.compile(r"[\s().\-\u2010-\u2015]")
_FLAGS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


class BadValue(ValueError):
    """What was entered is no value of the field; `filling` names the field."""

    def __init__(self, code: str, **params: Param) -> None:
        self.code = code
        self.params = params
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Kind:
    """`parse` gets the field, what was entered (never blank) and the zone wall-clock times are meant in."""

    parse: Callable[[FieldSpec, object, tzinfo | None], object]
    schema: Callable[[FieldSpec], dict[str, Any]]


def parse_value(spec: FieldSpec, raw: object, zone: tzinfo | None = None) -> object:
    """The value of a field; raises `BadValue`. A blank (null, empty or white text, empty list) is `None`."""
    if raw is None or (isinstance(raw, str) and not raw.strip()) or raw in ([], ()):
        return None
    return KINDS[spec.kind].parse(spec, raw, zone)


def schema_of(spec: FieldSpec) -> dict[str, Any]:
    """The JSON schema of what may be entered."""
    schema = KINDS[spec.kind].schema(spec)
    title = spec.label.get("en") or spec.label.get("zh")
    return {**schema, "title": title} if title else schema


def text_of(raw: object, limit: int) -> str:
    """Text in normal form without space around it; raises `BadValue` for what cannot be kept or shown."""
    if not isinstance(raw, str):
        raise BadValue("field.not_text")
    text = unicodedata.normalize("NFC", raw).strip()
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t\r" for char in text):
        raise BadValue("field.control_characters")
    if len(text) > limit:
        raise BadValue("field.too_long", limit=limit)
    return text


def _whole(bound: Decimal | str | None, fallback: int) -> int:
    return fallback if bound is None else int(bound)


def _text(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    text = text_of(raw, min(_whole(spec.maximum, TEXT_LIMIT), TEXT_LIMIT))
    if any(char in text for char in "\n\r"):
        raise BadValue("field.several_lines")
    return _checked_text(spec, text)


def _long_text(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    text = text_of(raw, min(_whole(spec.maximum, LONG_TEXT_LIMIT), LONG_TEXT_LIMIT))
    return _checked_text(spec, text.replace("\r\n", "\n").replace("\r", "\n"))


def _checked_text(spec: FieldSpec, text: str) -> str:
    if len(text) < _whole(spec.minimum, 0):
        raise BadValue("field.too_short", limit=_whole(spec.minimum, 0))
    if spec.pattern is not None and not re.fullmatch(spec.pattern, text):
        raise BadValue("field.bad_format")
    return text


def _text_schema(limit: int) -> Callable[[FieldSpec], dict[str, Any]]:
    def schema(spec: FieldSpec) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "string", "maxLength": min(_whole(spec.maximum, limit), limit)}
        if spec.minimum is not None:
            found["minLength"] = int(spec.minimum)
        if spec.pattern is not None:
            found["pattern"] = f"^(?:{spec.pattern})$"
        return found

    return schema


def decimal_of(raw: object) -> Decimal:
    """A finite number of at most 18 digits; raises `BadValue`."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str | Decimal):
        raise BadValue("field.not_a_number")
    # Longer text could not be a number we keep, and turning it into one is not free.
    text = (
        repr(raw) if isinstance(raw, float) else str(raw).strip() if isinstance(raw, str | Decimal) else None
    )
    if text is not None and len(text) > 40:
        raise BadValue("field.not_a_number")
    try:
        number = Decimal(text if text is not None else raw)
    except (InvalidOperation, ValueError):
        raise BadValue("field.not_a_number") from None
    if not number.is_finite() or (text is not None and "_" in text):
        raise BadValue("field.not_a_number")
    if number.adjusted() >= MAX_DIGITS or -int(number.as_tuple().exponent) > MAX_DIGITS:
        raise BadValue("field.too_many_digits", limit=MAX_DIGITS)
    return number


def _within(spec: FieldSpec, number: Decimal) -> None:
    if spec.minimum is not None and number < Decimal(spec.minimum):
        raise BadValue("field.too_small", limit=str(spec.minimum))
    if spec.maximum is not None and number > Decimal(spec.maximum):
        raise BadValue("field.too_large", limit=str(spec.maximum))


def _number(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    number = decimal_of(raw)
    _within(spec, number)
    return _plain(number)


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if number == 0 else text


def _money(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    amount = decimal_of(raw)
    _within(spec, amount)
    cents = amount.scaleb(2)
    if cents != cents.to_integral_value():
        raise BadValue("field.too_many_decimals", limit=2)
    return format(abs(amount) if amount == 0 else amount, ".2f")


def minor_units(value: str) -> int:
    """The cents of a kept amount."""
    return int(Decimal(value).scaleb(2))


def _number_schema(spec: FieldSpec) -> dict[str, Any]:
    found: dict[str, Any] = {"type": ["number", "string"]}
    if spec.minimum is not None:
        found["minimum"] = float(spec.minimum)
    if spec.maximum is not None:
        found["maximum"] = float(spec.maximum)
    return found


def _date(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    if isinstance(raw, datetime) or not isinstance(raw, str | date):
        raise BadValue("field.bad_date")
    try:
        day = raw if isinstance(raw, date) else date.fromisoformat(raw.strip())
    except ValueError:
        raise BadValue("field.bad_date") from None
    return _in_time_order(spec, day.isoformat())


def _datetime(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
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
        return _in_time_order(spec, instant_text(at))
    except (OverflowError, ValueError) as outside:
        raise outside if isinstance(outside, BadValue) else BadValue("field.bad_datetime") from None


def _in_time_order(spec: FieldSpec, value: str) -> str:
    if spec.minimum is not None and value < str(spec.minimum):
        raise BadValue("field.too_early", limit=str(spec.minimum))
    if spec.maximum is not None and value > str(spec.maximum):
        raise BadValue("field.too_late", limit=str(spec.maximum))
    return value


def _choice(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    if isinstance(raw, str):
        for option in spec.options:
            if option.value == raw.strip():
                return option.value
    raise BadValue("field.not_an_option")


def _multi_choice(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    if not isinstance(raw, list | tuple):
        raise BadValue("field.not_a_list")
    chosen = {_choice(spec, each, zone) for each in raw}
    _count_within(spec, len(chosen), len(spec.options))
    return [option.value for option in spec.options if option.value in chosen]


def _count_within(spec: FieldSpec, count: int, most: int) -> None:
    if count < _whole(spec.minimum, 0):
        raise BadValue("field.too_few", limit=_whole(spec.minimum, 0))
    if count > _whole(spec.maximum, most):
        raise BadValue("field.too_many", limit=_whole(spec.maximum, most))


def _multi_choice_schema(spec: FieldSpec) -> dict[str, Any]:
    return {"type": "array", "uniqueItems": True, "items": _choice_schema(spec)}


def _choice_schema(spec: FieldSpec) -> dict[str, Any]:
    return {"type": "string", "enum": [option.value for option in spec.options]}


def _yes_no(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    flag = _FLAGS.get(raw.strip().lower()) if isinstance(raw, str) else raw
    if not isinstance(flag, bool):
        raise BadValue("field.not_yes_or_no")
    return flag


def _rating(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    number = decimal_of(raw)
    most = _whole(spec.maximum, RATING_MAXIMUM)
    if number != number.to_integral_value() or not _whole(spec.minimum, 1) <= number <= most:
        raise BadValue("field.not_a_rating", limit=most)
    return int(number)


def _rating_schema(spec: FieldSpec) -> dict[str, Any]:
    return {
        "type": "integer",
        "minimum": _whole(spec.minimum, 1),
        "maximum": _whole(spec.maximum, RATING_MAXIMUM),
    }


def _phone(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    number = _PHONE_FILLING.sub("", text_of(raw, 60))
    if not _PHONE.fullmatch(number):
        raise BadValue("field.bad_phone")
    return _checked_text(spec, number)


def _files(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    members: Sequence[object] = raw if isinstance(raw, list | tuple) else [raw]
    ids = list(dict.fromkeys(_attachment_id(each) for each in members))
    _count_within(spec, len(ids), MAX_FILES)
    return ids


def _attachment_id(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 < raw < 2**63:
        raise BadValue("field.not_an_attachment")
    return raw


def _files_schema(spec: FieldSpec) -> dict[str, Any]:
    most = _whole(spec.maximum, MAX_FILES)
    return {"type": "array", "maxItems": most, "items": {"type": "integer", "minimum": 1}}


def _signature(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    return _attachment_id(raw)


def _location(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    if not isinstance(raw, dict) or not {"lat", "lon"} <= raw.keys() <= {"lat", "lon", "address"}:
        raise BadValue("field.bad_location")
    lat, lon = decimal_of(raw["lat"]), decimal_of(raw["lon"])
    if not -90 <= lat <= 90 or not -180 <= lon <= 180:
        raise BadValue("field.bad_location")
    place: dict[str, object] = {"lat": round(float(lat), 6), "lon": round(float(lon), 6)}
    address = text_of(raw.get("address") or "", 300)
    return {**place, "address": address} if address else place


def _location_schema(spec: FieldSpec) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["lat", "lon"],
        "additionalProperties": False,
        "properties": {
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "lon": {"type": "number", "minimum": -180, "maximum": 180},
            "address": {"type": "string", "maxLength": 300},
        },
    }


def _parts(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    """Lines of `{"sku", "qty"}`, each part once, with what was entered for it added up."""
    if not isinstance(raw, list | tuple):
        raise BadValue("field.not_a_list")
    _count_within(spec, len(raw), MAX_PARTS)
    lines: dict[str, Decimal] = {}
    for line in raw:
        if not isinstance(line, dict) or line.keys() != {"sku", "qty"}:
            raise BadValue("field.bad_part")
        sku, quantity = text_of(line["sku"], 64), decimal_of(line["qty"])
        if not sku or quantity <= 0:
            raise BadValue("field.bad_part")
        lines[sku] = lines.get(sku, Decimal(0)) + quantity
    return [{"sku": sku, "qty": _plain(quantity)} for sku, quantity in lines.items()]


def _parts_schema(spec: FieldSpec) -> dict[str, Any]:
    line = {
        "type": "object",
        "required": ["sku", "qty"],
        "additionalProperties": False,
        "properties": {"sku": {"type": "string", "maxLength": 64}, "qty": {"type": ["number", "string"]}},
    }
    return {"type": "array", "maxItems": _whole(spec.maximum, MAX_PARTS), "items": line}


def _fixed(schema: dict[str, Any]) -> Callable[[FieldSpec], dict[str, Any]]:
    return lambda spec: dict(schema)


KINDS: dict[FieldKind, Kind] = {
    FieldKind.TEXT: Kind(_text, _text_schema(TEXT_LIMIT)),
    FieldKind.LONG_TEXT: Kind(_long_text, _text_schema(LONG_TEXT_LIMIT)),
    FieldKind.NUMBER: Kind(_number, _number_schema),
    FieldKind.MONEY: Kind(_money, _number_schema),
    FieldKind.DATE: Kind(_date, _fixed({"type": "string", "format": "date"})),
    FieldKind.DATETIME: Kind(_datetime, _fixed({"type": "string", "format": "date-time"})),
    FieldKind.CHOICE: Kind(_choice, _choice_schema),
    FieldKind.MULTI_CHOICE: Kind(_multi_choice, _multi_choice_schema),
    FieldKind.YES_NO: Kind(_yes_no, _fixed({"type": "boolean"})),
    FieldKind.RATING: Kind(_rating, _rating_schema),
    FieldKind.PHONE: Kind(_phone, _fixed({"type": "string", "maxLength": 60})),
    FieldKind.PHOTO: Kind(_files, _files_schema),
    FieldKind.FILE: Kind(_files, _files_schema),
    FieldKind.SIGNATURE: Kind(_signature, _fixed({"type": "integer", "minimum": 1})),
    FieldKind.LOCATION: Kind(_location, _location_schema),
    FieldKind.PARTS: Kind(_parts, _parts_schema),
}
