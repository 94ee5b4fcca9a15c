"""Who should take a task, among those who may: points per term, in whole numbers so that ties are ties."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# The most a term can earn before it is weighed.
FULL_POINTS: Final = 10_000


class Term(StrEnum):
    """What is weighed, in the order in which points and weights are listed."""

    DISTANCE = "distance"
    NEAR = "near"
    LOAD = "load"
    LEVEL = "level"


TERMS: Final = tuple(Term)
Points = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ScoringPolicy:
    """The weight of each term in percent, and the scales its points are read from.

    At `half_way_m` metres the distance earns half its points; within `near_m` the nearness earns
    all of its own, beyond it none; `top_level` is the skill level that earns all.
    """

    code: str
    weights: Points
    half_way_m: int = 5_000
    near_m: int = 3_000
    top_level: int = 5


STANDARD: Final = ScoringPolicy(code="standard-1", weights=(45, 10, 30, 15))
POLICIES: Final = {STANDARD.code: STANDARD}


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate's facts, the points each term earned by them, and the weighted sum.

    `metres` is None when either place is unknown; the terms of distance then earn nothing. `score`
    is at most 100 * FULL_POINTS.
    """

    technician_id: int
    metres: int | None
    open_count: int
    capacity: int
    level: int
    points: Points
    score: int


def score(
    technician_id: int,
    *,
    metres: int | None,
    open_count: int,
    capacity: int,
    level: int,
    policy: ScoringPolicy = STANDARD,
) -> Scored:
    points = (
        0 if metres is None else FULL_POINTS * policy.half_way_m // (policy.half_way_m + metres),
        FULL_POINTS if metres is not None and metres <= policy.near_m else 0,
        FULL_POINTS * (capacity - open_count) // capacity if open_count < capacity else 0,
        FULL_POINTS * min(level, policy.top_level) // policy.top_level,
    )
    by_distance, by_nearness, by_load, by_level = policy.weights
    total = by_distance * points[0] + by_nearness * points[1] + by_load * points[2] + by_level * points[3]
    return Scored(technician_id, metres, open_count, capacity, level, points, total)


def rank(scored: Iterable[Scored]) -> list[Scored]:
    """Best first; of equals the one with the lower id, so that a choice can be repeated."""
    return sorted(scored, key=lambda candidate: (-candidate.score, candidate.technician_id))
