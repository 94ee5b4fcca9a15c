"""Scripts played on flows: as it was on the flow it ran on, and by the flow's own rules on another."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.flows import QUEUE, TECHNICIAN, facts, graphs, make_edge, make_graph, make_node
from tests.builders.runs import CANCEL, Walked, possible_actions
from ticket_console.desk.replay.comparing import Deadlines, Played, Tally, compare, report, standing
from ticket_console.desk.replay.dwelling import UNKNOWN, Dwells
from ticket_console.desk.replay.playing import ENDLESS, MOST_ROUNDS, ROUNDS, Course, play
from ticket_console.desk.replay.script import Script, read_script
from ticket_console.desk.work import ticket_facts
from ticket_console.flows.elements import EdgeKind, Targets
from ticket_console.flows.graph import Graph
from ticket_console.tickets.actions import (
    Action,
    Cancel,
    Complete,
    FieldsSet,
    Open,
    Reject,
    ReturnCounted,
    SendBack,
    TimerFired,
    TokenEntered,
    TokenLeft,
)
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking, TicketStatus

AT = datetime(2026, 10, 1, 8, tzinfo=UTC)
LATER = AT + timedelta(days=365)
HOUR = timedelta(hours=1)


class PlainWaits:
    """Every hour is a business hour."""

    def after(self, at: datetime, seconds: int, calendar: str | None) -> datetime:
        return at + timedelta(seconds=seconds)

    def until(self, value: object, calendar: str | None) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else None


_TYPES = {
    Complete: "ticket.step_completed",
    SendBack: "ticket.returned",
    Reject: "ticket.rejected",
    Cancel: "ticket.cancelled",
    TimerFired: "ticket.timer_fired",
}


def told(walk: list[Walked], minutes: list[int], opening: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The events that commands would have written, so many minutes after one another."""
    at, events = AT, []
    for number, (step, later) in enumerate(zip(walk, minutes, strict=False)):
        at += timedelta(minutes=later if number else 0)
        action = step.action
        what = "ticket.opened" if number == 0 else _TYPES[type(action)]
        payload: dict[str, Any] = {}
        if not isinstance(action, Cancel) and number:
            token = step.before.token(action.token_id)
            assert token is not None
            payload = {"node": token.node_key, "edge": getattr(action, "edge_key", None)}
            if isinstance(action, TimerFired) and action.edge_key is not None:
                what = "ticket.timed_out"
        if hasattr(action, "reason"):
            payload["reason"] = action.reason
        delta: dict[str, Any] = {
            "ticket": {"marking": step.after.as_json()},
            "tokens": [change for effect in step.step.effects for change in _token(effect)],
        }
        if number == 0:
            delta["ticket"] |= {"id": 1, "flow_version_id": 1, **TICKET}
            delta["values"] = {key: {"value": value, "provenance": "typed"} for key, value in opening.items()}
        said = {**payload, "delta": delta}
        events.append({"type": what, "payload": said, "actor": "user:7", "actor_name": "Li", "at": at})
    return events


def _token(effect: object) -> list[dict[str, Any]]:
    if isinstance(effect, TokenEntered):
        return [{"id": effect.token_id, "node_key": effect.node_key, "state": effect.state.value}]
    if isinstance(effect, TokenLeft):
        state = "cancelled" if effect.outcome == "cancelled" else "done"
        return [{"id": effect.token_id, "state": state, "outcome": effect.outcome.value}]
    return []


TICKET = {
    "priority": 3,
    "urgency": 1,
    "impact": 1,
    "is_vip": False,
    "source": "desk",
    "ticket_class": "repair",
    "region_id": None,
    "returns": 0,
}


def played(graph: Graph, script: Script, ran_on: Graph, dwells: Dwells | None = None) -> Course:
    return play(graph, script, ran_on=ran_on, dwells=dwells or Dwells(), as_of=LATER, waits=PlainWaits())


def lived(graph: Graph, *steps: tuple[int, Action]) -> Script:
    """A ticket that was opened and then went through these actions, each so many minutes after the last."""
    walk = walked(graph, [Open(), *(action for _, action in steps)], {})
    return read_script(told(walk, [0, *(minutes for minutes, _ in steps)], {}))


def walked(graph: Graph, actions: Iterable[Action | int], values: Mapping[str, Any]) -> list[Walked]:
    """What a ticket goes through, its facts kept as by the desk; a number picks one of what could be done."""
    ids, marking, walk = count(1), Marking(), list[Walked]()
    known = {**values, **ticket_facts(TICKET)}
    for chosen in actions:
        action = _choice(graph, marking, chosen) if isinstance(chosen, int) else chosen
        step = advance(graph, marking, action, facts=known, new_token_id=lambda: next(ids))
        walk.append(Walked(marking, action, step))
        marking = step.marking
        for effect in step.effects:
            if isinstance(effect, FieldsSet):
                known |= effect.values
            elif isinstance(effect, ReturnCounted):
                known["returns"] += 1
        if marking.status is not TicketStatus.OPEN:
            break
    return walk


