"""What a ticket's step takes from whoever is sent: the one place where a task is described to dispatch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.customers import reads as customers
from ticket_console.desk.work import Work, facts_of
from ticket_console.dispatch import offers
from ticket_console.dispatch.eligibility import Need
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import HandlerMode
from ticket_console.tickets import reads
from ticket_console.tickets.tables import OwnerKind

# Rows asked for in one statement: SQLite takes so many values.
_AT_ONCE: Final = 500
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
    refused: Mapping[int, str] | None = None,
) -> Need:
    """What a step takes, from the ticket's row; `brand` and `refused` spare the questions to who asked for
    many at once, and `is_new` who could have refused a step that begins just now."""
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
        refused_by=_refused(connection, token_id, is_new) if refused is None else refused,
    )


def _refused(connection: Connection, token_id: int, is_new: bool) -> Mapping[int, str]:
    return {} if is_new else offers.refused_by(connection, token_id)


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


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A step of a technician that is to be done, and who has it now."""

    need: Need
    holder_id: int | None


def steps_of_many(connection: Connection, tickets: Sequence[Mapping[str, Any]]) -> tuple[OpenStep, ...]:
    """The open steps of technicians of many tickets, from their rows and in their order, read at once."""
    brands = customers.brands_of(
        connection, {row["asset_id"] for row in tickets if row["asset_id"] is not None}
    )
    tokens = reads.live_tokens_of(connection, [row["id"] for row in tickets])
    ids = [token["id"] for listed in tokens.values() for token in listed]
    refused: dict[int, dict[int, str]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        refused |= offers.refused_of(connection, ids[start : start + _AT_ONCE])
    found = []
    for row in tickets:
        graph = flow_reads.compiled(connection, row["flow_version_id"])
        for token in tokens.get(row["id"], ()):
            node = graph.node_by_key.get(token["node_key"])
            # Only a table of handlers asks about the ticket.
            facts = facts_of(connection, row) if node is not None and node.handlers else {}
            handler = graph.handler_of(token["node_key"], facts)
            if handler is None or handler.mode is not HandlerMode.TECHNICIAN:
                continue
            need = need_of_row(
                connection,
                row,
                token_id=token["id"],
                skill=handler.skill,
                brand=brands.get(row["asset_id"]),
                refused=refused.get(token["id"], {}),
            )
            is_held = token["owner_kind"] is OwnerKind.TECHNICIAN
            found.append(OpenStep(need, token["owner_id"] if is_held else None))
    return tuple(found)
