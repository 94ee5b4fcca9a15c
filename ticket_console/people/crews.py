"""Crews and service partners: what they are called, and who belongs to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.kernel.actor import Actor, Role
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.text import LocalText
from ticket_console.people.candidate import Post
from ticket_console.people.tables import Crew, Technician, Vendor

_crews = table(Crew)
_vendors = table(Vendor)
_technicians = table(Technician)

_VENDOR_OF: Final = sa.select(_technicians.c.vendor_id).where(_technicians.c.id == sa.bindparam("technician"))


class VendorNotFound(NotFound):
    code = "people.vendor_not_found"


@dataclass(frozen=True, slots=True)
class CrewView:
    id: int
    code: str
    name: LocalText
    region_id: int


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of a crew or a service partner."""

    technician_id: int
    name: str
    region_id: int
    crew_id: int | None
    vendor_id: int | None
    post: Post


def crews(connection: Connection, org_id: int) -> Mapping[int, CrewView]:
    """Every crew by its id."""
    rows = connection.execute(
        sa.select(_crews.c.id, _crews.c.code, _crews.c.name, _crews.c.region_id)
        .where(_crews.c.org_id == org_id)
        .order_by(_crews.c.id)
    )
    return {row.id: CrewView(*row) for row in rows}


def vendor_names(connection: Connection, org_id: int) -> Mapping[int, LocalText]:
    """The service partners we work with, by id."""
    rows = connection.execute(
        sa.select(_vendors.c.id, _vendors.c.name)
        .where(_vendors.c.org_id == org_id, _vendors.c.is_active)
        .order_by(_vendors.c.id)
    )
    return {row.id: row.name for row in rows}


def vendor_name(connection: Connection, org_id: int, vendor_id: int) -> LocalText:
    """What a service partner is called; VendorNotFound for one we do not work with."""
    found = vendor_names(connection, org_id).get(vendor_id)
    if found is None:
        raise VendorNotFound(vendor_id=vendor_id)
    return found


def vendor_of(connection: Connection, technician_id: int) -> int | None:
    """The service partner somebody works for; None for our own people."""
    found: int | None = connection.execute(_VENDOR_OF, {"technician": technician_id}).scalar()
    return found


def people_of_vendor(vendor_id: int) -> sa.Select[int]:
    """The ids of everybody who works for a service partner, to be asked within other statements."""
    return sa.select(_technicians.c.id).where(_technicians.c.vendor_id == vendor_id)


def members_of_vendor(connection: Connection, vendor_id: int) -> Sequence[int]:
    """The ids of those who work for a service partner at present."""
    active = people_of_vendor(vendor_id).where(_technicians.c.is_active).order_by(_technicians.c.id)
    return list(connection.execute(active).scalars())


def dispatches_for_vendor(actor: Actor) -> bool:
    """Whether the actor gives the work of their service partner to its people."""
    return actor.vendor_id is not None and Role.DISPATCHER in actor.roles


def members(
    connection: Connection,
    org_id: int,
    *,
    crew_id: int | None = None,
    technician_id: int | None = None,
) -> Sequence[Member]:
    """The people of a crew, or one person alone, those included who work here no longer."""
    query = sa.select(
        _technicians.c.id,
        _technicians.c.name,
        _technicians.c.region_id,
        _technicians.c.crew_id,
        _technicians.c.vendor_id,
        _technicians.c.post,
    ).where(_technicians.c.org_id == org_id)
    if crew_id is not None:
        query = query.where(_technicians.c.crew_id == crew_id)
    if technician_id is not None:
        query = query.where(_technicians.c.id == technician_id)
    return [Member(*row) for row in connection.execute(query.order_by(_technicians.c.id))]
