"""When the console changes its strategy by itself: decided with two bounds, so that it does not flap."""

import math
from dataclasses import dataclass
from typing import Final

from ticket_console.kernel.errors import FieldProblem, InvalidInput

MOST: Final = 1_000_000
LONGEST_MINUTES: Final = 7 * 24 * 60


class BadSurge(InvalidInput):
    """A rule or duration nobody could go by; every problem is named with its field."""

    code = "surge.bad"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Above `opens_at` something begins, below `closes_at` it is over; in between, and at them, it stays."""

    opens_at: float
    closes_at: float


def decide(is_open: bool, value: float, opens_at: float, closes_at: float) -> bool:
    """Whether it is open from now on."""
    return value >= closes_at if is_open else value > opens_at


def peak_bounds(usual: float, *, least_open: int, least_close: int, factor_percent: int) -> Bounds:
    """The bounds of a peak: the least counts as they are said, risen with what is usual in such a window.

    Where the factor asks for more than the least count, both bounds rise alike.
    """
    opens_at = max(float(least_open), usual * factor_percent / 100)
    return Bounds(opens_at, least_close * opens_at / least_open)


def bound_problems(
    opens_at: object, closes_at: object, *, window_minutes: object, factor_percent: object, lasts: object
) -> tuple[FieldProblem, ...]:
    """What is wrong with a rule's figures: not whole numbers within bounds, or not closing below opening."""
    problems = [
        FieldProblem(path, "surge.problem.number", {"least": least, "most": most})
        for path, value, least, most in (
            ("opens_at", opens_at, 2, MOST),
            ("closes_at", closes_at, 1, MOST),
            ("window_minutes", window_minutes, 5, LONGEST_MINUTES),
            ("factor_percent", factor_percent, 100, 10_000),
            ("lasts_minutes", lasts, 5, LONGEST_MINUTES),
        )
        if not is_whole(value, least, most)
    ]
    if not problems and not _number(closes_at) < _number(opens_at):
        problems.append(
            FieldProblem("closes_at", "surge.problem.closes_below", {"opens_at": int(_number(opens_at))})
        )
    return tuple(problems)


def is_whole(value: object, least: int, most: int) -> bool:
    """A whole, finite number within the bounds; yes and no are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return False
    return value == int(value) and least <= value <= most


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)
