"""What a flow may not look like: gateways, waits, permissions, fields, sub-flows, surveys; what is odd."""

import time
from typing import Any

import pytest

from tests.builders.flows import AGENTS, QUEUE, TECHNICIAN, is_equal, make_edge, make_graph, make_node
from ticket_console.flows.elements import (
    Act,
    CallWebhook,
    CheckItem,
    Document,
    Edge,
    FieldAccess,
    FieldSet,
    FieldUse,
    Handler,
    HandlerMode,
    HandlerRule,
    Join,
    Node,
    NodeGrant,
    Notify,
    Question,
    QuestionKind,
    StandardPart,
    SubflowUse,
    Targets,
)
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import MAX_NODES, InvalidGraph, parse_graph
from ticket_console.flows.validation import graph_problems, graph_warnings
from ticket_console.flows.vocabulary import vocabulary

QUESTION = Question("score", QuestionKind.RATING, {"en": "Well?"})
NEVER = {
    "combinator": "and",
    "rules": [
        {"field": "level", "operator": "=", "value": 1},
        {"field": "level", "operator": "=", "value": 2},
    ],
}


def codes(*parts: Node | Edge, **given: Any) -> set[tuple[str, str]]:
    return {(found.path, found.code) for found in graph_problems(make_graph(*parts), **given)}


def one(kind: str = "task", **settings: Any) -> tuple[Node | Edge, ...]:
    """A flow of one node `n`."""
    return (make_node("n", kind, **settings), make_edge("start", "n"), make_edge("n", "end"))


def forked(kind: str = "inclusive", *, guards: bool = True, **join: Any) -> tuple[Node | Edge, ...]:
    ways = [
        make_edge("split", "a", guard=is_equal("level", 1) if guards else None),
        make_edge("split", "b", default=guards),
    ]
    return (
        make_node("split", kind),
        make_node("a", "task"),
        make_node("b", "task"),
        make_node("join", kind, **{"join": Join.ALL, **join}),
        make_edge("start", "split"),
        *ways,
        make_edge("a", "join"),
        make_edge("b", "join"),
        make_edge("join", "end"),
    )


@pytest.mark.parametrize(
    "parts",
    [
        forked(),
        forked("parallel", guards=False, join=Join.SOME, join_count=2),
        one(
            handlers=(HandlerRule(is_equal("priority", 1), TECHNICIAN),),
            evidence=("checklist",),
            checklist=(CheckItem("power", {"en": "Power is off"}),),
            documents=(Document({}, "https://example.com/a.pdf"),),
            parts=(StandardPart("CAP-35", 1),),
            targets=Targets(15, 60),
        ),
        one("timer", delay_seconds=None, until_field="appointment", calendar="office"),
        one("automatic", actions=(CallWebhook("http://example.com"), Notify("customer", {"en": "Hello"}))),
        one("survey"),
        one("subflow", subflow=SubflowUse("quality")),
        (*one(), make_edge("n", "end", kind="timeout", key="late", calendar="office")),
    ],
)
def test_everything_a_flow_may_have_is_accepted(parts: tuple[Node | Edge, ...]) -> None:
    assert codes(*parts, calendars=["office"]) == set()


