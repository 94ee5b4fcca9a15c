"""What is known of somebody on the phone, so that a ticket need not be typed twice."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.customers import matching
from ticket_console.customers import reads as customers
from ticket_console.customers.matching import CustomerNotFound, MatchedCustomer
from ticket_console.customers.reads import ContextView
from ticket_console.kernel.actor import Actor


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
    """A customer the viewer may open a ticket for; raises CustomerNotFound for any other."""
    reachable_customer(connection, viewer, customer_id)
    context = customers.context(connection, viewer, customer_id, None, at=at)
    known = {}
    for asset in context.assets:
        found = customers.find_asset(connection, viewer.org_id, asset.serial)
        place = None if found is None or found.site_id is None else _place(connection, found.site_id)
        if place is not None:
            known[asset.id] = place
    return KnownCaller(context, known)


def reachable_customer(connection: Connection, viewer: Actor, customer_id: int) -> MatchedCustomer:
    """The customer of a number that a caller named; a customer of other regions does not exist for them."""
    found = matching.by_id(connection, viewer.org_id, customer_id)
    for part in policy.row_scope(viewer, "ticket.open").parts:
        if not part.own and (part.region_ids is None or found.region_id in part.region_ids):
            return found
    raise CustomerNotFound(customer_id=customer_id)


def _place(connection: Connection, site_id: int) -> KnownPlace | None:
    site = places.find_site_by_id(connection, site_id)
    return None if site is None else KnownPlace(site.code, site.address, site.lat, site.lon)
