"""Rating many tickets at once: whole-number arithmetic over columns, to the same minor unit as `rating.rate`.

Every amount is an exact fraction, numerators over one positive denominator, rounded once as its rule says.
Where the largest numerator that could occur does not fit int64, Python's own whole numbers are used: slower,
and as exact.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import lcm
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.settlement.kinds import Dimension, Side
from ticket_console.settlement.population.columns import (
    LARGEST,
    Coded,
    Flags,
    Numbers,
    Population,
    Wholes,
    wholes,
)
from ticket_console.settlement.population.masks import Mask, mask_of
from ticket_console.settlement.population.windows import seconds_inside
from ticket_console.settlement.rules import ITEM_UNITS, Op, RateCard, Rounding, Rule, RuleSet, Window

DIMENSIONS: Final = tuple(Dimension)
_PLACE: Final = {dimension: place for place, dimension in enumerate(DIMENSIONS)}
# Rows rated together: small enough that what a rule reads is still in the processor's cache for the next.
_CHUNK: Final = 16_384
_FEW: Final = 0.5
_SECONDS_PER_MINUTE: Final = 60
_LARGEST_LINE: Final = 2**53


class AmountTooLarge(InvalidInput):
    """A line beyond 2**53 minor units, which nobody has ever been paid: a rule or a fact is wrong."""

    code = "settlement.amount_too_large"


@dataclass(frozen=True, slots=True)
class Lines:
    """Itemised amounts: of the ticket at `rows`, by the rule at `rules` (its place among those of the side).

    In the order of the tickets, and within each in the order in which the explaining evaluator makes them.
    """

    rows: npt.NDArray[np.int32]
    rules: npt.NDArray[np.int16]
    amounts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PopulationRating:
    """`by_dimension[place, row]` in minor units; the places are those of `DIMENSIONS`."""

    by_dimension: npt.NDArray[np.int64]
    total: npt.NDArray[np.int64]
    lines: Lines | None


def side_by_side(ratings: Sequence[PopulationRating]) -> PopulationRating:
    """Ratings of one population after another as one; without lines."""
    none = np.zeros((len(DIMENSIONS), 0), dtype=np.int64)
    by_dimension = np.concatenate([none, *(each.by_dimension for each in ratings)], axis=1)
    return PopulationRating(by_dimension, by_dimension.sum(axis=0), None)


class _Amounts(NamedTuple):
    """What one rule makes of the tickets it looks at: rounded amounts, and exact ones, which are zero where
    there is no line at all. For priced items `per_item` are the lines, of the tickets at `owners`, and
    `exact` goes with these.
    """

    rounded: Wholes
    exact: Wholes
    owners: Wholes | None = None
    per_item: Wholes | None = None


@dataclass(slots=True)
class _Chunk:
    """Tickets rated together, with what they have been paid so far."""

    rows: Population
    by_dimension: npt.NDArray[np.int64]
    taken: dict[str, Flags] = field(default_factory=dict)
    bases: dict[tuple[Dimension, ...], Wholes] = field(default_factory=dict)
    lines: list[tuple[Wholes, int, Wholes]] | None = None

    def base(self, of: tuple[Dimension, ...]) -> Wholes:
        known = self.bases.get(of)
        if known is None:
            first, *others = (self.by_dimension[_PLACE[dimension]] for dimension in of)
            known = first
            for other in others:
                known = known + other
            self.bases[of] = known
        return known

    def add(self, dimension: int, picked: Wholes | None, amounts: Wholes) -> None:
        column = self.by_dimension[dimension]
        if picked is None:
            column += amounts
        else:
            column[picked] += amounts
        for of in [of for of in self.bases if DIMENSIONS[dimension] in of]:
            del self.bases[of]


@dataclass(frozen=True, slots=True)
class _View:
    """The tickets of a chunk a rule looks at: all of them, or those at `picked`."""

    chunk: _Chunk
    picked: Wholes | None

    @property
    def size(self) -> int:
        return self.chunk.rows.size if self.picked is None else self.picked.size

    def numbers(self, key: str) -> Numbers:
        column = self.chunk.rows.numbers[key]
        if self.picked is None:
            return column
        known = None if column.known is None else column.known[self.picked]
        return Numbers(column.units[self.picked], column.scale, known)

    def codes(self, key: str) -> Wholes:
        return self.of(self.chunk.rows.coded[key].codes)

    def base(self, rule: Rule) -> Wholes:
        return self.of(self.chunk.base(rule.applies_to))

    def of(self, column: Wholes) -> Wholes:
        return column if self.picked is None else column[self.picked]


_Compute = Callable[[_View], _Amounts]


class _Step(NamedTuple):
    place: int
    dimension: int
    group: str | None
    holds: Mask | None
    compute: _Compute


def rate_population(
    population: Population,
    rules: RuleSet,
    side: Side = Side.WORKER,
    *,
    itemised: bool = False,
    threads: int = 2,
) -> PopulationRating:
    """The amounts of every ticket for one side, by dimension; with `itemised` also line by line.

    Needs about 120 bytes per ticket beside the facts, and as many again for the lines.
    """
    by_dimension = np.zeros((len(DIMENSIONS), population.size), dtype=np.int64)
    steps = _Plan(population, rules, side).steps()

    def run(begin: int) -> _Chunk:
        end = min(begin + _CHUNK, population.size)
        chunk = _Chunk(
            population.rows(begin, end), by_dimension[:, begin:end], lines=[] if itemised else None
        )
        for step in steps:
            _apply(step, chunk)
        return chunk

    begins = range(0, population.size, _CHUNK)
    with ThreadPoolExecutor(threads) as pool:
        made = [_listed(chunk, begin) for begin, chunk in zip(begins, pool.map(run, begins), strict=True)]
    return PopulationRating(by_dimension, by_dimension.sum(axis=0), _joined(made) if itemised else None)


def _apply(step: _Step, chunk: _Chunk) -> None:
    held = None if step.holds is None else step.holds(chunk.rows)
    if step.group is not None:
        taken = chunk.taken.get(step.group)
        mine = np.ones(chunk.rows.size, dtype=np.bool_) if held is None else held
        held = mine if taken is None else mine & ~taken
        chunk.taken[step.group] = mine if taken is None else taken | mine
    picked = None if held is None else np.flatnonzero(held)
    if picked is not None and not picked.size:
        return
    # Few tickets are picked out before anything is computed; of many, all are computed.
    is_few = picked is not None and picked.size < _FEW * chunk.rows.size
    amounts = step.compute(_View(chunk, picked if is_few else None))
    if chunk.lines is not None:
        chunk.lines.append(_lines_of(step, amounts, picked if is_few else None, None if is_few else held))
    rounded = _stored(amounts.rounded)
    if is_few or held is None:
        chunk.add(step.dimension, picked if is_few else None, rounded)
    else:
        chunk.add(step.dimension, None, rounded * held)


def _stored(rounded: Wholes) -> Wholes:
    """The amounts as int64; a rule set has at most 500 rules, so sums of such amounts fit as well."""
    if rounded.dtype == object and rounded.size and max(np.abs(rounded)) > _LARGEST_LINE:
        raise AmountTooLarge((FieldProblem("amount", AmountTooLarge.code),))
    return rounded.astype(np.int64, copy=False)


def _lines_of(
    step: _Step, amounts: _Amounts, picked: Wholes | None, held: Flags | None
) -> tuple[Wholes, int, Wholes]:
    """The rows that get a line, the place of the rule, and the amounts."""
    owners, lines = amounts.owners, amounts.per_item
    if owners is None or lines is None:
        made = amounts.exact != 0 if held is None else (amounts.exact != 0) & held
        places = np.flatnonzero(made)
        return places if picked is None else picked[places], step.place, amounts.rounded[places]
    kept = amounts.exact != 0 if held is None else (amounts.exact != 0) & held[owners]
    return owners[kept], step.place, lines[kept]


def _listed(chunk: _Chunk, begin: int) -> Lines | None:
    if chunk.lines is None:
        return None
    rows = np.concatenate([rows for rows, _, _ in chunk.lines] or [np.zeros(0)]).astype(np.int32)
    places = [np.full(rows.size, place, dtype=np.int16) for rows, place, _ in chunk.lines]
    amounts = np.concatenate([amounts for _, _, amounts in chunk.lines] or [np.zeros(0)]).astype(np.int64)
    order = np.argsort(rows, kind="stable")
    return Lines(
        rows[order] + np.int32(begin),
        np.concatenate(places or [np.zeros(0, dtype=np.int16)])[order],
        amounts[order],
    )


def _joined(made: list[Lines | None]) -> Lines:
    listed = [each for each in made if each is not None]
    empty = Lines(np.zeros(0, np.int32), np.zeros(0, np.int16), np.zeros(0, np.int64))
    parts = [empty, *listed]
    return Lines(
        np.concatenate([each.rows for each in parts]),
        np.concatenate([each.rules for each in parts]),
        np.concatenate([each.amounts for each in parts]),
    )


class _Plan:
    """The rules, made ready for one population: every constant as whole numbers, every bound checked."""

    def __init__(self, population: Population, rules: RuleSet, side: Side) -> None:
        self.population = population
        self.rules = rules.of_side(side)
        self.cards = rules.cards
        # The most that each dimension can hold, which decides where int64 is wide enough.
        self.largest: dict[Dimension, int] = dict.fromkeys(DIMENSIONS, 0)
        self.longest = int((population.finished - population.started).max()) if population.size else 0

    def steps(self) -> list[_Step]:
        return [
            _Step(
                place,
                _PLACE[rule.dimension],
                rule.group,
                None if rule.condition is None else mask_of(rule.condition, self.population),
                self.compute_of(rule),
            )
            for place, rule in enumerate(self.rules)
        ]

    def compute_of(self, rule: Rule) -> _Compute:
        return _OPERATIONS[rule.op](self, rule)

    def numbers(self, unit: str) -> tuple[Callable[[_View], Numbers], int, int]:
        """The column of a unit, the denominator of its units, and the largest of them."""
        if unit == "work_minutes":
            return _work_minutes, _SECONDS_PER_MINUTE, self.longest
        column = self.population.numbers[unit]
        return lambda view: view.numbers(unit), 10**column.scale, column.largest

    def grow(self, rule: Rule, most: int) -> None:
        """Note what a rule can add at most."""
        self.largest[rule.dimension] += most

    def base_bound(self, rule: Rule) -> int:
        return sum(self.largest[dimension] for dimension in rule.applies_to)

    def constant(self, rule: Rule, amount: Decimal) -> int:
        """A constant amount, rounded."""
        exact = Fraction(amount)
        return int(_whole(np.array([exact.numerator], object), exact.denominator, rule.rounding)[0])

    def entries(self, card: RateCard) -> tuple[Callable[[_View], Wholes], list[Decimal | None]]:
        """Where each ticket's amount is found on a card: its place in the list of amounts."""
        columns = [self.population.coded[key] for key in card.keys]
        amounts = [
            card.value(dict(zip(card.keys, values, strict=True)))
            for values in product(*(column.values for column in columns))
        ]

        def place(view: _View) -> Wholes:
            places = view.codes(card.keys[0])
            for key, column in zip(card.keys[1:], columns[1:], strict=True):
                places = places * len(column.values) + view.codes(key)
            return places

        return place, amounts


