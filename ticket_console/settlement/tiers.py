"""Which tier a customer or a service partner is in: pure decisions from what was counted.

A customer enters the VIP tier while it asks often and leaves it when the peak is over. Between entering and
leaving lies a gap, so that nobody goes to and fro over one ticket. A partner's tier follows from how much it
did in a period and how fast it responded; the first grade of the table that holds counts, and the last always
does, so every partner has exactly one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final


@dataclass(frozen=True, slots=True)
class PeakPolicy:
    """In the tier from `enter_at` tickets within the last `days` days on, until there are fewer than
    `leave_below`. Raises ValueError where the two leave no gap."""

    tier: str
    days: int
    enter_at: int
    leave_below: int

    def __post_init__(self) -> None:
        if self.days < 1 or not 0 < self.leave_below <= self.enter_at:
            raise ValueError("a peak is entered at no fewer tickets than it is left below")


@dataclass(frozen=True, slots=True)
class Days:
    """The half-open days [starts_on, ends_on); None while it lasts."""

    starts_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Grade:
    """A tier for those with at least `jobs` a period who respond within `minutes` on average (None: any)."""

    tier: str
    jobs: int = 0
    minutes: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Performance:
    """What a partner did in a period; `minutes` is the mean time to respond, None where none is known."""

    jobs: int
    minutes: Decimal | None


VIP: Final = PeakPolicy(tier="vip", days=30, enter_at=8, leave_below=5)
NO_TIER: Final = ""
GRADES: Final[tuple[Grade, ...]] = (
    Grade("gold", jobs=60, minutes=Decimal(30)),
    Grade("silver", jobs=20, minutes=Decimal(60)),
    Grade(NO_TIER),
)


def is_in_peak(*, was_in: bool, tickets: int, policy: PeakPolicy = VIP) -> bool:
    """Whether the tier holds from a day on, by the tickets of the days before it."""
    return tickets >= (policy.leave_below if was_in else policy.enter_at)


def peaks(
    opened: Mapping[date, int], *, since: date, until: date, policy: PeakPolicy = VIP
) -> tuple[Days, ...]:
    """The days in the tier between `since` and `until`, by the tickets opened on each day.

    Every day is decided by the days before it alone: what comes later never changes a day that has passed.
    """
    found: list[Days] = []
    started: date | None = None
    for day in (since + timedelta(days=step) for step in range((until - since).days)):
        counted = sum(opened.get(day - timedelta(days=back), 0) for back in range(1, policy.days + 1))
        is_in = is_in_peak(was_in=started is not None, tickets=counted, policy=policy)
        if is_in and started is None:
            started = day
        elif not is_in and started is not None:
            found.append(Days(started, day))
            started = None
    return (*found, *([] if started is None else [Days(started, None)]))


def grade(performance: Performance, grades: Sequence[Grade] = GRADES) -> str:
    """The tier a partner earned; raises ValueError for a table that is not total."""
    if not is_total(grades):
        raise ValueError("the last grade must hold for everybody")
    return next(each.tier for each in grades if _holds(each, performance))


def is_total(grades: Sequence[Grade]) -> bool:
    """Whether everybody has a grade, and every grade is one somebody can have: ever less is asked for."""
    if not grades or grades[-1].jobs > 0 or grades[-1].minutes is not None:
        return False
    return all(not _covers(one, other) for one, other in pairwise(grades))


def _holds(wanted: Grade, performance: Performance) -> bool:
    if performance.jobs < wanted.jobs:
        return False
    if wanted.minutes is None:
        return True
    return performance.minutes is not None and performance.minutes <= wanted.minutes


def _covers(one: Grade, other: Grade) -> bool:
    """Whether whoever has the other grade has the one before it already."""
    as_fast = one.minutes is None or (other.minutes is not None and other.minutes <= one.minutes)
    return one.jobs <= other.jobs and as_fast
