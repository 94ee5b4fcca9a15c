"""Shifts as people say them, "from ten at night to six": what that is on a day of a place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ticket_console.kernel.text import LocalText
from ticket_console.people.candidate import Span

# From one clock time to the next other one.
Hours = tuple[time, time]


@dataclass(frozen=True, slots=True)
class ShiftPattern:
    """A shift that is planned again and again, by the clock of the place. It may last over midnight."""

    code: str
    name: LocalText
    starts: time
    ends: time


# What every roster can be planned with from the first day on.
STANDARD: Final = (
    ShiftPattern("early", {"zh": "早班", "en": "Early"}, time(8), time(16)),
    ShiftPattern("late", {"zh": "晚班", "en": "Late"}, time(14), time(22)),
    ShiftPattern("night", {"zh": "夜班", "en": "Night"}, time(22), time(6)),
)


def on_day(day: date, starts: time, ends: time, zone: ZoneInfo) -> Span:
    """From one clock time to the next other one, as instants: a shift that ends no later ends the day after.

    On the night of a clock change it is an hour shorter or longer; a time that the clock leaves out
    is the one an hour later.
    """
    last_day = day if ends > starts else day + timedelta(days=1)
    return Span(instant(day, starts, zone), instant(last_day, ends, zone))


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)


def week_by_week(first: date, last: date, hours: Mapping[int, Hours], zone: ZoneInfo) -> tuple[Span, ...]:
    """The shifts of a weekly pattern on all days from `first` to `last`; `hours` by weekday, Monday is 0."""
    days = (first + timedelta(days=each) for each in range((last - first).days + 1))
    return tuple(on_day(day, *hours[day.weekday()], zone) for day in days if day.weekday() in hours)


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def days_window(first: date, days: int, zone: ZoneInfo) -> Span:
    """The instants of some whole days of a place."""
    return Span(instant(first, time(), zone), instant(first + timedelta(days=days), time(), zone))
