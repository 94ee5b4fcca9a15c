"""Everything that can be wrong with a rule set is found and named, all at once."""

from typing import Any

import pytest

from tests.builders.settlement import STANDARD, make_rule, make_rules, when
from ticket_console.kernel.errors import FieldProblem
from ticket_console.settlement.rule_parsing import BadRules, parse_rules
from ticket_console.settlement.standard_rules import RULES


def problems(*rules: Any, currency: Any = "CNY") -> dict[str, str]:
    with pytest.raises(BadRules) as refused:
        parse_rules({"currency": currency, "rules": list(rules)})
    return {
        problem.path: problem.code.removeprefix("settlement.rules.") for problem in refused.value.problems
    }


def test_the_standard_rules_survive_being_written_and_read() -> None:
    again = parse_rules(STANDARD.to_json())

    assert again == STANDARD
    assert again.content_hash == STANDARD.content_hash


def test_the_spelling_of_a_number_changes_no_hash() -> None:
    assert (
        make_rules(make_rule("base", value="100.0")).content_hash
        == make_rules(make_rule("base", value=100)).content_hash
    )


def test_the_order_in_the_document_changes_no_hash() -> None:
    backwards = {**RULES, "rules": RULES["rules"][::-1]}

    assert parse_rules(backwards).content_hash == STANDARD.content_hash


def test_a_coefficient_must_say_what_it_applies_to() -> None:  # 0.3
    hazard = make_rule("hazard", dimension="hazard", op="multiply", value="1.2", order=20)

    assert problems(make_rule("base"), hazard) == {"rules[1].applies_to": "no_base"}


def test_a_coefficient_must_come_after_what_it_applies_to() -> None:
    early = make_rule(
        "hazard", dimension="hazard", op="multiply", value="1.2", applies_to=["base_labour"], order=10
    )

    assert problems(make_rule("base"), early) == {"rules": "base_comes_later"}


def test_every_ticket_must_get_base_labour() -> None:
    only_some = make_rule("base", when=when("service_type", "=", "install"))

    assert problems(only_some) == {"rules": "no_base_labour"}
    assert problems() == {"rules": "no_base_labour"}


def test_a_group_that_could_take_the_place_of_base_labour_guarantees_none() -> None:
    other = make_rule("vip", dimension="service_tier", group="first", order=5, when=when("vip", "=", True))
    base = make_rule("base", group="first")

    assert problems(other, base) == {"rules": "no_base_labour"}


@pytest.mark.parametrize(
    ("bands", "where", "code", "figures"),
    [
        ([("0", "10"), ("11", None)], "[1]", "tier_gap", {"lower": "10", "upper": "11"}),
        ([("0", "10"), ("9.5", None)], "[1]", "tier_overlap", {"lower": "9.5", "upper": "10"}),
        ([("1", None)], "[0]", "tier_gap", {"lower": "0", "upper": "1"}),
        ([("-1", None)], "[0]", "tier_overlap", {"lower": "-1", "upper": "0"}),
        ([("0", "0"), ("0", None)], "[0]", "tier_empty", {"lower": "0", "upper": "0"}),
        ([("0", None), ("10", None)], "[1]", "tier_overlap", {"lower": "10", "upper": "∞"}),
        ([("0", "10"), ("10", "20")], "[1]", "bands_end", {"upper": "20"}),
        ([], "", "no_bands", {}),
    ],
)
def test_tiers_must_hold_every_number_once_and_the_refusal_has_the_numbers(  # pains 41, STL-17
    bands: list[tuple[str, str | None]], where: str, code: str, figures: dict[str, str]
) -> None:
    tier = make_rule(
        "volume",
        dimension="volume",
        op="tier",
        unit="month_tickets",
        bands=[{"lower": lower, "upper": upper, "value": "1"} for lower, upper in bands],
    )

    with pytest.raises(BadRules) as refused:
        make_rules(make_rule("base"), tier)

    assert refused.value.problems == (
        FieldProblem(f"rules[1].bands{where}", f"settlement.rules.{code}", figures),
    )


