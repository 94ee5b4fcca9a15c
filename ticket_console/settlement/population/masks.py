"""For which tickets of a population a condition holds.

What a condition means is said once, in `kernel.conditions`. A column of few values asks that very predicate
about each value; numbers are compared as whole units with the bound that the predicate's exact comparison
amounts to.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

import numpy as np

from ticket_console.kernel import conditions
from ticket_console.kernel.conditions import operand_list, plain_number
from ticket_console.settlement.population.columns import Coded, Flags, Items, Numbers, Population

Mask = Callable[[Population], Flags]

_NEGATED: Final = {"!=": "=", "notIn": "in", "notNull": "null"}


def mask_of(tree: Mapping[str, Any], population: Population) -> Mask:
    """The mask of a condition over any rows of this population. The tree has passed the check of rules."""
    if "rules" not in tree:
        return _leaf(tree, population)
    parts = [mask_of(rule, population) for rule in tree["rules"]]
    join = np.logical_and if tree["combinator"] == "and" else np.logical_or
    negated = tree.get("not") is True

    def mask(rows: Population) -> Flags:
        held = parts[0](rows)
        for part in parts[1:]:
            held = join(held, part(rows))
        return ~held if negated else held

    return mask


def _leaf(rule: Mapping[str, Any], population: Population) -> Mask:
    field, operator, value = str(rule["field"]), str(rule["operator"]), rule.get("value")
    if field in population.coded:
        return _among_values(rule, field, population.coded[field])
    if operator in _NEGATED:
        positive = _leaf({**rule, "operator": _NEGATED[operator]}, population)
        return lambda rows: ~positive(rows)
    if field in population.items:
        return _of_items(field, operator, value, population.items[field])
    return _of_numbers(field, operator, value, population.numbers[field].scale)


def _among_values(rule: Mapping[str, Any], field: str, column: Coded) -> Mask:
    holds = conditions.compile_condition(rule)
    table = np.array([holds({field: value}) for value in column.values], dtype=np.bool_)
    return lambda rows: table[rows.coded[field].codes]


def _of_items(field: str, operator: str, value: Any, column: Items) -> Mask:
    if operator == "null":
        return lambda rows: _counts(rows.items[field]) == 0
    if operator not in {"=", "in", "contains"}:
        # A list has no order: the predicate never holds for it.
        return lambda rows: np.zeros(rows.size, dtype=np.bool_)
    # One member by itself is judged as the list of it.
    single = conditions.compile_condition({"field": field, "operator": operator, "value": value})
    table = np.array([single({field: (name,)}) for name in column.names], dtype=np.bool_)

    def mask(rows: Population) -> Flags:
        listed = rows.items[field]
        hits = np.concatenate(([0], np.cumsum(table[listed.codes])))
        held: Flags = hits[listed.starts[1:]] > hits[listed.starts[:-1]]
        return held & (_counts(listed) == 1) if operator == "=" else held

    return mask


def _counts(listed: Items) -> Any:
    return listed.starts[1:] - listed.starts[:-1]


def _of_numbers(field: str, operator: str, value: Any, scale: int) -> Mask:
    def known(rows: Population, held: Flags) -> Flags:
        column = rows.numbers[field]
        return held if column.known is None else held & column.known

    def nothing(rows: Population) -> Flags:
        return np.zeros(rows.size, dtype=np.bool_)

    if operator == "null":
        return lambda rows: _unknown(rows.numbers[field], rows.size)
    if operator == "contains":
        return nothing
    test = _comparison(operator, value, scale)
    return nothing if test is None else lambda rows: known(rows, test(rows.numbers[field].units))


def _unknown(column: Numbers, size: int) -> Flags:
    return np.zeros(size, dtype=np.bool_) if column.known is None else ~column.known


def _comparison(operator: str, value: Any, scale: int) -> Callable[[Any], Flags] | None:
    """The test of units against an operand; None where no number can pass it."""
    if operator in {"=", "in"}:
        wanted = [_exactly(each, scale) for each in (operand_list(value) if operator == "in" else [value])]
        units = [each for each in wanted if each is not None]
        return (lambda column: _any_of(column, units)) if units else None
    if operator == "between":
        low, high = (
            _comparison(sign, each, scale)
            for sign, each in zip((">=", "<="), operand_list(value), strict=True)
        )
        return None if low is None or high is None else lambda column: low(column) & high(column)
    number = plain_number(value)
    if number is None:
        return None
    scaled = Fraction(number) * 10**scale
    # Units are whole: what lies at or above 12.3 lies at or above 13.
    floor, ceiling = math.floor(scaled), math.ceil(scaled)
    tests: dict[str, Callable[[Any], Flags]] = {
        "<": lambda column: column < ceiling,
        "<=": lambda column: column <= floor,
        ">": lambda column: column > floor,
        ">=": lambda column: column >= ceiling,
    }
    return tests[operator]


def _exactly(operand: object, scale: int) -> int | None:
    number = plain_number(operand)
    scaled = None if number is None else Fraction(number) * 10**scale
    return scaled.numerator if scaled is not None and scaled.denominator == 1 else None


def _any_of(column: Any, units: Sequence[int]) -> Flags:
    held: Flags = column == units[0]
    for each in units[1:]:
        held = held | (column == each)
    return held
