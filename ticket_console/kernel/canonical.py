"""One spelling for a value, so that its hash means something."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"no canonical form for {type(value).__name__}")


# One encoder for the process: building one per call costs more than the encoding.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain).encode


def canonical_json(value: object) -> str:
    """Sorted keys, no spaces, decimals and instants as text; equal values give equal text."""
    return _encode(value)


def content_hash(value: object) -> str:
    return hashlib.sha256(_encode(value).encode()).hexdigest()


def instant_text(at: datetime) -> str:
    """An instant in UTC with microseconds, sortable as text."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
