"""What other rules would have paid: deltas add up to the difference of two full ratings."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.settlement import STANDARD, make_facts
from tests.unit.settlement.test_population import _facts, _rules
from ticket_console.settlement.facts import Facts, Hazard
from ticket_console.settlement.kinds import Dimension
from ticket_console.settlement.population.columns import population_of
from ticket_console.settlement.population.rating import rate_population
from ticket_console.settlement.population.reading import population_of_frozen
from ticket_console.settlement.rating import rate
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.shadow import STEPS, PayeeDelta, ShadowRun, TicketDelta, compare

HEIGHT = make_facts(hazards=(Hazard("height"),))
PLAIN = make_facts()


def with_height_at(factor: str) -> RuleSet:
    document = STANDARD.to_json()
    for rule in document["rules"]:
        if rule["code"] == "hazard.height":
            rule["value"] = factor
    return parse_rules(document)


def run(facts: list[Facts], payees: list[int], before: RuleSet, after: RuleSet) -> ShadowRun:
    population = population_of(facts)
    return compare(
        np.arange(len(facts), dtype=np.int64),
        np.array(payees, dtype=np.int64),
        rate_population(population, before),
        rate_population(population, after),
    )


def test_work_at_height_at_one_and_a_quarter_costs_five_yuan_more_a_ticket() -> None:
    shadow = run([HEIGHT, PLAIN, HEIGHT, HEIGHT], [7, 7, 8, 8], STANDARD, with_height_at("1.25"))

    assert (shadow.tickets, shadow.changed) == (4, 3)
    assert (shadow.before_minor, shadow.after_minor, shadow.delta_minor) == (46_000, 47_500, 1_500)
    assert shadow.payees == (
        PayeeDelta(8, tickets=2, changed=2, before_minor=24_000, after_minor=25_000),
        PayeeDelta(7, tickets=2, changed=1, before_minor=22_000, after_minor=22_500),
    )
    assert (shadow.gaining, shadow.losing) == (2, 0)
    assert shadow.by_dimension[Dimension.HAZARD] == (6_000, 7_500)
    assert shadow.by_dimension[Dimension.BASE_LABOUR] == (40_000, 40_000)
    assert shadow.outliers == tuple(
        TicketDelta(row, payee, 12_000, 12_500) for row, payee in ((0, 7), (2, 8), (3, 8))
    )
    # 500 of 12,000 are 4.2 percent: the step from 0 to 5.
    assert shadow.spread == (0, 0, 0, 0, 0, 3, 0, 0, 0, 0)
    assert STEPS[4:6] == (0, 5)


def test_the_same_rules_change_nothing() -> None:
    shadow = run([HEIGHT, PLAIN], [7, 8], STANDARD, STANDARD)

    assert shadow.changed == 0
    assert shadow.delta_minor == 0
    assert shadow.outliers == ()
    assert sum(shadow.spread) == 0


@settings(max_examples=60)
@given(facts=st.lists(_facts(), min_size=1, max_size=6), before=_rules, after=_rules, seed=st.integers(0, 2))
def test_the_deltas_add_up_to_the_difference_of_two_full_ratings(
    facts: list[Facts], before: RuleSet, after: RuleSet, seed: int
) -> None:  # moonshot 3
    shadow = run(facts, [place % (seed + 1) for place in range(len(facts))], before, after)

    expected = sum(rate(each, after).total_minor - rate(each, before).total_minor for each in facts)
    assert shadow.delta_minor == expected
    assert sum(payee.delta_minor for payee in shadow.payees) == expected
    assert sum(there - here for here, there in shadow.by_dimension.values()) == expected
    assert sum(shadow.spread) == shadow.changed
    assert sum(payee.tickets for payee in shadow.payees) == len(facts)


@given(facts=st.lists(_facts(), min_size=1, max_size=6))
def test_frozen_facts_make_the_columns_their_facts_make(facts: list[Facts]) -> None:
    read = rate_population(population_of_frozen([each.to_json() for each in facts]), STANDARD, itemised=True)
    made = rate_population(population_of(facts), STANDARD, itemised=True)

    assert read.by_dimension.tolist() == made.by_dimension.tolist()
    frozen, columns = population_of_frozen([each.to_json() for each in facts]), population_of(facts)
    for key in ("service_on", "is_weekend", "hazards", "on_time"):
        assert [frozen.coded[key].values[code] for code in frozen.coded[key].codes] == [
            columns.coded[key].values[code] for code in columns.coded[key].codes
        ]
