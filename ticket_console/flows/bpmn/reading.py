"""Reading BPMN 2.0: a draft of a flow, and a report of what became of every element."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from ticket_console.flows.bpmn import expressions
from ticket_console.flows.bpmn.converting import convert, is_failure
from ticket_console.flows.bpmn.gathering import gather
from ticket_console.flows.bpmn.names import MODEL, line_of, local, model
from ticket_console.flows.bpmn.parsing import BadBpmn, parse
from ticket_console.flows.bpmn.report import Outcome, Report
from ticket_console.flows.bpmn.roles import handler_for
from ticket_console.flows.bpmn.scene import Scene, Step, Way
from ticket_console.flows.bpmn.writing import condition_text, shown
from ticket_console.flows.graph_json import MAX_EDGES, MAX_NODES, InvalidGraph, graph_json, parse_graph
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import LOCALES, LocalText

_LONGEST_NAME: Final = 200
_LONGEST_TEXT: Final = 4_000
_KEY: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_CHINESE: Final = re.compile(r"[\u3400-\u9fff]")
_STAGES: Final = (
    ("intake", "待受理", "Intake", "todo"),
    ("onsite", "处理中", "In progress", "doing"),
    ("done", "已完成", "Done", "done"),
    ("cancelled", "已取消", "Cancelled", "cancelled"),
)
_STEPS: Final = frozenset(
    {
        "task", "userTask", "manualTask", "serviceTask", "scriptTask", "sendTask", "receiveTask",
        "businessRuleTask", "callActivity", "subProcess", "transaction", "adHocSubProcess",
        "startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "exclusiveGateway",
        "parallelGateway", "inclusiveGateway", "complexGateway", "eventBasedGateway",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadFlow:
    """`graph` is a draft: it can be drawn and stored, and may have problems that must be solved first.

    `code` is the flow's code where the file is one of ours.
    """

    name: LocalText
    code: str | None
    graph: dict[str, Any]
    report: Report


def read_bpmn(content: bytes, *, process_id: str | None = None) -> ReadFlow:
    """The flow of a BPMN file: of the process named, or of the one with most steps.

    Raises `BadBpmn` for a file in which there is no process that could be drawn as a flow.
    """
    root = parse(content)
    scene = gather(root, _process(root, process_id))
    convert(scene)
    document = _Document(scene).graph()
    try:
        graph = graph_json(parse_graph(document))
    except InvalidGraph as wrong:
        raise BadBpmn(wrong.problems) from None
    name = scene.frame.get("name")
    locale = "en" if scene.frame.get("locale") == "en" else "zh"
    if not isinstance(name, dict) or shown(name, locale) != " ".join(scene.name.split()):
        name = _labelled(scene.name) if not isinstance(name, dict) else {**name, locale: scene.name}
    code = scene.frame.get("code")
    return ReadFlow(
        name={each: str(name[each])[:_LONGEST_NAME] for each in LOCALES if name.get(each)},
        code=code if isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", code) else None,
        graph=graph,
        report=Report(tuple(sorted(scene.remarks, key=lambda remark: (remark.line or 10**9, remark.id)))),
    )


def _process(root: etree._Element, wanted: str | None) -> etree._Element:
    found = root.findall(model("process"))
    if wanted is not None:
        found = [process for process in found if process.get("id") == wanted]
        if not found:
            raise BadBpmn((FieldProblem("", "bpmn.no_such_process", {"process": wanted[:80]}),))
    if not found:
        raise BadBpmn((FieldProblem("", "bpmn.no_process"),))
    sizes = [sum(local(each) in _STEPS for each in process.iter(f"{{{MODEL}}}*")) for process in found]
    largest = max(sizes)
    if largest == 0:
        raise BadBpmn((FieldProblem("", "bpmn.no_steps", {"line": line_of(found[0]) or 1}),))
    if largest > MAX_NODES:
        raise BadBpmn((FieldProblem("", "bpmn.too_many_steps", {"steps": largest, "limit": MAX_NODES}),))
    return found[sizes.index(largest)]


class _Document:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.stages: dict[str, dict[str, Any]] = {}
        for stage in scene.frame.get("stages", ()) if isinstance(scene.frame.get("stages"), list) else ():
            if isinstance(stage, dict) and isinstance(stage.get("key"), str):
                self.stages[stage["key"]] = stage
        own = [step.own_key for step in scene.steps.values() if step.own_key]
        self.keys = _keys(((step.id, step.own_key) for step in scene.steps.values()), frozenset(own))

    def graph(self) -> dict[str, Any]:
        scene = self.scene
        taken = frozenset(way.own_key for way in scene.ways if way.own_key)
        edge_keys = _keys(
            ((str(number), way.own_key or way.id) for number, way in enumerate(scene.ways)), taken
        )
        nodes = [self._node(step) for step in scene.steps.values()]
        edges = [self._edge(way, edge_keys[str(number)]) for number, way in enumerate(scene.ways)]
        if len(nodes) > MAX_NODES or len(edges) > MAX_EDGES:
            limit = {"steps": len(nodes), "limit": MAX_NODES}
            raise BadBpmn((FieldProblem("", "bpmn.too_many_steps", limit),))
        self._conditions(edges)
        document = {
            "format": 2,
            "stages": list(self.stages.values()),
            "nodes": _in_order(nodes, scene.frame.get("nodes")),
            "edges": _in_order(edges, scene.frame.get("edges")),
        }
        drawing = self._drawing()
        return {**document, "drawing": drawing} if drawing else document

    def _node(self, step: Step) -> dict[str, Any]:
        key = self.keys[step.id]
        if step.own is not None:
            return {**step.own, "key": key, "kind": step.kind}
        node: dict[str, Any] = {"key": key, "kind": step.kind, "stage": self._stage(step)}
        if name := self._name(step, step.name):
            node["name"] = name
        if step.description:
            node["description"] = {
                locale: text[:_LONGEST_TEXT] for locale, text in _labelled(step.description).items()
            }
        for setting in ("delay_seconds", "join"):
            if setting in step.settings:
                node[setting] = step.settings[setting]
        if step.kind in ("task", "approval"):
            self._handler(step, node)
        if step.kind == "subflow":
            self._subflow(step, node)
        return node

    def _name(self, about: Step | Way, name: str) -> LocalText:
        if len(name) > _LONGEST_NAME:
            self.scene.say(about, Outcome.CONVERTED, "bpmn.name_cut", limit=_LONGEST_NAME)
        return _labelled(name[:_LONGEST_NAME])

    def _handler(self, step: Step, node: dict[str, Any]) -> None:
        words = step.owner or step.lane
        handler = handler_for(words)
        if handler is not None:
            node["handler"] = handler
            self.scene.say(step, Outcome.CONVERTED, "bpmn.handler_found", words=str(words)[:80])
        elif step.owner:
            self.scene.say(step, Outcome.DROPPED, "bpmn.handler_unknown", words=step.owner[:80])

    def _subflow(self, step: Step, node: dict[str, Any]) -> None:
        called = step.called.removeprefix("flow_") if self.scene.frame else step.called
        code = _KEY.sub("_", called).strip("_")[:64] or "unknown"
        node["subflow"] = {"flow": code}
        self.scene.say(step, Outcome.CONVERTED, "bpmn.call_activity", flow=code)

    def _stage(self, step: Step) -> str:
        if step.kind == "end":
            return self._standard("cancelled" if is_failure(step) else "done")
        if step.lane:
            return self._lane(step.lane)
        if step.kind == "start":
            return self._standard("intake")
        # In a file of ours a new step belongs to a stage the flow has already.
        for key, stage in self.stages.items():
            if stage.get("category") == "doing":
                return key
        return self._standard("onsite")

    def _standard(self, key: str) -> str:
        category = next(each[3] for each in _STAGES if each[0] == key)
        for own, stage in self.stages.items():
            if self.scene.frame and stage.get("category") == category:
                return own
        _, zh, en, _ = next(each for each in _STAGES if each[0] == key)
        self.stages.setdefault(key, {"key": key, "name": {"zh": zh, "en": en}, "category": category})
        return key

    def _lane(self, lane: str) -> str:
        key = f"lane_{_KEY.sub('_', lane).strip('_')}"[:56]
        number = 1
        found = key
        while found in self.stages and self.stages[found]["name"] != _labelled(lane[:_LONGEST_NAME]):
            number += 1
            found = f"{key}_{number}"
        self.stages.setdefault(
            found, {"key": found, "name": _labelled(lane[:_LONGEST_NAME]), "category": "doing"}
        )
        return found

    def _edge(self, way: Way, key: str) -> dict[str, Any]:
        ends = {"source": self.keys[way.source], "target": self.keys[way.target]}
        edge: dict[str, Any] = {**(way.own or way.settings), "key": key, "kind": way.kind, **ends}
        if way.own is None:
            if name := self._name(way, way.name):
                edge["name"] = name
            if way.default:
                edge["default"] = True
        edge["_way"] = way
        return edge

    def _conditions(self, edges: list[dict[str, Any]]) -> None:
        """Conditions become trees where they can be read; our own stand as they are until changed."""
        kinds = {self.keys[step.id]: step.kind for step in self.scene.steps.values()}
        forward: dict[str, list[dict[str, Any]]] = {}
        for edge in edges:
            if edge["kind"] == "forward":
                forward.setdefault(edge["source"], []).append(edge)
        for edge in edges:
            way: Way = edge.pop("_way")
            if edge["kind"] != "forward":
                continue
            siblings = forward[edge["source"]]
            owner = {"key": edge["source"], "kind": kinds[edge["source"]]}
            if way.own is not None and (way.condition or None) == condition_text(edge, siblings, owner=owner):
                continue
            if way.own is None:
                edge.setdefault("order", siblings.index(edge))
            self._condition(edge, way, kinds[edge["source"]], len(siblings))

    def _condition(self, edge: dict[str, Any], way: Way, kind: str, siblings: int) -> None:
        if not way.condition or edge.get("default"):
            return
        tree = expressions.read(way.condition)
        if kind not in ("exclusive", "inclusive", "task", "approval") or siblings < 2:
            self.scene.say(way, Outcome.DROPPED, "bpmn.condition_dropped", text=way.condition[:200])
        elif tree is not None:
            edge["guard"] = tree
        else:
            # Without a guard and no default the edge cannot be published: validation asks for a condition.
            edge.pop("guard", None)
            shown_text = " ".join(way.condition.split())
            if not edge.get("name"):
                edge["name"] = _labelled(shown_text[:_LONGEST_NAME])
            self.scene.say(way, Outcome.CONVERTED, "bpmn.condition_kept", text=shown_text[:200])

    def _drawing(self) -> dict[str, Any]:
        nodes = {}
        for step in self.scene.steps.values():
            box = self.scene.boxes.get(step.id)
            if box is not None and step.placed_by_us != f"{box.x},{box.y}":
                nodes[self.keys[step.id]] = {"x": box.x, "y": box.y}
        comments = []
        taken = frozenset(note.own_key for note in self.scene.notes if note.own_key)
        keys = _keys(((str(n), note.own_key or note.id) for n, note in enumerate(self.scene.notes)), taken)
        for number, note in enumerate(self.scene.notes[:500]):
            box = self.scene.boxes.get(note.id)
            comment: dict[str, Any] = {**(note.own or {}), "key": keys[str(number)]}
            if note.own is None:
                comment["text"] = note.text[:_LONGEST_TEXT]
                comment |= {"x": 0, "y": 0} if box is None else {"x": box.x, "y": box.y}
                if box is not None and box.width > 0 and box.height > 0:
                    comment |= {"width": box.width, "height": box.height}
            elif box is not None and isinstance(comment.get("x"), int):
                comment |= {"x": box.x, "y": box.y}
            comments.append(comment)
        drawing: dict[str, Any] = {}
        if nodes:
            drawing["nodes"] = nodes
        if comments:
            drawing["comments"] = comments
        return drawing


def _labelled(text: str) -> LocalText:
    """A text of a file that does not say in which language it is."""
    clean = " ".join(text.split()) if "\n" not in text else text.strip()
    return {"zh" if _CHINESE.search(clean) else "en": clean} if clean else {}


def _keys(wishes: Iterable[tuple[str, str | None]], taken: frozenset[str | None]) -> dict[str, str]:
    """A key for each id: our own where it has one, else made of the id, each once."""
    found: dict[str, str] = {}
    used: set[str | None] = set()
    for id, wish in wishes:
        wanted = _KEY.sub("_", wish or id).strip("_")[:58] or "part" if wish not in taken else str(wish)
        key, number = wanted, 1
        while key in used or (key in taken and key != wish):
            number += 1
            key = f"{wanted[:58]}_{number}"
        used.add(key)
        found[id] = key
    return found


def _in_order(parts: list[dict[str, Any]], order: Any) -> list[dict[str, Any]]:
    """The parts in the order we once wrote down; what is new comes last."""
    if not isinstance(order, list):
        return parts
    rank: Mapping[str, int] = {key: place for place, key in enumerate(order) if isinstance(key, str)}
    return sorted(parts, key=lambda part: rank.get(part["key"], len(rank)))
