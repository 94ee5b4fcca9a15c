"""The day routes of a region: proposed from what has no time yet, then carried out as ordinary visits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk import plan, scheduling
from ticket_console.desk.needs import OpenStep, steps_of_many
from ticket_console.desk.planning import Outcome, TooManyRows
from ticket_console.dispatch import booking, policies, routes, visit_book
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.routes import HIGHEST_PRIORITY, RouteJob, Routes, Stretch
from ticket_console.dispatch.visit_rules import joined, judge_person
from ticket_console.dispatch.visits import Place, Planned
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import ConsoleError, InvalidInput, Param
from ticket_console.people import roster, rosters
from ticket_console.people.candidate import Candidate, Span
from ticket_console.people.shift_times import instant
from ticket_console.tickets.tables import Ticket

PERMISSION: Final = plan.PERMISSION
MOST_ROWS: Final = plan.JOBS
# Who works by the duty switch alone is sent to customers at these hours of the region's clock.
DAYTIME: Final = (time(8), time(18))
# Each step of priority is worth this much to the solver, and a VIP half a step more.
_STEP: Final = 20
_VIP: Final = 10

_tickets = table(Ticket)


class WhyLeft(StrEnum):
    """Why a job is in nobody's route."""

    NO_PLACE = "no_place"
    NOBODY = "nobody"
    NO_TIME = "no_time"


@dataclass(frozen=True, slots=True)
class RoutedVisit:
    """One visit of a proposed route; `version` is the ticket's, on which the proposal was made."""

    ticket_id: int
    no: str
    title: str
    version: int
    starts_at: datetime
    ends_at: datetime
    way: timedelta
    is_late: bool


@dataclass(frozen=True, slots=True)
class PersonRoute:
    technician_id: int
    technician: str
    visits: tuple[RoutedVisit, ...]
    travel: timedelta


@dataclass(frozen=True, slots=True)
class LeftJob:
    ticket_id: int
    no: str
    title: str
    why: WhyLeft


@dataclass(frozen=True, slots=True)
class RouteTotals:
    """What routes come to; `late` visits end `late_by` after they are due, all together."""

    placed: int = 0
    travel: timedelta = timedelta()
    late: int = 0
    late_by: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class DayRoutes:
    """The routes of a region's day, one for each person with something new to do.

    `one_by_one` is what comes of it if the jobs are given away in the order of their urgency instead.
    """

    region_id: int
    day: date
    zone: ZoneInfo
    routes: tuple[PersonRoute, ...]
    left: tuple[LeftJob, ...]
    totals: RouteTotals
    one_by_one: RouteTotals

    @property
    def travel(self) -> timedelta:
        return self.totals.travel


@dataclass(frozen=True, slots=True)
class WantedVisit:
    """A row of a proposal that is to be carried out."""

    ticket_id: int
    version: int
    technician_id: int
    starts_at: datetime
    ends_at: datetime


def propose(*, actor: Actor, at: datetime, region_id: int, day: date) -> DayRoutes:
    """Routes for the work of a region that has no time yet, around the visits that stand. Writes nothing.

    Whoever holds a task keeps it; other work goes to whoever may do it by the filters of dispatch. What
    can be in time is, and what can no longer be is done all the same, if it fits. Raises RegionNotFound
    for a region the actor does not plan.
    """
    policy.require(actor, PERMISSION)
    with reading() as connection:
        window = plan.window_of(connection, viewer=actor, region_id=region_id, first=day, days=1)
        jobs = {job.ticket_id: job for job in plan.unplanned(connection, viewer=actor, region_id=region_id)}
        steps = _steps(connection, list(jobs))
        people = _people(connection, actor, window, at)
        counts = booking.open_counts(connection, people)
        booked = visit_book.visits_of(connection, people, window.span.starts_at, window.span.ends_at)
        able = _able(connection, steps.values(), people, counts, window, at)
    travel = visit_book.travel()
    stretches = [
        stretch
        for person in people.values()
        for stretch in _stretches(person, window, at, booked.get(person.technician_id, ()), counts)
    ]
    wanted = [
        _job(step, able[ticket_id], Span(max(at, window.span.starts_at), window.span.ends_at))
        for ticket_id, step in steps.items()
        if able[ticket_id] and step.need.place is not None
    ]
    found = _fit(stretches, wanted, travel.between)
    lasting = {job.key: job for job in wanted}
    left = [
        LeftJob(ticket_id, job.no, job.title, _why(ticket_id, steps, able))
        for ticket_id, job in jobs.items()
        if ticket_id not in lasting or ticket_id in found.left
    ]
    return DayRoutes(
        region_id,
        day,
        window.zone,
        _person_routes(found, jobs, people),
        tuple(left),
        _totals(found, jobs),
        _totals(_singly(stretches, wanted, travel.between), jobs),
    )


