"""Addresses of figures about money: what is asked is what is answered, and nonsense asks for nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.reports.money import AMOUNTS, Between, By, Measure, MoneySlice, Step
from ticket_console.reports.money_asked import Asked, asked_of, in_time, parameters_of
from ticket_console.reports.money_comparison import before
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.kinds import PeriodState

_IDS = st.none() | st.integers(0, 10**12)
_ENDS = st.none() | st.integers(-(10**12), 10**12)
_WORDS = st.none() | st.sampled_from(["", "delivery", "travel"])
_SLICES = st.builds(
    MoneySlice,
    period_id=_IDS,
    since=st.none() | st.dates(),
    until=st.none() | st.dates(),
    line=_WORDS,
    region_id=_IDS,
    is_region_alone=st.booleans(),
    dimension=_WORDS,
    team_id=_IDS,
    technician_id=_IDS,
    vendor_id=_IDS,
    between=st.none() | st.builds(Between, st.sampled_from(AMOUNTS), _ENDS, _ENDS),
)
_ASKED = st.builds(
    Asked,
    slice=_SLICES,
    measure=st.sampled_from(Measure),
    by=st.sampled_from(By),
    step=st.sampled_from(Step),
    page=st.integers(1, 999),
)


def month(number: int) -> PeriodView:
    return PeriodView(
        id=number,
        code=f"2026-{number:02}",
        starts_at=datetime(2026, number, 1, tzinfo=UTC),
        ends_at=datetime(2026, number + 1, 1, tzinfo=UTC),
        tz="UTC",
        state=PeriodState.OPEN,
        version=1,
    )


PERIODS = (month(11), month(10), month(9))
NOVEMBER_21 = datetime(2026, 11, 21, 2, tzinfo=UTC)


@given(_ASKED)
def test_an_address_says_exactly_what_is_asked(asked: Asked) -> None:
    assert asked_of(parameters_of(asked)) == asked


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("period", "x"),
        ("period", "9" * 30),
        ("region", "-1"),
        ("since", "2026-13-01"),
        ("until", "tomorrow"),
        ("line", "x" * 65),
        ("measure", "count(*)"),
        ("by", "password"),
        ("step", "hour"),
        ("page", "0"),
        ("of", "count"),
        ("low", "1"),
    ],
)
def test_what_makes_no_sense_asks_for_nothing(name: str, text: str) -> None:
    assert asked_of({name: text}) == Asked()


def test_without_a_time_it_is_the_present_period_and_days_count_more_than_a_period() -> None:
    assert in_time(Asked(), PERIODS, NOVEMBER_21).slice.period_id == 11
    assert in_time(Asked(MoneySlice(period_id=10)), PERIODS, NOVEMBER_21).slice.period_id == 10
    assert in_time(Asked(MoneySlice(period_id=99)), PERIODS, NOVEMBER_21).slice.period_id == 11
    days = MoneySlice(period_id=10, since=date(2026, 9, 3))
    assert in_time(Asked(days), PERIODS, NOVEMBER_21).slice == replace(days, period_id=None)
    assert in_time(Asked(), (), NOVEMBER_21).slice.period_id is None


def test_a_month_that_is_over_is_compared_with_the_whole_one_before() -> None:
    slice = MoneySlice(period_id=10, line="delivery")

    assert before(slice, PERIODS, at=NOVEMBER_21) == (replace(slice, period_id=9), "2026-09", None)


def test_a_month_that_is_not_over_is_compared_with_as_many_days_of_the_one_before() -> None:
    found = before(MoneySlice(period_id=11), PERIODS, at=NOVEMBER_21)

    assert found == (MoneySlice(period_id=10, until=date(2026, 10, 22)), "2026-10", 21)


def test_some_days_are_compared_with_as_many_before_them() -> None:
    found = before(MoneySlice(since=date(2026, 11, 8), until=date(2026, 11, 15)), PERIODS, at=NOVEMBER_21)

    earlier = MoneySlice(since=date(2026, 11, 1), until=date(2026, 11, 8))
    assert found == (earlier, "2026-11-01 – 2026-11-07", 7)


@pytest.mark.parametrize(
    "slice",
    [
        MoneySlice(period_id=9),
        MoneySlice(),
        MoneySlice(since=date(2026, 11, 8)),
        MoneySlice(since=date(2026, 11, 8), until=date(2026, 11, 8)),
    ],
)
def test_where_there_is_nothing_before_nothing_is_compared(slice: MoneySlice) -> None:
    assert before(slice, PERIODS, at=NOVEMBER_21) is None
