"""What follows from the shape of a graph: parallel branches and joins, shortest ways on, where edges land.

Computed once per graph. A graph that is not valid still gets a structure (a designer shows drafts); what is
wrong with its parallel parts is listed in `crossings`.
"""

import math
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from ticket_console.flows.elements import FORKING_KINDS, WAITING_KINDS, Edge, EdgeKind, Join, Node, NodeKind
from ticket_console.kernel.errors import FieldProblem

Branches = tuple[str, ...]

_ASIDE = frozenset({EdgeKind.RETURN, EdgeKind.REJECT, EdgeKind.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Structure:
    """`branches`: for each node the split edges it lies under, outermost first.

    `join_of` and `split_of` pair the gateways that fork. `least_weight` is the least weight still to be done
    from a node, itself included, to the end of its region: the join of its branch (not included) or an end.
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
        landings=_Landings(nodes, forward, edges),
        crossings=tuple(regions.problems),
    )


def is_split(node: Node) -> bool:
    return node.kind in FORKING_KINDS and node.join is None


def is_join(node: Node) -> bool:
    return node.kind in FORKING_KINDS and node.join is not None


def branches_needed(join: Node, coming: int) -> int:
    """How many of the branches that are coming a join waits for."""
    if join.join is Join.ANY:
        return 1
    if join.join is Join.SOME and join.join_count is not None:
        return min(join.join_count, coming)
    return coming


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
        self._walk_ways_aside(edges)
        self._check_joins()

    def _walk_ways_aside(self, edges: tuple[Edge, ...]) -> None:
        """A node reached only by a return, rejection or timeout belongs to the branch it is reached from."""
        pending = [edge for edge in edges if edge.kind in _ASIDE]
        found = True
        while found:
            found = False
            for edge in pending:
                if (
                    edge.source in self.branches
                    and edge.target in self.nodes
                    and edge.target not in self.branches
                ):
                    self._spread(edge.target, self.branches[edge.source])
                    found = True

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
        if target.ends_subflow in self.branches:
            return self.branches[target.ends_subflow]
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
            if self.nodes[self.join_of[key]].kind is not self.nodes[key].kind:
                self.problems.append(FieldProblem(f"nodes.{self.join_of[key]}", "flow.join_of_another_kind"))
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
    weights = _LeastWeights(nodes, forward, join_of)
    weights.settle(key for key in nodes if key not in cancelled)
    weights.settle(key for key, weight in weights.least.items() if weight == math.inf)
    return {key: 0 if weight == math.inf else int(weight) for key, weight in weights.least.items()}


class _LeastWeights:
    """Shortest ways by repeated improvement; a node is looked at again when one it leads to got better."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        forward: Mapping[str, tuple[Edge, ...]],
        join_of: Mapping[str, str],
    ) -> None:
        self.least = dict.fromkeys(nodes, math.inf)
        self._nodes = nodes
        self._forward = forward
        self._join_of = join_of
        self._waiting_for: dict[str, list[str]] = {}
        for source, edges in forward.items():
            for edge in edges:
                self._waiting_for.setdefault(edge.target, []).append(source)
        for split, join in join_of.items():
            self._waiting_for.setdefault(join, []).append(split)

    def settle(self, open_keys: Iterable[str]) -> None:
        """Only `open_keys` may change, the others stand as they are."""
        may_change = dict.fromkeys(open_keys)
        queue = deque(reversed(may_change))
        queued = set(queue)
        while queue:
            key = queue.popleft()
            queued.discard(key)
            weight = max(self._nodes[key].weight, 0) + self._onward(self._nodes[key])
            if weight >= self.least[key]:
                continue
            self.least[key] = weight
            for waiting in self._waiting_for.get(key, ()):
                if waiting in may_change and waiting not in queued:
                    queue.append(waiting)
                    queued.add(waiting)

    def _onward(self, node: Node) -> float:
        if node.kind is NodeKind.END:
            return 0.0
        ways = [
            0.0 if is_join(self._nodes[edge.target]) else self.least[edge.target]
            for edge in self._forward.get(node.key, ())
            if edge.target in self._nodes
        ]
        if not ways:
            return math.inf
        if not is_split(node) or node.key not in self._join_of:
            return min(ways)
        join = self._nodes[self._join_of[node.key]]
        coming = 1 if node.kind is NodeKind.INCLUSIVE else len(ways)
        return sum(sorted(ways)[: branches_needed(join, coming)]) + self.least[join.key]


class _Landings(Mapping[str, tuple[str, ...]]):
    """Worked out for an edge when somebody asks: most are never asked about."""

    def __init__(
        self, nodes: Mapping[str, Node], forward: Mapping[str, tuple[Edge, ...]], edges: Collection[Edge]
    ) -> None:
        self._nodes = nodes
        self._forward = forward
        self._targets = {edge.key: edge.target for edge in edges}
        self._found: dict[str, tuple[str, ...]] = {}

    def __getitem__(self, edge_key: str) -> tuple[str, ...]:
        found = self._found.get(edge_key)
        if found is None:
            found = self._found[edge_key] = self._from(self._targets[edge_key])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __len__(self) -> int:
        return len(self._targets)

    def _from(self, target: str) -> tuple[str, ...]:
        seen: dict[str, None] = {}
        stack = [target]
        while stack:
            key = stack.pop()
            if key in seen or key not in self._nodes:
                continue
            seen[key] = None
            if self._nodes[key].kind not in WAITING_KINDS:
                stack.extend(onward.target for onward in reversed(self._forward.get(key, ())))
        return tuple(
            key
            for key in seen
            if self._nodes[key].kind in WAITING_KINDS or self._nodes[key].kind is NodeKind.END
        )
