"""Both evaluators pay the same, to the minor unit, whatever the facts and the rules."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.settlement import STANDARD, make_facts, make_rule, make_rules, when
from ticket_console.settlement.facts import Facts, Hazard, PartUsed, ServiceClass, ToolUsed, Urgency
from ticket_console.settlement.kinds import Side
from ticket_console.settlement.population.columns import CODED, ITEMS, NUMBERS, population_of
from ticket_console.settlement.population.rating import (
    DIMENSIONS,
    AmountTooLarge,
    PopulationRating,
    rate_population,
)
from ticket_console.settlement.rating import rate
from ticket_console.settlement.rule_reading import CONDITION_FIELDS
from ticket_console.settlement.rules import Rounding, RuleSet

_ratio = st.decimals(0, 3, places=4).map(str)
_money = st.decimals(-50_000, 100_000, places=2).map(str)
_positive = st.decimals(0, 100_000, places=2).map(str)
_units = st.sampled_from(
    [
        "difficulty",
        "distance_km",
        "labour_hours",
        "technician_level",
        "response_minutes",
        "month_tickets",
        "work_minutes",
    ]
)
_labour = ["base_labour", "difficulty", "travel", "parts"]
_number = st.one_of(st.integers(-3, 60), st.decimals(-1, 60, places=2).map(str), st.just("x"))
_word = st.sampled_from(["install", "repair", "SH", "height", "P-1", "urgent", "", "nobody", "5", "true"])
_leaf = st.one_of(
    st.builds(
        when,
        st.sampled_from(
            ["distance_km", "difficulty", "response_minutes", "month_tickets", "technician_level"]
        ),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "contains"]),
        _number,
    ),
    st.builds(
        when,
        st.sampled_from(
            ["service_type", "region_code", "urgency", "hazards", "parts", "tools", "template_code"]
        ),
        st.sampled_from(["=", "!=", "contains", "<", ">="]),
        _word.filter(bool),
    ),
    st.builds(
        when,
        st.sampled_from(["vip", "cross_city", "on_time", "is_weekend", "is_holiday", "by_vendor"]),
        st.sampled_from(["=", "!="]),
        st.booleans(),
    ),
    st.builds(
        when,
        st.sampled_from(["parts", "hazards", "service_type", "distance_km", "response_minutes"]),
        st.sampled_from(["in", "notIn"]),
        st.lists(st.one_of(_word.filter(bool), st.integers(0, 30)), min_size=1, max_size=3),
    ),
    st.builds(
        when,
        st.sampled_from(["distance_km", "month_tickets", "region_code", "parts"]),
        st.just("between"),
        st.lists(st.integers(0, 60), min_size=2, max_size=2),
    ),
    st.builds(
        when,
        st.sampled_from(["on_time", "response_minutes", "parts", "hazards", "region_code"]),
        st.sampled_from(["null", "notNull"]),
        st.none(),
    ),
)
_condition = st.none() | st.recursive(
    _leaf,
    lambda inner: st.builds(
        lambda combinator, negated, rules: {"combinator": combinator, "not": negated, "rules": rules},
        st.sampled_from(["and", "or"]),
        st.booleans(),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)
_shared = {
    "when": _condition,
    "group": st.none() | st.sampled_from(["g", "h"]),
    "rounding": st.sampled_from(Rounding).map(lambda rounding: rounding.value),
    "sides": st.sampled_from([["worker"], ["customer"], ["worker", "customer"]]),
    "regions": st.sampled_from([[], ["SH"], ["SH", "XA"]]),
    "lines": st.sampled_from([[], ["install"]]),
    "starts_on": st.none() | st.just("2026-06-01"),
    "ends_on": st.none() | st.just("2026-09-30"),
}
_CARDS = [
    {
        "code": "city",
        "name": {"zh": "城市", "en": "city"},
        "keys": ["region_code", "service_type"],
        "entries": [["SH", "install", "120.5"], ["SH", "repair", "90"], ["XA", "install", "0"]],
        "otherwise": None,
    },
    {
        "code": "urgent",
        "name": {"zh": "加急", "en": "urgency"},
        "keys": ["urgency"],
        "entries": [["urgent", "33.33"]],
        "otherwise": "-1.5",
    },
]
_rule = st.one_of(
    st.fixed_dictionaries(
        {
            "op": st.just("add"),
            "dimension": st.just("base_labour"),
            "value": st.just("0"),
            "card": st.sampled_from(["city", "urgent"]),
            **_shared,
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("per_unit"),
            "dimension": st.just("travel"),
            "unit": _units,
            "value": st.just("0"),
            "card": st.sampled_from(["city", "urgent"]),
            "over": st.decimals(0, 5, places=1).map(str),
            **_shared,
        }
    ),
    st.fixed_dictionaries(
        {"op": st.just("add"), "dimension": st.just("base_labour"), "value": _money, **_shared}
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("per_unit"),
            "dimension": st.sampled_from(["travel", "difficulty"]),
            "unit": _units,
            "value": _money,
            "over": st.decimals(0, 50, places=3).map(str),
            **_shared,
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("per_unit"),
            "dimension": st.just("parts"),
            "unit": st.sampled_from(["parts", "tools"]),
            "value": _ratio,
            **_shared,
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("tier"),
            "dimension": st.just("base_labour"),
            "unit": _units,
            "bands": st.tuples(
                st.decimals(0, 30, places=2), st.decimals(31, 99, places=1), _money, _money, _money
            ).map(
                lambda drawn: [
                    {"lower": "0", "upper": str(drawn[0] + 1), "value": drawn[2]},
                    {"lower": str(drawn[0] + 1), "upper": str(drawn[1]), "value": drawn[3]},
                    {"lower": str(drawn[1]), "upper": None, "value": drawn[4]},
                ]
            ),
            **_shared,
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["multiply", "percent"]),
            "dimension": st.sampled_from(["hazard", "urgency", "night"]),
            "value": _ratio,
            "applies_to": st.lists(st.sampled_from(_labour), min_size=1, unique=True),
            "window": st.none()
            | st.sampled_from([{"opens": "22:00", "closes": "06:00"}, {"opens": "01:30", "closes": "02:30"}]),
            **_shared,
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("multiply"),
            "dimension": st.just("region"),
            "value": _ratio,
            "unit": _units,
            "applies_to": st.just(["base_labour"]),
            **_shared,
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["cap", "floor"]),
            "dimension": st.just("service_tier"),
            "value": _positive,
            "applies_to": st.lists(st.sampled_from(_labour), min_size=1, unique=True),
            **_shared,
        }
    ),
)


def _numbered(rules: list[dict[str, Any]]) -> RuleSet:
    """Bases first, then what builds on them, in the order drawn."""
    ordered = sorted(rules, key=lambda rule: "applies_to" in rule)
    return make_rules(
        make_rule("always", value="4999", order=-1),
        *(make_rule(f"r{index}", **{**rule, "order": index}) for index, rule in enumerate(ordered)),
        cards=_CARDS,
    )


_rules = st.lists(_rule, max_size=10).map(_numbered)
_started = st.integers(0, 20_000_000).map(
    lambda seconds: datetime(2026, 3, 20, tzinfo=UTC) + timedelta(seconds=seconds)
)
_amount = st.decimals(0, 300, places=2)


@st.composite
def _facts(draw: st.DrawFn) -> Facts:
    started = draw(_started)
    return make_facts(
        service_type=draw(st.sampled_from(["install", "repair", "consult"])),
        template_code=draw(st.sampled_from(["", "a"])),
        service_class=draw(st.sampled_from(ServiceClass)),
        urgency=draw(st.sampled_from(Urgency)),
        difficulty=draw(st.decimals(0, 3, places=2)),
        hazards=draw(
            st.sampled_from([(), (Hazard("height"),), (Hazard("height"), Hazard("live_wire", "photo:1"))])
        ),
        started_at=started,
        finished_at=started
        + timedelta(seconds=draw(st.sampled_from([0, 1, 59, 60, 5_400]) | st.integers(0, 200_000))),
        site_tz=draw(st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC"])),
        distance_km=draw(_amount),
        cross_city=draw(st.booleans()),
        parts=draw(
            st.lists(
                st.builds(
                    PartUsed,
                    st.sampled_from(["P-1", "P-2", "5"]),
                    st.decimals(0, 20, places=3),
                    st.integers(0, 99_999),
                ),
                max_size=3,
            )
        ),
        tools=draw(st.lists(st.builds(ToolUsed, st.just("T"), _amount, st.integers(0, 9_999)), max_size=2)),
        labour_hours=draw(_amount),
        region_code=draw(st.sampled_from(["", "SH", "XA"])),
        technician_level=draw(st.integers(1, 5)),
        vip=draw(st.booleans()),
        response_minutes=draw(st.none() | _amount),
        on_time=draw(st.none() | st.booleans()),
        month_tickets=draw(st.integers(0, 130)),
        returns=draw(st.integers(0, 3)),
        satisfaction=draw(st.none() | st.decimals(1, 5, places=1)),
        is_holiday=draw(st.booleans()),
        by_vendor=draw(st.booleans()),
    )


def _explained(
    facts: Sequence[Facts], rules: RuleSet, side: Side = Side.WORKER
) -> list[list[tuple[str, int]]]:
    return [[(line.rule_code, line.amount_minor) for line in rate(each, rules, side).lines] for each in facts]


def _itemised(
    rated: PopulationRating, rules: RuleSet, size: int, side: Side = Side.WORKER
) -> list[list[tuple[str, int]]]:
    assert rated.lines is not None
    listed: list[list[tuple[str, int]]] = [[] for _ in range(size)]
    for row, rule, amount in zip(rated.lines.rows, rated.lines.rules, rated.lines.amounts, strict=True):
        listed[row].append((rules.of_side(side)[rule].code, int(amount)))
    return listed


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(facts=st.lists(_facts(), min_size=1, max_size=6), rules=_rules, side=st.sampled_from(Side))
def test_a_population_is_paid_line_by_line_what_its_tickets_are_paid(
    facts: list[Facts], rules: RuleSet, side: Side
) -> None:
    rated = rate_population(population_of(facts), rules, side, itemised=True)

    assert _itemised(rated, rules, len(facts), side) == _explained(facts, rules, side)


@given(facts=st.lists(_facts(), min_size=1, max_size=6))
def test_dimensions_and_totals_add_up_as_explained(facts: list[Facts]) -> None:
    rated = rate_population(population_of(facts), STANDARD)

    for row, each in enumerate(facts):
        explained = rate(each, STANDARD)
        assert int(rated.total[row]) == explained.total_minor
        for place, dimension in enumerate(DIMENSIONS):
            assert int(rated.by_dimension[place, row]) == sum(
                line.amount_minor for line in explained.lines if line.dimension is dimension
            )


def test_numbers_too_large_for_a_machine_word_are_still_exact() -> None:
    rules = make_rules(
        make_rule("base", value="999999999999"),
        make_rule(
            "odd",
            dimension="region",
            op="multiply",
            value="1.0000000000000000001",
            applies_to=["base_labour"],
            order=20,
        ),
        make_rule(
            "far", dimension="travel", op="per_unit", unit="distance_km", value="0.000000000001", order=30
        ),
    )
    facts = [make_facts(distance_km=D("123456789012345.678901234")), make_facts()]

    rated = rate_population(population_of(facts), rules, itemised=True)

    assert _itemised(rated, rules, 2) == _explained(facts, rules)
    assert _explained(facts, rules) == [
        [("base", 999_999_999_999), ("odd", 0), ("far", 123)],
        [("base", 999_999_999_999), ("odd", 0)],
    ]


def test_an_amount_nobody_was_ever_paid_is_refused() -> None:
    rules = make_rules(
        make_rule("base", op="per_unit", unit="distance_km", value="1000000000000"), make_rule("b", value="1")
    )

    with pytest.raises(AmountTooLarge):
        rate_population(population_of([make_facts(distance_km=D(10**9))]), rules)


def test_a_population_of_nobody_costs_nothing() -> None:
    rated = rate_population(population_of([]), STANDARD, itemised=True)

    assert rated.total.tolist() == []
    assert rated.lines is not None
    assert rated.lines.rows.tolist() == []


def test_many_chunks_come_out_in_the_order_of_the_tickets() -> None:
    facts = [make_facts(distance_km=D(place % 40)) for place in range(40_000)]

    rated = rate_population(population_of(facts), STANDARD, itemised=True)

    assert (
        rated.total.tolist()
        == [rate(make_facts(distance_km=D(place % 40)), STANDARD).total_minor for place in range(40)] * 1_000
    )
    assert rated.lines is not None
    assert rated.lines.rows.tolist() == sorted(rated.lines.rows.tolist())


def test_every_fact_a_condition_may_ask_for_has_its_column() -> None:
    assert {*CODED, *NUMBERS, *ITEMS} == CONDITION_FIELDS
