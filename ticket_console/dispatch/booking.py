"""The rows of dispatch: each statement that raises or lowers a load, claims a token, or keeps a decision."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ticket_console.dispatch import visit_book
from ticket_console.dispatch.tables import (
    Assignment,
    AssignmentState,
    DecisionMode,
    DispatchDecision,
    TechnicianLoad,
)
from ticket_console.kernel import ids
from ticket_console.kernel.database import table
from ticket_console.people.roster import STANDING

_assignments = table(Assignment)
_decisions = table(DispatchDecision)
_loads = table(TechnicianLoad)


@dataclass(frozen=True, slots=True)
class Ended:
    """An assignment that is over."""

    token_id: int
    technician_id: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a token, and since when."""

    technician_id: int
    since: datetime


_STANDING: Final = (
    sa.select(STANDING.c.id, STANDING.c.version, _loads.c.open_count)
    .select_from(STANDING.outerjoin(_loads, _loads.c.technician_id == STANDING.c.id))
    .order_by(STANDING.c.id)
)


def standing(connection: Connection, org_id: int) -> Sequence[sa.Row[int, int, int | None]]:
    """Id, version and open assignments of every technician, in the order of the ids."""
    return connection.execute(_STANDING, {"org_id": org_id}).all()


def _raising(dialect: str) -> Any:
    insert = _insert_for(dialect)(_loads)
    return insert.on_conflict_do_update(
        index_elements=["technician_id"], set_={"open_count": _loads.c.open_count + 1}
    )


def _starting(dialect: str) -> Any:
    insert = _insert_for(dialect)(_loads).on_conflict_do_nothing(index_elements=["technician_id"])
    return insert.execution_options(**_COUNTED)


def _claiming(dialect: str) -> Any:
    insert = _insert_for(dialect)(_assignments).on_conflict_do_nothing(
        index_elements=["token_id"], index_where=sa.text("state = 'claimed'")
    )
    return insert.execution_options(preserve_rowcount=True)


def _beginning(dialect: str) -> Any:
    return _insert_for(dialect)(_loads).on_conflict_do_nothing(index_elements=["technician_id"])


def _insert_for(dialect: str) -> Any:
    return postgresql.insert if dialect == "postgresql" else sqlite.insert


# Without it the count of an insert is unknown on PostgreSQL.
_COUNTED: Final = {"preserve_rowcount": True}
_DIALECTS: Final = ("sqlite", "postgresql")
_TAKE_ROOM: Final = (
    sa.update(_loads)
    .where(
        _loads.c.technician_id == sa.bindparam("technician"), _loads.c.open_count < sa.bindparam("capacity")
    )
    .values(open_count=_loads.c.open_count + 1)
)
_START: Final = {dialect: _starting(dialect) for dialect in _DIALECTS}
_BEGIN: Final = {dialect: _beginning(dialect) for dialect in _DIALECTS}
_RAISE: Final = {dialect: _raising(dialect) for dialect in _DIALECTS}
_CLAIM: Final = {dialect: _claiming(dialect) for dialect in _DIALECTS}
_LOWER: Final = (
    sa.update(_loads)
    .where(_loads.c.technician_id == sa.bindparam("technician"))
    .values(open_count=_loads.c.open_count - 1)
)
_NO_TERMS: Final[Mapping[str, Any]] = {}
_DECIDE: Final = sa.insert(_decisions)
_IS_CLAIMED: Final = _assignments.c.state == AssignmentState.CLAIMED
_END: Final = (
    sa.update(_assignments)
    .where(_assignments.c.token_id.in_(sa.bindparam("tokens", expanding=True)), _IS_CLAIMED)
    .values(
        state=sa.bindparam("end_state"), ended_at=sa.bindparam("end_at"), reason=sa.bindparam("end_reason")
    )
    .returning(_assignments.c.token_id, _assignments.c.technician_id)
)
_COUNTS: Final = (
    sa.select(_loads.c.technician_id, _loads.c.open_count)
    .where(_loads.c.technician_id.in_(sa.bindparam("people", expanding=True)))
    .order_by(_loads.c.technician_id)
)
_HOLD: Final = _COUNTS.with_for_update()
_HOLDER: Final = sa.select(_assignments.c.technician_id, _assignments.c.claimed_at).where(
    _assignments.c.token_id == sa.bindparam("token"), _IS_CLAIMED
)


