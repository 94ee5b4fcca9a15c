"""Opening a closed period again: one person asks and says why, and another one approves or refuses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from ticket_console.settlement import closing
from ticket_console.settlement.books import lock_head
from ticket_console.settlement.closing import StalePeriod, WrongPeriodState
from ticket_console.settlement.kinds import PeriodState, ReopeningState
from ticket_console.settlement.tables import Period, PeriodReopening

_PERIODS = table(Period)
_REOPENINGS = table(PeriodReopening)

MOST_REASON: Final = 500
RECENT: Final = 50


class ReopeningNotFound(NotFound):
    code = "settlement.reopening_not_found"


class ReopeningAsked(Conflict):
    """Somebody has asked for it already, and nobody has answered yet."""

    code = "settlement.reopening_asked"


class ReopeningDecided(Conflict):
    code = "settlement.reopening_decided"


class StaleReopening(Conflict):
    code = "settlement.reopening_stale"


class SamePerson(Forbidden):
    """Whoever asks for a closed period to be opened is never the one who approves."""

    code = "settlement.reopening_same_person"


class BadReopening(InvalidInput):
    code = "settlement.reopening_bad"


@dataclass(frozen=True, slots=True)
class ReopeningView:
    """`asked_by` and `decided_by` are users; who refuses may be the one who asked."""

    id: int
    period_id: int
    state: ReopeningState
    reason: str
    asked_by: int
    asked_at: datetime
    decided_by: int | None
    decided_at: datetime | None
    ask_command_id: str
    command_id: str
    version: int


def ask(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    period_id: int,
    expected_version: int,
    reason: str,
    command_id: str,
) -> ReopeningView:
    """Ask for a closed period to be opened. Sent twice with one `command_id`, it asks once.

    Raises StalePeriod, WrongPeriodState for a period that is not closed, ReopeningAsked, and BadReopening for
    a reason that is missing or too long.
    """
    user_id = _person(actor)
    lock_head(conn, actor.org_id)
    earlier = _found(conn, actor.org_id, _REOPENINGS.c.ask_command_id == command_id)
    if earlier is not None:
        return earlier
    why = " ".join(reason.split())
    if not why or len(why) > MOST_REASON:
        problem = "settlement.reopening_reason_too_long" if why else "settlement.reopening_reason_missing"
        raise BadReopening((FieldProblem("reason", problem, {"most": MOST_REASON}),))
    period = closing.period_view(conn, actor.org_id, period_id)
    state = f"settlement.period.{period.state.value}"
    if period.version != expected_version:
        raise StalePeriod(period=period.code, state=state)
    if period.state is not PeriodState.CLOSED:
        raise WrongPeriodState(period=period.code, state=state)
    waiting = sa.and_(_REOPENINGS.c.period_id == period_id, _REOPENINGS.c.state == ReopeningState.ASKED)
    if _found(conn, actor.org_id, waiting) is not None:
        raise ReopeningAsked(period=period.code)
    new = sa.insert(_REOPENINGS).values(
        org_id=actor.org_id,
        period_id=period_id,
        state=ReopeningState.ASKED,
        reason=why,
        asked_by=user_id,
        asked_at=at,
        ask_command_id=command_id,
        command_id=command_id,
        version=1,
    )
    reopening_id = int(conn.execute(new.returning(_REOPENINGS.c.id)).scalar_one())
    audit.record(
        conn,
        at=at,
        actor=actor,
        action="period.reopening_asked",
        subject=f"period:{period_id}",
        payload={"code": period.code, "reason": why},
        command_id=command_id,
    )
    return _required(conn, actor.org_id, reopening_id)


def approve(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    reopening_id: int,
    expected_version: int,
    command_id: str,
) -> ReopeningView:
    """Open the period, as another person than the one who asked; it takes entries of its own work again.

    Raises SamePerson, StaleReopening, ReopeningDecided, and WrongPeriodState where it is closed no more.
    """
    user_id = _person(actor)
    lock_head(conn, actor.org_id)
    reopening = _required(conn, actor.org_id, reopening_id)
    if reopening.command_id == command_id and reopening.state is ReopeningState.APPROVED:
        return reopening
    _require_undecided(reopening, expected_version)
    if reopening.asked_by == user_id:
        raise SamePerson()
    period = closing.period_view(conn, actor.org_id, reopening.period_id)
    if period.state is not PeriodState.CLOSED:
        raise WrongPeriodState(period=period.code, state=f"settlement.period.{period.state.value}")
    conn.execute(
        sa.update(_PERIODS)
        .where(_PERIODS.c.id == period.id)
        .values(state=PeriodState.OPEN, version=_PERIODS.c.version + 1, closed_at=None, closed_by=None)
    )
    _decide(conn, reopening_id, ReopeningState.APPROVED, user_id, at, command_id)
    audit.record(
        conn,
        at=at,
        actor=actor,
        action="period.reopened",
        subject=f"period:{period.id}",
        payload={"code": period.code, "reason": reopening.reason, "asked_by": reopening.asked_by},
        command_id=command_id,
    )
    return _required(conn, actor.org_id, reopening_id)


def refuse(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    reopening_id: int,
    expected_version: int,
    command_id: str,
) -> ReopeningView:
    """Leave the period closed; whoever asked may take it back this way."""
    user_id = _person(actor)
    lock_head(conn, actor.org_id)
    reopening = _required(conn, actor.org_id, reopening_id)
    if reopening.command_id == command_id and reopening.state is ReopeningState.REFUSED:
        return reopening
    _require_undecided(reopening, expected_version)
    _decide(conn, reopening_id, ReopeningState.REFUSED, user_id, at, command_id)
    audit.record(
        conn,
        at=at,
        actor=actor,
        action="period.reopening_refused",
        subject=f"period:{reopening.period_id}",
        payload={"reason": reopening.reason, "asked_by": reopening.asked_by},
        command_id=command_id,
    )
    return _required(conn, actor.org_id, reopening_id)


def waiting(conn: Connection, *, viewer: Actor) -> tuple[ReopeningView, ...]:
    """What was asked for and nobody has answered yet, the oldest first."""
    policy.require_everywhere(viewer, "settlement.view")
    rows = conn.execute(
        _columns()
        .where(_REOPENINGS.c.org_id == viewer.org_id, _REOPENINGS.c.state == ReopeningState.ASKED)
        .order_by(_REOPENINGS.c.id)
        .limit(RECENT)
    )
    return tuple(ReopeningView(*row) for row in rows)


def of_period(conn: Connection, *, viewer: Actor, period_id: int) -> tuple[ReopeningView, ...]:
    """Everything that was ever asked of a period, the latest first."""
    policy.require_everywhere(viewer, "settlement.view")
    rows = conn.execute(
        _columns()
        .where(_REOPENINGS.c.org_id == viewer.org_id, _REOPENINGS.c.period_id == period_id)
        .order_by(_REOPENINGS.c.id.desc())
        .limit(RECENT)
    )
    return tuple(ReopeningView(*row) for row in rows)


def _person(actor: Actor) -> int:
    """Two persons are needed, so the console itself and nameless tokens are neither of them."""
    policy.require_everywhere(actor, "period.close")
    if actor.user_id is None:
        raise Forbidden(permission="period.close")
    return actor.user_id


def _require_undecided(reopening: ReopeningView, expected_version: int) -> None:
    if reopening.state is not ReopeningState.ASKED:
        raise ReopeningDecided()
    if reopening.version != expected_version:
        raise StaleReopening()


def _decide(
    conn: Connection,
    reopening_id: int,
    state: ReopeningState,
    user_id: int,
    at: datetime,
    command_id: str,
) -> None:
    conn.execute(
        sa.update(_REOPENINGS)
        .where(_REOPENINGS.c.id == reopening_id)
        .values(
            state=state,
            decided_by=user_id,
            decided_at=at,
            command_id=command_id,
            version=_REOPENINGS.c.version + 1,
        )
    )


def _columns() -> sa.Select[Any]:
    return sa.select(*(_REOPENINGS.c[name] for name in ReopeningView.__dataclass_fields__))


def _required(conn: Connection, org_id: int, reopening_id: int) -> ReopeningView:
    found = _found(conn, org_id, _REOPENINGS.c.id == reopening_id)
    if found is None:
        raise ReopeningNotFound()
    return found


def _found(conn: Connection, org_id: int, where: sa.ColumnElement[bool]) -> ReopeningView | None:
    row = conn.execute(_columns().where(_REOPENINGS.c.org_id == org_id, where)).one_or_none()
    return None if row is None else ReopeningView(*row)
