"""Who should take a task, among those who may: points per term, in whole numbers so that ties are ties.

Every function works on columns: one entry per person, or a matrix of tasks by people, as long as the shapes
fit together. One person is a column of one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from ticket_console.dispatch.rules import Band, Scales, Term, Weights
from ticket_console.kernel.geo import EARTH_RADIUS_KM

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Real = npt.NDArray[np.float64]

# The most a term can earn before it is weighed.
FULL_POINTS: Final = 10_000
# A distance nobody knows, because one of the places is unknown.
UNKNOWN: Final = -1

# What somebody is to a task: a stranger, known to the customer, or known to the very device.
STRANGER: Final = 0
KNOWS_CUSTOMER: Final = 1
KNOWS_DEVICE: Final = 2
_FAMILIARITY: Final[Whole] = np.array([0, FULL_POINTS * 6 // 10, FULL_POINTS], dtype=np.int64)

Points = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of people when a task comes up.

    `metres` is UNKNOWN where a place is. `income_minor` and `hard_jobs` are those of thirty days.
    """

    metres: Whole
    open_counts: Whole
    capacities: Whole
    levels: Whole
    hard_jobs: Whole
    income_minor: Whole
    familiar: Whole


@dataclass(frozen=True, slots=True)
class Measure:
    """What the task and the whole team are measured by.

    `minutes_left` until it is due, None without a time. `people` is how many have a record of the last
    thirty days; `hard_jobs` and `income_minor` are the sums over them.
    """

    work_minutes: int = 60
    minutes_left: int | None = None
    people: int = 0
    hard_jobs: int = 0
    income_minor: int = 0


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate's facts, the points each term earned by them, and the weighted sum.

    `metres` is None when either place is unknown; the terms of distance then earn nothing. `band` is the
    ring of preference, from 0; `slack_minutes` what is left until the task is due once it could be done;
    `certified` whether they may work on the device's make, where it is known.
    """

    technician_id: int
    metres: int | None
    open_count: int
    capacity: int
    level: int
    points: Points
    score: int
    band: int = 0
    hard_jobs: int = 0
    familiar: int = STRANGER
    slack_minutes: int | None = None
    certified: bool = True

    @property
    def key(self) -> tuple[int, int, int]:
        """Where somebody stands: the band, then the score, and of equals the lower id."""
        return self.band, -self.score, self.technician_id


def distances(lat: Real | float, lon: Real | float, to_lat: Real, to_lon: Real) -> Whole:
    """Great-circle distances in whole metres, haversine; angles in radians."""
    half_lat, half_lon = (to_lat - lat) / 2, (to_lon - lon) / 2
    chord = np.sin(half_lat) ** 2 + np.cos(lat) * np.cos(to_lat) * np.sin(half_lon) ** 2
    metres: Whole = np.rint(2_000 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(1.0, chord)))).astype(
        np.int64
    )
    return metres


def slack(facts: Facts, scales: Scales, measure: Measure) -> Whole | None:
    """Minutes that remain until the task is due, for somebody who does what they have, then comes to it."""
    if measure.minutes_left is None:
        return None
    # Rounded up: who is under way for half a minute is a minute later.
    way = -(-np.maximum(facts.metres, 0) * 60 // (scales.travel_kmh * 1_000))
    left: Whole = measure.minutes_left - way - (facts.open_counts + 1) * measure.work_minutes
    return left


def points(facts: Facts, scales: Scales, measure: Measure, weights: Weights) -> list[Whole | None]:
    """What each term earns, in the order of the terms; None for a term that weighs nothing."""
    earned: list[Whole | None] = []
    for term, weight in zip(Term, weights, strict=True):
        earned.append(_EARNING[term](facts, scales, measure) if weight else None)
    return earned


def total(earned: Iterable[Whole | None], weights: Weights) -> Whole:
    """The weighted sum."""
    weighed = [weight * each for each, weight in zip(earned, weights, strict=True) if each is not None]
    added: Whole = sum(weighed[1:], weighed[0])
    return added


def most(weights: Weights) -> int:
    """The highest score these weights can give."""
    return FULL_POINTS * sum(weights)


def bands_of(bands: tuple[Band, ...], metres: Whole, certified: Flags) -> Whole:
    """The first ring each person is in, by its number; `len(bands)` for who is in none.

    The edge of a ring belongs to it: 3,000 m are within 3 km, 3,001 m are not.
    """
    found = np.full(metres.shape, len(bands), dtype=np.int64)
    # From the last to the first, so that the first that holds stays.
    for number in range(len(bands) - 1, -1, -1):
        band = bands[number]
        inside = np.ones(metres.shape, dtype=np.bool_)
        if band.within_m is not None:
            inside &= (metres != UNKNOWN) & (metres <= band.within_m)
        if band.certified:
            inside &= certified
        found[inside] = number
    return found


def order(ids: Whole, bands: Whole, scores: Whole) -> npt.NDArray[np.intp]:
    """Positions, best first: the earlier band, then the higher score, and of equals the lower id."""
    if not bands.any():
        # The ids come in order, and a stable sort leaves equals as they came.
        return np.argsort(-scores, kind="stable") if _ascends(ids) else np.lexsort((ids, -scores))
    return np.lexsort((ids, -scores, bands))


def minutes_until(due_at: datetime | None, at: datetime) -> int | None:
    return None if due_at is None else int((due_at - at).total_seconds() // 60)


def _ascends(ids: Whole) -> bool:
    return bool((ids[1:] > ids[:-1]).all())


def _distance(facts: Facts, scales: Scales, measure: Measure) -> Whole:
    earned = FULL_POINTS * scales.half_way_m // (scales.half_way_m + np.maximum(facts.metres, 0))
    return np.where(facts.metres != UNKNOWN, earned, 0)


def _near(facts: Facts, scales: Scales, measure: Measure) -> Whole:
    is_near = (facts.metres != UNKNOWN) & (facts.metres <= scales.near_m)
    return np.where(is_near, FULL_POINTS, 0)


def _load(facts: Facts, scales: Scales, measure: Measure) -> Whole:
    free = np.maximum(facts.capacities - facts.open_counts, 0)
    earned: Whole = FULL_POINTS * free // np.maximum(facts.capacities, 1)
    return earned


def _level(facts: Facts, scales: Scales, measure: Measure) -> Whole:
    earned: Whole = FULL_POINTS * np.minimum(facts.levels, scales.top_level) // scales.top_level
    return earned


def _hard(facts: Facts, scales: Scales, measure: Measure) -> Whole:
    return _below_average(facts.hard_jobs, measure.hard_jobs, measure.people)


def _income(facts: Facts, scales: Scales, measure: Measure) -> Whole:
    return _below_average(facts.income_minor, measure.income_minor, measure.people)


def _below_average(mine: Whole, everybodys: int, people: int) -> Whole:
    """All points for nothing at all, half of them at the average, none from twice the average on."""
    if everybodys <= 0:
        return np.full(mine.shape, FULL_POINTS, dtype=np.int64)
    return np.clip(FULL_POINTS * (2 * everybodys - people * mine) // (2 * everybodys), 0, FULL_POINTS)


def _continuity(facts: Facts, scales: Scales, measure: Measure) -> Whole:
    earned: Whole = _FAMILIARITY[facts.familiar]
    return earned


def _slack(facts: Facts, scales: Scales, measure: Measure) -> Whole:
    left = slack(facts, scales, measure)
    if left is None:
        return np.zeros(facts.open_counts.shape, dtype=np.int64)
    return FULL_POINTS * np.clip(left, 0, scales.ample_minutes) // scales.ample_minutes


_EARNING: Final = {
    Term.DISTANCE: _distance,
    Term.NEAR: _near,
    Term.LOAD: _load,
    Term.LEVEL: _level,
    Term.HARD: _hard,
    Term.INCOME: _income,
    Term.CONTINUITY: _continuity,
    Term.SLACK: _slack,
}
