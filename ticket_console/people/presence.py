"""When people are there: their shifts and absences within a window, for plans that look past today."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.kernel.database import table
from ticket_console.people.candidate import Span
from ticket_console.people.tables import Absence, Shift

_shifts = table(Shift)
_absences = table(Absence)


@dataclass(frozen=True, slots=True)
class Stay:
    """One planned shift or absence, with its number; an absence has a reason."""

    id: int
    span: Span
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Presence:
    """`shifts` is None for somebody who works by the duty switch alone."""

    shifts: tuple[Stay, ...] | None = None
    absences: tuple[Stay, ...] = ()

    @property
    def shift_spans(self) -> tuple[Span, ...] | None:
        return None if self.shifts is None else tuple(each.span for each in self.shifts)

    @property
    def absence_spans(self) -> tuple[Span, ...]:
        return tuple(each.span for each in self.absences)


def presences(
    connection: Connection, technician_ids: Iterable[int], since: datetime, until: datetime
) -> Mapping[int, Presence]:
    """What touches [since, until) of everybody asked for."""
    people = sorted(set(technician_ids))
    if not people:
        return {}
    shifts: dict[int, list[Stay]] = defaultdict(list)
    absences: dict[int, list[Stay]] = defaultdict(list)
    for planned, reason, into in (
        (_shifts, sa.literal(""), shifts),
        (_absences, _absences.c.reason, absences),
    ):
        rows = connection.execute(
            sa.select(planned.c.technician_id, planned.c.id, planned.c.starts_at, planned.c.ends_at, reason)
            .where(
                planned.c.technician_id.in_(people), planned.c.ends_at > since, planned.c.starts_at < until
            )
            .order_by(planned.c.technician_id, planned.c.starts_at, planned.c.id)
        )
        for technician_id, number, starts_at, ends_at, why in rows:
            into[technician_id].append(Stay(number, Span(starts_at, ends_at), why))
    rostered = set(
        connection.execute(
            sa.select(_shifts.c.technician_id).where(_shifts.c.technician_id.in_(people)).distinct()
        ).scalars()
    )
    return {
        each: Presence(
            tuple(shifts.get(each, ())) if each in rostered else None, tuple(absences.get(each, ()))
        )
        for each in people
    }
