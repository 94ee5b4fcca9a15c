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
    "format": 2,
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

# Every key a graph may have, on nodes that may have it.
EVERYTHING: dict[str, Any] = {
    "format": 2,
    "stages": SMALL["stages"],
    "nodes": [
        {"key": "start", "kind": "start", "stage": "intake"},
        {
            "key": "visit",
            "kind": "task",
            "name": {"zh": "上门", "en": "Visit"},
            "description": {"zh": "带好工具", "en": "Bring the tools"},
            "stage": "intake",
            "handler": {"mode": "queue", "role": "dispatcher"},
            "handlers": [
                {
                    "when": {
                        "combinator": "and",
                        "rules": [{"field": "region", "operator": "=", "value": "sh"}],
                    },
                    "handler": {"mode": "technician", "skill": "hvac", "sticky": True},
                }
            ],
            "permissions": {"dispatcher": {"acts": ["complete", "reassign", "skip"]}},
            "evidence": ["checklist"],
            "checklist": [{"key": "power_off", "text": {"zh": "断电", "en": "Power is off"}}],
            "documents": [{"title": {"en": "Manual"}, "url": "https://example.com/manual.pdf"}],
            "parts": [{"sku": "FILTER-20", "qty": 2}],
            "targets": {"claim_minutes": 15, "finish_minutes": 240},
            "notices": [{"on": "overdue", "to": "role:dispatcher", "text": {"en": "Late"}, "channel": "sms"}],
        },
        {
            "key": "later",
            "kind": "timer",
            "stage": "intake",
            "until": {"field": "appointment"},
            "calendar": "office",
        },
        {
            "key": "tell",
            "kind": "automatic",
            "stage": "intake",
            "actions": [
                {"kind": "webhook", "url": "https://example.com/hook", "fields": ["payer"]},
                {
                    "kind": "create_ticket",
                    "template": "care",
                    "title": "Call back",
                    "values": {"level": 2},
                    "link": "project",
                },
                {"kind": "notify", "to": "customer", "text": {"zh": "已派单"}, "channel": "email"},
            ],
        },
        {
            "key": "asked",
            "kind": "survey",
            "stage": "intake",
            "survey": {"questions": [{"key": "score", "kind": "rating", "label": {"en": "How was it?"}}]},
        },
        {
            "key": "check",
            "kind": "subflow",
            "stage": "intake",
            "subflow": {"flow": "quality", "version_id": 7},
        },
        {"key": "some", "kind": "inclusive", "stage": "intake", "join": "some", "join_count": 2},
        {"key": "end", "kind": "end", "stage": "done"},
    ],
    "edges": [
        {
            "key": "late",
            "kind": "timeout",
            "source": "visit",
            "target": "tell",
            "after_seconds": 3600,
            "calendar": "office",
        },
    ],
    "drawing": {
        "nodes": {"start": {"x": 0, "y": -40}, "visit": {"x": 160, "y": 20}},
        "comments": [{"key": "c1", "text": "ask sales", "x": 5, "y": 6, "width": 200, "height": 80}],
    },
}


def changed(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(SMALL))
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


def test_every_key_is_read_and_written_back() -> None:
    graph = parse_graph(EVERYTHING)

    assert parse_graph(graph_json(graph)) == graph
    assert graph_json(graph) == EVERYTHING


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
        (lambda data: data.update(format=3), "format", "flow.unknown_format"),
        (lambda data: data.update(format="2"), "format", "flow.unknown_format"),
        (
            lambda data: data["nodes"][1].update(targets={"claim_minutes": 0}),
            "nodes[1].targets.claim_minutes",
            "input.out_of_range",
        ),
        (
            lambda data: data["nodes"][1].update(parts=[{"sku": "A", "qty": 0}]),
            "nodes[1].parts[0].qty",
            "input.out_of_range",
        ),
        (
            lambda data: data["nodes"][1].update(actions=[{"kind": "explode"}]),
            "nodes[1].actions[0]",
            "input.wrong_type",
        ),
        (
            lambda data: data.update(drawing={"comments": [{"key": "a", "text": "", "x": 0, "y": 0}] * 2}),
            "drawing.comments[1].key",
            "flow.key_used_twice",
        ),
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
