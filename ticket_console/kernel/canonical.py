"""One spelling for a value, so that its hash means something."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

import orjson

# Instants are spelled by ourselves: with microseconds always, so that they sort as text.
_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"no canonical form for {type(value).__name__}")


def _decimal_text(value: Decimal) -> str:
    """Without exponent and without zeros at the end: 1.50 and 1.5 are one value."""
    if not value.is_finite():
        raise TypeError(f"no canonical form for {value}")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text if value else "0"


def canonical_json(value: object) -> str:
    """Sorted keys, no spaces, decimals and instants as text; equal values give equal text."""
    return orjson.dumps(value, _plain, _OPTIONS).decode()


def parse_json(text: str) -> Any:
    """What `canonical_json` wrote, as plain values; decimals and instants stay text."""
    return orjson.loads(text)


def content_hash(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, _plain, _OPTIONS)).hexdigest()


def instant_text(at: datetime) -> str:
    """An instant in UTC with microseconds, sortable as text."""
    if at.tzinfo is None:
        raise ValueError("an instant must carry its zone")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
