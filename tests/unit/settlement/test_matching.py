"""Two sides of a reconciliation: symmetric, complete, one to one, and no matter in which order they come."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal as D
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.settlement.reconciling.matching import (
    Line,
    Outcome,
    Pair,
    Tolerance,
    match,
    ticket_key,
    total,
    totals,
)

EXACT = Tolerance()
FIRST = date(2026, 11, 1)
MIRRORED = {
    Outcome.ONLY_OURS: Outcome.ONLY_THEIRS,
    Outcome.ONLY_THEIRS: Outcome.ONLY_OURS,
}


def line(number: int, no: str, amount_minor: int, *, on: date | None = FIRST, currency: str = "CNY") -> Line:
    return Line(number, no, amount_minor, currency, on)


def shape(pairs: tuple[Pair, ...]) -> list[tuple[str | int | None, ...]]:
    return [
        (pair.outcome.value, *(None if side is None else side.id for side in (pair.ours, pair.theirs)))
        for pair in pairs
    ]


def test_each_outcome_by_hand() -> None:  # STL-22
    ours = [line(1, "T-1", 10000), line(2, "T-2", 10000), line(3, "T-3", 10000), line(4, "T-4", 500)]
    theirs = [line(2, "T-1", 10000), line(3, "T-2", 10001), line(4, "T-3", 12000), line(5, "T-5", 700)]

    pairs = match(ours, theirs, Tolerance(absolute_minor=1))

    assert shape(pairs) == [
        ("matched", 1, 2),
        ("tolerated", 2, 3),
        ("differs", 3, 4),
        ("only_ours", 4, None),
        ("only_theirs", None, 5),
    ]
    assert [pair.difference_minor for pair in pairs] == [0, 1, 2000, -500, 700]
    whole = total(pairs)
    assert (whole.count, whole.ours_minor, whole.theirs_minor) == (5, 30500, 32701)
    assert whole.difference_minor == 2201
    assert {outcome: each.count for outcome, each in totals(pairs).items()} == dict.fromkeys(Outcome, 1)


@pytest.mark.parametrize(
    "written",
    [
        "t-2026-000001",
        " T-2026-000001 ",
        "Ｔ－２０２６－０００００１",
        "T–2026—000001",
        "T-2026- 000001",
        "\ufeffT-2026-000001\u200b",
        "'T-2026-000001",
        "T\u30002026-000001".replace("\u3000", "-"),
    ],
)
def test_a_number_is_recognised_however_it_is_written(written: str) -> None:
    assert ticket_key(written) == ticket_key("T-2026-000001")


def test_zeros_in_front_tell_numbers_apart() -> None:
    assert ticket_key("0012") != ticket_key("12")


@pytest.mark.parametrize(
    ("tolerance", "other", "outcome"),
    [
        (Tolerance(), 10001, Outcome.DIFFERS),
        (Tolerance(absolute_minor=100), 10100, Outcome.TOLERATED),
        (Tolerance(absolute_minor=100), 10101, Outcome.DIFFERS),
        # 1 % is of the larger amount: 101 of 10 100, 100 of 10 000.
        (Tolerance(percent=D(1)), 10101, Outcome.TOLERATED),
        (Tolerance(percent=D(1)), 10102, Outcome.DIFFERS),
        (Tolerance(percent=D(1)), 9900, Outcome.TOLERATED),
        (Tolerance(percent=D(1)), 9899, Outcome.DIFFERS),
        # Both must hold.
        (Tolerance(absolute_minor=50, percent=D(1)), 10051, Outcome.DIFFERS),
        (Tolerance(absolute_minor=500, percent=D(1)), 10102, Outcome.DIFFERS),
        (Tolerance(absolute_minor=500, percent=D(1)), 10050, Outcome.TOLERATED),
        (Tolerance(percent=D(100)), -10000, Outcome.DIFFERS),
    ],
)
def test_tolerance_ends_where_it_says(tolerance: Tolerance, other: int, outcome: Outcome) -> None:
    (pair,) = match([line(1, "T-1", 10000)], [line(1, "T-1", other)], tolerance)

    assert pair.outcome is outcome


def test_of_lines_with_one_number_the_same_day_goes_first_then_the_same_amount() -> None:
    later = FIRST + timedelta(days=1)
    ours = [line(1, "T-1", 100), line(2, "T-1", 100, on=later), line(3, "T-1", 300)]
    theirs = [line(7, "T-1", 100, on=later), line(8, "T-1", 100, on=None), line(9, "T-1", 310)]

    assert shape(match(ours, theirs, EXACT)) == [("matched", 2, 7), ("matched", 1, 8), ("differs", 3, 9)]


def test_a_line_sent_twice_matches_once() -> None:
    pairs = match([line(1, "T-1", 100)], [line(2, "T-1", 100), line(3, "t-1", 100)], EXACT)

    assert shape(pairs) == [("matched", 1, 2), ("only_theirs", None, 3)]


def test_an_amount_tolerance_lets_pass_is_not_lost_to_a_smaller_one() -> None:
    pairs = match([line(1, "T-1", 100)], [line(2, "T-1", 50), line(3, "T-1", 101)], Tolerance(2))

    assert shape(pairs) == [("tolerated", 1, 3), ("only_theirs", None, 2)]


def test_other_money_is_another_line() -> None:
    pairs = match([line(1, "T-1", 100)], [line(1, "T-1", 100, currency="USD")], EXACT)

    assert shape(pairs) == [("only_ours", 1, None), ("only_theirs", None, 1)]


def test_lines_without_a_number_are_never_paired() -> None:
    pairs = match([line(1, " ", 100)], [line(1, "", 100)], EXACT)

    assert shape(pairs) == [("only_ours", 1, None), ("only_theirs", None, 1)]


def sides() -> st.SearchStrategy[list[Line]]:
    made = st.tuples(
        st.sampled_from(["T-1", "t-1", "Ｔ－１", "T-2", "T-3", ""]),
        st.integers(-30, 30) | st.sampled_from([10_000, 10_050, 10_100]),
        st.sampled_from(["CNY", "CNY", "USD"]),
        st.none() | st.integers(0, 2).map(lambda days: FIRST + timedelta(days=days)),
    )
    return st.lists(made, max_size=12).map(
        lambda drawn: [Line(number, *each) for number, each in enumerate(drawn, start=1)]
    )


def tolerances() -> st.SearchStrategy[Tolerance]:
    return st.builds(
        Tolerance,
        absolute_minor=st.none() | st.integers(0, 60),
        percent=st.none() | st.sampled_from([D(0), D("0.5"), D(10), D(100)]),
    )


def mirrored(pairs: tuple[Pair, ...]) -> Counter[Pair]:
    return Counter(Pair(MIRRORED.get(pair.outcome, pair.outcome), pair.theirs, pair.ours) for pair in pairs)


@given(sides(), sides(), tolerances())
def test_seen_from_the_other_side_it_is_the_same(
    ours: list[Line], theirs: list[Line], tolerance: Tolerance
) -> None:
    assert Counter(match(theirs, ours, tolerance)) == mirrored(match(ours, theirs, tolerance))


@given(sides(), sides(), tolerances())
def test_every_line_is_in_exactly_one_pair(
    ours: list[Line], theirs: list[Line], tolerance: Tolerance
) -> None:
    pairs = match(ours, theirs, tolerance)

    assert sorted(pair.ours.id for pair in pairs if pair.ours) == [each.id for each in ours]
    assert sorted(pair.theirs.id for pair in pairs if pair.theirs) == [each.id for each in theirs]
    assert all(pair.ours or pair.theirs for pair in pairs)


@given(sides(), sides(), tolerances(), st.randoms(use_true_random=False))
def test_the_order_of_the_lines_does_not_matter(
    ours: list[Line], theirs: list[Line], tolerance: Tolerance, chance: Random
) -> None:
    expected = match(ours, theirs, tolerance)
    chance.shuffle(ours)
    chance.shuffle(theirs)

    assert match(ours, theirs, tolerance) == expected


@given(sides(), sides(), tolerances())
def test_each_outcome_says_what_its_amounts_are(
    ours: list[Line], theirs: list[Line], tolerance: Tolerance
) -> None:
    for pair in match(ours, theirs, tolerance):
        if pair.ours is None or pair.theirs is None:
            assert pair.outcome is (Outcome.ONLY_THEIRS if pair.ours is None else Outcome.ONLY_OURS)
            continue
        assert pair.ours.key == pair.theirs.key != ""
        assert pair.ours.currency == pair.theirs.currency
        is_equal = pair.difference_minor == 0
        is_near = tolerance.allows(pair.ours.amount_minor, pair.theirs.amount_minor)
        expected = Outcome.MATCHED if is_equal else Outcome.TOLERATED if is_near else Outcome.DIFFERS
        assert pair.outcome is expected


@given(sides(), sides(), tolerances())
def test_totals_add_up_to_the_two_sides(ours: list[Line], theirs: list[Line], tolerance: Tolerance) -> None:
    pairs = match(ours, theirs, tolerance)
    parts = totals(pairs).values()

    assert sum(each.count for each in parts) == len(pairs)
    assert sum(each.ours_minor for each in parts) == sum(each.amount_minor for each in ours)
    assert sum(each.theirs_minor for each in parts) == sum(each.amount_minor for each in theirs)
    assert sum(each.difference_minor for each in parts) == total(pairs).difference_minor
