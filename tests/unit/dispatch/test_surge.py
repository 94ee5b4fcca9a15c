"""DSP-14, DSP-15: two bounds instead of one, so that nothing flaps; and what a peak of complaints is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.dispatch.surge import bound_problems, decide, peak_bounds

FIGURES = {"window_minutes": 60, "factor_percent": 300, "lasts": 60}


@pytest.mark.parametrize(
    ("is_open", "value", "expected"),
    [
        (False, 9, False),
        (False, 10, False),
        (False, 11, True),
        (True, 10, True),
        (True, 5, True),
        (True, 4, False),
    ],
)
def test_it_opens_above_the_upper_bound_and_closes_below_the_lower_one(
    is_open: bool, value: int, expected: bool
) -> None:
    assert decide(is_open, value, 10, 5) is expected


@given(st.booleans(), st.lists(st.integers(5, 10), max_size=50))
def test_between_the_bounds_and_at_them_nothing_ever_changes(is_open: bool, values: list[int]) -> None:
    state = is_open
    for value in values:
        state = decide(state, value, 10, 5)
        assert state is is_open


@given(st.lists(st.integers(0, 20), max_size=80))
def test_it_changes_only_when_the_whole_gap_was_crossed(values: list[int]) -> None:
    state, changed_at = False, []
    for value in values:
        after = decide(state, value, 10, 5)
        if after is not state:
            changed_at.append(value)
        state = after

    assert all(value > 10 for value in changed_at[::2])
    assert all(value < 5 for value in changed_at[1::2])


def test_a_peak_is_measured_against_what_is_usual_but_never_by_less_than_the_least_count() -> None:
    quiet = peak_bounds(0.5, least_open=6, least_close=3, factor_percent=300)
    busy = peak_bounds(8, least_open=6, least_close=3, factor_percent=300)

    assert (quiet.opens_at, quiet.closes_at) == (6, 3)
    assert (busy.opens_at, busy.closes_at) == (24, 12)


@given(st.floats(0, 10_000), st.integers(2, 500), st.integers(100, 1000), st.data())
def test_a_peak_is_always_over_below_where_it_began(
    usual: float, least_open: int, factor: int, data: st.DataObject
) -> None:
    least_close = data.draw(st.integers(1, least_open - 1))
    bounds = peak_bounds(usual, least_open=least_open, least_close=least_close, factor_percent=factor)

    assert 0 < bounds.closes_at < bounds.opens_at


@pytest.mark.parametrize(
    ("opens_at", "closes_at", "paths"),
    [
        (10, 10, ["closes_at"]),
        (10, 11, ["closes_at"]),
        (-1, -2, ["opens_at", "closes_at"]),
        (math.inf, 3, ["opens_at"]),
        (10, math.nan, ["closes_at"]),
        (10.5, 3, ["opens_at"]),
        (True, 1, ["opens_at"]),
        (10, 0, ["closes_at"]),
        (2, 1, []),
    ],
)
def test_bounds_nobody_could_go_by_are_named(opens_at: float, closes_at: float, paths: list[str]) -> None:
    found = bound_problems(opens_at, closes_at, **FIGURES)

    assert [problem.path for problem in found] == paths
