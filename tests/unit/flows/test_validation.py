"""What a flow may not look like."""

from dataclasses import replace

import pytest

from tests.builders.flows import QUEUE, is_equal, make_edge, make_graph, make_node
from ticket_console.flows.elements import Edge, FieldSet, FieldUse, Join, Node
from ticket_console.flows.graph import Graph
from ticket_console.flows.validation import graph_problems

STRAIGHT = (
    make_node("triage", "task"),
    make_node("visit", "task", stage="onsite"),
    make_edge("start", "triage"),
    make_edge("triage", "visit"),
    make_edge("visit", "end"),
)
FORKED = (
    make_node("split", "parallel"),
    make_node("a", "task"),
    make_node("b", "task"),
    make_node("join", "parallel", join=Join.ALL),
    make_node("check", "approval"),
    make_edge("start", "split"),
    make_edge("split", "a"),
    make_edge("split", "b"),
    make_edge("a", "join"),
    make_edge("b", "join"),
    make_edge("join", "check"),
    make_edge("check", "end"),
)


def codes(*parts: Node | Edge, without: tuple[str, ...] = ()) -> set[tuple[str, str]]:
    graph = make_graph(*(part for part in parts if part.key not in without))
    return {(problem.path, problem.code) for problem in graph_problems(graph)}


@pytest.mark.parametrize("parts", [STRAIGHT, FORKED])
def test_a_sound_flow_has_no_problems(parts: tuple[Node | Edge, ...]) -> None:
    assert codes(*parts) == set()


def test_a_flow_has_exactly_one_start() -> None:
    graph = make_graph(*STRAIGHT)
    headless = Graph(graph.stages, graph.nodes[1:], graph.edges[1:])

    assert ("nodes", "flow.no_start") in {(found.path, found.code) for found in graph_problems(headless)}
    assert codes(*STRAIGHT, make_node("again", "start"), make_edge("again", "visit")) == {
        ("nodes.again", "flow.several_starts"),
        ("nodes.again", "flow.unreachable"),
    }


def test_references_have_to_exist() -> None:
    assert codes(*STRAIGHT, make_node("lost", "task", stage="nowhere"), make_edge("lost", "void")) == {
        ("nodes.lost.stage", "flow.unknown_stage"),
        ("edges.lost-void.target", "flow.unknown_node"),
    }


def test_every_node_can_be_reached_and_left() -> None:
    assert codes(*STRAIGHT, make_node("island", "task"), make_edge("island", "end")) == {
        ("nodes.island", "flow.unreachable")
    }
    assert codes(*STRAIGHT, make_node("pit", "task"), make_edge("triage", "pit")) == {
        ("nodes.pit", "flow.dead_end")
    }
    circle = (make_node("pit", "task"), make_edge("triage", "pit"), make_edge("pit", "pit"))
    assert codes(*STRAIGHT, *circle) == {("nodes.pit", "flow.no_way_to_an_end")}


def test_a_circle_needs_a_place_to_rest() -> None:
    circle = (
        make_node("mark", "automatic"),
        make_node("again", "exclusive"),
        make_edge("triage", "mark"),
        make_edge("mark", "again"),
        make_edge("again", "mark", guard=is_equal("level", 1)),
        make_edge("again", "visit", default=True),
    )

    assert codes(*STRAIGHT, *circle) == {
        ("nodes.mark", "flow.automatic_loop"),
        ("nodes.again", "flow.automatic_loop"),
    }
    resting = replace(circle[0], kind=make_node("mark", "timer").kind, delay_seconds=60)
    assert codes(*STRAIGHT, resting, *circle[1:]) == set()


def test_an_exclusive_gateway_has_guards_and_one_default() -> None:
    sort = (make_node("sort", "exclusive"), make_edge("start", "sort"), make_edge("sort", "triage"))

    assert codes(*STRAIGHT, *sort, make_edge("sort", "visit"), without=("start-triage",)) == {
        ("nodes.sort", "flow.no_default"),
        ("edges.sort-triage.guard", "flow.no_guard"),
        ("edges.sort-visit.guard", "flow.no_guard"),
    }
    two = tuple(
        make_edge("sort", target, default=True, guard=is_equal("x", 1)) for target in ("triage", "visit")
    )
    assert codes(*STRAIGHT, *sort[:2], *two, without=("start-triage",)) == {
        ("nodes.sort", "flow.several_defaults"),
        ("edges.sort-triage.guard", "flow.guard_not_allowed"),
        ("edges.sort-visit.guard", "flow.guard_not_allowed"),
    }


def test_a_step_with_only_guarded_ways_could_get_stuck() -> None:
    guarded = make_edge("visit", "end", guard=is_equal("x", 1))

    assert codes(*STRAIGHT[:-1], guarded) == {("nodes.visit", "flow.no_default")}


def test_only_decisions_have_several_ways_guards_and_defaults() -> None:
    odd = (
        make_node("mark", "automatic"),
        make_edge("triage", "mark"),
        make_edge("mark", "visit", guard=is_equal("x", 1)),
        make_edge("mark", "end", default=True),
    )

    assert codes(*STRAIGHT, *odd) == {
        ("nodes.mark", "flow.several_ways_on"),
        ("edges.mark-visit.guard", "flow.guard_not_allowed"),
        ("edges.mark-end.default", "flow.default_not_allowed"),
    }


