"""Day routes: who goes where in which order, so that everybody is on the way for as short as possible.

The solver is an optional package (`requirements-routes.txt`), which is looked for when routes are asked for
and not before. What is proposed here is judged again by the command that plans a visit.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Final

import numpy as np

from ticket_console.dispatch.visits import Place
from ticket_console.kernel.errors import ConsoleError
from ticket_console.people.candidate import Span

Ways = Callable[[Place, Place], timedelta]

# Above this the solver's own scale ends.
HIGHEST_PRIORITY: Final = 100
# How hard the solver may look.
MOST_EFFORT: Final = 5
_THREADS: Final = 2
_PROFILE: Final = "car"


class RoutesUnavailable(ConsoleError):
    """This installation came without the package that finds routes."""

    code = "routes.not_installed"
    http_status = 501


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which one person is there without a break. Somebody may have several on a day.

    `goal` is None where the way back does not count. `carries` is how much of each thing that jobs take
    from a person there is: parts on board, or room for further tasks. `before` is the way to `start`, which
    is made only by who has something to do; it lies before the span.
    """

    technician_id: int
    span: Span
    start: Place
    goal: Place | None = None
    carries: tuple[int, ...] = ()
    before: timedelta = timedelta()


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
    """What one person does in one stretch, in its order; `travel` is from the way before to the goal."""

    stretch: Stretch
    leaves_at: datetime
    stops: tuple[RouteStop, ...]
    travel: timedelta


@dataclass(frozen=True, slots=True)
class Routes:
    """Of who does nothing there is no route; `left` are the jobs that fitted in nowhere."""

    routes: tuple[Route, ...]
    left: tuple[int, ...]

    @property
    def travel(self) -> timedelta:
        return sum((each.travel for each in self.routes), timedelta())


def is_available() -> bool:
    try:
        _solver()
    except RoutesUnavailable:
        return False
    return True


def plan_routes(
    stretches: Sequence[Stretch], jobs: Sequence[RouteJob], ways: Ways, *, effort: int = MOST_EFFORT
) -> Routes:
    """As much of the most urgent work as fits in, with the least time on the way and waiting at doors.

    Times are whole seconds, and ways keep to the triangle: no detour is shorter than the way itself.
    Equal input gives equal routes; with less `effort`, of 0 to 5, they come sooner and are longer.
    Raises RoutesUnavailable where the solver is not installed.
    """
    vroom = _solver()
    # Who may do a job is told to the solver as a skill: one for each set of people that some job names.
    skills = {people: number for number, people in enumerate(dict.fromkeys(job.people for job in jobs))}
    able = _able(skills)
    if not any(stretch.technician_id in able for stretch in stretches):
        return Routes((), tuple(job.key for job in jobs))
    zero = min(stretch.span.starts_at for stretch in stretches)
    # Every job stands for itself, also where two are at one place: what lies between them differs.
    anchors = list(
        dict.fromkeys(each for stretch in stretches for each in (stretch.start, stretch.goal) if each)
    )
    where = {place: len(jobs) + number for number, place in enumerate(anchors)}
    durations = _matrix([*(job.place for job in jobs), *anchors], ways)
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
                costs=vroom.VehicleCosts(fixed=_seconds(stretch.before)),
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
    rows = problem.solve(effort, _THREADS).routes
    routes = tuple(
        _route(stretches[number], steps, jobs, zero, ways) for number, steps in _by_stretch(rows).items()
    )
    done = {stop.key for route in routes for stop in route.stops}
    return Routes(routes, tuple(job.key for job in jobs if job.key not in done))


def _solver() -> Any:
    try:
        return import_module("vroom")
    except ModuleNotFoundError as missing:
        raise RoutesUnavailable() from missing


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


def _by_stretch(rows: Any) -> dict[int, list[tuple[str, int, int, int]]]:
    """Kind, arrival, wait and job of each step of each stretch, from the solver's table."""
    steps: dict[int, list[tuple[str, int, int, int]]] = defaultdict(list)
    if "id" not in rows:
        return steps
    for vehicle, kind, arrival, wait, number in zip(
        rows["vehicle_id"], rows["type"], rows["arrival"], rows["waiting_time"], rows["id"], strict=True
    ):
        job = int(number) if kind == "job" else -1
        steps[int(vehicle)].append((str(kind), int(arrival), int(wait), job))
    return steps


def _route(
    stretch: Stretch,
    steps: Sequence[tuple[str, int, int, int]],
    jobs: Sequence[RouteJob],
    zero: datetime,
    ways: Ways,
) -> Route:
    stops: list[RouteStop] = []
    here = stretch.start
    for kind, arrival, wait, number in steps:
        if kind == "job":
            job = jobs[number]
            starts_at = zero + timedelta(seconds=arrival + wait)
            stops.append(RouteStop(job.key, starts_at, starts_at + job.lasts, ways(here, job.place)))
            here = job.place
    back = timedelta() if stretch.goal is None else ways(here, stretch.goal)
    travel = sum((stop.way for stop in stops), stretch.before + back)
    return Route(stretch, zero + timedelta(seconds=steps[0][1]), tuple(stops), travel)


def _window(span: Span, zero: datetime) -> tuple[int, int]:
    return max(0, _seconds(span.starts_at - zero)), _seconds(span.ends_at - zero)


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
