"""The parts there are, for forms and menus."""

from collections.abc import Collection, Mapping
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


def part_names(connection: Connection, org_id: int, skus: Collection[str]) -> Mapping[str, LocalText]:
    """The names of those parts that the organisation has."""
    rows = connection.execute(
        sa.select(_parts.c.sku, _parts.c.name).where(
            _parts.c.org_id == org_id, _parts.c.sku.in_(sorted(skus))
        )
    )
    return {row.sku: row.name for row in rows}