def carry_out(
    *, actor: Actor, at: datetime, command_id: str, visits: Sequence[WantedVisit]
) -> tuple[Outcome, ...]:
    """Plan visit by visit in the order of time: each is an ordinary command that may be refused, because
    somebody was faster or the hour is taken by now; the others go on.
    """
    policy.require(actor, PERMISSION)
    if len(visits) > MOST_ROWS:
        raise TooManyRows((), limit=MOST_ROWS)
    ordered = sorted(visits, key=lambda each: (each.starts_at, each.ticket_id))
    return tuple(_schedule(actor, at, f"{command_id}:{each.ticket_id}", each) for each in ordered)


def _schedule(actor: Actor, at: datetime, command_id: str, wanted: WantedVisit) -> Outcome:
    try:
        moved = scheduling.schedule(
            actor=actor,
            at=at,
            command_id=command_id,
            ticket_id=wanted.ticket_id,
            expected_version=wanted.version,
            technician_id=wanted.technician_id,
            starts_at=wanted.starts_at,
            ends_at=wanted.ends_at,
        )
    except ConsoleError as refusal:
        params: dict[str, Param] = dict(refusal.params)
        problems = refusal.problems if isinstance(refusal, InvalidInput) else ()
        return Outcome(wanted.ticket_id, "", "", False, refusal.code, params, problems)
    return Outcome(wanted.ticket_id, moved.no, moved.assignee_name or "", True)


def _steps(connection: Connection, ticket_ids: Sequence[int]) -> dict[int, OpenStep]:
    """The one step of a technician that each ticket has; which of several is meant a person must say."""
    rows = connection.execute(sa.select(_tickets).where(_tickets.c.id.in_(ticket_ids)))
    found: dict[int, list[OpenStep]] = {}
    for step in steps_of_many(connection, [row._asdict() for row in rows]):
        found.setdefault(step.need.ticket_id, []).append(step)
    return {ticket_id: steps[0] for ticket_id, steps in sorted(found.items()) if len(steps) == 1}


def _people(
    connection: Connection, actor: Actor, window: plan.Window, at: datetime
) -> Mapping[int, Candidate]:
    """The region's people as they are that day."""
    below = rosters.regions_below(connection, actor.org_id, window.region_id)
    ids = [
        each.technician_id
        for each in roster.current(connection, actor.org_id, at=at).candidates
        if each.is_active
        and each.region_id in below
        and policy.allows(actor, PERMISSION, region_id=each.region_id)
    ]
    return scheduling.candidates_at(connection, actor.org_id, ids, window.span, at=at)


def _able(
    connection: Connection,
    steps: Iterable[OpenStep],
    people: Mapping[int, Candidate],
    counts: Mapping[int, int],
    window: plan.Window,
    at: datetime,
) -> dict[int, frozenset[int]]:
    """Who may do each ticket's step that day, whatever the hour."""
    able = {}
    for step in steps:
        need = step.need
        filters = policies.policy_for(connection, need, at).filters
        able[need.ticket_id] = frozenset(
            person.technician_id
            for person in people.values()
            if step.holder_id in (None, person.technician_id)
            and person.technician_id not in need.refused_by
            and not judge_person(
                person,
                need,
                at=window.span.starts_at,
                on=window.first,
                open_count=counts.get(person.technician_id, 0),
                holds_it=step.holder_id == person.technician_id,
                filters=filters,
            )
        )
    return able


def _stretches(
    person: Candidate,
    window: plan.Window,
    at: datetime,
    booked: Sequence[Planned],
    counts: Mapping[int, int],
) -> list[Stretch]:
    """The times in which somebody is there, each from one standing visit to the next.

    The room for further tasks is told to each of them; the commands keep to it over all.
    """
    home = Place(person.lat, person.lon)
    room = max(0, person.capacity - counts.get(person.technician_id, 0))
    found = []
    for free in _free(person, window, at):
        since, here = free.starts_at, home
        for visit in booked:
            if visit.ends_at <= since or visit.starts_at >= free.ends_at:
                continue
            if since < visit.starts_at:
                there = visit.place or here
                found.append(
                    Stretch(person.technician_id, Span(since, visit.starts_at), here, there, (room,))
                )
            since, here = max(since, visit.ends_at), visit.place or home
        if since < free.ends_at:
            found.append(Stretch(person.technician_id, Span(since, free.ends_at), here, None, (room,)))
    return found


