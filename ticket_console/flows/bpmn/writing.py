"""Writing a flow as BPMN 2.0 with its diagram.

What BPMN has words for is said in BPMN, so that other tools show and run it: steps, gateways, timers, ways
back as boundary events, conditions as FEEL. Everything else (stages, handlers, fields, permissions, texts in
both languages) stands beside it as JSON in extension elements of our own: reading gives back the same flow.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from lxml import etree

from ticket_console.flows.bpmn import expressions
from ticket_console.flows.bpmn.layout import Box, box_at, line_between, places
from ticket_console.flows.bpmn.names import (
    BOUNDS,
    DIAGRAM,
    FEEL,
    OURS,
    POINTS,
    PREFIXES,
    TYPE,
    model,
    ours,
)
from ticket_console.flows.graph_json import parse_graph
from ticket_console.kernel.text import LocalText, pick

_ELEMENTS: Final = {
    "start": "startEvent",
    "task": "userTask",
    "approval": "userTask",
    "automatic": "serviceTask",
    "exclusive": "exclusiveGateway",
    "parallel": "parallelGateway",
    "inclusive": "inclusiveGateway",
    "timer": "intermediateCatchEvent",
    "subflow": "callActivity",
    "survey": "sendTask",
    "settle": "businessRuleTask",
    "end": "endEvent",
}
# What an edge that is no way forward is in BPMN: an event on the border of its step that ends it.
_EVENTS: Final = {
    "return": ("escalationEventDefinition", "escalationRef", "sent_back"),
    "reject": ("errorEventDefinition", "errorRef", "rejected"),
    "cancel": ("messageEventDefinition", "messageRef", "called_off"),
}
_HANDLED: Final = frozenset({"task", "approval"})
_FORKS: Final = frozenset({"parallel", "inclusive"})
_UNWRITABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COMMENT: Final = (200, 80)

Json = Mapping[str, Any]


def write_bpmn(graph: Json, *, code: str, name: LocalText, locale: str = "zh") -> bytes:
    """The flow of a graph's JSON (`graph_json.graph_json`) as a file for other tools.

    Names are shown in one language; reading the file gives both back, changed names in that language.
    """
    return _Writer(graph, code, name, locale).content()


def shown(text: Mapping[str, str], locale: str) -> str:
    """A text as it stands in an attribute, where XML knows neither line breaks nor control characters."""
    return " ".join(_UNWRITABLE.sub("", pick(text, locale)).split())


def condition_text(edge: Json, siblings: Sequence[Json], *, owner: Json) -> str | None:
    """What decides for an edge beside others: its guard, or the choice of whoever does the step."""
    if edge.get("default") or len(siblings) < 2:
        return None
    if edge.get("guard") is not None:
        return _UNWRITABLE.sub("", expressions.written(edge["guard"]))
    if owner["kind"] in _HANDLED:
        return f'{choice_variable(owner["key"])} = "{edge["key"]}"'
    return None


def choice_variable(node_key: str) -> str:
    """The variable that names the edge somebody chose at a step."""
    return "way_" + re.sub(r"\W", "_", node_key)


class _Writer:
    def __init__(self, graph: Json, code: str, name: LocalText, locale: str) -> None:
        self.graph, self.code, self.name, self.locale = graph, code, name, locale
        self.nodes: dict[str, Json] = {node["key"]: node for node in graph["nodes"]}
        self.forward: dict[str, list[Json]] = {key: [] for key in self.nodes}
        self.aside: dict[str, list[Json]] = {key: [] for key in self.nodes}
        for edge in graph["edges"]:
            group = self.forward if edge["kind"] == "forward" else self.aside
            group[edge["source"]].append(edge)
        for edges in self.forward.values():
            edges.sort(key=lambda edge: (bool(edge.get("default")), edge.get("order", 0)))
        drawn = graph.get("drawing", {}).get("nodes", {})
        placed = places(graph["nodes"], graph["edges"])
        self.auto = {key: placed[key] for key in self.nodes if key not in drawn}
        self.boxes = {
            key: box_at(
                node["kind"],
                *self.auto.get(key, (drawn[key]["x"], drawn[key]["y"]) if key in drawn else (0, 0)),
            )
            for key, node in self.nodes.items()
        }
        self.merges = self._merged_ways()
        # The boxes of everything drawn, and the lines, by the ids of their elements.
        self.shapes: dict[str, Box] = {}
        self.flows: list[tuple[str, str, str]] = []
        self.incoming: dict[str, list[str]] = {}
        self.outgoing: dict[str, list[str]] = {}

    def content(self) -> bytes:
        root = etree.Element(model("definitions"), nsmap=PREFIXES)  # type: ignore[arg-type]
        root.set("id", "definitions")
        root.set("targetNamespace", OURS)
        root.set("expressionLanguage", FEEL)
        root.set("exporter", "Ticket Console")
        root.set("exporterVersion", "1")
        for kind, declares in (("return", "escalation"), ("reject", "error"), ("cancel", "message")):
            if any(edge["kind"] == kind for edge in self.graph["edges"]):
                key = _EVENTS[kind][2]
                declared = etree.SubElement(root, model(declares), id=key, name=key)
                if declares != "message":
                    declared.set(f"{declares}Code", key)
        process = etree.SubElement(root, model("process"), id=process_id(self.code), isExecutable="true")
        process.set("name", shown(self.name, self.locale))
        self._extension(process, "flow", {"code": self.code}, self._frame())
        elements = [element for node in self.graph["nodes"] for element in self._node(node)]
        lines = self._lines()
        for element in elements:
            self._connect(element)
        process.extend([*elements, *lines, *self._comments()])
        root.append(self._diagram())
        etree.indent(root, space="  ")
        return etree.tostring(root, encoding="UTF-8", xml_declaration=True)

    def _merged_ways(self) -> dict[str, str]:
        """Edges that have to meet before a gateway, by the gateway added for them.

        A parallel or inclusive gateway of BPMN waits at every line that leads to it. Our joins wait for every
        branch, however many of its ways lead there, and our splits wait for nothing.
        """
        structure = parse_graph(self.graph).structure
        groups: dict[tuple[str, str], list[str]] = {}
        for edge in self.graph["edges"]:
            target = self.nodes[edge["target"]]
            split = structure.split_of.get(edge["target"])
            if target["kind"] in _FORKS and "join" not in target:
                groups.setdefault((edge["target"], ""), []).append(edge["key"])
            elif edge["kind"] == "forward" and split is not None:
                under = structure.branches.get(edge["source"], ())
                branch = edge["key"] if edge["source"] == split or not under else under[-1]
                groups.setdefault((edge["target"], branch), []).append(edge["key"])
        return {
            key: f"merge_{number}_{join}"
            for number, ((join, _), keys) in enumerate(groups.items())
            for key in keys
            if len(keys) > 1
        }

    def _merging(self, join: str) -> list[str]:
        found = [self.merges[edge["key"]] for edge in self.graph["edges"] if edge["key"] in self.merges]
        return [each for each in dict.fromkeys(found) if each.split("_", 2)[2] == join]

    def _frame(self) -> dict[str, Any]:
        """What belongs to the flow as a whole, with the order of its parts."""
        return {
            "locale": self.locale,
            "name": self.name,
            "stages": self.graph["stages"],
            "nodes": [node["key"] for node in self.graph["nodes"]],
            "edges": [edge["key"] for edge in self.graph["edges"]],
        }

    def _extension(
        self, element: etree._Element, what: str, attributes: Mapping[str, str], settings: Json | None
    ) -> None:
        holder = element.find(model("extensionElements"))
        if holder is None:
            holder = etree.SubElement(element, model("extensionElements"))
        made = etree.SubElement(holder, ours(what), {key: str(value) for key, value in attributes.items()})
        if settings is not None:
            made.text = _json(settings)

    def _node(self, node: Json) -> Iterator[etree._Element]:
        key, kind = node["key"], node["kind"]
        waits = kind == "timer" and bool(self.aside[key])
        if waits:
            yield from self._waiting(node)
        for number, id in enumerate(self._merging(key)):
            merge = etree.Element(model("exclusiveGateway"), id=id)
            self._extension(merge, "part", {"of": key}, None)
            self.shapes[id] = Box(self.boxes[key].x - 70, self.boxes[key].y + 70 * number, 50, 50)
            yield merge
        element = etree.Element(model(self._element_of(node)), id=node_id(key))
        if text := shown(node.get("name", {}), self.locale):
            element.set("name", text)
        if words := _UNWRITABLE.sub("", pick(node.get("description"), self.locale)):
            etree.SubElement(element, model("documentation")).text = words
        settings = {name: value for name, value in node.items() if name not in ("key", "kind")}
        attributes = {"key": key, "kind": kind}
        if key in self.auto:
            attributes["auto"] = ",".join(map(str, self.auto[key]))
        self._extension(element, "node", attributes, settings)
        self._specifics(element, node)
        self.shapes[node_id(key)] = self.boxes[key]
        yield element
        if kind in _HANDLED:
            if len(self.forward[key]) > 1:
                yield self._decision(node)
            yield from self._events(node)
        elif not waits:
            self._default(element, key)

    def _element_of(self, node: Json) -> str:
        # A join that does not wait for all is no parallel gateway, whose joins always do.
        if node.get("join") in ("any", "some"):
            return "complexGateway"
        return _ELEMENTS[node["kind"]]

    def _specifics(self, element: etree._Element, node: Json) -> None:
        kind = node["kind"]
        if kind == "timer":
            timer = etree.SubElement(element, model("timerEventDefinition"))
            if "delay_seconds" in node:
                _expression(timer, "timeDuration", f"PT{node['delay_seconds']}S")
            elif "until" in node:
                _expression(timer, "timeDate", str(node["until"]["field"]))
        elif kind == "subflow" and node.get("subflow"):
            element.set("calledElement", process_id(node["subflow"]["flow"]))
        elif kind == "end" and any(each["kind"] in _FORKS for each in self.nodes.values()):
            # The first token to reach an end closes the ticket, which is what terminating means.
            etree.SubElement(element, model("terminateEventDefinition"))
        elif node.get("join") in ("any", "some"):
            count = 1 if node["join"] == "any" else node.get("join_count", 1)
            _expression(element, "activationCondition", f"activationCount >= {count}")
        elif kind in _HANDLED and (node.get("handler") or {}).get("role"):
            owner = etree.SubElement(element, model("potentialOwner"))
            holder = etree.SubElement(owner, model("resourceAssignmentExpression"))
            etree.SubElement(holder, model("formalExpression")).text = node["handler"]["role"]

    def _default(self, element: etree._Element, key: str) -> None:
        for edge in self.forward[key]:
            if edge.get("default") and self.nodes[key]["kind"] in ("exclusive", "inclusive"):
                element.set("default", edge_id(edge["key"]))

    def _decision(self, node: Json) -> etree._Element:
        """Several ways out of a step are one decision; BPMN would otherwise take all of them at once."""
        key = node["key"]
        gateway = etree.Element(model("exclusiveGateway"), id=f"ways_{key}")
        self._extension(gateway, "part", {"of": key}, None)
        for edge in self.forward[key]:
            if edge.get("default"):
                gateway.set("default", edge_id(edge["key"]))
        box = self.boxes[key]
        self.shapes[f"ways_{key}"] = Box(box.x + box.width + 15, box.y + 15, 50, 50)
        return gateway

    def _events(self, node: Json) -> Iterator[etree._Element]:
        key = node["key"]
        for number, edge in enumerate(self.aside[key]):
            event = etree.Element(
                model("boundaryEvent"),
                id=event_id(edge["key"]),
                attachedToRef=node_id(key),
                cancelActivity="true",
            )
            self._event(event, edge, key)
            box = self.boxes[key]
            self.shapes[event_id(edge["key"])] = Box(box.x + number * 40, box.y + box.height - 18, 36, 36)
            yield event

    def _waiting(self, node: Json) -> Iterator[etree._Element]:
        """A timer that can be broken off waits behind a gateway for whichever event comes first."""
        key = node["key"]
        gateway = etree.Element(model("eventBasedGateway"), id=f"wait_{key}")
        self._extension(gateway, "part", {"of": key}, None)
        box = self.boxes[key]
        self.shapes[f"wait_{key}"] = Box(box.x - 70, box.y - 7, 50, 50)
        yield gateway
        for number, edge in enumerate(self.aside[key], start=1):
            event = etree.Element(model("intermediateCatchEvent"), id=event_id(edge["key"]))
            self._event(event, edge, key)
            self.shapes[event_id(edge["key"])] = Box(box.x, box.y + 45 * number, 36, 36)
            yield event

    def _event(self, event: etree._Element, edge: Json, key: str) -> None:
        if text := shown(edge.get("name", {}), self.locale):
            event.set("name", text)
        self._extension(event, "part", {"of": key}, None)
        if edge["kind"] == "timeout":
            timer = etree.SubElement(event, model("timerEventDefinition"))
            if "after_seconds" in edge:
                _expression(timer, "timeDuration", f"PT{edge['after_seconds']}S")
            return
        element, attribute, declared = _EVENTS[edge["kind"]]
        etree.SubElement(event, model(element), {attribute: declared})

    def _lines(self) -> list[etree._Element]:
        """Every sequence flow; those of one source in the order in which they are tried."""
        lines = []
        for key, node in self.nodes.items():
            waits = node["kind"] == "timer" and bool(self.aside[key])
            decides = node["kind"] in _HANDLED and len(self.forward[key]) > 1
            if decides:
                lines.append(self._helper(f"to_ways_{key}", node_id(key), f"ways_{key}", key))
            if waits:
                lines.append(self._helper(f"to_timer_{key}", f"wait_{key}", node_id(key), key))
                lines += [
                    self._helper(f"to_{event_id(edge['key'])}", f"wait_{key}", event_id(edge["key"]), key)
                    for edge in self.aside[key]
                ]
            lines += [self._helper(f"to_{key}_{id}", id, node_id(key), key) for id in self._merging(key)]
            source = f"ways_{key}" if decides else node_id(key)
            lines += [self._line(edge, source) for edge in self.forward[key]]
            lines += [self._line(edge, event_id(edge["key"])) for edge in self.aside[key]]
        return lines

    def _line(self, edge: Json, source: str) -> etree._Element:
        target = edge["target"]
        node = self.nodes[target]
        entered = f"wait_{target}" if node["kind"] == "timer" and self.aside[target] else node_id(target)
        entered = self.merges.get(edge["key"], entered)
        line = self._flow(edge_id(edge["key"]), source, entered)
        if text := shown(edge.get("name", {}), self.locale):
            line.set("name", text)
        attributes = {"key": edge["key"], "kind": edge["kind"]}
        named = ("key", "kind", "source", "target")
        settings = {name: value for name, value in edge.items() if name not in named}
        self._extension(line, "edge", attributes, settings)
        owner = self.nodes[edge["source"]]
        if edge["kind"] == "forward" and owner["kind"] != "parallel":
            text_of = condition_text(edge, self.forward[edge["source"]], owner=owner)
            if text_of is not None:
                _expression(line, "conditionExpression", text_of)
        return line

    def _helper(self, id: str, source: str, target: str, owner: str) -> etree._Element:
        line = self._flow(id, source, target)
        self._extension(line, "part", {"of": owner}, None)
        return line

    def _flow(self, id: str, source: str, target: str) -> etree._Element:
        self.flows.append((id, source, target))
        self.outgoing.setdefault(source, []).append(id)
        self.incoming.setdefault(target, []).append(id)
        return etree.Element(model("sequenceFlow"), id=id, sourceRef=source, targetRef=target)

    def _connect(self, element: etree._Element) -> None:
        """The lines of an element stand right behind what it says of itself, as the schema wants them."""
        id = str(element.get("id"))
        place = 0
        for place, child in enumerate(element, start=1):
            if etree.QName(child).localname not in ("documentation", "extensionElements"):
                place -= 1
                break
        for way, ids in (("incoming", self.incoming.get(id, ())), ("outgoing", self.outgoing.get(id, ()))):
            for flow in ids:
                reference = etree.Element(model(way))
                reference.text = flow
                element.insert(place, reference)
                place += 1

    def _comments(self) -> Iterator[etree._Element]:
        for comment in self.graph.get("drawing", {}).get("comments", ()):
            element = etree.Element(model("textAnnotation"), id=f"comment_{comment['key']}")
            settings = {name: value for name, value in comment.items() if name != "key"}
            self._extension(element, "comment", {"key": comment["key"]}, settings)
            etree.SubElement(element, model("text")).text = _UNWRITABLE.sub("", comment["text"])
            width, height = comment.get("width") or _COMMENT[0], comment.get("height") or _COMMENT[1]
            self.shapes[f"comment_{comment['key']}"] = Box(comment["x"], comment["y"], width, height)
            yield element

    def _diagram(self) -> etree._Element:
        diagram = etree.Element(f"{{{DIAGRAM}}}BPMNDiagram", id="diagram")
        plane = etree.SubElement(
            diagram, f"{{{DIAGRAM}}}BPMNPlane", id="plane", bpmnElement=process_id(self.code)
        )
        for id, box in self.shapes.items():
            shape = etree.SubElement(plane, f"{{{DIAGRAM}}}BPMNShape", id=f"shape_{id}", bpmnElement=id)
            if id.startswith("ways_"):
                shape.set("isMarkerVisible", "true")
            etree.SubElement(
                shape,
                f"{{{BOUNDS}}}Bounds",
                x=str(box.x),
                y=str(box.y),
                width=str(box.width),
                height=str(box.height),
            )
        for id, source, target in self.flows:
            edge = etree.SubElement(plane, f"{{{DIAGRAM}}}BPMNEdge", id=f"line_{id}", bpmnElement=id)
            for x, y in line_between(self.shapes[source], self.shapes[target]):
                etree.SubElement(edge, f"{{{POINTS}}}waypoint", x=str(x), y=str(y))
        return diagram


def process_id(code: str) -> str:
    return f"flow_{code}"


def node_id(key: str) -> str:
    return f"node_{key}"


def edge_id(key: str) -> str:
    return f"edge_{key}"


def event_id(edge_key: str) -> str:
    return f"event_{edge_key}"


def _expression(parent: etree._Element, name: str, text: str) -> None:
    made = etree.SubElement(parent, model(name))
    made.set(TYPE, "tFormalExpression")
    made.text = text


def _json(settings: Json) -> str:
    """JSON that survives XML: what XML cannot hold is escaped the way JSON does it."""
    text = json.dumps(settings, ensure_ascii=False, separators=(",", ":"))
    escaped = _UNWRITABLE.sub(lambda found: json.dumps(found[0])[1:-1], text)
    # A parser turns a line break written as such into another one.
    return escaped.replace("\r", "\\r")
