"""Territories by name, for lists and lanes."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.text import LocalText
from ticket_console.people.tables import Territory

_territories = table(Territory)


class TerritoryNotFound(NotFound):
    code = "people.territory_not_found"


@dataclass(frozen=True, slots=True)
class AreaView:
    id: int
    region_id: int
    name: LocalText


def areas(connection: Connection, viewer: Actor, *, permission: str = "board.view") -> tuple[AreaView, ...]:
    """The territories of the viewer's regions, region by region."""
    rows = connection.execute(
        sa.select(_territories.c.id, _territories.c.region_id, _territories.c.name)
        .where(_territories.c.org_id == viewer.org_id)
        .order_by(_territories.c.region_id, _territories.c.id)
    )
    scope = policy.row_scope(viewer, permission)
    everywhere = any(part.region_ids is None for part in scope.parts)
    return tuple(AreaView(*row) for row in rows if everywhere or row.region_id in scope.region_ids)


def area(connection: Connection, org_id: int, territory_id: int) -> AreaView:
    row = connection.execute(
        sa.select(_territories.c.id, _territories.c.region_id, _territories.c.name).where(
            _territories.c.org_id == org_id, _territories.c.id == territory_id
        )
    ).first()
    if row is None:
        raise TerritoryNotFound(territory_id=territory_id)
    return AreaView(*row)


def area_names(connection: Connection, org_id: int) -> dict[int, LocalText]:
    rows = connection.execute(
        sa.select(_territories.c.id, _territories.c.name).where(_territories.c.org_id == org_id)
    )
    return {row.id: row.name for row in rows}