def _free(person: Candidate, window: plan.Window, at: datetime) -> list[Span]:
    """When somebody is there from now on: on shift, and not absent."""
    if person.shifts is None:
        starts, ends = (instant(window.first, each, window.zone) for each in DAYTIME)
        shifts = [Span(starts, ends)]
    else:
        shifts = joined(person.shifts)
    first, last = max(at, window.span.starts_at), window.span.ends_at
    free = [Span(max(each.starts_at, first), min(each.ends_at, last)) for each in shifts]
    for absence in person.absences:
        free = [
            part
            for span in free
            for part in (
                Span(span.starts_at, min(span.ends_at, absence.starts_at)),
                Span(max(span.starts_at, absence.ends_at), span.ends_at),
            )
        ]
    return [span for span in free if span.starts_at < span.ends_at]


def _job(step: OpenStep, people: frozenset[int], day: Span) -> RouteJob:
    need = step.need
    assert need.place is not None
    lasts = timedelta(minutes=need.work_minutes)
    return RouteJob(
        key=need.ticket_id,
        place=need.place,
        lasts=lasts,
        begins=_begins(need, lasts, day),
        people=people,
        priority=max(0, HIGHEST_PRIORITY - _VIP - _STEP * (need.priority - 1) + _VIP * need.is_vip),
        takes=(0 if step.holder_id is not None else 1,),
    )


def _begins(need: Need, lasts: timedelta, day: Span) -> Span:
    """When a visit may begin so that it ends before it is due; at any time where that cannot be any more."""
    latest = day.ends_at if need.due_at is None else min(day.ends_at, need.due_at - lasts)
    return day if latest < day.starts_at else Span(day.starts_at, latest)


def _fit(stretches: Sequence[Stretch], jobs: Sequence[RouteJob], ways: routes.Ways) -> Routes:
    """What does not fit before it is due is tried once more for the rest of the day."""
    found = routes.plan_routes(stretches, jobs, ways)
    last = max((each.span.ends_at for each in stretches), default=None)
    late = {
        job.key for job in jobs if job.key in found.left and last is not None and job.begins.ends_at < last
    }
    if not late or last is None:
        return found
    patient = [
        replace(job, begins=Span(job.begins.starts_at, last)) if job.key in late else job for job in jobs
    ]
    return routes.plan_routes(stretches, patient, ways)


def _singly(stretches: Sequence[Stretch], jobs: Sequence[RouteJob], ways: routes.Ways) -> Routes:
    """Given away one by one, in time or late: whoever does so by hand sees that only afterwards."""
    last = max((each.span.ends_at for each in stretches), default=None)
    patient = [
        job
        if last is None
        else replace(job, begins=Span(job.begins.starts_at, max(last, job.begins.ends_at)))
        for job in jobs
    ]
    return routes.one_by_one(stretches, patient, ways)


def _totals(found: Routes, jobs: Mapping[int, plan.Job]) -> RouteTotals:
    stops = [stop for route in found.routes for stop in route.stops]
    due = [(stop.ends_at, jobs[stop.key].due_at) for stop in stops]
    over = [ends_at - due_at for ends_at, due_at in due if due_at is not None and ends_at > due_at]
    return RouteTotals(len(stops), found.travel, len(over), sum(over, timedelta()))


def _why(ticket_id: int, steps: Mapping[int, OpenStep], able: Mapping[int, frozenset[int]]) -> WhyLeft:
    step = steps.get(ticket_id)
    if step is not None and step.need.place is None:
        return WhyLeft.NO_PLACE
    return WhyLeft.NO_TIME if able.get(ticket_id) else WhyLeft.NOBODY


def _person_routes(
    found: Routes, jobs: Mapping[int, plan.Job], people: Mapping[int, Candidate]
) -> tuple[PersonRoute, ...]:
    """One route for each person, over all the times they are there."""
    visits: dict[int, list[RoutedVisit]] = {}
    travel: dict[int, timedelta] = {}
    for route in found.routes:
        who = route.stretch.technician_id
        travel[who] = travel.get(who, timedelta()) + route.travel
        for stop in route.stops:
            job = jobs[stop.key]
            visits.setdefault(who, []).append(
                RoutedVisit(
                    ticket_id=stop.key,
                    no=job.no,
                    title=job.title,
                    version=job.version,
                    starts_at=stop.starts_at,
                    ends_at=stop.ends_at,
                    way=stop.way,
                    is_late=job.due_at is not None and stop.ends_at > job.due_at,
                )
            )
    return tuple(
        PersonRoute(
            who,
            people[who].name,
            tuple(sorted(made, key=lambda visit: visit.starts_at)),
            travel[who],
        )
        for who, made in sorted(visits.items())
    )
