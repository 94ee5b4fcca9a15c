"""When an hour of a day has come, in zones that move their clocks as they please."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ticket_console.jobs.local_days import due_days, first_shown, latest_due, next_due, span

DAY = timedelta(days=1)
FIVE_IN_THE_AFTERNOON = time(17)

ZONES = st.sampled_from(
    [
        "Asia/Shanghai", "Asia/Urumqi", "Asia/Kathmandu", "Asia/Tehran", "Europe/Berlin", "America/New_York",
        "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Pacific/Kiritimati",
        "UTC",
    ]
)  # fmt: skip
DAYS = st.dates(date(1995, 1, 2), date(2035, 12, 30))
HOURS = st.times().map(lambda each: each.replace(microsecond=0))
BEGINNING = datetime(1995, 1, 2, tzinfo=UTC)
MOMENTS = st.integers(0, 40 * 365 * 86_400).map(lambda seconds: BEGINNING + timedelta(seconds=seconds))


def wall(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("day", "hour", "zone", "expected"),
    [
        # Plain days.
        (date(2026, 11, 22), time(17), "Asia/Shanghai", datetime(2026, 11, 22, 9, tzinfo=UTC)),
        (date(2026, 11, 22), time(17), "Asia/Urumqi", datetime(2026, 11, 22, 11, tzinfo=UTC)),
        (date(2026, 7, 1), time(17), "Europe/Berlin", datetime(2026, 7, 1, 15, tzinfo=UTC)),
        (date(2026, 12, 1), time(17), "Europe/Berlin", datetime(2026, 12, 1, 16, tzinfo=UTC)),
        # 02:30 is skipped on the last Sunday of March: the clocks go from 02:00 to 03:00 at 01:00 UTC.
        (date(2026, 3, 29), time(2, 30), "Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        # 02:30 is shown twice on the last Sunday of October: the first time counts.
        (date(2026, 10, 25), time(2, 30), "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        # Midnight itself is skipped in Brazil: the day begins at one.
        (date(2018, 11, 4), time(0), "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
        # Samoa left 30 December 2011 out altogether.
        (date(2011, 12, 30), time(17), "Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
        (date(2011, 12, 31), time(0), "Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ],
)
def test_an_hour_is_reached_once_a_day(day: date, hour: time, zone: str, expected: datetime) -> None:
    assert first_shown(day, hour, zone) == expected


@given(DAYS, HOURS, ZONES)
@example(date(2011, 12, 30), time(17), "Pacific/Apia")
@example(date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe")
@settings(max_examples=300, deadline=None)
def test_it_is_the_first_instant_that_shows_the_hour_or_more(day: date, hour: time, zone: str) -> None:
    found = first_shown(day, hour, zone)

    assert wall(found, zone) >= datetime.combine(day, hour)
    assert wall(found - timedelta(seconds=1), zone) < datetime.combine(day, hour)


@given(DAYS, ZONES)
@settings(max_examples=200, deadline=None)
def test_days_follow_each_other_without_gap_or_overlap(day: date, zone: str) -> None:
    began, ended = span(day, zone)

    assert began <= ended
    assert span(day + DAY, zone)[0] == ended
    assert ended - began <= timedelta(hours=26)


@given(MOMENTS, HOURS, ZONES)
@settings(max_examples=300, deadline=None)
def test_the_latest_day_is_due_and_the_one_after_it_is_not(at: datetime, hour: time, zone: str) -> None:
    latest = latest_due(at, hour, zone)

    assert first_shown(latest, hour, zone) <= at < first_shown(latest + DAY, hour, zone)
    assert next_due(at, hour, zone) == first_shown(latest + DAY, hour, zone)


@given(
    MOMENTS, HOURS, ZONES,
    st.lists(st.timedeltas(timedelta(seconds=1), timedelta(days=9)), min_size=1, max_size=8),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_whenever_it_is_asked_each_day_is_named_exactly_once(
    began: datetime, hour: time, zone: str, pauses: list[timedelta]
) -> None:
    """A worker asks every few seconds, or sleeps for days: no day is left out, none comes twice."""
    done = list(due_days(began, hour, zone, after=None, most=100))
    at = began
    for pause in pauses:
        at += pause
        done += due_days(at, hour, zone, after=done[-1], most=100)

    assert done == [done[0] + DAY * n for n in range(len(done))]
    assert done[-1] == latest_due(at, hour, zone)


def test_what_was_missed_for_longer_than_anybody_cares_is_left_out() -> None:
    at = datetime(2026, 11, 22, 10, tzinfo=UTC)

    days = due_days(at, FIVE_IN_THE_AFTERNOON, "Asia/Shanghai", after=date(2026, 1, 1), most=3)

    assert days == (date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 22))


def test_nothing_is_due_again_on_a_day_that_is_done() -> None:
    at = datetime(2026, 11, 22, 10, tzinfo=UTC)

    assert due_days(at, FIVE_IN_THE_AFTERNOON, "Asia/Shanghai", after=date(2026, 11, 22), most=3) == ()
