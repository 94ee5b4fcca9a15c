"""Golden cases worked out by hand: both evaluators pay them line by line."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.goldens import facts_of_case, read_cases, rules_of_case
from ticket_console.settlement.kinds import Party, Side
from ticket_console.settlement.population.columns import population_of
from ticket_console.settlement.population.rating import DIMENSIONS, rate_population
from ticket_console.settlement.population.reading import population_of_frozen
from ticket_console.settlement.rating import rate
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.splitting import share_out, split_for

FILES = sorted(path for path in (Path(__file__).parent / "goldens").glob("*.yaml") if path.stem != "presets")
CASES = [(path.stem, case) for path in FILES for case in read_cases(path)]
every_case = pytest.mark.parametrize(
    "case", [case for _, case in CASES], ids=[f"{stem}: {case['case']}" for stem, case in CASES]
)


def written_lines(case: dict[str, Any]) -> list[tuple[str, int]]:
    return [(line[0], line[1]) for line in case["lines"]]


@every_case
def test_the_explaining_evaluator_pays_what_was_worked_out_by_hand(case: dict[str, Any]) -> None:
    rating = rate(facts_of_case(case.get("facts", {})), rules_of_case(case), Side(case.get("side", "worker")))

    assert [(line.rule_code, line.amount_minor) for line in rating.lines] == written_lines(case)
    assert rating.total_minor == case["total"]
    assert rating.currency == case.get("currency", "CNY")
    formulas = {line.rule_code: line.formula for line in rating.lines}
    assert {line[0]: line[2] for line in case["lines"] if len(line) > 2}.items() <= formulas.items()


@every_case
@pytest.mark.parametrize("read", [population_of, lambda facts: population_of_frozen([facts[0].to_json()])])
def test_the_vectorised_evaluator_pays_it_too(case: dict[str, Any], read: Any) -> None:
    rules, side = rules_of_case(case), Side(case.get("side", "worker"))

    rated = rate_population(
        read([facts_of_case(case.get("facts", {}))]), rules, side, itemised=True, threads=1
    )

    assert rated.lines is not None
    codes = [rules.of_side(side)[place].code for place in rated.lines.rules]
    assert list(zip(codes, rated.lines.amounts.tolist(), strict=True)) == written_lines(case)
    assert rated.total.tolist() == [case["total"]]
    sums = dict.fromkeys(DIMENSIONS, 0)
    for code, amount in written_lines(case):
        sums[next(rule.dimension for rule in rules.rules if rule.code == code)] += amount
    assert rated.by_dimension[:, 0].tolist() == list(sums.values())


@pytest.mark.parametrize(
    "case", [case for _, case in CASES if "shares" in case], ids=lambda case: str(case["case"])
)
def test_a_total_is_shared_out_as_worked_out_by_hand(case: dict[str, Any]) -> None:  # STL-14
    facts, rules = facts_of_case(case.get("facts", {})), rules_of_case(case)
    split = split_for(facts, rules)

    shares = None if split is None else share_out(rate(facts, rules).total_minor, split)

    wanted = case["shares"]
    assert shares == (None if wanted is None else {Party(party): part for party, part in wanted.items()})


@cache
def hashes() -> list[str]:
    """The hash of every case's rating: of each line, its formula, its facts and the trace of all rules."""
    return [
        rate(
            facts_of_case(case.get("facts", {})), rules_of_case(case), Side(case.get("side", "worker"))
        ).content_hash
        for _, case in CASES
    ]


def test_another_process_with_other_hash_seeds_rates_every_case_to_the_bit() -> None:
    asked = subprocess.run(
        [sys.executable, "-c", f"import {__name__} as cases; print(*cases.hashes())"],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONHASHSEED": "1128", "TZ": "Pacific/Apia"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert asked.stdout.split() == hashes()


@given(places=st.lists(st.integers(0, len(CASES) - 1), min_size=2, max_size=12))
def test_what_was_rated_before_changes_no_bit_of_what_is_rated_next(places: list[int]) -> None:
    for place in places:
        case = CASES[place][1]
        facts, rules = facts_of_case(case.get("facts", {})), rules_of_case(case)
        again = rate(
            type(facts).from_json(facts.to_json()),
            parse_rules(rules.to_json()),
            Side(case.get("side", "worker")),
        )
        assert again.content_hash == hashes()[place]


def test_the_lines_written_down_add_up_to_the_total_written_down() -> None:
    wrong = [
        case["case"] for _, case in CASES if sum(amount for _, amount in written_lines(case)) != case["total"]
    ]
    apart = [
        case["case"]
        for _, case in CASES
        if case.get("shares") and sum(case["shares"].values()) != case["total"]
    ]

    assert (wrong, apart) == ([], [])


def test_there_are_more_than_sixty_cases_each_worked_out_in_a_comment_of_its_own() -> None:
    bare = []
    for path in FILES:
        before = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("- case:") and not any(map(str.isdigit, before)):
                bare.append(line)
            before = before + line if line.startswith("#") else ""

    assert bare == []
    assert len(CASES) > 60
    assert len({case["case"] for _, case in CASES}) == len(CASES)
