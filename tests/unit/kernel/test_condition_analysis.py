"""What can be said of conditions without facts: never a false alarm, and the plain cases found."""

from time import perf_counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticket_console.kernel.condition_analysis import Domain, Field, contradiction, gap, overlap
from ticket_console.kernel.conditions import OPERATORS, compile_condition


def rule(operator: str, value: Any = None, field: str = "x") -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def group(combinator: str, *rules: dict[str, Any], negated: bool = False) -> dict[str, Any]:
    return {"combinator": combinator, "not": negated, "rules": list(rules)}


def both(*rules: dict[str, Any]) -> dict[str, Any]:
    return group("and", *rules)


def no(tree: dict[str, Any]) -> dict[str, Any]:
    return group("and", tree, negated=True)


KINDS = {
    "amount": Field(Domain.NUMBER),
    "level": Field(Domain.WHOLE),
    "day": Field(Domain.DATE),
    "vip": Field(Domain.FLAG),
    "kind": Field(Domain.CHOICE, ("repair", "install", "other")),
    "faults": Field(Domain.LIST, ("leak", "noise", "cold")),
}


@pytest.mark.parametrize(
    "tree",
    [
        both(rule(">", 5), rule("<", 3)),
        both(rule(">", 5), rule("<", 5)),
        both(rule(">=", 5), rule("<=", 5), rule("!=", "5.0")),
        both(rule("=", "a"), rule("=", "b")),
        both(rule("=", "a"), rule("notIn", ["a", "b"])),
        both(rule("null"), rule("notNull")),
        both(rule("null"), rule("contains", "leak")),
        both(rule("contains", "leak"), no(rule("contains", "leak"))),
        both(rule("between", [5, 3])),
        both(rule(">", "b"), rule("<", "a")),
        both(rule(">", "b"), rule("<", 100)),
        both(rule("=", True), rule("=", False)),
        both(rule("in", ["a", "b"]), rule("notIn", ["a", "b", "c"])),
        both(rule(">", 3, "level"), rule("<", 4, "level")),
        both(
            rule("!=", "repair", "kind"),
            rule("notIn", ["install", "other"], "kind"),
            rule("notNull", None, "kind"),
        ),
        group("or", both(rule(">", 5), rule("<", 3)), both(rule("=", "a", "y"), rule("null", None, "y"))),
        both(group("or", rule("=", 1), rule("=", 2)), rule(">", 2)),
    ],
)
def test_what_can_never_hold_is_found(tree: dict[str, Any]) -> None:  # FLW-02
    assert contradiction(tree, KINDS)


@pytest.mark.parametrize(
    "tree",
    [
        both(rule(">", 3), rule("<", 4)),
        both(rule("in", ["a"]), rule("in", ["b"])),
        both(rule("=", "5"), rule("contains", "0")),
        both(rule("contains", "a"), rule("contains", "b"), rule("=", "abc")),
        both(rule("!=", "repair", "kind"), rule("notNull", None, "kind")),
        both(
            rule("contains", "leak", "faults"),
            rule("contains", "cold", "faults"),
            no(rule("contains", "noise", "faults")),
        ),
        both(rule(">", "a"), rule("<", "a\0\0")),
        "no condition at all",
    ],
)
def test_what_may_hold_is_not_called_contradictory(tree: Any) -> None:
    assert not contradiction(tree, KINDS)


