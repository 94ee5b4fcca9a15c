"""The field service pack: every flow can be published, walked to its end, and read in both languages."""

import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ticket_console.flows.elements import HANDLED_KINDS, NodeKind
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import parse_graph
from ticket_console.flows.validation import graph_problems
from ticket_console.forms.definitions import TemplateDefinition, definition_problems, parse_definition
from ticket_console.forms.fields import Sensitivity
from ticket_console.packs.contents import (
    FOLDER,
    Pack,
    PackNotFound,
    PackTemplate,
    pack_codes,
    read_folder,
    read_pack,
)
from ticket_console.packs.exchange.yaml_writing import write_yaml
from ticket_console.tickets.actions import (
    Complete,
    HandlerNeeded,
    Open,
    Reject,
    SendBack,
    SettleDue,
    TimerFired,
)
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking, TicketStatus

PACK: Pack = read_pack("field_service")
FLOWS = [flow.code for flow in PACK.flows]
TEMPLATES = [template.code for template in PACK.templates]


def graph(code: str) -> Graph:
    return parse_graph(next(flow.graph for flow in PACK.flows if flow.code == code))


def template(code: str) -> PackTemplate:
    return next(template for template in PACK.templates if template.code == code)


def definition(code: str) -> TemplateDefinition:
    return parse_definition(template(code).definition)


class Walk:
    """A ticket walked through a flow without a database."""

    def __init__(self, code: str, **facts: object) -> None:
        self.graph, self.facts = graph(code), dict(facts)
        self.marking = Marking()
        self.passed: list[str] = []
        self.skills: list[str | None] = []
        self.settled: list[str] = []
        self._ids = count(1)
        self._do(Open())

    def _do(self, action: Any) -> None:
        step = advance(
            self.graph, self.marking, action, facts=self.facts, new_token_id=lambda: next(self._ids)
        )
        self.marking = step.marking
        for effect in step.effects:
            if isinstance(effect, HandlerNeeded):
                self.skills.append(effect.handler.skill)
            if isinstance(effect, SettleDue):
                self.settled.append(effect.segment)

    def standing(self) -> list[str]:
        return [token.node_key for token in self.marking.active()]

    def complete(self, node_key: str | None = None, **facts: object) -> "Walk":
        self.facts |= facts
        token = next(each for each in self.marking.active() if node_key in (None, each.node_key))
        self.passed.append(token.node_key)
        is_timer = self.graph.node_by_key[token.node_key].kind is NodeKind.TIMER
        self._do(TimerFired(token.id) if is_timer else Complete(token.id))
        return self

    def send_back(self) -> "Walk":
        self._do(SendBack(self.marking.active()[0].id, "again"))
        return self

    def reject(self) -> "Walk":
        self._do(Reject(self.marking.active()[0].id, "no"))
        return self

    def to_the_end(self) -> "Walk":
        while self.marking.status is TicketStatus.OPEN:
            self.complete()
        return self


def test_the_console_comes_with_the_field_service_pack() -> None:
    assert pack_codes() == ("field_service",)
    assert FLOWS == TEMPLATES
    assert FLOWS == [
        "repair",
        "install",
        "complaint",
        "compensation",
        "inspection",
        "consult",
        "presales",
        "general",
    ]
    assert [rule.code for rule in PACK.trigger_rules] == ["emergency-complaint", "presales-quote"]
    with pytest.raises(PackNotFound):
        read_pack("../field_service")


@pytest.mark.parametrize("code", FLOWS)
def test_a_flow_of_the_pack_can_be_published(code: str) -> None:
    fields = {key for each in TEMPLATES for key in definition(each).field_by_key}

    assert graph_problems(graph(code), field_keys=fields) == ()


@pytest.mark.parametrize("code", FLOWS)
def test_a_flow_of_the_pack_has_a_run_to_its_end(code: str) -> None:
    walk = Walk(code).to_the_end()

    assert walk.marking.status is TicketStatus.CLOSED
    assert walk.marking.ended_at == "done"
    assert walk.marking.progress_bp == 10_000


@pytest.mark.parametrize("code", TEMPLATES)
def test_a_template_of_the_pack_can_be_published_and_asks_for_all_that_its_flow_fills_in(code: str) -> None:
    asked = definition(code).field_by_key

    used = {use.key for node in graph(code).nodes for use in node.fields}
    used |= {entry.field for node in graph(code).nodes for entry in node.sets}
    assert definition_problems(definition(code)) == ()
    assert used <= asked.keys()


@pytest.mark.parametrize("code", TEMPLATES)
def test_what_a_stranger_is_asked_at_opening_is_meant_for_strangers(code: str) -> None:
    assert {spec.sensitivity for spec in definition(code).at_opening} == {Sensitivity.PUBLIC}