def _choice(graph: Graph, marking: Marking, number: int) -> Action:
    if marking == Marking():
        return Open()
    *actions, cancel = possible_actions(graph, marking)
    clear = [
        action
        for action in actions
        if not isinstance(action, Complete)
        or action.edge_key is not None
        or len(graph.edges_from(marking.token(action.token_id).node_key, EdgeKind.FORWARD)) == 1
    ]
    return cancel if number == CANCEL else clear[number % len(clear)]


def compared(base: Graph, draft: Graph, script: Script, dwells: Dwells | None = None) -> Any:
    deadlines = Deadlines(AT + 4 * HOUR, AT + 24 * HOUR)
    both = [Played(graph, played(graph, script, base, dwells)) for graph in (base, draft)]
    tally = Tally()
    difference = compare(1, both[0], both[1], deadlines=deadlines, as_of=LATER, price=lambda course: 0)
    tally.add(both[0], both[1], difference, deadlines=deadlines, as_of=LATER)
    return difference, report(tally, period_seconds=3600)


@settings(max_examples=60)
@given(
    graphs(),
    st.lists(st.integers(0, CANCEL), min_size=6, max_size=25),
    st.lists(st.integers(0, 3000), min_size=25, max_size=25),
    facts(),
)
def test_on_the_flow_it_ran_on_a_ticket_goes_exactly_as_it_went(
    graph: Graph, choices: list[int], minutes: list[int], values: dict[str, Any]
) -> None:
    walk = walked(graph, choices, values)
    script = read_script(told(walk, minutes, values))

    course = played(graph, script, graph)

    assert course.stuck is None
    assert standing(course.marking) == standing(walk[-1].after)
    assert [leg.at for leg in course.legs] == _instants(walk, minutes)
    assert (course.estimated, course.guessed) == (0, 0)
    assert compared(graph, graph, script)[0] is None


def _instants(walk: list[Walked], minutes: list[int]) -> list[datetime]:
    at, found = AT, []
    for number, later in enumerate(minutes[: len(walk)]):
        at += timedelta(minutes=later if number else 0)
        found.append(at)
    return found


def work_flow(*more: Any, **settings: Any) -> Graph:
    return make_graph(
        make_node("work", "task", handler=TECHNICIAN, stage="onsite", **settings),
        make_edge("start", "work"),
        make_edge("work", "end"),
        *more,
    )


def with_escalation(seconds: int) -> Graph:
    return work_flow(
        make_node("boss", "task", handler=QUEUE),
        make_edge("work", "boss", kind="timeout", after_seconds=seconds),
        make_edge("boss", "end"),
    )


def test_a_shorter_threshold_reaches_exactly_those_that_took_longer_than_it() -> None:
    two, one = with_escalation(7200), with_escalation(3600)
    quick, slow = lived(two, (30, Complete(1))), lived(two, (90, Complete(1)))
    escalated = lived(two, (120, TimerFired(1, "work-boss")), (15, Complete(2)))
    dwells = Dwells()
    dwells.add(two.node_by_key["boss"], 900)

    differences = [compared(two, one, script, dwells)[0] for script in (quick, slow, escalated)]

    assert differences[0] is None
    # 60 minutes until the escalation and the usual 15 there, instead of 90 minutes.
    assert ([*differences[1].kinds], differences[1].seconds) == (["path", "shorter"], -15 * 60)
    # An hour earlier at the boss, who takes the same quarter of an hour.
    assert ([*differences[2].kinds], differences[2].seconds) == (["shorter"], -3600)


def test_a_step_nobody_ever_did_takes_as_long_as_its_like_and_says_so() -> None:
    base = work_flow()
    draft = make_graph(
        make_node("work", "task", handler=TECHNICIAN, stage="onsite"),
        make_node("check", "approval", handler=QUEUE, stage="onsite"),
        make_edge("start", "work"),
        make_edge("work", "check"),
        make_edge("check", "end"),
    )
    dwells = Dwells()
    dwells.add(make_node("else", "approval", handler=QUEUE, stage="onsite"), 1200)

    difference, figures = compared(base, draft, lived(base, (60, Complete(1))), dwells)

    assert ([*difference.kinds], difference.seconds) == (["path", "longer"], 1200)
    assert (figures["estimated_steps"], figures["estimates"]) == (1, [{"node": "check", "steps": 1}])
    assert {each["who"]: (each["base"], each["draft"]) for each in figures["load"]} == {
        "user:7": (1, 1),
        "role:dispatcher": (0, 1),
    }
    assert (figures["longer"]["tickets"], figures["longer"]["median"]) == (1, 1200)


def test_what_nothing_is_known_of_takes_an_hour() -> None:
    assert Dwells().of(make_node("x", "task")).dwell == UNKNOWN


def test_a_tighter_target_of_a_step_is_missed_by_those_that_took_longer() -> None:
    base, draft = work_flow(), work_flow(targets=Targets(finish_minutes=45))

    difference, figures = compared(base, draft, lived(base, (60, Complete(1))))

    assert ([*difference.kinds], [*difference.breached]) == (["breach"], ["step"])
    assert figures["breaches"]["step"] == {"base": 0, "draft": 1}


