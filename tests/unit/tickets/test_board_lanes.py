"""Lanes of due times: where a day ends is a matter of the zone, and of changes of the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ticket_console.kernel.database import table
from ticket_console.tickets.board_lanes import Calendar, days_of, is_in
from ticket_console.tickets.tables import Ticket

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Saturday, ten in the morning in Shanghai.
AT = datetime(2026, 11, 21, 2, tzinfo=UTC)


def local(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("due_at", "lane"),
    [
        (None, "none"),
        (AT - timedelta(microseconds=1), "overdue"),
        (AT, "today"),
        (local(21, 23, 59, 59), "today"),
        (local(22, 0), "tomorrow"),
        (local(22, 23, 59, 59), "tomorrow"),
        (local(23, 0), "later"),
    ],
)
def test_a_ticket_is_in_one_lane_to_the_microsecond(due_at: datetime | None, lane: str) -> None:
    assert days_of(AT, SHANGHAI).lane_of(due_at) == lane


def test_this_week_ends_with_sunday() -> None:
    monday = days_of(local(16, 9), SHANGHAI)

    assert [monday.lane_of(local(day, 12)) for day in (16, 17, 18, 22, 23)] == [
        "today",
        "tomorrow",
        "week",
        "week",
        "later",
    ]


def test_a_day_with_a_change_of_the_clock_is_as_long_as_it_is() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    days = days_of(datetime(2026, 10, 25, 0, 30, tzinfo=berlin), berlin)

    assert days.today.astimezone(UTC) - datetime(2026, 10, 24, 22, tzinfo=UTC) == timedelta(hours=25)


def test_today_is_today_where_the_work_is() -> None:
    calendar = Calendar(days_of(AT, SHANGHAI), {7: days_of(AT, ZoneInfo("America/New_York"))})
    due_at = local(22, 1)

    assert calendar.lane_of(due_at, None) == "tomorrow"
    # There it is still Friday evening, and one in the morning of Shanghai is their noon of Saturday.
    assert calendar.lane_of(due_at, 7) == "tomorrow"
    assert calendar.lane_of(AT + timedelta(hours=1), 7) == "today"
    assert calendar.lane_of(AT + timedelta(hours=4), 7) == "tomorrow"


@pytest.mark.parametrize("key", ["x", "-1", "1.5", "９", "9" * 40, "'; DROP TABLE ticket"])
def test_a_lane_that_is_none_of_its_kind_holds_nothing(key: str) -> None:
    assert str(is_in(table(Ticket).c.assignee_id, key)) == "false"
