"""A ticket rebuilt from its history: what its events add up to must be what its rows say.

The first event of each command carries `payload["delta"]`, the changes it made:

    {"ticket": {column: value},
     "tokens": [{"id", changed columns}],
     "values": {field: {"value", "provenance"}},  (a value of null clears the field)
     "assignments": [{"id", changed columns}]}

Everything is plain JSON here, as the history keeps it; `plain_row` puts a row into that form for comparison.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ticket_console.kernel.canonical import canonical_json

# Columns no delta carries, because they follow from the events themselves.
DERIVED = frozenset({"version", "event_count", "head_hash"})

_PARTS = frozenset({"ticket", "tokens", "values", "assignments"})
_VALUE = frozenset({"value", "provenance"})


class BrokenHistory(ValueError):
    """Events that cannot be folded: a bug or a forged history, never a user's mistake."""


@dataclass(frozen=True, slots=True)
class TicketFold:
    """Columns by row: of the ticket, of each token and assignment by id, of each value by field key."""

    ticket: dict[str, Any] = field(default_factory=dict)
    tokens: dict[int, dict[str, Any]] = field(default_factory=dict)
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    assignments: dict[int, dict[str, Any]] = field(default_factory=dict)


def fold(events: Iterable[Mapping[str, Any]]) -> TicketFold:
    """What the events of one ticket, in order, add up to; raises `BrokenHistory`.

    An event is a mapping with `type`, `payload` and, where the derived columns are wanted, `ticket_version`
    and `hash`.
    """
    folded = TicketFold()
    for count, event in enumerate(events, start=1):
        delta = event["payload"].get("delta")
        if delta is not None:
            _apply(folded, delta, str(event["type"]))
        elif count == 1:
            raise BrokenHistory("a history starts with the opening of its ticket")
        folded.ticket["event_count"] = count
        if "ticket_version" in event:
            folded.ticket["version"] = event["ticket_version"]
        if "hash" in event:
            folded.ticket["head_hash"] = event["hash"]
    return folded


def _apply(folded: TicketFold, delta: Mapping[str, Any], type: str) -> None:
    if unknown := delta.keys() - _PARTS:
        raise BrokenHistory(f"{type} changes {sorted(unknown)}, which no ticket has")
    columns = delta.get("ticket", {})
    if derived := DERIVED & columns.keys():
        raise BrokenHistory(f"{type} sets {sorted(derived)}, which follow from the events")
    if not folded.ticket and "id" not in columns:
        raise BrokenHistory(f"{type} comes before the ticket was opened")
    folded.ticket.update(plain_row(columns))
    _apply_rows(folded.tokens, delta.get("tokens", ()), "node_key", type)
    _apply_rows(folded.assignments, delta.get("assignments", ()), "technician_id", type)
    for key, value in delta.get("values", {}).items():
        if value.keys() != _VALUE:
            raise BrokenHistory(f"{type} sets {key} without saying what it is and where it came from")
        if value["value"] is None:
            folded.values.pop(key, None)
        else:
            folded.values[key] = plain_row(value)


def _apply_rows(
    rows: dict[int, dict[str, Any]], changes: Iterable[Mapping[str, Any]], mark: str, type: str
) -> None:
    """Add or change rows; the first change of a row carries its `mark`, which never changes afterwards."""
    for change in changes:
        row_id = change.get("id")
        if not isinstance(row_id, int):
            raise BrokenHistory(f"{type} changes a row without an id")
        if row_id not in rows and mark not in change:
            raise BrokenHistory(f"{type} changes row {row_id}, which was never added")
        row = rows.setdefault(row_id, {})
        if mark in row and change.get(mark, row[mark]) != row[mark]:
            raise BrokenHistory(f"{type} changes the {mark} of row {row_id}")
        row.update(plain_row(change))


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the history would keep it: instants and decimals as text, enumerations as their values."""
    plain: dict[str, Any] = json.loads(canonical_json(dict(row)))
    return plain


def differences(folded: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns in which a folded row and the stored one disagree; a column only one of them has is one."""
    stored = plain_row(row)
    return tuple(
        sorted(
            column
            for column in folded.keys() | stored.keys()
            if folded.get(column, _ABSENT) != stored.get(column, _ABSENT)
        )
    )


_ABSENT = object()
