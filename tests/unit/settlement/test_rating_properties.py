"""What holds for any rules and any facts."""

from decimal import Decimal as D
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.builders.settlement import make_facts, make_rules, when
from ticket_console.kernel.money import allocate
from ticket_console.settlement.facts import Facts, Hazard, PartUsed
from ticket_console.settlement.rating import rate

_money = st.decimals(0, 100_000, places=2).map(str)
_ratio = st.decimals(0, 3, places=3).map(str)
_base = st.lists(st.sampled_from(["base_labour", "travel", "parts"]), min_size=1, unique=True)
_condition = st.none() | st.sampled_from(
    [when("vip", "=", True), when("hazards", "contains", "height"), when("distance_km", ">", "20")]
)


def _numbered(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Bases first, then what builds on them, in the order drawn."""
    first = [rule for rule in rules if "applies_to" not in rule]
    then = [rule for rule in rules if "applies_to" in rule]
    named = [
        {**rule, "code": f"r{index}", "name": {"zh": "则", "en": "rule"}, "order": index}
        for index, rule in enumerate([*first, *then])
    ]
    always = {"dimension": "base_labour", "op": "add", "value": "4999", "order": -1}
    return [{**always, "code": "always", "name": {"zh": "则", "en": "rule"}}, *named]


_rule = st.one_of(
    st.fixed_dictionaries(
        {"op": st.just("add"), "dimension": st.just("base_labour"), "value": _money, "when": _condition}
    ),
    st.fixed_dictionaries(
        {
            "op": st.just("per_unit"),
            "dimension": st.just("travel"),
            "unit": st.just("distance_km"),
            "value": _money,
            "over": st.integers(0, 50).map(str),
        }
    ),
    st.fixed_dictionaries(
        {"op": st.just("per_unit"), "dimension": st.just("parts"), "unit": st.just("parts"), "value": _ratio}
    ),
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["multiply", "percent"]),
            "dimension": st.sampled_from(["hazard", "urgency", "night"]),
            "value": _ratio,
            "applies_to": _base,
            "when": _condition,
            "window": st.none() | st.just({"opens": "22:00", "closes": "06:00"}),
        }
    ),
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["cap", "floor"]),
            "dimension": st.just("service_tier"),
            "value": _money,
            "applies_to": _base,
        }
    ),
)
_rules = st.lists(_rule, max_size=12).map(_numbered).map(lambda rules: make_rules(*rules))
_facts = st.builds(
    make_facts,
    vip=st.booleans(),
    hazards=st.sampled_from([(), (Hazard("height", "photo:1"),)]),
    distance_km=st.decimals(0, 300, places=1),
    parts=st.lists(
        st.builds(PartUsed, st.just("P-1"), st.decimals(0, 20, places=3), st.integers(0, 99_999)), max_size=3
    ).map(tuple),
)


@given(facts=_facts, rules=_rules)
def test_the_total_is_the_sum_of_the_lines_and_every_rule_has_its_trace(facts: Facts, rules: Any) -> None:
    rating = rate(facts, rules)

    assert rating.total_minor == sum(line.amount_minor for line in rating.lines)
    assert [line.position for line in rating.lines] == list(range(1, len(rating.lines) + 1))
    assert [code for code, _ in rating.trace] == [rule.code for rule in rules.rules]
    assert rating.lines[0].rule_code == "always"
    assert all(set(line.base) <= set(range(1, line.position)) for line in rating.lines)


@given(facts=_facts, rules=_rules)
def test_rating_again_is_bit_identical(facts: Facts, rules: Any) -> None:
    again = rate(Facts.from_json(facts.to_json()), make_rules(*rules.to_json()["rules"]))

    assert again.content_hash == rate(facts, rules).content_hash


@given(facts=_facts, rules=_rules)
def test_no_line_is_further_than_half_a_cent_from_exact(facts: Facts, rules: Any) -> None:
    rating = rate(facts, rules)

    counted = [line for line in rating.lines if line.dimension in ("base_labour", "travel", "parts")]
    assert all(abs(line.quantity * line.factor - line.amount_minor) <= D("0.5") for line in counted)


@given(
    total=st.integers(-(10**9), 10**9),
    weights=st.lists(st.decimals(0, 100, places=4), min_size=1, max_size=20).filter(any),
)
def test_an_amount_divided_adds_up_again(total: int, weights: list[D]) -> None:
    parts = allocate(total, weights)

    assert sum(parts) == total
    exact = [total * weight / sum(weights) for weight in weights]
    assert all(abs(part - share) < 1 for part, share in zip(parts, exact, strict=True))
