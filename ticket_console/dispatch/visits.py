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
    others = [visit for visit in visits if visit.ticket_id != ignoring]
    for other in others:
        if other.starts_at < ends_at and starts_at < other.ends_at:
            return Clash(ClashKind.OVERLAP, other)
    for other in others:
        missing = -_room(other, starts_at, ends_at, place, travel)
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
    """The least time left between the visit and another one beside the way, None without any other.

    Below `TIGHT` a warning is due; a visit that clashes has less than none.
    """
    rooms = (
        _room(visit, starts_at, ends_at, place, travel) for visit in visits if visit.ticket_id != ignoring
    )
    return min(rooms, default=None)


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
    earlier = [visit for visit in visits if visit.ticket_id != ignoring and visit.starts_at < starts_at]
    before = max(earlier, key=lambda visit: visit.starts_at, default=None)
    is_from_home = before is None or starts_at - before.ends_at >= FROM_HOME_AFTER
    return travel.between(home if before is None or is_from_home else before.place, place)


def _room(
    other: Planned, starts_at: datetime, ends_at: datetime, place: Place | None, travel: Travel
) -> timedelta:
    """What is left of the time between two visits that do not overlap, after the way between them."""
    if other.starts_at < starts_at:
        return starts_at - other.ends_at - travel.between(other.place, place)
    return other.starts_at - ends_at - travel.between(place, other.place)
