"""How far a ticket is, in basis points: weight passed / (weight passed + least weight still ahead).

Progress never falls, except across a return or a rejection, and is 10000 exactly when the ticket is closed.
The least weight ahead is that of the shortest way that finishes the work; with several tokens in parallel
branches it counts the branches that a join still waits for (the shortest ones where it needs only some).
"""

from collections.abc import Iterable, Sequence

from ticket_console.flows.graph import Graph
from ticket_console.flows.structure import branches_needed
from ticket_console.tickets.marking import Token, TokenState

COMPLETE_BP = 10_000


def progress_bp(graph: Graph, passed: Iterable[str], tokens: Sequence[Token]) -> int:
    """Progress of an open ticket: below 10000 however little is left."""
    nodes = graph.node_by_key
    behind = sum(nodes[key].weight for key in passed)
    ahead = _ahead(graph, tokens, 0)
    if behind + ahead == 0:
        return 0
    return min(behind * COMPLETE_BP // (behind + ahead), COMPLETE_BP - 1)


def _ahead(graph: Graph, tokens: Sequence[Token], depth: int) -> int:
    """Weight still ahead of tokens that share their first `depth` forks, up to the end of that region."""
    first = tokens[0] if tokens else None
    if first is None:
        return 0
    if len(first.forks) == depth:
        return graph.structure.least_weight[first.node_key]
    branches: dict[str, list[Token]] = {}
    for token in tokens:
        branches.setdefault(token.forks[depth].branch, []).append(token)
    split = graph.edge_by_key[first.forks[depth].branch].source
    join = graph.node_by_key[graph.structure.join_of[split]]
    inside = sorted(_ahead_in_branch(graph, group, depth + 1) for group in branches.values())
    within = sum(inside[: branches_needed(join, len(inside))])
    return within + graph.structure.least_weight[join.key]


def _ahead_in_branch(graph: Graph, tokens: Sequence[Token], depth: int) -> int:
    arrived = tokens[0].state is TokenState.WAITING and len(tokens[0].forks) == depth
    return 0 if arrived else _ahead(graph, tokens, depth)
