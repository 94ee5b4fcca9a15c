"""YAML as definitions travel in it: written in one way, read strictly, and no file can blow anything up."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.packs.exchange.yaml_reading import DEEPEST, MOST_BYTES, BadYaml, read_yaml
from ticket_console.packs.exchange.yaml_writing import write_yaml

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
TRICKY = st.sampled_from(
    [
        "no",
        "12:30",
        "0123",
        "08",
        "1e5",
        "~",
        "null",
        "2026-01-01",
        "- a",
        "a: b",
        "#x",
        " x ",
        "=",
        "<<",
        "1_000",
    ]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(-1e15, 1e15, allow_nan=False)
    | TEXT
    | TRICKY,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | TRICKY, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(TEXT | TRICKY, VALUES, max_size=5))
def test_whatever_is_written_reads_back_equal(document: dict[str, Any]) -> None:  # EXT-05
    written = write_yaml(document, heading="x")

    read = read_yaml(written, file="x").data or {}

    assert read == document
    assert write_yaml(read, heading="x") == written


def test_the_order_of_keys_does_not_depend_on_how_a_document_was_made() -> None:
    node = {
        "weight": 5,
        "stage": "onsite",
        "name": {"en": "Repair", "zh": "维修"},
        "kind": "task",
        "key": "repair",
    }

    assert write_yaml({"graph": {"edges": [], "nodes": [node]}, "code": "r"}, heading="flow r").decode() == (
        "# flow r\n"
        "code: r\n"
        "graph:\n"
        "  nodes:\n"
        "    - kind: task\n"
        "      key: repair\n"
        "      name: {zh: 维修, en: Repair}\n"
        "      stage: onsite\n"
        "      weight: 5\n"
        "  edges: []\n"
    )


def test_a_condition_is_written_one_rule_a_line() -> None:
    guard = {
        "combinator": "and",
        "rules": [
            {"field": "priority", "operator": "=", "value": "1"},
            {"field": "category", "operator": "in", "value": "hvac,lift"},
        ],
    }

    assert write_yaml({"guard": guard}, heading="x").decode().splitlines()[1:] == [
        "guard:",
        "  combinator: and",
        "  rules:",
        "    - {field: priority, operator: '=', value: '1'}",
        "    - {field: category, operator: in, value: 'hvac,lift'}",
    ]


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
BAD = {
    "exchange.anchor": BOMB,
    "exchange.key_twice": "a: 1\nb: 2\na: 3\n",
    "exchange.too_deep": "[" * (DEEPEST + 5) + "]" * (DEEPEST + 5),
    "exchange.tag": "a: !!python/object/apply:os.system [id]\n",
    "exchange.yaml_syntax": "a: [1, 2\nb: 3\n",
    "exchange.several_documents": "a: 1\n---\nb: 2\n",
    "exchange.empty_file": "# nothing\n",
    "exchange.key_not_text": "? [a, b]\n: 1\n",
    "input.out_of_range": "a: 99999999999999999999\n",
    "exchange.too_large": " " * (MOST_BYTES + 1),
    "exchange.yaml_character": "a: \x07\n",
}


@pytest.mark.parametrize("code", BAD)
def test_what_cannot_be_taken_is_refused_with_its_reason(code: str) -> None:
    with pytest.raises(BadYaml) as refused:
        read_yaml(BAD[code].encode(), file="x.yaml")

    assert [problem.code for problem in refused.value.problems] == [code]
    assert refused.value.params["file"] == "x.yaml"


def test_a_key_used_twice_is_named_with_its_line() -> None:
    with pytest.raises(BadYaml) as refused:
        read_yaml(b"nodes:\n  - key: a\n    kind: task\n    key: b\n", file="x.yaml")

    (problem,) = refused.value.problems
    assert (problem.path, problem.params["line"]) == ("nodes[0].key", 4)


def test_long_keys_fill_no_memory() -> None:
    with pytest.raises(BadYaml) as refused:
        read_yaml(f"a:\n  {'k' * 201}: 1\n".encode(), file="x.yaml")
    assert [(each.path, each.code, each.params) for each in refused.value.problems] == [
        ("a", "input.too_long", {"line": 2, "limit": 200})
    ]

    deep = "".join(f"{' ' * depth}{'k' * 200}:\n" for depth in range(50)) + f"{' ' * 50}v: [{'1,' * 2_000}]\n"
    read = read_yaml(deep.encode(), file="x.yaml")

    assert sum(map(len, read.lines)) < 2_000
    assert read.line_of(".".join(["k" * 200] * 50)) == 2


def test_a_file_in_another_encoding_is_refused_with_its_line() -> None:
    with pytest.raises(BadYaml) as refused:
        read_yaml("a: 1\nb: 维修\n".encode("gbk"), file="x.yaml")

    assert refused.value.problems[0].code == "exchange.not_utf8"
    assert refused.value.problems[0].params["line"] == 2


def test_words_that_old_yaml_takes_for_something_else_stay_texts() -> None:
    assert read_yaml(b"a: no\nb: 12:30\nc: 2026-01-01\nd: on\n", file="x").data == {
        "a": "no",
        "b": "12:30",
        "c": "2026-01-01",
        "d": "on",
    }


def test_a_path_leads_to_its_line() -> None:
    read = read_yaml(b"a:\n  - b: 1\n  - b: 2\n", file="x")

    assert [read.line_of(path) for path in ("a[1].b", "a[1].c", "a", "z")] == [3, 3, 2, 1]
