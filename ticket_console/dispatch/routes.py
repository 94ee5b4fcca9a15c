"""Day routes: who goes where in which order, so that everybody is out for as short as possible.

The first plan comes from an optional solver (`requirements-routes.txt`) where it is installed; the search of
`route_search` begins from nothing else. What is proposed here is judged again by the command that plans a
visit.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Final

import numpy as np

from ticket_console.dispatch import route_search
from ticket_console.dispatch.route_search import Crew, Field, Stop
from ticket_console.dispatch.visits import Place
from ticket_console.people.candidate import Span

Ways = Callable[[Place, Place], timedelta]

# Above this the solver's own scale ends.
HIGHEST_PRIORITY: Final = 100
# How often a plan is torn up and repaired: some seconds for a hundred jobs.
ROUNDS: Final = 4_000
# A few jobs have few orders to be done in.
_ROUNDS_EACH: Final = 100
_EFFORT: Final = 5
_THREADS: Final = 2
_PROFILE: Final = "car"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which one person is there without a break. Somebody may have several on a day.

    `goal` is None where the way back does not count. `carries` is how much of each thing that jobs take
    from a person there is: parts on board, or room for further tasks.
    """

    technician_id: int
    span: Span
    start: Place
    goal: Place | None = None
    carries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteJob:
    """Work at a place: it begins within `begins`, both ends included, and only `people` may do it.

    `takes` is as long as the `carries` of the people. Of jobs that do not all fit, those with the higher
    priority are done.
    """

    key: int
    place: Place
    lasts: timedelta
    begins: Span
    people: frozenset[int]
    priority: int = 0
    takes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteStop:
    """A job at its time; `way` is how long the way there takes."""

    key: int
    starts_at: datetime
    ends_at: datetime
    way: timedelta


@dataclass(frozen=True, slots=True)
class Route:
    """What one person does in one stretch, in its order; `travel` is all the way from start to goal.

    `refill_after` is after how many stops it goes by where parts are filled up.
    """

    stretch: Stretch
    leaves_at: datetime
    stops: tuple[RouteStop, ...]
    travel: timedelta
    refill_after: int | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """Of who does nothing there is no route; `left` are the jobs that fitted in nowhere."""

    routes: tuple[Route, ...]
    left: tuple[int, ...]

    @property
    def travel(self) -> timedelta:
        return sum((each.travel for each in self.routes), timedelta())


def plan_routes(
    stretches: Sequence[Stretch],
    jobs: Sequence[RouteJob],
    ways: Ways,
    *,
    refill: Place | None = None,
    rounds: int | None = None,
) -> Routes:
    """As much of the most urgent work as fits in, with the least time on the way and waiting at doors.

    Times are whole seconds, and ways keep to the triangle: no detour is shorter than the way itself. At
    `refill` everybody may get once what jobs take, as much as is needed. Equal input gives equal routes;
    with fewer `rounds` they come sooner and are longer.
    """
    if not stretches or not jobs:
        return Routes((), tuple(job.key for job in jobs))
    zero = min(stretch.span.starts_at for stretch in stretches)
    # Every job stands for itself, also where two are at one place: what lies between them differs.
    anchors = [stretch.start for stretch in stretches]
    anchors += [stretch.goal for stretch in stretches if stretch.goal is not None]
    anchors = list(dict.fromkeys([*anchors, *([] if refill is None else [refill])]))
    where = {place: len(jobs) + number for number, place in enumerate(anchors)}
    durations = _matrix([*(job.place for job in jobs), *anchors], ways)
    asked = _asked(stretches, jobs, durations, where, refill, zero)
    begun = _begun(stretches, jobs, durations, where, zero) if is_available() else ()
    tours = route_search.improve(
        asked, begun, rounds=min(ROUNDS, _ROUNDS_EACH * len(jobs)) if rounds is None else rounds
    )
    routes = tuple(
        _route(stretch, tour, jobs, refill, zero, ways)
        for stretch, tour in zip(stretches, tours, strict=True)
        if tour.stops
    )
    done = {stop.key for route in routes for stop in route.stops}
    return Routes(routes, tuple(job.key for job in jobs if job.key not in done))


