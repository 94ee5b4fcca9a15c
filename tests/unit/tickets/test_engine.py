"""The rules of the engine, one scenario each."""

from collections.abc import Mapping
from itertools import count

import pytest

from tests.builders.flows import QUEUE, STAGES, TECHNICIAN, is_equal, make_edge, make_graph, make_node
from tests.builders.runs import restored
from ticket_console.flows.elements import Edge, EdgeKind, FieldSet, Join, Node
from ticket_console.flows.graph import Graph
from ticket_console.flows.validation import graph_problems
from ticket_console.tickets.actions import (
    Action,
    AlreadyOpened,
    AmbiguousMove,
    AutomaticLoop,
    Cancel,
    Closed,
    Complete,
    FieldsSet,
    GuardNotMet,
    HandlerNeeded,
    IllegalMove,
    NoSuchEdge,
    Open,
    Outcome,
    ProgressChanged,
    ReasonRequired,
    Reject,
    ReturnCounted,
    SendBack,
    SettleDue,
    Step,
    TicketNotOpen,
    TimerArmed,
    TimerFired,
    TokenEntered,
    TokenLeft,
    TokenNotActive,
)
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking, TicketStatus, TokenState


class Run:
    """A ticket walked by node keys instead of token ids, optionally saved and restored before each step."""

    def __init__(self, *parts: Node | Edge, restore: bool = False) -> None:
        self.graph = make_graph(*parts)
        assert graph_problems(self.graph) == ()
        self.marking = Marking()
        self._ids = count(1)
        self._restore = restore

    def do(self, action: Action, facts: Mapping[str, object] | None = None) -> Step:
        before = restored(self.marking) if self._restore else self.marking
        step = advance(self.graph, before, action, facts=facts or {}, new_token_id=lambda: next(self._ids))
        self.marking = step.marking
        return step

    def at(self, node_key: str) -> int:
        (token,) = [token for token in self.marking.tokens if token.node_key == node_key]
        return token.id

    def complete(self, node_key: str, edge_key: str | None = None) -> Step:
        return self.do(Complete(self.at(node_key), edge_key))

    @property
    def standing(self) -> list[str]:
        return [token.node_key for token in self.marking.tokens]


