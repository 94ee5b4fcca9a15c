"""Turning what BPMN says into what a flow can say, one pass after the other, each leaving its remarks."""

from collections.abc import Callable
from typing import Final

from ticket_console.flows.bpmn.durations import seconds_of
from ticket_console.flows.bpmn.report import Outcome
from ticket_console.flows.bpmn.scene import Border, Scene, Step, Way

_HANDLED: Final = frozenset({"task", "approval"})
_FORKS: Final = frozenset({"parallel", "inclusive"})
_ONE_WAY: Final = frozenset({"start", "automatic", "timer", "subflow", "survey", "settle"})
_FAILED: Final = frozenset({"error", "cancel", "escalation"})


def convert(scene: Scene) -> None:
    """Make every step one of our kinds and every way one of our edges."""
    for convert_part in _PASSES:
        convert_part(scene)


def _resolve_helpers(scene: Scene) -> None:
    """What we add to spell a step out in BPMN is that step again."""
    for way in scene.ways:
        way.source = scene.aliases.get(way.source, way.source)
        way.target = scene.aliases.get(way.target, way.target)
        if way.id in scene.defaults and way.own is None:
            way.default = True


def _drop_loose_ways(scene: Scene) -> None:
    known = {*scene.steps, *(each.id for each in scene.containers), *(each.id for each in scene.borders)}
    loose = [way for way in scene.ways if way.source not in known or way.target not in known]
    for way in loose:
        scene.say(way, Outcome.DROPPED, "bpmn.flow_nowhere", source=way.source[:80], target=way.target[:80])
    scene.drop_ways(loose)


def _flatten(scene: Scene) -> None:
    """Sub-processes become part of the flow, the innermost first."""
    for container in reversed(scene.containers):
        members = [step for step in scene.steps.values() if step.scope == container.id]
        entries = _entries(scene, members)
        if container.element == "adHocSubProcess":
            scene.say(container, Outcome.CONVERTED, "bpmn.ad_hoc")
        if not entries:
            _as_task(scene, container, members)
            continue
        scene.say(container, Outcome.CONVERTED, "bpmn.subprocess_flattened", steps=len(members))
        _lead_out(scene, container, members)
        _lead_in(scene, container, entries)
        for member in members:
            member.scope = container.scope
            member.lane = member.lane or container.lane


def _entries(scene: Scene, members: list[Step]) -> list[str]:
    inner = {member.id for member in members}
    starts = {member.id for member in members if member.kind == "start"}
    begun = [way.target for way in scene.ways if way.source in starts and way.target in inner - starts]
    targets = {way.target for way in scene.ways}
    implicit = [member.id for member in members if member.id not in targets | starts and member.kind != "end"]
    return list(dict.fromkeys([*begun, *(implicit if not begun else [])]))


def _as_task(scene: Scene, container: Step, members: list[Step]) -> None:
    inner = {member.id for member in members}
    for member in members:
        del scene.steps[member.id]
    scene.drop_ways([way for way in scene.ways if way.source in inner or way.target in inner])
    container.kind = "task"
    scene.steps[container.id] = container
    scene.say(container, Outcome.CONVERTED, "bpmn.subprocess_empty")


def _lead_in(scene: Scene, container: Step, entries: list[str]) -> None:
    entry = entries[0]
    if len(entries) > 1:
        split = scene.add(f"{container.id}_in", "parallel", container.name, scope=container.scope)
        scene.say(split, Outcome.ADDED, "bpmn.split_added", of=container.name or container.id)
        for target in entries:
            scene.add_way(split.id, target)
        entry = split.id
    for way in scene.ways:
        if way.target == container.id:
            way.target = entry


def _lead_out(scene: Scene, container: Step, members: list[Step]) -> None:
    starts = {member.id for member in members if member.kind == "start"}
    ends = {member.id for member in members if member.kind == "end"}
    scene.drop_ways([way for way in scene.ways if way.source in starts])
    onward = [way for way in scene.ways if way.source == container.id]
    if len(onward) == 1:
        target = onward[0].target
        scene.drop_ways(onward)
    elif onward:
        split = scene.add(f"{container.id}_out", "parallel", container.name, scope=container.scope)
        scene.say(split, Outcome.ADDED, "bpmn.split_added", of=container.name or container.id)
        target = split.id
        for way in onward:
            way.source = split.id
    else:
        end = scene.add(f"{container.id}_end", "end", "", scope=container.scope)
        scene.say(end, Outcome.ADDED, "bpmn.end_added", of=container.name or container.id)
        target = end.id
    leaving = {way.source for way in scene.ways}
    for way in scene.ways:
        if way.target in ends:
            way.target = target
    for member in members:
        if member.id not in leaving | starts | ends:
            scene.add_way(member.id, target)
    for member in members:
        if member.kind == "end" and set(member.triggers) - {"terminate"}:
            trigger = ", ".join(member.triggers)
            scene.say(member, Outcome.CONVERTED, "bpmn.end_trigger", trigger=trigger)
        if member.id in starts | ends:
            del scene.steps[member.id]


