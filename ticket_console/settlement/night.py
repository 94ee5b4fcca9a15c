"""How much of a stretch of work lies inside a daily window of the wall clock at the site."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from ticket_console.settlement.rules import Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
# Clocks change at most once within this stretch.
_STEP = 6 * 3_600


def seconds_inside(started_at: datetime, finished_at: datetime, zone_name: str, window: Window) -> int:
    """Real seconds of [started_at, finished_at) during which the wall clock reads within the window.

    Whole seconds. An hour the clocks skip is not counted and an hour they repeat is counted twice,
    because that is how long the work took.
    """
    zone = ZoneInfo(zone_name)
    opens = window.opens.hour * 3_600 + window.opens.minute * 60
    closes = window.closes.hour * 3_600 + window.closes.minute * 60
    length = (closes - opens) % _DAY
    inside = 0
    for start, end, offset in _stretches(_seconds(started_at), _seconds(finished_at), zone):
        inside += _overlap(start + offset, end + offset, opens, length)
    return inside


def is_inside(at: datetime, zone_name: str, window: Window) -> bool:
    clock = at.astimezone(ZoneInfo(zone_name)).time()
    if window.opens < window.closes:
        return window.opens <= clock < window.closes
    return clock >= window.opens or clock < window.closes


def offset_changes(start: int, end: int, zone_name: str) -> list[tuple[int, int]]:
    """The offsets a zone has within [start, end] (seconds since 1970), each with the second it begins."""
    zone = ZoneInfo(zone_name)
    found = [(start, _offset(start, zone))]
    for begin, _, offset in _stretches(start, end + 1, zone):
        if offset != found[-1][1]:
            found.append((begin, offset))
    return found


def work_seconds(started_at: datetime, finished_at: datetime) -> int:
    return _seconds(finished_at) - _seconds(started_at)


def _overlap(start: int, end: int, opens: int, length: int) -> int:
    first_day = (start - opens - length) // _DAY
    last_day = (end - opens) // _DAY
    total = 0
    for day in range(first_day, last_day + 1):
        window_start = day * _DAY + opens
        total += max(0, min(end, window_start + length) - max(start, window_start))
    return total


def _stretches(start: int, end: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """The interval cut where the offset of the zone changes: (start, end, offset)."""
    while start < end:
        stop = min(end, start + _STEP)
        offset = _offset(start, zone)
        if _offset(stop, zone) != offset:
            stop = _change(start, stop, offset, zone)
        yield start, stop, offset
        start = stop


def _change(before: int, after: int, offset: int, zone: ZoneInfo) -> int:
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(second: int, zone: ZoneInfo) -> int:
    shift = (_EPOCH + timedelta(seconds=second)).astimezone(zone).utcoffset()
    return 0 if shift is None else int(shift.total_seconds())


def _seconds(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(seconds=1)
