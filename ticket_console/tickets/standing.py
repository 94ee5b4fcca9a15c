"""How long tickets stand at their present steps, and from when on that is too long."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.flows.elements import Node
from ticket_console.flows.graph import Graph
from ticket_console.kernel.database import table
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.tables import TokenRow

_tokens = table(TokenRow)

_STANDING = sa.select(_tokens.c.ticket_id, _tokens.c.node_key, _tokens.c.entered_at).where(
    _tokens.c.ticket_id.in_(sa.bindparam("ids", expanding=True)), _tokens.c.state == TokenState.ACTIVE
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a ticket has several steps open, the one it stands at longest, and the first target of all."""

    since: datetime
    late_at: datetime | None = None


def late_at(node: Node, entered_at: datetime) -> datetime | None:
    """When a step is over its own time target; None for one that has none."""
    minutes = None if node.targets is None else node.targets.finish_minutes
    return None if minutes is None else entered_at + timedelta(minutes=minutes)


def standing_of(connection: Connection, graphs: Mapping[int, Graph]) -> dict[int, Standing]:
    """Where the open ones of these tickets stand, given the flow each is on."""
    found: dict[int, Standing] = {}
    for ticket_id, node_key, entered_at in connection.execute(_STANDING, {"ids": list(graphs)}):
        due = late_at(graphs[ticket_id].node_by_key[node_key], entered_at)
        known = found.get(ticket_id)
        if known is None:
            found[ticket_id] = Standing(entered_at, due)
        else:
            dues = [each for each in (known.late_at, due) if each is not None]
            found[ticket_id] = Standing(min(known.since, entered_at), min(dues, default=None))
    return found
