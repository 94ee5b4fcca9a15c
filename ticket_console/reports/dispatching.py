"""How soon somebody has a ticket, and how much of giving work away is done by hand."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.dispatch.tables import DecisionMode, DispatchDecision
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.reports.durations import seconds_between
from ticket_console.reports.metrics import EVERYTHING, Slice, narrowed
from ticket_console.tickets.tables import Ticket

_tickets = table(Ticket)
_decisions = table(DispatchDecision)


@dataclass(frozen=True, slots=True)
class DispatchFigures:
    """Of the moments [since, until): `assigned` tickets somebody had first then, and how long that took
    from their opening; how many decisions the console took, dispatchers took, and technicians took for
    themselves. Who only went on with their own work, or took over a shift, is in none of them.

    The percentiles are None where there was nothing to count.
    """

    assigned: int
    p50_seconds: float | None
    p99_seconds: float | None
    automatic: int
    manual: int
    claimed: int

    @property
    def automatic_bp(self) -> int | None:
        """The share that needed no dispatcher, in hundredths of a percent."""
        together = self.automatic + self.manual + self.claimed
        return None if together == 0 else (self.automatic + self.claimed) * 10_000 // together


def dispatch_figures(
    connection: Connection, *, viewer: Actor, since: datetime, until: datetime, slice: Slice = EVERYTHING
) -> DispatchFigures:
    """The figures of the tickets that the viewer may see."""
    policy.require(viewer, "ticket.assign")
    within = narrowed(connection, viewer, slice)
    reached = sa.and_(within, _tickets.c.assigned_at >= since, _tickets.c.assigned_at < until)
    assigned = connection.execute(
        sa.select(sa.func.count()).select_from(_tickets).where(reached)
    ).scalar_one()
    taken = {
        row.mode: row.times
        for row in connection.execute(
            sa.select(_decisions.c.mode, sa.func.count().label("times"))
            .join(_tickets, _tickets.c.id == _decisions.c.ticket_id)
            .where(
                within,
                _decisions.c.at >= since,
                _decisions.c.at < until,
                _decisions.c.chosen_id.is_not(None),
            )
            .group_by(_decisions.c.mode)
        )
    }
    return DispatchFigures(
        assigned=assigned,
        p50_seconds=_at_rank(connection, reached, assigned, 50),
        p99_seconds=_at_rank(connection, reached, assigned, 99),
        automatic=taken.get(DecisionMode.AUTO, 0),
        manual=taken.get(DecisionMode.MANUAL, 0),
        claimed=taken.get(DecisionMode.CLAIM, 0),
    )


def _at_rank(
    connection: Connection, reached: sa.ColumnElement[bool], count: int, percent: int
) -> float | None:
    """The least time that so many percent did not exceed."""
    if count == 0:
        return None
    lasted = seconds_between(_tickets.c.opened_at, _tickets.c.assigned_at)
    rank = -(-count * percent // 100) - 1
    query = sa.select(lasted).select_from(_tickets).where(reached).order_by(lasted).limit(1).offset(rank)
    return max(float(connection.execute(query).scalar_one()), 0.0)
