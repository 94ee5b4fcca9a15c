"""Sub-flows put in their places."""

from collections.abc import Mapping
from itertools import count, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.flows import facts, graphs, make_edge, make_graph, make_node
from tests.builders.runs import CANCEL, run
from ticket_console.flows.elements import Edge, Node, NodeKind, Stage, StageCategory, SubflowUse
from ticket_console.flows.expansion import MAX_DEPTH, expand
from ticket_console.flows.graph import Graph
from ticket_console.flows.validation import graph_problems
from ticket_console.tickets.actions import Complete, Open
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking, TicketStatus


def straight(*keys: str) -> Graph:
    steps = [make_node(key, "task") for key in keys]
    stops = ["start", *keys, "end"]
    return make_graph(*steps, *(make_edge(*pair) for pair in pairwise(stops)))


def using(flow: str, *further: Node | Edge) -> Graph:
    return make_graph(
        make_node("before", "task"),
        make_node("check", "subflow", subflow=SubflowUse(flow)),
        make_node("after", "task"),
        make_edge("start", "before"),
        make_edge("before", "check"),
        make_edge("check", "after"),
        make_edge("after", "end"),
        *further,
    )


def library(flows: Mapping[str, Graph], use: SubflowUse) -> Graph | None:
    return flows.get(use.flow)


def expanded(graph: Graph, flows: Mapping[str, Graph], code: str = "outer") -> Graph:
    expansion = expand(graph, lambda use: library(flows, use), code=code)
    assert expansion.problems == ()
    return expansion.graph


def walked(graph: Graph) -> list[str]:
    """Every step of a ticket whose steps are finished one after the other."""
    ids = count(1)
    marking, seen = Marking(), []
    step = advance(graph, marking, Open(), facts={}, new_token_id=lambda: next(ids))
    while step.marking.status is TicketStatus.OPEN:
        (token,) = step.marking.tokens
        seen.append(token.node_key)
        step = advance(graph, step.marking, Complete(token.id), facts={}, new_token_id=lambda: next(ids))
    return seen


def test_a_subflow_is_walked_through_where_it_stands() -> None:
    graph = expanded(using("look", make_edge("after", "check", kind="return")), {"look": straight("a", "b")})

    assert graph_problems(graph) == ()
    assert walked(graph) == ["before", "check.a", "check.b", "after"]
    assert graph.edge_by_key["after-check"].target == "check.start"
    assert not any(node.kind is NodeKind.SUBFLOW for node in graph.nodes)


def test_subflows_nest() -> None:
    inner = using("deep")
    graph = expanded(using("middle"), {"middle": inner, "deep": straight("x")})

    assert graph_problems(graph) == ()
    assert walked(graph) == ["before", "check.before", "check.check.x", "check.after", "after"]


def test_giving_up_in_a_subflow_gives_the_ticket_up() -> None:
    subflow = make_graph(
        make_node("look", "approval"),
        make_edge("start", "look"),
        make_edge("look", "end"),
        make_edge("look", "gone", kind="reject"),
    )
    graph = expanded(using("look"), {"look": subflow})

    assert graph.node_by_key["check.gone"].kind is NodeKind.END
    assert graph.node_by_key["check.end"].kind is NodeKind.AUTOMATIC
    assert graph_problems(graph) == ()


def test_stages_only_a_subflow_has_come_behind_its_place() -> None:
    own = Stage("lab", {"zh": "实验室", "en": "Lab"}, StageCategory.DOING)
    drawn = straight("a")
    inner = Graph((own, *drawn.stages), drawn.nodes, drawn.edges)

    graph = expanded(using("look"), {"look": inner})

    assert [stage.key for stage in graph.stages][:3] == ["intake", "lab", "onsite"]


@pytest.mark.parametrize(
    ("flows", "code"),
    [
        ({}, "flow.unknown_subflow"),
        ({"look": using("outer")}, "flow.subflow_recursive"),
        ({"look": using("look")}, "flow.subflow_recursive"),
        ({"look": straight("x" * 60)}, "flow.subflow_key_too_long"),
        ({"look": straight(*(f"s{number}" for number in range(2_000)))}, "flow.subflow_too_large"),
    ],
)
def test_what_cannot_be_put_in_place_is_a_problem_of_its_node(flows: dict[str, Graph], code: str) -> None:
    expansion = expand(using("look"), lambda use: library(flows, use), code="outer")

    assert [(found.path, found.code) for found in expansion.problems] == [("nodes.check.subflow", code)]


def test_what_is_too_large_is_not_made_larger_still() -> None:
    loaded: list[SubflowUse] = []

    def load(use: SubflowUse) -> Graph:
        loaded.append(use)
        return straight(*(f"s{number}" for number in range(1_500)))

    checks = [make_node(f"check{number}", "subflow", subflow=SubflowUse("look")) for number in range(50)]
    keys = ["start", *(check.key for check in checks), "end"]
    expansion = expand(make_graph(*checks, *(make_edge(*pair) for pair in pairwise(keys))), load)

    assert [(found.path, found.code) for found in expansion.problems] == [
        ("nodes.check1.subflow", "flow.subflow_too_large")
    ]
    assert len(loaded) == 2


def test_subflows_nest_only_so_deep() -> None:
    flows = {f"f{number}": using(f"f{number + 1}") for number in range(MAX_DEPTH + 3)}

    expansion = expand(using("f0"), lambda use: library(flows, use), code="outer")

    assert [found.code for found in expansion.problems] == ["flow.subflow_too_deep"]


@settings(max_examples=60)
@given(graphs(), st.lists(st.tuples(st.integers(0, CANCEL - 1), facts()), min_size=6, max_size=25))
def test_any_valid_flow_can_stand_in_another(
    inner: Graph, script: list[tuple[int, dict[str, object]]]
) -> None:
    graph = expanded(using("any"), {"any": inner})

    assert graph_problems(graph) == ()
    for step in run(graph, script):
        assert step.after.status is not TicketStatus.OPEN or step.after.active()
