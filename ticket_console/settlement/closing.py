"""Closing a period: from open over closing, when only its own corrections are taken, to closed for good."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, Forbidden, NotFound
from ticket_console.settlement.books import lock_head, open_month
from ticket_console.settlement.kinds import PeriodState
from ticket_console.settlement.tables import Period

_PERIODS = table(Period)


class PeriodNotFound(NotFound):
    code = "settlement.period_not_found"


class StalePeriod(Conflict):
    """Somebody changed the period after the caller read it."""

    code = "settlement.period_stale"


class PeriodNotOver(Conflict):
    code = "settlement.period_not_over"


class WrongPeriodState(Conflict):
    code = "settlement.period_state"


@dataclass(frozen=True, slots=True)
class PeriodView:
    id: int
    code: str
    starts_at: datetime
    ends_at: datetime
    tz: str
    state: PeriodState
    version: int


def open_period(conn: Connection, *, actor: Actor, moment: datetime) -> PeriodView:
    """The period of the month that holds a moment; settling opens missing ones by itself."""
    _require_whole_org(actor)
    head = lock_head(conn, actor.org_id)
    found = conn.execute(
        sa.select(_PERIODS.c.id).where(
            _PERIODS.c.org_id == actor.org_id, _PERIODS.c.starts_at <= moment, _PERIODS.c.ends_at > moment
        )
    ).scalar_one_or_none()
    return period_view(conn, actor.org_id, found or open_month(conn, head, moment))


def begin_closing(
    conn: Connection, *, actor: Actor, at: datetime, period_id: int, expected_version: int, command_id: str
) -> PeriodView:
    """Stop new work from entering a month that is over: late work goes to the next one."""
    return _move(
        conn, actor, at, period_id, expected_version, command_id, PeriodState.OPEN, PeriodState.CLOSING
    )


def close(
    conn: Connection, *, actor: Actor, at: datetime, period_id: int, expected_version: int, command_id: str
) -> PeriodView:
    """Lock a closing month. Nothing is ever posted into it again."""
    return _move(
        conn, actor, at, period_id, expected_version, command_id, PeriodState.CLOSING, PeriodState.CLOSED
    )


def period_view(conn: Connection, org_id: int, period_id: int) -> PeriodView:
    row = conn.execute(
        period_columns().where(_PERIODS.c.id == period_id, _PERIODS.c.org_id == org_id)
    ).one_or_none()
    if row is None:
        raise PeriodNotFound()
    return PeriodView(*row)


def period_columns() -> sa.Select[Any]:
    """The query whose rows are the fields of `PeriodView`."""
    return sa.select(
        _PERIODS.c.id,
        _PERIODS.c.code,
        _PERIODS.c.starts_at,
        _PERIODS.c.ends_at,
        _PERIODS.c.tz,
        _PERIODS.c.state,
        _PERIODS.c.version,
    )


def _move(
    conn: Connection,
    actor: Actor,
    at: datetime,
    period_id: int,
    expected_version: int,
    command_id: str,
    before: PeriodState,
    after: PeriodState,
) -> PeriodView:
    _require_whole_org(actor)
    # Whoever posts holds this lock from choosing the period to the commit, so none slips in behind.
    lock_head(conn, actor.org_id)
    period = period_view(conn, actor.org_id, period_id)
    if period.version != expected_version:
        raise StalePeriod(period=period.code, state=f"settlement.period.{period.state.value}")
    if period.state is not before:
        raise WrongPeriodState(period=period.code, state=f"settlement.period.{period.state.value}")
    if at < period.ends_at:
        raise PeriodNotOver(period=period.code)
    is_closed = after is PeriodState.CLOSED
    conn.execute(
        sa.update(_PERIODS)
        .where(_PERIODS.c.id == period_id)
        .values(
            state=after,
            version=_PERIODS.c.version + 1,
            closed_at=at if is_closed else None,
            closed_by=actor.user_id if is_closed else None,
        )
    )
    audit.record(
        conn,
        at=at,
        actor=actor,
        action=f"period.{after.value}",
        subject=f"period:{period_id}",
        payload={"code": period.code},
        command_id=command_id,
    )
    return period_view(conn, actor.org_id, period_id)


def _require_whole_org(actor: Actor) -> None:
    """A period belongs to the organisation; a grant over some regions is not enough."""
    if not policy.row_scope(actor, "period.close").everything:
        raise Forbidden(permission="period.close")