@pytest.fixture(params=[False, True], ids=["straight", "restored before each step"])
def restore(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


REPAIR = (
    make_node("coded", "automatic", sets=(FieldSet("level", 2),)),
    make_node("triage", "task", weight=1),
    make_node("visit", "task", stage="onsite", weight=3, handler=TECHNICIAN),
    make_node("acceptance", "approval", stage="acceptance", weight=1),
    make_node("settling", "settle", stage="acceptance"),
    make_edge("start", "coded"),
    make_edge("coded", "triage"),
    make_edge("triage", "visit"),
    make_edge("visit", "acceptance"),
    make_edge("visit", "triage", kind="return"),
    make_edge("acceptance", "settling"),
    make_edge("acceptance", "visit", kind="reject"),
    make_edge("settling", "end"),
    make_edge("triage", "gone", kind="cancel"),
)


def test_opening_runs_automatic_nodes_through_to_the_first_step(restore: bool) -> None:  # FLW-11
    run = Run(*REPAIR, restore=restore)

    step = run.do(Open())

    assert step.effects == (
        FieldsSet("coded", {"level": 2}),
        TokenEntered(1, "triage", "coded-triage", TokenState.ACTIVE, ("start-coded", "coded-triage")),
        HandlerNeeded(1, "triage", QUEUE),
    )
    assert run.standing == ["triage"]
    assert run.marking.progress_bp == 0


def test_a_ticket_walks_from_opening_to_settlement_and_end(restore: bool) -> None:  # FLW-09
    run = Run(*REPAIR, restore=restore)
    run.do(Open())

    assert run.complete("triage").effects == (
        TokenLeft(1, "triage", Outcome.DONE, "triage-visit"),
        TokenEntered(2, "visit", "triage-visit", TokenState.ACTIVE, ("triage-visit",)),
        HandlerNeeded(2, "visit", TECHNICIAN),
        ProgressChanged(2_000),
    )
    run.complete("visit")
    assert run.complete("acceptance").effects == (
        TokenLeft(3, "acceptance", Outcome.DONE, "acceptance-settling"),
        SettleDue(3, "settling", "main"),
        Closed(TicketStatus.CLOSED, "end", ("acceptance-settling", "settling-end")),
        ProgressChanged(10_000),
    )
    assert run.marking.ended_at == "end"


def test_a_return_counts_takes_its_progress_back_and_asks_for_the_step_again(restore: bool) -> None:  # FLW-10
    run = Run(*REPAIR, restore=restore)
    run.do(Open())
    run.complete("triage")

    step = run.do(SendBack(run.at("visit"), "address is wrong"))

    assert step.effects == (
        TokenLeft(2, "visit", Outcome.RETURNED, "visit-triage"),
        ReturnCounted("visit", 1),
        TokenEntered(3, "triage", "visit-triage", TokenState.ACTIVE, ("visit-triage",)),
        HandlerNeeded(3, "triage", QUEUE),
        ProgressChanged(0),
    )
    run.complete("triage")
    run.do(SendBack(run.at("visit"), "still wrong"))
    assert run.marking.returns == {"visit": 2}


def test_a_rejection_leads_back_along_its_own_edge_and_counts(restore: bool) -> None:  # FLW-09
    run = Run(*REPAIR, restore=restore)
    run.do(Open())
    run.complete("triage")
    run.complete("visit")

    step = run.do(Reject(run.at("acceptance"), "still leaking"))

    assert TokenLeft(3, "acceptance", Outcome.REJECTED, "acceptance-visit") in step.effects
    assert run.standing == ["visit"]
    assert run.marking.returns == {"acceptance": 1}
    assert run.marking.progress_bp == 2_000


@pytest.mark.parametrize("reason", ["", "  \n "])
@pytest.mark.parametrize("make", [lambda reason: SendBack(2, reason), lambda reason: Cancel(reason)])
def test_giving_back_and_giving_up_ask_for_a_reason(make, reason: str) -> None:
    run = Run(*REPAIR)
    run.do(Open())
    run.complete("triage")
    before = run.marking

    with pytest.raises(ReasonRequired):
        run.do(make(reason))

    assert run.marking == before


def test_cancelling_follows_the_cancel_edge_of_the_step(restore: bool) -> None:
    run = Run(*REPAIR, restore=restore)
    run.do(Open())

    step = run.do(Cancel("customer called off"))

    assert step.effects == (
        TokenLeft(1, "triage", Outcome.CANCELLED, "triage-gone"),
        Closed(TicketStatus.CANCELLED, "gone", ("triage-gone",)),
    )
    assert run.marking.status is TicketStatus.CANCELLED


def test_where_no_cancel_edge_leads_the_ticket_is_cancelled_on_the_spot() -> None:
    run = Run(*REPAIR)
    run.do(Open())
    run.complete("triage")

    step = run.do(Cancel("customer called off"))

    assert step.effects == (
        TokenLeft(2, "visit", Outcome.CANCELLED),
        Closed(TicketStatus.CANCELLED, None),
    )
    assert run.marking == Marking(status=TicketStatus.CANCELLED, progress_bp=2_000, passed=run.marking.passed)


@pytest.mark.parametrize(
    ("action", "refusal"),
    [
        (Open(), AlreadyOpened),
        (Complete(99), TokenNotActive),
        (Complete(1, "visit-triage"), NoSuchEdge),
        (SendBack(1, "why"), NoSuchEdge),
        (Reject(1, "why"), NoSuchEdge),
        (TimerFired(1), IllegalMove),
    ],
)
def test_what_the_flow_has_no_edge_for_is_refused(action: Action, refusal: type[IllegalMove]) -> None:
    run = Run(*REPAIR)
    run.do(Open())

    with pytest.raises(refusal) as caught:
        run.do(action)

    assert caught.value.http_status == 409
    assert run.standing == ["triage"]


@pytest.mark.parametrize("action", [Open(), Complete(1), Cancel("why"), TimerFired(1)])
def test_nothing_happens_to_a_finished_ticket(action: Action) -> None:
    run = Run(*REPAIR)
    run.do(Open())
    run.do(Cancel("over"))

    with pytest.raises(TicketNotOpen):
        run.do(action)


def test_a_ticket_that_was_never_opened_cannot_be_cancelled() -> None:
    with pytest.raises(TicketNotOpen):
        Run(*REPAIR).do(Cancel("why"))


def test_a_token_that_left_cannot_be_moved_again() -> None:
    run = Run(*REPAIR)
    run.do(Open())
    run.complete("triage")

    with pytest.raises(TokenNotActive):
        run.do(Complete(1))


SORTING = (
    make_node("sort", "exclusive"),
    make_node("fast", "task"),
    make_node("slow", "task"),
    make_node("normal", "task"),
    make_edge("start", "sort"),
    make_edge("sort", "normal", default=True),
    make_edge("sort", "slow", guard=is_equal("level", 2), order=2),
    make_edge("sort", "fast", guard=is_equal("level", "2"), order=1),
    make_edge("fast", "end"),
    make_edge("slow", "end"),
    make_edge("normal", "end"),
)


@pytest.mark.parametrize(
    ("facts", "node_key"), [({"level": 2}, "fast"), ({"level": 3}, "normal"), ({}, "normal")]
)
def test_a_gateway_takes_the_first_edge_that_holds_or_its_default(
    facts: dict, node_key: str
) -> None:  # FLW-02
    run = Run(*SORTING)

    run.do(Open(), facts)

    assert run.standing == [node_key]


def test_what_an_automatic_node_sets_is_a_fact_for_the_next_gateway() -> None:
    run = Run(
        make_node("mark", "automatic", sets=(FieldSet("level", 2),)),
        *(part for part in SORTING if part.key != "start-sort"),
        make_edge("start", "mark"),
        make_edge("mark", "sort"),
    )

    run.do(Open(), {"level": 1})

    assert run.standing == ["fast"]


DECISION = (
    make_node("decide", "approval"),
    make_node("repair", "task"),
    make_node("replace", "task"),
    make_edge("start", "decide"),
    make_edge("decide", "repair"),
    make_edge("decide", "replace", guard=is_equal("warranty", True)),
    make_edge("repair", "end"),
    make_edge("replace", "end"),
)


def test_a_person_picks_among_several_ways_on() -> None:
    run = Run(*DECISION)
    run.do(Open())

    run.do(Complete(1, "decide-replace"), {"warranty": True})

    assert run.standing == ["replace"]


def test_a_way_whose_guard_does_not_hold_cannot_be_picked() -> None:
    run = Run(*DECISION)
    run.do(Open())

    with pytest.raises(GuardNotMet):
        run.do(Complete(1, "decide-replace"), {"warranty": False})

    assert run.standing == ["decide"]


def test_leaving_the_choice_open_where_a_person_has_to_choose_is_refused() -> None:
    run = Run(*DECISION)
    run.do(Open())

    with pytest.raises(AmbiguousMove):
        run.complete("decide")


def test_a_step_whose_ways_are_all_guarded_decides_by_itself() -> None:
    run = Run(
        make_node("decide", "task"),
        make_node("repair", "task"),
        make_edge("start", "decide"),
        make_edge("decide", "repair", guard=is_equal("found", "fault")),
        make_edge("decide", "end", default=True),
        make_edge("repair", "end"),
    )
    run.do(Open())

    run.do(Complete(1), {"found": "fault"})

    assert run.standing == ["repair"]


def test_several_ways_back_have_to_be_told_apart() -> None:
    run = Run(
        *REPAIR,
        make_edge("acceptance", "visit", kind="return", key="redo"),
        make_edge("acceptance", "triage", kind="return", key="replan"),
    )
    run.do(Open())
    run.complete("triage")
    run.complete("visit")

    with pytest.raises(AmbiguousMove):
        run.do(SendBack(run.at("acceptance"), "no"))

    run.do(SendBack(run.at("acceptance"), "no", "replan"))
    assert run.standing == ["triage"]


def test_a_timer_holds_the_ticket_until_it_fires(restore: bool) -> None:
    run = Run(
        make_node("pause", "timer", delay_seconds=3_600, weight=1),
        make_node("visit", "task"),
        make_edge("start", "pause"),
        make_edge("pause", "visit"),
        make_edge("visit", "end"),
        restore=restore,
    )

    assert TimerArmed(1, "pause", 3_600) in run.do(Open()).effects
    with pytest.raises(IllegalMove):
        run.complete("pause")
    run.do(TimerFired(1))

    assert run.standing == ["visit"]
    with pytest.raises(TokenNotActive):
        run.do(TimerFired(1))


def fork(join: Join = Join.ALL, *more: Node | Edge) -> tuple[Node | Edge, ...]:
    """triage, then parts and visit at once, then acceptance."""
    return (
        make_node("triage", "task", weight=1),
        make_node("split", "parallel"),
        make_node("parts", "task", stage="onsite", weight=2),
        make_node("visit", "task", stage="onsite", weight=2),
        make_node("join", "parallel", join=join),
        make_node("acceptance", "approval", stage="acceptance", weight=5),
        make_edge("start", "triage"),
        make_edge("triage", "split"),
        make_edge("split", "parts", order=1),
        make_edge("split", "visit", order=2),
        make_edge("parts", "join"),
        make_edge("visit", "join"),
        make_edge("join", "acceptance"),
        make_edge("acceptance", "end"),
        *more,
    )


def test_a_split_gives_every_branch_its_handler_at_once(restore: bool) -> None:  # FLW-12
    run = Run(*fork(), restore=restore)
    run.do(Open())

    step = run.complete("triage")

    needed = [effect.node_key for effect in step.effects if isinstance(effect, HandlerNeeded)]
    assert needed == ["parts", "visit"]
    assert run.marking.progress_bp == 1_000


def test_a_join_waits_for_every_branch(restore: bool) -> None:  # FLW-12
    run = Run(*fork(), restore=restore)
    run.do(Open())
    run.complete("triage")

    run.complete("visit")
    assert [(token.node_key, token.state) for token in run.marking.tokens] == [
        ("parts", TokenState.ACTIVE),
        ("join", TokenState.WAITING),
    ]
    assert run.marking.progress_bp == 3_000

    waiting = run.at("join")
    step = run.complete("parts")
    assert TokenLeft(waiting, "join", Outcome.DONE) in step.effects
    assert run.standing == ["acceptance"]
    assert run.marking.tokens[0].forks == ()
    assert run.marking.progress_bp == 5_000


def test_a_join_of_any_goes_on_with_the_first_and_cancels_the_rest(restore: bool) -> None:  # FLW-12
    run = Run(*fork(Join.ANY), restore=restore)
    run.do(Open())
    run.complete("triage")
    parts = run.at("parts")

    step = run.complete("visit")

    assert TokenLeft(parts, "parts", Outcome.CANCELLED) in step.effects
    assert run.standing == ["acceptance"]


def test_a_waiting_token_cannot_be_completed() -> None:
    run = Run(*fork())
    run.do(Open())
    run.complete("triage")
    run.complete("visit")

    with pytest.raises(TokenNotActive):
        run.complete("join")


def test_a_return_within_a_branch_leaves_the_other_branch_alone(restore: bool) -> None:
    run = Run(
        *(part for part in fork() if part.key != "visit-join"),
        make_node("report", "task", stage="onsite"),
        make_edge("visit", "report"),
        make_edge("report", "join"),
        make_edge("report", "visit", kind="return"),
        restore=restore,
    )
    run.do(Open())
    run.complete("triage")
    run.complete("visit")

    run.do(SendBack(run.at("report"), "photo is missing"))

    assert sorted(run.standing) == ["parts", "visit"]
    run.complete("visit")
    run.complete("report")
    run.complete("parts")
    assert run.standing == ["acceptance"]


def test_a_return_out_of_the_fork_cancels_the_other_branches(restore: bool) -> None:
    run = Run(*fork(Join.ALL, make_edge("visit", "triage", kind="return")), restore=restore)
    run.do(Open())
    run.complete("triage")
    run.complete("parts")

    step = run.do(SendBack(run.at("visit"), "wrong device"))

    left = {effect.node_key: effect.outcome for effect in step.effects if isinstance(effect, TokenLeft)}
    assert left == {"visit": Outcome.RETURNED, "join": Outcome.CANCELLED}
    assert run.standing == ["triage"]
    run.complete("triage")
    assert run.standing == ["parts", "visit"]


NESTED = (
    make_node("outer", "parallel"),
    make_node("inner", "parallel"),
    make_node("a", "task"),
    make_node("b", "task"),
    make_node("c", "task"),
    make_node("inner_join", "parallel", join=Join.ALL),
    make_node("outer_join", "parallel", join=Join.ALL),
    make_node("last", "task"),
    make_edge("start", "outer"),
    make_edge("outer", "inner", order=1),
    make_edge("outer", "c", order=2),
    make_edge("inner", "a", order=1),
    make_edge("inner", "b", order=2),
    make_edge("a", "inner_join"),
    make_edge("b", "inner_join"),
    make_edge("inner_join", "outer_join"),
    make_edge("c", "outer_join"),
    make_edge("outer_join", "last"),
    make_edge("last", "end"),
)


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("a", "c", "b")])
def test_a_fork_within_a_fork_joins_inside_out(order: tuple[str, ...], restore: bool) -> None:
    run = Run(*NESTED, restore=restore)
    run.do(Open())
    assert run.standing == ["a", "b", "c"]

    run.complete(order[0])
    run.complete(order[1])
    assert "last" not in run.standing

    run.complete(order[2])
    assert run.standing == ["last"]


