"""How long one decision takes: everybody judged and scored for one task, the best one known with all numbers.

    python -m benchmarks.deciding

Tasks come from all over a city, for several skills, with a due time and a make of device; people have
certificates, shifts and open work. `first` is the first task of a kind, for which everybody is judged; those
behind it find that judgement in memory, as in the product, until a shift, a day or the roster changes. The
policy of rings weighs all eight terms, with a record of thirty days for everybody; `kept` adds the spelling
of everybody's numbers as a decision keeps them.
"""

import argparse
import gc
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from statistics import median, quantiles
from typing import Final
from zoneinfo import ZoneInfo

from ticket_console.dispatch import deciding
from ticket_console.dispatch.deciding import Circumstances, Months
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.rules import STANDARD, Band, DispatchPolicy
from ticket_console.people.candidate import Candidate, Held, Span
from ticket_console.people.roster import Roster

SIZES: Final = (300, 5_000)
BOUNDS_MS: Final = {300: 1.0, 5_000: 3.0}
AT: Final = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
_SKILLS: Final = ("hvac", "lift", "network", "kitchen")
_BRANDS: Final = ("Frostline", "Anlan", "Shengyuan")
_CITY: Final = (31.2, 121.45)
_ZONE: Final = ZoneInfo("Asia/Shanghai")
RINGS: Final = DispatchPolicy(
    code="rings",
    bands=(Band(3_000, certified=True), Band(10_000, certified=True), Band(10_000), Band()),
    weights=(30, 5, 20, 15, 8, 7, 10, 5),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deciding", description=__doc__)
    parser.add_argument("--tasks", type=int, default=2_000)
    asked = parser.parse_args()
    print(f"{'people':>7} {'policy':<12} {'what':<8} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'bound':>7}")
    is_met = True
    for size in SIZES:
        for policy in (STANDARD, RINGS):
            is_met &= _measure(size, policy, asked.tasks)
    return 0 if is_met else 1


def _measure(size: int, policy: DispatchPolicy, tasks: int) -> bool:
    draw = Random(size)
    people, loads, known = a_roster(draw, size), _loads(draw, size), _known(draw, size)
    needs = [a_need(draw, number) for number in range(tasks)]

    def decide(need: Need) -> None:
        found = deciding.consider(people, loads, need, at=AT, policy=policy, circumstances=known)
        _ = found.by_score[0] if found.by_score else None

    def keep(need: Need) -> None:
        found = deciding.consider(people, loads, need, at=AT, policy=policy, circumstances=known)
        best = found.by_score[0] if found.by_score else None
        found.spelled(best)
        found.counts()

    first = _times(decide, needs[:1])
    _row(size, policy, "first", first * 2, None)
    for need in needs:
        decide(need)
    is_met = _row(size, policy, "decided", _times(decide, needs), BOUNDS_MS[size])
    return _row(size, policy, "kept", _times(keep, needs), BOUNDS_MS[size]) and is_met


def _times(call: Callable[[Need], None], needs: list[Need]) -> list[float]:
    """Milliseconds of each call, with the garbage of others out of the way."""
    gc.collect()
    found = []
    for need in needs:
        began = time.perf_counter()
        call(need)
        found.append((time.perf_counter() - began) * 1_000)
    return found


def _row(size: int, policy: DispatchPolicy, what: str, times: list[float], bound: float | None) -> bool:
    middle, cuts = median(times), quantiles(times, n=100)
    told = "" if bound is None else f"{bound:.0f} ms"
    print(
        f"{size:>7,} {policy.code:<12} {what:<8} {middle:>8.3f} {cuts[94]:>8.3f} {cuts[98]:>8.3f} {told:>7}"
    )
    return bound is None or middle < bound


def a_roster(draw: Random, size: int) -> Roster:
    shift = Span(AT - timedelta(hours=4), AT + timedelta(hours=6))
    people = tuple(_person(draw, technician_id, shift) for technician_id in range(1, size + 1))
    return Roster(
        stamp=(),
        since=AT - timedelta(days=1),
        until=AT + timedelta(days=3),
        candidates=people,
        by_id={person.technician_id: person for person in people},
        zone=_ZONE,
        zones={1: _ZONE},
        turns=(shift.starts_at, shift.ends_at),
    )


def _person(draw: Random, technician_id: int, shift: Span) -> Candidate:
    since = date(2025, 1, 1)
    return Candidate(
        technician_id=technician_id,
        name=f"T{technician_id}",
        region_id=1,
        region_ids=frozenset({1}),
        territory_ids=frozenset(),
        lat=_CITY[0] + draw.uniform(-0.3, 0.3),
        lon=_CITY[1] + draw.uniform(-0.3, 0.3),
        level=draw.randint(1, 5),
        capacity=draw.randint(4, 9),
        is_on_duty=draw.random() < 0.9,
        is_active=True,
        certificates={
            skill: (Held(draw.randint(1, 5), since, None),)
            for skill in draw.sample(_SKILLS, draw.randint(1, 3))
        },
        shifts=(shift,) if draw.random() < 0.8 else None,
        absences=(),
        brands={brand: (Held(1, since, None),) for brand in draw.sample(_BRANDS, draw.randint(0, 2))},
    )


def _loads(draw: Random, size: int) -> dict[int, int]:
    return {technician_id: load for technician_id in range(1, size + 1) if (load := draw.randint(0, 5))}


def _known(draw: Random, size: int) -> Circumstances:
    return Circumstances(
        months=Months.of(
            {each: (draw.randint(0, 12), draw.randint(0, 1_200_000)) for each in range(1, size + 1)}
        ),
        familiar={draw.randint(1, size): draw.randint(1, 2) for _ in range(3)},
    )


def a_need(draw: Random, number: int) -> Need:
    return Need(
        org_id=1,
        ticket_id=number,
        token_id=number,
        region_id=1,
        territory_id=None,
        lat=_CITY[0] + draw.uniform(-0.3, 0.3),
        lon=_CITY[1] + draw.uniform(-0.3, 0.3),
        skill=draw.choice(_SKILLS),
        priority=draw.randint(1, 4),
        ticket_class="repair",
        brand=draw.choice(_BRANDS),
        due_at=AT + timedelta(minutes=draw.randint(30, 900)),
    )


if __name__ == "__main__":
    raise SystemExit(main())
