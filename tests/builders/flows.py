"""Flow graphs for tests: written by hand in a few words, or random and valid."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import strategies as st

from ticket_console.flows.elements import (
    CallWebhook,
    Edge,
    EdgeKind,
    FieldSet,
    Handler,
    HandlerMode,
    HandlerRule,
    Join,
    Node,
    NodeKind,
    Question,
    QuestionKind,
    Stage,
    StageCategory,
)
from ticket_console.flows.graph import Graph
from ticket_console.kernel.text import LocalText

STAGES = tuple(
    Stage(key, {"zh": key, "en": key}, StageCategory(category))
    for key, category in (
        ("intake", "todo"),
        ("onsite", "doing"),
        ("acceptance", "waiting"),
        ("done", "done"),
        ("cancelled", "cancelled"),
    )
)
QUEUE = Handler(HandlerMode.QUEUE, role="dispatcher")
AGENTS = Handler(HandlerMode.QUEUE, role="agent")
TECHNICIAN = Handler(HandlerMode.TECHNICIAN, role="technician", sticky=True)


def make_node(key: str, kind: str, *, stage: str = "intake", **settings: Any) -> Node:
    """A node with what its kind cannot do without."""
    node_kind = NodeKind(kind)
    if node_kind in (NodeKind.TASK, NodeKind.APPROVAL):
        settings.setdefault("handler", QUEUE)
        settings.setdefault("weight", 1)
    if node_kind is NodeKind.TIMER:
        settings.setdefault("delay_seconds", 60)
    if node_kind is NodeKind.SETTLE:
        settings.setdefault("segment", "main")
    if node_kind is NodeKind.SURVEY:
        settings.setdefault("questions", (Question("score", QuestionKind.RATING, _named("score")),))
    return Node(key=key, kind=node_kind, name=_named(key), stage=stage, **settings)


def make_edge(
    source: str, target: str, *, kind: str = "forward", key: str | None = None, **settings: Any
) -> Edge:
    """An edge; unless told otherwise its key says where it leads: `a-b`."""
    if kind == "timeout":
        settings.setdefault("after_seconds", 3_600)
    return Edge(
        key=key or f"{source}-{target}",
        kind=EdgeKind(kind),
        source=source,
        target=target,
        name=_named(target),
        **settings,
    )


def make_graph(*parts: Node | Edge) -> Graph:
    """The parts given, from a `start` to the ends `end` and `gone`, each there if an edge leads to it."""
    edges = tuple(part for part in parts if isinstance(part, Edge))
    ends = (make_node("end", "end", stage="done"), make_node("gone", "end", stage="cancelled"))
    return Graph(
        stages=STAGES,
        nodes=(
            make_node("start", "start"),
            *(part for part in parts if isinstance(part, Node)),
            *(end for end in ends if any(edge.target == end.key for edge in edges)),
        ),
        edges=edges,
    )


def is_equal(field_key: str, value: object) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field_key, "operator": "=", "value": value}]}


def _named(key: str) -> LocalText:
    return {"zh": key, "en": key}


@dataclass(frozen=True)
class _Loose:
    """An edge that still looks for its target."""

    source: str
    guard: dict[str, Any] | None = None
    default: bool = False
    order: int = 0


@dataclass
class _Drawing:
    """A graph being drawn block by block. Blocks nest, so splits and joins always match."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    nodes: list[Node] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    numbers: Any = field(default_factory=lambda: count(1))
    # The resting places of the branch being drawn, innermost branch last.
    resting: list[list[str]] = field(default_factory=lambda: [[]])

    def chance(self, one_in: int) -> bool:
        return bool(self.draw(st.integers(1, one_in)) == 1)

    def add(self, kind: str, loose: list[_Loose], **settings: Any) -> str:
        key = f"{kind}{next(self.numbers)}"
        self.nodes.append(make_node(key, kind, **settings))
        self.connect(loose, key)
        return key

    def connect(self, loose: list[_Loose], target: str, kind: str = "forward") -> None:
        for end in loose:
            self.edges.append(
                make_edge(
                    end.source,
                    target,
                    kind=kind,
                    key=f"e{next(self.numbers)}",
                    guard=end.guard,
                    default=end.default,
                    order=end.order,
                )
            )

    def sequence(self, loose: list[_Loose], before: list[str], depth: int) -> list[_Loose]:
        """`before` are nodes on the way here that work may be sent back to, in this branch or around it."""
        before = list(before)
        for _ in range(self.draw(st.integers(1, 3))):
            loose = self.block(loose, before, depth)
        return loose

    def block(self, loose: list[_Loose], before: list[str], depth: int) -> list[_Loose]:
        kinds = [self.step, self.step, self.passing]
        if depth:
            kinds += [self.exclusive, self.parallel, self.inclusive, self.choice]
        drawn: list[_Loose] = self.draw(st.sampled_from(kinds))(loose, before, depth)
        return drawn

    def step(self, loose: list[_Loose], before: list[str], depth: int) -> list[_Loose]:
        kind = self.draw(st.sampled_from(["task", "approval", "timer"]))
        stage = self.draw(st.sampled_from(["intake", "onsite", "acceptance"]))
        weight = self.draw(st.integers(0, 9))
        settings: dict[str, Any] = {"stage": stage, "weight": weight}
        if kind != "timer":
            settings["handler"] = self.draw(st.sampled_from([QUEUE, TECHNICIAN]))
            if self.chance(4):
                settings["handlers"] = (HandlerRule(is_equal("level", 1), AGENTS),)
        elif self.chance(3):
            settings |= {"delay_seconds": None, "until_field": "appointment"}
        key = self.add(kind, loose, **settings)
        if kind != "timer":
            self.ways_back(key, before)
        if self.chance(4):
            self.connect([_Loose(key)], "gone", "cancel")
        before.append(key)
        self.resting[-1].append(key)
        return [_Loose(key)]

    def ways_back(self, key: str, before: list[str]) -> None:
        if before and self.chance(2):
            self.connect([_Loose(key)], self.draw(st.sampled_from(before)), "return")
        if self.chance(4):
            self.connect([_Loose(key)], self.draw(st.sampled_from([*before, "gone"])), "reject")
        if self.chance(4):
            self.connect([_Loose(key)], self.draw(st.sampled_from([*before, "end", "gone"])), "timeout")

    def passing(self, loose: list[_Loose], before: list[str], depth: int) -> list[_Loose]:
        kind = self.draw(st.sampled_from(["automatic", "automatic", "settle", "survey"]))
        if kind == "automatic":
            value = self.draw(st.integers(0, 3))
            actions = (CallWebhook("https://example.com/hook"),) if self.chance(3) else ()
            key = self.add(kind, loose, sets=(FieldSet("level", value),), actions=actions)
        else:
            key = self.add(kind, loose)
        before.append(key)
        return [_Loose(key)]

    def exclusive(self, loose: list[_Loose], before: list[str], depth: int) -> list[_Loose]:
        key = self.add("exclusive", loose)
        before.append(key)
        guarded = [
            _Loose(key, is_equal("level", self.draw(st.integers(0, 3))), order=order)
            for order in range(self.draw(st.integers(1, 2)))
        ]
        out = self.sequence([_Loose(key, default=True)], before, depth - 1)
        for end in guarded:
            if self.chance(5):
                self.connect([end], "end")
            elif self.resting[-1] and self.chance(4):
                self.connect([end], self.draw(st.sampled_from(self.resting[-1])))
            elif self.chance(2):
                out += self.sequence([end], before, depth - 1)
            else:
                out.append(end)
        return out

    def choice(self, loose: list[_Loose], before: list[str], depth: int) -> list[_Loose]:
        """A person picks the way."""
        key = self.add("approval", loose, weight=self.draw(st.integers(0, 9)))
        self.ways_back(key, before)
        before.append(key)
        out = self.sequence([_Loose(key)], before, depth - 1)
        return [*out, *self.sequence([_Loose(key, order=1)], before, depth - 1)]

    def parallel(self, loose: list[_Loose], before: list[str], depth: int) -> list[_Loose]:
        split = self.add("parallel", loose)
        return self.forked(
            "parallel", [_Loose(split, order=order) for order in range(self.branches())], before, depth
        )

    def inclusive(self, loose: list[_Loose], before: list[str], depth: int) -> list[_Loose]:
        """Branches for every condition that holds, and one for when none does."""
        split = self.add("inclusive", loose)
        guarded = [
            _Loose(split, is_equal("level", self.draw(st.integers(0, 3))), order=order)
            for order in range(self.branches() - 1)
        ]
        return self.forked("inclusive", [*guarded, _Loose(split, default=True)], before, depth)

    def branches(self) -> int:
        return int(self.draw(st.integers(2, 3)))

    def forked(self, kind: str, begun: list[_Loose], before: list[str], depth: int) -> list[_Loose]:
        before.append(begun[0].source)
        out: list[_Loose] = []
        for end in begun:
            self.resting.append([])
            out += [end] if self.chance(4) else self.sequence([end], before, depth - 1)
            self.resting.pop()
        settings: dict[str, Any] = {"join": self.draw(st.sampled_from(list(Join)))}
        if settings["join"] is Join.SOME:
            settings["join_count"] = self.draw(st.integers(1, len(begun)))
        return [_Loose(self.add(kind, out, **settings))]


@st.composite
def graphs(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Graph:
    """Random valid flows: steps, gateways, forks within forks, timers, ways back, early ends."""
    drawing = _Drawing(draw)
    loose = drawing.sequence([_Loose("start")], [], depth=2)
    drawing.connect(drawing.step(loose, [], 0), "end")
    return make_graph(*drawing.nodes, *drawing.edges)


def facts() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"level": st.integers(0, 3) | st.none()})
