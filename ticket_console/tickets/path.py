"""The way a ticket really took through its flow, read from its history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.flows import reads as flow_reads
from ticket_console.flows.graph import Graph
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.tickets import reads
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.tables import Event

_events = table(Event)


class How(StrEnum):
    """What moved a ticket on; SKIPPED and MOVED are done by hand, beside the flow."""

    OPENED = "opened"
    COMPLETED = "completed"
    RETURNED = "returned"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    MOVED = "moved"
    WAITED = "waited"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    MIGRATED = "migrated"


_HOW: Final = {
    "ticket.opened": How.OPENED,
    "ticket.step_completed": How.COMPLETED,
    "ticket.returned": How.RETURNED,
    "ticket.rejected": How.REJECTED,
    "ticket.step_skipped": How.SKIPPED,
    "ticket.step_moved": How.MOVED,
    "ticket.timer_fired": How.WAITED,
    "ticket.timed_out": How.TIMED_OUT,
    "ticket.cancelled": How.CANCELLED,
    "ticket.migrated": How.MIGRATED,
    "ticket.migration_reverted": How.MIGRATED,
}
_OVER: Final = frozenset({TokenState.DONE.value, TokenState.CANCELLED.value})


@dataclass(frozen=True, slots=True)
class Stay:
    """A visit to a step. `node_key` is the node as it is drawn: one within a sub-flow is that sub-flow's.

    `cut_short`: it ended with somebody else's step, or with the whole ticket.
    """

    token_id: int
    node_key: str
    name: LocalText
    entered_at: datetime
    left_at: datetime | None = None
    cut_short: bool = False

    def lasted(self, at: datetime) -> timedelta:
        return (self.left_at or at) - self.entered_at


@dataclass(frozen=True, slots=True)
class Leg:
    """One move: from which step, along which of the drawn edges, to which visits.

    One made by hand to another step follows no edge; nor does a move within a sub-flow follow a drawn one.
    """

    number: int
    how: How
    at: datetime
    who: str
    reason: str
    from_name: LocalText | None
    edges: tuple[str, ...]
    to: tuple[Stay, ...]


@dataclass(frozen=True, slots=True)
class TicketPath:
    """`drawn` is the flow as its author drew it, in the version the ticket is on now."""

    drawn: Graph
    legs: tuple[Leg, ...]

    @property
    def stays(self) -> tuple[Stay, ...]:
        return tuple(stay for leg in self.legs for stay in leg.to)

    @property
    def here(self) -> tuple[str, ...]:
        """The drawn nodes the ticket stands at."""
        return tuple(dict.fromkeys(stay.node_key for stay in self.stays if stay.left_at is None))


def ticket_path(connection: Connection, *, viewer: Actor, ticket_id: int) -> TicketPath | None:
    """The way of a ticket the viewer may see; customers are told none of it.

    Raises TicketNotFound.
    """
    row = reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    if viewer.kind is ActorKind.CUSTOMER:
        return None
    history = _moves_of(connection, ticket_id)
    versions = {version for event in history if (version := _version_of(event)) is not None}
    graphs = {version: flow_reads.compiled(connection, version) for version in versions}
    return walked(history, graphs=graphs, drawn=flow_reads.drawn(connection, row["flow_version_id"]))


def _moves_of(connection: Connection, ticket_id: int) -> Sequence[Mapping[str, Any]]:
    query = (
        sa.select(_events.c.type, _events.c.payload, _events.c.actor_name, _events.c.at)
        .where(_events.c.ticket_id == ticket_id, _events.c.ordinal == 0, _events.c.type.in_(_HOW))
        .order_by(_events.c.seq)
    )
    return [row._asdict() for row in connection.execute(query)]


def _version_of(event: Mapping[str, Any]) -> int | None:
    """The version of the flow a ticket is on from an event on, where the event says so."""
    found = event["payload"]["delta"].get("ticket", {}).get("flow_version_id")
    return None if found is None else int(found)


@dataclass(slots=True)
class _Walk:
    graphs: Mapping[int, Graph]
    drawn: Graph
    version: int = 0
    stays: dict[int, Stay] = field(default_factory=dict)

    def name_of(self, node_key: str) -> LocalText:
        node = self.graphs[self.version].node_by_key.get(node_key)
        return {"zh": node_key, "en": node_key} if node is None else node.name

    def drawn_node(self, node_key: str) -> str:
        return node_key if node_key in self.drawn.node_by_key else node_key.partition(".")[0]


def walked(events: Iterable[Mapping[str, Any]], *, graphs: Mapping[int, Graph], drawn: Graph) -> TicketPath:
    """The way told by the first events of a ticket's commands, in their order.

    `graphs` are the versions the ticket has been on, as they run.
    """
    walk = _Walk(graphs, drawn)
    legs: list[tuple[Leg, tuple[int, ...]]] = []
    for event in events:
        payload, at = event["payload"], event["at"]
        left_name = walk.name_of(payload["node"]) if "node" in payload else None
        walk.version = _version_of(event) or walk.version
        entered = _tokens_moved(walk, payload["delta"].get("tokens", ()), at)
        way = payload.get("way", ())
        leg = Leg(
            number=len(legs) + 1,
            how=_HOW[event["type"]],
            at=at,
            who=event["actor_name"],
            reason=payload.get("reason", ""),
            from_name=left_name,
            edges=tuple(key for key in way if key in drawn.edge_by_key),
            to=(),
        )
        legs.append((leg, entered))
    return TicketPath(
        drawn,
        tuple(replace(leg, to=tuple(walk.stays[token] for token in entered)) for leg, entered in legs),
    )


def _tokens_moved(walk: _Walk, changes: Iterable[Mapping[str, Any]], at: datetime) -> tuple[int, ...]:
    """End the visits that a command ended, begin those it began, and say which these are."""
    begun = []
    for change in changes:
        token_id, state = change["id"], change.get("state")
        if "node_key" in change and state == TokenState.ACTIVE:
            key = change["node_key"]
            walk.stays[token_id] = Stay(token_id, walk.drawn_node(key), walk.name_of(key), at)
            begun.append(token_id)
        elif state in _OVER and token_id in walk.stays:
            is_cut = state == TokenState.CANCELLED
            walk.stays[token_id] = replace(walk.stays[token_id], left_at=at, cut_short=is_cut)
    return tuple(begun)