@pytest.mark.parametrize(
    ("one", "other", "witness"),
    [
        (rule(">=", 5, "amount"), rule("<=", 5, "amount"), {"amount": 5}),
        (rule(">", 3, "amount"), rule("<", 4, "amount"), {"amount": 3.5}),
        (rule(">", 2, "level"), rule("<", 4, "level"), {"level": 3}),
        (rule("!=", "repair", "kind"), rule("!=", "install", "kind"), {"kind": "other"}),
        (rule("=", True, "vip"), rule("=", 1, "level"), {"level": 1, "vip": True}),
        (rule(">=", "2026-11-01", "day"), rule("<", "2026-11-02", "day"), {"day": "2026-11-01"}),
        (
            rule("contains", "leak", "faults"),
            rule("contains", "cold", "faults"),
            {"faults": ["cold", "leak"]},
        ),
        (rule("contains", "leak", "text"), rule("contains", "cold", "text"), {"text": "leak cold"}),
    ],
)
def test_two_conditions_that_may_hold_together_are_shown_with_an_example(
    one: dict[str, Any], other: dict[str, Any], witness: dict[str, Any]
) -> None:  # FLW-02
    assert overlap(one, other, KINDS) == witness


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (rule(">", 3, "level"), rule("<", 4, "level")),
        (rule("=", "repair", "kind"), rule("in", ["install", "other"], "kind")),
        (rule("in", ["repair"], "kind"), rule("in", ["install"], "kind")),
        (rule(">", "2026-11-01", "day"), rule("<", "2026-11-02", "day")),
        (rule("=", "a", "unknown"), rule("=", "b", "unknown")),
        (both(rule("=", 1), rule("=", 1, "y")), both(rule("=", 1), rule("=", 2, "y"))),
        (rule("=", True, "vip"), rule("!=", True, "vip")),
        ({}, rule("null")),
    ],
)
def test_conditions_that_exclude_each_other_raise_no_alarm(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert overlap(one, other, KINDS) is None


@pytest.mark.parametrize(
    ("trees", "witness"),
    [
        ([rule("<", 5, "level"), rule(">", 5, "level")], {"level": 5}),
        ([rule("<", 5, "level"), rule(">=", 5, "level")], {"level": None}),
        ([rule("<", 5, "level"), rule(">=", 5, "level"), rule("null", None, "level")], None),
        ([rule("=", "repair", "kind"), rule("=", "install", "kind")], {"kind": "other"}),
        ([rule("=", True, "vip"), rule("!=", True, "vip")], None),
        ([rule("=", True, "vip"), rule(">", 1, "level")], {"level": 1, "vip": False}),
    ],
)
def test_what_no_condition_answers_for_is_shown_with_an_example(
    trees: list[dict[str, Any]], witness: dict[str, Any] | None
) -> None:  # FLW-02
    assert gap(trees, KINDS) == witness


def test_a_condition_too_large_to_try_out_is_left_alone() -> None:
    wide = both(*(group("or", *(rule("=", value, f"f{n}") for value in "abcd")) for n in range(40)))

    assert not contradiction(
        both(wide, rule("contains", "a"), *(rule("contains", f"x{n}") for n in range(20)))
    )


def test_many_texts_looked_for_keep_nobody_waiting() -> None:
    wide = both(*(rule("contains", f"x{n}") for n in range(300)))

    began = perf_counter()
    assert overlap(wide, wide) is None
    assert perf_counter() - began < 2


@pytest.mark.parametrize(
    ("domain", "bound"),
    [
        (Domain.DATE, "9999-12-31"),
        (Domain.INSTANT, "9999-12-31T23:59:59.999999Z"),
        (Domain.INSTANT, "9999-12-31T23:59:59.999999-05:00"),
    ],
)
def test_there_is_nothing_after_the_last_day_of_all(domain: Domain, bound: str) -> None:
    fields = {"when": Field(domain)}

    assert overlap(rule(">", bound, "when"), rule("notNull", None, "when"), fields) is None
    assert overlap(rule("<", "0001-01-01", "when"), rule("notNull", None, "when"), fields) is None


operands = st.sampled_from(
    ["a", "b", "ab", "A", 1, 2, "1", "1.0", 1.5, True, False, "true", "2026-11-21", "x"]
)
facts = st.fixed_dictionaries(
    {},
    optional={
        name: st.none()
        | st.just("")
        | st.just({})
        | operands
        | st.text("ab1. ", max_size=4)
        | st.integers(-1, 4)
        | st.lists(operands, max_size=3)
        for name in ("x", "y")
    },
)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(sorted(OPERATORS)))
    size = 2 if operator == "between" else draw(st.integers(1, 3))
    listed = operator in ("in", "notIn", "between")
    value = draw(st.lists(operands, min_size=size, max_size=size)) if listed else draw(operands)
    return rule(operator, value, draw(st.sampled_from(["x", "y"])))


def groups(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda combinator, parts, negated: group(combinator, *parts, negated=negated),
        st.sampled_from(["and", "or"]),
        st.lists(inner, min_size=1, max_size=3),
        st.booleans(),
    )


trees = st.recursive(rules(), groups, max_leaves=6)


@settings(max_examples=400, deadline=None)
@given(trees, st.lists(facts, max_size=20))
def test_what_is_called_contradictory_holds_for_no_facts(
    tree: dict[str, Any], some: list[dict[str, Any]]
) -> None:  # FLW-02
    impossible = contradiction(tree)

    assert not (impossible and any(compile_condition(tree)(each) for each in some))


@settings(max_examples=300, deadline=None)
@given(trees, trees)
def test_every_example_of_an_overlap_satisfies_both(one: dict[str, Any], other: dict[str, Any]) -> None:
    witness = overlap(one, other)

    assert witness is None or (compile_condition(one)(witness) and compile_condition(other)(witness))
    assert witness is None or not contradiction(both(one, other))


@settings(max_examples=300, deadline=None)
@given(st.lists(trees, min_size=1, max_size=3))
def test_every_example_of_a_gap_satisfies_none(several: list[dict[str, Any]]) -> None:
    witness = gap(several)

    assert witness is None or not any(compile_condition(each)(witness) for each in several)
