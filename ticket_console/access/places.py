"""Regions and sites as values: what other rooms need to know of a place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access.tables import Org, Region, Site, SiteKind
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText

_orgs = table(Org)
_regions = table(Region)
_sites = table(Site)


@dataclass(frozen=True, slots=True)
class RegionView:
    id: int
    code: str
    name: LocalText
    tz: str
    parent_id: int | None


@dataclass(frozen=True, slots=True)
class SiteView:
    id: int
    code: str
    name: LocalText
    region_id: int
    territory_id: int | None
    address: str
    lat: float
    lon: float
    tz: str


@dataclass(frozen=True, slots=True)
class OrgView:
    id: int
    code: str
    name: LocalText
    tz: str
    currency: str


_SITE: Final = sa.select(
    _sites.c.id,
    _sites.c.code,
    _sites.c.name,
    _sites.c.region_id,
    _sites.c.territory_id,
    _sites.c.address,
    _sites.c.lat,
    _sites.c.lon,
    _sites.c.tz,
)
_REGION: Final = sa.select(
    _regions.c.id, _regions.c.code, _regions.c.name, _regions.c.tz, _regions.c.parent_id
)


def find_site(connection: Connection, *, org_id: int, code: str) -> SiteView | None:
    row = connection.execute(_SITE.where(_sites.c.org_id == org_id, _sites.c.code == code)).first()
    return None if row is None else SiteView(*row)


def find_site_by_id(connection: Connection, site_id: int) -> SiteView | None:
    row = connection.execute(_SITE.where(_sites.c.id == site_id)).first()
    return None if row is None else SiteView(*row)


def find_region(connection: Connection, *, org_id: int, code: str) -> RegionView | None:
    row = connection.execute(_REGION.where(_regions.c.org_id == org_id, _regions.c.code == code)).first()
    return None if row is None else RegionView(*row)


def region(connection: Connection, region_id: int) -> RegionView:
    return RegionView(*connection.execute(_REGION.where(_regions.c.id == region_id)).one())


def regions(connection: Connection, org_id: int) -> tuple[RegionView, ...]:
    rows = connection.execute(_REGION.where(_regions.c.org_id == org_id).order_by(_regions.c.id))
    return tuple(RegionView(*row) for row in rows)


def org(connection: Connection, org_id: int) -> OrgView:
    row = connection.execute(
        sa.select(_orgs.c.id, _orgs.c.code, _orgs.c.name, _orgs.c.tz, _orgs.c.currency).where(
            _orgs.c.id == org_id
        )
    ).one()
    return OrgView(*row)


def org_ids(connection: Connection) -> tuple[int, ...]:
    return tuple(connection.execute(sa.select(_orgs.c.id).order_by(_orgs.c.id)).scalars())


def site_names(connection: Connection, site_ids: Iterable[int]) -> Mapping[int, LocalText]:
    wanted = sorted(set(site_ids))
    if not wanted:
        return {}
    rows = connection.execute(sa.select(_sites.c.id, _sites.c.name).where(_sites.c.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def site_zones(connection: Connection, org_id: int) -> Mapping[int, str]:
    """The IANA zone of every site, by id."""
    rows = connection.execute(sa.select(_sites.c.id, _sites.c.tz).where(_sites.c.org_id == org_id))
    return {row.id: row.tz for row in rows}


def zone_of(connection: Connection, *, org_id: int, region_id: int | None, site_id: int | None) -> str:
    """The IANA zone in which a ticket's work happens: of its site, else its region, else the organisation."""
    if site_id is not None:
        return str(connection.execute(sa.select(_sites.c.tz).where(_sites.c.id == site_id)).scalar_one())
    if region_id is not None:
        return region(connection, region_id).tz
    return org(connection, org_id).tz


@dataclass(frozen=True, slots=True)
class SiteOnMap:
    """A site of ours or of a customer's, as a map and a list of sites show it."""

    id: int
    region_id: int
    kind: SiteKind
    code: str
    name: LocalText
    address: str
    lat: float
    lon: float


def sites(connection: Connection, org_id: int, *, with_customers: bool) -> tuple[SiteOnMap, ...]:
    """Every site of the organisation's own by code, with its customers' or without."""
    wanted = _sites.c.org_id == org_id
    if not with_customers:
        wanted &= _sites.c.kind != SiteKind.CUSTOMER_SITE
    rows = connection.execute(
        sa.select(
            _sites.c.id,
            _sites.c.region_id,
            _sites.c.kind,
            _sites.c.code,
            _sites.c.name,
            _sites.c.address,
            _sites.c.lat,
            _sites.c.lon,
        )
        .where(wanted)
        .order_by(_sites.c.code, _sites.c.id)
    )
    return tuple(SiteOnMap(*row) for row in rows)
