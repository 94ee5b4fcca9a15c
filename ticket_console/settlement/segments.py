"""Segments of a ticket: the billing standard switches when the ticket moves to a step that has another one.

Pure: the steps a ticket stood at and when, in; the ticket's time cut up by standards, out. The segments are
disjoint, half-open, in order, and together exactly the time from the first instant to the last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

# What divides the name of a standard from how often the ticket came back to it.
AGAIN: Final = "#"


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay at a step, the half-open time [entered_at, left_at); `left_at` is None while it lasts."""

    standard: str
    entered_at: datetime
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Segment:
    """A time in which one standard held: [starts_at, ends_at). `code` is unlike that of any other segment."""

    code: str
    standard: str
    starts_at: datetime
    ends_at: datetime


def partition(
    stays: Sequence[Stay], *, starts_at: datetime, ends_at: datetime, standard: str
) -> tuple[Segment, ...]:
    """The time [starts_at, ends_at) by standards.

    Where a ticket stands at several steps at once, the one it came to last counts, and of those come to at
    one instant the later in `stays`. Where it stands at none, the step it left last goes on counting, and
    before the first step `standard` does: time between two steps belongs to the one before.
    """
    if ends_at <= starts_at:
        return ()
    instants = {starts_at}
    for stay in stays:
        instants |= {
            at for at in (stay.entered_at, stay.left_at) if at is not None and starts_at < at < ends_at
        }
    cuts: list[tuple[datetime, str]] = []
    for at in sorted(instants):
        current = _standard_at(stays, at) or standard
        if not cuts or cuts[-1][1] != current:
            cuts.append((at, current))
    ends = [at for at, _ in cuts[1:]] + [ends_at]
    visits: dict[str, int] = {}
    segments = []
    for (begins, name), end in zip(cuts, ends, strict=True):
        visits[name] = visits.get(name, 0) + 1
        segments.append(Segment(code_of(name, visits[name]), name, begins, end))
    return tuple(segments)


def code_of(standard: str, visit: int) -> str:
    return standard if visit == 1 else f"{standard}{AGAIN}{visit}"


def standard_of(code: str) -> tuple[str, int]:
    """The standard a segment is settled by, and the how manieth time it is the ticket came to it."""
    standard, _, visit = code.partition(AGAIN)
    return standard, int(visit) if visit.isdecimal() else 1


def _standard_at(stays: Sequence[Stay], at: datetime) -> str | None:
    """That of the step stood at, else of the one left last; None before the first."""
    standing = [
        (stay.entered_at, place)
        for place, stay in enumerate(stays)
        if stay.entered_at <= at and (stay.left_at is None or at < stay.left_at)
    ]
    left = [
        (stay.left_at, place)
        for place, stay in enumerate(stays)
        if stay.left_at is not None and stay.left_at <= at
    ]
    latest = max(standing, default=None) or max(left, default=None)
    return None if latest is None else stays[latest[1]].standard
