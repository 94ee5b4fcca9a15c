"""The territories of a region, drawn on the map."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText
from ticket_console.people.facts import find_territory
from ticket_console.people.tables import Territory
from ticket_console.people.territories import area_of

_MOST_POINTS: Final = 20_000
_territories = table(Territory)


class TerritoryExists(Conflict):
    code = "people.territory_exists"


def draw_territory(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    code: str,
    name: LocalText,
    region_id: int,
    outline: Sequence[Sequence[float]] | None = None,
) -> int:
    """A new territory: a ring of [lon, lat] pairs, or without an outline the whole region."""
    policy.require(actor, "user.manage", region_id=region_id)
    if all(region.id != region_id for region in places.regions(connection, actor.org_id)):
        raise InvalidInput((FieldProblem("region_id", "people.unknown_region", {"id": region_id}),))
    if outline is not None and not _is_ring(outline):
        raise InvalidInput((FieldProblem("outline", "people.not_an_outline"),))
    if find_territory(connection, org_id=actor.org_id, code=code) is not None:
        raise TerritoryExists(territory=code)
    statement = sa.insert(_territories).values(
        org_id=actor.org_id,
        region_id=region_id,
        code=code,
        name=name,
        outline=None if outline is None else [[float(lon), float(lat)] for lon, lat in outline],
        version=1,
    )
    key = connection.execute(statement).inserted_primary_key
    territory_id = int(key[0]) if key is not None else 0
    audit.record(
        connection,
        at=at,
        actor=actor,
        action="territory.drawn",
        subject=f"territory:{territory_id}",
        payload={"code": code, "region_id": region_id},
        command_id=command_id,
    )
    return territory_id


def _is_ring(outline: Sequence[Sequence[float]]) -> bool:
    """At least three corners on the globe that enclose something."""
    if not 3 <= len(outline) <= _MOST_POINTS or any(len(point) != 2 for point in outline):
        return False
    if any(not (-180 <= lon <= 180 and -90 <= lat <= 90) for lon, lat in outline):
        return False
    return area_of(0, 0, outline).extent > 0
