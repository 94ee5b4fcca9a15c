"""Who changed tickets last, and how: for who looks again after a while."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.kernel.database import table
from ticket_console.tickets.tables import Event

_events = table(Event)
# What follows from something else, or says nothing about who does a step and when.
_BESIDE: Final = ("ticket.commented", "ticket.attached", "ticket.notice_due", "ticket.webhook_due")


@dataclass(frozen=True, slots=True)
class LastChange:
    """`what` is the event's type, which is also the key of its sentence."""

    who: str
    what: str
    when: datetime


def last_changes(connection: Connection, since: Mapping[int, int]) -> dict[int, LastChange]:
    """By ticket, the last change after the version given; the word for the command, not its consequences.

    Tickets that were not changed since are not mentioned.
    """
    if not since:
        return {}
    rows = connection.execute(
        sa.select(
            _events.c.ticket_id, _events.c.ticket_version, _events.c.type, _events.c.actor_name, _events.c.at
        )
        .where(
            _events.c.ticket_id.in_(sorted(since)),
            _events.c.ticket_version > min(since.values()),
            _events.c.ordinal == 0,
        )
        .order_by(_events.c.seq)
    )
    found: dict[int, LastChange] = {}
    for row in rows:
        if row.ticket_version <= since[row.ticket_id]:
            continue
        if row.type in _BESIDE and row.ticket_id in found:
            continue
        found[row.ticket_id] = LastChange(row.actor_name, row.type, row.at)
    return found
