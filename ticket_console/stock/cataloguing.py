"""Entering parts into the catalogue."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText
from ticket_console.stock.tables import Part

_parts = table(Part)


class PartExists(Conflict):
    code = "stock.part_exists"


def add_part(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    sku: str,
    name: LocalText,
    uom: str,
    unit_cost_minor: int,
) -> int:
    """A new part, at its cost in the organisation's currency; costs enter settlement."""
    policy.require(actor, "rules.manage")
    problems = []
    for path, value, most in (("sku", sku, 64), ("uom", uom, 16)):
        if not value.strip():
            problems.append(FieldProblem(path, "field.required"))
        elif len(value) > most:
            problems.append(FieldProblem(path, "field.too_long", {"limit": most}))
    if unit_cost_minor < 0:
        problems.append(FieldProblem("unit_cost_minor", "field.too_small", {"min": 0}))
    if problems:
        raise InvalidInput(tuple(problems))
    known = sa.select(_parts.c.id).where(_parts.c.org_id == actor.org_id, _parts.c.sku == sku)
    if connection.execute(known).first() is not None:
        raise PartExists(sku=sku)
    statement = sa.insert(_parts).values(
        org_id=actor.org_id,
        sku=sku,
        name=name,
        uom=uom,
        unit_cost_minor=unit_cost_minor,
        currency=places.org(connection, actor.org_id).currency,
    )
    key: Any = connection.execute(statement).inserted_primary_key
    audit.record(
        connection,
        at=at,
        actor=actor,
        action="part.added",
        subject=f"part:{key[0]}",
        payload={"sku": sku, "unit_cost_minor": unit_cost_minor},
        command_id=command_id,
    )
    return int(key[0])
