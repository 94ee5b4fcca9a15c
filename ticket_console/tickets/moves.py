"""Which ways a ticket could go from here: the buttons of its page, and the lanes a card may be dropped on."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from ticket_console.flows.elements import HANDLED_KINDS, EdgeKind, StageCategory
from ticket_console.flows.graph import Graph
from ticket_console.tickets.actions import Action, IllegalMove
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking, TicketStatus, Token

_OFFERED = (EdgeKind.FORWARD, EdgeKind.RETURN, EdgeKind.REJECT)


@dataclass(frozen=True, slots=True)
class Move:
    """One edge a token could leave by; cancelling the ticket is a move of no token.

    `to_node` and `to_stage` say where the follower comes to rest. They are `None` where that depends on facts
    (a gateway that leads to different nodes, or stages) or on parallel work not yet done: `preview` knows.
    """

    token_id: int | None
    edge_key: str | None
    kind: EdgeKind
    to_node: str | None
    to_stage: str | None


def reachable_moves(graph: Graph, marking: Marking) -> tuple[Move, ...]:
    """Every move a person could ask for, in token and edge order; empty once the ticket is finished."""
    if marking.status is not TicketStatus.OPEN:
        return ()
    moves = [
        _move(graph, marking, token, edge.key, kind)
        for token in marking.active()
        if graph.node_by_key[token.node_key].kind in HANDLED_KINDS
        for kind in _OFFERED
        for edge in graph.edges_from(token.node_key, kind)
    ]
    return (*moves, _cancel_move(graph, marking))


def _move(graph: Graph, marking: Marking, token: Token, edge_key: str, kind: EdgeKind) -> Move:
    landings = graph.structure.landings[edge_key]
    if kind is EdgeKind.FORWARD and _waits_for_siblings(graph, marking, token, landings):
        return Move(token.id, edge_key, kind, None, None)
    stages = {graph.node_by_key[key].stage for key in landings}
    return Move(
        token_id=token.id,
        edge_key=edge_key,
        kind=kind,
        to_node=landings[0] if len(landings) == 1 else None,
        to_stage=stages.pop() if len(stages) == 1 else None,
    )


def _waits_for_siblings(graph: Graph, marking: Marking, token: Token, landings: tuple[str, ...]) -> bool:
    """Whether the way leads past the join of a fork in which others are still at work."""
    depth = min((len(graph.structure.branches[key]) for key in landings), default=0)
    if depth >= len(token.forks):
        return False
    fork = token.forks[depth].id
    return any(
        other is not token and len(other.forks) > depth and other.forks[depth].id == fork
        for other in marking.active()
    )


def _cancel_move(graph: Graph, marking: Marking) -> Move:
    for token in marking.tokens:
        for edge in graph.edges_from(token.node_key, EdgeKind.CANCEL):
            return Move(None, edge.key, EdgeKind.CANCEL, edge.target, graph.node_by_key[edge.target].stage)
    return Move(None, None, EdgeKind.CANCEL, None, _cancelled_stage(graph))


def _cancelled_stage(graph: Graph) -> str | None:
    return next((stage.key for stage in graph.stages if stage.category is StageCategory.CANCELLED), None)


def stage_of(graph: Graph, marking: Marking) -> str | None:
    """The lane of a ticket: of its active tokens the one least far along, or the end it reached."""
    if marking.ended_at is not None:
        return graph.node_by_key[marking.ended_at].stage
    if marking.status is TicketStatus.CANCELLED:
        return _cancelled_stage(graph)
    stages = {graph.node_by_key[token.node_key].stage for token in marking.active()}
    return next((stage.key for stage in graph.stages if stage.key in stages), None)


def preview(graph: Graph, marking: Marking, action: Action, facts: Mapping[str, object]) -> str | None:
    """The stage the ticket would be in after an action, or `None` where the engine refuses it."""
    highest = max((token.id for token in marking.tokens), default=0)
    ids = count(highest + 1)
    try:
        step = advance(graph, marking, action, facts=facts, new_token_id=lambda: next(ids))
    except IllegalMove:
        return None
    return stage_of(graph, step.marking)
