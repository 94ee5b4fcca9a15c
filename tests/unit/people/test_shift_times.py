"""Shifts by the clock of a place: over midnight, and on the nights on which clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ticket_console.people.candidate import Span
from ticket_console.people.shift_times import days_window, on_day, week_of

SHANGHAI, BOSTON = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
TEN_AT_NIGHT, SIX = time(22), time(6)


def hours(span: Span) -> float:
    return (span.ends_at - span.starts_at) / timedelta(hours=1)


def test_a_shift_is_meant_by_the_clock_of_the_place() -> None:
    assert on_day(date(2026, 11, 23), time(8), time(16), SHANGHAI) == Span(
        datetime(2026, 11, 23, 0, 0, tzinfo=UTC), datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
    )


def test_a_night_shift_ends_the_day_after() -> None:
    night = on_day(date(2026, 11, 23), TEN_AT_NIGHT, SIX, SHANGHAI)

    assert (hours(night), night.ends_at.astimezone(SHANGHAI).date()) == (8, date(2026, 11, 24))


def test_from_eight_to_eight_is_a_whole_day() -> None:
    assert hours(on_day(date(2026, 11, 23), time(8), time(8), SHANGHAI)) == 24


@pytest.mark.parametrize(
    ("night", "lasts"), [(date(2026, 3, 7), 7), (date(2026, 10, 31), 9), (date(2026, 7, 1), 8)]
)
def test_nights_on_which_clocks_change_are_shorter_and_longer(night: date, lasts: int) -> None:
    assert hours(on_day(night, TEN_AT_NIGHT, SIX, BOSTON)) == lasts


def test_a_time_the_clock_leaves_out_is_an_hour_later() -> None:
    assert on_day(date(2026, 3, 8), time(2, 30), time(10), BOSTON).starts_at == datetime(
        2026, 3, 8, 7, 30, tzinfo=UTC
    )


def test_a_week_begins_on_monday_and_lasts_seven_days_of_the_place() -> None:
    assert week_of(date(2026, 11, 22)) == week_of(date(2026, 11, 16)) == date(2026, 11, 16)
    assert hours(days_window(date(2026, 10, 26), 7, BOSTON)) == 169
