"""What would come of a plan: who comes when, what is late, how far people go, how much they work.

The live plan and a branch of it are reckoned the same way, so that their difference is what the moves do.
A visit takes place at its time. What has no time is done in the order of its urgency, at the first moment
at which it fits between the visits. Who is on shift begins nothing that the shift's end would cut, unless
waiting for the next shift would make it late and working on would not.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ticket_console.dispatch.spread import gini_bp
from ticket_console.dispatch.visits import FROM_HOME_AFTER, Place, Travel
from ticket_console.kernel.geo import distance_km
from ticket_console.people.candidate import Span


@dataclass(frozen=True, slots=True)
class Task:
    """One open step of a technician; `holder` is None while nobody has it, `visit` while it has no time."""

    token_id: int
    ticket_id: int
    priority: int
    due_at: datetime | None
    place: Place | None
    minutes: int
    holder: int | None
    visit: Span | None = None
    is_short_of_parts: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """`elsewhere` is open work beside the tasks of the plan; `shifts` is None by the duty switch alone."""

    id: int
    home: Place
    capacity: int
    elsewhere: int = 0
    shifts: tuple[Span, ...] | None = None
    absences: tuple[Span, ...] = ()
    is_there: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """The open tasks of a region and its people, as of an instant."""

    at: datetime
    tasks: tuple[Task, ...]
    people: tuple[Person, ...]
    travel: Travel


@dataclass(frozen=True, slots=True)
class Put:
    """Where a ticket's step goes: to somebody, perhaps for a time, or back to nobody."""

    ticket_id: int
    technician_id: int | None
    visit: Span | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """One task in somebody's day as it is foreseen, with the way to it."""

    task: Task
    starts_at: datetime
    ends_at: datetime
    travel_seconds: int
    metres: int
    overtime_seconds: int

    @property
    def is_late(self) -> bool:
        return self.task.due_at is not None and self.ends_at > self.task.due_at


@dataclass(frozen=True, slots=True)
class PersonFigures:
    """`load` is everything somebody has, `jobs` what of it is in the plan."""

    id: int
    jobs: int
    load: int
    capacity: int
    work_seconds: int
    travel_seconds: int
    metres: int
    overtime_seconds: int
    late: int
    short_of_parts: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Of what nobody has, everything that is due counts as late: nobody is on the way to it.

    Loads are compared among those who are there: `gini_bp` is 0 where all have the same.
    """

    tasks: int
    unassigned: int
    late: int
    travel_seconds: int
    metres: int
    overtime_seconds: int
    short_of_parts: int
    over_capacity: int
    busiest: int
    idlest: int
    gini_bp: int

    @property
    def spread(self) -> int:
        return self.busiest - self.idlest


@dataclass(frozen=True, slots=True)
class Evaluated:
    """`late` are the tickets foreseen to be late; `stops` everybody's day, by token."""

    figures: Figures
    people: Mapping[int, PersonFigures]
    stops: Mapping[int, Stop]
    late: frozenset[int]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a branch does: tickets it makes late, tickets it saves, and the people whose figures change."""

    now_late: tuple[int, ...]
    saved: tuple[int, ...]
    people: tuple[int, ...]


def laid_over(plan: Plan, puts: Iterable[Put]) -> Plan:
    """The plan with these moves, each ticket's last one. What is not in the plan any more is passed over."""
    last = {put.ticket_id: put for put in puts}
    if not last:
        return plan
    tasks = tuple(
        task
        if (put := last.get(task.ticket_id)) is None
        else replace(task, holder=put.technician_id, visit=None if put.technician_id is None else put.visit)
        for task in plan.tasks
    )
    return replace(plan, tasks=tasks)


def evaluate(plan: Plan) -> Evaluated:
    """What would come of a plan in which nothing changes any more."""
    known = {person.id for person in plan.people}
    held: dict[int, list[Task]] = defaultdict(list)
    nobodys = []
    for task in plan.tasks:
        if task.holder in known:
            held[task.holder].append(task)
        else:
            nobodys.append(task)
    stops: dict[int, Stop] = {}
    people = {}
    for person in plan.people:
        day = foresee(person, held.get(person.id, ()), at=plan.at, travel=plan.travel)
        stops |= {stop.task.token_id: stop for stop in day}
        people[person.id] = _person_figures(person, day)
    late = {stop.task.ticket_id for stop in stops.values() if stop.is_late}
    late |= {task.ticket_id for task in nobodys if task.due_at is not None}
    loads = [people[each.id].load for each in plan.people if each.is_there]
    figures = Figures(
        tasks=len(plan.tasks),
        unassigned=len(nobodys),
        late=sum(each.late for each in people.values()) + sum(task.due_at is not None for task in nobodys),
        travel_seconds=sum(each.travel_seconds for each in people.values()),
        metres=sum(each.metres for each in people.values()),
        overtime_seconds=sum(each.overtime_seconds for each in people.values()),
        short_of_parts=sum(each.short_of_parts for each in people.values()),
        over_capacity=sum(each.load > each.capacity for each in people.values()),
        busiest=max(loads, default=0),
        idlest=min(loads, default=0),
        gini_bp=gini_bp(loads),
    )
    return Evaluated(figures, people, stops, frozenset(late))


