"""What the kinds share in reading values: text, numbers, counts and references, and how they are written."""

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Cell, Showing

TEXT_LIMIT = 500
MAX_DIGITS = 18
MAX_FILES = 30
MAX_ID = 2**63

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_MOMENT = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]+(\d{1,2})(:\d{2}.*))?")


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


def line_of(raw: object, limit: int) -> str:
    text = text_of(raw, limit)
    if any(char in text for char in "\n\r"):
        raise BadValue("field.several_lines")
    return text


def whole(bound: Decimal | str | None, fallback: int) -> int:
    return fallback if bound is None else int(bound)


def checked_text(spec: FieldSpec, text: str) -> str:
    if len(text) < whole(spec.minimum, 0):
        raise BadValue("field.too_short", limit=whole(spec.minimum, 0))
    if spec.pattern is not None and not re.fullmatch(spec.pattern, text):
        raise BadValue("field.bad_format")
    return text


def line(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    """A line of text as its field allows it."""
    return checked_text(spec, line_of(raw, min(whole(spec.maximum, TEXT_LIMIT), TEXT_LIMIT)))


def text_schema(limit: int) -> Callable[[FieldSpec], dict[str, Any]]:
    def schema(spec: FieldSpec) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "string", "maxLength": min(whole(spec.maximum, limit), limit)}
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


def within(spec: FieldSpec, number: Decimal) -> None:
    if spec.minimum is not None and number < Decimal(spec.minimum):
        raise BadValue("field.too_small", limit=str(spec.minimum))
    if spec.maximum is not None and number > Decimal(spec.maximum):
        raise BadValue("field.too_large", limit=str(spec.maximum))


def plain_number(number: Decimal) -> str:
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if number == 0 else text


def number_schema(spec: FieldSpec) -> dict[str, Any]:
    found: dict[str, Any] = {"type": ["number", "string"]}
    if spec.minimum is not None:
        found["minimum"] = float(spec.minimum)
    if spec.maximum is not None:
        found["maximum"] = float(spec.maximum)
    return found


def read_number(spec: FieldSpec, text: str, zone: tzinfo | None) -> object:
    """1,200.50 as people group digits."""
    return _THOUSANDS.sub("", text)


def with_unit(spec: FieldSpec, text: str) -> str:
    return f"{text} {spec.unit}" if spec.unit else text


def in_time_order(spec: FieldSpec, value: str) -> str:
    if spec.minimum is not None and value < str(spec.minimum):
        raise BadValue("field.too_early", limit=str(spec.minimum))
    if spec.maximum is not None and value > str(spec.maximum):
        raise BadValue("field.too_late", limit=str(spec.maximum))
    return value


def iso_moment(text: str) -> str:
    """2026/1/5 9:05 and 2026年1月5日 in the one spelling that is read everywhere."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return text
    day = f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"
    return day if found[4] is None else f"{day} {int(found[4]):02}{found[5]}"


def moment_of(text: str, zone: tzinfo | None) -> datetime | None:
    """A moment as people write it; without an offset it is meant in `zone`."""
    try:
        at = datetime.fromisoformat(iso_moment(text))
    except ValueError:
        return None
    return at.replace(tzinfo=zone) if at.tzinfo is None and zone is not None else at


def count_within(spec: FieldSpec, count: int, most: int) -> None:
    if count < whole(spec.minimum, 0):
        raise BadValue("field.too_few", limit=whole(spec.minimum, 0))
    if count > whole(spec.maximum, most):
        raise BadValue("field.too_many", limit=whole(spec.maximum, most))


def members(raw: object) -> Sequence[object]:
    if not isinstance(raw, list | tuple):
        raise BadValue("field.not_a_list")
    return raw


def row_id(raw: object, code: str) -> int:
    """The number of a record, also as the text of one."""
    if isinstance(raw, str) and raw.strip().isdecimal() and len(raw) < 20:
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 < raw < MAX_ID:
        raise BadValue(code)
    return raw


def fixed(schema: dict[str, Any]) -> Callable[[FieldSpec], dict[str, Any]]:
    return lambda spec: dict(schema)


def as_text(spec: FieldSpec, value: object, to: Showing) -> str:
    return str(value)


def same_cell(spec: FieldSpec, value: Any, to: Showing) -> Cell:
    return value  # type: ignore[no-any-return]


def json_cell(spec: FieldSpec, value: object, to: Showing) -> str:
    """What has parts of its own, in the one spelling that `read_json` takes back."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read_json(spec: FieldSpec, text: str, zone: tzinfo | None) -> object:
    """JSON where the text is some; anything else stays the text it is, to be refused with it in view."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def files_of(spec: FieldSpec, raw: object, zone: tzinfo | None) -> list[int]:
    listed: Sequence[object] = raw if isinstance(raw, list | tuple) else [raw]
    ids = list(dict.fromkeys(attachment_id(each) for each in listed))
    count_within(spec, len(ids), MAX_FILES)
    return ids


def attachment_id(raw: object) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 < raw < MAX_ID:
        raise BadValue("field.not_an_attachment")
    return raw


def files_schema(spec: FieldSpec) -> dict[str, Any]:
    most = whole(spec.maximum, MAX_FILES)
    return {"type": "array", "maxItems": most, "items": {"type": "integer", "minimum": 1}}


def named(kind: FieldKind) -> Callable[[FieldSpec, Any, Showing], str]:
    """How a record is shown: by the name it has for whom it is shown to."""
    return lambda spec, value, to: to.name(kind, value)


def names_of_files(kind: FieldKind) -> Callable[[FieldSpec, Any, Showing], str]:
    return lambda spec, value, to: ", ".join(to.name(kind, each) for each in value)


def text_of_cell(cell: Cell) -> str:
    """A cell as a table of mere text holds it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Decimal):
        return format(cell, "f")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def as_it_is(spec: FieldSpec, value: object, to: Showing) -> object:
    return value
