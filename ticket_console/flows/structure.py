"""What follows from the shape of a graph: parallel branches and joins, shortest ways on, where edges land.

Computed once per graph. A graph that is not valid still gets a structure (a designer shows drafts); what is
wrong with its parallel parts is listed in `crossings`.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ticket_console.flows.elements import WAITING_KINDS, Edge, EdgeKind, Join, Node, NodeKind
from ticket_console.kernel.errors import FieldProblem

Branches = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """`branches`: for each node the split edges it lies under, outermost first.

    `join_of` and `split_of` pair parallel nodes. `least_weight` is the least weight still to be done from a
    node, itself included, to the end of its region: the join of its branch (not included) or an end.
    `landings` names, for each edge, the waiting and end nodes its follower may come to rest at.
    """

    branches: Mapping[str, Branches]
    join_of: Mapping[str, str]
    split_of: Mapping[str, str]
    least_weight: Mapping[str, int]
    landings: Mapping[str, tuple[str, ...]]
    crossings: tuple[FieldProblem, ...]


def structure_of(
    nodes: Mapping[str, Node],
    forward: Mapping[str, tuple[Edge, ...]],
    edges: tuple[Edge, ...],
    cancelled: frozenset[str],
) -> Structure:
    """`cancelled` are the end nodes that mean the ticket was given up: they are no way to finish."""
    regions = _Regions(nodes, forward)
    regions.walk(edges)
    return Structure(
        branches=regions.branches,
        join_of=regions.join_of,
        split_of={join: split for split, join in regions.join_of.items()},
        least_weight=_least_weights(nodes, forward, regions.join_of, cancelled),
        landings=_landings(nodes, forward, edges),
        crossings=tuple(regions.problems),
    )


def is_split(node: Node) -> bool:
    return node.kind is NodeKind.PARALLEL and node.join is None


def is_join(node: Node) -> bool:
    return node.kind is NodeKind.PARALLEL and node.join is not None


class _Regions:
    """Walks the graph once and notes under which split edges every node lies."""

    def __init__(self, nodes: Mapping[str, Node], forward: Mapping[str, tuple[Edge, ...]]) -> None:
        self.nodes = nodes
        self.forward = forward
        self.branches: dict[str, Branches] = {}
        self.join_of: dict[str, str] = {}
        self.problems: list[FieldProblem] = []
        self._joined: dict[str, set[str]] = {}
        self._split_of_branch: dict[str, str] = {}

    def walk(self, edges: tuple[Edge, ...]) -> None:
        for node in self.nodes.values():
            if node.kind is NodeKind.START:
                self._spread(node.key, ())
        # A node reached only by a return or a rejection belongs to the branch it is reached from.
        pending = [edge for edge in edges if edge.kind in (EdgeKind.RETURN, EdgeKind.REJECT)]
        while reached := [
            edge
            for edge in pending
            if edge.source in self.branches and edge.target in self.nodes and edge.target not in self.branches
        ]:
            self._spread(reached[0].target, self.branches[reached[0].source])
        self._check_joins()

    def _spread(self, start: str, under: Branches) -> None:
        self.branches[start] = under
        queue = deque([start])
        while queue:
            node = self.nodes[queue.popleft()]
            for edge in self.forward.get(node.key, ()):
                target = self.nodes.get(edge.target)
                if target is None:
                    continue
                below = self.branches[node.key]
                if is_split(node):
                    below = (*below, edge.key)
                    self._split_of_branch[edge.key] = node.key
                arrived = self._arrive(edge, target, below)
                if arrived is None:
                    continue
                if target.key not in self.branches:
                    self.branches[target.key] = arrived
                    queue.append(target.key)
                elif self.branches[target.key] != arrived and target.kind is not NodeKind.END:
                    self.problems.append(FieldProblem(f"edges.{edge.key}", "flow.branches_cross"))

    def _arrive(self, edge: Edge, target: Node, below: Branches) -> Branches | None:
        if not is_join(target):
            return below
        if not below:
            self.problems.append(FieldProblem(f"edges.{edge.key}", "flow.join_without_split"))
            return None
        split = self._split_of_branch[below[-1]]
        if self.join_of.setdefault(split, target.key) != target.key:
            self.problems.append(FieldProblem(f"nodes.{split}", "flow.several_joins"))
        if any(join == target.key and other != split for other, join in self.join_of.items()):
            self.problems.append(FieldProblem(f"nodes.{target.key}", "flow.several_splits"))
        self._joined.setdefault(split, set()).add(below[-1])
        return below[:-1]

    def _check_joins(self) -> None:
        for key in self.branches:
            if not is_split(self.nodes[key]):
                continue
            if key not in self.join_of:
                self.problems.append(FieldProblem(f"nodes.{key}", "flow.split_without_join"))
                continue
            self.problems += [
                FieldProblem(f"edges.{edge.key}", "flow.branch_misses_join")
                for edge in self.forward.get(key, ())
                if edge.key not in self._joined[key]
            ]


def _least_weights(
    nodes: Mapping[str, Node],
    forward: Mapping[str, tuple[Edge, ...]],
    join_of: Mapping[str, str],
    cancelled: frozenset[str],
) -> dict[str, int]:
    least = dict.fromkeys(nodes, math.inf)
    _relax(least, nodes, forward, join_of, (key for key in nodes if key not in cancelled))
    _relax(least, nodes, forward, join_of, (key for key, weight in least.items() if weight == math.inf))
    return {key: 0 if weight == math.inf else int(weight) for key, weight in least.items()}


def _relax(
    least: dict[str, float],
    nodes: Mapping[str, Node],
    forward: Mapping[str, tuple[Edge, ...]],
    join_of: Mapping[str, str],
    open_keys: Iterable[str],
) -> None:
    """Shortest ways by repeated improvement; only `open_keys` may change, the others stand as they are."""
    keys = list(open_keys)[::-1]
    for _ in range(len(nodes) + 1):
        changed = False
        for key in keys:
            node = nodes[key]
            ways = [
                0.0 if is_join(nodes[edge.target]) else least[edge.target]
                for edge in forward.get(key, ())
                if edge.target in nodes
            ]
            on = _onward(node, ways, least, nodes, join_of)
            if max(node.weight, 0) + on < least[key]:
                least[key], changed = max(node.weight, 0) + on, True
        if not changed:
            return


def _onward(
    node: Node,
    ways: list[float],
    least: Mapping[str, float],
    nodes: Mapping[str, Node],
    join_of: Mapping[str, str],
) -> float:
    if node.kind is NodeKind.END:
        return 0.0
    if not ways:
        return math.inf
    if not is_split(node) or node.key not in join_of:
        return min(ways)
    join = nodes[join_of[node.key]]
    return (min(ways) if join.join is Join.ANY else sum(ways)) + least[join.key]


def _landings(
    nodes: Mapping[str, Node], forward: Mapping[str, tuple[Edge, ...]], edges: Iterable[Edge]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for edge in edges:
        seen: dict[str, None] = {}
        stack = [edge.target]
        while stack:
            key = stack.pop()
            if key in seen or key not in nodes:
                continue
            seen[key] = None
            if nodes[key].kind not in WAITING_KINDS:
                stack.extend(onward.target for onward in reversed(forward.get(key, ())))
        found[edge.key] = tuple(
            key for key in seen if nodes[key].kind in WAITING_KINDS or nodes[key].kind is NodeKind.END
        )
    return found
