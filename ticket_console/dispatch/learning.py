"""Weights read off the history: how much each term foretold that a job was done soon and in one go.

Pure, and the same for the same jobs and seed. What is learned are weights and nothing else: who may be sent
at all is never asked of the history.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ticket_console.dispatch.rules import MOST_WEIGHT, TERMS, Learned, Weights, spell_weights
from ticket_console.dispatch.scoring import FULL_POINTS
from ticket_console.kernel.errors import Conflict

Real = npt.NDArray[np.float64]

# Fewer jobs than this say nothing that would hold tomorrow.
LEAST_JOBS: Final = 60
# The share of jobs that is kept out of learning, to be asked afterwards.
_HELD_OUT: Final = 0.3
# How many jobs today's weights are worth: with little history, little changes.
_PRIOR_JOBS: Final = 40
_SUM: Final = 100


class NotEnoughHistory(Conflict):
    """`found` finished jobs with numbers, of at least `least`."""

    code = "dispatch.not_enough_history"


@dataclass(frozen=True, slots=True)
class PastJob:
    """A job that somebody had: the points of each term when they were chosen, and what became of it.

    `kind` is what jobs are compared within; `is_completed` is false for one that was given up or came back.
    """

    id: int
    kind: str
    points: tuple[int, ...]
    minutes: int
    is_completed: bool


def learn(jobs: Sequence[PastJob], *, weights: Weights, seed: int) -> Learned:
    """Weights of the same sum as a hundred, with a report on jobs they were not learned from.

    Terms that weighed nothing when these jobs were given out have no points to learn from and stay at nought.
    """
    if len(jobs) < LEAST_JOBS:
        raise NotEnoughHistory(found=len(jobs), least=LEAST_JOBS)
    ordered = sorted(jobs, key=lambda job: job.id)
    Random(seed).shuffle(ordered)
    held_out = max(1, int(len(ordered) * _HELD_OUT))
    asked, known = ordered[:held_out], ordered[held_out:]
    usual = usual_minutes(known)
    found = _fit(_points(known), outcomes(known, usual), weights)
    return Learned(
        weights=found,
        seed=seed,
        report={
            "jobs": len(ordered),
            "learned_from": len(known),
            "asked": len(asked),
            "before": back_test(asked, weights, usual),
            "after": back_test(asked, found, usual),
            "weights_before": spell_weights(weights),
        },
    )


def usual_minutes(jobs: Sequence[PastJob]) -> Mapping[str, float]:
    """The middle time of completed jobs of each kind."""
    times: dict[str, list[int]] = defaultdict(list)
    for job in jobs:
        if job.is_completed:
            times[job.kind].append(job.minutes)
    return {kind: max(1.0, float(median(listed))) for kind, listed in times.items()}


def outcomes(jobs: Sequence[PastJob], usual: Mapping[str, float]) -> Real:
    """How well each job went, from 0 (given up, or it came back) over a half (the usual time) towards 1."""
    everyday = median(usual.values()) if usual else 60.0
    return np.array(
        [
            middle / (middle + job.minutes) if job.is_completed else 0.0
            for job in jobs
            for middle in (usual.get(job.kind, everyday),)
        ],
        dtype=np.float64,
    )


def back_test(jobs: Sequence[PastJob], weights: Weights, usual: Mapping[str, float]) -> dict[str, Any]:
    """What these weights would have said of jobs whose end is known.

    `right_bp`: of all pairs of jobs that went differently, the share in which the one with more points went
    better. `minutes_high`, `done_high_bp`: the middle time and the completed share of the half with more
    points; `_low` of the other half.
    """
    scores = _points(jobs) @ np.array(weights, dtype=np.float64)
    went = outcomes(jobs, usual)
    high = np.argsort(-scores, kind="stable")[: len(jobs) // 2]
    is_high = np.zeros(len(jobs), dtype=np.bool_)
    is_high[high] = True
    return {
        "right_bp": _right_bp(scores, went),
        **_half("high", [job for job, chosen in zip(jobs, is_high, strict=True) if chosen]),
        **_half("low", [job for job, chosen in zip(jobs, is_high, strict=True) if not chosen]),
    }


def _half(name: str, jobs: Sequence[PastJob]) -> dict[str, int | None]:
    done = [job.minutes for job in jobs if job.is_completed]
    return {
        f"minutes_{name}": round(median(done)) if done else None,
        f"done_{name}_bp": 10_000 * len(done) // len(jobs) if jobs else None,
    }


def _right_bp(scores: Real, went: Real) -> int | None:
    """The share of pairs in the right order, pairs with equal points counting half."""
    by_score = np.sign(scores[:, None] - scores[None, :])
    by_end = np.sign(went[:, None] - went[None, :])
    pairs = int(np.count_nonzero(by_end))
    if not pairs:
        return None
    right = int(np.count_nonzero((by_score == by_end) & (by_end != 0)))
    ties = int(np.count_nonzero((by_score == 0) & (by_end != 0)))
    return (2 * right + ties) * 10_000 // (2 * pairs)


def _points(jobs: Sequence[PastJob]) -> Real:
    return np.array([job.points for job in jobs], dtype=np.float64) / FULL_POINTS


def _fit(points: Real, went: Real, weights: Weights) -> Weights:
    """The least squares of what is not negative, held near to today's weights by `_PRIOR_JOBS`."""
    # Large, and needed by nobody but who learns: the other processes do without it.
    from scipy.optimize import nnls

    today = np.array(weights, dtype=np.float64) / max(1, sum(weights))
    around, end = points - points.mean(axis=0), went - went.mean()
    foretold = around @ today
    spread = float(foretold @ foretold)
    scale = max(float(foretold @ end) / spread, 0.05) if spread > 0 else 0.05
    hold = np.sqrt(_PRIOR_JOBS * around.var(axis=0).mean() + 1e-9)
    count = len(TERMS)
    stacked = np.vstack((around, hold * np.eye(count)))
    wanted = np.concatenate((end, hold * scale * today))
    found, _ = nnls(stacked, wanted)
    # A term without any spread in the history was never seen at work.
    found[(around == 0).all(axis=0) & (today == 0)] = 0.0
    return _whole(found)


def _whole(found: Real) -> Weights:
    """Whole weights that make a hundred; what is left over goes to the largest remainders."""
    total = float(found.sum())
    shares = found * (_SUM / total) if total > 0 else np.full(len(TERMS), _SUM / len(TERMS))
    whole = np.floor(shares).astype(np.int64)
    rest = _SUM - int(whole.sum())
    for position in np.argsort(-(shares - whole), kind="stable")[:rest]:
        whole[position] += 1
    return tuple(min(MOST_WEIGHT, int(each)) for each in whole)
