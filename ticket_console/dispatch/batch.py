"""Giving many tasks to many people at once, so that the whole is best, and not each one for itself.

Pure. Everybody is judged and scored for every task by the functions of a single decision. Every free place of
a person is a column of its own: the second is worth less than the first by what the load then weighs, so the
best assignment spreads the work by itself. The optimum of this assignment problem is found exactly
(`scipy.optimize.linear_sum_assignment`). What comes first: that tasks are done at all, the urgent ones before
all; then the rings of preference; then the scores.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from ticket_console.dispatch import deciding, scoring
from ticket_console.dispatch.deciding import Circumstances
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.rules import MOST_BANDS, DispatchPolicy, Term
from ticket_console.dispatch.scoring import FULL_POINTS, UNKNOWN, Flags, Whole
from ticket_console.people.roster import Roster

Real = npt.NDArray[np.float64]

# More tasks than these would leave the range in which float64 adds whole numbers exactly.
MOST_TASKS: Final = 1_000
# What it is worth that a task is done at all, by its priority: an urgent one more than two that can wait.
_URGENCY: Final[Mapping[int, int]] = {1: 27, 2: 9, 3: 3, 4: 1}
_LOAD: Final = tuple(Term).index(Term.LOAD)


@dataclass(frozen=True, slots=True)
class Matrix:
    """What each pair is worth: tasks by people. `may` says which pairs pass the filters.

    `scores` are those of the next task somebody gets; `load_weights` say, by task, how much a further one
    weighs.
    """

    needs: tuple[Need, ...]
    ids: Whole
    open_counts: Whole
    capacities: Whole
    metres: Whole
    scores: Whole
    bands: Whole
    may: Flags
    load_weights: Whole

    @property
    def free(self) -> Whole:
        left: Whole = np.maximum(self.capacities - self.open_counts, 0)
        return left


@dataclass(frozen=True, slots=True)
class Given:
    """A task and who is to do it; `open_count` is what they have by then, within the plan."""

    need: Need
    technician_id: int
    metres: int | None
    open_count: int
    capacity: int
    score: int
    band: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who gets what, the most urgent first; `left` are the tasks for which nobody was free."""

    given: tuple[Given, ...]
    left: tuple[Need, ...]

    @property
    def score(self) -> int:
        return sum(each.score for each in self.given)

    @property
    def metres(self) -> int:
        return sum(each.metres or 0 for each in self.given)


def weigh(
    people: Roster,
    loads: Mapping[int, int],
    needs: Sequence[Need],
    *,
    at: datetime,
    policy_of: Callable[[Need], DispatchPolicy],
    known: Callable[[Need], Circumstances],
) -> Matrix:
    """All pairs at once; the filters and the points are those of a single decision."""
    if len(needs) > MOST_TASKS:
        raise ValueError(f"more than {MOST_TASKS} tasks")
    columns = deciding.columns_of(people)
    shape = (len(needs), columns.ids.size)
    metres, scores, bands = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    may = np.zeros(shape, dtype=np.bool_)
    load_weights = np.zeros(len(needs), dtype=np.int64)
    for row, need in enumerate(needs):
        policy = policy_of(need)
        considered = deciding.consider(people, loads, need, at=at, policy=policy, circumstances=known(need))
        weighed = considered.weighed
        metres[row], scores[row], bands[row] = weighed.facts.metres, weighed.scores, weighed.bands
        may[row, list(considered.by_score.positions)] = True
        load_weights[row] = considered.weights[_LOAD]
    open_counts = np.array([loads.get(int(each), 0) for each in columns.ids], dtype=np.int64)
    return Matrix(
        tuple(needs), columns.ids, open_counts, columns.capacities, metres, scores, bands, may, load_weights
    )


def best(matrix: Matrix) -> Assignment:
    """The assignment that does the most, and most urgent, tasks; of those the one with the fittest people."""
    values, owners = values_of(matrix)
    if not values.size:
        return assignment_of(matrix, {})
    # Large, and half a second to load: who plans nothing does without it.
    from scipy.optimize import linear_sum_assignment

    rows, places = linear_sum_assignment(values, maximize=True)
    return assignment_of(
        matrix,
        {
            int(row): int(owners[place])
            for row, place in zip(rows, places, strict=True)
            if values[row, place] > 0
        },
    )


