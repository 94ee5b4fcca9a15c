"""Sub-flows put in place: a flow as it runs, with every sub-flow drawn out.

The nodes and edges of a sub-flow at node `check` are called `check.<key>`. Its start and its ends become
nodes one passes through; the node `check` itself stays as the one way out. An end at which a sub-flow gives
the ticket up stays an end: it ends the whole ticket. Edges that led to `check` lead to its start.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ticket_console.flows.elements import (
    Edge,
    EdgeKind,
    Node,
    NodeKind,
    Stage,
    StageCategory,
    SubflowUse,
)
from ticket_console.flows.graph import Graph
from ticket_console.kernel.errors import FieldProblem

MAX_DEPTH = 5
MAX_EXPANDED_NODES = 2_000
# What the columns hold in which tokens keep their node and the edge they came by.
MAX_KEY_LENGTH = 64

_TOO_LARGE = "flow.subflow_too_large"

Load = Callable[[SubflowUse], Graph | None]


@dataclass(frozen=True, slots=True)
class Expansion:
    """`problems` name the sub-flow nodes of the outermost flow; with any, `graph` is not to be run."""

    graph: Graph
    problems: tuple[FieldProblem, ...] = ()


def expand(graph: Graph, load: Load, *, code: str | None = None) -> Expansion:
    """Put every sub-flow in its place; `load` gives a flow as it was drawn, or None where there is none.

    `code` is the flow being expanded, which must not come up again inside itself.
    """
    chain = () if code is None else (code,)
    return _expanded(graph, load, chain)


def has_subflows(graph: Graph) -> bool:
    return any(node.kind is NodeKind.SUBFLOW for node in graph.nodes)


def _expanded(graph: Graph, load: Load, chain: tuple[str, ...]) -> Expansion:
    problems: list[FieldProblem] = []
    for node in graph.nodes:
        if node.kind is not NodeKind.SUBFLOW or node.subflow is None:
            continue
        placed = _inner(node, node.subflow, load, chain)
        if isinstance(placed, Graph):
            placed = _Placing(graph, node, placed).result()
        if isinstance(placed, Graph):
            graph = placed
        else:
            problems.append(placed)
            if placed.code == _TOO_LARGE:
                # Another one would only be larger still, and each takes its time.
                break
    return Expansion(graph, tuple(problems))


def _inner(node: Node, use: SubflowUse, load: Load, chain: tuple[str, ...]) -> Graph | FieldProblem:
    path = f"nodes.{node.key}.subflow"
    if use.flow in chain:
        return FieldProblem(path, "flow.subflow_recursive", {"flow": use.flow})
    if len(chain) > MAX_DEPTH:
        return FieldProblem(path, "flow.subflow_too_deep", {"most": MAX_DEPTH})
    drawn = load(use)
    if drawn is None or drawn.start is None:
        return FieldProblem(path, "flow.unknown_subflow", {"flow": use.flow})
    expansion = _expanded(drawn, load, (*chain, use.flow))
    if expansion.problems:
        first = expansion.problems[0]
        return FieldProblem(path, first.code, first.params)
    return expansion.graph


class _Placing:
    """One sub-flow being put in its place."""

    def __init__(self, outer: Graph, at: Node, inner: Graph) -> None:
        self.outer = outer
        self.at = at
        self.inner = inner
        self.begin = f"{at.key}.{inner.start}"

    def result(self) -> Graph | FieldProblem:
        path = f"nodes.{self.at.key}.subflow"
        nodes = [*self._outer_nodes(), *(self._inner_node(node) for node in self.inner.nodes)]
        edges = [*self._outer_edges(), *(self._inner_edge(edge) for edge in self.inner.edges)]
        edges += self._ways_out({edge.key for edge in edges})
        if len(nodes) > MAX_EXPANDED_NODES:
            return FieldProblem(path, _TOO_LARGE, {"most": MAX_EXPANDED_NODES})
        longest = max([*(node.key for node in nodes), *(edge.key for edge in edges)], key=len)
        if len(longest) > MAX_KEY_LENGTH:
            return FieldProblem(path, "flow.subflow_key_too_long", {"key": longest, "most": MAX_KEY_LENGTH})
        return Graph(self._stages(), tuple(nodes), tuple(edges), self.outer.drawing)

    def _stages(self) -> tuple[Stage, ...]:
        """The sub-flow's own stages come right behind the one its node stands in."""
        new = [stage for stage in self.inner.stages if stage.key not in self.outer.stage_by_key]
        stages = list(self.outer.stages)
        place = next((index for index, stage in enumerate(stages) if stage.key == self.at.stage), -1)
        return (*stages[: place + 1], *new, *stages[place + 1 :])

    def _outer_nodes(self) -> list[Node]:
        way_out = replace(self.at, kind=NodeKind.AUTOMATIC, subflow=None)
        return [way_out if node.key == self.at.key else node for node in self.outer.nodes]

    def _outer_edges(self) -> list[Edge]:
        return [
            replace(edge, target=self.begin) if edge.target == self.at.key else edge
            for edge in self.outer.edges
        ]

    def _inner_node(self, node: Node) -> Node:
        placed = replace(node, key=f"{self.at.key}.{node.key}")
        if node.ends_subflow is not None:
            placed = replace(placed, ends_subflow=f"{self.at.key}.{node.ends_subflow}")
        if node.kind is NodeKind.START:
            return replace(placed, kind=NodeKind.AUTOMATIC, stage=self.at.stage)
        if self._leads_out(node):
            return replace(placed, kind=NodeKind.AUTOMATIC, stage=self.at.stage, ends_subflow=self.begin)
        return placed

    def _leads_out(self, node: Node) -> bool:
        return node.kind is NodeKind.END and self.inner.category_of(node) is not StageCategory.CANCELLED

    def _inner_edge(self, edge: Edge) -> Edge:
        key = self.at.key
        return replace(
            edge, key=f"{key}.{edge.key}", source=f"{key}.{edge.source}", target=f"{key}.{edge.target}"
        )

    def _ways_out(self, taken: set[str]) -> list[Edge]:
        ways = []
        for node in self.inner.nodes:
            if self._leads_out(node):
                source = f"{self.at.key}.{node.key}"
                key = source
                while key in taken:
                    key += "-"
                ways.append(Edge(key, EdgeKind.FORWARD, source, self.at.key, node.name))
        return ways
