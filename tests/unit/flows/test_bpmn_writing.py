"""Flows as BPMN 2.0: valid by the schema, and read back without losing a word."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from lxml import etree

from tests.builders.flows import graphs
from ticket_console.flows.bpmn import expressions
from ticket_console.flows.bpmn.names import model, ours
from ticket_console.flows.bpmn.reading import read_bpmn
from ticket_console.flows.bpmn.writing import write_bpmn
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import graph_json, parse_graph
from ticket_console.packs.contents import pack_codes, read_pack

NAME = {"zh": "维修", "en": "Repair"}
PACK_FLOWS = [(flow.code, flow.graph) for code in pack_codes() for flow in read_pack(code).flows]

found = find_spec("SpiffWorkflow")
assert found is not None
assert found.origin is not None
SCHEMA = etree.XMLSchema(etree.parse(str(Path(found.origin).parent / "bpmn/parser/schema/BPMN20.xsd")))


def rich() -> dict[str, Any]:
    """A flow that uses what random ones do not."""
    guard = {
        "combinator": "and",
        "not": True,
        "rules": [
            {"field": "priority", "operator": "in", "value": "1,2"},
            {"combinator": "or", "rules": [{"field": "vip", "operator": "=", "value": True}]},
        ],
    }
    return graph_json(
        parse_graph(
            {
                "format": 2,
                "stages": [
                    {"key": "a", "name": {"zh": "甲"}, "category": "todo"},
                    {"key": "z", "name": {}, "category": "done"},
                    {"key": "x", "name": {}, "category": "cancelled"},
                ],
                "nodes": [
                    {"key": "s", "kind": "start", "stage": "a"},
                    {
                        "key": "1-t.x",
                        "kind": "task",
                        "name": {"zh": "步骤 <&>\n第二行", "en": "Step \u0001 \ufffe"},
                        "stage": "a",
                        "handler": {"mode": "queue", "role": "agent"},
                        "handlers": [
                            {"when": guard, "handler": {"mode": "technician", "role": "technician"}}
                        ],
                        "checklist": [{"key": "c", "text": {"zh": "检查"}}],
                        "targets": {"claim_minutes": 5},
                        "permissions": {"agent": {"fields": {"note": "write"}, "acts": ["complete", "skip"]}},
                        "description": {"zh": "说明\r\n", "en": "Words"},
                    },
                    {
                        "key": "w",
                        "kind": "timer",
                        "stage": "a",
                        "until": {"field": "visit"},
                        "calendar": "work",
                    },
                    {"key": "u", "kind": "subflow", "stage": "a", "subflow": {"flow": "9.checks"}},
                    {
                        "key": "q",
                        "kind": "survey",
                        "stage": "a",
                        "survey": {"questions": [{"key": "n", "kind": "rating", "label": {"zh": "满意吗"}}]},
                    },
                    {"key": "e", "kind": "end", "stage": "z"},
                    {"key": "g", "kind": "end", "stage": "x"},
                ],
                "edges": [
                    {"key": "1", "kind": "forward", "source": "s", "target": "1-t.x"},
                    {
                        "key": "b",
                        "kind": "forward",
                        "source": "1-t.x",
                        "target": "w",
                        "order": 2,
                        "guard": guard,
                    },
                    {
                        "key": "c",
                        "kind": "forward",
                        "source": "1-t.x",
                        "target": "e",
                        "order": 1,
                        "default": True,
                    },
                    {"key": "d", "kind": "forward", "source": "1-t.x", "target": "u", "order": 0},
                    {"key": "t", "kind": "timeout", "source": "1-t.x", "target": "w", "after_seconds": 90},
                    {"key": "r", "kind": "return", "source": "1-t.x", "target": "1-t.x"},
                    {"key": "k", "kind": "cancel", "source": "w", "target": "g"},
                    {"key": "f", "kind": "forward", "source": "w", "target": "e"},
                    {"key": "h", "kind": "forward", "source": "u", "target": "q"},
                    {"key": "i", "kind": "forward", "source": "q", "target": "e"},
                ],
                "drawing": {
                    "nodes": {"s": {"x": -40, "y": 7}},
                    "comments": [{"key": "n1", "text": "看这里\n<b>", "x": 3, "y": 4, "width": 80}],
                },
            }
        )
    )


@pytest.mark.parametrize(("code", "graph"), PACK_FLOWS, ids=[code for code, _ in PACK_FLOWS])
def test_a_flow_of_a_pack_is_valid_bpmn_and_comes_back_equal(
    code: str, graph: dict[str, Any]
) -> None:  # EXT-05
    plain = graph_json(parse_graph(graph))

    written = write_bpmn(plain, code=code, name=NAME)
    read = read_bpmn(written)

    SCHEMA.assertValid(etree.fromstring(written))
    assert (read.graph, read.name, read.code, read.report.remarks) == (plain, NAME, code, ())


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_everything_a_flow_can_say_comes_back(locale: str) -> None:
    written = write_bpmn(rich(), code="9.rich", name=NAME, locale=locale)
    read = read_bpmn(written)

    SCHEMA.assertValid(etree.fromstring(written))
    assert read.graph == rich()
    assert (read.name, read.code, read.report.remarks) == (NAME, "9.rich", ())


@given(graphs())
@settings(max_examples=60)
def test_any_flow_is_valid_bpmn_and_comes_back_equal(graph: Graph) -> None:
    plain = graph_json(graph)

    written = write_bpmn(plain, code="any", name=NAME)
    read = read_bpmn(written)

    SCHEMA.assertValid(etree.fromstring(written))
    assert read.graph == plain
    assert read.report.remarks == ()
    assert write_bpmn(read.graph, code="any", name=NAME) == written


def changed(xpath: str, attribute: str, value: str) -> bytes:
    """The rich flow as another tool might save it."""
    root = etree.fromstring(write_bpmn(rich(), code="r", name=NAME))
    (element,) = root.xpath(xpath, namespaces={"b": model("")[1:-1], "tc": ours("")[1:-1]})
    element.set(attribute, value)
    return etree.tostring(root)


def test_what_another_tool_renames_is_renamed_in_that_language() -> None:
    read = read_bpmn(changed("//b:userTask[@id='node_1-t.x']", "name", "新名字"))

    (node,) = [node for node in read.graph["nodes"] if node["key"] == "1-t.x"]
    assert node["name"] == {"zh": "新名字", "en": "Step \u0001 \ufffe"}


def test_what_another_tool_moves_and_leads_elsewhere_is_taken_over() -> None:
    moved = read_bpmn(changed("//*[@bpmnElement='node_e']/*", "x", "999"))
    led = read_bpmn(changed("//b:sequenceFlow[@id='edge_f']", "targetRef", "node_q"))

    assert moved.graph["drawing"]["nodes"]["e"]["x"] == 999
    assert [edge["target"] for edge in led.graph["edges"] if edge["key"] == "f"] == ["q"]


def test_a_condition_that_another_tool_changes_is_read_anew() -> None:
    root = etree.fromstring(write_bpmn(rich(), code="r", name=NAME))
    (text,) = root.xpath(
        "//b:sequenceFlow[@id='edge_b']/b:conditionExpression", namespaces={"b": model("")[1:-1]}
    )
    text.text = "level > 3"

    read = read_bpmn(etree.tostring(root))

    assert [edge["guard"] for edge in read.graph["edges"] if edge["key"] == "b"] == [
        {"combinator": "and", "rules": [{"field": "level", "operator": ">", "value": 3}]}
    ]


def rule(field: str, operator: str, value: object = None) -> dict[str, Any]:
    tested: dict[str, Any] = {"field": field, "operator": operator}
    return {"combinator": "and", "rules": [tested if value is None else {**tested, "value": value}]}


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("${approved}", rule("approved", "=", True)),
        (
            "${!approved}",
            {"combinator": "and", "not": True, "rules": [rule("approved", "=", True)["rules"][0]]},
        ),
        ("#{amount >= 1000}", rule("amount", ">=", 1000)),
        ('= status = "open"', rule("status", "=", "open")),
        ("status == 'open'", rule("status", "=", "open")),
        ("${status.equals('open')}", rule("status", "=", "open")),
        ("5 < level", rule("level", ">", 5)),
        ("note != null", rule("note", "notNull")),
        ("${reason eq 'late'}", rule("reason", "=", "late")),
        ('kind in ("a", "b")', rule("kind", "in", ["a", "b"])),
        ("level between 1 and 2.5", rule("level", "between", [1, 2.5])),
        ('contains(note, "x")', rule("note", "contains", "x")),
        (
            "a = 1 and (b = 2 or c = 3)",
            {
                "combinator": "and",
                "rules": [
                    {"field": "a", "operator": "=", "value": 1},
                    {
                        "combinator": "or",
                        "rules": [
                            {"field": "b", "operator": "=", "value": 2},
                            {"field": "c", "operator": "=", "value": 3},
                        ],
                    },
                ],
            },
        ),
    ],
)
def test_conditions_of_other_tools_are_understood(text: str, tree: dict[str, Any]) -> None:
    assert expressions.read(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sum(items) > 3",
        "${execution.getVariable('x') > 1}",
        "a = b",
        "a +",
        "((((",
        "a = 1 b",
        "(" * 5000,
        "!" * 3_000 + "a",
        "not " * 900 + "a",
        "a = 99999999999999999999",
        f"a > {'9' * 400}.5",
    ],
)
def test_a_condition_that_is_not_understood_in_full_is_not_guessed_at(text: str) -> None:
    assert expressions.read(text) is None
