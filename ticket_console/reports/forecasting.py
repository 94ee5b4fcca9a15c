"""How long queues will be and how much will be late in a few hours, with an interval that is earned.

A queue is expected to change as it did at the same hours of the weeks before. How far such expectations
were off until now, at every hour of the past, is how wide the interval is: no assumption about arrivals is
made. The same forecast made at each hour of the last two weeks, knowing only what was known then, gives
the share of times in which the truth was within.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

HOURS: Final = (1, 2, 3, 4)
WEEK: Final = 7 * 24
WEEKS: Final = 8
# The share of times in which the truth is to be within the interval.
WITHIN: Final = 0.8
# The weeks over which past forecasts are checked, and how many weeks they must be able to look back on.
CHECKED_HOURS: Final = 2 * WEEK
_LEARNING_WEEKS: Final = 3
# With fewer past forecasts the interval is that of a Poisson process.
_FEWEST_ERRORS: Final = 60
# The deviation that this share of a normal distribution stays within.
_NORMAL: Final = 1.2816
BUCKET_SECONDS: Final = 900
# Nobody can lend more people than this at an hour's notice.
MOST_PEOPLE: Final = 10

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is expected in so many hours, and the whole numbers between which it should lie."""

    hours: int
    mean: float
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """`hits` of `tried` earlier forecasts of the same making held; none were tried without enough history."""

    outlooks: tuple[Outlook, ...]
    hits: int
    tried: int

    @property
    def hit_rate(self) -> float | None:
        return self.hits / self.tried if self.tried else None


def forecast_queue(arrivals: Sequence[int], completions: Sequence[int], queue: int) -> Forecast:
    """From what came and left in each hour up to now, the latest last, and what is there now."""
    came, left = np.asarray(arrivals, dtype=np.float64), np.asarray(completions, dtype=np.float64)
    if came.shape != left.shape:
        raise ValueError("arrivals and completions are of the same hours")
    hours = len(came)
    change, known = _usual(came - left)
    traffic, _ = _usual(came + left)
    lengths = np.empty(hours + 1)
    lengths[hours] = queue
    lengths[:hours] = queue - np.cumsum((came - left)[::-1])[::-1]
    outlooks, hits, tried = [], 0, 0
    for ahead in HOURS:
        mean, spread = _expected(lengths, change, traffic, known, ahead)
        errors = (lengths[ahead:] - mean[: hours + 1 - ahead]) / spread[: hours + 1 - ahead]
        first = min(_LEARNING_WEEKS * WEEK, hours)
        low, high = _bounds(mean[hours], spread[hours], errors[first:])
        outlooks.append(Outlook(ahead, float(mean[hours]), low, high))
        for instant in range(max(hours - CHECKED_HOURS, first), hours + 1 - ahead):
            # At that hour the errors of forecasts that had come true by then were known.
            seen = errors[first : max(instant + 1 - ahead, first)]
            if len(seen) >= _FEWEST_ERRORS:
                low, high = _bounds(mean[instant], spread[instant], seen)
                tried += 1
                hits += low <= lengths[instant + ahead] <= high
    return Forecast(tuple(outlooks), int(hits), tried)


def _usual(series: Series) -> tuple[Series, Series]:
    """What each hour, and the next few, is expected to bring by the same hours of the weeks before it; and of
    how many weeks that is the mean. Nothing is expected of an hour without any such week."""
    hours = len(series)
    total, weeks = np.zeros(hours + max(HOURS)), np.zeros(hours + max(HOURS))
    for back in range(1, WEEKS + 1):
        shifted = series[: max(hours + max(HOURS) - back * WEEK, 0)]
        start = back * WEEK
        total[start : start + len(shifted)] += shifted
        weeks[start : start + len(shifted)] += 1
    return np.divide(total, weeks, out=np.zeros_like(total), where=weeks > 0), weeks


def _expected(
    lengths: Series, change: Series, traffic: Series, known: Series, ahead: int
) -> tuple[Series, Series]:
    """The queue expected from every hour on, and the unit its error is measured in: more traffic, and fewer
    weeks to learn from, make for larger ones."""
    count = len(lengths)
    drift = np.sum([change[step : step + count] for step in range(ahead)], axis=0)
    flow = np.sum([traffic[step : step + count] for step in range(ahead)], axis=0)
    spread = np.sqrt((1.0 + flow) * (1.0 + 1.0 / np.maximum(known[:count], 1.0)))
    return np.maximum(lengths + drift, 0.0), spread


def _bounds(mean: float, spread: float, errors: Series) -> tuple[int, int]:
    tail = (1 - WITHIN) / 2
    if len(errors) >= _FEWEST_ERRORS:
        below, above = np.quantile(errors, (tail, 1 - tail))
    else:
        below, above = -_NORMAL, _NORMAL
    low, high = mean + spread * below, mean + spread * above
    return max(int(np.rint(low)), 0), max(int(np.rint(high)), 0)


@dataclass(frozen=True, slots=True)
class Survival:
    """How long it takes from coming to a stage to the end of the ticket, as counts per quarter of an hour."""

    counts: tuple[int, ...] = ()

    def still_open(self, *, stayed_seconds: float, until_seconds: float) -> float:
        """The chance that a ticket that has been there so long is still open after so long in all.

        A ticket that has stayed longer than any before it is expected to stay.
        """
        beyond = self._beyond(stayed_seconds)
        return self._beyond(until_seconds) / beyond if beyond else 1.0

    def _beyond(self, seconds: float) -> float:
        return float(sum(self.counts[int(max(seconds, 0) // BUCKET_SECONDS) :]))


def expect_late(chances: Sequence[float]) -> tuple[float, int, int]:
    """How many of independent tickets will be late: the mean, and an interval of the exact distribution."""
    distribution = np.ones(1)
    for chance in chances:
        distribution = np.convolve(distribution, (1.0 - chance, chance))
    reached: NDArray[Any] = np.cumsum(distribution)
    tail = (1 - WITHIN) / 2
    last = len(distribution) - 1
    low, high = (min(int(np.searchsorted(reached, share - 1e-12)), last) for share in (tail, 1 - tail))
    return float(sum(chances)), low, high


@dataclass(frozen=True, slots=True)
class Relief:
    """What so many people more are expected to change within the four hours."""

    people: int
    queue_before: float
    queue_after: float
    late_before: float
    late_after: float


def relieve(*, queue_now: int, queue_then: float, late: float, per_person: float, most: int) -> Relief | None:
    """The fewest people who keep the queue from growing and everything in time, or as many as there are.

    `per_person` is what somebody finishes within the time. Those due first are done first. None where
    nothing grows and nothing will be late, or all who could help would not finish a single ticket.
    """
    wanted = max(queue_then - queue_now, late)
    if wanted < 1 or per_person <= 0 or most < 1:
        return None
    people = min(int(np.ceil(wanted / per_person)), most, MOST_PEOPLE)
    done = people * per_person
    if done < 1:
        return None
    return Relief(people, queue_then, max(queue_then - done, 0.0), late, max(late - done, 0.0))
