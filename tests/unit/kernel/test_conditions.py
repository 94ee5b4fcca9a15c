"""Conditions: what holds, what is refused, and how they read."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ticket_console.kernel.conditions import (
    MAX_DEPTH,
    MAX_VALUES,
    OPERATORS,
    BadCondition,
    compile_condition,
    condition_problems,
    fields_of,
    without_editor_keys,
)


def rule(operator: str, value: Any = None, field: str = "x") -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def group(combinator: str, *rules: dict[str, Any], negated: bool = False) -> dict[str, Any]:
    return {"combinator": combinator, "not": negated, "rules": list(rules)}


def holds(operator: str, value: Any, fact: Any) -> bool:
    return compile_condition(rule(operator, value))({"x": fact})


@pytest.mark.parametrize(
    ("operator", "value", "fact", "expected"),
    [
        ("=", 0.1, "0.10", True),
        ("=", "0.1", Decimal("0.10"), True),
        ("=", 3, 3.0, True),
        ("=", "12", 12, True),
        ("=", "012", "12", False),
        ("=", "012", "012", True),
        ("=", "red", "red", True),
        ("=", "red", "Red", False),
        ("=", True, True, True),
        ("=", "true", True, True),
        ("=", 1, True, False),
        ("=", "red", ["red"], True),
        ("=", "red", ["red", "blue"], False),
        ("!=", "red", "blue", True),
        ("!=", "red", "red", False),
        ("<", 10, "9.5", True),
        ("<", "10", 9, True),
        ("<", 10, "nine", False),
        (">", 0.3, Decimal("0.1") + Decimal("0.2"), False),
        (">=", 0.3, Decimal("0.1") + Decimal("0.2"), True),
        ("<=", 5, 5, True),
        (">", "P1", "P2", True),
        ("<", "2026-11-21", date(2026, 11, 20), True),
        (">", "2026-11-21", datetime(2026, 11, 21, 2, tzinfo=UTC), True),
        ("<", 5, float("nan"), False),
        (">", 5, "Infinity", False),
        ("in", ["a", "b"], "b", True),
        ("in", "a, b", "b", True),
        ("in", "1,2", 2, True),
        ("in", ["a"], ["b", "a"], True),
        ("in", ["a"], "c", False),
        ("notIn", ["a", "b"], "c", True),
        ("notIn", ["a", "b"], "a", False),
        ("between", [1, 3], "3.0", True),
        ("between", "1,3", 4, False),
        ("between", ["2026-01-01", "2026-12-31"], "2026-06-01", True),
        ("contains", "LEAK", "a leak in the hall", True),
        ("contains", "a", ["a", "b"], True),
        ("contains", "c", ["a", "b"], False),
        ("contains", "1", 12, False),
        ("null", None, "x", False),
        ("notNull", None, 0, True),
        ("notNull", None, False, True),
    ],
)
def test_an_operator_holds_exactly_when_it_should(
    operator: str, value: Any, fact: Any, expected: bool
) -> None:
    assert holds(operator, value, fact) is expected


@pytest.mark.parametrize("nothing", [None, "", [], ()])
def test_nothing_satisfies_only_null_unequal_and_not_in(nothing: Any) -> None:
    values = {"in": ["a"], "notIn": ["a"], "between": [1, 2]}
    satisfied = {operator for operator in OPERATORS if holds(operator, values.get(operator, "a"), nothing)}

    assert satisfied == {"null", "!=", "notIn"}
    assert compile_condition(rule("null"))({}) is True


def test_groups_combine_nest_and_negate() -> None:
    tree = group(
        "and",
        rule("=", "repair", "kind"),
        group("or", rule(">", 3, "level"), rule("=", True, "vip")),
        group("and", rule("=", "north", "region"), negated=True),
    )
    predicate = compile_condition(tree)

    assert predicate({"kind": "repair", "level": 4, "region": "south"})
    assert predicate({"kind": "repair", "vip": True})
    assert not predicate({"kind": "repair", "level": 3})
    assert not predicate({"kind": "repair", "level": 4, "region": "north"})
    assert fields_of(tree) == {"kind", "level", "vip", "region"}


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False, allow_infinity=False))
def test_numbers_compare_as_exact_decimals(fact: Decimal, bound: Decimal) -> None:
    assert holds("<", bound, fact) is (fact < bound)
    assert holds("=", bound, fact) is (fact == bound)
    assert holds(">=", bound, fact) is not holds("<", bound, fact)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(st.sampled_from(sorted(OPERATORS)), values, values)
def test_no_fact_and_no_value_make_a_condition_fail(operator: str, value: Any, fact: Any) -> None:
    tree = rule(operator, value)
    assume(not condition_problems(tree))

    assert compile_condition(tree)({"x": fact}) in (True, False)


@pytest.mark.parametrize(
    ("tree", "path", "code"),
    [
        ("x", "", "condition.not_an_object"),
        ({"combinator": "xor", "rules": [rule("null")]}, ".combinator", "condition.unknown_combinator"),
        ({"combinator": "and", "rules": []}, ".rules", "condition.empty"),
        ({"combinator": "and", "rules": "all"}, ".rules", "condition.empty"),
        ({"combinator": "and", "not": 1, "rules": [rule("null")]}, ".not", "condition.not_a_flag"),
        ({"combinator": "and", "rules": [rule("null")], "code": "1"}, ".code", "condition.unknown_key"),
        (group("and", rule("~", 1)), ".rules[0].operator", "condition.unknown_operator"),
        (group("and", rule("=", 1, "colour")), ".rules[0].field", "condition.unknown_field"),
        (group("and", {"operator": "null"}), ".rules[0].field", "condition.no_field"),
        (group("and", rule("=", None)), ".rules[0].value", "condition.bad_value"),
        (group("and", rule("=", "")), ".rules[0].value", "condition.bad_value"),
        (group("and", rule("=", {"a": 1})), ".rules[0].value", "condition.bad_value"),
        (group("and", rule("between", [1])), ".rules[0].value", "condition.bad_value"),
        (group("and", rule("in", [])), ".rules[0].value", "condition.bad_value"),
        (group("and", group("or", rule("in", [[1]]))), ".rules[0].rules[0].value", "condition.bad_value"),
    ],
)
def test_a_tree_that_cannot_be_evaluated_is_refused_with_its_place(
    tree: Any, path: str, code: str
) -> None:  # FLW-21
    (problem,) = condition_problems(tree, fields={"x"})

    assert (problem.path, problem.code) == (path, code)


def test_a_bottomless_tree_is_refused_and_not_followed() -> None:
    tree = rule("null")
    for _ in range(500):
        tree = group("and", tree)

    (problem,) = condition_problems(tree)

    assert problem.code == "condition.too_deep"
    assert problem.params == {"limit": MAX_DEPTH}


def test_a_condition_over_more_values_than_a_database_can_be_asked_about_is_refused() -> None:
    codes = [f"c{number}" for number in range(MAX_VALUES)]

    assert condition_problems(group("or", rule("in", codes))) == ()
    for tree in (
        group("or", rule("in", codes), rule("null")),
        group("or", rule("in", ",".join(codes)), rule("=", "x")),
        group("or", *(rule("=", code) for code in codes), rule("=", "x")),
    ):
        (problem,) = condition_problems(tree)
        assert (problem.code, problem.params) == ("condition.too_large", {"limit": MAX_VALUES})


def test_compiling_a_bad_tree_names_every_problem() -> None:
    with pytest.raises(BadCondition) as caught:
        compile_condition(group("and", rule("~"), rule("=", None)))

    assert [problem.code for problem in caught.value.problems] == [
        "condition.unknown_operator",
        "condition.bad_value",
    ]


def test_what_only_an_editor_needs_is_taken_out() -> None:
    edited = {
        "id": "g1",
        "combinator": "and",
        "rules": [{**rule("=", 1), "id": "r1", "valueSource": "value"}],
    }

    assert without_editor_keys(edited) == {"combinator": "and", "rules": [rule("=", 1)]}


def test_comparing_two_fields_is_refused_and_never_taken_for_a_value() -> None:
    compared = without_editor_keys({**rule("=", "y"), "valueSource": "field"})

    (problem,) = condition_problems(compared)

    assert (problem.path, problem.code) == (".valueSource", "condition.compares_fields")


@pytest.mark.parametrize(
    ("needle", "text", "expected"),
    [("É", "café", True), ("ж", "Ж", True), ("ss", "ß", False), ("k", "\u212a", True), ("ａ", "Ａ", True)],
)
def test_contains_ignores_the_case_of_each_letter(needle: str, text: str, expected: bool) -> None:
    assert holds("contains", needle, text) is expected
