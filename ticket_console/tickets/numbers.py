"""Tickets as other rooms point at them: a number to show, and a scope to stay within."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access.policy import RowScope
from ticket_console.kernel.database import table
from ticket_console.tickets.scoping import row_condition
from ticket_console.tickets.tables import Ticket

_tickets = table(Ticket)


def numbers(connection: Connection, ticket_ids: Iterable[int]) -> Mapping[int, str]:
    wanted = sorted(set(ticket_ids))
    if not wanted:
        return {}
    rows = connection.execute(sa.select(_tickets.c.id, _tickets.c.no).where(_tickets.c.id.in_(wanted)))
    return {row.id: row.no for row in rows}


def ids_within(org_id: int, scope: RowScope) -> sa.Select[tuple[int]]:
    """The tickets of a scope as a subquery; nobody owns a ticket here, so parts for own rows reach none."""
    return sa.select(_tickets.c.id).where(
        _tickets.c.org_id == org_id,
        row_condition(
            scope, region=_tickets.c.region_id, ticket_class=_tickets.c.ticket_class, own=sa.false()
        ),
    )
