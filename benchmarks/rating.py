"""Rating beside hand-written numpy: a million tickets at once, and one at a time with its explanation.

    python -m benchmarks.rating [--tickets 1000000]

The rules are the standard ones. The floor is numpy written by hand for a fixed handful of lines over the
same columns: no conditions read from data, no exact fractions, no groups.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, Final

import numpy as np

from ticket_console.settlement.facts import Facts
from ticket_console.settlement.population.columns import Coded, Items, Numbers, Population
from ticket_console.settlement.population.rating import rate_population
from ticket_console.settlement.population.reading import population_of_frozen
from ticket_console.settlement.rating import rate
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.shadow import compare
from ticket_console.settlement.standard_rules import RULES

_SEED: Final = 20_261_121
_MONTH: Final = 30 * 86_400
_RUNS: Final = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rating", description=__doc__)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    asked = parser.parse_args()
    rules = parse_rules(RULES)
    population = _population(asked.tickets)
    print(f"{asked.tickets:,} tickets, {len(rules.rules)} rules, 12 dimensions; best of {_RUNS} runs")
    print(f"{'what':<44} {'seconds':>8} {'of floor':>9}")
    floor = _best(lambda: _by_hand(population))
    _row("numpy by hand, fixed rules", floor, floor)
    one = _best(lambda: rate_population(population, rules, threads=1))
    _row("rate_population, one thread", one, floor)
    two = _best(lambda: rate_population(population, rules))
    _row("rate_population, two threads", two, floor)
    print(f"resident at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    itemised = _best(lambda: rate_population(population, rules, itemised=True), runs=2)
    _row("the same, with its lines", itemised, floor)
    _single(rules)
    _shadow(rules)
    return 0


def _row(what: str, seconds: float, floor: float) -> None:
    print(f"{what:<44} {seconds:>8.3f} {seconds / floor:>8.1f}x")


def _best(work: Callable[[], Any], runs: int = _RUNS) -> float:
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


def _single(rules: Any) -> None:
    listed = [_facts(row) for row in frozen_facts(2_000)]
    times = []
    for facts in listed:
        started = time.perf_counter()
        rate(facts, rules)
        times.append(time.perf_counter() - started)
    p50, p95 = statistics.median(times), statistics.quantiles(times, n=20)[-1]
    print(f"one explained rating: p50 {p50 * 1_000:.3f} ms, p95 {p95 * 1_000:.3f} ms")


def _shadow(rules: Any) -> None:
    frozen = frozen_facts(100_000)
    draft = RULES | {
        "rules": [
            each | {"value": "1.25"} if each["code"] == "hazard.height" else each for each in RULES["rules"]
        ]
    }
    changed = parse_rules(draft)
    started = time.perf_counter()
    population = population_of_frozen(frozen)
    ids = np.arange(len(frozen), dtype=np.int64)
    run = compare(ids, ids % 300, rate_population(population, rules), rate_population(population, changed))
    seconds = time.perf_counter() - started
    print(
        f"shadow run of {run.tickets:,} frozen tickets: {seconds:.2f} s, delta {run.delta_minor / 100:,.2f}"
    )


def _by_hand(population: Population) -> Any:
    coded, numbers = population.coded, population.numbers
    base = np.array([10_000, 8_000, 6_000, 5_000])[coded["service_type"].codes]
    difficulty = np.rint(base * (numbers["difficulty"].units / 100 - 1))
    labour = base + difficulty
    total = labour.copy()
    total += np.where(coded["hazards"].codes > 0, np.rint(labour * 0.2), 0)
    total += np.choose(coded["urgency"].codes, [0.0, 0.3, 0.5]) * labour
    total += np.where(coded["region_code"].codes < 2, labour * 0.1, 0)
    total += np.where(coded["vip"].codes == 0, labour * 0.1, 0)
    total += np.where(coded["on_time"].codes == 0, labour * 0.05, 0)
    total += np.maximum(numbers["distance_km"].units / 10 - 10, 0) * 120
    total += np.select(
        [numbers["month_tickets"].units >= 120, numbers["month_tickets"].units >= 60], [500, 300], 0
    )
    items = population.items["parts"]
    cost = np.concatenate(([0], np.cumsum(items.quantities.units * items.prices)))
    return total + cost[items.starts[1:]] - cost[items.starts[:-1]]


def _population(size: int) -> Population:
    draw = np.random.default_rng(_SEED)

    def coded(*values: object) -> Coded:
        return Coded(draw.integers(0, len(values), size, dtype=np.int32), values)

    def numbers(low: int, high: int, scale: int = 0) -> Numbers:
        return Numbers(draw.integers(low, high, size), scale)

    counts = draw.integers(0, 3, size)
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    parts = int(starts[-1])
    started = 1_761_955_200 + draw.integers(0, _MONTH, size)
    day = date(2025, 11, 1).toordinal()
    return Population(
        size=size,
        coded={
            "template_code": coded("a", "b"),
            "service_type": coded("install", "repair", "maintenance", "consult"),
            "service_class": coded("basic", "standard", "complex"),
            "urgency": coded("normal", "urgent", "emergency"),
            "hazards": coded((), ("height",), ("height", "live_wire")),
            "cross_city": coded(False, True),
            "region_code": coded("SH", "BJ", "XZ", "CD"),
            "vip": coded(True, False),
            "on_time": coded(True, False, None),
            "service_on": coded(*(date.fromordinal(day + place).isoformat() for place in range(30))),
            "is_weekend": coded(False, True),
            "is_holiday": coded(False, True),
            "by_vendor": coded(False, True),
        },
        numbers={
            "difficulty": numbers(80, 200, 2),
            "distance_km": numbers(0, 3_000, 1),
            "labour_hours": numbers(0, 1_200, 2),
            "technician_level": numbers(1, 6),
            "response_minutes": numbers(0, 60_000, 2),
            "month_tickets": numbers(0, 150),
            "returns": numbers(0, 5),
            "satisfaction": numbers(1, 6),
        },
        items={
            "parts": Items(
                starts,
                draw.integers(0, 50, parts, dtype=np.int32),
                tuple(f"P-{place}" for place in range(50)),
                Numbers(draw.integers(1, 9, parts)),
                draw.integers(100, 99_999, parts),
            ),
            "tools": Items(
                np.zeros(size + 1, np.int64),
                np.zeros(0, np.int32),
                (),
                Numbers(np.zeros(0, np.int64)),
                np.zeros(0, np.int64),
            ),
        },
        started=started,
        finished=started + draw.integers(600, 20_000, size),
        zone=Coded(np.zeros(size, np.int32), ("Asia/Shanghai",)),
    )


def frozen_facts(size: int) -> list[dict[str, Any]]:
    """The JSON of frozen facts, as it is read from a snapshot."""
    population = _population(size)
    first = _facts_of_nothing()
    stamp = np.datetime_as_string(population.started.astype("datetime64[s]"))
    until = np.datetime_as_string(population.finished.astype("datetime64[s]"))
    coded = {key: [column.values[code] for code in column.codes] for key, column in population.coded.items()}
    return [
        first
        | {
            "ticket_id": row,
            "service_type": coded["service_type"][row],
            "urgency": coded["urgency"][row],
            "region_code": coded["region_code"][row],
            "vip": coded["vip"][row],
            "on_time": coded["on_time"][row],
            "hazards": [[code, "field:x"] for code in coded["hazards"][row]],
            "distance_km": f"{population.numbers['distance_km'].units[row] / 10:.1f}",
            "started_at": f"{stamp[row]}.000000Z",
            "finished_at": f"{until[row]}.000000Z",
            "parts": [["P-1", "2", 1_999]] if row % 3 == 0 else [],
        }
        for row in range(size)
    ]


def _facts(frozen: dict[str, Any]) -> Facts:
    return Facts.from_json(frozen)


def _facts_of_nothing() -> dict[str, Any]:
    at = datetime(2025, 11, 3, 8, tzinfo=UTC)
    return Facts(
        ticket_id=0,
        no="WO-1",
        technician_id=1,
        service_type="install",
        started_at=at,
        finished_at=at,
        site_tz="Asia/Shanghai",
    ).to_json()


if __name__ == "__main__":
    raise SystemExit(main())
