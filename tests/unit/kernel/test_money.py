"""Money: the one rounding, and parts that always add up."""

from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.kernel.money import Money, allocate, round_half_up

WEIGHTS = st.lists(
    st.decimals(min_value=0, max_value=D("1e30"), allow_nan=False, allow_infinity=False),
    min_size=1,
    max_size=8,
).filter(any)
TOTALS = st.integers(-(10**18), 10**18)


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        ("0", 0),
        ("0.4999999999999999999999999", 0),
        ("0.5", 1),
        ("1.5", 2),
        ("2.5", 3),
        ("-0.5", -1),
        ("-1.5", -2),
        ("-2.4999", -2),
        ("7100", 7100),
        ("1E+3", 1000),
    ],
)
def test_halves_are_rounded_away_from_zero(amount: str, rounded: int) -> None:
    assert round_half_up(D(amount)) == rounded


@given(st.decimals(min_value=D("-1e20"), max_value=D("1e20"), allow_nan=False))
def test_rounding_is_symmetric_and_never_further_than_a_half(amount: D) -> None:
    assert round_half_up(-amount) == -round_half_up(amount)
    assert abs(D(round_half_up(amount)) - amount) <= D("0.5")


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, "1 1 1", (34, 33, 33)),
        (101, "1 1 1", (34, 34, 33)),
        (-100, "1 1 1", (-34, -33, -33)),
        (0, "1 2", (0, 0)),
        (1, "0 1", (0, 1)),
        (1, "1 1", (1, 0)),
        (10, "0.7 0.2 0.1", (7, 2, 1)),
        (5, "3 0 3", (3, 0, 2)),
        (7, "5", (7,)),
        (100, "1 2 4", (14, 29, 57)),
    ],
)
def test_what_is_left_goes_to_the_largest_remainders_and_of_equals_to_the_first(
    total: int, weights: str, parts: tuple[int, ...]
) -> None:
    assert allocate(total, [D(weight) for weight in weights.split()]) == parts


@given(TOTALS, WEIGHTS)
def test_parts_add_up_to_the_total_and_each_is_its_share_but_for_one_unit(
    total: int, weights: list[D]
) -> None:  # STL-13
    parts = allocate(total, weights)

    assert sum(parts) == total
    whole = sum(map(Fraction, weights))
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(weight) * total / whole) < 1


def test_weights_of_more_digits_than_a_decimal_computes_with_still_add_up() -> None:
    weights = [D(9999999999999999999999999999), D(3)]

    assert allocate(10**28, weights) == (10**28 - 3, 3)


@given(TOTALS, WEIGHTS)
def test_what_is_taken_back_is_exactly_what_was_given(total: int, weights: list[D]) -> None:
    assert allocate(-total, weights) == tuple(-part for part in allocate(total, weights))


@given(st.integers(0, 10**12), st.lists(st.decimals(0, 100, places=2), min_size=2, max_size=6).filter(any))
def test_a_larger_weight_never_gets_less(total: int, weights: list[D]) -> None:
    heaviest_first = sorted(weights, reverse=True)

    parts = allocate(total, heaviest_first)

    assert list(parts) == sorted(parts, reverse=True)


@pytest.mark.parametrize("weights", ["", "0", "0 0", "-1 2", "NaN", "1 NaN", "Infinity"])
def test_weights_that_divide_nothing_are_refused(weights: str) -> None:
    with pytest.raises(ValueError, match="weights must be"):
        allocate(100, [D(weight) for weight in weights.split()])


def test_amounts_of_two_currencies_are_never_equal() -> None:
    assert Money(100, "CNY") == Money(100, "CNY")
    assert Money(100, "CNY") != Money(100, "EUR")
