"""Whom a ticket's step could be given to, before anybody decides."""

from datetime import datetime

from sqlalchemy.engine import Connection

from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.panel import OfferView
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import HandlerMode
from ticket_console.kernel.actor import Actor
from ticket_console.tickets import reads


def offers_for(
    connection: Connection, *, viewer: Actor, ticket_id: int, at: datetime
) -> tuple[OfferView, ...]:
    """Everybody the viewer may send to the ticket's open step of a technician, the best first.

    Empty where no step waits for a technician.
    """
    row = reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    graph = flow_reads.compiled(connection, row["flow_version_id"])
    for token in reads.live_tokens(connection, ticket_id):
        handler = graph.node_by_key[token["node_key"]].handler
        if handler is not None and handler.mode is HandlerMode.TECHNICIAN:
            need = Need(
                org_id=row["org_id"],
                ticket_id=ticket_id,
                token_id=token["id"],
                region_id=row["region_id"],
                territory_id=row["territory_id"],
                lat=row["lat"],
                lon=row["lon"],
                skill=handler.skill,
                priority=row["priority"],
            )
            return dispatch_reads.offers(connection, viewer, need, at=at)
    return ()
