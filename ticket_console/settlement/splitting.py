"""Sharing a total out among worker, vendor and company: exactly, to the last minor unit."""

from collections.abc import Mapping

from ticket_console.kernel.money import allocate
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import Party
from ticket_console.settlement.rules import RuleSet, Split


def split_for(facts: Facts, rules: RuleSet) -> Split | None:
    """The first split whose condition holds; None where none does."""
    values = facts.values()
    return next((split for split in rules.splits if split.holds is None or split.holds(values)), None)


def share_out(total_minor: int, split: Split) -> Mapping[Party, int]:
    """The parts of a total, which add up to it (largest remainder, ties in the order of `Party`)."""
    parts = allocate(total_minor, list(split.shares.values()))
    return dict(zip(split.shares, parts, strict=True))
