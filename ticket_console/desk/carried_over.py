"""Which tickets were moved to a version of their flow and can still be taken back."""

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.desk.migrating import MIGRATED, can_revert
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.tickets.tables import Event, Ticket

_tickets, _events = table(Ticket), table(Event)

# The newest of them: older moves have mostly been acted upon.
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class CarriedOver:
    ticket_id: int
    no: str
    version: int


def carried_over(connection: Connection, *, viewer: Actor, flow_version_id: int) -> tuple[CarriedOver, ...]:
    """The open tickets of this version that nobody acted upon since they came to it, the newest first.

    Needs `flow.manage`; only tickets that the viewer may see.
    """
    came = sa.exists().where(_events.c.ticket_id == _tickets.c.id, _events.c.type == MIGRATED)
    query = (
        sa.select(_tickets.c.id, _tickets.c.no, _tickets.c.version)
        .where(
            _tickets.c.org_id == viewer.org_id,
            _tickets.c.flow_version_id == flow_version_id,
            _tickets.c.closed_at.is_(None),
            came,
        )
        .order_by(_tickets.c.id.desc())
        .limit(_MOST)
    )
    rows = connection.execute(query).all()
    able = can_revert(connection, viewer=viewer, ticket_ids=[row.id for row in rows])
    return tuple(CarriedOver(row.id, row.no, row.version) for row in rows if row.id in able)
