"""Which rule decides for a message: a table of messages, and what makes no rule."""

from typing import Any

import pytest

from ticket_console.customers.matching import MatchedCustomer
from ticket_console.intake.messages import IntakeMessage
from ticket_console.intake.trigger_rules import (
    InvalidRule,
    TriggerRuleView,
    decide,
    message_facts,
    parse_content,
)

VIP = MatchedCustomer(7, "大客户", "13800000000", True, None)


def when(*rules: tuple[str, str, Any], combinator: str = "and") -> dict[str, Any]:
    return {
        "combinator": combinator,
        "rules": [{"field": field, "operator": operator, "value": value} for field, operator, value in rules],
    }


def rule(code: str, tree: dict[str, Any], *, active: bool = True, **content: Any) -> TriggerRuleView:
    said = {"name": {"zh": code, "en": code}, "when": tree, "template": code, **content}
    return TriggerRuleView(1, code, 1, active, 1, 1, 1, parse_content(said))


RULES = (
    rule("resting", when(("text", "notNull", None)), active=False),
    rule("complaint", when(("text", "contains", "投诉")), urgency=3),
    rule("care", when(("vip", "=", True)), also=True),
    rule("presales", when(("text", "contains", "报价"), ("text", "contains", "quote"), combinator="or")),
    rule("hvac", when(("field.category", "=", "hvac"), ("channel", "in", ["wechat", "phone"]))),
)


@pytest.mark.parametrize(
    ("text", "channel", "values", "customer", "winner", "also"),
    [
        ("想要一份空调报价", "wechat", {}, None, "presales", []),
        ("Could I have a QUOTE?", "web_form", {}, None, "presales", []),
        ("我要投诉，报价太乱", "wechat", {}, None, "complaint", []),
        ("我要投诉", "wechat", {}, VIP, "complaint", ["care"]),
        ("空调不制冷", "phone", {"category": "hvac"}, None, "hvac", []),
        ("空调不制冷", "api", {"category": "hvac"}, None, None, []),
        ("你好", "wechat", {}, VIP, None, ["care"]),
    ],
)
def test_the_first_rule_that_holds_decides(
    text: str,
    channel: str,
    values: dict[str, Any],
    customer: MatchedCustomer | None,
    winner: str | None,
    also: list[str],
) -> None:  # INT-13
    said = IntakeMessage(description=text, values=values)

    decision = decide(RULES, message_facts(said, source=channel, customer=customer))

    assert (decision.winner.code if decision.winner else None) == winner
    assert [each.code for each in decision.also] == also


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"name": {"zh": " ", "en": ""}}, "name", "input.missing"),
        ({"name": {"zh": "长" * 81}}, "name", "input.too_long"),
        ({"template": ""}, "template", "input.missing"),
        ({"urgency": 4}, "urgency", "rules.bad_level"),
        ({"impact": True}, "impact", "rules.bad_level"),
        ({"also": "yes"}, "also", "rules.bad_flag"),
        ({"when": None}, "when", "condition.not_an_object"),
        ({"when": when(("weather", "=", "fine"))}, "when", "condition.unknown_field"),
        ({"priority": 1}, "priority", "input.unknown_key"),
    ],
)
def test_what_makes_no_rule_is_refused_with_its_place(change: dict[str, Any], path: str, code: str) -> None:
    said = {"name": {"zh": "规则"}, "when": when(("text", "notNull", None)), "template": "repair", **change}

    with pytest.raises(InvalidRule) as caught:
        parse_content(said)

    assert [(problem.path, problem.code) for problem in caught.value.problems] == [(path, code)]