def take_room(connection: Connection, technician_id: int, *, capacity: int) -> bool:
    """Raise the load if there is room, whatever other transactions do at the same moment."""
    if capacity < 1:
        return False
    room = {"technician": technician_id, "capacity": capacity}
    # An upsert would lock the row of somebody who is full as well, and two transactions that pass
    # over two full people in opposite order would wait for each other.
    return (
        connection.execute(_TAKE_ROOM, room).rowcount == 1
        or connection.execute(_START[connection.dialect.name], _first(technician_id)).rowcount == 1
        or connection.execute(_TAKE_ROOM, room).rowcount == 1
    )


def raise_load(connection: Connection, technician_id: int) -> None:
    connection.execute(_RAISE[connection.dialect.name], _first(technician_id))


def _first(technician_id: int) -> dict[str, int]:
    return {"technician_id": technician_id, "open_count": 1}


def lower_loads(connection: Connection, technician_ids: Collection[int]) -> None:
    """One down for each mention, in the order of the ids, so that two transactions that free the
    same people cannot wait for each other."""
    connection.execute(_LOWER, [{"technician": each} for each in sorted(technician_ids)])


def hold_people(connection: Connection, technician_ids: Collection[int]) -> dict[int, int]:
    """Keep everybody else from booking these people until the transaction ends; their open assignments.

    Always in the order of the ids, so that two transactions that need the same people cannot wait for
    each other.
    """
    people = sorted(set(technician_ids))
    start = _BEGIN[connection.dialect.name]
    connection.execute(start, [{"technician_id": each, "open_count": 0} for each in people])
    return {row[0]: row[1] for row in connection.execute(_HOLD, {"people": people})}


def open_counts(connection: Connection, technician_ids: Collection[int]) -> dict[int, int]:
    """How many open assignments each of these people has; who never had one is not mentioned."""
    rows = connection.execute(_COUNTS, {"people": sorted(technician_ids)})
    return {row[0]: row[1] for row in rows}


def move_load(
    connection: Connection, from_id: int | None, to_id: int, *, capacity: int | None = None
) -> bool:
    """Take a task's load from one person and put it on another, both held before either changes.

    False, and nothing changed, where the other has no room; without `capacity` room is not asked for.
    """
    open_counts = hold_people(connection, [each for each in (from_id, to_id) if each is not None])
    if from_id == to_id:
        return True
    if capacity is not None and open_counts[to_id] >= capacity:
        return False
    raise_load(connection, to_id)
    if from_id is not None:
        lower_loads(connection, (from_id,))
    return True


def claim(
    connection: Connection,
    *,
    ticket_id: int,
    token_id: int,
    technician_id: int,
    decision_id: int,
    at: datetime,
) -> int | None:
    """The new assignment's id, or None when the token is held already: the first claim wins."""
    assignment_id = ids.take("row")
    row = {
        "id": assignment_id,
        "ticket_id": ticket_id,
        "token_id": token_id,
        "technician_id": technician_id,
        "decision_id": decision_id,
        "state": AssignmentState.CLAIMED,
        "offered_at": at,
        "claimed_at": at,
    }
    claimed = connection.execute(_CLAIM[connection.dialect.name], row).rowcount == 1
    return assignment_id if claimed else None


def holder(connection: Connection, token_id: int) -> Holder | None:
    row = connection.execute(_HOLDER, {"token": token_id}).first()
    return None if row is None else Holder(row.technician_id, row.claimed_at)


def keep_decision(
    connection: Connection,
    decision_id: int,
    *,
    mode: DecisionMode,
    policy: str,
    ticket_id: int,
    token_id: int,
    chosen_id: int | None,
    candidates: Sequence[Mapping[str, Any]],
    failed: Mapping[str, int],
    by: str,
    at: datetime,
    terms: Mapping[str, Any] = _NO_TERMS,
) -> None:
    """`terms` are what everybody's numbers were weighed by; none where nobody was weighed."""
    row = {
        "id": decision_id,
        "ticket_id": ticket_id,
        "token_id": token_id,
        "mode": mode,
        "policy": policy,
        "chosen_id": chosen_id,
        "terms": terms,
        "candidates": candidates,
        "failed": failed,
        "by": by,
        "at": at,
    }
    connection.execute(_DECIDE, row)


def end(
    connection: Connection,
    token_ids: Collection[int],
    *,
    state: AssignmentState,
    at: datetime,
    reason: str | None = None,
) -> tuple[Ended, ...]:
    """End what is claimed on these tokens, and their visits; the loads are the caller's to lower."""
    rows = connection.execute(
        _END, {"tokens": sorted(token_ids), "end_state": state, "end_at": at, "end_reason": reason}
    )
    ended = tuple(Ended(row.token_id, row.technician_id) for row in rows)
    if ended:
        over = [each.token_id for each in ended]
        visit_book.end(connection, over, is_done=state is AssignmentState.DONE, at=at)
    return ended
