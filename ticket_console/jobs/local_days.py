"""Days of a zone: when they begin, and when a clock on the wall first shows an hour of them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_SECOND: Final = timedelta(seconds=1)
_DAY: Final = timedelta(days=1)


@lru_cache(maxsize=4096)
def first_shown(day: date, hour: time, zone: str) -> datetime:
    """The first instant, in UTC, at which clocks of the zone have reached this hour of this day.

    Of an hour that is shown twice that is the first; for one that is skipped, the moment at which it is
    skipped, and that of a day which a zone leaves out is the beginning of the next.
    """
    tz = ZoneInfo(zone)
    wanted = datetime.combine(day, hour)
    earlier, later = sorted(wanted.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1))
    if _wall(earlier, tz) >= wanted:
        return earlier
    # The clock skips it: before the change it shows less, after it more.
    while later - earlier > _SECOND:
        middle = earlier + timedelta(seconds=(later - earlier) // _SECOND // 2)
        earlier, later = (earlier, middle) if _wall(middle, tz) >= wanted else (middle, later)
    return later


def span(day: date, zone: str) -> tuple[datetime, datetime]:
    """The instants [from, until) of a day; the days of a zone follow each other without gap or overlap."""
    return first_shown(day, time(0), zone), first_shown(day + _DAY, time(0), zone)


def latest_due(at: datetime, hour: time, zone: str) -> date:
    """The latest day whose hour has been reached."""
    # A day ahead of the date there, for zones that moved over the date line.
    day = at.astimezone(ZoneInfo(zone)).date() + _DAY
    while first_shown(day, hour, zone) > at:
        day -= _DAY
    return day


def due_days(at: datetime, hour: time, zone: str, *, after: date | None, most: int) -> tuple[date, ...]:
    """The days after one that is done whose hour has been reached, oldest first, the `most` latest of them.

    Where none was ever done it is the latest only: what was before the beginning is nobody's news.
    """
    latest = latest_due(at, hour, zone)
    if after is None:
        return (latest,)
    return tuple(_days(max(after + _DAY, latest - (most - 1) * _DAY), latest))


def next_due(at: datetime, hour: time, zone: str) -> datetime:
    """The first instant after this one at which a day's hour is reached."""
    day = latest_due(at, hour, zone) + _DAY
    return first_shown(day, hour, zone)


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY


def _wall(at: datetime, tz: ZoneInfo) -> datetime:
    return at.astimezone(tz).replace(tzinfo=None, fold=0)