def test_the_inner_join_waits_at_the_outer_one() -> None:
    run = Run(*NESTED)
    run.do(Open())

    run.complete("a")
    run.complete("b")

    assert run.standing == ["c", "outer_join"]
    assert [len(token.forks) for token in run.marking.tokens] == [1, 1]


def test_two_rounds_through_a_fork_do_not_mix() -> None:
    run = Run(*fork(Join.ALL, make_edge("acceptance", "split", kind="return")))
    run.do(Open())
    run.complete("triage")
    run.complete("parts")
    run.complete("visit")

    run.do(SendBack(run.at("acceptance"), "both again"))
    run.complete("visit")

    assert sorted(run.standing) == ["join", "parts"]


def test_an_end_within_a_branch_closes_the_whole_ticket() -> None:
    run = Run(*fork(Join.ALL, make_edge("visit", "gone", kind="reject")))
    run.do(Open())
    run.complete("triage")

    step = run.do(Reject(run.at("visit"), "not our device"))

    assert step.effects[-1] == Closed(TicketStatus.CANCELLED, "gone", ("visit-gone",))
    assert run.marking.tokens == ()
    assert run.marking.returns == {}


def test_branches_that_need_nobody_leave_no_token_behind() -> None:
    run = Run(
        make_node("split", "parallel"),
        make_node("mark", "automatic", sets=(FieldSet("level", 1),)),
        make_node("join", "parallel", join=Join.ALL),
        make_node("visit", "task"),
        make_edge("start", "split"),
        make_edge("split", "mark"),
        make_edge("split", "join"),
        make_edge("mark", "join"),
        make_edge("join", "visit"),
        make_edge("visit", "end"),
    )

    step = run.do(Open())

    assert [type(effect) for effect in step.effects] == [FieldsSet, TokenEntered, HandlerNeeded]
    assert run.standing == ["visit"]


