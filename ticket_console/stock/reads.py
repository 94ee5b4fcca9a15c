"""The parts there are, for forms and menus."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy, projection
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.stock.tables import Part

_parts = table(Part)


@dataclass(frozen=True, slots=True)
class PartView:
    """A part; its cost is None for those who may not read costs."""

    sku: str
    name: LocalText
    uom: str
    unit_cost_minor: int | None
    currency: str


def parts(connection: Connection, viewer: Actor) -> tuple[PartView, ...]:
    """Every part of the organisation, by number."""
    policy.require(viewer, "ticket.view")
    reads_cost = "cost" in projection.readable(viewer)
    rows = connection.execute(
        sa.select(_parts).where(_parts.c.org_id == viewer.org_id).order_by(_parts.c.sku)
    )
    return tuple(
        PartView(
            sku=row.sku,
            name=row.name,
            uom=row.uom,
            unit_cost_minor=row.unit_cost_minor if reads_cost else None,
            currency=row.currency,
        )
        for row in rows
    )
