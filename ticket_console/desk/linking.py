"""Opening the tickets that a flow asks for beside its own."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ticket_console.access import places
from ticket_console.desk.opening import TITLE_LENGTH, NewTicket, OpenedTicket, Origin, open_ticket
from ticket_console.desk.work import finish, take_up
from ticket_console.kernel.actor import Actor, system_actor
from ticket_console.kernel.database import reading, retried, transaction
from ticket_console.kernel.errors import Conflict
from ticket_console.tickets import links, writing
from ticket_console.tickets.writing import AlreadyApplied

# Flows that open each other's tickets would go on for ever.
MOST_ANCESTORS: Final = 5


class TooManyGenerations(Conflict):
    code = "ticket.too_many_generations"


def open_linked(
    *, org_id: int, at: datetime, command_id: str, ticket_id: int, order: Mapping[str, Any]
) -> OpenedTicket:
    """Open what a flow ordered for a ticket's customer and place, link the two, and note it on the first.

    `order` is {"template", "title", "values", "link"}, and may bring a "description". Safe to repeat with
    the same `command_id`. Raises what opening raises, and TooManyGenerations.
    """
    actor = system_actor(org_id)
    with reading() as connection:
        row = writing.read_ticket(connection, org_id=org_id, ticket_id=ticket_id)
        if links.ancestors(connection, ticket_id, most=MOST_ANCESTORS) == MOST_ANCESTORS:
            raise TooManyGenerations(limit=MOST_ANCESTORS)
        region_code = None if row["region_id"] is None else places.region(connection, row["region_id"]).code
    opened = open_ticket(
        actor=actor,
        at=at,
        command_id=command_id,
        request=NewTicket(
            template_code=order["template"],
            title=order["title"][:TITLE_LENGTH],
            description=order.get("description", ""),
            values=order["values"],
            provenance=dict.fromkeys(order["values"], "rule"),
            customer_id=row["customer_id"],
            asset_id=row["asset_id"],
            contact_name=row["contact_name"],
            contact_phone=row["contact_phone"],
            lat=row["lat"],
            lon=row["lon"],
            address=row["address"],
            region_code=region_code,
            source="flow",
            origin=Origin(ticket_id, row["root_id"], order["link"]),
        ),
    )
    note_linked(
        actor=actor,
        at=at,
        command_id=f"{command_id}:noted",
        ticket_id=ticket_id,
        event="ticket.linked",
        facts={"link": order["link"], "linked_id": opened.ticket_id, "linked_no": opened.no},
    )
    return opened


@retried
def note_linked(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    event: str,
    facts: Mapping[str, Any],
) -> None:
    """Write into a ticket's history what became of one that its flow ordered."""
    with transaction() as connection:
        try:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=None,
                permission="ticket.comment",
            )
        except AlreadyApplied:
            return
        work.draft.say(event, **facts)
        finish(work)
