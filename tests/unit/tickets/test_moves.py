"""The moves a ticket page and a board offer."""

from itertools import count

from tests.builders.flows import is_equal, make_edge, make_graph, make_node
from ticket_console.flows.elements import EdgeKind, Join
from ticket_console.flows.graph import Graph
from ticket_console.tickets.actions import Action, Cancel, Complete, Open
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking
from ticket_console.tickets.moves import Move, preview, reachable_moves, stage_of

GRAPH = make_graph(
    make_node("triage", "task"),
    make_node("sort", "exclusive"),
    make_node("split", "parallel"),
    make_node("parts", "task", stage="onsite"),
    make_node("visit", "task", stage="onsite"),
    make_node("join", "parallel", join=Join.ALL),
    make_node("acceptance", "approval", stage="acceptance"),
    make_edge("start", "triage"),
    make_edge("triage", "sort"),
    make_edge("sort", "split", default=True),
    make_edge("sort", "end", guard=is_equal("remote", True)),
    make_edge("split", "parts", order=1),
    make_edge("split", "visit", order=2),
    make_edge("parts", "join"),
    make_edge("visit", "join"),
    make_edge("visit", "triage", kind="return"),
    make_edge("join", "acceptance"),
    make_edge("acceptance", "end"),
    make_edge("acceptance", "split", kind="reject"),
    make_edge("triage", "gone", kind="cancel"),
)


def walked(*actions: Action, graph: Graph = GRAPH) -> Marking:
    ids = count(1)
    marking = Marking()
    for action in (Open(), *actions):
        marking = advance(graph, marking, action, facts={}, new_token_id=lambda: next(ids)).marking
    return marking


def test_a_move_behind_a_gateway_has_no_stage_until_the_facts_are_known() -> None:
    marking = walked()

    assert reachable_moves(GRAPH, marking) == (
        Move(1, "triage-sort", EdgeKind.FORWARD, None, None),
        Move(None, "triage-gone", EdgeKind.CANCEL, "gone", "cancelled"),
    )
    assert preview(GRAPH, marking, Complete(1), {"remote": True}) == "done"
    assert preview(GRAPH, marking, Complete(1), {"remote": False}) == "onsite"


def test_a_branch_does_not_lead_past_a_join_while_others_are_at_work() -> None:
    marking = walked(Complete(1))

    assert reachable_moves(GRAPH, marking) == (
        Move(3, "parts-join", EdgeKind.FORWARD, None, None),
        Move(4, "visit-join", EdgeKind.FORWARD, None, None),
        Move(4, "visit-triage", EdgeKind.RETURN, "triage", "intake"),
        Move(None, None, EdgeKind.CANCEL, None, "cancelled"),
    )


def test_the_last_branch_leads_past_the_join() -> None:
    marking = walked(Complete(1), Complete(3))

    assert reachable_moves(GRAPH, marking)[0] == Move(
        4, "visit-join", EdgeKind.FORWARD, "acceptance", "acceptance"
    )


def test_a_rejection_into_a_fork_names_the_stage_of_all_its_branches() -> None:
    marking = walked(Complete(1), Complete(3), Complete(4))

    assert reachable_moves(GRAPH, marking)[1] == Move(6, "acceptance-split", EdgeKind.REJECT, None, "onsite")


def test_a_finished_ticket_has_no_moves() -> None:
    assert reachable_moves(GRAPH, walked(Cancel("over"))) == ()


def test_a_preview_of_something_illegal_is_none_and_changes_nothing() -> None:
    marking = walked()

    assert preview(GRAPH, marking, Complete(77), {}) is None
    assert marking == walked()


def test_a_ticket_is_in_the_stage_of_the_work_least_far_along() -> None:
    late = make_graph(
        make_node("split", "parallel"),
        make_node("report", "task", stage="acceptance"),
        make_node("visit", "task", stage="onsite"),
        make_node("join", "parallel", join=Join.ALL),
        make_edge("start", "split"),
        make_edge("split", "report", order=1),
        make_edge("split", "visit", order=2),
        make_edge("report", "join"),
        make_edge("visit", "join"),
        make_edge("join", "end"),
    )
    opened = walked(graph=late)

    assert stage_of(late, opened) == "onsite"
    assert stage_of(late, walked(Complete(opened.tokens[1].id), graph=late)) == "acceptance"
    assert stage_of(late, walked(Cancel("over"), graph=late)) == "cancelled"
    assert stage_of(late, walked(Complete(2), Complete(3), graph=late)) == "done"
