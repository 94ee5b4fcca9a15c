"""The rules of inclusive forks, joins of some branches, timeouts, handler tables, surveys and actions."""

from collections.abc import Mapping
from itertools import count

import pytest

from tests.builders.flows import AGENTS, QUEUE, TECHNICIAN, is_equal, make_edge, make_graph, make_node
from tests.builders.runs import restored
from ticket_console.flows.elements import (
    CallWebhook,
    Edge,
    HandlerRule,
    Join,
    Node,
    Notify,
    Question,
    QuestionKind,
    SubflowUse,
)
from ticket_console.flows.validation import graph_problems
from ticket_console.tickets.actions import (
    Action,
    ActionDue,
    Complete,
    FieldsSet,
    HandlerNeeded,
    IllegalMove,
    NoSuchEdge,
    Open,
    Outcome,
    ReturnCounted,
    SendBack,
    Step,
    SurveyDue,
    TimerArmed,
    TimerFired,
    TokenEntered,
    TokenLeft,
)
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking, TicketStatus, TokenState


class Run:
    """A ticket walked by node keys, saved and restored before each step."""

    def __init__(self, *parts: Node | Edge) -> None:
        self.graph = make_graph(*parts)
        assert graph_problems(self.graph) == ()
        self.marking = Marking()
        self._ids = count(1)

    def do(self, action: Action, **facts: object) -> Step:
        known: Mapping[str, object] = facts
        step = advance(
            self.graph, restored(self.marking), action, facts=known, new_token_id=self._ids.__next__
        )
        self.marking = step.marking
        return step

    def at(self, node_key: str) -> int:
        (token,) = [token for token in self.marking.tokens if token.node_key == node_key]
        return token.id

    def complete(self, node_key: str, **facts: object) -> Step:
        return self.do(Complete(self.at(node_key)), **facts)

    @property
    def standing(self) -> list[tuple[str, TokenState]]:
        return [(token.node_key, token.state) for token in self.marking.tokens]


ACTIVE, WAITING = TokenState.ACTIVE, TokenState.WAITING


def forked(kind: str, join: Join, join_count: int | None = None) -> tuple[Node | Edge, ...]:
    """Three branches `a`, `b`, `c`; inclusive ones for warmth, noise and, where neither, `c`."""
    guards = {"a": is_equal("warm", True), "b": is_equal("loud", True)} if kind == "inclusive" else {}
    return (
        make_node("split", kind),
        *(make_node(key, "task", weight=weight) for key, weight in (("a", 1), ("b", 2), ("c", 3))),
        make_node("join", kind, join=join, join_count=join_count),
        make_node("after", "task", weight=4),
        make_edge("start", "split"),
        *(
            make_edge("split", key, guard=guards.get(key), default=kind == "inclusive" and key == "c")
            for key in "abc"
        ),
        *(make_edge(key, "join") for key in "abc"),
        make_edge("join", "after"),
        make_edge("after", "end"),
    )


def left(step: Step) -> list[tuple[str, Outcome]]:
    return [(effect.node_key, effect.outcome) for effect in step.effects if isinstance(effect, TokenLeft)]


@pytest.mark.parametrize(
    ("facts", "branches"),
    [
        ({"warm": True, "loud": True}, ["a", "b"]),
        ({"warm": False, "loud": True}, ["b"]),
        ({"warm": True}, ["a"]),
        ({}, ["c"]),
    ],
)
def test_an_inclusive_split_takes_every_branch_that_holds_and_its_join_waits_for_exactly_those(
    facts: dict[str, object], branches: list[str]
) -> None:  # FLW-07
    run = Run(*forked("inclusive", Join.ALL))
    run.do(Open(), **facts)
    assert run.standing == [(key, ACTIVE) for key in branches]

    for key in branches:
        assert ("after", ACTIVE) not in run.standing
        run.complete(key)

    assert run.standing == [("after", ACTIVE)]


def test_a_join_of_two_goes_on_with_the_second_and_gives_up_the_third() -> None:  # FLW-07
    run = Run(*forked("parallel", Join.SOME, 2))
    run.do(Open())
    run.complete("c")
    assert run.standing == [("a", ACTIVE), ("b", ACTIVE), ("join", WAITING)]

    step = run.complete("a")

    assert left(step) == [("a", Outcome.DONE), ("join", Outcome.DONE), ("b", Outcome.CANCELLED)]
    assert run.standing == [("after", ACTIVE)]
    assert run.marking.progress_bp == 5_000


def test_a_join_never_waits_for_more_branches_than_set_out() -> None:
    run = Run(*forked("inclusive", Join.SOME, 2))
    run.do(Open(), loud=True)

    run.complete("b")

    assert run.standing == [("after", ACTIVE)]


def test_progress_counts_only_the_branches_a_join_still_needs() -> None:
    run = Run(*forked("parallel", Join.SOME, 2))

    assert run.graph.structure.least_weight["split"] == 1 + 2 + 4
    run.do(Open())
    run.complete("c")
    assert run.marking.progress_bp == 3 * 10_000 // (3 + 1 + 4)


