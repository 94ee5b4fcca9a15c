"""What is wrong with a flow graph. Without problems it can be published, and no ticket gets stuck in it."""

from collections.abc import Collection, Iterable, Iterator

from ticket_console.flows.elements import (
    HANDLED_KINDS,
    WAITING_KINDS,
    Edge,
    EdgeKind,
    Node,
    NodeKind,
    StageCategory,
)
from ticket_console.flows.graph import Graph
from ticket_console.flows.structure import is_join, is_split
from ticket_console.kernel.conditions import condition_problems
from ticket_console.kernel.errors import FieldProblem

# What guards may ask about besides the fields of the template.
TICKET_FACTS = frozenset(
    {
        "template",
        "ticket_class",
        "business_line",
        "priority",
        "urgency",
        "impact",
        "vip",
        "region",
        "site",
        "source",
        "customer_tier",
        "returns",
    }
)

_FINISHED = frozenset({StageCategory.DONE, StageCategory.CANCELLED})
_ONE_WAY = frozenset({NodeKind.START, NodeKind.AUTOMATIC, NodeKind.TIMER, NodeKind.SETTLE})
_DECIDING = HANDLED_KINDS | {NodeKind.EXCLUSIVE}


def graph_problems(graph: Graph, *, field_keys: Collection[str] | None = None) -> tuple[FieldProblem, ...]:
    """Everything wrong, in the order of the graph's parts.

    `field_keys` are the fields of the organisation; with them given, a field nobody defined is a problem too.
    """
    references = tuple(_reference_problems(graph))
    found = [
        *references,
        *_start_problems(graph),
        *(problem for node in graph.nodes for problem in _node_problems(graph, node, field_keys)),
        *(problem for edge in graph.edges for problem in _edge_problems(graph, edge, field_keys)),
    ]
    if not references:
        found += [*_way_problems(graph), *_loop_problems(graph), *graph.structure.crossings]
    return tuple(found)


def _reference_problems(graph: Graph) -> Iterator[FieldProblem]:
    for node in graph.nodes:
        if node.stage not in graph.stage_by_key:
            yield FieldProblem(f"nodes.{node.key}.stage", "flow.unknown_stage", {"stage": node.stage})
    for edge in graph.edges:
        for end, key in (("source", edge.source), ("target", edge.target)):
            if key not in graph.node_by_key:
                yield FieldProblem(f"edges.{edge.key}.{end}", "flow.unknown_node", {"node": key})


def _start_problems(graph: Graph) -> Iterator[FieldProblem]:
    starts = [node for node in graph.nodes if node.kind is NodeKind.START]
    if not starts:
        yield FieldProblem("nodes", "flow.no_start")
    for node in starts[1:]:
        yield FieldProblem(f"nodes.{node.key}", "flow.several_starts")


def _node_problems(graph: Graph, node: Node, field_keys: Collection[str] | None) -> Iterator[FieldProblem]:
    path = f"nodes.{node.key}"
    if node.weight < 0:
        yield FieldProblem(f"{path}.weight", "flow.negative_weight")
    if node.kind in HANDLED_KINDS and node.handler is None:
        yield FieldProblem(f"{path}.handler", "flow.no_handler")
    if node.kind is NodeKind.TIMER and node.delay_seconds is None:
        yield FieldProblem(f"{path}.delay_seconds", "flow.no_delay")
    if node.kind is NodeKind.SETTLE and not node.segment:
        yield FieldProblem(f"{path}.segment", "flow.no_segment")
    yield from _misplaced(node, path)
    yield from _stage_problems(graph, node, path)
    yield from _exit_problems(graph, node, path)
    if field_keys is not None:
        used = [*(use.key for use in node.fields), *(entry.field for entry in node.sets)]
        used += [key for grant in node.grants for key in grant.fields]
        for key in dict.fromkeys(used):
            if key not in field_keys:
                yield FieldProblem(f"{path}.fields", "flow.unknown_field", {"field": key})


def _misplaced(node: Node, path: str) -> Iterator[FieldProblem]:
    """A setting on a node of a kind that never looks at it would be silently ignored."""
    settings = (
        ("handler", node.handler is not None, HANDLED_KINDS),
        ("fields", bool(node.fields), HANDLED_KINDS),
        ("evidence", bool(node.evidence), HANDLED_KINDS),
        ("join", node.join is not None, {NodeKind.PARALLEL}),
        ("delay_seconds", node.delay_seconds is not None, {NodeKind.TIMER}),
        ("set", bool(node.sets), {NodeKind.AUTOMATIC}),
        ("segment", node.segment is not None, {NodeKind.SETTLE}),
    )
    for name, given, kinds in settings:
        if given and node.kind not in kinds:
            yield FieldProblem(f"{path}.{name}", "flow.misplaced_setting", {"kind": node.kind.value})


def _stage_problems(graph: Graph, node: Node, path: str) -> Iterator[FieldProblem]:
    category = graph.category_of(node)
    if category is None:
        return
    if node.kind is NodeKind.END and category not in _FINISHED:
        yield FieldProblem(f"{path}.stage", "flow.end_in_open_stage")
    if node.kind in WAITING_KINDS and category in _FINISHED:
        yield FieldProblem(f"{path}.stage", "flow.step_in_finished_stage")