def _work_minutes(view: _View) -> Numbers:
    # In units of a sixtieth: seconds.
    return Numbers(view.of(view.chunk.rows.finished - view.chunk.rows.started))


def _add(plan: _Plan, rule: Rule) -> _Compute:
    if rule.card is not None:
        return _add_of_card(plan, rule, plan.cards[rule.card])
    amount = plan.constant(rule, rule.value)
    plan.grow(rule, abs(amount))
    has_line = bool(rule.value)

    def compute(view: _View) -> _Amounts:
        rounded = np.full(view.size, amount, np.int64)
        return _Amounts(rounded, rounded if amount else np.full(view.size, has_line, np.int64))

    return compute


def _add_of_card(plan: _Plan, rule: Rule, card: RateCard) -> _Compute:
    place, amounts = plan.entries(card)
    rounded = [0 if amount is None else plan.constant(rule, amount) for amount in amounts]
    plan.grow(rule, max(map(abs, rounded), default=0))
    table = wholes(rounded)
    has_line = np.array([bool(amount) for amount in amounts], dtype=np.bool_)

    def compute(view: _View) -> _Amounts:
        places = place(view)
        return _Amounts(table[places], has_line[places])

    return compute


def _per_unit(plan: _Plan, rule: Rule) -> _Compute:
    if rule.unit in ITEM_UNITS:
        return _per_item(plan, rule)
    column_of, parts, largest = plan.numbers(str(rule.unit))
    place, rates = None, wholes([Fraction(rule.value).numerator])
    rate_parts = Fraction(rule.value).denominator
    if rule.card is not None:
        place, amounts = plan.entries(plan.cards[rule.card])
        exact = [Fraction(amount or 0) for amount in amounts]
        rate_parts = lcm(*(each.denominator for each in exact))
        rates = wholes([int(each * rate_parts) for each in exact])
    highest = max((abs(int(each)) for each in rates), default=0)
    over = Fraction(rule.over) * parts
    # Units and threshold over one denominator: (units * over.denominator - over.numerator) * rate.
    denominator = parts * over.denominator * rate_parts
    times, less = over.denominator, over.numerator
    most = max(largest * times, abs(less)) * max(1, highest)
    plan.grow(rule, most // denominator + 1)
    is_wide = most >= LARGEST // 2

    def compute(view: _View) -> _Amounts:
        column = column_of(view)
        units = _widened(column.units, is_wide)
        if times != 1 or less:
            units = np.maximum(units * times - less, 0)
        rate = rates[0] if place is None else rates[place(view)]
        return _rounded(_only(units * rate, column.known), denominator, rule.rounding)

    return compute


def _per_item(plan: _Plan, rule: Rule) -> _Compute:
    key = str(rule.unit)
    column = plan.population.items[key]
    rate = Fraction(rule.value)
    denominator = 10**column.quantities.scale * rate.denominator
    highest = int(np.abs(column.prices).max()) if column.prices.size else 0
    counts = column.starts[1:] - column.starts[:-1]
    most = column.quantities.largest * highest * max(1, abs(rate.numerator))
    plan.grow(rule, (most // denominator + 1) * int(counts.max(initial=0)))
    is_wide = most >= LARGEST // 2

    def compute(view: _View) -> _Amounts:
        rows = view.chunk.rows
        listed = rows.items[key]
        numerators = _widened(listed.quantities.units, is_wide) * listed.prices * rate.numerator
        per_item = _stored(_whole(numerators, denominator, rule.rounding))
        sums = np.concatenate((np.zeros(1, np.int64), np.cumsum(per_item)))
        owners = np.repeat(np.arange(rows.size), listed.starts[1:] - listed.starts[:-1])
        rounded = sums[listed.starts[1:]] - sums[listed.starts[:-1]]
        if view.picked is None:
            return _Amounts(rounded, numerators, owners, per_item)
        is_picked = np.zeros(rows.size, dtype=np.bool_)
        is_picked[view.picked] = True
        kept = is_picked[owners]
        return _Amounts(rounded[view.picked], numerators[kept], owners[kept], per_item[kept])

    return compute


def _multiply(plan: _Plan, rule: Rule) -> _Compute:
    value = Fraction(rule.value)
    if rule.unit is None:
        rate = value - 1
        return _on_base(plan, rule, lambda _: (rate.numerator, None), rate.denominator, abs(rate.numerator))
    column_of, parts, largest = plan.numbers(rule.unit)
    denominator = value.denominator * parts
    most = largest * abs(value.numerator) + denominator
    is_wide = most >= LARGEST

    def rates(view: _View) -> tuple[Any, Flags | None]:
        column = column_of(view)
        return _widened(column.units, is_wide) * value.numerator - denominator, column.known

    return _on_base(plan, rule, rates, denominator, most)


def _percent(plan: _Plan, rule: Rule) -> _Compute:
    rate = Fraction(rule.value) / 100
    return _on_base(plan, rule, lambda _: (rate.numerator, None), rate.denominator, abs(rate.numerator))


def _on_base(
    plan: _Plan,
    rule: Rule,
    rates: Callable[[_View], tuple[Any, Flags | None]],
    denominator: int,
    most_rate: int,
) -> _Compute:
    window = rule.window
    most = plan.base_bound(rule) * most_rate
    longest = 1 if window is None else max(plan.longest, _SECONDS_PER_MINUTE)
    plan.grow(rule, most // denominator + 1)
    is_wide = max(most * longest, denominator * longest) >= LARGEST // 2

    def compute(view: _View) -> _Amounts:
        rate, known = rates(view)
        numerators = _only(_widened(view.base(rule), is_wide) * rate, known)
        if window is None:
            return _rounded(numerators, denominator, rule.rounding)
        inside, whole = _shares(view, window)
        return _rounded(numerators * inside, _widened(whole, is_wide) * denominator, rule.rounding)

    return compute


def _shares(view: _View, window: Window) -> tuple[Wholes, Wholes]:
    """Seconds inside the window and in all; work without length counts by its one moment."""
    rows = view.chunk.rows
    started, finished = view.of(rows.started), view.of(rows.finished)
    zone = Coded(view.of(rows.zone.codes), rows.zone.values)
    whole = finished - started
    is_moment = whole == 0
    if not is_moment.any():
        return seconds_inside(started, finished, zone, window), whole
    inside = seconds_inside(started, np.where(is_moment, started + 1, finished), zone, window)
    return (
        np.where(is_moment, inside * _SECONDS_PER_MINUTE, inside),
        np.where(is_moment, _SECONDS_PER_MINUTE, whole),
    )


def _cap(plan: _Plan, rule: Rule) -> _Compute:
    return _limit(plan, rule, np.minimum)


def _floor(plan: _Plan, rule: Rule) -> _Compute:
    return _limit(plan, rule, np.maximum)


def _limit(plan: _Plan, rule: Rule, chosen: Callable[..., Any]) -> _Compute:
    value = Fraction(rule.value)
    most = plan.base_bound(rule) * value.denominator + abs(value.numerator)
    plan.grow(rule, most // value.denominator + 1)
    is_wide = most >= LARGEST // 2

    def compute(view: _View) -> _Amounts:
        lack = value.numerator - _widened(view.base(rule), is_wide) * value.denominator
        return _rounded(chosen(lack, 0), value.denominator, rule.rounding)

    return compute


def _tier(plan: _Plan, rule: Rule) -> _Compute:
    column_of, parts, _ = plan.numbers(str(rule.unit))
    # The first whole unit of each band but the lowest: nothing lies below zero.
    edges = [
        -(-(scaled := Fraction(band.lower) * parts).numerator // scaled.denominator)
        for band in rule.bands[1:]
    ]
    values = [plan.constant(rule, band.value) for band in rule.bands]
    has_line = np.array([bool(band.value) for band in rule.bands], dtype=np.bool_)
    plan.grow(rule, max(abs(value) for value in values))
    table, bounds = np.array(values, np.int64), np.array(edges)

    def compute(view: _View) -> _Amounts:
        column = column_of(view)
        place = np.searchsorted(bounds, column.units, side="right")
        made = has_line[place]
        return _Amounts(
            _only(table[place], column.known), made if column.known is None else made & column.known
        )

    return compute


_OPERATIONS: Final[Mapping[Op, Callable[[_Plan, Rule], _Compute]]] = {
    Op.ADD: _add,
    Op.PER_UNIT: _per_unit,
    Op.MULTIPLY: _multiply,
    Op.PERCENT: _percent,
    Op.CAP: _cap,
    Op.FLOOR: _floor,
    Op.TIER: _tier,
}


def _widened(units: Wholes, is_wide: bool) -> Wholes:
    return units.astype(object) if is_wide else units


def _only(numerators: Wholes, known: Flags | None) -> Wholes:
    return numerators if known is None else np.where(known, numerators, 0)


def _rounded(numerators: Wholes, denominator: Any, rounding: Rounding) -> _Amounts:
    return _Amounts(_whole(numerators, denominator, rounding), numerators)


def _whole(numerators: Wholes, denominator: Any, rounding: Rounding) -> Wholes:
    """The fractions as whole numbers; the denominators are positive."""
    if isinstance(denominator, int) and denominator == 1:
        return numerators
    if rounding is Rounding.HALF_UP and numerators.size and numerators.min() >= 0:
        # The usual case, in half the steps.
        rounded: Wholes = (numerators + denominator // 2) // denominator
        return rounded
    size = np.abs(numerators)
    if rounding is Rounding.HALF_UP:
        quotient: Wholes = (size + size + denominator) // (denominator + denominator)
    elif rounding is Rounding.UP:
        quotient = (size + denominator - 1) // denominator
    else:
        quotient = size // denominator
    return np.where(numerators < 0, -quotient, quotient)