def greedy(matrix: Matrix) -> Assignment:
    """One after the other, the most urgent first, each to the best who is free then: as single decisions."""
    open_counts = matrix.open_counts.copy()
    pairs: dict[int, int] = {}
    for row in _by_urgency(matrix):
        able = np.flatnonzero(matrix.may[row] & (open_counts < matrix.capacities))
        if not able.size:
            continue
        scores = matrix.scores[row, able] - _later(matrix, row, able, open_counts[able])
        chosen = able[scoring.order(matrix.ids[able], matrix.bands[row, able], scores)[0]]
        pairs[row] = int(chosen)
        open_counts[chosen] += 1
    return assignment_of(matrix, pairs)


def values_of(matrix: Matrix) -> tuple[Real, Whole]:
    """What each task is worth on each free place, 0 where it may not be; and whose place it is."""
    # Nobody gets more places than there are tasks they may take.
    wanted = np.minimum(matrix.free, matrix.may.sum(axis=0)) if matrix.needs else matrix.free * 0
    owners = np.repeat(np.arange(matrix.ids.size), wanted)
    firsts = np.repeat(np.cumsum(wanted) - wanted, wanted)
    taken = matrix.open_counts[owners] + np.arange(owners.size) - firsts
    lost = _points(matrix.capacities[owners], matrix.open_counts[owners]) - _points(
        matrix.capacities[owners], taken
    )
    # A ring outweighs every score, and that a task is done outweighs all rings and scores together.
    ring = int(matrix.scores.max(initial=0)) + 1
    done = ring * (MOST_BANDS + 2) * (len(matrix.needs) + 1)
    urgency = np.array([_URGENCY.get(need.priority, 1) for need in matrix.needs], dtype=np.int64)
    worth = urgency[:, None] * done + (MOST_BANDS - matrix.bands) * ring + matrix.scores
    values = np.where(matrix.may, worth, 0).astype(np.float64)[:, owners]
    values -= matrix.load_weights[:, None].astype(np.float64) * lost
    # What may not be is worth nothing; what may be, more than the load can ever take from it.
    np.maximum(values, 0, out=values)
    return values, owners


def _points(capacities: Whole, open_counts: Whole) -> Whole:
    free = np.maximum(capacities - open_counts, 0)
    earned: Whole = FULL_POINTS * free // np.maximum(capacities, 1)
    return earned


def _later(matrix: Matrix, row: int, people: Whole, open_counts: Whole) -> Whole:
    """What the further load takes from the scores of people who got tasks within the plan."""
    capacities = matrix.capacities[people]
    lost = _points(capacities, matrix.open_counts[people]) - _points(capacities, open_counts)
    weighed: Whole = matrix.load_weights[row] * lost
    return weighed


def _by_urgency(matrix: Matrix) -> list[int]:
    return sorted(range(len(matrix.needs)), key=lambda row: (matrix.needs[row].priority, row))


def assignment_of(matrix: Matrix, pairs: Mapping[int, int]) -> Assignment:
    """The plan that gives each task (row) to a person (column)."""
    open_counts: dict[int, int] = {}
    given = []
    for row in _by_urgency(matrix):
        if row not in pairs:
            continue
        column = pairs[row]
        capacity, first = int(matrix.capacities[column]), int(matrix.open_counts[column])
        open_count = open_counts.get(column, first)
        lost = (
            FULL_POINTS * (capacity - first) // capacity - FULL_POINTS * (capacity - open_count) // capacity
        )
        metres = int(matrix.metres[row, column])
        given.append(
            Given(
                matrix.needs[row],
                int(matrix.ids[column]),
                None if metres == UNKNOWN else metres,
                open_count,
                capacity,
                int(matrix.scores[row, column]) - int(matrix.load_weights[row]) * lost,
                int(matrix.bands[row, column]),
            )
        )
        open_counts[column] = open_count + 1
    left = tuple(need for row, need in enumerate(matrix.needs) if row not in pairs)
    return Assignment(tuple(given), left)
