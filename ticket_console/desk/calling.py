"""What is known of somebody on the phone, so that a ticket need not be typed twice."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access.tables import Site
from ticket_console.customers import reads as customers
from ticket_console.customers.reads import ContextView
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table

_sites = table(Site)


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """Where a customer's device stands."""

    site_code: str
    address: str
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class KnownCaller:
    """A customer with what they own; `places` are those of the devices, by the device's id."""

    context: ContextView
    places: dict[int, KnownPlace]


def known_caller(connection: Connection, *, viewer: Actor, customer_id: int, at: datetime) -> KnownCaller:
    """A customer of the viewer's organisation; raises CustomerNotFound for any other."""
    context = customers.context(connection, viewer, customer_id, None, at=at)
    places = {}
    for asset in context.assets:
        found = customers.find_asset(connection, viewer.org_id, asset.serial)
        place = None if found is None or found.site_id is None else _place(connection, found.site_id)
        if place is not None:
            places[asset.id] = place
    return KnownCaller(context, places)


def _place(connection: Connection, site_id: int) -> KnownPlace | None:
    row = connection.execute(
        sa.select(_sites.c.code, _sites.c.address, _sites.c.lat, _sites.c.lon).where(_sites.c.id == site_id)
    ).first()
    return None if row is None else KnownPlace(*row)
