"""Twelve ways to begin a rule, and sharing a total out."""

from datetime import UTC, datetime
from decimal import Decimal as D
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.settlement import make_facts, make_rule, make_rules, when
from ticket_console.kernel.errors import InvalidInput
from ticket_console.settlement.facts import Facts, Hazard, PartUsed, ToolUsed, Urgency
from ticket_console.settlement.kinds import Party
from ticket_console.settlement.rating import rate
from ticket_console.settlement.rule_templates import (
    BY_CODE,
    TEMPLATES,
    BadAnswers,
    RuleTemplate,
    commute,
    fill,
)
from ticket_console.settlement.splitting import share_out, split_for

BASE = make_rule("base", order=1)
EVERYTHING = make_facts(
    difficulty=D("1.5"),
    hazards=(Hazard("height"),),
    urgency=Urgency.URGENT,
    started_at=datetime(2026, 11, 20, 14, tzinfo=UTC),
    finished_at=datetime(2026, 11, 20, 16, tzinfo=UTC),
    region_code="SH",
    distance_km=D(20),
    vip=True,
    month_tickets=70,
    response_minutes=D(10),
    parts=(PartUsed("P", D(2), 500),),
    tools=(ToolUsed("T", D(1), 3_000),),
)


def filled(template: RuleTemplate, code: str = "new") -> dict[str, Any]:
    answers = {blank.key: blank.example for blank in template.blanks}
    return fill(template, answers, code=code, name={"zh": "新", "en": "new"}, currency="CNY")


def earned(facts: Facts, *rules: dict[str, Any]) -> dict[str, int]:
    return {line.rule_code: line.amount_minor for line in rate(facts, make_rules(BASE, *rules)).lines}


def test_there_are_twelve_templates_of_twelve_dimensions() -> None:  # STL-04
    assert len(TEMPLATES) == 12
    assert len({template.dimension for template in TEMPLATES}) == 12


@pytest.mark.parametrize(
    ("code", "amount"),
    [
        ("by_service_type", 10_000),
        ("by_handling_time", 2_000),
        ("by_difficulty", 5_000),
        ("by_hazard", 2_000),
        ("by_urgency", 3_000),
        ("by_time_of_day", 3_000),
        ("by_region", 1_000),
        ("by_distance", 1_200),
        ("by_customer_tier", 1_000),
        ("by_volume", 300),
        ("by_parts", 1_000),
        ("by_tools", 3_000),
    ],
)
def test_the_example_of_each_template_pays_what_it_says(code: str, amount: int) -> None:  # STL-04
    assert earned(EVERYTHING, filled(BY_CODE[code]))["new"] == amount


COMMUTING = [pair for pair in combinations(TEMPLATES, 2) if commute(*pair)]


def test_coefficients_commute_with_each_other_but_not_with_what_they_build_on() -> None:  # STL-04
    assert len(COMMUTING) == 55
    assert commute(BY_CODE["by_hazard"], BY_CODE["by_urgency"])
    assert not commute(BY_CODE["by_service_type"], BY_CODE["by_hazard"])


@pytest.mark.parametrize("pair", COMMUTING, ids=lambda pair: f"{pair[0].code}+{pair[1].code}")
def test_templates_declared_to_commute_pay_the_same_in_either_order(
    pair: tuple[RuleTemplate, RuleTemplate],
) -> None:  # STL-04
    one, other = filled(pair[0], "one"), filled(pair[1], "other")
    first = earned(EVERYTHING, {**one, "order": 200}, {**other, "order": 201})
    second = earned(EVERYTHING, {**one, "order": 201}, {**other, "order": 200})

    assert first == second


@pytest.mark.parametrize(
    ("code", "answers", "wrong"),
    [
        ("by_hazard", {"hazards": "height", "factor": "Infinity"}, ["factor"]),
        ("by_hazard", {"hazards": "", "factor": 1.2}, ["factor", "hazards"]),
        ("by_hazard", {"hazards": "height", "factor": "1.2", "more": 1}, ["more"]),
        ("by_volume", {"steps": [["0", "1"], ["0", "2"]]}, ["steps"]),
        ("by_volume", {"steps": [["5", "1"]]}, ["steps"]),
        ("by_volume", {"steps": [["0"]]}, ["steps"]),
        ("by_volume", {"steps": [["0", "1E-400000000"]]}, ["steps"]),
        ("by_hazard", {"hazards": "height", "factor": "1E-400000000"}, ["factor"]),
        ("by_volume", {"steps": []}, ["steps"]),
    ],
)
def test_blanks_that_make_no_sense_are_named(code: str, answers: dict[str, Any], wrong: list[str]) -> None:
    with pytest.raises(BadAnswers) as refused:
        fill(BY_CODE[code], answers, code="new", name={"zh": "新", "en": "new"}, currency="CNY")

    assert sorted(problem.path for problem in refused.value.problems) == wrong


def test_a_time_that_is_none_is_refused_when_the_rule_is_read() -> None:
    rule = fill(
        BY_CODE["by_time_of_day"],
        {"opens": "25:00", "closes": "06:00", "factor": "1.3"},
        code="new",
        name={"zh": "新", "en": "new"},
        currency="CNY",
    )

    with pytest.raises(InvalidInput):
        make_rules(BASE, rule)


@pytest.mark.parametrize(("currency", "kept"), [("CNY", "10000"), ("JPY", "100"), ("KWD", "100000")])
def test_an_amount_is_kept_in_the_smallest_unit_of_its_currency(currency: str, kept: str) -> None:
    answers = {blank.key: blank.example for blank in BY_CODE["by_service_type"].blanks}

    rule = fill(
        BY_CODE["by_service_type"],
        answers,
        code="new",
        name={"zh": "新", "en": "new"},
        currency=currency,
    )

    assert rule["value"] == kept


SPLITS = [
    {
        "name": {"zh": "紧急", "en": "urgent"},
        "when": when("urgency", "=", "urgent"),
        "shares": {"worker": "50", "vendor": "30", "company": "20"},
    },
    {"name": {"zh": "其他", "en": "other"}, "shares": {"worker": "33.3", "company": "66.7"}},
]


def test_the_first_split_that_holds_shares_the_total_out() -> None:  # STL-14
    rules = make_rules(BASE, splits=SPLITS)

    urgent = split_for(make_facts(urgency=Urgency.URGENT), rules)
    other = split_for(make_facts(), rules)

    assert urgent is not None
    assert other is not None
    assert share_out(10_001, urgent) == {Party.WORKER: 5_001, Party.VENDOR: 3_000, Party.COMPANY: 2_000}
    assert share_out(100, other) == {Party.WORKER: 33, Party.COMPANY: 67}


@given(total=st.integers(-(10**9), 10**9), worker=st.decimals(0, 100, places=3))
def test_the_parts_of_a_split_add_up_to_the_total(total: int, worker: D) -> None:  # STL-14
    shares = {"worker": str(worker), "company": str(100 - worker)}
    rules = make_rules(BASE, splits=[{"name": {"zh": "分", "en": "split"}, "shares": shares}])

    assert sum(share_out(total, rules.splits[0]).values()) == total
