"""The rows of shift hand-overs: what was put down, who took it over, and what nobody has taken yet.

An item counts as open while the one who gave it still holds its step: finished or given to somebody else
meanwhile, there is nothing left to take over.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ticket_console.dispatch.tables import (
    Assignment,
    AssignmentState,
    Handover,
    HandoverItem,
    HandoverState,
)
from ticket_console.kernel import ids
from ticket_console.kernel.database import table

_handovers = table(Handover)
_items = table(HandoverItem)
_assignments = table(Assignment)

_IS_HELD: Final = sa.exists().where(
    _assignments.c.token_id == _items.c.token_id,
    _assignments.c.technician_id == _items.c.technician_id,
    _assignments.c.state == AssignmentState.CLAIMED,
)
_IS_OPEN: Final = _items.c.state == HandoverState.OPEN


@dataclass(frozen=True, slots=True)
class HandoverRow:
    """`giver_ids` are those whose shift ends."""

    id: int
    org_id: int
    region_id: int
    crew_id: int | None
    technician_id: int | None
    giver_ids: tuple[int, ...]
    ends_at: datetime
    due_at: datetime
    note: str
    by: str
    by_name: str
    at: datetime
    escalated_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ItemRow:
    id: int
    handover_id: int
    ticket_id: int
    token_id: int
    technician_id: int
    note: str
    state: HandoverState
    taken_by: int | None
    settled_by: str
    settled_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class HeldStep:
    """A step that somebody holds."""

    ticket_id: int
    token_id: int
    technician_id: int


_ROW: Final = sa.select(
    _handovers.c.id,
    _handovers.c.org_id,
    _handovers.c.region_id,
    _handovers.c.crew_id,
    _handovers.c.technician_id,
    _handovers.c.giver_ids,
    _handovers.c.ends_at,
    _handovers.c.due_at,
    _handovers.c.note,
    _handovers.c.by,
    _handovers.c.by_name,
    _handovers.c.at,
    _handovers.c.escalated_at,
    _handovers.c.closed_at,
)
_ITEM: Final = sa.select(
    _items.c.id,
    _items.c.handover_id,
    _items.c.ticket_id,
    _items.c.token_id,
    _items.c.technician_id,
    _items.c.note,
    _items.c.state,
    _items.c.taken_by,
    _items.c.settled_by,
    _items.c.settled_at,
    _items.c.reason,
)


def _adding(insert: Any) -> Any:
    # What another hand-over has open already is part of that one.
    return insert(_items).on_conflict_do_nothing(
        index_elements=["token_id"], index_where=sa.text("state = 'open'")
    )


_ADD: Final = {"sqlite": _adding(sqlite.insert), "postgresql": _adding(postgresql.insert)}


def held_by(connection: Connection, technician_ids: Collection[int]) -> Sequence[HeldStep]:
    """Every step that these people hold, in the order of the tickets."""
    rows = connection.execute(
        sa.select(_assignments.c.ticket_id, _assignments.c.token_id, _assignments.c.technician_id)
        .where(
            _assignments.c.technician_id.in_(sorted(technician_ids)),
            _assignments.c.state == AssignmentState.CLAIMED,
        )
        .order_by(_assignments.c.ticket_id, _assignments.c.token_id)
    )
    return [HeldStep(*row) for row in rows]


def put_down(
    connection: Connection,
    row: HandoverRow,
    steps: Iterable[HeldStep],
    *,
    command_id: str,
    notes: Mapping[int, str],
) -> tuple[ItemRow, ...]:
    """Write a hand-over with an item for each step; `notes` by token. The items it came to have."""
    columns = {name: getattr(row, name) for name in HandoverRow.__slots__}
    columns["giver_ids"] = list(row.giver_ids)
    connection.execute(sa.insert(_handovers).values(**columns, command_id=command_id))
    given = tuple(steps)
    wanted = [
        {
            "id": ids.take("row"),
            "handover_id": row.id,
            "ticket_id": step.ticket_id,
            "token_id": step.token_id,
            "technician_id": step.technician_id,
            "note": notes.get(step.token_id, ""),
            "state": HandoverState.OPEN,
            "settled_by": "",
            "reason": "",
        }
        for step in given
    ]
    if wanted:
        tell_gone(connection, [step.token_id for step in given], at=row.at)
        connection.execute(_ADD[connection.dialect.name], wanted)
    return items(connection, (row.id,))


def by_command(connection: Connection, command_id: str) -> HandoverRow | None:
    """The hand-over that a command began before."""
    return _first(connection, _handovers.c.command_id == command_id)


def find(connection: Connection, org_id: int, handover_id: int) -> HandoverRow | None:
    return _first(connection, _handovers.c.id == handover_id, _handovers.c.org_id == org_id)


def hold(connection: Connection, org_id: int, handover_id: int) -> HandoverRow | None:
    """The hand-over, kept from others until the transaction ends."""
    query = _ROW.where(_handovers.c.id == handover_id, _handovers.c.org_id == org_id).with_for_update()
    found = connection.execute(query).first()
    return None if found is None else _row(found)


def find_item(connection: Connection, item_id: int) -> ItemRow | None:
    found = connection.execute(_ITEM.where(_items.c.id == item_id)).first()
    return None if found is None else _item(found)


def items(connection: Connection, handover_ids: Collection[int]) -> tuple[ItemRow, ...]:
    """Everything put down in these hand-overs, in the order in which it was."""
    query = _ITEM.where(_items.c.handover_id.in_(sorted(handover_ids))).order_by(_items.c.id)
    return tuple(_item(row) for row in connection.execute(query))


def open_items(connection: Connection, handover_ids: Collection[int]) -> tuple[ItemRow, ...]:
    """What nobody has taken over yet and is still to be taken over."""
    query = _ITEM.where(_items.c.handover_id.in_(sorted(handover_ids)), _IS_OPEN, _IS_HELD)
    return tuple(_item(row) for row in connection.execute(query.order_by(_items.c.id)))


def open_item_of(connection: Connection, token_id: int) -> ItemRow | None:
    """The item by which a step waits to be taken over."""
    found = connection.execute(_ITEM.where(_items.c.token_id == token_id, _IS_OPEN, _IS_HELD)).first()
    return None if found is None else _item(found)


def unclosed(connection: Connection, org_id: int, *, since: datetime) -> Sequence[HandoverRow]:
    """The hand-overs that are not closed, and those closed since then; the latest first."""
    query = _ROW.where(
        _handovers.c.org_id == org_id,
        sa.or_(_handovers.c.closed_at.is_(None), _handovers.c.closed_at >= since),
    )
    return [_row(row) for row in connection.execute(query.order_by(_handovers.c.id.desc()))]


def settle(
    connection: Connection,
    item_id: int,
    *,
    state: HandoverState,
    at: datetime,
    by: str,
    taken_by: int | None = None,
    reason: str = "",
) -> bool:
    """Settle an open item; false where somebody was faster."""
    settled = connection.execute(
        sa.update(_items)
        .where(_items.c.id == item_id, _IS_OPEN)
        .values(state=state, settled_at=at, settled_by=by, taken_by=taken_by, reason=reason)
    )
    return settled.rowcount == 1


def tell_gone(connection: Connection, token_ids: Collection[int], *, at: datetime) -> None:
    """Settle the open items of these steps that whoever gave them does not hold any more."""
    connection.execute(
        sa.update(_items)
        .where(_items.c.token_id.in_(sorted(token_ids)), _IS_OPEN, ~_IS_HELD)
        .values(state=HandoverState.GONE, settled_at=at)
    )


def note_escalated(connection: Connection, handover_id: int, *, at: datetime) -> None:
    connection.execute(
        sa.update(_handovers)
        .where(_handovers.c.id == handover_id, _handovers.c.escalated_at.is_(None))
        .values(escalated_at=at)
    )


def close(connection: Connection, handover_id: int, *, at: datetime) -> None:
    connection.execute(
        sa.update(_handovers)
        .where(_handovers.c.id == handover_id, _handovers.c.closed_at.is_(None))
        .values(closed_at=at)
    )


def _first(connection: Connection, *conditions: sa.ColumnElement[bool]) -> HandoverRow | None:
    found = connection.execute(_ROW.where(*conditions)).first()
    return None if found is None else _row(found)


def _row(found: Any) -> HandoverRow:
    return HandoverRow(**{**found._asdict(), "giver_ids": tuple(found.giver_ids)})


def _item(found: Any) -> ItemRow:
    return ItemRow(*found)
