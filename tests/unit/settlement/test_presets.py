"""Every preset rule pays what a person worked out, and its near miss gets nothing from it."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from tests.builders.settlement import STANDARD, make_facts
from ticket_console.settlement.facts import Facts, Hazard, PartUsed, ServiceClass, ToolUsed, Urgency
from ticket_console.settlement.kinds import Dimension
from ticket_console.settlement.rating import rate

CASES = yaml.safe_load((Path(__file__).parent / "goldens" / "presets.yaml").read_text(encoding="utf-8"))
FRIDAY = ["2026-11-20 10:00", "2026-11-20 12:00"]


def facts_of(changes: dict[str, Any]) -> Facts:
    """The facts of a case: what it names, and a plain installation otherwise."""
    known = dict(changes)
    zone = ZoneInfo(known.get("site_tz", "Asia/Shanghai"))
    started, finished = (
        datetime.fromisoformat(each).replace(tzinfo=zone) for each in known.pop("work", FRIDAY)
    )
    read: dict[str, Callable[[Any], Any]] = {
        "urgency": Urgency,
        "service_class": ServiceClass,
        "hazards": lambda codes: tuple(Hazard(code) for code in codes),
        "parts": lambda listed: tuple(PartUsed(sku, Decimal(qty), cost) for sku, qty, cost in listed),
        "tools": lambda listed: tuple(ToolUsed(code, Decimal(days), cost) for code, days, cost in listed),
        "difficulty": Decimal,
        "labour_hours": Decimal,
        "distance_km": Decimal,
        "response_minutes": Decimal,
        "satisfaction": Decimal,
    }
    return make_facts(
        started_at=started,
        finished_at=finished,
        **{key: read[key](value) if key in read else value for key, value in known.items()},
    )


def paid(changes: dict[str, Any], rule: str) -> int | None:
    lines = [line for line in rate(facts_of(changes), STANDARD).lines if line.rule_code == rule]
    return sum(line.amount_minor for line in lines) if lines else None


@pytest.mark.parametrize("case", CASES, ids=[case["rule"] for case in CASES])
def test_its_golden_ticket_fires_it_for_the_amount_worked_out_by_hand(case: dict[str, Any]) -> None:  # STL-03
    assert paid(case["fires"], case["rule"]) == case["amount"]


@pytest.mark.parametrize("case", CASES, ids=[case["rule"] for case in CASES])
def test_its_near_miss_gets_nothing_from_it(case: dict[str, Any]) -> None:  # STL-03
    assert paid(case["misses"], case["rule"]) is None


def test_every_preset_rule_has_its_case_and_there_are_more_than_forty() -> None:  # STL-03
    assert sorted(case["rule"] for case in CASES) == sorted(rule.code for rule in STANDARD.rules)
    assert len(CASES) > 40


def test_every_dimension_is_reached_by_a_preset_rule() -> None:  # STL-02
    assert {rule.dimension for rule in STANDARD.rules} == set(Dimension)
    assert len(Dimension) == 12
