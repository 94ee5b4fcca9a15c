"""What is first in a lane: a card is put between two others, and only its own row is written."""

from datetime import datetime

import sqlalchemy as sa

from ticket_console.access import policy
from ticket_console.desk.work import MovedTicket, Work, change
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, table
from ticket_console.kernel.errors import Forbidden
from ticket_console.tickets import ranks
from ticket_console.tickets.actions import TicketNotOpen
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.reads import visible_to
from ticket_console.tickets.tables import Ticket

_tickets = table(Ticket)


class OrderNotAllowed(Forbidden):
    """What is first in a lane is said by those who give out the work."""

    code = "board.order_not_allowed"


@retried
def reorder(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    before_id: int | None,
    after_id: int | None,
) -> MovedTicket:
    """Put a card between two others of its lane, or at an end where one of them is None.

    Cards of another priority say nothing of the place, nor do those the actor may not see. Where that leaves
    the card where it is, nothing is written.
    """

    def put(work: Work) -> bool:
        require_order(work)
        if not put_between(work, before_id, after_id):
            return False
        work.draft.say("ticket.reordered")
        return True

    return change(
        put,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="ticket.view",
    )


def require_order(work: Work) -> None:
    """Refuse who may not say what is first, and ended work, which lies in the order of its end."""
    if not may_order(work):
        raise OrderNotAllowed()
    status = work.draft.get("status")
    if status is not TicketStatus.OPEN:
        raise TicketNotOpen(status=status.value)


def may_order(work: Work) -> bool:
    get = work.draft.get
    return policy.allows(
        work.actor, "board.order", region_id=get("region_id"), ticket_class=get("ticket_class")
    )


def put_between(work: Work, before_id: int | None, after_id: int | None) -> bool:
    """Give the ticket the rank of a place; false where it keeps the one it has.

    Who may not say what is first moves cards as everybody does, and they keep their order.
    """
    if before_id is None and after_id is None:
        return False
    if work.draft.get("status") is not TicketStatus.OPEN or not may_order(work):
        return False
    wanted = [each for each in (before_id, after_id) if each is not None and each != work.ticket_id]
    neighbours = {
        row.id: row.rank
        for row in work.connection.execute(
            sa.select(_tickets.c.id, _tickets.c.rank).where(
                _tickets.c.org_id == work.actor.org_id,
                _tickets.c.id.in_(wanted),
                _tickets.c.priority_class == work.draft.get("priority_class"),
                visible_to(work.actor),
            )
        )
    }
    own = work.draft.get("rank")
    before = None if before_id is None else neighbours.get(before_id)
    after = None if after_id is None else neighbours.get(after_id)
    if (before is None or before < own) and (after is None or own < after):
        return False
    work.draft.columns["rank"] = ranks.between(before, after, own=own)
    return True
