"""Day routes on published instances of real shape: `python -m benchmarks.routes`.

The instances are those of the technician routing and scheduling problem (Pillac, Guéret, Medaglia 2013), 100
requests and 25 technicians each, with the shortest known working time. They lie beside the project, in
`DISPATCH_DATA` (default `../shared/data`). Everything is modelled: time windows, service times, homes and
shifts, skills, tools, parts as stock that runs out, and the depot, by which a technician may go once at any
time for all tools and any number of parts. What is compared is the working time as the authors count it:
ways, service and unavoidable waiting, from leaving home as late as that costs nothing to being back.
"""

import argparse
import csv
import math
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from ticket_console.dispatch.routes import Route, RouteJob, Routes, Stretch, is_available, plan_routes
from ticket_console.dispatch.visits import Place
from ticket_console.people.candidate import Span

TARGET_PERCENT = 5.0
# The solver counts in whole seconds; one unit of the instances is this many.
_UNIT = 1_000
_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
# What is lost by counting in whole seconds of the search.
_ROUNDING = 1e-6
# A tool is never used up: whoever has it has as many as there are requests.
_TOOL = 1_000
# Ten times as long as a dispatcher waits.
_ROUNDS = 40_000


@dataclass(frozen=True, slots=True)
class Technician:
    number: int
    home: Place
    shift: tuple[float, float]
    skills: frozenset[str]
    tools: frozenset[str]
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Request:
    number: int
    place: Place
    window: tuple[float, float]
    service: float
    skills: frozenset[str]
    tools: frozenset[str]
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Instance:
    name: str
    depot: Place
    best_known: float
    technicians: tuple[Technician, ...]
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Result:
    working_time: float
    service: float
    technicians: int
    by_depot: int
    left: int
    seconds: float


def main() -> int:
    asked = _arguments()
    folder = Path(asked.data) / "dispatch_trsp"
    if not (folder / "instances.csv").is_file():
        print(f"No instances in {folder}; set DISPATCH_DATA.", file=sys.stderr)
        return 2
    print(f"Begun by {'the optional solver' if is_available() else 'nobody'}, {asked.rounds:,} rounds.")
    instances = [each for each in read(folder) if asked.only in each.name][: asked.most]
    print(
        f"{'instance':<20} {'best known':>10} {'ours':>10} {'gap':>7} {'ways only':>9} {'people':>6} "
        f"{'by depot':>8} {'left':>5} {'seconds':>8}"
    )
    gaps, way_gaps, left = [], [], 0
    for instance in instances:
        found = solve(instance, asked.rounds)
        gap = (found.working_time / instance.best_known - 1) * 100
        way_gap = ((found.working_time - found.service) / (instance.best_known - found.service) - 1) * 100
        left += found.left
        if not found.left:
            gaps.append(gap)
            way_gaps.append(way_gap)
        print(
            f"{instance.name:<20} {instance.best_known:>10.1f} {found.working_time:>10.1f} {gap:>6.2f}% "
            f"{way_gap:>8.2f}% {found.technicians:>6} {found.by_depot:>8} {found.left:>5} "
            f"{found.seconds:>8.2f}",
            flush=True,
        )
    if not gaps:
        print("No instance was served in full.")
        return 1
    print(
        f"\n{len(instances)} instances, {len(gaps)} served in full, {left} requests left out of "
        f"{sum(len(each.requests) for each in instances)}"
        f"\nmedian gap of the working time {median(gaps):.2f} % (target under {TARGET_PERCENT:.0f} %), "
        f"worst {max(gaps):.2f} %"
        f"\nmedian gap of what is not service (ways and waiting) {median(way_gaps):.2f} %, "
        f"worst {max(way_gaps):.2f} %"
    )
    return 0 if median(gaps) < TARGET_PERCENT else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.routes", description=__doc__)
    parser.add_argument("--data", default=os.environ.get("DISPATCH_DATA", "../shared/data"))
    parser.add_argument("--only", default="", help="part of the instances' names")
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    return parser.parse_args()