@pytest.mark.parametrize(
    ("parts", "path", "code"),
    [
        (one("timer", delay_seconds=None), "nodes.n.delay_seconds", "flow.no_delay"),
        (one("timer", until_field="appointment"), "nodes.n.until", "flow.two_delays"),
        (one("subflow"), "nodes.n.subflow", "flow.no_subflow"),
        (one("survey", questions=()), "nodes.n.survey", "flow.no_questions"),
        (one("survey", questions=(QUESTION, QUESTION)), "nodes.n.survey", "flow.key_used_twice"),
        (one(evidence=("checklist",)), "nodes.n.checklist", "flow.no_checklist"),
        (one(evidence=("selfie",)), "nodes.n.evidence", "flow.unknown_evidence"),
        (one("automatic", actions=(CallWebhook("ftp://x"),)), "nodes.n.actions[0].url", "flow.bad_url"),
        (one("automatic", actions=(CallWebhook("https://"),)), "nodes.n.actions[0].url", "flow.bad_url"),
        (one("automatic", actions=(CallWebhook("http://["),)), "nodes.n.actions[0].url", "flow.bad_url"),
        (
            one("automatic", actions=(CallWebhook("https://li:pw@x"),)),
            "nodes.n.actions[0].url",
            "flow.bad_url",
        ),
        (
            one("automatic", actions=(CallWebhook("https://x:99999"),)),
            "nodes.n.actions[0].url",
            "flow.bad_url",
        ),
        (
            one(documents=(Document({}, "javascript:alert(1)"),)),
            "nodes.n.documents[0].url",
            "flow.bad_url",
        ),
        (
            one(handlers=(HandlerRule({"rules": []}, QUEUE),)),
            "nodes.n.handlers[0].when.combinator",
            "condition.unknown_combinator",
        ),
        (one("automatic", targets=Targets(1, 2)), "nodes.n.targets", "flow.misplaced_setting"),
        (one("timer", parts=(StandardPart("A", 1),)), "nodes.n.parts", "flow.misplaced_setting"),
        (one("settle", questions=(QUESTION,)), "nodes.n.survey", "flow.misplaced_setting"),
        (one(calendar="office"), "nodes.n.calendar", "flow.misplaced_setting"),
        (one(join_count=2), "nodes.n.join_count", "flow.misplaced_setting"),
        (forked(join=Join.ALL, join_count=2), "nodes.join.join_count", "flow.misplaced_setting"),
        (forked(join=Join.SOME), "nodes.join.join_count", "flow.no_join_count"),
        (forked(join=Join.SOME, join_count=0), "nodes.join.join_count", "flow.join_count_out_of_range"),
        (forked(join=Join.SOME, join_count=3), "nodes.join.join_count", "flow.join_count_out_of_range"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(parts: tuple[Node | Edge, ...], path: str, code: str) -> None:
    assert (path, code) in codes(*parts)


def test_an_inclusive_gateway_needs_a_way_for_when_no_condition_holds() -> None:
    parts = forked()
    undecided = make_edge("split", "b", guard=is_equal("level", 2))

    assert codes(*(undecided if part.key == "split-b" else part for part in parts)) == {
        ("nodes.split", "flow.no_default")
    }
    always = make_edge("split", "b")
    assert codes(*(always if part.key == "split-b" else part for part in parts)) == set()


def test_what_one_kind_of_gateway_splits_another_does_not_join() -> None:
    mixed = tuple(
        make_node("join", "parallel", join=Join.ALL) if part.key == "join" else part for part in forked()
    )

    assert codes(*mixed) == {("nodes.join", "flow.join_of_another_kind")}


def test_a_timeout_leaves_a_step_after_a_time_and_enters_no_branch() -> None:
    late = make_edge("n", "end", kind="timeout", key="late", after_seconds=None)
    assert codes(*one(), late) == {("edges.late.after_seconds", "flow.no_delay")}

    guarded = make_edge("n", "end", kind="timeout", key="late", guard=is_equal("level", 1))
    assert codes(*one(), guarded) == {("edges.late.guard", "flow.guard_not_allowed")}

    from_timer = make_edge("n", "end", kind="timeout", key="late")
    assert codes(*one("timer"), from_timer) == {("edges.late", "flow.edge_not_allowed")}

    timed = make_edge("n", "end", key="n-end", after_seconds=60)
    assert codes(*one()[:2], timed) == {("edges.n-end.after_seconds", "flow.misplaced_setting")}

    fork = (*forked()[:-1], make_node("check", "task"), make_edge("join", "check"), make_edge("check", "end"))
    inward = make_edge("check", "a", kind="timeout", key="late")
    assert codes(*fork, inward) == {("edges.late", "flow.enters_branch")}
    outward = make_edge("a", "check", kind="timeout", key="late")
    assert codes(*fork, outward) == set()


def granting(role: str, *acts: Act, **fields: FieldAccess) -> NodeGrant:
    return NodeGrant(role, fields, frozenset(acts))


EVERYBODY = ("manager", "dispatcher", "technician", "finance", "agent")


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"grants": tuple(granting(role) for role in EVERYBODY)}, "flow.nobody_may_act"),
        ({"grants": (granting("dispatcher", Act.CANCEL),)}, "flow.handler_may_not_act"),
        (
            {"handler": TECHNICIAN, "grants": (granting("technician", Act.RETURN),)},
            "flow.handler_may_not_act",
        ),
        (
            {"handlers": (HandlerRule(is_equal("level", 1), AGENTS),), "grants": (granting("agent"),)},
            "flow.handler_may_not_act",
        ),
        (
            {
                "fields": (FieldUse("cause", required=True),),
                "grants": (
                    *(granting(role) for role in EVERYBODY if role != "dispatcher"),
                    granting("dispatcher", Act.COMPLETE, cause=FieldAccess.READ),
                ),
            },
            "flow.nobody_may_fill",
        ),
    ],
)
def test_a_grid_that_leaves_nobody_is_refused(settings: dict[str, Any], code: str) -> None:  # PRM-02
    assert codes(*one(**settings)) == {("nodes.n.permissions", code)}


