"""When people work: shifts and absences."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.people.candidate import Span
from ticket_console.people.hiring import change_technician
from ticket_console.people.tables import Absence, Shift

_shifts = table(Shift)
_absences = table(Absence)


def plan_shifts(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    technician_id: int,
    shifts: Sequence[Span],
) -> None:
    """Add shifts. From the first one on, the technician is sent to work only within a shift."""
    change_technician(connection, actor, technician_id)
    _refuse_backwards(shifts, "shifts")
    if not shifts:
        return
    connection.execute(
        sa.insert(_shifts),
        [
            {"technician_id": technician_id, "starts_at": shift.starts_at, "ends_at": shift.ends_at}
            for shift in shifts
        ],
    )
    audit.record(
        connection,
        at=at,
        actor=actor,
        action="technician.shifts_planned",
        subject=f"technician:{technician_id}",
        payload={"shifts": len(shifts), "from": min(shift.starts_at for shift in shifts)},
        command_id=command_id,
    )


def record_absence(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    technician_id: int,
    absence: Span,
    reason: str = "",
) -> None:
    """Nobody is sent to work while absent, whatever shift was planned."""
    change_technician(connection, actor, technician_id)
    _refuse_backwards((absence,), "absence")
    connection.execute(
        sa.insert(_absences).values(
            technician_id=technician_id,
            starts_at=absence.starts_at,
            ends_at=absence.ends_at,
            reason=reason[:200],
        )
    )
    audit.record(
        connection,
        at=at,
        actor=actor,
        action="technician.absent",
        subject=f"technician:{technician_id}",
        payload={"from": absence.starts_at, "until": absence.ends_at},
        command_id=command_id,
    )


def _refuse_backwards(spans: Sequence[Span], path: str) -> None:
    problems = tuple(
        FieldProblem(f"{path}.{position}", "people.ends_before_it_starts")
        for position, span in enumerate(spans)
        if span.ends_at <= span.starts_at
    )
    if problems:
        raise InvalidInput(problems)
