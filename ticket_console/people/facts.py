"""What the other rooms must know of one technician or one territory."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.kernel.database import table
from ticket_console.people.tables import Technician, Territory

_technicians = table(Technician)
_territories = table(Territory)


@dataclass(frozen=True, slots=True)
class TechnicianFacts:
    id: int
    name: str
    level: int
    region_id: int
    lat: float
    lon: float


@dataclass(frozen=True, slots=True)
class TerritoryFacts:
    id: int
    region_id: int


def technician(connection: Connection, technician_id: int) -> TechnicianFacts:
    row = connection.execute(
        sa.select(
            _technicians.c.id,
            _technicians.c.name,
            _technicians.c.level,
            _technicians.c.region_id,
            _technicians.c.lat,
            _technicians.c.lon,
        ).where(_technicians.c.id == technician_id)
    ).one()
    return TechnicianFacts(*row)


def find_territory(connection: Connection, *, org_id: int, code: str) -> TerritoryFacts | None:
    row = connection.execute(
        sa.select(_territories.c.id, _territories.c.region_id).where(
            _territories.c.org_id == org_id, _territories.c.code == code
        )
    ).first()
    return None if row is None else TerritoryFacts(*row)