def _events(scene: Scene) -> None:
    """Events that tools know and flows do not become steps, timers or nothing."""
    for step in list(scene.steps.values()):
        if step.own is not None:
            continue
        trigger = step.triggers[0] if step.triggers else ""
        if step.kind == "start" and trigger:
            scene.say(step, Outcome.CONVERTED, "bpmn.start_trigger", trigger=trigger)
        elif step.kind == "end" and trigger not in ("", "terminate"):
            scene.say(step, Outcome.CONVERTED, "bpmn.end_trigger", trigger=", ".join(step.triggers))
        elif step.kind == "catch" and trigger == "timer":
            _as_timer(scene, step)
        elif step.kind in ("catch", "throw") and trigger == "link":
            continue
        elif step.kind == "catch":
            step.kind = "task"
            scene.say(step, Outcome.CONVERTED, "bpmn.catch_task", trigger=trigger)
        elif step.kind == "throw":
            step.kind = "automatic"
            scene.say(step, Outcome.CONVERTED, "bpmn.throw_automatic", trigger=trigger)


def _as_timer(scene: Scene, step: Step) -> None:
    step.kind = "timer"
    seconds = seconds_of(step.timer)
    if seconds is not None:
        step.settings["delay_seconds"] = seconds
        return
    step.description = f"{step.description}\n{step.timer}".strip()
    scene.say(step, Outcome.CONVERTED, "bpmn.timer_text", text=step.timer[:200])


def _links(scene: Scene) -> None:
    """A pair of link events is a line that was cut for the drawing."""
    catching = {step.link: step for step in scene.steps.values() if step.kind == "catch"}
    for step in [each for each in scene.steps.values() if each.kind == "throw"]:
        other = catching.get(step.link)
        if other is None:
            step.kind = "automatic"
            scene.say(step, Outcome.CONVERTED, "bpmn.link_open", link=step.link[:80])
            continue
        targets = [way.target for way in scene.out_of(other.id)]
        for way in scene.into(step.id):
            way.target = targets[0] if targets else other.id
        del scene.steps[step.id]
        scene.say(step, Outcome.CONVERTED, "bpmn.link_joined", link=step.link[:80])
    for step in [each for each in scene.steps.values() if each.kind == "catch"]:
        if any(way.target == step.id for way in scene.ways):
            step.kind = "automatic"
            continue
        scene.drop_ways(scene.out_of(step.id))
        del scene.steps[step.id]
        scene.say(step, Outcome.CONVERTED, "bpmn.link_joined", link=step.link[:80])


def _event_gateways(scene: Scene) -> None:
    """Waiting for whichever event comes first: somebody records it, and a timer among them runs out."""
    for step in [each for each in scene.steps.values() if each.kind == "events"]:
        step.kind = "approval"
        scene.say(step, Outcome.CONVERTED, "bpmn.gateway_event")
        for way in scene.out_of(step.id):
            event = scene.steps.get(way.target)
            if event is None or len(scene.into(event.id)) != 1 or "trigger" in event.settings:
                continue
            onward = scene.out_of(event.id)
            if len(onward) != 1 or not (event.triggers or event.element == "receiveTask"):
                continue
            way.name = event.name or way.name
            way.target = onward[0].target
            if event.kind == "timer":
                way.kind, way.condition = "timeout", None
                way.settings["after_seconds"] = event.settings.get("delay_seconds", 0)
            scene.drop_ways(onward)
            del scene.steps[event.id]
            scene.say(event, Outcome.CONVERTED, "bpmn.event_choice", of=step.name or step.id)


def _borders(scene: Scene) -> None:
    for border in scene.borders:
        leaving = [way for way in scene.ways if way.source == border.id]
        step = scene.steps.get(border.attached)
        code = _border_problem(border, step, leaving)
        if code is not None:
            scene.drop_ways(leaving)
            scene.say(border, Outcome.DROPPED, code, trigger=border.trigger, of=step.name if step else "")
            continue
        for way in leaving:
            _as_border_edge(scene, border, way)


def _border_problem(border: Border, step: Step | None, leaving: list[Way]) -> str | None:
    if not leaving:
        return "bpmn.border_open"
    if not border.interrupts:
        return "bpmn.border_side"
    if step is None or step.kind not in _HANDLED:
        return "bpmn.border_nowhere"
    if border.trigger == "timer" and seconds_of(border.text) is None:
        return "bpmn.border_time"
    return None


