"""A flow graph, ready to be walked: its parts, and the indexes over them, computed once.

A graph object is immutable and safe to share between threads. Building one never fails on a graph that
makes no sense (a designer has to show drafts): `validation.graph_problems` says what is wrong, and
publishing asks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ticket_console.flows.elements import (
    Drawing,
    Edge,
    EdgeKind,
    Handler,
    HandlerRule,
    Node,
    NodeKind,
    Stage,
    StageCategory,
)
from ticket_console.flows.structure import Structure, structure_of
from ticket_console.kernel.conditions import Predicate, compile_condition, condition_problems

_NO_EDGES: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """Equal graphs have equal parts in equal order; the indexes take no part in comparison.

    `outgoing` keeps a node's edges by kind, in the order in which they are tried.
    `guards` holds the compiled condition of every edge that has a sound one, `handler_tables` the rows of
    every node that has such a table.
    """

    stages: tuple[Stage, ...]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    drawing: Drawing = field(default_factory=Drawing)

    node_by_key: Mapping[str, Node] = field(init=False, repr=False, compare=False)
    edge_by_key: Mapping[str, Edge] = field(init=False, repr=False, compare=False)
    stage_by_key: Mapping[str, Stage] = field(init=False, repr=False, compare=False)
    outgoing: Mapping[EdgeKind, Mapping[str, tuple[Edge, ...]]] = field(init=False, repr=False, compare=False)
    guards: Mapping[str, Predicate] = field(init=False, repr=False, compare=False)
    handler_tables: Mapping[str, tuple[tuple[Predicate, Handler], ...]] = field(
        init=False, repr=False, compare=False
    )
    start: str | None = field(init=False, repr=False, compare=False)
    structure: Structure = field(init=False, repr=False, compare=False)
    _following: dict[str, frozenset[str]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        def put(name: str, value: object) -> None:
            object.__setattr__(self, name, value)

        put("node_by_key", {node.key: node for node in self.nodes})
        put("edge_by_key", {edge.key: edge for edge in self.edges})
        put("stage_by_key", {stage.key: stage for stage in self.stages})
        put("outgoing", {kind: _by_source(self.edges, kind) for kind in EdgeKind})
        put("guards", _guards(self.edges))
        put("handler_tables", {node.key: _table(node.handlers) for node in self.nodes if node.handlers})
        put("start", next((node.key for node in self.nodes if node.kind is NodeKind.START), None))
        put("structure", self._structure())

    def _structure(self) -> Structure:
        forward = self.outgoing[EdgeKind.FORWARD]
        cancelled = frozenset(
            node.key for node in self.nodes if self.category_of(node) is StageCategory.CANCELLED
        )
        return structure_of(self.node_by_key, forward, self.edges, cancelled)

    def edges_from(self, node_key: str, kind: EdgeKind) -> tuple[Edge, ...]:
        return self.outgoing[kind].get(node_key, _NO_EDGES)

    def following(self, node_key: str) -> frozenset[str]:
        """The node and everything that can come after it when work goes on and nothing is sent back."""
        known = self._following.get(node_key)
        if known is None:
            known = self._following[node_key] = self._walked_from(node_key)
        return known

    def _walked_from(self, node_key: str) -> frozenset[str]:
        seen: set[str] = set()
        stack = [node_key]
        while stack:
            key = stack.pop()
            if key not in seen:
                seen.add(key)
                for kind in (EdgeKind.FORWARD, EdgeKind.TIMEOUT):
                    stack.extend(edge.target for edge in self.edges_from(key, kind))
        return frozenset(seen)

    def handler_of(self, node_key: str, facts: Mapping[str, object]) -> Handler | None:
        """Who is to do a step, as the facts are: the first row of its table that holds, else its handler."""
        for holds, handler in self.handler_tables.get(node_key, ()):
            if holds(facts):
                return handler
        return self.node_by_key[node_key].handler

    def category_of(self, node: Node) -> StageCategory | None:
        stage = self.stage_by_key.get(node.stage)
        return stage.category if stage else None


def _by_source(edges: tuple[Edge, ...], kind: EdgeKind) -> dict[str, tuple[Edge, ...]]:
    found: dict[str, list[Edge]] = {}
    for edge in sorted(
        (edge for edge in edges if edge.kind is kind), key=lambda edge: (edge.default, edge.order)
    ):
        found.setdefault(edge.source, []).append(edge)
    return {source: tuple(group) for source, group in found.items()}


def _guards(edges: tuple[Edge, ...]) -> dict[str, Predicate]:
    return {
        edge.key: compile_condition(edge.guard)
        for edge in edges
        if edge.guard is not None and not condition_problems(edge.guard)
    }


def _table(rules: tuple[HandlerRule, ...]) -> tuple[tuple[Predicate, Handler], ...]:
    return tuple(
        (compile_condition(rule.when), rule.handler) for rule in rules if not condition_problems(rule.when)
    )
