"""Whom a ticket's step could be given to, before anybody decides."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.desk.work import facts_of
from ticket_console.dispatch import choosing, deciding, panel
from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.dispatch.eligibility import Need, judge
from ticket_console.dispatch.panel import OfferView, ReasonView
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import HandlerMode
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.people import reads as people_reads
from ticket_console.tickets import reads
from ticket_console.tickets.tables import Ticket

tickets = table(Ticket)


def offers_for(
    connection: Connection, *, viewer: Actor, ticket_id: int, at: datetime
) -> tuple[OfferView, ...]:
    """Everybody the viewer may send to the ticket's open step of a technician, the best first.

    Empty where no step waits for a technician.
    """
    row = reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    need = _need(connection, row)
    return () if need is None else dispatch_reads.offers(connection, viewer, need, at=at)


def obstacles(
    connection: Connection, *, viewer: Actor, ticket_ids: Iterable[int], at: datetime
) -> dict[int, tuple[ReasonView, ...]]:
    """What keeps a technician from claiming each of these tickets: nothing, for those they may take.

    Tickets that wait for no technician are absent. Whether the tickets are the viewer's to see is not
    asked: they are those `my_work` found up for claim.
    """
    wanted = sorted(set(ticket_ids))
    if viewer.technician_id is None or not wanted:
        return {}
    people, loads = choosing.read_standing(connection, viewer.org_id, at=at)
    me = people.by_id.get(viewer.technician_id)
    if me is None:
        return {}
    skills = {each.code: each.name for each in people_reads.skills(connection, viewer.org_id)}
    open_count = loads.get(me.technician_id, 0)
    found = {}
    for row in connection.execute(
        sa.select(tickets).where(tickets.c.id.in_(wanted), tickets.c.org_id == viewer.org_id)
    ):
        need = _need(connection, row._asdict())
        if need is not None:
            on = people.local_day(at, need.region_id)
            failures = judge(me, need, at=at, on=on, open_count=open_count)
            scored = deciding.score_of(me, need, on=on, open_count=open_count)
            found[need.ticket_id] = panel.offer_view(me.name, scored, failures, skills).failures
    return found


def _need(connection: Connection, row: Mapping[str, Any]) -> Need | None:
    """What the ticket's open step of a technician takes; None where there is none."""
    graph = flow_reads.compiled(connection, row["flow_version_id"])
    facts = facts_of(connection, row)
    for token in reads.live_tokens(connection, row["id"]):
        handler = graph.handler_of(token["node_key"], facts)
        if handler is not None and handler.mode is HandlerMode.TECHNICIAN:
            return Need(
                org_id=row["org_id"],
                ticket_id=row["id"],
                token_id=token["id"],
                region_id=row["region_id"],
                territory_id=row["territory_id"],
                lat=row["lat"],
                lon=row["lon"],
                skill=handler.skill,
                priority=row["priority"],
            )
    return None