@pytest.mark.parametrize(
    ("node", "path", "code"),
    [
        (make_node("odd", "task", weight=-1), "nodes.odd.weight", "flow.negative_weight"),
        (make_node("odd", "task", handler=None), "nodes.odd.handler", "flow.no_handler"),
        (make_node("odd", "timer", delay_seconds=None), "nodes.odd.delay_seconds", "flow.no_delay"),
        (make_node("odd", "settle", segment=None), "nodes.odd.segment", "flow.no_segment"),
        (make_node("odd", "timer", handler=QUEUE), "nodes.odd.handler", "flow.misplaced_setting"),
        (make_node("odd", "automatic", evidence=("photo",)), "nodes.odd.evidence", "flow.misplaced_setting"),
        (make_node("odd", "task", sets=(FieldSet("x", 1),)), "nodes.odd.set", "flow.misplaced_setting"),
        (make_node("odd", "task", stage="done"), "nodes.odd.stage", "flow.step_in_finished_stage"),
    ],
)
def test_a_node_has_what_its_kind_needs_and_nothing_it_ignores(node: Node, path: str, code: str) -> None:
    parts = (*STRAIGHT, node, make_edge("visit", "odd"), make_edge("odd", "end"))

    assert codes(*parts, without=("visit-end",)) == {(path, code)}


def test_an_end_lies_in_a_finished_stage() -> None:
    assert codes(*STRAIGHT, make_node("stop", "end"), make_edge("triage", "stop")) == {
        ("nodes.stop.stage", "flow.end_in_open_stage")
    }


@pytest.mark.parametrize(
    "edge",
    [
        make_edge("end", "triage"),
        make_edge("visit", "start"),
        make_edge("visit", "end", kind="return", key="r"),
        make_edge("start", "visit", kind="reject"),
        make_edge("visit", "triage", kind="cancel"),
        make_edge("visit", "end", kind="cancel", key="c"),
    ],
)
def test_an_edge_connects_only_what_its_kind_connects(edge: Edge) -> None:
    assert (f"edges.{edge.key}", "flow.edge_not_allowed") in codes(*STRAIGHT, edge)


def test_a_return_leads_back_and_not_on() -> None:
    assert codes(*STRAIGHT, make_edge("visit", "triage", kind="return")) == set()
    assert codes(*STRAIGHT, make_edge("triage", "visit", kind="return", key="on")) == {
        ("edges.on", "flow.return_leads_on")
    }


def test_a_split_has_branches_that_meet_in_one_join() -> None:
    assert codes(*FORKED, without=("split-b", "b", "b-join")) == {
        ("nodes.split", "flow.split_without_branches")
    }
    astray = codes(*FORKED, make_edge("b", "check"), without=("b-join",))
    assert {code for _, code in astray} == {"flow.branch_misses_join", "flow.branches_cross"}
    assert ("edges.split-b", "flow.branch_misses_join") in astray
    assert codes(*FORKED, make_edge("b", "end"), without=("b-join",)) == {
        ("edges.split-b", "flow.branch_misses_join")
    }
    no_join = (make_edge("a", "check"), make_edge("b", "check"))
    assert ("nodes.split", "flow.split_without_join") in codes(
        *FORKED, *no_join, without=("a-join", "b-join", "join", "join-check")
    )


def test_a_join_needs_a_split() -> None:
    lonely = (
        make_node("meet", "parallel", join=Join.ANY),
        make_edge("triage", "meet"),
        make_edge("meet", "end"),
    )

    assert codes(*STRAIGHT, *lonely) >= {("edges.triage-meet", "flow.join_without_split")}


def test_a_split_with_two_joins_is_refused() -> None:
    two = (
        make_node("other", "parallel", join=Join.ALL),
        make_edge("b", "other"),
        make_edge("other", "check"),
    )

    assert ("nodes.split", "flow.several_joins") in codes(*FORKED, *two, without=("b-join",))


def test_no_edge_leads_into_a_branch_or_across_to_another() -> None:
    assert codes(*FORKED, make_edge("check", "a", kind="return")) == {("edges.check-a", "flow.enters_branch")}
    assert codes(*FORKED, make_edge("check", "split", kind="return")) == set()
    assert ("edges.a-b", "flow.enters_branch") in codes(*FORKED, make_edge("a", "b", kind="reject"))
    assert ("edges.a-b", "flow.branches_cross") in codes(*FORKED, make_edge("a", "b"))


def test_fields_and_facts_have_to_be_known() -> None:
    asked = make_node("odd", "task", fields=(FieldUse("symptom"), FieldUse("hidden")))
    guarded = make_edge("odd", "end", guard=is_equal("mystery", 1))
    graph = make_graph(
        *STRAIGHT,
        asked,
        make_edge("visit", "odd"),
        guarded,
        make_edge("odd", "visit", default=True),
    )

    assert {(problem.path, problem.code) for problem in graph_problems(graph, field_keys={"symptom"})} == {
        ("nodes.odd.fields", "flow.unknown_field"),
        ("edges.odd-end.guard.rules[0].field", "condition.unknown_field"),
    }
    assert graph_problems(graph) == ()


def test_guards_may_ask_about_the_ticket_itself() -> None:
    graph = make_graph(
        *STRAIGHT,
        make_edge("triage", "end", guard=is_equal("priority", 1)),
        make_edge("triage", "gone", kind="cancel"),
    )

    assert graph_problems(graph, field_keys=set()) == ()


def test_a_broken_guard_is_reported_at_its_edge() -> None:
    broken = make_edge(
        "triage", "end", guard={"combinator": "and", "rules": [{"field": "x", "operator": "~"}]}
    )

    assert codes(*STRAIGHT, broken) == {
        ("edges.triage-end.guard.rules[0].operator", "condition.unknown_operator")
    }
