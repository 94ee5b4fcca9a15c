"""What changed between two slices of money, and what moved it: pure arithmetic whose parts add up exactly.

The change of every part is its volume (more or fewer tickets, at what a ticket came to before) plus its
rate (what a ticket comes to now, at the tickets there are now). Volume is rounded to the minor unit, rate is
the rest, so that nothing is left over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ticket_console.kernel.text import LocalText
from ticket_console.reports.money import AMOUNTS, NO_FIGURES, Figures, Group, Measure


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a change; `volume_minor + rate_minor` is `delta_minor`."""

    key: str
    name: LocalText
    before_minor: int
    after_minor: int
    volume_minor: int
    rate_minor: int

    @property
    def delta_minor(self) -> int:
        return self.after_minor - self.before_minor


@dataclass(frozen=True, slots=True)
class Change:
    """A measure before and after; the parts, the largest movement first, add up to each of its figures."""

    measure: Measure
    before: Figures
    after: Figures
    parts: tuple[Part, ...]

    @property
    def before_minor(self) -> int:
        return amount_of(self.before, self.measure)

    @property
    def after_minor(self) -> int:
        return amount_of(self.after, self.measure)

    @property
    def delta_minor(self) -> int:
        return self.after_minor - self.before_minor

    @property
    def volume_minor(self) -> int:
        return sum(part.volume_minor for part in self.parts)

    @property
    def rate_minor(self) -> int:
        return sum(part.rate_minor for part in self.parts)

    @property
    def mover(self) -> Part | None:
        """The part that moved furthest in the direction of the whole; None where nothing moved."""
        moved = [part for part in self.parts if part.delta_minor]
        along = [part for part in moved if part.delta_minor * self.delta_minor > 0]
        return max(along or moved, key=lambda part: abs(part.delta_minor), default=None)


def amount_of(found: Figures, measure: Measure) -> int:
    """One of the amounts that add up; ValueError for a count or an average, which do not."""
    amount = found.of(measure)
    if measure not in AMOUNTS or amount is None:
        raise ValueError(f"{measure} does not add up")
    return amount


def change(
    measure: Measure,
    *,
    before: Figures,
    after: Figures,
    parts_before: Sequence[Group],
    parts_after: Sequence[Group],
    share_tickets: bool,
) -> Change:
    """What changed in an amount, by parts that add up to it.

    With `share_tickets` every part is about the same tickets (the dimensions of their pay); otherwise each
    has tickets of its own (business lines, regions, teams).
    """
    names = {group.key: group.name for group in (*parts_before, *parts_after)}
    first, second = _by_key(parts_before), _by_key(parts_after)
    exact = {}
    for key in sorted(names):
        one, other = first.get(key, NO_FIGURES), second.get(key, NO_FIGURES)
        tickets = (before.tickets, after.tickets) if share_tickets else (one.tickets, other.tickets)
        exact[key] = _volume(amount_of(one, measure), amount_of(other, measure), *tickets)
    volumes = _rounded(exact)
    parts = []
    for key, volume in volumes.items():
        amount_before = amount_of(first.get(key, NO_FIGURES), measure)
        amount_after = amount_of(second.get(key, NO_FIGURES), measure)
        rate = amount_after - amount_before - volume
        parts.append(Part(key, names[key], amount_before, amount_after, volume, rate))
    parts.sort(key=lambda part: (-abs(part.delta_minor), part.key))
    return Change(measure, before, after, tuple(parts))


def _by_key(groups: Sequence[Group]) -> Mapping[str, Figures]:
    return {group.key: group.figures for group in groups}


def _volume(before_minor: int, after_minor: int, tickets_before: int, tickets_after: int) -> Fraction:
    """What other tickets would have brought at the amount a ticket had; work of a new kind is all volume."""
    if not tickets_before:
        return Fraction(after_minor - before_minor)
    return Fraction(before_minor * (tickets_after - tickets_before), tickets_before)


def _rounded(exact: Mapping[str, Fraction]) -> dict[str, int]:
    """Whole minor units that add up to the rounded sum: each is the step between two rounded running sums."""
    rounded, running, told = {}, Fraction(0), 0
    for key, amount in exact.items():
        running += amount
        rounded[key] = _half_up(running) - told
        told += rounded[key]
    return rounded


def _half_up(amount: Fraction) -> int:
    """Halves go away from zero."""
    whole = int(abs(amount) + Fraction(1, 2))
    return whole if amount >= 0 else -whole