def one_by_one(stretches: Sequence[Stretch], jobs: Sequence[RouteJob], ways: Ways) -> Routes:
    """What comes of it if each job, the most urgent first, goes behind those of whoever is there soonest.

    It is what a plan is worth something against.
    """
    ends = [_End(stretch, stretch.start, stretch.span.starts_at, stretch.carries) for stretch in stretches]
    left = []
    for job in sorted(jobs, key=lambda each: (-each.priority, each.begins.ends_at, each.key)):
        able = [end for end in ends if end.stretch.technician_id in job.people and end.takes(job, ways)]
        if not able:
            left.append(job.key)
            continue
        soonest = min(able, key=lambda end: (end.begins(job, ways), end.stretch.technician_id))
        soonest.add(job, ways)
    return Routes(tuple(end.route(ways) for end in ends if end.stops), tuple(left))


def is_available() -> bool:
    """Whether the solver is installed that makes the first plan."""
    try:
        import_module("vroom")
    except ModuleNotFoundError:
        return False
    return True


def _asked(
    stretches: Sequence[Stretch],
    jobs: Sequence[RouteJob],
    durations: Any,
    where: Mapping[Place, int],
    refill: Place | None,
    zero: datetime,
) -> Field:
    crews = tuple(
        Crew(
            where[stretch.start],
            None if stretch.goal is None else where[stretch.goal],
            *_seconds_of(stretch.span, zero),
            stretch.carries,
        )
        for stretch in stretches
    )
    # One more job done is worth more than all the time in which anybody is there.
    scale = 1 + sum(crew.closes - crew.opens for crew in crews)
    stops = tuple(
        Stop(
            number,
            _seconds(job.lasts),
            *_seconds_of(job.begins, zero),
            frozenset(at for at, stretch in enumerate(stretches) if stretch.technician_id in job.people),
            job.takes,
            scale * (1 + job.priority),
        )
        for number, job in enumerate(jobs)
    )
    ways = [[*row, 0] for row in durations.tolist()]
    return Field(crews, stops, [*ways, [0] * (len(ways) + 1)], None if refill is None else where[refill])


def _begun(
    stretches: Sequence[Stretch],
    jobs: Sequence[RouteJob],
    durations: Any,
    where: Mapping[Place, int],
    zero: datetime,
) -> tuple[tuple[int, ...], ...]:
    """The solver's own plan: the jobs of each stretch in their order, without going by any refill."""
    vroom = import_module("vroom")
    # Who may do a job is told to the solver as a skill: one for each set of people that some job names.
    skills = {people: number for number, people in enumerate(dict.fromkeys(job.people for job in jobs))}
    able = _able(skills)
    if not any(stretch.technician_id in able for stretch in stretches):
        return ()
    problem = vroom.Input()
    problem.set_durations_matrix(_PROFILE, durations)
    problem.set_costs_matrix(_PROFILE, durations + _waits(jobs, durations))
    for number, stretch in enumerate(stretches):
        problem.add_vehicle(
            vroom.Vehicle(
                number,
                start=where[stretch.start],
                end=None if stretch.goal is None else where[stretch.goal],
                skills=able.get(stretch.technician_id, set()),
                time_window=_window(stretch.span, zero),
                capacity=list(stretch.carries),
            )
        )
    problem.add_job(
        [
            vroom.Job(
                number,
                location=number,
                default_service=_seconds(job.lasts),
                skills={skills[job.people]},
                time_windows=[_window(job.begins, zero)],
                delivery=list(job.takes),
                priority=job.priority,
            )
            for number, job in enumerate(jobs)
            # What had to begin before anybody is there is for nobody; the solver has no negative times.
            if job.begins.ends_at >= zero
        ]
    )
    rows = problem.solve(_EFFORT, _THREADS).routes
    ordered: list[list[int]] = [[] for _ in stretches]
    if "id" in rows:
        for vehicle, kind, number in zip(rows["vehicle_id"], rows["type"], rows["id"], strict=True):
            if kind == "job":
                ordered[int(vehicle)].append(int(number))
    return tuple(tuple(each) for each in ordered)


