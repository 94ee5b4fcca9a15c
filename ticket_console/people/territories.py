"""Which region and which territory a place on the map belongs to."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ticket_console.access.tables import Site, SiteKind
from ticket_console.kernel.database import table
from ticket_console.kernel.geo import distance_km
from ticket_console.people.tables import Territory

# Farther than this from every site of ours, a place belongs to nobody.
REACH_KM: Final = 100.0

Point = tuple[float, float]
Ring = tuple[Point, ...]


class LocatedBy(StrEnum):
    OUTLINE = "outline"
    NEAREST_SITE = "nearest_site"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Located:
    """Where a place belongs, and by what; every id is None when nothing of ours is near.

    `site_id` is the nearest site of ours: of the territory, else of its region, that holds the
    place; `distance_km` is how far it is.
    """

    region_id: int | None
    territory_id: int | None
    by: LocatedBy
    site_id: int | None = None
    distance_km: float | None = None


@dataclass(frozen=True, slots=True)
class Area:
    """A territory's ring of (lon, lat) with the box around it."""

    territory_id: int
    region_id: int
    ring: Ring
    west: float
    south: float
    east: float
    north: float
    extent: float


@dataclass(frozen=True, slots=True)
class _Place:
    site_id: int
    region_id: int
    territory_id: int | None
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class _Map:
    """Areas, smallest first, each with the sites to look for in it; `whole` says which territory is a
    region's only one without an outline. Where there are several, no place tells them apart."""

    stamp: tuple[int, ...]
    areas: tuple[tuple[Area, tuple[_Place, ...]], ...]
    places: tuple[_Place, ...]
    whole: dict[int, int]


_territories = table(Territory)
_sites = table(Site)
# Customers' own sites say where the work is, not whose area it is in.
_OURS: Final = sa.and_(_sites.c.org_id == sa.bindparam("org_id"), _sites.c.kind != SiteKind.CUSTOMER_SITE)


def _stamp_of(rows: sa.Table, condition: sa.ColumnElement[bool]) -> sa.Subquery:
    return (
        sa.select(
            sa.func.count().label("rows"),
            sa.func.coalesce(sa.func.sum(rows.c.version), 0).label("versions"),
            sa.func.coalesce(sa.func.max(rows.c.id), 0).label("last"),
        )
        .where(condition)
        .subquery()
    )


_DRAWN: Final = _stamp_of(_territories, _territories.c.org_id == sa.bindparam("org_id"))
_BUILT: Final = _stamp_of(_sites, _OURS)
_STAMP: Final = sa.select(_DRAWN, _BUILT).select_from(_DRAWN.join(_BUILT, sa.true()))
_AREAS: Final = (
    sa.select(_territories.c.id, _territories.c.region_id, _territories.c.outline)
    .where(_territories.c.org_id == sa.bindparam("org_id"))
    .order_by(_territories.c.id)
)
_PLACES: Final = (
    sa.select(_sites.c.id, _sites.c.region_id, _sites.c.territory_id, _sites.c.lat, _sites.c.lon)
    .where(_OURS)
    .order_by(_sites.c.id)
)

_maps: WeakKeyDictionary[Engine, dict[int, _Map]] = WeakKeyDictionary()


def locate(connection: Connection, org_id: int, lat: float, lon: float) -> Located:
    """The territory whose outline holds the place, else the region of the nearest site of ours.

    Where outlines overlap the smaller one wins, then the older one.
    """
    known = _map_of(connection, org_id)
    for area, near in known.areas:
        if holds(area, lat=lat, lon=lon):
            away, place = _nearest(near, lat, lon)
            site_id = None if place is None else place.site_id
            return Located(area.region_id, area.territory_id, LocatedBy.OUTLINE, site_id, away)
    away, place = _nearest(known.places, lat, lon)
    if place is None or away is None or away > REACH_KM:
        return Located(None, None, LocatedBy.NOTHING)
    territory_id = place.territory_id or known.whole.get(place.region_id)
    return Located(place.region_id, territory_id, LocatedBy.NEAREST_SITE, place.site_id, away)


def forget() -> None:
    """Drop every map held in memory."""
    _maps.clear()


def area_of(territory_id: int, region_id: int, outline: Sequence[Sequence[float]]) -> Area:
    ring = tuple((float(lon), float(lat)) for lon, lat in outline)
    lons, lats = [lon for lon, _ in ring], [lat for _, lat in ring]
    return Area(
        territory_id, region_id, ring, min(lons), min(lats), max(lons), max(lats), abs(_signed_extent(ring))
    )


def holds(area: Area, *, lat: float, lon: float) -> bool:
    """Whether a place lies within the outline, by the number of edges a ray to the east crosses.

    A place on an edge between two neighbours belongs to exactly one of them: west and south edges
    count as inside, east and north edges do not.
    """
    if not (area.west <= lon <= area.east and area.south <= lat <= area.north):
        return False
    inside = False
    before_lon, before_lat = area.ring[-1]
    for edge_lon, edge_lat in area.ring:
        if (edge_lat > lat) != (before_lat > lat):
            crossing = edge_lon + (lat - edge_lat) * (before_lon - edge_lon) / (before_lat - edge_lat)
            if lon < crossing:
                inside = not inside
        before_lon, before_lat = edge_lon, edge_lat
    return inside


def _nearest(places: Sequence[_Place], lat: float, lon: float) -> tuple[float, _Place] | tuple[None, None]:
    """The nearest place and its distance, to the metre; of two equally near the older one."""
    if not places:
        return None, None
    away = [distance_km(lat, lon, place.lat, place.lon) for place in places]
    least = min(range(len(places)), key=away.__getitem__)
    return round(away[least], 3), places[least]


def _signed_extent(ring: Ring) -> float:
    following = (*ring[1:], ring[0])
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in zip(ring, following, strict=True)) / 2


def _map_of(connection: Connection, org_id: int) -> _Map:
    whose = {"org_id": org_id}
    stamp = tuple(int(figure) for figure in connection.execute(_STAMP, whose).one())
    held = _maps.setdefault(connection.engine, {})
    known = held.get(org_id)
    if known is None or known.stamp != stamp:
        known = held[org_id] = _load(connection, whose, stamp)
    return known


def _load(connection: Connection, whose: dict[str, int], stamp: tuple[int, ...]) -> _Map:
    areas: list[Area] = []
    unbounded: defaultdict[int, list[int]] = defaultdict(list)
    for territory_id, region_id, outline in connection.execute(_AREAS, whose):
        if outline is None:
            unbounded[region_id].append(territory_id)
        else:
            areas.append(area_of(territory_id, region_id, outline))
    areas.sort(key=lambda area: (area.extent, area.territory_id))
    places = tuple(_Place(*row) for row in connection.execute(_PLACES, whose))
    whole = {region_id: ids[0] for region_id, ids in unbounded.items() if len(ids) == 1}
    return _Map(stamp, tuple((area, _places_in(area, places)) for area in areas), places, whole)


def _places_in(area: Area, places: Sequence[_Place]) -> tuple[_Place, ...]:
    own = tuple(place for place in places if place.territory_id == area.territory_id)
    return own or tuple(place for place in places if place.region_id == area.region_id)
