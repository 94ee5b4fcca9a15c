"""The dispatcher's map: what stands where, and who is how far from a ticket that wants somebody.

Features are GeoJSON in the datum of the map that shows them. Each viewer gets what their scope reaches:
tickets by `ticket.view`, people by `board.view`, and where people are right now only by `position.view`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.access.places import SiteOnMap
from ticket_console.access.tables import SiteKind
from ticket_console.desk import offering
from ticket_console.desk.moving import WhichStep
from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.dispatch import visit_book
from ticket_console.dispatch.panel import OfferView
from ticket_console.dispatch.visits import Travel
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.boxes import WORLD, Box
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import table
from ticket_console.kernel.datums import Datum, meant_by, shown_at
from ticket_console.kernel.errors import Conflict, ConsoleError, Forbidden, Param
from ticket_console.kernel.geo import distance_km
from ticket_console.people import bases, positions
from ticket_console.people.bases import Base
from ticket_console.people.positions import Position
from ticket_console.tickets import reads
from ticket_console.tickets.tables import Ticket

# A window shows the most pressing of what it holds; the browser gathers near ones into one mark.
MOST_TICKETS: Final = 5_000
MOST_OFFERS: Final = 60
NEAREST_OUTLETS: Final = 5
# GCJ-02 lies at most so far beside WGS84.
_BESIDE: Final = 0.02

_tickets = table(Ticket)

Feature = dict[str, Any]
Features = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Placed:
    """A candidate where the map shows them: on the way if that is known, else at their base."""

    offer: OfferView
    lat: float
    lon: float
    is_live: bool
    taken_at: datetime | None
    way_km: float | None
    eta_minutes: int | None


@dataclass(frozen=True, slots=True)
class NearOutlet:
    site_id: int
    name: Mapping[str, str]
    kind: SiteKind
    lat: float
    lon: float
    way_km: float
    eta_minutes: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """A ticket chosen on the map. `why_not` is the code of what keeps it from being given to anybody."""

    ticket_id: int
    no: str
    version: int
    title: str
    priority: int
    due_at: datetime | None
    address: str
    site: Mapping[str, str] | None
    territory_id: int | None
    region_id: int | None
    assignee_id: int | None
    lat: float | None
    lon: float | None
    place: tuple[float, float] | None
    offers: tuple[Placed, ...]
    unlisted: int
    outlets: tuple[NearOutlet, ...]
    why_not: str
    why_not_params: Mapping[str, Param]


def window(
    connection: Connection, viewer: Actor, box: Box, *, at: datetime, datum: Datum = Datum.WGS84
) -> dict[str, Any]:
    """Everything that stands in a box of the map: {"tickets", "people", "sites", "territories"} as
    feature collections, and how many open tickets there are, shown or not."""
    policy.require(viewer, "board.view")
    ours = _ours(box, datum)
    count, features = _tickets_in(connection, viewer, ours, datum)
    return {
        "at": instant_text(at),
        "total": count,
        "tickets": _collection(features),
        "people": _collection(people(connection, viewer, within=ours, datum=datum)),
        "sites": _collection(
            _site_feature(site, datum)
            for site in _seen_sites(connection, viewer)
            if ours.holds(site.lat, site.lon)
        ),
        "territories": _collection(_territories(connection, viewer, datum)),
    }


def changed_tickets(
    connection: Connection, viewer: Actor, ticket_ids: Collection[int], *, datum: Datum = Datum.WGS84
) -> tuple[list[Feature], list[int]]:
    """Of these tickets the features the viewer's map shows, and the ids it shows no more."""
    policy.require(viewer, "board.view")
    wanted = sorted(set(ticket_ids))
    rows = connection.execute(
        sa.select(*_COLUMNS).where(_on_map(viewer, WORLD), _tickets.c.id.in_(wanted))
    ).all()
    shown = {row.id for row in rows}
    return [_ticket_feature(row, datum) for row in rows], [each for each in wanted if each not in shown]


