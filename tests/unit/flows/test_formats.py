"""Graphs stored in an older format mean the same today."""

import json
from pathlib import Path

import pytest

from ticket_console.flows.formats import CURRENT_FORMAT, UnknownFormat, upgraded
from ticket_console.flows.graph_json import graph_json, parse_graph
from ticket_console.flows.validation import graph_problems

# Written before formats were numbered, as existing consoles hold them.
STORED = sorted((Path(__file__).parents[3] / "ticket_console/packs/field_service/flows").glob("*.json"))


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_every_stored_flow_of_format_1_survives_the_upgrade(path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    graph = parse_graph(data)
    written = graph_json(graph)

    assert "format" not in data
    assert graph_problems(graph) == ()
    assert written["format"] == CURRENT_FORMAT == 2
    assert parse_graph(written) == graph
    assert [node["key"] for node in written["nodes"]] == [node["key"] for node in data["nodes"]]
    assert [(edge["source"], edge["target"]) for edge in written["edges"]] == [
        (edge["source"], edge["target"]) for edge in data["edges"]
    ]


def test_a_grid_of_format_1_goes_on_allowing_what_it_did_not_know_of() -> None:
    node = {"key": "a", "permissions": {"agent": {"acts": ["complete"]}, "finance": {}}}

    assert upgraded({"nodes": [node, {"key": "b"}]}) == {
        "format": 2,
        "nodes": [
            {
                "key": "a",
                "permissions": {
                    "agent": {"acts": ["complete", "reassign"]},
                    "finance": {"acts": ["reassign"]},
                },
            },
            {"key": "b"},
        ],
    }


def test_what_is_current_stays_as_it_is() -> None:
    data = {"format": 2, "nodes": [{"key": "a", "permissions": {"agent": {"acts": []}}}]}

    assert upgraded(data) is data


@pytest.mark.parametrize("format", [0, 3, "1", None, True, [1]])
def test_a_format_nobody_wrote_is_refused(format: object) -> None:
    with pytest.raises(UnknownFormat) as caught:
        upgraded({"format": format})

    assert caught.value.params["current"] == 2


@pytest.mark.parametrize("data", [None, 3, "graph", [{"format": 1}]])
def test_what_is_no_graph_is_left_to_the_reader_to_refuse(data: object) -> None:
    assert upgraded(data) is data


def test_wrong_shapes_in_an_old_graph_are_left_to_the_reader_to_refuse() -> None:
    odd = {"nodes": [3, {"permissions": {"agent": 4}}, {"permissions": {"agent": {"acts": "all"}}}]}

    assert upgraded(odd) == {**odd, "format": 2}
    assert upgraded({"nodes": 5}) == {"nodes": 5, "format": 2}
