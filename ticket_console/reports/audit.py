"""Who did what and when, over all tickets and everything beside them; and whether a history is whole.

Every look is bounded by a range of time and a page, and reads along the index of organisation and time.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit_search, policy
from ticket_console.access.audit_search import Before
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.tickets import reads as ticket_reads
from ticket_console.tickets.numbers import ids_within, numbers
from ticket_console.tickets.tables import Event
from ticket_console.tickets.writing import TicketNotFound

PAGE: Final = 50
LONGEST: Final = timedelta(days=366)
_events: Final = table(Event)


class Trail(StrEnum):
    """Where a deed was written down."""

    TICKET = "ticket"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done. `what` is a translation key; a ticket's deed names it, others name a subject."""

    trail: Trail
    id: int
    at: datetime
    actor: str
    actor_name: str
    what: str
    ticket_id: int | None
    ticket_no: str | None
    subject: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where the next page begins, in both trails."""

    at: datetime
    trail: Trail
    id: int


@dataclass(frozen=True, slots=True)
class Asked:
    """`who` is a part of a name, `what` a type or its kind, `ticket_no` a whole number."""

    since: datetime
    until: datetime
    who: str = ""
    what: str = ""
    ticket_no: str = ""


@dataclass(frozen=True, slots=True)
class Deeds:
    deeds: tuple[Deed, ...]
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """`broken_at` is the number of the first event that does not follow, None where all do."""

    ticket_id: int
    ticket_no: str
    events: int
    broken_at: int | None


def search(
    connection: Connection, viewer: Actor, asked: Asked, *, after: Cursor | None = None, limit: int = PAGE
) -> Deeds:
    """The newest deeds first. A viewer of some regions sees those on their tickets, and no others.

    Ranges longer than a year are cut at their start. Raises TicketNotFound for a number the viewer
    does not know.
    """
    policy.require(viewer, "audit.view")
    since = max(asked.since, asked.until - LONGEST)
    found = list(_of_tickets(connection, viewer, asked, since, after, limit + 1))
    if not asked.ticket_no:
        found = list(
            heapq.merge(found, _of_console(connection, viewer, asked, since, after, limit + 1), key=_newest)
        )
    shown = tuple(found[:limit])
    last = shown[-1] if len(found) > limit else None
    return Deeds(shown, None if last is None else Cursor(last.at, last.trail, last.id))


def check_chain(connection: Connection, viewer: Actor, *, ticket_no: str) -> ChainCheck:
    """Whether the history of a ticket is as it was written; raises TicketNotFound."""
    policy.require(viewer, "audit.view")
    ticket_id = _ticket_id(connection, viewer, ticket_no)
    broken = ticket_reads.verify_chain(connection, ticket_id)
    events = connection.execute(
        sa.select(sa.func.count()).select_from(_events).where(_events.c.ticket_id == ticket_id)
    ).scalar_one()
    return ChainCheck(ticket_id, ticket_no, events, None if broken is None else broken.seq)


def _newest(deed: Deed) -> tuple[float, int, int]:
    return (-deed.at.timestamp(), _RANK[deed.trail], -deed.id)


# Of one instant, tickets come first: a page that ends among them begins there again.
_RANK: Final = {Trail.TICKET: 0, Trail.CONSOLE: 1}


def _of_tickets(
    connection: Connection, viewer: Actor, asked: Asked, since: datetime, after: Cursor | None, limit: int
) -> tuple[Deed, ...]:
    query = (
        sa.select(
            _events.c.seq,
            _events.c.at,
            _events.c.actor,
            _events.c.actor_name,
            _events.c.type,
            _events.c.ticket_id,
            _events.c.payload,
        )
        .where(_events.c.org_id == viewer.org_id, _events.c.at >= since, _events.c.at < asked.until)
        .order_by(_events.c.at.desc(), _events.c.seq.desc())
        .limit(limit)
    )
    scope = policy.row_scope(viewer, "audit.view")
    if not scope.everything:
        query = query.where(_events.c.ticket_id.in_(ids_within(viewer.org_id, scope)))
    if asked.ticket_no:
        query = query.where(_events.c.ticket_id == _ticket_id(connection, viewer, asked.ticket_no))
    if asked.who:
        query = query.where(sa.func.lower(_events.c.actor_name).contains(asked.who.lower(), autoescape=True))
    if asked.what:
        query = query.where(
            sa.or_(_events.c.type == asked.what, _events.c.type.startswith(f"{asked.what}.", autoescape=True))
        )
    if after is not None:
        older = _events.c.at < after.at
        if after.trail is Trail.TICKET:
            older = sa.or_(older, sa.and_(_events.c.at == after.at, _events.c.seq < after.id))
        query = query.where(older)
    rows = connection.execute(query).all()
    nos = numbers(connection, (row.ticket_id for row in rows))
    return tuple(
        Deed(
            trail=Trail.TICKET,
            id=row.seq,
            at=row.at,
            actor=row.actor,
            actor_name=row.actor_name,
            what=row.type,
            ticket_id=row.ticket_id,
            ticket_no=nos.get(row.ticket_id),
            subject="",
            payload=row.payload,
        )
        for row in rows
    )


def _of_console(
    connection: Connection, viewer: Actor, asked: Asked, since: datetime, after: Cursor | None, limit: int
) -> tuple[Deed, ...]:
    before = None
    if after is not None:
        # The deeds on tickets of that instant came first, so all entries of it are still to come.
        before = Before(after.at, after.id if after.trail is Trail.CONSOLE else None)
    entries = audit_search.search(
        connection,
        viewer=viewer,
        since=since,
        until=asked.until,
        who=asked.who,
        action=asked.what,
        before=before,
        limit=limit,
    )
    return tuple(
        Deed(
            trail=Trail.CONSOLE,
            id=entry.id,
            at=entry.at,
            actor=entry.actor,
            actor_name=entry.actor_name,
            what=f"audit.deed.{entry.action}",
            ticket_id=None,
            ticket_no=None,
            subject=entry.subject,
            payload=entry.payload,
        )
        for entry in entries
    )


def _ticket_id(connection: Connection, viewer: Actor, ticket_no: str) -> int:
    """The ticket of a number within what the viewer audits."""
    ticket_id = ticket_reads.ticket_id_by_no(connection, viewer=viewer, no=ticket_no)
    row = ticket_reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    if not policy.allows(viewer, "audit.view", region_id=row["region_id"], ticket_class=row["ticket_class"]):
        raise TicketNotFound(ticket_no=ticket_no)
    return ticket_id