TIMED = (
    make_node("look", "task", weight=1),
    make_node("boss", "task", weight=1),
    make_edge("start", "look"),
    make_edge("look", "end"),
    make_edge("look", "boss", kind="timeout", key="late", after_seconds=3_600, calendar="office"),
    make_edge("look", "end", kind="timeout", key="forgotten", after_seconds=86_400),
    make_edge("boss", "look", kind="return"),
    make_edge("boss", "end"),
)


def test_every_timeout_of_a_step_is_armed_where_a_token_comes_to_rest() -> None:
    step = Run(*TIMED).do(Open())

    assert step.effects == (
        TokenEntered(1, "look", "start-look", ACTIVE, ("start-look",)),
        HandlerNeeded(1, "look", QUEUE),
        TimerArmed(1, "look", 3_600, "late", calendar="office"),
        TimerArmed(1, "look", 86_400, "forgotten"),
    )


def test_a_timeout_leaves_the_step_undone_and_counts_as_no_return() -> None:
    run = Run(*TIMED)
    run.do(Open())

    step = run.do(TimerFired(1, "late"))

    assert step.effects == (
        TokenLeft(1, "look", Outcome.TIMED_OUT, "late"),
        TokenEntered(2, "boss", "late", ACTIVE, ("late",)),
        HandlerNeeded(2, "boss", QUEUE),
    )
    assert run.marking.passed == {"start"}
    assert run.marking.returns == {}
    assert run.do(SendBack(2, "look again")).effects[1] == ReturnCounted("boss", 1)
    assert run.do(TimerFired(3, "forgotten")).marking.status is TicketStatus.CLOSED


@pytest.mark.parametrize(
    ("action", "refusal"),
    [
        (TimerFired(1, "look-end"), NoSuchEdge),
        (TimerFired(1, "nothing"), NoSuchEdge),
        (TimerFired(1), IllegalMove),
        (Complete(1, "late"), NoSuchEdge),
    ],
)
def test_only_the_clock_follows_a_timeout_and_only_a_timeout(
    action: Action, refusal: type[IllegalMove]
) -> None:
    run = Run(*TIMED)
    run.do(Open())
    before = run.marking

    with pytest.raises(refusal):
        run.do(action)

    assert run.marking == before


def test_a_timeout_out_of_a_fork_cancels_the_siblings() -> None:
    run = Run(
        *forked("parallel", Join.ALL), make_edge("a", "after", kind="timeout", key="late", after_seconds=1)
    )
    run.do(Open())
    run.complete("b")

    step = run.do(TimerFired(run.at("a"), "late"))

    assert left(step) == [
        ("a", Outcome.TIMED_OUT),
        ("c", Outcome.CANCELLED),
        ("join", Outcome.CANCELLED),
    ]
    assert run.standing == [("after", ACTIVE)]


def test_a_timer_waits_for_the_instant_its_field_names_as_it_is_when_it_is_reached() -> None:
    run = Run(
        make_node("until", "timer", delay_seconds=None, until_field="appointment", calendar="office"),
        make_edge("start", "until"),
        make_edge("until", "end"),
    )

    step = run.do(Open(), appointment="2026-12-05T01:30:00.000000Z")

    assert step.effects[-1] == TimerArmed(
        1, "until", None, until="2026-12-05T01:30:00.000000Z", calendar="office"
    )


@pytest.mark.parametrize(
    ("facts", "handler"),
    [({"level": 1}, TECHNICIAN), ({"level": 2}, AGENTS), ({"level": 3}, QUEUE), ({}, QUEUE)],
)
def test_a_handler_table_is_read_from_the_top(facts: dict[str, object], handler: object) -> None:  # FLW-06
    either = {
        "combinator": "or",
        "rules": [{"field": "level", "operator": "in", "value": [1, 2]}],
    }
    rules = (HandlerRule(is_equal("level", 1), TECHNICIAN), HandlerRule(either, AGENTS))
    run = Run(
        make_node("n", "task", handlers=rules, handler=QUEUE), make_edge("start", "n"), make_edge("n", "end")
    )

    assert run.do(Open(), **facts).effects[-1] == HandlerNeeded(1, "n", handler)


def test_actions_and_surveys_are_announced_in_their_order_and_passed() -> None:  # FLW-11
    call, notice = CallWebhook("https://example.com/hook", ("level",)), Notify("customer", {"en": "Done"})
    question = Question("score", QuestionKind.RATING, {"en": "Well?"})
    run = Run(
        make_node("n", "task"),
        make_node("tell", "automatic", actions=(call, notice)),
        make_node("ask", "survey", questions=(question,)),
        make_edge("start", "n"),
        make_edge("n", "tell"),
        make_edge("tell", "ask"),
        make_edge("ask", "end"),
    )
    run.do(Open())

    effects = run.complete("n").effects

    assert effects[1:4] == (
        ActionDue(1, "tell", 0, call),
        ActionDue(1, "tell", 1, notice),
        SurveyDue(1, "ask", (question,)),
    )
    assert not any(isinstance(effect, FieldsSet) for effect in effects)
    assert run.marking.status is TicketStatus.CLOSED


def test_a_flow_whose_subflows_were_not_put_in_place_does_not_run() -> None:
    run = Run(
        make_node("sub", "subflow", subflow=SubflowUse("quality")),
        make_edge("start", "sub"),
        make_edge("sub", "end"),
    )

    with pytest.raises(ValueError, match="sub was not expanded"):
        run.do(Open())

    assert run.marking == Marking()