def _able(skills: Mapping[frozenset[int], int]) -> dict[int, set[int]]:
    """The numbers of the jobs' sets of people that each person belongs to."""
    able: dict[int, set[int]] = defaultdict(set)
    for people, number in skills.items():
        for technician_id in people:
            able[technician_id].add(number)
    return able


def _matrix(places: Sequence[Place], ways: Ways) -> Any:
    return np.array(
        [[_seconds(ways(start, goal)) for goal in places] for start in places],
        dtype=np.uint32,
    )


def _waits(jobs: Sequence[RouteJob], durations: Any) -> Any:
    """What somebody who goes from one job right to another waits there at least.

    The solver counts ways alone, so that waiting, which is working time as well, is told to it as a part
    of the way.
    """
    zero = min(job.begins.starts_at for job in jobs)
    opens = np.array([_seconds(job.begins.starts_at - zero) for job in jobs])
    free = np.array([_seconds(job.begins.ends_at + job.lasts - zero) for job in jobs])
    ways = durations[: len(jobs), : len(jobs)].astype(np.int64)
    waits = np.zeros_like(durations)
    waits[: len(jobs), : len(jobs)] = np.maximum(0, opens[np.newaxis, :] - free[:, np.newaxis] - ways)
    np.fill_diagonal(waits, 0)
    return waits


def _route(
    stretch: Stretch,
    tour: route_search.Tour,
    jobs: Sequence[RouteJob],
    refill: Place | None,
    zero: datetime,
    ways: Ways,
) -> Route:
    leaves_at = zero + timedelta(seconds=tour.leaves)
    clock, here = leaves_at, stretch.start
    travel = timedelta()
    stops: list[RouteStop] = []
    for count, number in enumerate((*tour.stops, None)):
        way = timedelta()
        if count == tour.refill_after and refill is not None:
            way, here = ways(here, refill), refill
        if number is None:
            travel += way + (timedelta() if stretch.goal is None else ways(here, stretch.goal))
            break
        job = jobs[number]
        way += ways(here, job.place)
        starts_at = max(clock + way, job.begins.starts_at)
        clock, here = starts_at + job.lasts, job.place
        travel += way
        stops.append(RouteStop(job.key, starts_at, clock, way))
    return Route(stretch, leaves_at, tuple(stops), travel, tour.refill_after)


@dataclass(slots=True)
class _End:
    """How far a route is that only grows at its end."""

    stretch: Stretch
    here: Place
    clock: datetime
    room: tuple[int, ...]
    stops: list[RouteStop] = field(default_factory=list)

    def begins(self, job: RouteJob, ways: Ways) -> datetime:
        return max(self.clock + ways(self.here, job.place), job.begins.starts_at)

    def takes(self, job: RouteJob, ways: Ways) -> bool:
        begins, goal = self.begins(job, ways), self.stretch.goal
        back = timedelta() if goal is None else ways(job.place, goal)
        return (
            begins <= job.begins.ends_at
            and begins + job.lasts + back <= self.stretch.span.ends_at
            and all(less <= have for less, have in zip(job.takes, self.room, strict=True))
        )

    def add(self, job: RouteJob, ways: Ways) -> None:
        begins, way = self.begins(job, ways), ways(self.here, job.place)
        self.room = tuple(have - less for less, have in zip(job.takes, self.room, strict=True))
        self.here, self.clock = job.place, begins + job.lasts
        self.stops.append(RouteStop(job.key, begins, self.clock, way))

    def route(self, ways: Ways) -> Route:
        goal = self.stretch.goal
        back = timedelta() if goal is None else ways(self.here, goal)
        travel = sum((stop.way for stop in self.stops), back)
        return Route(self.stretch, self.stretch.span.starts_at, tuple(self.stops), travel)


def _seconds_of(span: Span, zero: datetime) -> tuple[int, int]:
    return _seconds(span.starts_at - zero), _seconds(span.ends_at - zero)


def _window(span: Span, zero: datetime) -> tuple[int, int]:
    return max(0, _seconds(span.starts_at - zero)), _seconds(span.ends_at - zero)


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
