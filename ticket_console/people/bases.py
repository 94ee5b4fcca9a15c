"""Where people start from, and the outlines they serve: what a map shows of the roster."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people.reads import in_scope
from ticket_console.people.tables import Technician, Territory

_technicians = table(Technician)
_territories = table(Territory)


@dataclass(frozen=True, slots=True)
class Base:
    """A technician with the place they start from."""

    technician_id: int
    name: str
    region_id: int
    lat: float
    lon: float
    level: int
    capacity: int
    is_on_duty: bool


@dataclass(frozen=True, slots=True)
class DrawnTerritory:
    """A territory with its ring of [lon, lat]."""

    id: int
    region_id: int
    code: str
    name: LocalText
    outline: list[list[float]]


def bases(connection: Connection, viewer: Actor) -> tuple[Base, ...]:
    """The working technicians of the viewer's regions, by name."""
    rows = connection.execute(
        sa.select(
            _technicians.c.id,
            _technicians.c.name,
            _technicians.c.region_id,
            _technicians.c.lat,
            _technicians.c.lon,
            _technicians.c.level,
            _technicians.c.capacity,
            _technicians.c.is_on_duty,
        )
        .where(
            _technicians.c.org_id == viewer.org_id,
            _technicians.c.is_active,
            in_scope(viewer, "board.view"),
        )
        .order_by(_technicians.c.name, _technicians.c.id)
    )
    return tuple(Base(*row) for row in rows)


def drawn_territories(connection: Connection, org_id: int) -> tuple[DrawnTerritory, ...]:
    """The territories that have an outline."""
    rows = connection.execute(
        sa.select(
            _territories.c.id,
            _territories.c.region_id,
            _territories.c.code,
            _territories.c.name,
            _territories.c.outline,
        )
        .where(_territories.c.org_id == org_id)
        .order_by(_territories.c.id)
    )
    return tuple(DrawnTerritory(*row) for row in rows if row.outline is not None)