def test_progress_does_not_fall_when_the_longer_way_is_taken() -> None:
    run = Run(
        make_node("triage", "task", weight=8),
        make_node("look", "task", weight=2),
        make_node("sort", "exclusive"),
        make_node("call", "task", weight=1),
        make_node("visit", "task", weight=50),
        make_edge("start", "triage"),
        make_edge("triage", "look"),
        make_edge("look", "sort"),
        make_edge("sort", "call", default=True),
        make_edge("sort", "visit", guard=is_equal("remote", False)),
        make_edge("call", "end"),
        make_edge("visit", "end"),
    )
    run.do(Open())
    run.complete("triage")
    assert run.marking.progress_bp == 7_272

    run.do(Complete(run.at("look")), {"remote": False})

    assert run.standing == ["visit"]
    assert run.marking.progress_bp == 7_272


def test_a_circle_of_automatic_nodes_is_refused_and_not_walked_for_ever() -> None:
    graph = Graph(
        stages=STAGES,
        nodes=(make_node("start", "start"), make_node("a", "automatic"), make_node("b", "automatic")),
        edges=(make_edge("start", "a"), make_edge("a", "b"), make_edge("b", "a")),
    )

    with pytest.raises(AutomaticLoop):
        advance(graph, Marking(), Open(), facts={}, new_token_id=lambda: 1)


def test_a_running_ticket_follows_the_version_it_was_opened_with() -> None:  # FLW-20
    old = Run(*REPAIR)
    old.do(Open())
    new = make_graph(
        *(part for part in REPAIR if part.key != "triage-visit"),
        make_node("check", "task"),
        make_edge("triage", "check"),
        make_edge("check", "visit"),
    )

    old.complete("triage")

    assert new.edges_from("triage", EdgeKind.FORWARD)[0].target == "check"
    assert old.standing == ["visit"]
