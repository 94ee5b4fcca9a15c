"""What the browser decides while somebody types is what the server decides afterwards."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticket_console.forms.definitions import parse_definition
from ticket_console.forms.formulas import Type, parse_formula
from ticket_console.forms.visibility import answers_of, remaining
from ticket_console.kernel.conditions import compile_condition

RULES = Path(__file__).parents[3] / "ticket_console" / "components" / "form_rules.js"
NODE = Path(sys.executable).parent / "node"
ASK = """
const rules = await import(process.argv[1]);
let text = "";
for await (const part of process.stdin) text += part;
const { cases } = JSON.parse(text);
const said = cases.map(({ what, args }) => {
  if (what === "hidden") return [...rules.answersOf(...args).hidden].sort();
  return rules[what](...args);
});
process.stdout.write(JSON.stringify(said));
"""


def in_the_browser(cases: list[dict[str, Any]]) -> Any:
    said = subprocess.run(
        [str(NODE), "--input-type=module", "-e", ASK, RULES.as_uri()],
        input=json.dumps({"cases": cases}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(said.stdout)


MANY = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])

WORDS = st.text("ab ßΣσςAB0.5红,-", max_size=6)
NUMBERS = st.one_of(
    st.integers(-(10**9), 10**9),
    st.decimals(-1000, 1000, places=3).map(str),
    st.floats(-1e9, 1e9, allow_nan=False).filter(lambda number: number == 0 or abs(number) > 1e-5),
)
SCALARS = st.one_of(WORDS, NUMBERS, st.booleans(), st.sampled_from(["true", "false", "0123", "10", "9.50"]))
FACTS = st.dictionaries(
    st.sampled_from("xyz"), st.one_of(st.none(), SCALARS, st.lists(SCALARS, max_size=3)), max_size=3
)
PLAIN_RULES = st.builds(
    lambda field, operator, value: {"field": field, "operator": operator, "value": value},
    st.sampled_from("xyz"),
    st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "contains"]),
    SCALARS.filter(lambda value: value != ""),
)
LIST_RULES = st.builds(
    lambda field, operator, value: {"field": field, "operator": operator, "value": value},
    st.sampled_from("xyz"),
    st.sampled_from(["in", "notIn"]),
    st.one_of(
        st.lists(SCALARS, min_size=1, max_size=3), st.sampled_from(["a,b", "10, 9.5", " true ,x", "红"])
    ),
)
SPAN_RULES = st.builds(
    lambda field, low, high: {"field": field, "operator": "between", "value": [low, high]},
    st.sampled_from("xyz"),
    SCALARS,
    SCALARS,
)
NULL_RULES = st.builds(
    lambda field, operator: {"field": field, "operator": operator},
    st.sampled_from("xyz"),
    st.sampled_from(["null", "notNull"]),
)
TREES = st.recursive(
    st.one_of(PLAIN_RULES, LIST_RULES, SPAN_RULES, NULL_RULES),
    lambda inner: st.builds(
        lambda combinator, negated, rules: {"combinator": combinator, "not": negated, "rules": rules},
        st.sampled_from(["and", "or"]),
        st.booleans(),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@MANY
@given(st.lists(st.tuples(TREES, FACTS), min_size=50, max_size=120))
def test_a_condition_holds_in_the_browser_where_it_holds_on_the_server(
    cases: list[tuple[dict[str, Any], dict[str, Any]]],
) -> None:
    said = in_the_browser([{"what": "holds", "args": [tree, facts]} for tree, facts in cases])

    assert said == [compile_condition(tree)(facts) for tree, facts in cases]


@given(TREES, FACTS, st.frozensets(st.sampled_from("xyz")))
def test_what_remains_of_a_condition_holds_where_the_whole_does(
    tree: dict[str, Any], facts: dict[str, Any], changing: frozenset[str]
) -> None:
    left = remaining(tree, facts, changing)

    open_facts = {key: value for key, value in facts.items() if key in changing}
    held = left if isinstance(left, bool) else compile_condition(left)(open_facts)
    assert held is compile_condition(tree)(facts)


TYPES = {
    "a": Type.NUMBER,
    "b": Type.NUMBER,
    "yes": Type.FLAG,
    "word": Type.TEXT,
    "since": Type.DATE,
    "until": Type.DATE,
    "began": Type.MOMENT,
    "ended": Type.MOMENT,
    "lines.amount": Type.COLUMN,
}
_ATOMS = st.one_of(
    st.sampled_from(["a", "b", "days(since, until)", "minutes(began, ended)", "days(began, ended)"]),
    st.sampled_from(
        ["sum(lines.amount)", "min(lines.amount, a)", "max(lines.amount)", "count(lines.amount, b)"]
    ),
    st.integers(0, 10**6).map(str),
    st.decimals(0, 100, places=4).map(str),
)
_TESTS = st.one_of(
    st.sampled_from(["yes", "not yes", "word = 'x'", 'word != "x"', "since < until", "began >= ended"]),
    st.builds(lambda sign: f"a {sign} b", st.sampled_from(["=", "!=", "<>", "<", "<=", ">", ">="])),
)
FORMULAS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.builds(
            lambda left, sign, right: f"({left} {sign} {right})", inner, st.sampled_from("+-*/×÷"), inner
        ),
        st.builds(lambda part, places: f"round({part}, {places})", inner, st.integers(0, 12)),
        st.builds(lambda part: f"-abs({part})", inner),
        st.builds(lambda one, other: f"min({one}, {other})", inner, inner),
        st.builds(
            lambda test, other, word, one, two: f"if({test} {word} not ({other}), {one}, {two})",
            _TESTS,
            _TESTS,
            st.sampled_from(["and", "or"]),
            inner,
            inner,
        ),
    ),
    max_leaves=8,
)
_AMOUNTS = st.one_of(
    st.none(),
    st.decimals(-(10**6), 10**6, places=6).map(lambda number: format(number, "f")),
    st.integers(-1000, 1000),
    st.sampled_from(["", "x", "999999999999999999", "0.000000000000000001", "-0", "1e3"]),
)
_DAYS = st.one_of(st.none(), st.dates().map(str), st.sampled_from(["2026-02-30", "soon"]))
_MOMENTS = st.one_of(
    st.none(),
    st.datetimes().map(lambda at: at.isoformat(timespec="microseconds") + "Z"),
    st.sampled_from(["2026-01-01T08:00:00+08:00", "2026-01-01T25:00:00Z"]),
)
FORM = st.fixed_dictionaries(
    {
        "a": _AMOUNTS,
        "b": _AMOUNTS,
        "yes": st.sampled_from([None, True, False]),
        "word": st.sampled_from([None, "x", "y", ""]),
        "since": _DAYS,
        "until": _DAYS,
        "began": _MOMENTS,
        "ended": _MOMENTS,
        "lines": st.one_of(st.none(), st.lists(st.fixed_dictionaries({"amount": _AMOUNTS}), max_size=3)),
    }
)


@MANY
@given(st.lists(st.tuples(FORMULAS, FORM), min_size=50, max_size=120))
def test_a_formula_comes_to_the_same_in_the_browser_and_on_the_server(
    cases: list[tuple[str, dict[str, Any]]],
) -> None:
    formulas = [parse_formula(text, TYPES) for text, _ in cases]
    asked = [
        {"what": "formulaValue", "args": [formula.tree, facts]}
        for formula, (_, facts) in zip(formulas, cases, strict=True)
    ]

    expected = [formula.value(facts) for formula, (_, facts) in zip(formulas, cases, strict=True)]
    assert in_the_browser(asked) == expected


CHAIN = [
    {"key": key, "kind": "text", "label": {"en": key}, "visible_when": tree}
    for key, tree in (
        ("x", {"combinator": "and", "rules": [{"field": "z", "operator": "!=", "value": "a"}]}),
        ("y", {"combinator": "and", "rules": [{"field": "x", "operator": "=", "value": "a"}]}),
        ("z", {"combinator": "or", "rules": [{"field": "y", "operator": "null"}]}),
    )
]


@MANY
@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["a", "b"])),
            st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["a", "b"])),
        ),
        min_size=20,
        max_size=40,
    )
)
def test_both_hide_the_same_fields_even_where_conditions_chase_each_other(
    cases: list[tuple[dict[str, str], dict[str, str]]],
) -> None:
    definition = parse_definition({"sections": [{"key": "s", "fields": CHAIN}]})
    asked = [
        {
            "what": "hidden",
            "args": [[{**spec, "known": known.get(str(spec["key"]))} for spec in CHAIN], entered],
        }
        for entered, known in cases
    ]

    assert in_the_browser(asked) == [
        sorted(answers_of(definition, entered, known=known).hidden) for entered, known in cases
    ]
