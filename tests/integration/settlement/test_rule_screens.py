"""What the screens of settlement rules are told: versions, problems at their fields, examples, plans."""

from datetime import date
from typing import Any

import pytest

from tests.builders.settlement import (
    SETTLED,
    STARTED,
    Company,
    facts_of,
    make_rule,
    open_company,
    settle,
    when,
)
from tests.fixtures.databases import Database
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden
from ticket_console.settlement import drafting
from ticket_console.settlement.facts import Hazard
from ticket_console.settlement.kinds import Dimension
from ticket_console.settlement.rule_editing import with_value
from ticket_console.settlement.rule_templates import TEMPLATES, BadAnswers
from ticket_console.state.rule_editor import judged_rule
from ticket_console.state.rule_forms import rules_of_templates, tried_templates
from ticket_console.state.rule_shadow import planned_publication
from ticket_console.state.rulebook import look

HEIGHT = {
    "code": "hazard.height",
    "dimension": "hazard",
    "name": {"zh": "高空", "en": "Height"},
    "op": "multiply",
    "value": "1.25",
    "applies_to": ["base_labour"],
    "order": 30,
    "when": when("hazards", "contains", "height"),
}


@pytest.fixture
def company(sqlite_database: Database) -> Company:
    return open_company()


def shown(company: Company, version_id: int | None = None, role: Role = Role.MANAGER) -> dict[str, Any]:
    return look(
        viewer=company.actor(role), at=SETTLED, code="worker_pay", version_id=version_id, reference="install"
    )


def a_draft(company: Company) -> int:
    base = shown(company)["version"]
    return drafting.begin(
        actor=company.actor(Role.MANAGER),
        at=STARTED,
        base_id=base["id"],
        effective_from=date(2026, 12, 1),
        command_id="begin",
    )


def judged(company: Company, rule: Any, was: str = "") -> dict[str, Any]:
    live = shown(company)["live"]["id"]
    return judged_rule(
        viewer=company.actor(Role.MANAGER), version_id=a_draft(company), live_id=live, rule=rule, was=was
    )


def test_the_library_counts_its_rules_by_dimension_and_says_each_in_both_languages(company: Company) -> None:
    view = shown(company)

    assert len(view["rules"]) == 47  # STL-03
    assert {rule["dimension"] for rule in view["rules"]} == set(Dimension)  # STL-02
    assert len(view["choices"]["dimensions"]) == 12
    assert all(rule["sentence"]["zh"] and rule["sentence"]["en"] for rule in view["rules"])
    assert len(view["templates"]) == len(TEMPLATES) == 12  # STL-04
    assert len(view["grid"]) == 9  # STL-01
    assert (view["version"]["state"], view["changes"], view["may_edit"]) == ("in_force", [], True)


def test_who_reads_pay_reads_the_rules_and_nobody_else(company: Company) -> None:
    assert shown(company, role=Role.AUDITOR)["may_edit"] is False
    with pytest.raises(Forbidden):
        shown(company, role=Role.DISPATCHER)


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"value": "Infinity"}, "value", "settlement.rules.not_finite"),
        ({"value": "1E-400000000"}, "value", "settlement.rules.too_fine"),
        ({"value": "0E-400000000"}, "value", "settlement.rules.too_fine"),
        ({"value": "0." + "1" * 40}, "value", "settlement.rules.too_fine"),
        ({"when": when("kindness", "=", "much")}, "when.rules[0].field", "condition.unknown_field"),
        ({"applies_to": []}, "applies_to", "settlement.rules.no_base"),
        ({"name": {"zh": "高空", "en": ""}}, "name", "settlement.rules.no_name"),
        ({"order": 5}, "", "settlement.rules.base_comes_later"),
        ({"code": "base.install"}, "code", "settlement.rule_code_taken"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told_at_its_field(
    company: Company, changes: dict[str, Any], path: str, code: str
) -> None:
    found = judged(company, HEIGHT | changes, was="hazard.height")

    assert [(each["path"], each["code"]) for each in found["problems"]] == [(path, code)]
    assert (found["sentence"], found["examples"]) == ({}, {})


def test_a_gap_between_tiers_is_told_at_the_tier_with_its_numbers(company: Company) -> None:  # STL-17
    gap = [{"lower": "0", "upper": "10", "value": "1"}, {"lower": "12", "upper": None, "value": "2"}]
    rule = make_rule("gap", dimension="volume", op="tier", unit="month_tickets", order=120, bands=gap)

    assert judged(company, rule)["problems"] == [
        {"path": "bands[1]", "code": "settlement.rules.tier_gap", "params": {"lower": "10", "upper": "12"}}
    ]


@pytest.mark.parametrize("rule", [{}, {"code": ["x"]}, {"code": None, "op": {}}, {"code": "x", "bands": 7}])
def test_a_rule_no_editor_would_send_is_judged_like_any_other(company: Company, rule: dict[str, Any]) -> None:
    assert judged(company, rule)["problems"] != []


def test_a_good_rule_is_said_and_shown_beside_real_tickets(company: Company) -> None:  # moonshot 15
    settle(company, facts_of(company, hazards=(Hazard("height"),)))
    settle(company, facts_of(company))

    found = judged(company, HEIGHT, was="hazard.height")

    assert found["problems"] == []
    assert found["sentence"]["zh"].startswith("当危险作业包含“高空作业”时")
    examples = found["examples"]
    assert (examples["looked_at"], examples["reached"], examples["against_live"]) == (2, 1, True)
    assert [(each["before"], each["after"]) for each in examples["changed"]] == [(12_000, 12_500)]
    assert [each["why"] for each in examples["near"]] == ["condition"]


def test_templates_are_tried_together_and_each_gets_a_code_of_its_own(company: Company) -> None:  # STL-04
    draft, manager = a_draft(company), company.actor(Role.MANAGER)
    filled = [("by_hazard", {"hazards": "height", "factor": "1.3"}), ("by_parts", {"factor": "Infinity"})]

    tried = tried_templates(viewer=manager, version_id=draft, filled=filled)["rules"]

    assert [each["problems"] for each in tried] == [
        [],
        [{"path": "factor", "code": "settlement.template.bad_blank", "params": {}}],
    ]
    assert "1.3" in tried[0]["sentence"]["en"]
    with pytest.raises(BadAnswers):
        rules_of_templates(viewer=manager, version_id=draft, filled=filled)
    twice = rules_of_templates(viewer=manager, version_id=draft, filled=[filled[0], filled[0]])
    assert [rule["code"] for rule in twice] == ["hazard.by_hazard", "hazard.by_hazard_2"]


def test_a_plan_of_publishing_names_what_changes_and_against_which_version(company: Company) -> None:
    draft, manager = a_draft(company), company.actor(Role.MANAGER)
    live = shown(company)["live"]
    drafting.revise(
        actor=manager,
        at=STARTED,
        version_id=draft,
        expected_hash=live["hash"],
        edit=with_value("hazard.height", "1.25"),
        command_id="revise",
    )

    plan = planned_publication(
        viewer=manager, at=SETTLED, set_code="worker_pay", version_id=draft, day=date(2026, 11, 1)
    )

    assert (plan["against"], plan["number"], plan["is_past"]) == (live["id"], 1, True)
    assert [(each["turn"], each["code"], each["parts"]) for each in plan["changes"]] == [
        ("changed", "hazard.height", ["value"])
    ]
    with reading() as conn:
        assert len(drafting.rule_sets(conn, viewer=manager)[0].versions) == 2
