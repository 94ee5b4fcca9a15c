"""Visits of one person in their order: which ones cannot both be kept, and the way between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Final

from ticket_console.kernel.geo import distance_km

# Who had no visit for so long comes from home and not from the last customer.
FROM_HOME_AFTER: Final = timedelta(hours=6)
# A visit that leaves less room than this beside the way is possible, and worth a warning.
TIGHT: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Place:
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class Travel:
    """How long a way takes: the straight line, times what roads add to it, at an average speed."""

    detour: float = 1.3
    speed_kmh: float = 30.0

    def between(self, start: Place | None, goal: Place | None) -> timedelta:
        """Whole seconds; no time at all where either end is unknown."""
        if start is None or goal is None:
            return timedelta()
        return self.over(distance_km(start.lat, start.lon, goal.lat, goal.lon))

    def over(self, kilometres: float) -> timedelta:
        return timedelta(seconds=ceil(kilometres * self.detour / self.speed_kmh * 3600))


@dataclass(frozen=True, slots=True)
class Planned:
    """A visit that stands in somebody's plan for [starts_at, ends_at); `place` is where the ticket is."""

    id: int
    ticket_id: int
    token_id: int
    technician_id: int
    starts_at: datetime
    ends_at: datetime
    travel_seconds: int
    place: Place | None
    version: int = 1


class ClashKind(StrEnum):
    OVERLAP = "overlap"
    TRAVEL = "travel"


@dataclass(frozen=True, slots=True)
class Clash:
    """Why a visit cannot be kept beside another one; `missing` is the time the way lacks."""

    kind: ClashKind
    other: Planned
    missing: timedelta = timedelta()


def clash(
    visits: Sequence[Planned],
    starts_at: datetime,
    ends_at: datetime,
    place: Place | None,
    *,
    travel: Travel,
    ignoring: int | None = None,
) -> Clash | None:
    """The first of one person's visits that a new one for [starts_at, ends_at) cannot stand beside.

    Visits may touch where no way lies between them. `ignoring` is the ticket whose own visit is being
    moved.
    """
    others = _in_order(visits, ignoring)
    for other in others:
        if other.starts_at < ends_at and starts_at < other.ends_at:
            return Clash(ClashKind.OVERLAP, other)
    before, after = neighbours(others, starts_at)
    ways = []
    if before is not None:
        ways.append((before, travel.between(before.place, place) - (starts_at - before.ends_at)))
    if after is not None:
        ways.append((after, travel.between(place, after.place) - (after.starts_at - ends_at)))
    for other, missing in ways:
        if missing > timedelta():
            return Clash(ClashKind.TRAVEL, other, missing)
    return None


def slack(
    visits: Sequence[Planned],
    starts_at: datetime,
    ends_at: datetime,
    place: Place | None,
    *,
    travel: Travel,
    ignoring: int | None = None,
) -> timedelta | None:
    """The time left beside the ways to and from the neighbours: the smaller one, None without any.

    Below `TIGHT` a warning is due; a visit that clashes has less than none.
    """
    before, after = neighbours(_in_order(visits, ignoring), starts_at)
    left = []
    if before is not None:
        left.append(starts_at - before.ends_at - travel.between(before.place, place))
    if after is not None:
        left.append(after.starts_at - ends_at - travel.between(place, after.place))
    return min(left, default=None)


def way_there(
    visits: Sequence[Planned],
    starts_at: datetime,
    place: Place | None,
    home: Place | None,
    *,
    travel: Travel,
    ignoring: int | None = None,
) -> timedelta:
    """How long the way to a visit takes: from the visit before it, or from home after a long pause."""
    before, _ = neighbours(_in_order(visits, ignoring), starts_at)
    is_from_home = before is None or starts_at - before.ends_at >= FROM_HOME_AFTER
    return travel.between(home if before is None or is_from_home else before.place, place)


def neighbours(visits: Sequence[Planned], starts_at: datetime) -> tuple[Planned | None, Planned | None]:
    """The visits that begin before an instant and from it on, next to it, of visits in their order."""
    before = [visit for visit in visits if visit.starts_at < starts_at]
    after = [visit for visit in visits if visit.starts_at >= starts_at]
    return (before[-1] if before else None), (after[0] if after else None)


def _in_order(visits: Sequence[Planned], ignoring: int | None) -> list[Planned]:
    others = [visit for visit in visits if visit.ticket_id != ignoring]
    return sorted(others, key=lambda visit: (visit.starts_at, visit.ends_at))