def people(
    connection: Connection, viewer: Actor, *, within: Box = WORLD, datum: Datum = Datum.WGS84
) -> list[Feature]:
    """The technicians in a box: where they are, if they consent and the viewer may know, else their base."""
    policy.require(viewer, "board.view")
    known = bases.bases(connection, viewer)
    found = _positions(connection, viewer, known)
    loads = {
        each.technician_id: each.open_count for each in dispatch_reads.technician_loads(connection, viewer)
    }
    features = []
    for base in known:
        position = found.get(base.technician_id)
        lat, lon = (base.lat, base.lon) if position is None else (position.lat, position.lon)
        if within.holds(lat, lon):
            features.append(
                _feature(
                    base.technician_id,
                    shown_at(datum, lat, lon),
                    name=base.name,
                    region_id=base.region_id,
                    is_on_duty=base.is_on_duty,
                    level=base.level,
                    open=loads.get(base.technician_id, 0),
                    capacity=base.capacity,
                    live=position is not None,
                    taken_at=None if position is None else instant_text(position.taken_at),
                    accuracy_m=None if position is None else round(position.accuracy_m),
                )
            )
    return features


def choose(
    connection: Connection, viewer: Actor, ticket_id: int, *, at: datetime, datum: Datum = Datum.WGS84
) -> Chosen:
    """A ticket with everybody who could be sent, in the order of dispatch, and the outlets nearest to it.

    Raises TicketNotFound for what the viewer does not see.
    """
    policy.require(viewer, "board.view")
    row = reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    spot = None if row["lat"] is None or row["lon"] is None else (row["lat"], row["lon"])
    way = visit_book.travel()
    offers: tuple[OfferView, ...] = ()
    refused: ConsoleError | None = None
    try:
        offers = offering.offers_for(connection, viewer=viewer, ticket_id=ticket_id, at=at).offers
    except (Forbidden, Conflict, WhichStep) as why:
        refused = why
    shown = offers[:MOST_OFFERS]
    known = {base.technician_id: base for base in bases.bases(connection, viewer)}
    found = _positions(connection, viewer, known.values())
    names = places.site_names(connection, [row["site_id"]] if row["site_id"] else [])
    return Chosen(
        ticket_id=ticket_id,
        no=row["no"],
        version=row["version"],
        title=row["title"],
        priority=row["priority"],
        due_at=row["due_at"],
        address=row["address"],
        site=names.get(row["site_id"]) if row["site_id"] else None,
        territory_id=row["territory_id"],
        region_id=row["region_id"],
        assignee_id=row["assignee_id"],
        lat=row["lat"],
        lon=row["lon"],
        place=None if spot is None else shown_at(datum, *spot),
        offers=tuple(
            _placed(offer, known[offer.technician_id], found.get(offer.technician_id), spot, way, datum)
            for offer in shown
            if offer.technician_id in known
        ),
        unlisted=len(offers) - len(shown),
        outlets=() if spot is None else _nearest_outlets(connection, viewer, spot, way, datum),
        why_not="" if refused is None else refused.code,
        why_not_params={} if refused is None else refused.params,
    )


def eta_minutes(travel: Travel, kilometres: float) -> int:
    """Whole minutes a way takes by road; nobody is there in less than one."""
    return max(1, ceil(travel.over(kilometres) / timedelta(minutes=1)))


def _ours(box: Box, datum: Datum) -> Box:
    """The box of our coordinates that holds what the map's box shows; a little more where these differ."""
    if datum is Datum.WGS84:
        return box
    south, west = meant_by(datum, box.south, box.west)
    north, east = meant_by(datum, box.north, box.east)
    return Box(min(west, east), min(south, north), max(west, east), max(south, north)).widened(_BESIDE)


_COLUMNS: Final = (
    _tickets.c.id,
    _tickets.c.no,
    _tickets.c.title,
    _tickets.c.version,
    _tickets.c.priority,
    _tickets.c.is_vip,
    _tickets.c.due_at,
    _tickets.c.stage,
    _tickets.c.region_id,
    _tickets.c.assignee_id,
    _tickets.c.lat,
    _tickets.c.lon,
)


def _on_map(viewer: Actor, box: Box) -> sa.ColumnElement[bool]:
    return sa.and_(
        _tickets.c.org_id == viewer.org_id,
        _tickets.c.closed_at.is_(None),
        _tickets.c.lat.between(box.south, box.north),
        _tickets.c.lon.between(box.west, box.east),
        reads.visible_to(viewer),
    )


