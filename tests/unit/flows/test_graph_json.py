"""The JSON form of a graph: round trips, hashes, and refusals of a wrong shape."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from tests.builders.flows import graphs
from ticket_console.flows.elements import Act, EdgeKind, FieldAccess, HandlerMode
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import InvalidGraph, content_hash, graph_json, parse_graph

SMALL: dict[str, Any] = {
    "stages": [
        {"key": "intake", "name": {"zh": "待受理", "en": "Intake"}, "category": "todo"},
        {"key": "done", "name": {"zh": "已完成", "en": "Done"}, "category": "done"},
    ],
    "nodes": [
        {"key": "start", "kind": "start", "name": {}, "stage": "intake"},
        {
            "key": "triage",
            "kind": "task",
            "name": {"zh": "分诊", "en": "Triage"},
            "stage": "intake",
            "weight": 2,
            "handler": {"mode": "queue", "role": "agent", "skill": None, "sticky": False},
            "fields": [{"key": "symptom", "required": True}],
            "evidence": ["photo"],
            "permissions": {"agent": {"fields": {"symptom": "write"}, "acts": ["complete", "cancel"]}},
        },
        {"key": "end", "kind": "end", "name": {}, "stage": "done"},
    ],
    "edges": [
        {"key": "e1", "kind": "forward", "source": "start", "target": "triage", "name": {}},
        {"key": "e2", "kind": "forward", "source": "triage", "target": "end", "name": {}, "guard": None},
    ],
}


def changed(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    copy = json.loads(json.dumps(SMALL))
    change(copy)
    return copy


def test_a_graph_is_read_with_its_indexes() -> None:
    graph = parse_graph(SMALL)
    triage = graph.node_by_key["triage"]
    grant = triage.grant_of("agent")

    assert graph.start == "start"
    assert [edge.key for edge in graph.edges_from("triage", EdgeKind.FORWARD)] == ["e2"]
    assert graph.edges_from("triage", EdgeKind.RETURN) == ()
    assert triage.handler is not None
    assert triage.handler.mode is HandlerMode.QUEUE
    assert grant is not None
    assert grant.fields == {"symptom": FieldAccess.WRITE}
    assert grant.acts == {Act.COMPLETE, Act.CANCEL}
    assert triage.grant_of("finance") is None


@given(graphs())
def test_every_graph_comes_back_equal_from_its_json(graph: Graph) -> None:
    written = graph_json(graph)
    read = parse_graph(json.loads(json.dumps(written)))

    assert read == graph
    assert graph_json(read) == written
    assert content_hash(read) == content_hash(graph)


def test_the_hash_does_not_depend_on_the_spelling() -> None:
    spelled_out = changed(
        lambda data: data["nodes"][1].update(
            {"join": None, "delay_seconds": None, "set": [], "handler": {"role": "agent", "mode": "queue"}}
        )
    )

    assert content_hash(parse_graph(spelled_out)) == content_hash(parse_graph(SMALL))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["nodes"][1].update(weight=3),
        lambda data: data["nodes"][1]["name"].update(en="Sort"),
        lambda data: data["nodes"][1]["permissions"]["agent"]["acts"].remove("cancel"),
        lambda data: data["edges"][1].update(
            guard={"combinator": "and", "rules": [{"field": "x", "operator": "null"}]}
        ),
    ],
)
def test_whatever_a_graph_says_is_in_its_hash(change: Callable[[dict[str, Any]], None]) -> None:
    assert content_hash(parse_graph(changed(change))) != content_hash(parse_graph(SMALL))


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        (lambda data: data.pop("edges"), "edges", "input.missing"),
        (lambda data: data["nodes"][1].update(kind="magic"), "nodes[1].kind", "input.not_allowed"),
        (lambda data: data["nodes"][1].update(weight="2"), "nodes[1].weight", "input.wrong_type"),
        (lambda data: data["nodes"][1].update(wieght=2), "nodes[1].wieght", "input.unknown_key"),
        (lambda data: data["nodes"][1].update(key="two words"), "nodes[1].key", "input.bad_format"),
        (
            lambda data: data["nodes"][1].update(delay_seconds=-1),
            "nodes[1].delay_seconds",
            "input.out_of_range",
        ),
        (lambda data: data["nodes"][1]["name"].update(en="x" * 201), "nodes[1].name.en", "input.too_long"),
        (lambda data: data["nodes"][1].update(key="start"), "nodes[1].key", "flow.key_used_twice"),
        (lambda data: data["edges"][1].update(key="e1"), "edges[1].key", "flow.key_used_twice"),
        (lambda data: data["stages"][1].update(key="intake"), "stages[1].key", "flow.key_used_twice"),
    ],
)
def test_a_wrong_shape_is_refused_with_its_place(
    change: Callable[[dict[str, Any]], None], path: str, code: str
) -> None:
    with pytest.raises(InvalidGraph) as caught:
        parse_graph(changed(change))

    assert [(problem.path, problem.code) for problem in caught.value.problems] == [(path, code)]
    assert caught.value.http_status == 422


@pytest.mark.parametrize("data", [None, [], "graph", 3, {"nodes": {}, "stages": [], "edges": []}])
def test_what_is_no_graph_at_all_is_refused(data: object) -> None:
    with pytest.raises(InvalidGraph):
        parse_graph(data)


def test_a_bottomless_guard_is_read_and_left_to_validation() -> None:
    guard: dict[str, Any] = {"field": "x", "operator": "null"}
    for _ in range(300):
        guard = {"combinator": "and", "rules": [guard]}

    graph = parse_graph(changed(lambda data: data["edges"][1].update(guard=guard)))

    assert graph.guards == {}