@pytest.mark.parametrize(
    ("changes", "where", "code"),
    [
        ({"op": "divide"}, "op", "unknown_word"),
        ({"dimension": "luck"}, "dimension", "unknown_word"),
        ({"rounding": "sideways"}, "rounding", "unknown_word"),
        ({"code": "Not A Code"}, "code", "bad_code"),
        ({"code": None}, "code", "bad_code"),
        ({"group": 7}, "group", "bad_code"),
        ({"name": {"zh": "工费"}}, "name", "no_name"),
        ({"name": "labour"}, "name", "no_name"),
        ({"order": "10"}, "order", "not_a_whole_number"),
        ({"order": True}, "order", "not_a_whole_number"),
        ({"value": 0.1}, "value", "not_a_number"),
        ({"value": "NaN"}, "value", "not_a_number"),
        ({"value": "Infinity"}, "value", "not_finite"),
        ({"value": "1e30"}, "value", "not_finite"),
        ({"value": "ten"}, "value", "not_a_number"),
        ({"value": None}, "value", "not_a_number"),
        ({"over": "5"}, "over", "bad_threshold"),
        ({"op": "per_unit"}, "unit", "no_unit"),
        ({"op": "per_unit", "unit": "kindness"}, "unit", "unknown_unit"),
        ({"unit": "distance_km"}, "unit", "unknown_unit"),
        ({"applies_to": ["base_labour"]}, "applies_to", "not_for_this_operation"),
        ({"window": {"opens": "22:00", "closes": "06:00"}}, "window", "not_for_this_operation"),
        ({"color": "red"}, "color", "unknown_key"),
        ({"sides": ["nobody"]}, "sides", "not_a_list"),
        ({"sides": []}, "sides", "not_a_list"),
        ({"regions": "SH"}, "regions", "not_a_list"),
        ({"regions": ["x" * 65]}, "regions", "not_a_list"),
        ({"lines": [7]}, "lines", "not_a_list"),
        ({"starts_on": "2026-02-30"}, "starts_on", "not_a_day"),
        ({"ends_on": 20260101}, "ends_on", "not_a_day"),
        ({"starts_on": "2026-03-01", "ends_on": "2026-03-01"}, "ends_on", "ends_before_it_starts"),
        ({"card": "city"}, "value", "value_and_card"),
        ({"card": "City!", "value": "0"}, "card", "bad_code"),
        (
            {"op": "tier", "unit": "distance_km", "card": "city", "value": "0"},
            "card",
            "not_for_this_operation",
        ),
    ],
)
def test_a_broken_rule_is_named_by_its_place(changes: dict[str, Any], where: str, code: str) -> None:
    assert problems(make_rule("base"), make_rule("broken") | changes)[f"rules[1].{where}"] == code


@pytest.mark.parametrize(
    "window",
    [
        {"opens": "22:00"},
        {"opens": "22:00", "closes": "22:00"},
        {"opens": "24:00", "closes": "06:00"},
        "night",
    ],
)
def test_a_window_needs_two_different_times(window: object) -> None:
    night = make_rule(
        "night",
        dimension="night",
        op="multiply",
        value="1.3",
        applies_to=["base_labour"],
        order=20,
        window=window,
    )

    assert problems(make_rule("base"), night) == {"rules[1].window": "bad_window"}


def test_a_condition_may_ask_only_for_facts() -> None:
    odd = make_rule("odd", when=when("phase_of_the_moon", "=", "full"), order=20)

    with pytest.raises(BadRules) as refused:
        make_rules(make_rule("base"), odd)

    assert [(each.path, each.code) for each in refused.value.problems] == [
        ("rules[1].when.rules[0].field", "condition.unknown_field")
    ]


def test_all_problems_are_told_at_once() -> None:
    assert problems({"code": "x"}, "not a rule", make_rule("base", value=None), currency="yuan") == {
        "currency": "bad_currency",
        "rules[0].op": "unknown_word",
        "rules[0].dimension": "unknown_word",
        "rules[1]": "not_a_rule",
        "rules[1].op": "unknown_word",
        "rules[1].dimension": "unknown_word",
        "rules[2].value": "not_a_number",
        "rules": "no_base_labour",
    }


