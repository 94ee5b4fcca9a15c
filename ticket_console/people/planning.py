"""When people work: shifts and absences, planned, changed and taken back."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.access.tables import AuditEntry
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.people.candidate import Span
from ticket_console.people.hiring import region_of, write_technician
from ticket_console.people.tables import Absence, Shift

PERMISSION: Final = "roster.manage"
LONGEST_SHIFT: Final = timedelta(hours=24)
LONGEST_ABSENCE: Final = timedelta(days=366)
_REASON_LENGTH: Final = 200

_shifts = table(Shift)
_absences = table(Absence)
_entries = table(AuditEntry)


class RosterMoved(Conflict):
    """A shift or absence that was to be changed is not there any more: somebody else was faster."""

    code = "people.roster_moved"


@dataclass(frozen=True, slots=True)
class AbsencePlan:
    span: Span
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RosterChange:
    """What changes in one person's roster. A shift that moves is one dropped and one planned."""

    technician_id: int
    shifts: tuple[Span, ...] = ()
    absences: tuple[AbsencePlan, ...] = ()
    drop_shifts: frozenset[int] = frozenset()
    drop_absences: frozenset[int] = frozenset()


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
    change = RosterChange(technician_id, shifts=tuple(shifts))
    change_roster(connection, actor=actor, at=at, command_id=command_id, change=change)


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
    change = RosterChange(technician_id, absences=(AbsencePlan(absence, reason),))
    change_roster(connection, actor=actor, at=at, command_id=command_id, change=change)


def change_roster(
    connection: Connection, *, actor: Actor, at: datetime, command_id: str, change: RosterChange
) -> None:
    """Carry out one person's changes, all or none.

    Raises RosterMoved where something that was to go is gone already, and InvalidInput naming every
    span that cannot be: backwards, too long, or a shift over another shift of the same person.
    """
    policy.require(actor, PERMISSION, region_id=region_of(connection, actor.org_id, change.technician_id))
    _refuse_impossible(change)
    _take_away(connection, _shifts, change.technician_id, change.drop_shifts)
    _take_away(connection, _absences, change.technician_id, change.drop_absences)
    _refuse_overlap(connection, change)
    if change.shifts:
        connection.execute(sa.insert(_shifts), [_row(change, span) for span in change.shifts])
    if change.absences:
        connection.execute(
            sa.insert(_absences),
            [{**_row(change, each.span), "reason": each.reason.strip()} for each in change.absences],
        )
    # Dispatch notices by the version that its roster is old.
    write_technician(connection, change.technician_id)
    for action, payload in _told(change):
        audit.record(
            connection,
            at=at,
            actor=actor,
            action=action,
            subject=f"technician:{change.technician_id}",
            payload=payload,
            command_id=command_id,
        )


def was_carried_out(connection: Connection, *, actor: Actor, at: datetime, command_id: str) -> bool:
    """Whether a change of rosters with this id is on the audit trail of the last day."""
    return (
        connection.execute(
            sa.select(_entries.c.id).where(
                _entries.c.org_id == actor.org_id,
                _entries.c.at >= at - timedelta(days=1),
                _entries.c.command_id == command_id,
                _entries.c.actor == actor.label,
                _entries.c.action.in_(_ACTIONS),
            )
        ).first()
        is not None
    )


_SHIFTS_PLANNED: Final = "technician.shifts_planned"
_SHIFTS_DROPPED: Final = "technician.shifts_dropped"
_ABSENT: Final = "technician.absent"
_ABSENCE_DROPPED: Final = "technician.absence_dropped"
_ACTIONS: Final = (_SHIFTS_PLANNED, _SHIFTS_DROPPED, _ABSENT, _ABSENCE_DROPPED)


def _told(change: RosterChange) -> Iterable[tuple[str, dict[str, object]]]:
    if change.drop_shifts:
        yield _SHIFTS_DROPPED, {"shifts": len(change.drop_shifts)}
    if change.drop_absences:
        yield _ABSENCE_DROPPED, {"absences": len(change.drop_absences)}
    if change.shifts:
        first = min(span.starts_at for span in change.shifts)
        yield _SHIFTS_PLANNED, {"shifts": len(change.shifts), "from": first}
    for each in change.absences:
        yield _ABSENT, {"from": each.span.starts_at, "until": each.span.ends_at}


def _row(change: RosterChange, span: Span) -> dict[str, object]:
    return {
        "technician_id": change.technician_id,
        "starts_at": span.starts_at,
        "ends_at": span.ends_at,
    }


def _take_away(connection: Connection, planned: sa.Table, technician_id: int, ids: Collection[int]) -> None:
    if not ids:
        return
    gone = connection.execute(
        sa.delete(planned).where(planned.c.technician_id == technician_id, planned.c.id.in_(sorted(ids)))
    ).rowcount
    if gone != len(ids):
        raise RosterMoved()


def _refuse_impossible(change: RosterChange) -> None:
    problems = [
        *_problems(((f"shifts.{n}", each) for n, each in enumerate(change.shifts)), LONGEST_SHIFT),
        *_problems(((f"absences.{n}", each.span) for n, each in enumerate(change.absences)), LONGEST_ABSENCE),
        *(
            FieldProblem(f"absences.{number}.reason", "field.too_long", {"limit": _REASON_LENGTH})
            for number, each in enumerate(change.absences)
            if len(each.reason) > _REASON_LENGTH
        ),
    ]
    if problems:
        raise InvalidInput(tuple(problems))


def _problems(spans: Iterable[tuple[str, Span]], longest: timedelta) -> Iterable[FieldProblem]:
    for path, span in spans:
        if span.ends_at <= span.starts_at:
            yield FieldProblem(path, "people.ends_before_it_starts")
        elif span.ends_at - span.starts_at > longest:
            hours = int(longest.total_seconds() // 3600)
            yield FieldProblem(path, "people.lasts_too_long", {"hours": hours})


def _refuse_overlap(connection: Connection, change: RosterChange) -> None:
    """Refuse shifts over each other; among the planned ones only those near the new ones are read."""
    if not change.shifts:
        return
    first = min(span.starts_at for span in change.shifts)
    last = max(span.ends_at for span in change.shifts)
    kept = connection.execute(
        sa.select(_shifts.c.starts_at, _shifts.c.ends_at).where(
            _shifts.c.technician_id == change.technician_id,
            _shifts.c.ends_at > first,
            _shifts.c.starts_at < last,
        )
    )
    spans = sorted((*change.shifts, *(Span(*row) for row in kept)), key=lambda span: span.starts_at)
    if any(later.starts_at < earlier.ends_at for earlier, later in pairwise(spans)):
        raise InvalidInput((FieldProblem("shifts", "people.shifts_overlap"),))
