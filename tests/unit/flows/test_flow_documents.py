from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.flows import graphs
from ticket_console.flows.drafts import EMPTY, document_of, graph_of, name_of
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import InvalidGraph
from ticket_console.flows.validation import graph_problems
from ticket_console.kernel.documents import apply, same

pytestmark = pytest.mark.unit


@given(graphs(), st.data())
def test_undoing_every_gesture_leads_back_to_the_first_graph(
    graph: Graph, data: st.DataObject
) -> None:  # FLW-01
    document = document_of(graph, {"en": "Flow"})
    undo: list[list[dict[str, Any]]] = []
    for _ in range(data.draw(st.integers(1, 4))):
        document, inverse = apply(document, data.draw(gestures(document)))
        undo.append(inverse)

    for inverse in reversed(undo):
        document, _ = apply(document, inverse)

    assert same(document, document_of(graph, {"en": "Flow"}))
    assert graph_of(document) == graph


@given(graphs())
def test_the_graph_of_a_document_is_the_graph_it_was_made_of(graph: Graph) -> None:  # FLW-01
    assert graph_of(document_of(graph, {"zh": "流程"})) == graph


def test_what_a_new_flow_begins_with_can_be_published() -> None:
    assert graph_problems(graph_of(EMPTY)) == ()


@pytest.mark.parametrize("name", ["text", {"fr": "Flux"}, {"en": 1}, {"en": "x" * 201}])
def test_a_name_is_a_short_text_in_our_languages(name: Any) -> None:
    with pytest.raises(InvalidGraph):
        name_of({"name": name})


def gestures(document: dict[str, Any]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """What somebody may do on the canvas: move, rename, delete with its edges, add, connect."""
    nodes = [node["key"] for node in document["nodes"]]
    edges = document["edges"]
    stage = document["stages"][0]["key"]

    def removal(key: str) -> list[dict[str, Any]]:
        gone = [edge["key"] for edge in edges if key in (edge["source"], edge["target"])]
        return [
            *({"op": "remove", "path": ["edges", edge]} for edge in gone),
            {"op": "remove", "path": ["nodes", key]},
        ]

    def addition(key: str) -> list[dict[str, Any]]:
        node = {"key": key, "kind": "settle", "stage": stage, "segment": "main"}
        return [
            {"op": "put", "path": ["nodes", key], "value": node},
            {"op": "put", "path": ["drawing", "nodes", key], "value": {"x": 10, "y": 20}},
        ]

    def renaming(key: str) -> list[dict[str, Any]]:
        return [{"op": "put", "path": ["nodes", key, "name", "en"], "value": "Renamed"}]

    fresh = next(f"new{number}" for number in range(100) if f"new{number}" not in nodes)
    options = [st.just(addition(fresh))]
    if nodes:
        options += [st.sampled_from(nodes).map(removal), st.sampled_from(nodes).map(renaming)]
    return st.one_of(options)
