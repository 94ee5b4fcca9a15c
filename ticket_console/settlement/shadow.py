"""A shadow run, pure: what other rules would have paid for work already done, beside what was paid."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ticket_console.settlement.kinds import Dimension
from ticket_console.settlement.population.rating import DIMENSIONS, PopulationRating

OUTLIERS: Final = 20
# Steps of the distribution of what a ticket gains or loses, in percent of what it paid before.
STEPS: Final = (-50, -20, -10, -5, 0, 5, 10, 20, 50)

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PayeeDelta:
    payee_id: int
    tickets: int
    changed: int
    before_minor: int
    after_minor: int

    @property
    def delta_minor(self) -> int:
        return self.after_minor - self.before_minor


@dataclass(frozen=True, slots=True)
class TicketDelta:
    ticket_id: int
    payee_id: int
    before_minor: int
    after_minor: int


@dataclass(frozen=True, slots=True)
class ShadowRun:
    """Deltas are after less before, in minor units. `payees` come with the largest change first.

    `spread[place]` counts the changed tickets whose change lies below the step `STEPS[place]` and not below
    the one before; the last place counts those from the last step on. A ticket that paid nothing before
    counts as one that changed beyond the last step.
    """

    tickets: int
    changed: int
    before_minor: int
    after_minor: int
    by_dimension: Mapping[Dimension, tuple[int, int]]
    payees: tuple[PayeeDelta, ...]
    outliers: tuple[TicketDelta, ...]
    spread: tuple[int, ...]

    @property
    def delta_minor(self) -> int:
        return self.after_minor - self.before_minor

    @property
    def gaining(self) -> int:
        return sum(1 for payee in self.payees if payee.delta_minor > 0)

    @property
    def losing(self) -> int:
        return sum(1 for payee in self.payees if payee.delta_minor < 0)


def compare(ticket_ids: Ids, payee_ids: Ids, before: PopulationRating, after: PopulationRating) -> ShadowRun:
    """Two ratings of the same tickets, side by side."""
    # Paid the same in all, but for another reason, is changed as well.
    is_changed = (before.by_dimension != after.by_dimension).any(axis=0)
    delta = after.total - before.total
    return ShadowRun(
        tickets=int(ticket_ids.size),
        changed=int(is_changed.sum()),
        before_minor=int(before.total.sum()),
        after_minor=int(after.total.sum()),
        by_dimension={
            dimension: (int(before.by_dimension[place].sum()), int(after.by_dimension[place].sum()))
            for place, dimension in enumerate(DIMENSIONS)
        },
        payees=_payees(payee_ids, before.total, after.total, is_changed),
        outliers=_outliers(ticket_ids, payee_ids, before.total, after.total, delta),
        spread=_spread(before.total[is_changed], delta[is_changed]),
    )


def _payees(
    payee_ids: Ids, before: Ids, after: Ids, is_changed: npt.NDArray[np.bool_]
) -> tuple[PayeeDelta, ...]:
    distinct, owner = np.unique(payee_ids, return_inverse=True)
    sums = np.zeros((4, distinct.size), dtype=np.int64)
    for place, column in enumerate((np.ones_like(before), is_changed.astype(np.int64), before, after)):
        np.add.at(sums[place], owner, column)
    listed = [
        PayeeDelta(int(payee), *(int(each) for each in sums[:, place]))
        for place, payee in enumerate(distinct)
    ]
    return tuple(sorted(listed, key=lambda payee: (-abs(payee.delta_minor), payee.payee_id)))


def _outliers(
    ticket_ids: Ids, payee_ids: Ids, before: Ids, after: Ids, delta: Ids
) -> tuple[TicketDelta, ...]:
    order = np.lexsort((ticket_ids, -np.abs(delta)))[:OUTLIERS]
    return tuple(
        TicketDelta(int(ticket_ids[row]), int(payee_ids[row]), int(before[row]), int(after[row]))
        for row in order
        if delta[row]
    )


def _spread(before: Ids, delta: Ids) -> tuple[int, ...]:
    paid = before != 0
    # Compared crosswise, so that nothing is rounded: delta / |before| < step / 100.
    scaled, size = delta[paid] * 100, np.abs(before[paid])
    below = [int((scaled < step * size).sum()) for step in STEPS]
    counts = [after - earlier for earlier, after in zip([0, *below], [*below, int(paid.sum())], strict=True)]
    counts[-1] += int((~paid).sum())
    return tuple(counts)
