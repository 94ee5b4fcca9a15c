"""Who plays in the demo: the office, the technicians and the customers, read from the database."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import actors
from ticket_console.access.tables import Region, Site, UserAccount
from ticket_console.customers.tables import Asset, Customer, CustomerIdentity, CustomerKind, ProductModel
from ticket_console.demo.company import OFFICE
from ticket_console.intake.receiving import channel_actor
from ticket_console.kernel.actor import Actor, Role
from ticket_console.kernel.database import table
from ticket_console.people.tables import Technician

_users, _technicians = table(UserAccount), table(Technician)
_customers, _assets, _models = table(Customer), table(Asset), table(ProductModel)
_identities, _sites, _regions = table(CustomerIdentity), table(Site), table(Region)


@dataclass(frozen=True, slots=True)
class OwnedAsset:
    family: str
    model: str
    serial: str
    warranty_until: date | None


@dataclass(frozen=True, slots=True)
class Caller:
    """A customer who may ask for something, and where they are found."""

    customer_id: int
    name: str
    phone: str
    wechat: str
    is_company: bool
    site_code: str
    address: str
    lat: float
    lon: float
    region: str
    assets: tuple[OwnedAsset, ...]

    def owned(self, family: str) -> OwnedAsset | None:
        return next((asset for asset in self.assets if asset.family == family), None)


@dataclass(frozen=True, slots=True)
class Cast:
    """`office` has one actor for each role of the head office, `technicians` one for each technician id."""

    org_id: int
    office: Mapping[Role, Actor]
    technicians: Mapping[int, Actor]
    callers: tuple[Caller, ...]

    def channel(self, name: str) -> Actor:
        return channel_actor(self.org_id, name)


_OFFICE_LOGINS: Final = {role: login for login, _, role, region, classes in OFFICE if not (region or classes)}
_PEOPLE: Final = (
    sa.select(_technicians.c.id, _technicians.c.user_id)
    .where(_technicians.c.org_id == sa.bindparam("org_id"), _technicians.c.user_id.is_not(None))
    .order_by(_technicians.c.id)
)
_OWNED: Final = (
    sa.select(
        _customers.c.id,
        _customers.c.name,
        _customers.c.phone,
        _identities.c.external_id.label("wechat"),
        _customers.c.kind,
        _sites.c.code.label("site"),
        _sites.c.address,
        _sites.c.lat,
        _sites.c.lon,
        _regions.c.code.label("region"),
        _models.c.family,
        _models.c.name.label("model"),
        _assets.c.serial,
        _assets.c.warranty_until,
    )
    .join(
        _identities,
        sa.and_(_identities.c.customer_id == _customers.c.id, _identities.c.channel == "wechat"),
    )
    .join(_assets, _assets.c.customer_id == _customers.c.id)
    .join(_models, _models.c.id == _assets.c.model_id)
    .join(_sites, _sites.c.id == _assets.c.site_id)
    .join(_regions, _regions.c.id == _sites.c.region_id)
    .where(_customers.c.org_id == sa.bindparam("org_id"))
    .order_by(_customers.c.id, _assets.c.id)
)


def read_cast(connection: Connection, org_id: int) -> Cast | None:
    """The cast of an organisation; None where the people of the demo are not all there."""
    found = connection.execute(
        sa.select(_users.c.login).where(
            _users.c.org_id == org_id,
            _users.c.is_enabled,
            _users.c.login.in_(sorted(_OFFICE_LOGINS.values())),
        )
    ).scalars()
    if set(found) != set(_OFFICE_LOGINS.values()):
        return None
    return Cast(
        org_id=org_id,
        office={role: actors.actor_by_login(connection, login) for role, login in _OFFICE_LOGINS.items()},
        technicians={
            row.id: actors.load_actor(connection, row.user_id)
            for row in connection.execute(_PEOPLE, {"org_id": org_id}).all()
        },
        callers=_callers(connection, org_id),
    )


def _callers(connection: Connection, org_id: int) -> tuple[Caller, ...]:
    owned: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(_OWNED, {"org_id": org_id}):
        owned[row.id].append(row)
    return tuple(_caller(rows) for rows in owned.values())


def _caller(rows: list[Any]) -> Caller:
    first = rows[0]
    return Caller(
        customer_id=first.id,
        name=first.name,
        phone=first.phone,
        wechat=first.wechat,
        is_company=first.kind is CustomerKind.COMPANY,
        site_code=first.site,
        address=first.address,
        lat=first.lat,
        lon=first.lon,
        region=first.region,
        assets=tuple(OwnedAsset(row.family, row.model["zh"], row.serial, row.warranty_until) for row in rows),
    )
