"""What the other rooms must know of one technician or one territory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.kernel.database import table
from ticket_console.people.tables import Technician, Territory, Vendor

_technicians = table(Technician)
_territories = table(Territory)
_vendors = table(Vendor)


@dataclass(frozen=True, slots=True)
class TechnicianFacts:
    id: int
    name: str
    level: int
    region_id: int
    lat: float
    lon: float
    vendor_id: int | None = None


@dataclass(frozen=True, slots=True)
class TerritoryFacts:
    id: int
    region_id: int


_TECHNICIAN: Final = sa.select(
    _technicians.c.id,
    _technicians.c.name,
    _technicians.c.level,
    _technicians.c.region_id,
    _technicians.c.lat,
    _technicians.c.lon,
    _technicians.c.vendor_id,
)
_AGREEMENT: Final = sa.select(
    _vendors.c.is_active, _vendors.c.agreed_from, _vendors.c.agreed_until, _vendors.c.ticket_classes
).where(_vendors.c.id == sa.bindparam("vendor"))


def technician(connection: Connection, technician_id: int) -> TechnicianFacts:
    return TechnicianFacts(*connection.execute(_TECHNICIAN.where(_technicians.c.id == technician_id)).one())


def technicians(connection: Connection, org_id: int) -> Mapping[int, TechnicianFacts]:
    """Everybody there is or ever was, by id."""
    rows = connection.execute(_TECHNICIAN.where(_technicians.c.org_id == org_id))
    return {row.id: TechnicianFacts(*row) for row in rows}


def has_agreement(connection: Connection, vendor_id: int, *, ticket_class: str, day: date) -> bool:
    """Whether the agreement with a service partner covers work of a class on a day."""
    row = connection.execute(_AGREEMENT, {"vendor": vendor_id}).one()
    return (
        row.is_active
        and (row.agreed_from is None or row.agreed_from <= day)
        and (row.agreed_until is None or day < row.agreed_until)
        and (row.ticket_classes is None or ticket_class in row.ticket_classes)
    )


def find_territory(connection: Connection, *, org_id: int, code: str) -> TerritoryFacts | None:
    row = connection.execute(
        sa.select(_territories.c.id, _territories.c.region_id).where(
            _territories.c.org_id == org_id, _territories.c.code == code
        )
    ).first()
    return None if row is None else TerritoryFacts(*row)
