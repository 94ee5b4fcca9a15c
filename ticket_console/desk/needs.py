"""What a ticket's step takes from whoever is sent: the one place where a task is described to dispatch."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.customers import reads as customers
from ticket_console.desk.work import Work, facts_of
from ticket_console.dispatch import offers
from ticket_console.dispatch.eligibility import Need
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import HandlerMode
from ticket_console.tickets import reads

# What is asked of a ticket's row.
_COLUMNS: Final = (
    "region_id",
    "territory_id",
    "lat",
    "lon",
    "priority",
    "ticket_class",
    "customer_id",
    "asset_id",
    "due_at",
    "is_vip",
)


def need_of(work: Work, token_id: int, skill: str | None) -> Need:
    """What a step of the ticket at work takes."""
    ticket = {column: work.draft.get(column) for column in _COLUMNS}
    return need_of_row(
        work.connection,
        {**ticket, "org_id": work.actor.org_id, "id": work.ticket_id},
        token_id=token_id,
        skill=skill,
        is_new=token_id not in work.tokens,
    )


def need_of_row(
    connection: Connection,
    ticket: Mapping[str, Any],
    *,
    token_id: int,
    skill: str | None,
    brand: str | None = None,
    is_new: bool = False,
) -> Need:
    """What a step takes, from the ticket's row; `brand` spares the question to who asked for many at once,
    and `is_new` who could have refused a step that begins just now."""
    asset_id = ticket["asset_id"]
    if brand is None and asset_id is not None:
        brand = customers.brands_of(connection, (asset_id,)).get(asset_id)
    return Need(
        org_id=ticket["org_id"],
        ticket_id=ticket["id"],
        token_id=token_id,
        region_id=ticket["region_id"],
        territory_id=ticket["territory_id"],
        lat=ticket["lat"],
        lon=ticket["lon"],
        skill=skill,
        priority=ticket["priority"],
        ticket_class=ticket["ticket_class"],
        customer_id=ticket["customer_id"],
        asset_id=asset_id,
        brand=brand,
        due_at=ticket["due_at"],
        is_vip=ticket["is_vip"],
        refused_by={} if is_new else offers.refused_by(connection, token_id),
    )


def needs_of(connection: Connection, ticket: Mapping[str, Any]) -> tuple[Need, ...]:
    """What each open step of a technician takes, from the ticket's row; none where no step is theirs."""
    graph = flow_reads.compiled(connection, ticket["flow_version_id"])
    facts = facts_of(connection, ticket)
    return tuple(
        need_of_row(connection, ticket, token_id=token["id"], skill=handler.skill)
        for token in reads.live_tokens(connection, ticket["id"])
        if (handler := graph.handler_of(token["node_key"], facts)) is not None
        and handler.mode is HandlerMode.TECHNICIAN
    )
