"""Running tickets that a change of their flow would meet: who stands where, and what waits there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.clocks import timers
from ticket_console.desk.replay.reading import visible_to
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.diff import GraphDiff
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.tables import Ticket, TokenRow

_tickets, _tokens = table(Ticket), table(TokenRow)

SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class StandingTicket:
    ticket_id: int
    no: str
    title: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on one node: how many tickets, the oldest of them, and how many timers wait there."""

    node_key: str
    count: int
    tickets: tuple[StandingTicket, ...]
    timers: int


def standing_on(
    connection: Connection, *, viewer: Actor, flow_code: str, version_ids: Collection[int] | None = None
) -> Mapping[str, Standing]:
    """The running tickets of a flow's versions by the node they stand on, of those the viewer may see."""
    policy.require(viewer, "flow.manage")
    versions = {each.id for each in flow_reads.versions_of(connection, viewer.org_id, flow_code)}
    wanted = versions if version_ids is None else versions & set(version_ids)
    condition = sa.and_(
        _tickets.c.org_id == viewer.org_id,
        _tickets.c.status == TicketStatus.OPEN,
        _tickets.c.flow_version_id.in_(sorted(wanted)),
        _tokens.c.state.in_([TokenState.ACTIVE, TokenState.WAITING]),
        visible_to(viewer),
    )
    joined = _tokens.join(_tickets, _tickets.c.id == _tokens.c.ticket_id)
    place = sa.func.row_number().over(
        partition_by=_tokens.c.node_key, order_by=(_tickets.c.opened_at, _tickets.c.id)
    )
    count = sa.func.count().over(partition_by=_tokens.c.node_key)
    ranked = (
        sa.select(
            _tokens.c.node_key,
            _tickets.c.id,
            _tickets.c.no,
            _tickets.c.title,
            place.label("place"),
            count.label("standing"),
        )
        .select_from(joined)
        .where(condition)
        .subquery()
    )
    counts: dict[str, int] = {}
    shown: dict[str, list[StandingTicket]] = {}
    rows = connection.execute(sa.select(ranked).where(ranked.c.place <= SHOWN).order_by(ranked.c.place))
    for row in rows:
        counts[row.node_key] = row.standing
        shown.setdefault(row.node_key, []).append(StandingTicket(row.id, row.no, row.title))
    tokens = sa.select(_tokens.c.id).select_from(joined).where(condition)
    armed = timers.armed_by_node(connection, tokens)
    return {
        key: Standing(key, number, tuple(shown[key]), armed.get(key, 0)) for key, number in counts.items()
    }


def met_by(difference: GraphDiff, standing: Mapping[str, Standing]) -> tuple[Standing, ...]:
    """Of the nodes that would work differently, those on which somebody stands."""
    return tuple(standing[key] for key in sorted(difference.touched_nodes) if key in standing)
