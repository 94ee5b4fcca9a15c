from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.flows import graphs, is_equal, make_edge, make_graph, make_node
from ticket_console.flows.diff import diff, diff_documents
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import _EdgeForm, _GraphForm, _NodeForm, _StageForm, graph_json
from ticket_console.i18n import catalog
from ticket_console.kernel.documents import ChangeKind, apply, same
from ticket_console.kernel.text import LOCALES

pytestmark = pytest.mark.unit


def a_graph() -> Graph:
    return make_graph(
        make_node("visit", "task"),
        make_node("check", "approval"),
        make_edge("start", "visit"),
        make_edge("visit", "check"),
        make_edge("check", "end"),
    )


def changed(*ops: dict[str, Any]) -> dict[str, Any]:
    return apply(graph_json(a_graph()), ops)[0]


def told(*ops: dict[str, Any]) -> list[tuple[str, str]]:
    return [(line.sentence, line.key) for line in diff_documents(graph_json(a_graph()), changed(*ops)).lines]


def test_what_came_and_went_is_named() -> None:
    survey = {"key": "survey", "kind": "settle", "stage": "done", "name": {"en": "Survey"}}
    found = diff_documents(
        graph_json(a_graph()),
        changed(
            {"op": "put", "path": ["nodes", "survey"], "value": survey},
            {"op": "remove", "path": ["nodes", "check"]},
            {"op": "remove", "path": ["edges", "check-end"]},
        ),
    )

    assert found.of("node", ChangeKind.ADDED) == ("survey",)
    assert found.of("node", ChangeKind.REMOVED) == ("check",)
    assert found.of("edge", ChangeKind.REMOVED) == ("check-end",)
    assert found.lines[0].params == {"node": {"en": "Survey"}}
    assert dict(found.marks) == {
        "survey": ChangeKind.ADDED,
        "check": ChangeKind.REMOVED,
        "check-end": ChangeKind.REMOVED,
    }
    assert found.touched_nodes == {"check"}
    assert found.summary == {"node": {"added": 1, "removed": 1}, "edge": {"removed": 1}}


def test_a_setting_changed_in_several_places_is_one_line_with_both_sides() -> None:
    rename = [
        {"op": "put", "path": ["nodes", "visit", "name", language], "value": text}
        for language, text in (("zh", "上门"), ("en", "On site"))
    ]

    (line,) = diff_documents(graph_json(a_graph()), changed(*rename)).lines

    assert (line.sentence, line.path) == ("diff.node_setting.changed", ("nodes", "visit", "name"))
    assert line.before == {"zh": "visit", "en": "visit"}
    assert line.after == {"zh": "上门", "en": "On site"}
    assert line.params["setting"] == "diff.setting.name"


def test_fields_and_permissions_are_looked_at_one_by_one() -> None:
    grant = {"fields": {"photo": "write"}, "acts": ["complete"]}

    assert told(
        {"op": "put", "path": ["nodes", "visit", "fields", "photo"], "value": {"key": "photo"}},
        {"op": "put", "path": ["nodes", "visit", "permissions", "technician"], "value": grant},
    ) == [("diff.asked.added", "visit"), ("diff.permission.added", "visit")]


def test_a_condition_is_one_thing() -> None:
    put = {"op": "put", "path": ["edges", "visit-check", "guard"], "value": is_equal("level", 3)}

    assert told(put) == [("diff.edge_setting.changed", "visit-check")]


def test_a_node_that_was_only_moved_on_the_canvas_works_as_before() -> None:
    found = diff_documents(
        graph_json(a_graph()),
        changed({"op": "put", "path": ["drawing", "nodes", "visit"], "value": {"x": 1, "y": 2}}),
    )

    assert found
    assert found.touched_nodes == frozenset()


@given(graphs())
def test_nothing_differs_from_itself(graph: Graph) -> None:
    assert not diff(graph, graph)


@given(graphs(), graphs())
def test_graphs_differ_exactly_where_something_is_said(left: Graph, right: Graph) -> None:
    assert bool(diff(left, right)) == (not same(graph_json(left), graph_json(right)))
    assert bool(diff(left, right)) == (left != right)


@given(graphs(), st.data())
def test_what_is_said_leads_from_one_to_the_other(before: Graph, data: st.DataObject) -> None:
    after = data.draw(graphs())
    old, new = graph_json(before), graph_json(after)

    said = diff(before, after)

    for part, name in (("node", "nodes"), ("edge", "edges")):
        keys = {each["key"] for each in old[name]}
        keys = (keys - set(said.of(part, ChangeKind.REMOVED))) | set(said.of(part, ChangeKind.ADDED))
        assert keys == {each["key"] for each in new[name]}


def test_every_setting_has_a_name_in_both_languages() -> None:
    known = {name for form in (_NodeForm, _EdgeForm, _StageForm, _GraphForm) for name in form.model_fields}

    for locale in LOCALES:
        texts = catalog(locale)
        assert {name for name in known if f"diff.setting.{name}" not in texts} == set()