@pytest.mark.parametrize(
    "settings",
    [
        {"grants": (granting("dispatcher", Act.COMPLETE), granting("agent"))},
        {"handler": Handler(HandlerMode.CUSTOMER), "grants": tuple(granting(role) for role in EVERYBODY)},
        {
            "fields": (FieldUse("cause", required=True), FieldUse("note")),
            "grants": (granting("agent", Act.COMPLETE, cause=FieldAccess.NONE, note=FieldAccess.NONE),),
        },
    ],
)
def test_a_grid_that_leaves_somebody_is_fine(settings: dict[str, Any]) -> None:
    assert codes(*one(**settings)) == set()


def test_a_field_is_asked_about_only_once_something_can_have_written_it() -> None:
    asked = (
        make_node("sort", "exclusive"),
        make_node("fill", "task", fields=(FieldUse("cause"),)),
        make_edge("start", "sort"),
        make_edge("sort", "fill", guard=is_equal("cause", "leak")),
        make_edge("sort", "end", default=True),
        make_edge("fill", "end"),
    )
    too_early = {("edges.sort-fill.guard", "flow.read_before_written")}

    assert codes(*asked) == set()
    assert codes(*asked, opening=[]) == too_early
    assert codes(*asked, opening=["cause"]) == set()
    assert codes(*asked, make_edge("fill", "sort", kind="timeout", key="late"), opening=[]) == set()
    marked = tuple(part for part in asked if part.key != "start-sort")
    mark = (
        make_node("mark", "automatic", sets=(FieldSet("cause", "leak"),)),
        make_edge("start", "mark"),
        make_edge("mark", "sort"),
    )
    assert codes(*marked, *mark, opening=[]) == set()
    waiting = one("timer", delay_seconds=None, until_field="appointment")
    assert codes(*waiting, opening=["cause"]) == {("nodes.n.until", "flow.read_before_written")}
    assert codes(*one(handlers=(HandlerRule(is_equal("vip", True), AGENTS),)), opening=[]) == set()


def test_a_calendar_has_to_exist() -> None:
    parts = (*one("timer", calendar="moon"), make_edge("n", "end", kind="timeout", key="l", calendar="sun"))

    assert {found for found in codes(*parts, calendars=["office"]) if "calendar" in found[1]} == {
        ("nodes.n.calendar", "flow.unknown_calendar"),
        ("edges.l.calendar", "flow.unknown_calendar"),
    }
    assert not any("calendar" in code for _, code in codes(*parts))


def warnings(*parts: Node | Edge) -> set[tuple[str, str]]:
    return {(found.path, found.code) for found in graph_warnings(make_graph(*parts))}


