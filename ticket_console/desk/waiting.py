"""What a dispatcher does about work that nobody has: who could take it, and looking for somebody again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ticket_console.access import policy
from ticket_console.desk.assigning import dispatch_again
from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden
from ticket_console.tickets import reads

# How many tickets one push of the button looks at; the most urgent come first.
MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class LookedAgain:
    tried: int
    found: int


def look_again(*, actor: Actor, at: datetime, command_id: str, ticket_id: int) -> bool:
    """Look for the best technician once more; false where nobody may take it yet, or it is taken by now."""
    with reading() as connection:
        row = reads.find_ticket(connection, viewer=actor, ticket_id=ticket_id)
    _require_assign(actor, row)
    return dispatch_again(at=at, org_id=actor.org_id, ticket_id=ticket_id, command_id=command_id)


def look_again_at_all(*, actor: Actor, at: datetime, command_id: str) -> LookedAgain:
    """Look once more for everything that waits in the actor's regions, the most urgent first."""
    policy.require(actor, "ticket.assign")
    with reading() as connection:
        queue = dispatch_reads.unassigned_queue(connection, actor, limit=MOST_AT_ONCE)
    tried = found = 0
    for waiting in queue.waiting:
        own_id = f"{command_id}:{waiting.ticket_id}"
        try:
            found += look_again(actor=actor, at=at, command_id=own_id, ticket_id=waiting.ticket_id)
        except Forbidden:
            # Seen on the board, but not the actor's to give away.
            continue
        tried += 1
    return LookedAgain(tried, found)


def _require_assign(actor: Actor, row: Mapping[str, Any]) -> None:
    policy.require(actor, "ticket.assign", region_id=row["region_id"], ticket_class=row["ticket_class"])