def _as_border_edge(scene: Scene, border: Border, way: Way) -> None:
    way.source, way.name, way.condition = border.attached, border.name or way.name, None
    seconds = seconds_of(border.text)
    if border.trigger == "timer" and seconds is not None:
        way.kind = "timeout"
        way.settings["after_seconds"] = seconds
        scene.say(border, Outcome.CONVERTED, "bpmn.border_timeout", seconds=seconds)
        return
    way.kind = "reject"
    scene.say(border, Outcome.CONVERTED, "bpmn.border_reject", trigger=border.trigger)


def _complex_gateways(scene: Scene) -> None:
    for step in scene.steps.values():
        if step.kind != "complex":
            continue
        if len(scene.into(step.id)) > 1:
            step.kind = "parallel"
            step.settings["join"] = "any"
            scene.say(step, Outcome.CONVERTED, "bpmn.complex_join")
        else:
            step.kind = "inclusive"
            scene.say(step, Outcome.CONVERTED, "bpmn.complex_split")


def _edges_of_the_process(scene: Scene) -> None:
    """BPMN may begin and end where nothing is drawn; a flow says it."""
    starts = [step for step in scene.steps.values() if step.kind == "start"]
    for extra in starts[1:]:
        if extra.own is None:
            scene.say(extra, Outcome.CONVERTED, "bpmn.second_start")
    targets = {way.target for way in scene.ways}
    if not starts:
        begin = [step for step in scene.steps.values() if step.id not in targets and step.kind != "end"]
        begin = begin or list(scene.steps.values())[:1]
        start = scene.add("start", "start", "")
        scene.say(start, Outcome.ADDED, "bpmn.start_added")
        for step in begin:
            scene.add_way(start.id, step.id)
        # It is the first thing of a flow, also in the list of its parts.
        scene.steps = {start.id: scene.steps.pop(start.id), **scene.steps}
    sources = {way.source for way in scene.ways if way.kind == "forward"}
    open_ends = [
        step
        for step in scene.steps.values()
        if step.id not in sources and step.kind != "end" and step.own is None
    ]
    if open_ends:
        end = scene.add("end", "end", "")
        for step in open_ends:
            scene.add_way(step.id, end.id)
            scene.say(step, Outcome.ADDED, "bpmn.end_added", of=step.name or step.id)


def _gateways(scene: Scene) -> None:
    for step in list(scene.steps.values()):
        if step.own is not None:
            continue
        into, out = scene.into(step.id), scene.out_of(step.id)
        if step.kind in _FORKS:
            _fork_or_join(scene, step, into, out)
        elif step.kind == "exclusive":
            _decision(scene, step, out)
        elif len(out) > 1 and (step.kind in _ONE_WAY or step.kind == "task"):
            _implicit_split(scene, step, out)


def _fork_or_join(scene: Scene, step: Step, into: list[Way], out: list[Way]) -> None:
    joins = len(into) > 1 or "join" in step.settings
    if joins:
        step.settings.setdefault("join", "all")
    if joins and len(out) > 1:
        split = scene.add(f"{step.id}_split", step.kind, step.name)
        scene.say(step, Outcome.CONVERTED, "bpmn.gateway_mixed")
        for way in out:
            way.source = split.id
        scene.add_way(step.id, split.id)
    elif not joins and len(out) == 1:
        # Neither splits nor joins: a flow has no gateway without a purpose.
        step.kind = "automatic"
        scene.say(step, Outcome.CONVERTED, "bpmn.gateway_idle")


def _decision(scene: Scene, step: Step, out: list[Way]) -> None:
    if len(out) == 1:
        out[0].default, out[0].condition = True, None
    elif not any(way.condition or way.own for way in out):
        step.kind = "approval"
        for way in out:
            way.default = False
        scene.say(step, Outcome.CONVERTED, "bpmn.gateway_decided")


def _implicit_split(scene: Scene, step: Step, out: list[Way]) -> None:
    """Several ways out of a step are all taken at once in BPMN, or all whose condition holds."""
    conditional = any(way.condition or way.default for way in out)
    split = scene.add(f"{step.id}_split", "inclusive" if conditional else "parallel", "")
    split.lane, split.scope = step.lane, step.scope
    for way in out:
        way.source = split.id
    scene.add_way(step.id, split.id)
    scene.say(split, Outcome.ADDED, "bpmn.split_added", of=step.name or step.id)


_PASSES: Final[tuple[Callable[[Scene], None], ...]] = (
    _resolve_helpers,
    _drop_loose_ways,
    _flatten,
    _events,
    _links,
    _event_gateways,
    _borders,
    _complex_gateways,
    _edges_of_the_process,
    _gateways,
)


def is_failure(step: Step) -> bool:
    """Whether an end means that the work was given up."""
    return bool(_FAILED & set(step.triggers))
