"""How much work people can do and how much is booked, hour by hour."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ticket_console.people.candidate import Span


@dataclass(frozen=True, slots=True)
class PersonTime:
    """One person's time; `shifts` is None for who is there whenever they are on duty.

    `booked` are the visits with the ways to them.
    """

    shifts: tuple[Span, ...] | None
    absences: tuple[Span, ...]
    booked: tuple[Span, ...]
    is_on_duty: bool = True


@dataclass(frozen=True, slots=True)
class Load:
    """Minutes of one span of time: what people are there for, what is booked, what is still to be planned."""

    capacity: int
    booked: int
    expected: int

    @property
    def percent(self) -> int | None:
        """Booked and expected work of the capacity; None where there is work and nobody."""
        work = self.booked + self.expected
        if self.capacity == 0:
            return None if work else 0
        return round(100 * work / self.capacity)


def loads(
    people: Sequence[PersonTime], spans: Sequence[Span], expected: Iterable[tuple[datetime, int]] = ()
) -> tuple[Load, ...]:
    """The load of each of some spans that follow one another.

    `expected` are tasks that are planned nowhere yet, as (due at, minutes): each counts in the span before
    it is due, what is overdue in the first one, what is due later than all of them nowhere.
    """
    waiting = [0] * len(spans)
    for due_at, minutes in expected:
        place = next((n for n, span in enumerate(spans) if due_at <= span.ends_at), None)
        if place is not None:
            waiting[place] += minutes
    return tuple(
        Load(
            sum(_there(person, span) for person in people),
            sum(_minutes(person.booked, span) for person in people),
            waiting[n],
        )
        for n, span in enumerate(spans)
    )


def hours_of(window: Span, *, step: timedelta = timedelta(hours=1)) -> tuple[Span, ...]:
    """A window cut into spans of equal length; the last one may be shorter."""
    found = []
    at = window.starts_at
    while at < window.ends_at:
        found.append(Span(at, min(at + step, window.ends_at)))
        at += step
    return tuple(found)


def _there(person: PersonTime, span: Span) -> int:
    if person.shifts is None:
        present = _minutes((span,), span) if person.is_on_duty else 0
        return max(0, present - _minutes(person.absences, span))
    return sum(
        _minutes((_cut(shift, span),), span) - _minutes(person.absences, _cut(shift, span))
        for shift in person.shifts
        if _overlap(shift, span)
    )


def _minutes(spans: Iterable[Span], within: Span) -> int:
    """Minutes of `within` that any of the spans covers; where two overlap they count once."""
    near = [span for span in spans if _overlap(span, within)]
    if not near:
        return 0
    total, covered_until = timedelta(), within.starts_at
    for span in sorted(near, key=lambda each: each.starts_at):
        starts_at, ends_at = max(span.starts_at, covered_until), min(span.ends_at, within.ends_at)
        if starts_at < ends_at:
            total += ends_at - starts_at
            covered_until = ends_at
    return int(total.total_seconds() // 60)


def _overlap(one: Span, other: Span) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _cut(span: Span, within: Span) -> Span:
    return Span(max(span.starts_at, within.starts_at), min(span.ends_at, within.ends_at))