def test_a_step_given_to_others_is_counted_for_them() -> None:
    base = work_flow()
    draft = make_graph(
        make_node("work", "task", handler=QUEUE, stage="onsite"),
        make_edge("start", "work"),
        make_edge("work", "end"),
    )

    difference, figures = compared(base, draft, lived(base, (60, Complete(1))))

    assert difference is None
    assert {each["who"]: (each["base"], each["draft"]) for each in figures["load"]} == {
        "user:7": (1, 0),
        "role:dispatcher": (0, 1),
    }


def test_a_return_that_the_draft_has_no_way_for_goes_on_instead() -> None:
    base = make_graph(
        make_node("work", "task"),
        make_node("check", "approval"),
        make_edge("start", "work"),
        make_edge("work", "check"),
        make_edge("check", "end"),
        make_edge("check", "work", kind="return"),
    )
    draft = make_graph(
        make_node("work", "task"),
        make_node("check", "approval"),
        make_edge("start", "work"),
        make_edge("work", "check"),
        make_edge("check", "end"),
    )
    script = lived(base, (10, Complete(1)), (10, SendBack(2, "again")), (10, Complete(3)), (10, Complete(4)))

    difference, figures = compared(base, draft, script)

    assert ([*difference.kinds], difference.seconds) == (["path", "shorter"], -20 * 60)
    assert figures["guessed_decisions"] == 1


def test_a_flow_that_goes_round_for_ever_is_stuck_and_not_waited_for() -> None:
    base = work_flow()
    draft = make_graph(
        make_node("work", "task", handler=TECHNICIAN, stage="onsite"),
        make_node("again", "task"),
        make_edge("start", "work"),
        make_edge("work", "again"),
        make_edge("again", "work"),
    )

    course = played(draft, lived(base, (10, Complete(1))), base)

    assert (course.stuck, course.marking.status) == (ENDLESS, TicketStatus.OPEN)


def with_reminder(minutes: int) -> Graph:
    return make_graph(
        make_node("work", "task", handler=TECHNICIAN, stage="onsite"),
        make_node("check", "approval"),
        make_edge("start", "work"),
        make_edge("work", "check"),
        make_edge("check", "end"),
        make_edge("check", "check", kind="timeout", key="remind", after_seconds=minutes * 60),
    )


def an_hour_at_the_check() -> Dwells:
    dwells = Dwells()
    dwells.add(make_node("check", "approval"), 3_600)
    return dwells


def test_a_timeout_that_brings_its_own_step_back_for_ever_is_given_up_and_told_of() -> None:
    base, draft = work_flow(), with_reminder(minutes=5)
    script = lived(base, (10, Complete(1)))

    course = played(draft, script, base, an_hour_at_the_check())
    _, figures = compared(base, draft, script, an_hour_at_the_check())

    assert (course.stuck, course.edges().count("remind")) == (ROUNDS, MOST_ROUNDS)
    assert (figures["stuck"], figures["kinds"]["stuck"]) == ({ROUNDS: 1}, 1)


def test_a_timeout_back_to_a_step_that_is_usually_done_sooner_does_not_stop_the_ticket() -> None:
    base, draft = work_flow(), with_reminder(minutes=90)

    course = played(draft, lived(base, (10, Complete(1))), base, an_hour_at_the_check())

    assert (course.stuck, course.edges().count("remind")) == (None, 0)
    assert course.closed_at == AT + timedelta(minutes=70)


def test_a_ticket_that_was_called_off_is_called_off_at_the_same_moment() -> None:
    base = work_flow()
    draft = make_graph(
        make_node("first", "timer", delay_seconds=7200),
        make_node("work", "task", handler=TECHNICIAN, stage="onsite"),
        make_edge("start", "first"),
        make_edge("first", "work"),
        make_edge("work", "end"),
    )

    difference, _ = compared(base, draft, lived(base, (60, Cancel("no need"))))

    assert (difference.seconds, difference.draft_end) == (0, "cancelled")


def test_tallies_add_up_and_travel_as_plain_json() -> None:
    base, one = with_escalation(7200), with_escalation(3600)
    whole, parts = Tally(), []
    deadlines = Deadlines(AT + HOUR, AT + HOUR)
    for minutes in (30, 70, 90, 110):
        script = lived(base, (minutes, Complete(1)))
        both = [Played(graph, played(graph, script, base)) for graph in (base, one)]
        difference = compare(
            minutes, both[0], both[1], deadlines=deadlines, as_of=LATER, price=lambda course: 0
        )
        part = Tally()
        for tally in (whole, part):
            tally.add(both[0], both[1], difference, deadlines=deadlines, as_of=LATER)
        parts.append(part)

    merged = Tally()
    for part in parts:
        merged.merge(Tally.of_json(part.as_json()))

    assert report(merged, period_seconds=60) == report(whole, period_seconds=60)
    assert whole.differences == 3