def test_a_code_stands_for_one_rule() -> None:
    assert problems(make_rule("base"), make_rule("base")) == {"rules": "code_twice"}


@pytest.mark.parametrize("document", [None, [], {"rules": "many"}, {"currency": "CNY"}])
def test_what_is_no_rule_set_is_refused(document: object) -> None:
    with pytest.raises(BadRules):
        parse_rules(document)


def test_a_rule_set_has_a_limit() -> None:
    with pytest.raises(BadRules) as refused:
        make_rules(*(make_rule(f"rule{number}") for number in range(501)))

    assert refused.value.problems[0].params == {"limit": 500}


CITY = {
    "code": "city",
    "name": {"zh": "城市", "en": "city"},
    "keys": ["region_code", "service_type"],
    "entries": [["SH", "install", "12000"], ["XA", "install", "9000"]],
    "otherwise": "8000",
}
SHARES = {"name": {"zh": "分成", "en": "shares"}, "shares": {"worker": "70", "vendor": "20", "company": "10"}}


def test_a_rate_card_is_read_as_it_is_written() -> None:  # STL-15
    rules = parse_rules({"currency": "CNY", "rules": [make_rule("base")], "cards": [CITY]})

    facts = {"region_code": "SH", "service_type": "install"}
    assert rules.cards["city"].value(facts) == 12000
    assert rules.cards["city"].value(facts | {"region_code": "BJ"}) == 8000
    assert parse_rules(rules.to_json()) == rules


@pytest.mark.parametrize(
    ("changes", "where", "code"),
    [
        ({"keys": ["hazards"]}, "keys", "bad_card_keys"),
        ({"keys": []}, "keys", "bad_card_keys"),
        ({"entries": [["SH", "1"]]}, "entries[0]", "bad_entry"),
        ({"entries": [["SH", "", "1"]]}, "entries[0]", "bad_entry"),
        ({"entries": [["SH", "install", "1"], ["SH", "install", "2"]]}, "entries[1]", "entry_twice"),
        ({"entries": [["SH", "install", "Infinity"]]}, "entries[0]", "not_finite"),
        ({"otherwise": 0.1}, "otherwise", "not_a_number"),
        ({"secret": 1}, "secret", "unknown_key"),
    ],
)
def test_a_broken_rate_card_is_named_by_its_place(changes: dict[str, Any], where: str, code: str) -> None:
    with pytest.raises(BadRules) as refused:
        parse_rules({"currency": "CNY", "rules": [make_rule("base")], "cards": [CITY | changes]})

    found = {problem.path: problem.code for problem in refused.value.problems}
    assert found[f"cards[0].{where}"] == f"settlement.rules.{code}"


def test_a_rule_on_a_card_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadRules) as refused:
        parse_rules({"currency": "CNY", "rules": [make_rule("base"), make_rule("b", card="city", value="0")]})

    assert [problem.code for problem in refused.value.problems] == ["settlement.rules.unknown_card"]


@pytest.mark.parametrize(
    ("splits", "where", "code"),
    [
        ([SHARES | {"shares": {"worker": "70", "company": "29.9"}}], "splits[0].shares", "bad_shares"),
        ([SHARES | {"shares": {"worker": "110", "company": "-10"}}], "splits[0].shares", "bad_shares"),
        ([SHARES | {"shares": {"friend": "100"}}], "splits[0].shares", "bad_shares"),
        ([SHARES, SHARES], "splits[1]", "never_reached"),
        ({"a": 1}, "splits", "not_a_list"),
    ],
)
def test_a_broken_split_is_named_by_its_place(splits: Any, where: str, code: str) -> None:  # STL-14
    with pytest.raises(BadRules) as refused:
        parse_rules({"currency": "CNY", "rules": [make_rule("base")], "splits": splits})

    assert [(each.path, each.code) for each in refused.value.problems] == [
        (where, f"settlement.rules.{code}")
    ]
