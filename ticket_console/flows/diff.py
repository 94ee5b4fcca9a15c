"""What differs between two flows, in lines that a person reads and a canvas draws. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import graph_json
from ticket_console.forms.diff import DiffLine, Sentence, either, lines, named, setting, summary
from ticket_console.kernel.documents import ChangeKind, Document, Path, member_key

# Of several changes of one thing the canvas draws the strongest.
_STRENGTH: Final = (ChangeKind.ADDED, ChangeKind.REMOVED, ChangeKind.CHANGED, ChangeKind.MOVED)
_DRAWN: Final = frozenset({"node", "node_setting", "asked", "permission", "edge", "edge_setting", "place"})


@dataclass(frozen=True)
class GraphDiff:
    """`lines` are in the order of the parts of the flow."""

    lines: tuple[DiffLine, ...]

    def __bool__(self) -> bool:
        return bool(self.lines)

    def of(self, part: str, kind: ChangeKind) -> tuple[str, ...]:
        """The keys of what was added, removed, changed or moved: `of("node", ChangeKind.ADDED)`."""
        return tuple(line.key for line in self.lines if line.part == part and line.kind is kind)

    @cached_property
    def marks(self) -> Mapping[str, ChangeKind]:
        """How the canvas draws each node and edge that differs, by its key."""
        found: dict[str, ChangeKind] = {}
        for line in self.lines:
            if line.part not in _DRAWN:
                continue
            # A node that was added or removed says so itself; whatever else is a change of it.
            if line.part == "place":
                kind = ChangeKind.MOVED
            else:
                kind = line.kind if line.part in ("node", "edge") else ChangeKind.CHANGED
            known = found.get(line.key, kind)
            found[line.key] = min(known, kind, key=_STRENGTH.index)
        return found

    @cached_property
    def touched_nodes(self) -> frozenset[str]:
        """Nodes that work differently, or are no more: tickets standing there are concerned."""
        return frozenset(
            line.key
            for line in self.lines
            if line.part in ("node_setting", "asked", "permission")
            or (line.part == "node" and line.kind is ChangeKind.REMOVED)
        )

    @property
    def summary(self) -> dict[str, dict[str, int]]:
        return summary(self.lines)


def diff(before: Graph, after: Graph) -> GraphDiff:
    """What differs between two graphs; empty exactly for equal ones."""
    return diff_documents(graph_json(before), graph_json(after))


def diff_documents(before: Document, after: Document) -> GraphDiff:
    """What differs between two documents of a flow, its name included; empty exactly for equal ones."""
    return GraphDiff(lines(_spelled_out(before), _spelled_out(after), whole=_whole, say=_say))


def _spelled_out(document: Document) -> Document:
    """With the parts that are looked at one by one there, even where a node has none of them."""
    nodes = document.get("nodes")
    if member_key("nodes", nodes) is None:
        return document
    return {**document, "nodes": [{"fields": [], "permissions": {}, **node} for node in nodes or []]}


def _whole(path: Path) -> int:
    if path[0] in ("nodes", "edges", "stages"):
        # A node's setting; what it asks and what it grants is looked at one by one.
        deep = len(path) > 2 and path[0] == "nodes" and path[2] in ("fields", "permissions")
        return min(len(path), 4 if deep else 3)
    if path[0] == "drawing":
        return min(len(path), 3)
    return 1


def _say(path: Path, before: Document, after: Document) -> Sentence:
    if path[0] == "nodes":
        return _about_node(path, before, after)
    if path[0] == "edges" and len(path) > 1:
        edge = either(path[:2], before, after)
        params = {
            "edge": named(edge, path[1], "name"),
            "source": _node_name(edge.get("source", ""), before, after),
            "target": _node_name(edge.get("target", ""), before, after),
        }
        if len(path) == 2:
            return "edge", path[1], params
        return "edge_setting", path[1], {**params, "setting": setting(path[2])}
    if path[0] == "stages" and len(path) > 1:
        stage = named(either(path[:2], before, after), path[1], "name")
        if len(path) == 2:
            return "stage", path[1], {"stage": stage}
        return "stage_setting", path[1], {"stage": stage, "setting": setting(path[2])}
    if path[0] == "drawing":
        return _about_drawing(path, before, after)
    if path == ("name",):
        return "flow_name", "", {}
    return "flow", "", {"setting": setting(path[0])}


def _about_node(path: Path, before: Document, after: Document) -> Sentence:
    if len(path) == 1:
        return "flow", "", {"setting": setting(path[0])}
    node = _node_name(path[1], before, after)
    if len(path) == 2:
        return "node", path[1], {"node": node}
    if len(path) > 3 and path[2] == "fields":
        return "asked", path[1], {"node": node, "field": path[3]}
    if len(path) > 3:
        return "permission", path[1], {"node": node, "role": path[3]}
    return "node_setting", path[1], {"node": node, "setting": setting(path[2])}


def _about_drawing(path: Path, before: Document, after: Document) -> Sentence:
    if len(path) == 3 and path[1] == "nodes":
        return "place", path[2], {"node": _node_name(path[2], before, after)}
    if len(path) == 3:
        return "comment", path[2], {"text": named(either(path, before, after), path[2], "text")}
    return "drawing", "", {}


def _node_name(key: str, before: Document, after: Document) -> Any:
    return named(either(("nodes", key), before, after), key, "name")
