"""Planning everything that waits at once, beside bare scipy and beside deciding one by one.

    python -m benchmarks.batch

`weigh` judges and scores every pair by the functions of a single decision; `solve` is what is done with the
matrix, from spreading people into places to the optimum; `bare` is `linear_sum_assignment` on the very matrix
`solve` hands it. The day lets tasks come one after the other: `one by one` is how the product decides,
`nearest` looks at the way alone; both are compared with the plan of somebody who knew the whole day.
"""

import argparse
import time
from collections.abc import Callable
from random import Random
from typing import Any, Final

from scipy.optimize import linear_sum_assignment

from benchmarks.deciding import AT, a_need, a_roster
from ticket_console.dispatch import batch, deciding
from ticket_console.dispatch.batch import Matrix
from ticket_console.dispatch.deciding import NOTHING_KNOWN
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.rules import STANDARD
from ticket_console.people.roster import Roster

_SIZES: Final = ((100, 50), (500, 150), (1_000, 300))
_RUNS: Final = 5
Choose = Callable[[Roster, dict[int, int], Need], int | None]


def main() -> int:
    argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__).parse_args()
    print(
        f"{'tasks':>6} {'people':>7} {'weigh s':>8} {'solve s':>8} {'bare s':>8} {'of bare':>8} {'same':>5} "
        f"{'gain':>7}"
    )
    for tasks, people in _SIZES:
        _plan(tasks, people)
    print()
    _day(tasks=1_000, people=300)
    return 0


def _plan(tasks: int, size: int) -> None:
    draw = Random(tasks)
    people = a_roster(draw, size)
    needs = [a_need(draw, number) for number in range(tasks)]
    matrix, weighed = _timed(lambda: _weigh(people, {}, needs))
    whole, solved = _best(lambda: batch.best(matrix))
    values, _ = batch.values_of(matrix)
    (rows, places), bare = _best(lambda: linear_sum_assignment(values, maximize=True))
    optimum = sum(values[row, place] for row, place in zip(rows, places, strict=True))
    ours = _worth(matrix, whole, values)
    singly = batch.greedy(matrix)
    gain = whole.score / max(1, singly.score) - 1 if len(whole.given) == len(singly.given) else float("nan")
    print(
        f"{tasks:>6} {size:>7} {weighed:>8.3f} {solved:>8.3f} {bare:>8.3f} {solved / bare:>7.2f}x "
        f"{'yes' if ours == optimum else 'NO':>5} {gain:>7.1%}"
    )


def _worth(matrix: Matrix, planned: batch.Assignment, values: Any) -> float:
    owners = batch.values_of(matrix)[1]
    rows = {need.token_id: row for row, need in enumerate(matrix.needs)}
    first = {int(each): int((owners < column).sum()) for column, each in enumerate(matrix.ids)}
    opened = {int(each): int(count) for each, count in zip(matrix.ids, matrix.open_counts, strict=True)}
    return sum(
        float(
            values[
                rows[each.need.token_id],
                first[each.technician_id] + each.open_count - opened[each.technician_id],
            ]
        )
        for each in planned.given
    )


def _day(*, tasks: int, people: int) -> None:
    draw = Random(7)
    roster = a_roster(draw, people)
    needs = [a_need(draw, number) for number in range(tasks)]
    matrix = _weigh(roster, {}, needs)
    whole = batch.best(matrix)
    print(f"a day: {tasks:,} tasks, {people} people")
    print(f"{'how':<12} {'placed':>7} {'km each':>8} {'score each':>11} {'below the optimum':>18}")
    _row("as a whole", whole, whole)
    _row("one by one", _replayed(matrix, roster, needs, _as_decided), whole)
    _row("nearest", _replayed(matrix, roster, needs, _nearest), whole)


def _row(how: str, planned: batch.Assignment, whole: batch.Assignment) -> None:
    placed = max(1, len(planned.given))
    print(
        f"{how:<12} {len(planned.given):>7} {planned.metres / placed / 1000:>8.2f} "
        f"{planned.score / placed:>11,.0f} {1 - planned.score / whole.score:>17.1%}"
    )


def _replayed(matrix: Matrix, roster: Roster, needs: list[Need], choose: Choose) -> batch.Assignment:
    """What choosing task by task comes to, measured as the plan is."""
    loads: dict[int, int] = {}
    columns = {int(each): column for column, each in enumerate(matrix.ids)}
    pairs = {}
    for row, need in enumerate(needs):
        chosen = choose(roster, loads, need)
        if chosen is not None:
            loads[chosen] = loads.get(chosen, 0) + 1
            pairs[row] = columns[chosen]
    return batch.assignment_of(matrix, pairs)


def _as_decided(roster: Roster, loads: dict[int, int], need: Need) -> int | None:
    found = deciding.consider(roster, loads, need, at=AT)
    return found.by_score[0].technician_id if found.by_score else None


def _nearest(roster: Roster, loads: dict[int, int], need: Need) -> int | None:
    found = deciding.consider(roster, loads, need, at=AT)
    best = min(found.by_score, key=lambda each: each.metres or 0, default=None)
    return None if best is None else best.technician_id


def _weigh(people: Roster, loads: dict[int, int], needs: list[Need]) -> Matrix:
    return batch.weigh(
        people, loads, needs, at=AT, policy_of=lambda _: STANDARD, known=lambda _: NOTHING_KNOWN
    )


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    started = time.perf_counter()
    found = work()
    return found, time.perf_counter() - started


def _best(work: Callable[[], Any]) -> tuple[Any, float]:
    runs = [_timed(work) for _ in range(_RUNS)]
    return runs[0][0], min(seconds for _, seconds in runs)


if __name__ == "__main__":
    raise SystemExit(main())
