"""Gathering a process from its XML: every element of it is taken up, or a remark says why not."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from ticket_console.flows.bpmn.layout import Box
from ticket_console.flows.bpmn.names import (
    BOUNDS,
    DIAGRAM,
    MODEL,
    OURS,
    TYPE,
    line_of,
    local,
    model,
    namespace,
    ours,
)
from ticket_console.flows.bpmn.report import Outcome
from ticket_console.flows.bpmn.scene import Border, Note, Scene, Step, Way
from ticket_console.flows.bpmn.writing import shown

# What each kind of element becomes, with the remark for what is no plain translation.
_KINDS: Final[Mapping[str, tuple[str, str | None]]] = {
    "startEvent": ("start", None),
    "endEvent": ("end", None),
    "task": ("task", None),
    "userTask": ("task", None),
    "manualTask": ("task", None),
    "receiveTask": ("task", "bpmn.task_receive"),
    "serviceTask": ("automatic", "bpmn.task_automatic"),
    "scriptTask": ("automatic", "bpmn.task_automatic"),
    "sendTask": ("automatic", "bpmn.task_automatic"),
    "businessRuleTask": ("automatic", "bpmn.task_automatic"),
    "callActivity": ("subflow", None),
    "exclusiveGateway": ("exclusive", None),
    "parallelGateway": ("parallel", None),
    "inclusiveGateway": ("inclusive", None),
    "complexGateway": ("complex", None),
    "eventBasedGateway": ("events", None),
    "intermediateCatchEvent": ("catch", None),
    "intermediateThrowEvent": ("throw", None),
}
# The elements as which each kind of node is written; another one means that a tool has changed it.
_WRITTEN_AS: Final[Mapping[str, str]] = {
    "automatic": "serviceTask",
    "approval": "userTask",
    "survey": "sendTask",
    "settle": "businessRuleTask",
    "timer": "intermediateCatchEvent",
}
_CONTAINERS: Final = frozenset({"subProcess", "transaction", "adHocSubProcess"})
# What is read together with the element it stands in.
_PARTS: Final = frozenset(
    {
        "incoming", "outgoing", "documentation", "extensionElements", "conditionExpression", "text", "script",
        "laneSet", "lane", "childLaneSet", "flowNodeRef", "activationCondition", "partitionElement",
        "timeDuration", "timeDate", "timeCycle", "condition", "completionCondition",
        "participantMultiplicity",
    }
)  # fmt: skip
_NOT_CARRIED: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "dataObject", "dataObjectReference", "dataStore", "dataStoreReference", "dataInput", "dataOutput",
            "ioSpecification", "property", "dataInputAssociation", "dataOutputAssociation", "itemDefinition",
        ),
        "bpmn.data",
    ),
    **dict.fromkeys(("message", "signal", "error", "escalation"), "bpmn.event_name"),
    **dict.fromkeys(("group", "category"), "bpmn.group"),
    **dict.fromkeys(("multiInstanceLoopCharacteristics", "standardLoopCharacteristics"), "bpmn.loop"),
    **dict.fromkeys(
        ("resource", "potentialOwner", "performer", "humanPerformer", "resourceRole"), "bpmn.assignment"
    ),
    "messageFlow": "bpmn.message_flow",
    "association": "bpmn.association",
}  # fmt: skip
_OUR_EVENTS: Final = frozenset({"sent_back", "rejected", "called_off"})


def gather(root: etree._Element, process: etree._Element) -> Scene:
    return _Gatherer(root, process).scene


class _Gatherer:
    def __init__(self, root: etree._Element, process: etree._Element) -> None:
        self.root = root
        self.scene = Scene(name=process.get("name", ""))
        # Elements are told apart by identity, which holds for as long as somebody keeps them.
        self.taken: set[etree._Element] = {root, process}
        self._frame(process)
        self._pools(process)
        for lane_set in process.findall(model("laneSet")):
            self._lanes(lane_set)
        self._members(process, None)
        self._boxes()
        self._rest(root)

    def _frame(self, process: etree._Element) -> None:
        ours_of = _our_part(process, "flow")
        self.scene.frame = _json_of(ours_of) or {}
        if ours_of is not None:
            self.scene.frame["code"] = ours_of.get("code", "")

    def _pools(self, process: etree._Element) -> None:
        for collaboration in self.root.findall(model("collaboration")):
            self.taken.add(collaboration)
            for pool in collaboration.findall(model("participant")):
                self.taken.add(pool)
                reference = _bare(pool.get("processRef", ""))
                if reference and reference == process.get("id"):
                    self.scene.name = pool.get("name") or self.scene.name
                elif not reference:
                    self.scene.say_of(pool, Outcome.DROPPED, "bpmn.pool_black_box")
        for other in self.root.findall(model("process")):
            if other is not process:
                self.taken.update(other.iter())
                steps = sum(local(each) in _KINDS for each in other.iter(f"{{{MODEL}}}*"))
                if steps:
                    self.scene.say_of(other, Outcome.DROPPED, "bpmn.other_process", steps=steps)

    def _lanes(self, lane_set: etree._Element) -> None:
        for lane in lane_set.findall(model("lane")):
            self.taken.add(lane)
            for reference in lane.findall(model("flowNodeRef")):
                if reference.text:
                    self.scene.lanes[_bare(reference.text.strip())] = str(lane.get("name") or lane.get("id"))
            for inner in lane.findall(model("childLaneSet")):
                self._lanes(inner)

    def _members(self, container: etree._Element, scope: str | None) -> None:
        for child in container.iterchildren(f"{{{MODEL}}}*"):
            name = local(child)
            if name in _KINDS:
                self._step(child, scope)
            elif name == "sequenceFlow":
                self._way(child)
            elif name == "boundaryEvent":
                self._border(child)
            elif name in _CONTAINERS:
                self._container(child, scope)
            elif name == "textAnnotation":
                self._note(child)

    def _step(self, element: etree._Element, scope: str | None) -> None:
        self._take(element)
        part = _our_part(element, "part")
        if part is not None:
            self.scene.aliases[element.get("id", "")] = f"node_{part.get('of')}"
            return
        if element.get("isForCompensation") == "true":
            self.scene.say_of(element, Outcome.DROPPED, "bpmn.compensation")
            return
        kind, remark = _KINDS[local(element)]
        step = self._made(element, kind, scope)
        mine = _our_part(element, "node")
        settings = _json_of(mine)
        if (
            mine is not None
            and settings is not None
            and _is_written_as(element, mine.get("kind", ""), settings)
        ):
            step.kind, step.own, step.own_key = mine.get("kind", ""), settings, mine.get("key")
            step.placed_by_us = mine.get("auto")
            step.own = self._with_changes(step.own, step)
            return
        if remark is not None:
            self.scene.say(step, Outcome.CONVERTED, remark, kind=local(element))
        if script := element.findtext(model("script")):
            step.description = f"{step.description}\n{script}".strip()
        if local(element) == "callActivity":
            step.called = _bare(element.get("calledElement", ""))
        step.owner = self._owner(element)

    def _with_changes(self, own: dict[str, Any], step: Step) -> dict[str, Any]:
        """What a tool has written over our own words."""
        locale = self._locale()
        name = _texts(own.get("name"))
        if step.name != shown(name, locale):
            own = {**own, "name": {**name, locale: step.name}}
        return own

    def _locale(self) -> str:
        return "en" if self.scene.frame.get("locale") == "en" else "zh"

    def _owner(self, element: etree._Element) -> str | None:
        """Who a tool says is to do a step."""
        for role in ("potentialOwner", "humanPerformer", "performer"):
            for found in element.iterchildren(model(role)):
                text = " ".join("".join(str(each) for each in found.itertext()).split())
                if text:
                    return text
        for name, value in element.attrib.items():
            if etree.QName(name).localname in ("candidateGroups", "assignee") and etree.QName(name).namespace:
                return str(value)
        return None

    def _made(self, element: etree._Element, kind: str, scope: str | None) -> Step:
        id = element.get("id") or f"{local(element)}_{line_of(element)}"
        step = Step(
            id=self.scene.free_id(id),
            element=local(element),
            line=line_of(element),
            name=" ".join((element.get("name") or "").split()),
            kind=kind,
            description=_text_of(element, "documentation"),
            lane=self.scene.lanes.get(id),
            scope=scope,
            triggers=tuple(_triggers(element)),
        )
        step.timer = _timer_text(element)
        step.link = next(
            (each.get("name", "") for each in element.iterchildren(model("linkEventDefinition"))), ""
        )
        if default := element.get("default"):
            self.scene.defaults.add(_bare(default))
        self.scene.steps[step.id] = step
        if step.id != id:
            self.scene.say(step, Outcome.CONVERTED, "bpmn.id_twice", id=id[:100])
        return step

    def _way(self, element: etree._Element) -> None:
        self._take(element)
        if _our_part(element, "part") is not None:
            return
        way = Way(
            id=element.get("id") or f"flow_{line_of(element)}",
            line=line_of(element),
            source=_bare(element.get("sourceRef", "")),
            target=_bare(element.get("targetRef", "")),
            name=" ".join((element.get("name") or "").split()),
            condition=_text_of(element, "conditionExpression") or None,
        )
        mine = _our_part(element, "edge")
        settings = _json_of(mine)
        if mine is not None and settings is not None:
            way.kind, way.own_key = mine.get("kind", "forward"), mine.get("key")
            locale = self._locale()
            name = _texts(settings.get("name"))
            way.own = (
                settings
                if way.name == shown(name, locale)
                else {**settings, "name": {**name, locale: way.name}}
            )
        self.scene.ways.append(way)

    def _border(self, element: etree._Element) -> None:
        self._take(element)
        part = _our_part(element, "part")
        if part is not None:
            self.scene.aliases[element.get("id", "")] = f"node_{part.get('of')}"
            return
        self.scene.borders.append(
            Border(
                id=element.get("id", ""),
                element="boundaryEvent",
                line=line_of(element),
                name=" ".join((element.get("name") or "").split()),
                attached=_bare(element.get("attachedToRef", "")),
                interrupts=element.get("cancelActivity", "true") != "false",
                trigger=next(_triggers(element), ""),
                text=_timer_text(element),
            )
        )

    def _container(self, element: etree._Element, scope: str | None) -> None:
        if element.get("triggeredByEvent") == "true":
            self.taken.update(element.iter())
            self.scene.say_of(element, Outcome.DROPPED, "bpmn.event_subprocess")
            for inner in element.iter(f"{{{MODEL}}}*"):
                if local(inner) in _KINDS:
                    self.scene.say_of(inner, Outcome.DROPPED, "bpmn.with_its_subprocess")
            return
        self._take(element)
        step = self._made(element, "container", scope)
        del self.scene.steps[step.id]
        self.scene.containers.append(step)
        for lane_set in element.findall(model("laneSet")):
            self._lanes(lane_set)
        self._members(element, step.id)

    def _note(self, element: etree._Element) -> None:
        self._take(element)
        mine = _our_part(element, "comment")
        text = _text_of(element, "text")
        own = _json_of(mine)
        key = mine.get("key") if mine is not None else None
        self.scene.notes.append(Note(element.get("id", ""), text, own, key))

    def _boxes(self) -> None:
        for shape in self.root.iter(f"{{{DIAGRAM}}}BPMNShape"):
            bounds = shape.find(f"{{{BOUNDS}}}Bounds")
            if bounds is None:
                continue
            try:
                figures = [round(float(bounds.get(each, "0"))) for each in ("x", "y", "width", "height")]
            except (ValueError, OverflowError):
                continue
            if all(abs(each) <= 1_000_000 for each in figures):
                self.scene.boxes[_bare(shape.get("bpmnElement", ""))] = Box(*figures)

    def _take(self, element: etree._Element) -> None:
        self.taken.add(element)
        for child in element.iterchildren(f"{{{MODEL}}}*"):
            if local(child).endswith("EventDefinition"):
                self.taken.update(child.iter(f"{{{MODEL}}}*"))

    def _rest(self, element: etree._Element) -> None:
        """A remark for everything nobody has taken up, except below what has one already."""
        foreign = {etree.QName(name) for name in element.attrib} - {etree.QName(TYPE)}
        if kinds := sorted(name.localname for name in foreign if name.namespace not in (None, MODEL)):
            self.scene.say_of(element, Outcome.TOOL, "bpmn.tool_data", kinds=", ".join(kinds)[:200])
        for child in element.iterchildren(f"{{{MODEL}}}*"):
            name = local(child)
            if child in self.taken or name in _PARTS:
                if name == "extensionElements":
                    self._tool_data(element, child)
                else:
                    self._rest(child)
                continue
            if self.scene.frame and (
                child.get("id") in _OUR_EVENTS or _our_part(element, "node") is not None
            ):
                continue
            outcome = Outcome.CONVERTED if name == "potentialOwner" else Outcome.DROPPED
            code = _NOT_CARRIED.get(name, "bpmn.not_carried")
            self.scene.say_of(
                child, outcome, code, of=element.get("name") or element.get("id", ""), kind=name
            )

    def _tool_data(self, element: etree._Element, holder: etree._Element) -> None:
        foreign = [child for child in holder.iterchildren("{*}*") if namespace(child) != OURS]
        if foreign:
            kinds = ", ".join(sorted({local(child) for child in foreign}))
            self.scene.say_of(element, Outcome.TOOL, "bpmn.tool_data", kinds=kinds[:200])


def _is_written_as(element: etree._Element, kind: str, settings: Mapping[str, Any]) -> bool:
    """Whether the element is still what we write for a node of this kind."""
    if settings.get("join") in ("any", "some"):
        return local(element) == "complexGateway"
    return local(element) == _WRITTEN_AS.get(kind) or _KINDS[local(element)][0] == kind


def _our_part(element: etree._Element, name: str) -> etree._Element | None:
    holder = element.find(model("extensionElements"))
    return None if holder is None else holder.find(ours(name))


def _json_of(element: etree._Element | None) -> dict[str, Any] | None:
    if element is None:
        return None
    try:
        found = json.loads(element.text or "")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _texts(value: Any) -> dict[str, str]:
    """A text in languages as we write it; anything else somebody may have written there is none."""
    return {str(key): str(text) for key, text in value.items()} if isinstance(value, dict) else {}


def _triggers(element: etree._Element) -> Iterator[str]:
    for child in element.iterchildren(f"{{{MODEL}}}*"):
        if local(child).endswith("EventDefinition"):
            yield local(child).removesuffix("EventDefinition")
        elif local(child) == "eventDefinitionRef":
            yield "referenced"


def _timer_text(element: etree._Element) -> str:
    for timer in element.iterchildren(model("timerEventDefinition")):
        for child in timer.iterchildren(f"{{{MODEL}}}*"):
            if child.text and child.text.strip():
                return child.text.strip()
    return ""


def _text_of(element: etree._Element, name: str) -> str:
    return "\n".join(
        "".join(str(each) for each in child.itertext()).strip() for child in element.iterchildren(model(name))
    ).strip()


def _bare(reference: str) -> str:
    """A reference without the prefix some tools put before it."""
    return reference.rpartition(":")[2] if ":" in reference else reference
