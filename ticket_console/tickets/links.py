"""Links between tickets, and the family a ticket belongs to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ticket_console.kernel import ids
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.reads import visible_to
from ticket_console.tickets.tables import Ticket, TicketLink

_links = table(TicketLink)
_tickets = table(Ticket)

_ONE: Final = ["from_id", "to_id", "kind"]
_ADD: Final = {
    "sqlite": sqlite.insert(_links).on_conflict_do_nothing(index_elements=_ONE),
    "postgresql": postgresql.insert(_links).on_conflict_do_nothing(index_elements=_ONE),
}


@dataclass(frozen=True, slots=True)
class LinkedTicket:
    """`is_outgoing`: the linked ticket came from the one that was asked about."""

    ticket_id: int
    no: str
    title: str
    kind: str
    stage: str
    status: TicketStatus
    is_outgoing: bool
    at: datetime


def add(
    connection: Connection, *, from_id: int, to_id: int, kind: str, at: datetime, command_id: str
) -> None:
    """Link two tickets; a link that is there already stays as it is."""
    row = {
        "id": ids.take("row"),
        "from_id": from_id,
        "to_id": to_id,
        "kind": kind,
        "at": at,
        "command_id": command_id,
    }
    connection.execute(_ADD[connection.dialect.name], row)


def links_of(connection: Connection, viewer: Actor, ticket_id: int) -> tuple[LinkedTicket, ...]:
    """The tickets linked with one, the oldest link first; those the viewer may not see are left out."""
    found: list[LinkedTicket] = []
    for near, far, is_outgoing in (
        (_links.c.from_id, _links.c.to_id, True),
        (_links.c.to_id, _links.c.from_id, False),
    ):
        rows = connection.execute(
            sa.select(
                _tickets.c.id,
                _tickets.c.no,
                _tickets.c.title,
                _links.c.kind,
                _tickets.c.stage,
                _tickets.c.status,
                _links.c.at,
            )
            .join(_tickets, _tickets.c.id == far)
            .where(near == ticket_id, _tickets.c.org_id == viewer.org_id, visible_to(viewer))
        )
        found += [
            LinkedTicket(row.id, row.no, row.title, row.kind, row.stage, row.status, is_outgoing, row.at)
            for row in rows
        ]
    return tuple(sorted(found, key=lambda each: (each.at, each.ticket_id)))


def ancestors(connection: Connection, ticket_id: int, *, most: int) -> int:
    """How many tickets this one descends from, counted up to `most`."""
    count = 0
    parent: int | None = ticket_id
    while count < most:
        parent = connection.execute(sa.select(_tickets.c.parent_id).where(_tickets.c.id == parent)).scalar()
        if parent is None:
            return count
        count += 1
    return count
