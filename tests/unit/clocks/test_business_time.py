"""Opening hours: what counts, across nights, holidays and clock changes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.clocks.business_time import BusinessTime, NeverOpen

OFFICE = dict.fromkeys(range(5), ((540, 720), (810, 1080)))
SHANGHAI = BusinessTime(
    "Asia/Shanghai",
    OFFICE,
    {date(2026, 2, 14): OFFICE[0], date(2026, 2, 16): (), date(2026, 2, 17): ()},
)
BERLIN = BusinessTime("Europe/Berlin", dict.fromkeys(range(7), ((0, 1440),)), {})
MOMENTS = st.integers(0, 36_000_000).map(
    lambda seconds: datetime(2025, 12, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
SPANS = st.integers(1, 30 * 86_400).map(lambda seconds: timedelta(seconds=seconds))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-02T09:00+08:00", 2, "2026-03-02T11:00+08:00"),
        ("2026-03-02T11:00+08:00", 2, "2026-03-02T14:30+08:00"),
        ("2026-03-02T11:00+08:00", 1, "2026-03-02T12:00+08:00"),
        ("2026-03-02T07:00+08:00", 1, "2026-03-02T10:00+08:00"),
        ("2026-03-06T17:00+08:00", 2, "2026-03-09T10:00+08:00"),
        # A Saturday on which people work, two days off, then a Wednesday.
        ("2026-02-13T17:30+08:00", 1, "2026-02-14T09:30+08:00"),
        ("2026-02-14T17:30+08:00", 1, "2026-02-18T09:30+08:00"),
        ("2026-12-31T17:30+08:00", 1, "2027-01-01T09:30+08:00"),
    ],
)
def test_open_hours_are_counted(start: str, hours: int, end: str) -> None:
    assert SHANGHAI.add(at(start), timedelta(hours=hours)) == at(end)
    assert SHANGHAI.between(at(start), at(end)) == timedelta(hours=hours)


def test_a_day_is_as_long_as_its_clock_change_makes_it() -> None:
    spring, autumn = at("2026-03-29T00:00+01:00"), at("2026-10-25T00:00+02:00")

    assert BERLIN.between(spring, at("2026-03-30T00:00+02:00")) == timedelta(hours=23)
    assert BERLIN.between(autumn, at("2026-10-26T00:00+01:00")) == timedelta(hours=25)


def test_an_opening_holds_its_first_moment_and_not_its_last() -> None:
    assert SHANGHAI.is_open(at("2026-03-02T09:00+08:00"))
    assert SHANGHAI.is_open(at("2026-03-02T11:59:59+08:00"))
    assert not SHANGHAI.is_open(at("2026-03-02T12:00+08:00"))
    assert not SHANGHAI.is_open(at("2026-02-16T10:00+08:00"))


def test_a_calendar_that_never_opens_says_so() -> None:
    with pytest.raises(NeverOpen):
        BusinessTime("UTC", {}, {}).add(at("2026-03-02T09:00+00:00"), timedelta(seconds=1))


def test_no_time_is_over_at_once_even_while_closed() -> None:
    assert SHANGHAI.add(at("2026-02-16T10:00+08:00"), timedelta(0)) == at("2026-02-16T10:00+08:00")


@given(MOMENTS, SPANS)
def test_what_was_added_is_what_lies_between(start: datetime, span: timedelta) -> None:
    end = SHANGHAI.add(start, span)

    assert SHANGHAI.between(start, end) == span
    assert SHANGHAI.between(start, end - timedelta(seconds=1)) == span - timedelta(seconds=1)


@given(MOMENTS, SPANS, SPANS)
def test_spans_add_up(start: datetime, one: timedelta, two: timedelta) -> None:
    assert SHANGHAI.add(SHANGHAI.add(start, one), two) == SHANGHAI.add(start, one + two)
