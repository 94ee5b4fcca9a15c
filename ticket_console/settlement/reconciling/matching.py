"""Two lists of amounts laid side by side: which of ours is which of theirs. Pure, and the same either way.

Lines belong together by ticket number and currency alone. Where a number stands more than once, each line is
paired with one other at most: first those of the same amount and day, then of the same amount, then of the
smallest amounts that tolerance lets pass, and what remains in the order of amounts.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

_DASHES: Final = re.compile(r"[‐‑‒–—―−﹘]")
_UNSEEN: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")


class Outcome(StrEnum):
    """`tolerated` is an amount that differs by no more than was agreed."""

    MATCHED = "matched"
    TOLERATED = "tolerated"
    DIFFERS = "differs"
    ONLY_OURS = "only_ours"
    ONLY_THEIRS = "only_theirs"


@dataclass(frozen=True, slots=True)
class Line:
    """An amount of one side; `id` tells the lines of a side apart: a posting, or a row of a file."""

    id: int
    ticket_no: str
    amount_minor: int
    currency: str
    on: date | None = None

    @property
    def key(self) -> str:
        return ticket_key(self.ticket_no)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far amounts may lie apart. Both limits hold where both are set; without any, not at all.

    A percentage is one of the larger of the two amounts, so that it is the same from either side.
    """

    absolute_minor: int | None = None
    percent: Decimal | None = None

    def allows(self, one_minor: int, other_minor: int) -> bool:
        apart = abs(one_minor - other_minor)
        if apart == 0:
            return True
        if self.absolute_minor is None and self.percent is None:
            return False
        if self.absolute_minor is not None and apart > self.absolute_minor:
            return False
        larger = max(abs(one_minor), abs(other_minor))
        return self.percent is None or apart * 100 <= self.percent * larger


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of the result; a side that has nothing to say is None."""

    outcome: Outcome
    ours: Line | None
    theirs: Line | None

    @property
    def difference_minor(self) -> int:
        """What they ask for beyond what we owe."""
        return _amount(self.theirs) - _amount(self.ours)


@dataclass(frozen=True, slots=True)
class Total:
    count: int
    ours_minor: int
    theirs_minor: int

    @property
    def difference_minor(self) -> int:
        return self.theirs_minor - self.ours_minor


def ticket_key(ticket_no: str) -> str:
    """A ticket number without what people change in writing it: width, case, space, the kind of dash."""
    plain = unicodedata.normalize("NFKC", ticket_no).lstrip("'")
    return _UNSEEN.sub("", _DASHES.sub("-", plain)).casefold()


def match(ours: Iterable[Line], theirs: Iterable[Line], tolerance: Tolerance) -> tuple[Pair, ...]:
    """Every line of both sides in exactly one pair, by ticket number. Ids must be unique on each side.

    A line without a number is paired with nothing.
    """
    left, right = _grouped(ours), _grouped(theirs)
    pairs = [
        pair
        for group in sorted(left.keys() | right.keys())
        for pair in _pair_group(left.get(group, []), right.get(group, []), tolerance, is_named=bool(group[0]))
    ]
    return tuple(pairs)


def totals(pairs: Sequence[Pair]) -> Mapping[Outcome, Total]:
    """Count and sums of each outcome; together they are those of the two sides."""
    return {outcome: total(pair for pair in pairs if pair.outcome is outcome) for outcome in Outcome}


def total(pairs: Iterable[Pair]) -> Total:
    chosen = list(pairs)
    return Total(
        count=len(chosen),
        ours_minor=sum(_amount(pair.ours) for pair in chosen),
        theirs_minor=sum(_amount(pair.theirs) for pair in chosen),
    )


def _amount(line: Line | None) -> int:
    return 0 if line is None else line.amount_minor


def _grouped(lines: Iterable[Line]) -> dict[tuple[str, str], list[Line]]:
    groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        groups[line.key, line.currency].append(line)
    return {key: sorted(group, key=_rank) for key, group in groups.items()}


def _rank(line: Line) -> tuple[int, date, int]:
    return line.amount_minor, line.on or date.min, line.id


def _pair_group(
    ours: list[Line], theirs: list[Line], tolerance: Tolerance, *, is_named: bool
) -> Iterable[Pair]:
    pairs: list[Pair] = []
    if is_named:
        for alike in (_amount_and_day, _amount_only):
            found, ours, theirs = _pair_alike(ours, theirs, alike)
            pairs += [Pair(Outcome.MATCHED, *each) for each in found]
        found, ours, theirs = _pair_near(ours, theirs, tolerance)
        pairs += [Pair(Outcome.TOLERATED, *each) for each in found]
        rest = min(len(ours), len(theirs))
        pairs += [Pair(Outcome.DIFFERS, *each) for each in zip(ours, theirs, strict=False)]
        ours, theirs = ours[rest:], theirs[rest:]
    pairs += [Pair(Outcome.ONLY_OURS, line, None) for line in ours]
    pairs += [Pair(Outcome.ONLY_THEIRS, None, line) for line in theirs]
    return pairs


def _amount_and_day(line: Line) -> Hashable:
    # Two lines without a day are not of the same day.
    return (line.amount_minor, line.on) if line.on is not None else None


def _amount_only(line: Line) -> Hashable:
    return line.amount_minor


def _pair_alike(
    ours: list[Line], theirs: list[Line], alike: Callable[[Line], Hashable]
) -> tuple[list[tuple[Line, Line]], list[Line], list[Line]]:
    waiting: dict[Hashable, list[Line]] = defaultdict(list)
    for line in reversed(theirs):
        waiting[alike(line)].append(line)
    found: list[tuple[Line, Line]] = []
    left: list[Line] = []
    for line in ours:
        what = alike(line)
        if what is not None and waiting.get(what):
            found.append((line, waiting[what].pop()))
        else:
            left.append(line)
    taken = {theirs_line.id for _, theirs_line in found}
    return found, left, [line for line in theirs if line.id not in taken]


def _pair_near(
    ours: list[Line], theirs: list[Line], tolerance: Tolerance
) -> tuple[list[tuple[Line, Line]], list[Line], list[Line]]:
    """Walk both sides from the smallest amount on; of two that are too far apart, the smaller stays alone."""
    found: list[tuple[Line, Line]] = []
    left: list[Line] = []
    right: list[Line] = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        one, other = ours[i], theirs[j]
        if tolerance.allows(one.amount_minor, other.amount_minor):
            found.append((one, other))
            i, j = i + 1, j + 1
        elif one.amount_minor < other.amount_minor:
            left.append(one)
            i += 1
        else:
            right.append(other)
            j += 1
    return found, left + ours[i:], right + theirs[j:]
