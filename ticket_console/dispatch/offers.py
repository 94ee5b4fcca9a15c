"""The rows of offers: who was asked for a task and until when, who wanted it, who did not and why.

A task is offered to several people at once and belongs to the first who claims it; all other offers of it
end in the same moment.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.dispatch.tables import Assignment, AssignmentState, DecisionMode, DispatchDecision
from ticket_console.kernel import ids
from ticket_console.kernel.database import table

REASON_LENGTH: Final = 500

_assignments = table(Assignment)
_decisions = table(DispatchDecision)

_IS_OPEN: Final = _assignments.c.state == AssignmentState.OFFERED
_WAS_OFFERED: Final = _assignments.c.offered_until.is_not(None)
_OF_TOKEN: Final = _assignments.c.token_id == sa.bindparam("token")
_MINE: Final = sa.and_(_OF_TOKEN, _assignments.c.technician_id == sa.bindparam("technician"), _WAS_OFFERED)
# What of a step speaks against asking somebody again: that they said no to it, or gave it up.
_SAID_NO: Final = (AssignmentState.DECLINED, AssignmentState.RELEASED)


@dataclass(frozen=True, slots=True)
class Offer:
    """Somebody was asked; `state` says what became of it, `reason` why they did not want it."""

    id: int
    ticket_id: int
    token_id: int
    technician_id: int
    decision_id: int
    state: AssignmentState
    offered_at: datetime
    offered_until: datetime
    ended_at: datetime | None
    reason: str | None


_COLUMNS: Final = (
    _assignments.c.id,
    _assignments.c.ticket_id,
    _assignments.c.token_id,
    _assignments.c.technician_id,
    _assignments.c.decision_id,
    _assignments.c.state,
    _assignments.c.offered_at,
    _assignments.c.offered_until,
    _assignments.c.ended_at,
    _assignments.c.reason,
)
_ALL: Final = sa.select(*_COLUMNS).where(_OF_TOKEN, _WAS_OFFERED).order_by(_assignments.c.id)
_LATEST_OF_MINE: Final = sa.select(*_COLUMNS).where(_MINE).order_by(_assignments.c.id.desc()).limit(1)
_WAS_ASKED: Final = sa.select(_assignments.c.id).where(
    _assignments.c.ticket_id == sa.bindparam("ticket"),
    _assignments.c.technician_id == sa.bindparam("technician"),
    _WAS_OFFERED,
)
_CLAIM: Final = (
    sa.update(_assignments)
    .where(
        _assignments.c.token_id == sa.bindparam("b_token"),
        _assignments.c.technician_id == sa.bindparam("b_technician"),
        _IS_OPEN,
        _assignments.c.offered_until > sa.bindparam("b_at"),
    )
    .values(
        state=AssignmentState.CLAIMED, claimed_at=sa.bindparam("b_at"), decision_id=sa.bindparam("b_decision")
    )
    .returning(_assignments.c.id)
)
_DECLINE: Final = (
    sa.update(_assignments)
    .where(
        _assignments.c.token_id == sa.bindparam("b_token"),
        _assignments.c.technician_id == sa.bindparam("b_technician"),
        _IS_OPEN,
    )
    .values(state=AssignmentState.DECLINED, ended_at=sa.bindparam("b_at"), reason=sa.bindparam("b_reason"))
)
_WITHDRAW: Final = (
    sa.update(_assignments)
    .where(_assignments.c.token_id.in_(sa.bindparam("tokens", expanding=True)), _IS_OPEN)
    .values(state=AssignmentState.WITHDRAWN, ended_at=sa.bindparam("b_at"))
)
_EXPIRE: Final = (
    sa.update(_assignments)
    .where(
        _assignments.c.token_id == sa.bindparam("b_token"),
        _IS_OPEN,
        _assignments.c.offered_until <= sa.bindparam("b_at"),
    )
    .values(state=AssignmentState.EXPIRED, ended_at=sa.bindparam("b_at"))
)
_REFUSED: Final = (
    sa.select(_assignments.c.technician_id, _assignments.c.reason)
    .where(_OF_TOKEN, _assignments.c.state.in_(_SAID_NO), _assignments.c.reason.is_not(None))
    .order_by(_assignments.c.id)
)
_REFUSED_MANY: Final = (
    sa.select(_assignments.c.token_id, _assignments.c.technician_id, _assignments.c.reason)
    .where(
        _assignments.c.token_id.in_(sa.bindparam("tokens", expanding=True)),
        _assignments.c.state.in_(_SAID_NO),
        _assignments.c.reason.is_not(None),
    )
    .order_by(_assignments.c.id)
)
_CIRCLES: Final = sa.select(sa.func.count()).where(
    _decisions.c.token_id == sa.bindparam("token"), _decisions.c.mode == DecisionMode.OFFER
)


def make(
    connection: Connection,
    *,
    at: datetime,
    until: datetime,
    ticket_id: int,
    token_id: int,
    decision_id: int,
    technician_ids: Iterable[int],
) -> None:
    """Ask these people; the ticket and its token may be written later in the same transaction."""
    rows = [
        {
            "id": ids.take("row"),
            "ticket_id": ticket_id,
            "token_id": token_id,
            "technician_id": technician_id,
            "decision_id": decision_id,
            "state": AssignmentState.OFFERED,
            "offered_at": at,
            "offered_until": until,
        }
        for technician_id in technician_ids
    ]
    if rows:
        connection.execute(sa.insert(_assignments), rows)


def of_token(connection: Connection, token_id: int) -> tuple[Offer, ...]:
    """Every offer that was ever made of a step, the first one first."""
    return tuple(_offer(row) for row in connection.execute(_ALL, {"token": token_id}))


def of_tokens(connection: Connection, token_ids: Collection[int]) -> Sequence[Offer]:
    """The offers of these steps that are still open, in the order in which they were made."""
    query = (
        sa.select(*_COLUMNS)
        .where(_assignments.c.token_id.in_(sorted(token_ids)), _IS_OPEN)
        .order_by(_assignments.c.id)
    )
    return [_offer(row) for row in connection.execute(query)]


def to_technician(connection: Connection, technician_id: int, *, since: datetime) -> Sequence[Offer]:
    """What somebody is asked for now, and the offers that others were faster to take since then."""
    query = (
        sa.select(*_COLUMNS)
        .where(
            _assignments.c.technician_id == technician_id,
            sa.or_(
                _IS_OPEN,
                sa.and_(_assignments.c.state == AssignmentState.WITHDRAWN, _assignments.c.ended_at >= since),
            ),
            _WAS_OFFERED,
        )
        .order_by(_assignments.c.offered_until, _assignments.c.id)
    )
    return [_offer(row) for row in connection.execute(query)]


def latest(connection: Connection, *, token_id: int, technician_id: int) -> Offer | None:
    """The last time somebody was asked for a step."""
    row = connection.execute(_LATEST_OF_MINE, {"token": token_id, "technician": technician_id}).first()
    return None if row is None else _offer(row)


def was_asked(connection: Connection, *, ticket_id: int, technician_id: int) -> bool:
    """Whether any step of the ticket was ever offered to somebody, whatever became of it."""
    asked = {"ticket": ticket_id, "technician": technician_id}
    return connection.execute(_WAS_ASKED, asked).first() is not None


def refused_by(connection: Connection, token_id: int) -> Mapping[int, str]:
    """Who said no to a step, declining it or giving it up, with the reason they gave last."""
    return {row.technician_id: row.reason for row in connection.execute(_REFUSED, {"token": token_id})}


def refused_of(connection: Connection, token_ids: Sequence[int]) -> dict[int, dict[int, str]]:
    """Who said no to each of these steps, and why."""
    found: dict[int, dict[int, str]] = {}
    for row in connection.execute(_REFUSED_MANY, {"tokens": list(token_ids)}):
        found.setdefault(row.token_id, {})[row.technician_id] = row.reason
    return found


def circles(connection: Connection, token_id: int) -> int:
    """How many circles of people were asked for a step so far."""
    return int(connection.execute(_CIRCLES, {"token": token_id}).scalar_one())


def claim(
    connection: Connection, *, at: datetime, token_id: int, technician_id: int, decision_id: int
) -> int | None:
    """Turn somebody's open offer into a claim and end all others; its id, or None where it is over."""
    mine = {"b_token": token_id, "b_technician": technician_id, "b_at": at, "b_decision": decision_id}
    assignment_id = connection.execute(_CLAIM, mine).scalar()
    if assignment_id is None:
        return None
    withdraw(connection, (token_id,), at=at)
    return int(assignment_id)


def decline(connection: Connection, *, at: datetime, token_id: int, technician_id: int, reason: str) -> bool:
    """End somebody's open offer with their reason; false where there is none."""
    mine = {"b_token": token_id, "b_technician": technician_id, "b_at": at, "b_reason": reason}
    return connection.execute(_DECLINE, mine).rowcount > 0


def withdraw(connection: Connection, token_ids: Collection[int], *, at: datetime) -> None:
    """End every open offer of these steps: somebody has them, or they are over."""
    connection.execute(_WITHDRAW, {"tokens": sorted(token_ids), "b_at": at})


def expire(connection: Connection, token_id: int, *, at: datetime) -> tuple[Offer, ...]:
    """End the offers of a step whose time is over; the ones that are open still."""
    connection.execute(_EXPIRE, {"b_token": token_id, "b_at": at})
    return tuple(each for each in of_token(connection, token_id) if each.state is AssignmentState.OFFERED)


def _offer(row: Any) -> Offer:
    return Offer(*row)
