"""Every preset rule pays what a person worked out, and its near miss gets nothing from it."""

from pathlib import Path
from typing import Any

import pytest

from tests.builders.goldens import facts_of_case, read_cases
from tests.builders.settlement import STANDARD
from ticket_console.settlement.kinds import Dimension
from ticket_console.settlement.rating import rate

CASES = read_cases(Path(__file__).parent / "goldens" / "presets.yaml")


def paid(changes: dict[str, Any], rule: str) -> int | None:
    lines = [line for line in rate(facts_of_case(changes), STANDARD).lines if line.rule_code == rule]
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