def test_conditions_that_never_hold_or_may_hold_together_are_pointed_out() -> None:
    gone = make_edge("n", "gone", kind="cancel")
    sort = make_node("sort", "exclusive")
    ways = (make_edge("start", "sort"), make_edge("sort", "n", default=True), gone)

    def with_guards(*guards: dict[str, Any]) -> set[tuple[str, str]]:
        edges = [
            make_edge("sort", "n", key=f"w{index}", guard=guard, order=index)
            for index, guard in enumerate(guards)
        ]
        return warnings(sort, make_node("n", "task"), *ways, *edges, make_edge("n", "end"))

    assert with_guards(is_equal("level", 1), is_equal("level", 2)) == set()
    assert with_guards(NEVER) == {("edges.w0.guard", "flow.guard_never_holds")}
    more = {"combinator": "and", "rules": [{"field": "level", "operator": ">", "value": 0}]}
    assert with_guards(is_equal("level", 1), more) == {("edges.w1.guard", "flow.guards_overlap")}


def test_a_timeout_that_only_begins_its_own_step_anew_is_pointed_out() -> None:
    again = make_edge("n", "n", kind="timeout", key="again")

    assert ("edges.again", "flow.timeout_to_itself") in warnings(*one(), again)
    assert ("edges.again", "flow.timeout_to_itself") not in warnings(*one())


def test_a_table_row_that_never_holds_missing_weights_and_no_way_to_cancel_are_pointed_out() -> None:
    idle = one(weight=0, handlers=(HandlerRule(NEVER, AGENTS),))

    assert warnings(*idle) == {
        ("nodes.n.handlers[0].when", "flow.guard_never_holds"),
        ("nodes", "flow.no_weights"),
        ("edges", "flow.no_cancel_way"),
    }


def drawn(nodes: int) -> dict[str, Any]:
    """A chain of gateways that runs back into itself."""
    keys = [f"g{number}" for number in range(nodes)]
    return {
        "format": 2,
        "stages": [{"key": "s", "category": "todo"}, {"key": "d", "category": "done"}],
        "nodes": [
            {"key": "start", "kind": "start", "stage": "s"},
            *({"key": key, "kind": "exclusive", "stage": "s"} for key in keys),
            {"key": "end", "kind": "end", "stage": "d"},
        ],
        "edges": [
            {"key": "first", "kind": "forward", "source": "start", "target": keys[0]},
            *(
                {
                    "key": f"on{number}",
                    "kind": "forward",
                    "source": key,
                    "target": keys[(number + 1) % nodes],
                    "default": True,
                }
                for number, key in enumerate(keys)
            ),
            {
                "key": "out",
                "kind": "forward",
                "source": keys[-1],
                "target": "end",
                "guard": is_equal("level", 1),
            },
        ],
    }


def test_five_thousand_nodes_are_refused_at_once() -> None:
    started = time.perf_counter()

    with pytest.raises(InvalidGraph) as caught:
        parse_graph(drawn(5_000))

    assert [(found.path, found.code) for found in caught.value.problems] == [
        ("nodes", "input.too_long"),
        (
            "edges",
            "input.too_long",
        ),
    ]
    assert time.perf_counter() - started < 2


def test_the_largest_circle_of_gateways_is_found_in_a_moment() -> None:
    started = time.perf_counter()
    graph = parse_graph(drawn(MAX_NODES - 2))

    found = graph_problems(graph)

    assert {problem.code for problem in found} == {"flow.automatic_loop"}
    assert len(found) == MAX_NODES - 2
    assert graph_warnings(graph)
    assert time.perf_counter() - started < 3


def test_the_widest_fork_of_conditions_is_looked_through_in_a_moment() -> None:
    ways = [
        make_edge("sort", "n", key=f"w{number}", guard=is_equal("level", number), order=number)
        for number in range(500)
    ]
    graph = make_graph(
        make_node("sort", "exclusive"),
        make_node("n", "task"),
        make_edge("start", "sort"),
        make_edge("sort", "n", default=True),
        *ways,
        make_edge("n", "end"),
        make_edge("n", "gone", kind="cancel"),
    )
    started = time.perf_counter()

    assert graph_problems(graph) == ()
    assert graph_warnings(graph) == ()
    assert time.perf_counter() - started < 3


