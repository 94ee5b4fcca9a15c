"""The stages a card may be moved to, as its menu offers them: worked out once for all cards alike."""

from typing import Any, Final

from ticket_console.access import policy
from ticket_console.flows.elements import Act, EdgeKind, HandlerMode, Node
from ticket_console.flows.graph import Graph
from ticket_console.kernel.actor import Actor, ActorKind, Role
from ticket_console.kernel.canonical import parse_json
from ticket_console.tickets.actions import Complete
from ticket_console.tickets.marking import Marking
from ticket_console.tickets.moves import Move, preview, reachable_moves

# Moves of a ticket at one step depend on the flow, the step and what the asker is to the ticket alone, so
# cards of one lane share them. Graphs live as long as the process and never change; the table is bounded
# by flows x nodes x roles.
_shared_moves: dict[tuple[int, str, frozenset[Role], bool], list[dict[str, str]]] = {}


def card_moves(graph: Graph, row: Any, viewer: Actor) -> list[dict[str, str]]:
    """The lanes an open card may be dropped on, by which edge, and what the drop has to be accompanied by.

    The row has the marking as it is kept, as text.
    """
    if viewer.kind is not ActorKind.USER:
        return []
    is_own = row.assignee_id is not None and row.assignee_id == viewer.technician_id
    # Somebody may have one role here and another elsewhere: what counts is what reaches this ticket.
    asker = policy.over_row(viewer, region_id=row.region_id, ticket_class=row.ticket_class, is_own=is_own)
    kept = parse_json(row.marking)
    tokens = kept["tokens"]
    if len(tokens) != 1:
        return _moves_of(graph, Marking.of_json(kept), asker, is_own)
    key = (id(graph), tokens[0]["node_key"], asker.roles, is_own)
    moves = _shared_moves.get(key)
    if moves is None:
        marking = Marking.of_json(kept)
        moves = _shared_moves[key] = _moves_of(graph, marking, asker, is_own)
    return moves


_PERMISSION: Final = {EdgeKind.CANCEL: "ticket.cancel"}


def _moves_of(graph: Graph, marking: Marking, asker: Actor, is_own: bool) -> list[dict[str, str]]:
    moves: dict[str, dict[str, str]] = {}
    for move in reachable_moves(graph, marking):
        if not policy.allows(asker, _PERMISSION.get(move.kind, "ticket.act")):
            continue
        token = None if move.token_id is None else marking.token(move.token_id)
        node = None if token is None else graph.node_by_key[token.node_key]
        if node is not None and not _may(asker, node, move.kind, is_own):
            continue
        if move.kind is EdgeKind.CANCEL and _denies_cancel(graph, marking, asker):
            continue
        needs = "reason" if move.kind is not EdgeKind.FORWARD else "none"
        if node is not None and move.kind is EdgeKind.FORWARD:
            needs = "form" if node.evidence or any(use.required for use in node.fields) else "none"
        for stage in _stages_of(graph, marking, move):
            # The first way to a lane wins: forward comes before back.
            moves.setdefault(
                stage, {"to": stage, "edge": move.edge_key or "", "kind": move.kind.value, "needs": needs}
            )
    return list(moves.values())


def _denies_cancel(graph: Graph, marking: Marking, asker: Actor) -> bool:
    steps = (graph.node_by_key[token.node_key] for token in marking.active())
    return any(step.denies(asker.roles, Act.CANCEL) for step in steps)


def _stages_of(graph: Graph, marking: Marking, move: Move) -> list[str]:
    """Where a move leads; several lanes where entries not yet made decide."""
    if move.to_stage is not None:
        return [move.to_stage]
    if move.kind is EdgeKind.FORWARD and move.token_id is not None and len(marking.active()) > 1:
        # The others are still at work: the card goes, or stays, where they are.
        stage = preview(graph, marking, Complete(move.token_id, move.edge_key), {})
        return [] if stage is None else [stage]
    landings = graph.structure.landings.get(move.edge_key or "", ())
    return [graph.node_by_key[key].stage for key in landings]


_ACT: Final = {EdgeKind.FORWARD: Act.COMPLETE, EdgeKind.RETURN: Act.RETURN, EdgeKind.REJECT: Act.REJECT}


def _may(asker: Actor, node: Node, kind: EdgeKind, is_own: bool) -> bool:
    """What the command will decide, without reading the step's row."""
    handlers = node.possible_handlers
    is_own_step = is_own and any(handler.mode is HandlerMode.TECHNICIAN for handler in handlers)
    granted = [grant for grant in node.grants if grant.role in asker.roles]
    if granted:
        return any(
            _ACT[kind] in grant.acts and (is_own_step or grant.role != Role.TECHNICIAN) for grant in granted
        )
    if is_own_step or asker.roles & {Role.MANAGER, Role.DISPATCHER}:
        return True
    return any(handler.mode is HandlerMode.QUEUE and handler.role in asker.roles for handler in handlers)
