"""Which fields can have been written by the time a flow asks about them."""

from collections.abc import Collection, Iterator, Mapping

from ticket_console.flows.elements import EdgeKind
from ticket_console.flows.graph import Graph
from ticket_console.kernel.conditions import condition_problems, fields_of
from ticket_console.kernel.errors import FieldProblem


def unwritten_problems(graph: Graph, given: Collection[str]) -> Iterator[FieldProblem]:
    """Every question about a field that no node on any way there can have written, and that is not given."""
    reads = [(path, node, field) for path, node, field in _questions(graph) if field not in given]
    reached = {field: _after_writing(graph, field) for field in {field for _, _, field in reads}}
    for path, node, field in reads:
        if node not in reached[field]:
            yield FieldProblem(path, "flow.read_before_written", {"field": field})


def _questions(graph: Graph) -> Iterator[tuple[str, str, str]]:
    """`(path, node at which it is asked, field)`."""
    for node in graph.nodes:
        for index, rule in enumerate(node.handlers):
            for field in _asked(rule.when):
                yield f"nodes.{node.key}.handlers[{index}].when", node.key, field
        if node.until_field is not None:
            yield f"nodes.{node.key}.until", node.key, node.until_field
    for edge in graph.edges:
        for field in _asked(edge.guard):
            yield f"edges.{edge.key}.guard", edge.source, field


def _asked(tree: Mapping[str, object] | None) -> list[str]:
    return [] if tree is None or condition_problems(tree) else sorted(fields_of(tree))


def _after_writing(graph: Graph, field: str) -> set[str]:
    """The nodes that write the field, and all that can come after one of them."""
    stack = [
        node.key
        for node in graph.nodes
        if any(use.key == field for use in node.fields) or any(entry.field == field for entry in node.sets)
    ]
    seen: set[str] = set()
    while stack:
        key = stack.pop()
        if key not in seen:
            seen.add(key)
            stack.extend(edge.target for kind in EdgeKind for edge in graph.edges_from(key, kind))
    return seen