@pytest.mark.parametrize("code", FLOWS)
def test_everything_people_read_is_written_in_both_languages(code: str) -> None:
    flow = graph(code)

    labels: list[Mapping[str, str]] = [stage.name for stage in flow.stages]
    labels += [node.name for node in flow.nodes]
    labels += [edge.name for edge in flow.edges if flow.node_by_key[edge.source].kind in HANDLED_KINDS]
    for spec in definition(code).field_by_key.values():
        labels += [spec.label, *(option.label for option in spec.options)]
    assert all(label.get("zh") and label.get("en") for label in labels)


def test_a_template_is_found_by_words_of_both_languages() -> None:
    for each in PACK.templates:
        words = each.face.keywords
        is_default = each.code == "general"
        assert any(word.isascii() for word in words) is not is_default
        assert any(not word.isascii() for word in words) is not is_default


# FLW-02
@pytest.mark.parametrize(
    ("category", "step", "skill"),
    [
        ("hvac", "accept_hvac", "hvac"),
        ("appliance", "accept_appliance", "appliance"),
        ("electrical", "accept_electrical", "electrical"),
        ("plumbing", "accept_plumbing", "plumbing"),
        ("lift", "accept_lift", "lift"),
        ("it_network", "accept_it_network", "it_network"),
        ("other", "accept_any", None),
    ],
)
def test_a_repair_goes_to_the_trade_of_its_category(category: str, step: str, skill: str | None) -> None:
    walk = Walk("repair", category=category)

    assert walk.standing() == [step]
    assert walk.skills == [skill]


def test_a_repair_nobody_can_sort_waits_for_the_service_desk_unless_it_is_an_emergency() -> None:
    assert Walk("repair").standing() == ["triage"]
    assert Walk("repair", urgency="emergency").standing() == ["accept_any"]
    assert Walk("repair", source="boston311").standing() == ["accept_any"]
    assert Walk("repair").complete(category="lift").standing() == ["accept_lift"]


# FLW-09, FLW-10
def test_rejected_work_goes_back_to_the_technician_and_returned_work_to_the_dispatcher() -> None:
    walk = Walk("repair", category="hvac").complete().complete()
    assert walk.standing() == ["acceptance"]

    walk.reject()
    assert walk.standing() == ["onsite"]
    walk.send_back()
    assert walk.standing() == ["dispatch"]
    assert walk.marking.returns == {"acceptance": 1, "onsite": 1}
    assert walk.complete(category="appliance").standing() == ["accept_appliance"]


# FLW-12
@pytest.mark.parametrize("first", ["site_ready", "goods_ready"])
def test_an_installation_is_prepared_at_two_places_at_once_and_starts_when_both_are_ready(first: str) -> None:
    walk = Walk("install", category="hvac", quantity="1")
    assert walk.standing() == ["site_ready", "goods_ready"]

    walk.complete(first)
    assert len(walk.standing()) == 1
    assert walk.complete().standing() == ["accept_hvac"]


# FLW-11
def test_a_complaint_is_followed_up_a_day_after_its_visit() -> None:
    walk = Walk("complaint").complete(needs_visit=True).complete()
    assert walk.standing() == ["accept"]

    walk.complete().complete()
    assert walk.standing() == ["cooling"]
    assert walk.graph.node_by_key["cooling"].delay_seconds == 24 * 3600
    assert walk.complete().standing() == ["follow_up"]
    assert walk.complete().settled == ["main"]


def test_defects_found_at_an_inspection_are_rectified_before_the_report() -> None:
    assert Walk("inspection", category="lift").complete().complete(defects="2").standing() == ["rectify"]
    assert Walk("inspection", category="lift").complete().complete(defects="0").standing() == ["review"]


def test_an_enquiry_needs_one_answer_and_settles_nothing() -> None:
    walk = Walk("consult").to_the_end()

    assert walk.passed == ["answer"]
    assert walk.settled == []


# PRM-02, PRM-03
def test_purchase_prices_are_shown_at_the_job_and_to_the_service_desk_never() -> None:
    at_work = graph("repair").node_by_key["onsite"]

    seen = {grant.role: str(grant.fields.get("parts_cost", "")) for grant in at_work.grants}
    assert seen == {"agent": "none", "dispatcher": "read", "technician": "write"}
    assert definition("repair").field_by_key["parts_cost"].sensitivity is Sensitivity.COST


def test_a_pack_written_as_yaml_is_the_same_pack(tmp_path: Path) -> None:
    for path in (FOLDER / "field_service").rglob("*.json"):
        copy = tmp_path / path.relative_to(FOLDER / "field_service").with_suffix(".yaml")
        copy.parent.mkdir(exist_ok=True)
        copy.write_bytes(write_yaml(json.loads(path.read_bytes()), heading=path.stem))

    assert read_folder(tmp_path) == PACK