def _tickets_in(
    connection: Connection, viewer: Actor, box: Box, datum: Datum
) -> tuple[int, Iterable[Feature]]:
    rows = connection.execute(
        sa.select(*_COLUMNS)
        .where(_on_map(viewer, box))
        .order_by(_tickets.c.priority, _tickets.c.opened_at, _tickets.c.id)
        .limit(MOST_TICKETS + 1)
    ).all()
    count = len(rows)
    if count > MOST_TICKETS:
        count = connection.execute(
            sa.select(sa.func.count()).select_from(_tickets).where(_on_map(viewer, box))
        ).scalar_one()
    return count, (_ticket_feature(row, datum) for row in rows[:MOST_TICKETS])


def _ticket_feature(row: Any, datum: Datum) -> Feature:
    return _feature(
        row.id,
        shown_at(datum, row.lat, row.lon),
        no=row.no,
        title=row.title,
        version=row.version,
        priority=row.priority,
        vip=row.is_vip,
        due=None if row.due_at is None else instant_text(row.due_at),
        stage=row.stage,
        region_id=row.region_id,
        assignee_id=row.assignee_id,
    )


def _positions(connection: Connection, viewer: Actor, people: Iterable[Base]) -> Mapping[int, Position]:
    """Where these are, as far as the viewer may know."""
    return positions.last_positions(
        connection,
        [
            each.technician_id
            for each in people
            if each.technician_id == viewer.technician_id
            or policy.allows(viewer, "position.view", region_id=each.region_id)
        ],
    )


def _placed(
    offer: OfferView,
    base: Base,
    position: Position | None,
    spot: tuple[float, float] | None,
    travel: Travel,
    datum: Datum,
) -> Placed:
    lat, lon = (base.lat, base.lon) if position is None else (position.lat, position.lon)
    kilometres = None if spot is None else distance_km(lat, lon, *spot)
    shown_lat, shown_lon = shown_at(datum, lat, lon)
    return Placed(
        offer=offer,
        lat=shown_lat,
        lon=shown_lon,
        is_live=position is not None,
        taken_at=None if position is None else position.taken_at,
        way_km=None if kilometres is None else round(kilometres, 2),
        eta_minutes=None if kilometres is None else eta_minutes(travel, kilometres),
    )


def _nearest_outlets(
    connection: Connection, viewer: Actor, spot: tuple[float, float], travel: Travel, datum: Datum
) -> tuple[NearOutlet, ...]:
    """The sites people go out from, the nearest first; of two equally near the older one."""
    away = sorted(
        (distance_km(site.lat, site.lon, *spot), site.id, site)
        for site in _seen_sites(connection, viewer)
        if site.kind is not SiteKind.HQ
    )
    near = []
    for kilometres, site_id, site in away[:NEAREST_OUTLETS]:
        lat, lon = shown_at(datum, site.lat, site.lon)
        minutes = eta_minutes(travel, kilometres)
        near.append(NearOutlet(site_id, site.name, site.kind, lat, lon, round(kilometres, 2), minutes))
    return tuple(near)


def _seen_sites(connection: Connection, viewer: Actor) -> list[SiteOnMap]:
    return [
        site
        for site in places.sites(connection, viewer.org_id, with_customers=False)
        if policy.allows(viewer, "board.view", region_id=site.region_id)
    ]


def _site_feature(site: SiteOnMap, datum: Datum) -> Feature:
    return _feature(
        site.id,
        shown_at(datum, site.lat, site.lon),
        name=dict(site.name),
        code=site.code,
        kind=site.kind.value,
        address=site.address,
        region_id=site.region_id,
    )


def _territories(connection: Connection, viewer: Actor, datum: Datum) -> Iterable[Feature]:
    for territory in bases.drawn_territories(connection, viewer.org_id):
        if policy.allows(viewer, "board.view", region_id=territory.region_id):
            ring = [shown_at(datum, lat, lon) for lon, lat in territory.outline]
            corners = [[round(lon, 6), round(lat, 6)] for lat, lon in ring]
            if corners[0] != corners[-1]:
                corners.append(corners[0])
            yield {
                "type": "Feature",
                "id": territory.id,
                "properties": {"name": dict(territory.name), "region_id": territory.region_id},
                "geometry": {"type": "Polygon", "coordinates": [corners]},
            }


def _feature(number: int, place: tuple[float, float], **properties: Any) -> Feature:
    lat, lon = place
    return {
        "type": "Feature",
        "id": number,
        "properties": properties,
        "geometry": {"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]},
    }


def _collection(features: Iterable[Feature]) -> Features:
    return {"type": "FeatureCollection", "features": list(features)}
