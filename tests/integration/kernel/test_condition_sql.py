"""Conditions in SQL select exactly the rows that the predicate holds for, on both databases."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ticket_console.kernel.condition_sql import (
    SQLITE_FUNCTIONS,
    ConditionNotInSql,
    FlagFact,
    InstantFact,
    JsonFact,
    SqlFact,
    TextFact,
    WholeFact,
    compile_where,
)
from ticket_console.kernel.conditions import (
    MAX_VALUES,
    OPERATORS,
    BadCondition,
    case_pairs,
    compile_condition,
)
from ticket_console.kernel.database import JsonText, UtcDateTime

META = sa.MetaData()
SUBJECTS = sa.Table(
    "subject",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("level", sa.Integer),
    sa.Column("word", sa.String(200)),
    sa.Column("vip", sa.Boolean),
    sa.Column("due_at", UtcDateTime()),
)
VALUES = sa.Table(
    "subject_value",
    META,
    sa.Column("subject_id", sa.Integer, primary_key=True),
    sa.Column("key", sa.String(20), primary_key=True),
    sa.Column("value", JsonText()),
)


def kept(key: str) -> JsonFact:
    return JsonFact(
        VALUES, "value", lambda rows: sa.and_(rows.c.subject_id == SUBJECTS.c.id, rows.c.key == key)
    )


FACTS: Mapping[str, SqlFact] = {
    "level": WholeFact(SUBJECTS.c.level),
    "word": TextFact(SUBJECTS.c.word),
    "vip": FlagFact(SUBJECTS.c.vip),
    "due_at": InstantFact(SUBJECTS.c.due_at),
    "a": kept("a"),
    "b": kept("b"),
}

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
# Every letter of an alphabet that has two cases.
PANGRAM = "съешь же ещё этих мягких французских булок, да выпей чаю"
TEXTS = [
    *(
        "",
        "a",
        "A",
        "b",
        "ab",
        "a leak in the hall",
        "LEAK",
        "漏水",
        "厨房漏水",
        "É",
        "é",
        "crème brûlée",
        "ß",
        "SS",
    ),
    *(
        "ſ",
        "Kelvin K",
        "Ж",
        "ж",
        "0",
        "-0",
        "0.0",
        "1",
        "1.0",
        "1.50",
        "-1.5",
        "2",
        "9",
        "10",
        "-10",
        "0.1",
        "012",
        "1.",
        ".5",
    ),
    *(
        "1e3",
        "+1",
        "--1",
        "1.2.3",
        "12\n",
        "99999999999999999999.000000000000000001",
        "0.30000000000000004",
        "1200.00",
    ),
    *(
        "true",
        "false",
        "True",
        "null",
        "2026-11-20",
        "2026-11-21",
        "2026-11-21T12:00:00.000000Z",
        "%",
        "_",
        "*",
        "[a]",
    ),
    *("a,b", " a", "é,É", "P1", "P2", "😀", "￿", "Ａ", "ａ", PANGRAM.title()),
]
NUMBERS = [0, 1, -1, 2, 3, 10, 2**53 + 1, -(2**62), 0.1, 0.5, -1.5, 1e16, 1.5e300, 1e-7, -2.5e-9, 0.1 + 0.2]
SCALARS = [None, True, False, *TEXTS, *NUMBERS]
OBJECTS = [{}, {"a": 1}, {"lat": 31.2, "lon": 121.4}]


def _pool(seed: int) -> list[dict[str, Any]]:
    """Facts of every sort: each scalar once, then lists and objects, in changing company."""
    draw = random.Random(seed)

    def some_list() -> list[Any]:
        return [draw.choice([*SCALARS, {"sku": "A"}, ["a"]]) for _ in range(draw.randint(0, 3))]

    values = [*SCALARS, *OBJECTS, *(some_list() for _ in range(120)), *([each] for each in TEXTS[:20])]
    facts = []
    for value in values:
        subject: dict[str, Any] = {
            "level": draw.choice([None, 0, 1, 2, 3, 10, -1]),
            "word": draw.choice([None, *TEXTS]),
            "vip": draw.choice([None, True, False]),
            "due_at": draw.choice([None, NOON, NOON + timedelta(microseconds=1), NOON - timedelta(days=1)]),
            "a": value,
            "b": draw.choice([*SCALARS, some_list(), draw.choice(OBJECTS)]),
        }
        for key in ("a", "b"):
            if subject[key] is None and draw.random() < 0.5:
                del subject[key]
        facts.append(subject)
    return facts


POOL = _pool(7)
COLUMNS = ("level", "word", "vip", "due_at")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def rows(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    """A connection over all the facts of the pool."""
    url = "sqlite://"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").replace("postgresql://", "postgresql+psycopg://", 1)
    engine = sa.create_engine(url, query_cache_size=0)
    with engine.connect() as connection:
        if request.param == "sqlite":
            for name, function in SQLITE_FUNCTIONS.items():
                driver: Any = connection.connection.driver_connection
                driver.create_function(name, 1, function)
        META.create_all(connection)
        subjects = [
            {"id": number, **{name: facts[name] for name in COLUMNS}} for number, facts in enumerate(POOL)
        ]
        connection.execute(sa.insert(SUBJECTS), subjects)
        values = [
            {"subject_id": number, "key": key, "value": facts[key]}
            for number, facts in enumerate(POOL)
            for key in ("a", "b")
            if key in facts
        ]
        connection.execute(sa.insert(VALUES), values)
        yield connection
        connection.rollback()
    engine.dispose()


def selected(rows: sa.Connection, tree: object) -> set[int]:
    where = compile_where(tree, FACTS, dialect=rows.dialect.name)
    return set(rows.execute(sa.select(SUBJECTS.c.id).where(where)).scalars())


def expected(tree: object) -> set[int]:
    holds = compile_condition(tree)
    return {number for number, facts in enumerate(POOL) if holds(facts)}


OPERANDS = [
    each
    for each in [*SCALARS, "leak", "k", "s", "e", "水", "É", "0.10", "1.5", -10, 99999]
    if each not in (None, "")
]
operands = st.sampled_from(OPERANDS) | st.decimals(allow_nan=False, allow_infinity=False, places=2).map(str)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.sampled_from(sorted(OPERATORS)))
    value: Any
    if operator == "between":
        value = draw(st.lists(operands, min_size=2, max_size=2))
    elif operator in ("in", "notIn"):
        value = draw(st.lists(operands, min_size=1, max_size=3) | st.just("a, 1.5,漏水"))
    else:
        value = draw(operands)
    return {"field": draw(st.sampled_from(sorted(FACTS))), "operator": operator, "value": value}


def groups(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "combinator": st.sampled_from(["and", "or"]),
            "not": st.booleans(),
            "rules": st.lists(inner, min_size=1, max_size=3),
        }
    )


trees = st.recursive(rules(), groups, max_leaves=5)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_the_rows_that_sql_selects_are_those_the_predicate_holds_for(
    rows: sa.Connection, tree: dict[str, Any]
) -> None:  # FLW-21
    assert selected(rows, tree) == expected(tree)


@pytest.mark.parametrize("operator", sorted(OPERATORS - {"between", "in", "notIn"}))
def test_every_operator_agrees_for_every_operand(rows: sa.Connection, operator: str) -> None:  # FLW-21
    trees = [
        {"field": field, "operator": operator, "value": value}
        for value in OPERANDS
        for field in ("a", "word")
    ]
    wrong = [tree for tree in trees if selected(rows, tree) != expected(tree)]

    assert wrong == []


@pytest.mark.parametrize(
    "needle", [PANGRAM, PANGRAM.upper(), "".join(sorted(set(case_pairs().values())))[:1_000]]
)
def test_any_letters_can_be_looked_for(rows: sa.Connection, needle: str) -> None:  # FLW-21
    tree = {"field": "a", "operator": "contains", "value": needle}

    assert selected(rows, tree) == expected(tree)
    assert bool(expected(tree)) is (needle.casefold() == PANGRAM)


@pytest.mark.parametrize("field", ["a", "word", "level"])
@pytest.mark.parametrize("operator", ["in", "="])
def test_as_many_values_as_a_condition_may_have_can_be_asked_for(
    rows: sa.Connection, field: str, operator: str
) -> None:
    values = [str(number + 1_000) for number in range(MAX_VALUES)]
    tree = (
        {"field": field, "operator": "in", "value": values}
        if operator == "in"
        else {"combinator": "or", "rules": [{"field": field, "operator": "=", "value": v} for v in values]}
    )

    assert selected(rows, tree) == expected(tree)


def test_a_value_that_no_row_could_hold_is_refused(rows: sa.Connection) -> None:
    with pytest.raises(ConditionNotInSql) as caught:
        selected(rows, {"field": "a", "operator": "=", "value": "a\0b"})

    assert caught.value.params == {"field": "a"}


def test_a_fact_that_no_column_holds_is_refused(rows: sa.Connection) -> None:
    with pytest.raises(BadCondition) as caught:
        selected(rows, {"field": "weather", "operator": "=", "value": "fine"})

    assert [problem.code for problem in caught.value.problems] == ["condition.unknown_field"]