def compare(live: Evaluated, branch: Evaluated) -> Difference:
    """The tickets and people that make the difference, in the order of their numbers."""
    return Difference(
        now_late=tuple(sorted(branch.late - live.late)),
        saved=tuple(sorted(live.late - branch.late)),
        people=tuple(sorted(id for id, each in branch.people.items() if live.people.get(id) != each)),
    )


def foresee(person: Person, tasks: Sequence[Task], *, at: datetime, travel: Travel) -> tuple[Stop, ...]:
    """Somebody's day from `at` on: every task of theirs once, in the order in which they come to it."""
    # The visit of a task that is not done yet although its time is over says nothing about when it will be.
    coming = [task for task in tasks if task.visit is not None and task.visit.ends_at > at]
    others = [task for task in tasks if task.visit is None or task.visit.ends_at <= at]
    day = [_At(task.visit.starts_at, task.visit.ends_at, task) for task in coming if task.visit is not None]
    day.sort(key=_by_time)
    for task in sorted(others, key=_urgency):
        index, starts_at = _earliest(person, day, task, at, travel)
        day.insert(index, _At(starts_at, starts_at + timedelta(minutes=task.minutes), task))
    return _with_ways(person, day, travel)


@dataclass(frozen=True, slots=True)
class _At:
    starts_at: datetime
    ends_at: datetime
    task: Task


def _by_time(each: _At) -> tuple[datetime, datetime, int]:
    return each.starts_at, each.ends_at, each.task.token_id


_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def _urgency(task: Task) -> tuple[int, datetime, int]:
    return task.priority, task.due_at or _NEVER, task.token_id


def _earliest(
    person: Person, day: Sequence[_At], task: Task, at: datetime, travel: Travel
) -> tuple[int, datetime]:
    """The first place of a day at which a task fits, the ways before and after it included."""
    length = timedelta(minutes=task.minutes)
    free_from, before = at, person.home
    for index, after in enumerate(day):
        # Most gaps are too short for the work alone, and their ways need not be reckoned.
        if free_from + length <= after.starts_at:
            starts_at = _available(person, free_from + travel.between(before, task.place), task)
            if starts_at + length + travel.between(task.place, after.task.place) <= after.starts_at:
                return index, starts_at
        free_from = max(free_from, after.ends_at)
        before = after.task.place or before
    return len(day), _available(person, free_from + travel.between(before, task.place), task)


def _available(person: Person, start: datetime, task: Task) -> datetime:
    """When somebody who could begin at `start` does."""
    length = timedelta(minutes=task.minutes)
    shifts = person.shifts or ()
    while True:
        ends_at = start + length
        away = next(
            (each for each in person.absences if each.starts_at < ends_at and start < each.ends_at), None
        )
        if away is not None:
            start = away.ends_at
            continue
        if any(shift.starts_at <= start and ends_at <= shift.ends_at for shift in shifts):
            return start
        following = bisect_right(shifts, start, key=lambda shift: shift.starts_at)
        if following == len(shifts):
            return start
        begins = shifts[following].starts_at
        if task.due_at is not None and ends_at <= task.due_at < begins + length:
            return start
        start = begins


def _with_ways(person: Person, day: Sequence[_At], travel: Travel) -> tuple[Stop, ...]:
    stops = []
    before: Place | None = person.home
    left_at: datetime | None = None
    for each in day:
        if left_at is None or each.starts_at - left_at >= FROM_HOME_AFTER:
            before = person.home
        place = each.task.place
        stops.append(
            Stop(
                each.task,
                each.starts_at,
                each.ends_at,
                int(travel.between(before, place).total_seconds()),
                _metres(before, place, travel),
                _outside(person.shifts, each.starts_at, each.ends_at),
            )
        )
        before = place or before
        left_at = each.ends_at if left_at is None else max(left_at, each.ends_at)
    return tuple(stops)


def _metres(start: Place | None, goal: Place | None, travel: Travel) -> int:
    if start is None or goal is None:
        return 0
    return round(distance_km(start.lat, start.lon, goal.lat, goal.lon) * travel.detour * 1000)


def _outside(shifts: Sequence[Span] | None, starts_at: datetime, ends_at: datetime) -> int:
    """The seconds of [starts_at, ends_at) that lie in no shift; none for who has no shifts."""
    if shifts is None:
        return 0
    within = sum(
        (max(timedelta(), min(ends_at, shift.ends_at) - max(starts_at, shift.starts_at)) for shift in shifts),
        timedelta(),
    )
    return max(0, int((ends_at - starts_at - within).total_seconds()))


def _person_figures(person: Person, day: Sequence[Stop]) -> PersonFigures:
    return PersonFigures(
        id=person.id,
        jobs=len(day),
        load=len(day) + person.elsewhere,
        capacity=person.capacity,
        work_seconds=sum(int((stop.ends_at - stop.starts_at).total_seconds()) for stop in day),
        travel_seconds=sum(stop.travel_seconds for stop in day),
        metres=sum(stop.metres for stop in day),
        overtime_seconds=sum(stop.overtime_seconds for stop in day),
        late=sum(stop.is_late for stop in day),
        short_of_parts=sum(stop.task.is_short_of_parts for stop in day),
    )