def read(folder: Path) -> list[Instance]:
    """The instances with a best known working time."""
    technicians: dict[str, list[Technician]] = defaultdict(list)
    for row in _rows(folder / "technicians.csv"):
        technicians[row["instance"]].append(
            Technician(
                number=int(row["tech_id"]),
                home=Place(float(row["home_x"]), float(row["home_y"])),
                shift=(float(row["shift_start"]), float(row["shift_end"])),
                skills=_set(row["skills"]),
                tools=_set(row["tools"]),
                parts=_counts(row["spare_parts"]),
            )
        )
    requests: dict[str, list[Request]] = defaultdict(list)
    for row in _rows(folder / "requests.csv"):
        requests[row["instance"]].append(
            Request(
                number=int(row["request_id"]),
                place=Place(float(row["x"]), float(row["y"])),
                window=(float(row["tw_start"]), float(row["tw_end"])),
                service=float(row["service_time"]),
                skills=_set(row["skills_required"]),
                tools=_set(row["tools_required"]),
                parts=_counts(row["spare_parts_required"]),
            )
        )
    return [
        Instance(
            name=row["instance"],
            depot=Place(float(row["depot_x"]), float(row["depot_y"])),
            best_known=float(row["ref_working_time"]),
            technicians=tuple(technicians[row["instance"]]),
            requests=tuple(requests[row["instance"]]),
        )
        for row in _rows(folder / "instances.csv")
        if row["ref_working_time"]
    ]


def solve(instance: Instance, rounds: int) -> Result:
    began = time.perf_counter()
    tools = sorted({each for request in instance.requests for each in request.tools})
    found = plan_routes(
        [
            Stretch(
                person.number,
                _span(*person.shift),
                person.home,
                person.home,
                (*person.parts, *(_TOOL * (each in person.tools) for each in tools)),
            )
            for person in instance.technicians
        ],
        [
            RouteJob(
                key=request.number,
                place=request.place,
                lasts=_time(request.service),
                begins=_span(*request.window),
                people=frozenset(
                    each.number for each in instance.technicians if request.skills <= each.skills
                ),
                takes=(*request.parts, *(int(each in request.tools) for each in tools)),
            )
            for request in instance.requests
        ],
        between,
        refill=instance.depot,
        rounds=rounds,
    )
    return _result(instance, found, time.perf_counter() - began)


def between(start: Place, goal: Place) -> timedelta:
    return _time(math.hypot(start.lat - goal.lat, start.lon - goal.lon))


def _result(instance: Instance, found: Routes, seconds: float) -> Result:
    request_of = {each.number: each for each in instance.requests}
    people = {each.number: each for each in instance.technicians}
    done = [request_of[stop.key] for route in found.routes for stop in route.stops]
    assert len({each.number for each in done}) == len(done) == len(instance.requests) - len(found.left)
    return Result(
        working_time=sum(
            _walked(instance, route, people[route.stretch.technician_id], request_of)
            for route in found.routes
        ),
        service=sum(request.service for request in done),
        technicians=len(found.routes),
        by_depot=sum(route.refill_after is not None for route in found.routes),
        left=len(found.left),
        seconds=seconds,
    )


def _walked(instance: Instance, route: Route, person: Technician, request_of: Mapping[int, Request]) -> float:
    """The working time of a route; nothing rests on the search's word, everything is walked once more."""
    clock, here = _units(route.leaves_at - _ZERO), person.home
    assert clock >= person.shift[0]
    parts, tools = list(person.parts), person.tools
    for count, stop in enumerate(route.stops):
        request = request_of[stop.key]
        assert request.skills <= person.skills
        if count == route.refill_after:
            clock, here = clock + _units(between(here, instance.depot)), instance.depot
            parts = [_TOOL for _ in parts]
            tools = frozenset(each for one in instance.requests for each in one.tools)
        assert request.tools <= tools
        parts = [have - less for have, less in zip(parts, request.parts, strict=True)]
        assert min(parts) >= 0
        clock = max(clock + _units(between(here, request.place)), request.window[0])
        assert clock <= request.window[1] + _ROUNDING
        assert abs(clock - _units(stop.starts_at - _ZERO)) < _ROUNDING
        clock, here = clock + request.service, request.place
    clock += _units(between(here, person.home))
    assert clock <= person.shift[1] + _ROUNDING
    return clock - _units(route.leaves_at - _ZERO)


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _set(text: str) -> frozenset[str]:
    return frozenset(each for each in text.split("|") if each)


def _counts(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in text.split("|") if each)


def _span(first: float, last: float) -> Span:
    return Span(_ZERO + _time(first), _ZERO + _time(last))


def _time(units: float) -> timedelta:
    return timedelta(seconds=round(units * _UNIT))


def _units(duration: timedelta) -> float:
    return duration.total_seconds() / _UNIT


if __name__ == "__main__":
    sys.exit(main())