def test_a_draft_that_makes_no_sense_yet_is_still_a_graph() -> None:
    parts = (
        make_node("split", "inclusive", join=Join.SOME, join_count=-4),
        make_node("sub", "subflow"),
        make_edge("sub", "nowhere", kind="timeout", after_seconds=None),
        make_edge("split", "split"),
    )
    graph = Graph((), parts[:2], parts[2:])

    assert {found.code for found in graph_problems(graph)} >= {"flow.no_start", "flow.unknown_node"}
    assert isinstance(graph_warnings(graph), tuple)


KNOWN = vocabulary(
    [
        {
            "value": "fault",
            "label": {"zh": "故障", "en": "Fault"},
            "kind": "choice",
            "options": [
                {"value": "leak", "label": {"zh": "漏水", "en": "Leak"}},
                {"value": "noise", "label": {"zh": "异响", "en": "Noise"}},
            ],
        },
        {"value": "quote", "label": {"zh": "报价", "en": "Quote"}, "kind": "money", "options": []},
        {"value": "both", "label": {"zh": "两可", "en": "Both"}, "kind": "number", "options": []},
        {"value": "both", "label": {"zh": "两可", "en": "Both"}, "kind": "text", "options": []},
    ],
    zone="Asia/Shanghai",
)


def asks(field: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"combinator": "and", "rules": [{"field": field, "operator": operator, "value": value}]}


def told(*guards: dict[str, Any], default: bool = True, **more: Any) -> dict[tuple[str, str], Any]:
    """What is said of the ways out of a gateway, by path and code, with the example."""
    edges = [
        make_edge("sort", "n", key=f"w{index}", guard=guard, order=index)
        for index, guard in enumerate(guards)
    ]
    graph = make_graph(
        make_node("sort", "exclusive"),
        make_node("n", "task", **more),
        make_edge("start", "sort"),
        *([make_edge("sort", "n", key="else", default=True)] if default else []),
        *edges,
        make_edge("n", "end"),
        make_edge("n", "gone", kind="cancel"),
    )
    return {
        (found.path, found.code): found.params.get("example") for found in graph_warnings(graph, known=KNOWN)
    }


def test_ways_that_may_both_be_meant_are_shown_by_a_case_in_words() -> None:  # FLW-08 FLW-21
    found = told(asks("quote", ">=", "1000"), asks("quote", "<=", "1000"))

    assert found[("edges.w1.guard", "flow.guards_overlap")] == {
        "zh": "报价等于1,000.00",
        "en": "Quote is 1,000.00",
    }


def test_what_is_known_of_a_field_says_more_of_its_conditions() -> None:  # FLW-21
    assert told(asks("fault", "=", "smoke")) == {("edges.w0.guard", "flow.guard_never_holds"): None}
    assert told(asks("both", "=", "smoke")) == {}


def test_a_case_no_way_is_meant_for_is_told() -> None:  # FLW-21
    found = told(asks("fault", "=", "leak"), asks("fault", "null"), default=False)

    assert found == {
        ("nodes.sort", "flow.guards_leave_gap"): {"zh": "故障为“异响”", "en": "Fault is “Noise”"}
    }


def test_a_default_way_no_case_is_left_for_is_told() -> None:  # FLW-21
    every = (asks("fault", "=", "leak"), asks("fault", "=", "noise"), asks("fault", "null"))

    assert told(*every) == {("edges.else.default", "flow.default_never_taken"): None}
    assert told(*every[:2]) == {}


def test_a_row_that_the_rows_above_leave_nothing_for_is_told() -> None:  # FLW-06 FLW-21
    rows = (
        HandlerRule(asks("quote", ">", "100"), AGENTS),
        HandlerRule(asks("quote", ">", "500"), AGENTS),
        HandlerRule(asks("quote", "<", "50"), AGENTS),
    )

    assert told(handlers=rows) == {("nodes.n.handlers[1].when", "flow.row_never_reached"): None}
