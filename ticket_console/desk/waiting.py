"""What a dispatcher does about work that nobody has: who could take it, and looking for somebody again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk.assigning import NothingToAssign, dispatch_again
from ticket_console.desk.moving import WhichStep
from ticket_console.desk.work import facts_of
from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.panel import OfferView
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import HandlerMode
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden
from ticket_console.kernel.text import LocalText
from ticket_console.people import reads as people
from ticket_console.tickets import reads

# How many tickets one push of the button looks at; the most urgent come first.
MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class TicketOffers:
    """Everybody a dispatcher may send to a ticket, the fittest first, and the version they look at."""

    ticket_id: int
    no: str
    title: str
    version: int
    skill: LocalText | None
    offers: tuple[OfferView, ...]


@dataclass(frozen=True, slots=True)
class LookedAgain:
    tried: int
    found: int


def offers_for(connection: Connection, *, viewer: Actor, ticket_id: int, at: datetime) -> TicketOffers:
    """Who could do the step of a ticket that waits for a technician.

    Raises NothingToAssign where no step does, WhichStep where several do.
    """
    row = reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    _require_assign(viewer, row)
    token, skill = _technician_step(connection, row)
    need = Need(
        org_id=row["org_id"],
        ticket_id=ticket_id,
        token_id=token["id"],
        region_id=row["region_id"],
        territory_id=row["territory_id"],
        lat=row["lat"],
        lon=row["lon"],
        skill=skill,
        priority=row["priority"],
    )
    names = {each.code: each.name for each in people.skills(connection, row["org_id"])}
    return TicketOffers(
        ticket_id=ticket_id,
        no=row["no"],
        title=row["title"],
        version=row["version"],
        skill=None if skill is None else names.get(skill, {"zh": skill, "en": skill}),
        offers=dispatch_reads.offers(connection, viewer, need, at=at),
    )


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


def _technician_step(connection: Connection, row: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None]:
    graph = flow_reads.compiled(connection, row["flow_version_id"])
    facts = facts_of(connection, row)
    steps = [
        (token, handler.skill)
        for token in reads.live_tokens(connection, row["id"])
        if (handler := graph.handler_of(token["node_key"], facts)) is not None
        and handler.mode is HandlerMode.TECHNICIAN
    ]
    if not steps:
        raise NothingToAssign(ticket_no=row["no"])
    if len(steps) > 1:
        raise WhichStep(steps=len(steps))
    return steps[0]
