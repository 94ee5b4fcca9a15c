"""A process while it is being turned into a flow: steps and ways by the ids of the file, and remarks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from ticket_console.flows.bpmn.layout import Box
from ticket_console.flows.bpmn.names import line_of, local
from ticket_console.flows.bpmn.report import Outcome, Remark
from ticket_console.kernel.errors import Param

_LONGEST: Final = 200


@dataclass(slots=True)
class Step:
    """`kind` is that of the node it becomes; `settings` are further parts of the node.

    `own` is what we once wrote beside it, which goes before everything said here. `scope` is the
    sub-process it stands in.
    """

    id: str
    element: str
    line: int | None
    name: str
    kind: str
    description: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] | None = None
    own_key: str | None = None
    lane: str | None = None
    scope: str | None = None
    triggers: tuple[str, ...] = ()
    timer: str = ""
    link: str = ""
    called: str = ""
    owner: str | None = None
    placed_by_us: str | None = None


@dataclass(slots=True)
class Way:
    id: str
    line: int | None
    source: str
    target: str
    name: str = ""
    condition: str | None = None
    default: bool = False
    kind: str = "forward"
    settings: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] | None = None
    own_key: str | None = None


@dataclass(frozen=True, slots=True)
class Border:
    """An event on the border of a step."""

    id: str
    element: str
    line: int | None
    name: str
    attached: str
    interrupts: bool
    trigger: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    id: str
    text: str
    own: Mapping[str, Any] | None
    own_key: str | None


@dataclass(slots=True)
class Scene:
    """`aliases` lead from elements that only spell out a step in BPMN to that step's own id.

    `frame` is what we once wrote of the flow as a whole.
    """

    name: str = ""
    frame: dict[str, Any] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    ways: list[Way] = field(default_factory=list)
    borders: list[Border] = field(default_factory=list)
    containers: list[Step] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    boxes: dict[str, Box] = field(default_factory=dict)
    lanes: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    defaults: set[str] = field(default_factory=set)
    remarks: list[Remark] = field(default_factory=list)

    def into(self, id: str) -> list[Way]:
        return [way for way in self.ways if way.target == id and way.kind == "forward"]

    def out_of(self, id: str) -> list[Way]:
        return [way for way in self.ways if way.source == id and way.kind == "forward"]

    def drop_ways(self, dropped: list[Way]) -> None:
        gone = set(map(id, dropped))
        self.ways = [way for way in self.ways if id(way) not in gone]

    def free_id(self, wanted: str) -> str:
        number, found = 1, wanted
        while found in self.steps:
            number += 1
            found = f"{wanted}_{number}"
        return found

    def add(self, wanted: str, kind: str, name: str, *, scope: str | None = None) -> Step:
        """A step that the file does not have and a flow needs."""
        step = Step(self.free_id(wanted), kind, None, name, kind, scope=scope)
        self.steps[step.id] = step
        return step

    def add_way(self, source: str, target: str) -> Way:
        way = Way(f"{source}-{target}", None, source, target)
        self.ways.append(way)
        return way

    def say(self, about: Step | Way | Border, outcome: Outcome, code: str, /, **params: Param) -> None:
        element = "sequenceFlow" if isinstance(about, Way) else about.element
        self.remarks.append(
            Remark(element, about.id, about.name[:_LONGEST], about.line, outcome, code, params)
        )

    def say_of(self, element: etree._Element, outcome: Outcome, code: str, /, **params: Param) -> None:
        self.remarks.append(
            Remark(
                local(element),
                element.get("id", "")[:_LONGEST],
                element.get("name", "")[:_LONGEST],
                line_of(element),
                outcome,
                code,
                params,
            )
        )
