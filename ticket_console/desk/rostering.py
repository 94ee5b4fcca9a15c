"""Changing rosters where visits are planned already: what would fall out is told before anything is saved."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk.scheduling import take_off
from ticket_console.desk.work import finish, take_up
from ticket_console.dispatch import booking, visit_book
from ticket_console.dispatch.visit_rules import judge_presence
from ticket_console.dispatch.visits import Planned
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.kernel.ids import command_id_of
from ticket_console.people import planning
from ticket_console.people.candidate import Span
from ticket_console.people.hiring import region_of
from ticket_console.people.planning import RosterChange
from ticket_console.people.presence import Presence, Stay, presences
from ticket_console.people.shift_times import Hours, days_window, week_by_week

# How far ahead visits can be planned.
_AHEAD = visit_book.LONGEST * 400
# A pattern is looked at again after half a year.
MOST_WEEKS: Final = 26
_WEEK: Final = timedelta(weeks=1)


class VisitsInTheWay(Conflict):
    """Visits stand where nobody would be any more, and not exactly these were accepted to go."""

    code = "roster.visits_in_the_way"

    def __init__(self, visits: Sequence[Planned]) -> None:
        self.visits = tuple(visits)
        super().__init__(n=len(visits))


@dataclass(frozen=True, slots=True)
class RosterChanged:
    people: int
    unscheduled: int


def topic_of(org_id: int) -> str:
    """Where changes of rosters are told."""
    return f"roster.{org_id}"


def weekly_change(
    connection: Connection,
    *,
    viewer: Actor,
    technician_id: int,
    first: date,
    last: date,
    hours: Mapping[int, Hours],
    zone: ZoneInfo,
    at: datetime,
) -> RosterChange:
    """What puts a weekly pattern in force on the days from `first` to `last`, by the clock of the place.

    It takes the place of all shifts that begin on those days and have not begun yet; before and after them
    the roster stays as it is. Raises InvalidInput for days in no order and for more than `MOST_WEEKS`.
    """
    region_id = region_of(connection, viewer.org_id, technician_id)
    policy.require(viewer, planning.PERMISSION, region_id=region_id)
    if last < first:
        raise InvalidInput((FieldProblem("last", "people.ends_before_it_starts"),))
    if last - first >= MOST_WEEKS * _WEEK:
        raise InvalidInput((FieldProblem("last", "roster.pattern_too_long", {"weeks": MOST_WEEKS}),))
    window = days_window(first, (last - first).days + 1, zone)
    standing = presences(connection, (technician_id,), window.starts_at, window.ends_at)[technician_id]
    return RosterChange(
        technician_id,
        shifts=tuple(each for each in week_by_week(first, last, hours, zone) if each.starts_at > at),
        drop_shifts=frozenset(
            each.id
            for each in standing.shifts or ()
            if max(window.starts_at, at) <= each.span.starts_at < window.ends_at
        ),
    )


def visits_in_the_way(
    connection: Connection, *, viewer: Actor, changes: Sequence[RosterChange], at: datetime
) -> tuple[Planned, ...]:
    """The coming visits for which somebody is there now and would not be after the changes."""
    for change in changes:
        region_id = region_of(connection, viewer.org_id, change.technician_id)
        policy.require(viewer, planning.PERMISSION, region_id=region_id)
    people = sorted({change.technician_id for change in changes})
    booked = visit_book.visits_of(connection, people, at, at + _AHEAD)
    before = presences(connection, people, at, at + _AHEAD)
    after = dict(before)
    for change in changes:
        after[change.technician_id] = _changed(after[change.technician_id], change)
    return tuple(
        visit
        for technician_id, visits in booked.items()
        for visit in visits
        if visit.ends_at > at
        and _is_there(before[technician_id], visit)
        and not _is_there(after[technician_id], visit)
    )


@retried
def change_rosters(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    changes: Sequence[RosterChange],
    accepted: Collection[int] = (),
) -> RosterChanged:
    """Change several people's rosters at once, all or none; visits that nobody could make go off the plan.

    `accepted` are the ids of exactly those visits, as they were shown; where others are in the way by
    now, or none were accepted, VisitsInTheWay lists them and nothing is changed.
    """
    with transaction() as connection:
        if planning.was_carried_out(connection, actor=actor, at=at, command_id=command_id):
            return RosterChanged(0, 0)
        expected = visits_in_the_way(connection, viewer=actor, changes=changes, at=at)
        _refuse_others(expected, accepted)
        # Tickets before people, as the commands that plan visits hold them.
        works = {
            ticket_id: take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id_of(command_id, ticket_id),
                ticket_id=ticket_id,
                expected_version=None,
                permission="ticket.assign",
            )
            for ticket_id in sorted({visit.ticket_id for visit in expected})
        }
        booking.hold_people(connection, {change.technician_id for change in changes})
        falling = visits_in_the_way(connection, viewer=actor, changes=changes, at=at)
        _refuse_others(falling, accepted)
        for change in changes:
            planning.change_roster(connection, actor=actor, at=at, command_id=command_id, change=change)
        for visit in falling:
            take_off(works[visit.ticket_id], visit, "")
        for work in works.values():
            finish(work)
        people = sorted({change.technician_id for change in changes})
        signals.announce(connection, topic_of(actor.org_id), {"people": people[:500]})
    return RosterChanged(len(people), len(falling))


def _refuse_others(visits: Sequence[Planned], accepted: Collection[int]) -> None:
    if {visit.id for visit in visits} != set(accepted):
        raise VisitsInTheWay(visits)


def _changed(presence: Presence, change: RosterChange) -> Presence:
    """Somebody's presence after a change; new stays have no number yet."""
    kept = [each for each in presence.shifts or () if each.id not in change.drop_shifts]
    shifts = (*kept, *(Stay(0, span) for span in change.shifts))
    works_by_shifts = presence.shifts is not None or change.shifts
    absences = [each for each in presence.absences if each.id not in change.drop_absences]
    return Presence(
        shifts if works_by_shifts else None,
        (*absences, *(Stay(0, each.span, each.reason) for each in change.absences)),
    )


def _is_there(presence: Presence, visit: Planned) -> bool:
    span = Span(visit.starts_at, visit.ends_at)
    return not judge_presence(presence.shift_spans, presence.absence_spans, span)
