"""Time during which somebody works: opening hours of a week, and days that are different.

Pure. Local opening hours become instants in the zone of the calendar, so that a day on which the clocks
change is as long as it really is. Intervals are half-open.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

from ticket_console.kernel.errors import ConsoleError

# Opening hours of a day: from, to, in minutes after local midnight; 1440 is the end of the day.
Hours = tuple[tuple[int, int], ...]

DAY_MINUTES = 1_440
# No target is further away; beyond it a calendar counts as one that never opens again.
_MOST_YEARS = 30


class NeverOpen(ConsoleError):
    """The calendar has no opening hours left in which the time could pass."""

    code = "calendar.never_open"
    http_status = 409


@dataclass(frozen=True, slots=True)
class _Year:
    """The openings that begin in a local year, as unix seconds, and the open seconds up to each one's end."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    upto: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.upto[-1] if self.upto else 0

    def elapsed(self, at: float) -> float:
        """Open seconds of this year before an instant."""
        index = bisect_right(self.starts, at) - 1
        if index < 0:
            return 0.0
        return self.upto[index] - max(0.0, self.ends[index] - at)

    def reached(self, seconds: float) -> float:
        """The instant at which so many open seconds of this year have passed; `seconds` <= `total`."""
        index = min(bisect_right(self.upto, seconds), len(self.upto) - 1)
        # The end of one opening, rather than the start of the next, is when its last second has passed.
        if index and seconds == self.upto[index - 1]:
            index -= 1
        return self.ends[index] - (self.upto[index] - seconds)


@dataclass(frozen=True, slots=True)
class BusinessTime:
    """`week`: hours by weekday (Monday is 0). `days`: those of days that differ; none is closed all day."""

    tz: str
    week: Mapping[int, Hours]
    days: Mapping[date, Hours]
    _years: dict[int, _Year] = field(default_factory=dict, repr=False, compare=False)

    def is_open(self, at: datetime) -> bool:
        year = self._year(self._local_year(at))
        index = bisect_right(year.starts, at.timestamp()) - 1
        return index >= 0 and at.timestamp() < year.ends[index]

    def add(self, at: datetime, duration: timedelta) -> datetime:
        """When `duration` of open time has passed since `at`; raises NeverOpen.

        From a closed moment the count starts with the next opening. No duration at all is over at once.
        """
        if duration <= timedelta(0):
            return at
        wanted = duration.total_seconds()
        first = self._local_year(at)
        passed = self._year(first).elapsed(at.timestamp())
        for number in range(first, first + _MOST_YEARS):
            year = self._year(number)
            if passed + wanted <= year.total:
                return datetime.fromtimestamp(year.reached(passed + wanted), UTC)
            wanted -= year.total - passed
            passed = 0.0
        raise NeverOpen()

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Open time from `start` to `end`; none where the end is not later."""
        if end <= start:
            return timedelta(0)
        first, last = self._local_year(start), self._local_year(end)
        seconds = self._year(last).elapsed(end.timestamp()) - self._year(first).elapsed(start.timestamp())
        seconds += sum(self._year(number).total for number in range(first, last))
        return timedelta(seconds=seconds)

    def _local_year(self, at: datetime) -> int:
        return at.astimezone(ZoneInfo(self.tz)).year

    def _year(self, number: int) -> _Year:
        known = self._years.get(number)
        if known is None:
            known = self._years[number] = self._made(number)
        return known

    def _made(self, number: int) -> _Year:
        zone = ZoneInfo(self.tz)
        openings = []
        day = date(number, 1, 1)
        while day.year == number:
            for start, end in self.days.get(day, self.week.get(day.weekday(), ())):
                opened, closed = _instant(day, start, zone), _instant(day, end, zone)
                # Hours that fall into the gap of a clock change do not exist.
                if opened < closed:
                    openings.append((opened, closed))
            day += timedelta(days=1)
        openings.sort()
        return _Year(
            tuple(opened for opened, _ in openings),
            tuple(closed for _, closed in openings),
            tuple(accumulate(closed - opened for opened, closed in openings)),
        )


def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    midnight = datetime.combine(day, time(), zone)
    # Wall-clock addition: the offset is looked up for the wall-clock time that results.
    return int((midnight + timedelta(minutes=minute)).timestamp())
