"""What is wrong with a flow graph. Without problems it can be published, and no ticket gets stuck in it.

Every problem names the node or edge it is about by its key: `nodes.visit.handler`, `edges.e7.guard`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations, islice

from ticket_console.flows.acting import acting_problems
from ticket_console.flows.elements import (
    FORKING_KINDS,
    HANDLED_KINDS,
    WAITING_KINDS,
    CallWebhook,
    Edge,
    EdgeKind,
    Join,
    Node,
    NodeKind,
    StageCategory,
)
from ticket_console.flows.graph import Graph
from ticket_console.flows.structure import is_join, is_split
from ticket_console.flows.vocabulary import NOTHING_KNOWN, Vocabulary
from ticket_console.flows.writers import unwritten_problems
from ticket_console.kernel.condition_analysis import contradiction, gap, overlap
from ticket_console.kernel.conditions import condition_problems
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.outbound import is_web_address

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
_ONE_WAY = frozenset(
    {
        NodeKind.START,
        NodeKind.AUTOMATIC,
        NodeKind.TIMER,
        NodeKind.SETTLE,
        NodeKind.SURVEY,
        NodeKind.SUBFLOW,
    }
)
_DECIDING = HANDLED_KINDS | {NodeKind.EXCLUSIVE, NodeKind.INCLUSIVE}
_EVIDENCE = frozenset({"photo", "signature", "checklist"})
# Pairs of conditions grow with the square of their number; more are not compared than a page waits for.
_MOST_COMPARED = 500


def graph_problems(
    graph: Graph,
    *,
    field_keys: Collection[str] | None = None,
    opening: Collection[str] | None = None,
    calendars: Collection[str] | None = None,
) -> tuple[FieldProblem, ...]:
    """Everything that must not be published, in the order of the graph's parts.

    `field_keys` are the fields of the organisation, `opening` those a ticket of this flow may have when it is
    opened, `calendars` the business calendars there are. What is given is held against the graph: a field
    nobody defined, one asked about before anything can have written it, a calendar nobody made.
    """
    references = tuple(_reference_problems(graph))
    found = [
        *references,
        *_start_problems(graph),
        *(problem for node in graph.nodes for problem in _node_problems(graph, node, field_keys)),
        *(problem for problem in _calendar_problems(graph, calendars)),
        *(problem for edge in graph.edges for problem in _edge_problems(graph, edge, field_keys)),
    ]
    if not references:
        found += [*_way_problems(graph), *_loop_problems(graph), *graph.structure.crossings]
        found += _count_problems(graph)
        if opening is not None:
            found += unwritten_problems(graph, {*opening, *TICKET_FACTS})
    return tuple(found)


def graph_warnings(graph: Graph, *, known: Vocabulary = NOTHING_KNOWN) -> tuple[FieldProblem, ...]:
    """What can be published and is probably not meant: conditions that never decide, what is missing, and
    timeouts that only begin their own step anew.

    The more is `known` of the fields, the more can be said of the conditions on them. An `example` in the
    params is a case in words, in each language.
    """
    return (*_guard_warnings(graph, known), *_table_warnings(graph, known), *_shape_warnings(graph))


def _guard_warnings(graph: Graph, known: Vocabulary) -> Iterator[FieldProblem]:
    for edge in islice((edge for edge in graph.edges if edge.key in graph.guards), _MOST_COMPARED):
        if contradiction(edge.guard, known.domains):
            yield FieldProblem(f"edges.{edge.key}.guard", "flow.guard_never_holds")
    for first, second in islice(_rivals(graph), _MOST_COMPARED):
        both = overlap(first.guard, second.guard, known.domains)
        if both is not None:
            params = {"other": first.name if any(first.name.values()) else first.key}
            yield FieldProblem(
                f"edges.{second.key}.guard",
                "flow.guards_overlap",
                {**params, "example": known.example(both)},
            )
    yield from islice(_coverage_warnings(graph, known), _MOST_COMPARED)


def _coverage_warnings(graph: Graph, known: Vocabulary) -> Iterator[FieldProblem]:
    """Cases no way is meant for, and default ways that no case is left for."""
    for node in graph.nodes:
        edges = graph.edges_from(node.key, EdgeKind.FORWARD)
        guards = [edge.guard for edge in edges if edge.key in graph.guards]
        if node.kind not in _DECIDING or not guards:
            continue
        default = next((edge for edge in edges if edge.default), None)
        if default is not None:
            if contradiction(_none_of(guards), known.domains):
                yield FieldProblem(f"edges.{default.key}.default", "flow.default_never_taken")
        elif len(guards) == len(edges):
            missed = gap(guards, known.domains)
            if missed is not None:
                params = {"example": known.example(missed)}
                yield FieldProblem(f"nodes.{node.key}", "flow.guards_leave_gap", params)


def _none_of(trees: Sequence[object]) -> dict[str, object]:
    return {"combinator": "or", "not": True, "rules": list(trees)}


def _rivals(graph: Graph) -> Iterator[tuple[Edge, Edge]]:
    """Pairs of guarded ways of which only one can be taken."""
    for node in graph.nodes:
        if node.kind is not NodeKind.INCLUSIVE:
            edges = graph.edges_from(node.key, EdgeKind.FORWARD)
            yield from combinations((edge for edge in edges if edge.key in graph.guards), 2)


def _table_warnings(graph: Graph, known: Vocabulary) -> Iterator[FieldProblem]:
    for node in graph.nodes:
        earlier: list[object] = []
        for index, rule in enumerate(node.handlers):
            path = f"nodes.{node.key}.handlers[{index}].when"
            if condition_problems(rule.when):
                continue
            if contradiction(rule.when, known.domains):
                yield FieldProblem(path, "flow.guard_never_holds")
            elif earlier and contradiction(
                {"combinator": "and", "rules": [rule.when, _none_of(earlier)]}, known.domains
            ):
                yield FieldProblem(path, "flow.row_never_reached")
            earlier.append(rule.when)


def _shape_warnings(graph: Graph) -> Iterator[FieldProblem]:
    steps = [node for node in graph.nodes if node.kind in HANDLED_KINDS]
    if steps and not any(node.weight > 0 for node in graph.nodes):
        yield FieldProblem("nodes", "flow.no_weights")
    if not any(edge.kind is EdgeKind.CANCEL for edge in graph.edges):
        yield FieldProblem("edges", "flow.no_cancel_way")
    for edge in graph.edges:
        if edge.kind is EdgeKind.TIMEOUT and edge.source == edge.target:
            yield FieldProblem(f"edges.{edge.key}", "flow.timeout_to_itself")


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
    if node.kind is NodeKind.SETTLE and not node.segment:
        yield FieldProblem(f"{path}.segment", "flow.no_segment")
    if node.kind is NodeKind.SUBFLOW and node.subflow is None:
        yield FieldProblem(f"{path}.subflow", "flow.no_subflow")
    if node.kind in HANDLED_KINDS and node.handler is not None:
        yield from acting_problems(node)
    yield from _timer_problems(node, path)
    yield from _list_problems(node, path)
    yield from _address_problems(node, path)
    yield from _misplaced(node, path)
    yield from _stage_problems(graph, node, path)
    yield from _exit_problems(graph, node, path)
    known = None if field_keys is None else {*field_keys, *TICKET_FACTS}
    for index, rule in enumerate(node.handlers):
        yield from condition_problems(rule.when, fields=known, path=f"{path}.handlers[{index}].when")
    if field_keys is not None:
        for key in dict.fromkeys(_fields_used(node)):
            if key not in field_keys:
                yield FieldProblem(f"{path}.fields", "flow.unknown_field", {"field": key})


def _fields_used(node: Node) -> Iterator[str]:
    yield from (use.key for use in node.fields)
    yield from (entry.field for entry in node.sets)
    yield from (key for grant in node.grants for key in grant.fields)
    yield from (key for call in node.actions if isinstance(call, CallWebhook) for key in call.fields)
    if node.until_field is not None:
        yield node.until_field


def _timer_problems(node: Node, path: str) -> Iterator[FieldProblem]:
    if node.kind is not NodeKind.TIMER:
        return
    if node.delay_seconds is None and node.until_field is None:
        yield FieldProblem(f"{path}.delay_seconds", "flow.no_delay")
    if node.delay_seconds is not None and node.until_field is not None:
        yield FieldProblem(f"{path}.until", "flow.two_delays")


def _list_problems(node: Node, path: str) -> Iterator[FieldProblem]:
    """Lists that must not be empty, and keys that must not stand twice in one."""
    if node.kind is NodeKind.SURVEY and not node.questions:
        yield FieldProblem(f"{path}.survey", "flow.no_questions")
    if "checklist" in node.evidence and not node.checklist:
        yield FieldProblem(f"{path}.checklist", "flow.no_checklist")
    for evidence in node.evidence:
        if evidence not in _EVIDENCE:
            yield FieldProblem(f"{path}.evidence", "flow.unknown_evidence", {"evidence": evidence})
    for name, keys in (
        ("survey", [question.key for question in node.questions]),
        ("checklist", [item.key for item in node.checklist]),
        ("parts", [part.sku for part in node.parts]),
    ):
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield FieldProblem(f"{path}.{name}", "flow.key_used_twice", {"key": key})


def _address_problems(node: Node, path: str) -> Iterator[FieldProblem]:
    addresses = [
        (f"actions[{index}].url", action.url)
        for index, action in enumerate(node.actions)
        if isinstance(action, CallWebhook)
    ]
    addresses += [(f"documents[{index}].url", document.url) for index, document in enumerate(node.documents)]
    for name, url in addresses:
        if not is_web_address(url):
            yield FieldProblem(f"{path}.{name}", "flow.bad_url")


def _calendar_problems(graph: Graph, calendars: Collection[str] | None) -> Iterator[FieldProblem]:
    if calendars is None:
        return
    used = [(f"nodes.{node.key}", node.calendar) for node in graph.nodes]
    used += [(f"edges.{edge.key}", edge.calendar) for edge in graph.edges]
    for path, calendar in used:
        if calendar is not None and calendar not in calendars:
            yield FieldProblem(f"{path}.calendar", "flow.unknown_calendar", {"calendar": calendar})


def _count_problems(graph: Graph) -> Iterator[FieldProblem]:
    """A join of some branches says how many: at least one, at most as many as its split has."""
    for node in graph.nodes:
        path = f"nodes.{node.key}.join_count"
        if not is_join(node) or node.join is not Join.SOME:
            if node.join_count is not None:
                yield FieldProblem(path, "flow.misplaced_setting", {"kind": node.kind.value})
            continue
        split = graph.structure.split_of.get(node.key)
        most = len(graph.edges_from(split, EdgeKind.FORWARD)) if split is not None else None
        if node.join_count is None:
            yield FieldProblem(path, "flow.no_join_count")
        elif node.join_count < 1 or (most is not None and node.join_count > most):
            yield FieldProblem(path, "flow.join_count_out_of_range", {"most": most})


def _misplaced(node: Node, path: str) -> Iterator[FieldProblem]:
    """A setting on a node of a kind that never looks at it would be silently ignored."""
    settings = (
        ("handler", node.handler is not None, HANDLED_KINDS),
        ("fields", bool(node.fields), HANDLED_KINDS),
        ("evidence", bool(node.evidence), HANDLED_KINDS),
        ("handlers", bool(node.handlers), HANDLED_KINDS),
        ("checklist", bool(node.checklist), HANDLED_KINDS),
        ("documents", bool(node.documents), HANDLED_KINDS),
        ("parts", bool(node.parts), HANDLED_KINDS),
        ("targets", node.targets is not None, HANDLED_KINDS),
        ("notices", bool(node.notices), HANDLED_KINDS),
        ("join", node.join is not None, FORKING_KINDS),
        ("delay_seconds", node.delay_seconds is not None, {NodeKind.TIMER}),
        ("until", node.until_field is not None, {NodeKind.TIMER}),
        ("calendar", node.calendar is not None, {NodeKind.TIMER}),
        ("set", bool(node.sets), {NodeKind.AUTOMATIC}),
        ("actions", bool(node.actions), {NodeKind.AUTOMATIC}),
        ("survey", bool(node.questions), {NodeKind.SURVEY}),
        ("subflow", node.subflow is not None, {NodeKind.SUBFLOW}),
        ("segment", node.segment is not None, {NodeKind.SETTLE, *HANDLED_KINDS}),
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
    elif _asks_for_default(node) and all(edge.guard is not None for edge in edges):
        yield FieldProblem(path, "flow.no_default")


def _asks_for_default(node: Node) -> bool:
    return node.kind in HANDLED_KINDS or (node.kind is NodeKind.INCLUSIVE and node.join is None)


def _edge_problems(graph: Graph, edge: Edge, field_keys: Collection[str] | None) -> Iterator[FieldProblem]:
    path = f"edges.{edge.key}"
    if edge.guard is not None:
        known = None if field_keys is None else {*field_keys, *TICKET_FACTS}
        yield from condition_problems(edge.guard, fields=known, path=f"{path}.guard")
    source, target = graph.node_by_key.get(edge.source), graph.node_by_key.get(edge.target)
    if source is None or target is None:
        return
    may_decide = edge.kind is EdgeKind.FORWARD and source.kind in _DECIDING and not is_join(source)
    if edge.guard is not None and (not may_decide or edge.default):
        yield FieldProblem(f"{path}.guard", "flow.guard_not_allowed")
    if edge.default and not may_decide:
        yield FieldProblem(f"{path}.default", "flow.default_not_allowed")
    yield from _timeout_problems(edge, path)
    if not _sources_fit(edge, source) or not _targets_fit(graph, edge, target):
        yield FieldProblem(path, "flow.edge_not_allowed", {"kind": edge.kind.value})
    elif edge.kind in _OUT_OF_TURN and target.kind is not NodeKind.END:
        yield from _way_back_problems(graph, edge, path)


_OUT_OF_TURN = frozenset({EdgeKind.RETURN, EdgeKind.REJECT, EdgeKind.TIMEOUT})


def _timeout_problems(edge: Edge, path: str) -> Iterator[FieldProblem]:
    if edge.kind is EdgeKind.TIMEOUT:
        if edge.after_seconds is None:
            yield FieldProblem(f"{path}.after_seconds", "flow.no_delay")
        return
    for name, value in (("after_seconds", edge.after_seconds), ("calendar", edge.calendar)):
        if value is not None:
            yield FieldProblem(f"{path}.{name}", "flow.misplaced_setting", {"kind": edge.kind.value})


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
    if edge.kind is EdgeKind.RETURN and edge.source not in graph.following(edge.target):
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
    ways: dict[str, set[str]] = {node.key: set() for node in graph.nodes if node.kind not in WAITING_KINDS}
    origins: dict[str, set[str]] = {key: set() for key in ways}
    for edge in graph.edges:
        if edge.kind is EdgeKind.FORWARD and edge.source in ways and edge.target in ways:
            ways[edge.source].add(edge.target)
            origins[edge.target].add(edge.source)
    loose = [key for key in ways if not ways[key] or not origins[key]]
    while loose:
        key = loose.pop()
        if key not in ways:
            continue
        for ahead in ways.pop(key):
            origins[ahead].discard(key)
            loose += [ahead] if not origins[ahead] else []
        for behind in origins.pop(key):
            if behind in ways:
                ways[behind].discard(key)
                loose += [behind] if not ways[behind] else []
    for node in graph.nodes:
        if node.key in ways:
            yield FieldProblem(f"nodes.{node.key}", "flow.automatic_loop")