def _exit_problems(graph: Graph, node: Node, path: str) -> Iterator[FieldProblem]:
    edges = graph.edges_from(node.key, EdgeKind.FORWARD)
    if node.kind is NodeKind.END:
        return
    if not edges:
        yield FieldProblem(path, "flow.dead_end")
        return
    if (node.kind in _ONE_WAY or is_join(node)) and len(edges) > 1:
        yield FieldProblem(path, "flow.several_ways_on")
    if is_split(node) and len(edges) < 2:
        yield FieldProblem(path, "flow.split_without_branches")
    defaults = [edge for edge in edges if edge.default]
    if len(defaults) > 1:
        yield FieldProblem(path, "flow.several_defaults")
    if node.kind is NodeKind.EXCLUSIVE:
        if not defaults:
            yield FieldProblem(path, "flow.no_default")
        for edge in edges:
            if edge.guard is None and not edge.default:
                yield FieldProblem(f"edges.{edge.key}.guard", "flow.no_guard")
    elif node.kind in HANDLED_KINDS and all(edge.guard is not None for edge in edges):
        yield FieldProblem(path, "flow.no_default")


def _edge_problems(graph: Graph, edge: Edge, field_keys: Collection[str] | None) -> Iterator[FieldProblem]:
    path = f"edges.{edge.key}"
    if edge.guard is not None:
        known = None if field_keys is None else {*field_keys, *TICKET_FACTS}
        yield from condition_problems(edge.guard, fields=known, path=f"{path}.guard")
    source, target = graph.node_by_key.get(edge.source), graph.node_by_key.get(edge.target)
    if source is None or target is None:
        return
    may_decide = edge.kind is EdgeKind.FORWARD and source.kind in _DECIDING
    if edge.guard is not None and (not may_decide or edge.default):
        yield FieldProblem(f"{path}.guard", "flow.guard_not_allowed")
    if edge.default and not may_decide:
        yield FieldProblem(f"{path}.default", "flow.default_not_allowed")
    if not _sources_fit(edge, source) or not _targets_fit(graph, edge, target):
        yield FieldProblem(path, "flow.edge_not_allowed", {"kind": edge.kind.value})
    elif edge.kind in (EdgeKind.RETURN, EdgeKind.REJECT) and target.kind is not NodeKind.END:
        yield from _way_back_problems(graph, edge, path)


def _sources_fit(edge: Edge, source: Node) -> bool:
    if edge.kind is EdgeKind.FORWARD:
        return source.kind is not NodeKind.END
    return source.kind in (WAITING_KINDS if edge.kind is EdgeKind.CANCEL else HANDLED_KINDS)


def _targets_fit(graph: Graph, edge: Edge, target: Node) -> bool:
    if target.kind is NodeKind.START:
        return False
    if edge.kind is EdgeKind.CANCEL:
        return target.kind is NodeKind.END and graph.category_of(target) is StageCategory.CANCELLED
    if edge.kind is EdgeKind.FORWARD:
        return True
    return not is_join(target) and not (edge.kind is EdgeKind.RETURN and target.kind is NodeKind.END)


def _way_back_problems(graph: Graph, edge: Edge, path: str) -> Iterator[FieldProblem]:
    branches = graph.structure.branches
    if edge.source not in branches or edge.target not in branches:
        return
    source, target = branches[edge.source], branches[edge.target]
    if source[: len(target)] != target:
        yield FieldProblem(path, "flow.enters_branch")
    if edge.kind is EdgeKind.RETURN and edge.source not in _reached(graph, [edge.target], {EdgeKind.FORWARD}):
        yield FieldProblem(path, "flow.return_leads_on")


def _way_problems(graph: Graph) -> Iterator[FieldProblem]:
    if graph.start is None:
        return
    reached = _reached(graph, [graph.start], frozenset(EdgeKind))
    finishing = _reaching_an_end(graph)
    for node in graph.nodes:
        if node.key not in reached:
            yield FieldProblem(f"nodes.{node.key}", "flow.unreachable")
        elif node.key not in finishing and graph.edges_from(node.key, EdgeKind.FORWARD):
            yield FieldProblem(f"nodes.{node.key}", "flow.no_way_to_an_end")


def _reached(graph: Graph, start: Iterable[str], kinds: Collection[EdgeKind]) -> set[str]:
    seen: set[str] = set()
    stack = list(start)
    while stack:
        key = stack.pop()
        if key not in seen:
            seen.add(key)
            stack.extend(edge.target for kind in kinds for edge in graph.edges_from(key, kind))
    return seen


def _reaching_an_end(graph: Graph) -> set[str]:
    into: dict[str, list[str]] = {}
    for edge in graph.edges:
        if edge.kind is EdgeKind.FORWARD:
            into.setdefault(edge.target, []).append(edge.source)
    seen: set[str] = set()
    stack = [node.key for node in graph.nodes if node.kind is NodeKind.END]
    while stack:
        key = stack.pop()
        if key not in seen:
            seen.add(key)
            stack.extend(into.get(key, ()))
    return seen


def _loop_problems(graph: Graph) -> Iterator[FieldProblem]:
    """Circles in which nobody ever rests: drop nodes without a way in or out until only circles are left."""
    passing = {node.key for node in graph.nodes if node.kind not in WAITING_KINDS}
    edges = {
        (edge.source, edge.target)
        for edge in graph.edges
        if edge.kind is EdgeKind.FORWARD and edge.source in passing and edge.target in passing
    }
    while True:
        sources, targets = {source for source, _ in edges}, {target for _, target in edges}
        circling = {(source, target) for source, target in edges if source in targets and target in sources}
        if circling == edges:
            break
        edges = circling
    for node in graph.nodes:
        if any(node.key == source for source, _ in edges):
            yield FieldProblem(f"nodes.{node.key}", "flow.automatic_loop")
