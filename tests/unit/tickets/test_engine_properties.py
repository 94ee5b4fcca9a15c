"""What holds on every valid flow, whatever is done to a ticket."""

from collections import Counter
from itertools import combinations, count, pairwise
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.flows import facts, graphs
from tests.builders.runs import CANCEL, Walked, history, possible_actions, restored, run
from ticket_console.flows.elements import WAITING_KINDS, EdgeKind, Join, NodeKind
from ticket_console.flows.graph import Graph
from ticket_console.flows.validation import graph_problems
from ticket_console.tickets.actions import (
    AmbiguousMove,
    Cancel,
    Closed,
    Complete,
    FieldsSet,
    GuardNotMet,
    HandlerNeeded,
    Open,
    Reject,
    SendBack,
    TimerArmed,
    TimerFired,
    TokenEntered,
    TokenLeft,
)
from ticket_console.tickets.engine import advance
from ticket_console.tickets.fold import fold
from ticket_console.tickets.marking import Marking, TicketStatus, TokenState
from ticket_console.tickets.moves import preview, reachable_moves, stage_of

scripts = st.lists(st.tuples(st.integers(0, CANCEL), facts()), min_size=6, max_size=25)
walks = settings(max_examples=100)


@walks
@given(graphs())
def test_the_random_flows_are_valid(graph: Graph) -> None:
    assert graph_problems(graph) == ()


@walks
@given(graphs(), st.integers(0, 2**32))
def test_every_valid_flow_finishes_under_random_actions(graph: Graph, seed: int) -> None:
    chance, ids = Random(seed), count(1)
    marking = advance(graph, Marking(), Open(), facts={}, new_token_id=ids.__next__).marking
    for _ in range(600):
        if marking.status is not TicketStatus.OPEN:
            break
        action = chance.choice(possible_actions(graph, marking))
        known = {"level": chance.choice([None, 0, 1, 2, 3])}
        try:
            marking = advance(graph, marking, action, facts=known, new_token_id=ids.__next__).marking
        except (AmbiguousMove, GuardNotMet):
            # A person has to say which way, or the way named is closed: nothing happened.
            continue

    assert marking.status is not TicketStatus.OPEN
    assert marking.tokens == ()


def test_the_random_flows_hold_everything_a_flow_may_have() -> None:
    """Lest the properties above hold because there was nothing to hold for."""
    seen: set[object] = set()
    wanted = {
        *NodeKind,
        *Join,
        *EdgeKind,
        "handler table",
        "until",
    } - {NodeKind.SUBFLOW}

    @settings(max_examples=300, database=None)
    @given(graphs())
    def look(graph: Graph) -> None:
        seen.update(node.kind for node in graph.nodes)
        seen.update(node.join for node in graph.nodes if node.join is not None)
        seen.update(edge.kind for edge in graph.edges)
        seen.update("handler table" for node in graph.nodes if node.handlers)
        seen.update("until" for node in graph.nodes if node.until_field is not None)

    look()

    assert wanted - seen == set()


@walks
@given(graphs(), scripts)
def test_a_step_is_for_the_first_row_of_its_table_that_holds(graph: Graph, script: list) -> None:  # FLW-06
    for (_, given_facts), walked in zip(script, run(graph, script), strict=False):
        known = dict(given_facts)
        for effect in walked.step.effects:
            if isinstance(effect, FieldsSet):
                known |= effect.values
            if isinstance(effect, HandlerNeeded):
                node = graph.node_by_key[effect.node_key]
                ruled = [rule.handler for rule in node.handlers if known["level"] == 1]
                assert effect.handler == (ruled or [node.handler])[0]


@walks
@given(graphs(), scripts)
def test_every_timeout_of_a_step_is_armed_when_a_token_comes_to_it(graph: Graph, script: list) -> None:
    for walked in run(graph, script):
        armed = {
            (effect.token_id, effect.edge_key)
            for effect in walked.step.effects
            if isinstance(effect, TimerArmed)
        }
        due = {
            (effect.token_id, edge.key)
            for effect in walked.step.effects
            if isinstance(effect, TokenEntered) and effect.state is TokenState.ACTIVE
            for edge in graph.edges_from(effect.node_key, EdgeKind.TIMEOUT)
        }

        assert {pair for pair in armed if pair[1] is not None} == due


@walks
@given(graphs(), scripts)
def test_an_inclusive_fork_is_as_wide_as_the_conditions_that_hold(graph: Graph, script: list) -> None:
    for walked in run(graph, script):
        for token in walked.after.tokens:
            for fork in token.forks:
                split = graph.node_by_key[graph.edge_by_key[fork.branch].source]
                if split.kind is NodeKind.INCLUSIVE:
                    taken = {
                        graph.edge_by_key[each.branch].default
                        for other in walked.after.tokens
                        for each in other.forks
                        if each.id == fork.id
                    }
                    assert len(taken) == 1


@walks
@given(graphs(), scripts)
def test_a_token_moves_only_along_edges(graph: Graph, script: list) -> None:
    for walked in run(graph, script):
        left = {effect.token_id: effect for effect in walked.step.effects if isinstance(effect, TokenLeft)}
        entered = [effect for effect in walked.step.effects if isinstance(effect, TokenEntered)]
        closed = [effect for effect in walked.step.effects if isinstance(effect, Closed) and effect.path]
        departures = {effect.edge_key for effect in left.values()} | {
            edge.key for edge in graph.edges_from("start", EdgeKind.FORWARD) if walked.before == Marking()
        }

        for rest in [*entered, *closed]:
            edges = [graph.edge_by_key[key] for key in rest.path]
            assert edges[0].key in departures
            assert edges[-1].target == rest.node_key
            assert all(ahead.source == edge.target for edge, ahead in pairwise(edges))
            assert all(graph.node_by_key[edge.target].kind not in WAITING_KINDS for edge in edges[:-1])
        assert all(
            graph.edge_by_key[effect.edge_key].source == effect.node_key
            for effect in left.values()
            if effect.edge_key is not None
        )


@walks
@given(graphs(), scripts)
def test_tokens_come_and_go_only_as_the_effects_say(graph: Graph, script: list) -> None:
    for walked in run(graph, script):
        before, after = set(walked.before.tokens), set(walked.after.tokens)
        entered = {effect.token_id for effect in walked.step.effects if isinstance(effect, TokenEntered)}
        left = {effect.token_id for effect in walked.step.effects if isinstance(effect, TokenLeft)}

        assert {token.id for token in after - before} == entered
        assert {token.id for token in before - after} == left


@walks
@given(graphs(), scripts)
def test_an_open_ticket_always_has_an_active_token_with_an_owner_a_queue_or_a_timer(
    graph: Graph, script: list
) -> None:  # FLW-19
    cared_for: set[int] = set()
    for walked in run(graph, script):
        effects = walked.step.effects
        cared_for |= {effect.token_id for effect in effects if isinstance(effect, HandlerNeeded | TimerArmed)}
        active = {token.id for token in walked.after.active()}

        assert bool(active) == (walked.after.status is TicketStatus.OPEN)
        assert active <= cared_for
        assert (stage_of(graph, walked.after) in graph.stage_by_key) is True


@walks
@given(graphs(), scripts)
def test_a_finished_ticket_has_no_token_left_and_stands_at_an_end(graph: Graph, script: list) -> None:
    after = list(run(graph, script))[-1].after
    is_finished = after.status is not TicketStatus.OPEN

    assert (after.tokens == ()) == is_finished
    assert after.ended_at in ({"end", "gone", None} if is_finished else {None})
    assert (after.ended_at == "end") == (after.status is TicketStatus.CLOSED)


@walks
@given(graphs(), scripts)
def test_saving_and_restoring_between_any_two_steps_changes_nothing(graph: Graph, script: list) -> None:
    straight = list(run(graph, script))
    interrupted = list(run(graph, script, restore=True))

    assert interrupted == straight
    assert [restored(walked.after) for walked in straight] == [walked.after for walked in straight]


@walks
@given(graphs(), scripts)
def test_the_history_folds_into_the_row_and_its_tokens(graph: Graph, script: list) -> None:
    walk = list(run(graph, script))
    after = walk[-1].after

    folded = fold(history(walk))

    rows = folded.tokens.values()
    live = {row["id"]: row["node_key"] for row in rows if row["state"] in ("active", "waiting")}
    assert folded.ticket["marking"] == after.as_json()
    assert folded.ticket["status"] == after.status.value
    assert live == {token.id: token.node_key for token in after.tokens}


@walks
@given(graphs(), scripts)
def test_progress_falls_only_when_work_goes_back_and_is_full_exactly_when_closed(
    graph: Graph, script: list
) -> None:
    for walked in run(graph, script):
        went_back = isinstance(walked.action, SendBack | Reject)

        assert 0 <= walked.after.progress_bp <= 10_000
        assert went_back or walked.after.progress_bp >= walked.before.progress_bp
        assert (walked.after.progress_bp == 10_000) == (walked.after.status is TicketStatus.CLOSED)


@walks
@given(graphs(), scripts)
def test_every_return_and_rejection_back_is_counted_at_the_node_that_asked_for_it(
    graph: Graph, script: list
) -> None:  # FLW-10
    walk = list(run(graph, script))
    sent_back = Counter(_node_sending_back(graph, walked) for walked in walk)
    del sent_back[None]

    assert dict(walk[-1].after.returns) == dict(sent_back)


def _node_sending_back(graph: Graph, walked: Walked) -> str | None:
    for effect in walked.step.effects:
        if isinstance(effect, TokenLeft) and effect.outcome in ("returned", "rejected"):
            assert effect.edge_key is not None
            target = graph.edge_by_key[effect.edge_key].target
            return None if graph.node_by_key[target].kind is NodeKind.END else effect.node_key
    return None


@walks
@given(graphs(), scripts)
def test_tokens_wait_only_at_joins_and_only_for_siblings_still_at_work(graph: Graph, script: list) -> None:
    for walked in run(graph, script):
        for token in walked.after.tokens:
            waits = token.state is TokenState.WAITING
            fork = token.forks[-1].id if token.forks else None
            depth = len(token.forks) - 1
            siblings = [
                other
                for other in walked.after.active()
                if len(other.forks) > depth and depth >= 0 and other.forks[depth].id == fork
            ]

            assert waits == (graph.node_by_key[token.node_key].join is not None)
            assert siblings or not waits


@walks
@given(graphs(), scripts)
def test_tokens_are_where_their_forks_say_and_any_two_parted_at_one_split(
    graph: Graph, script: list
) -> None:  # FLW-12
    for walked in run(graph, script):
        for token in walked.after.tokens:
            own_branch = token.forks[-1:] if token.state is TokenState.WAITING else ()
            under = (*graph.structure.branches[token.node_key], *(fork.branch for fork in own_branch))
            assert tuple(fork.branch for fork in token.forks) == under
        for one, other in combinations(walked.after.tokens, 2):
            parted = [pair for pair in zip(one.forks, other.forks, strict=False) if pair[0] != pair[1]]
            assert parted
            assert parted[0][0].id == parted[0][1].id


@walks
@given(graphs(), scripts)
def test_tokens_are_cancelled_only_by_an_end_a_way_back_or_a_join_that_needs_one(
    graph: Graph, script: list
) -> None:
    for walked in run(graph, script):
        effects = walked.step.effects
        cancelled = [
            effect for effect in effects if isinstance(effect, TokenLeft) and effect.edge_key is None
        ]
        passed = [key for effect in effects if isinstance(effect, TokenEntered) for key in effect.path]
        joins = {graph.node_by_key[graph.edge_by_key[key].target].join for key in passed}
        reasons = [
            walked.after.status is not TicketStatus.OPEN,
            isinstance(walked.action, SendBack | Reject),
            isinstance(walked.action, TimerFired) and walked.action.edge_key is not None,
            not joins.isdisjoint({Join.ANY, Join.SOME}),
        ]

        assert any(reasons) or all(effect.outcome == "done" for effect in cancelled)


@walks
@given(graphs(), scripts)
def test_work_that_goes_back_counts_as_not_done(graph: Graph, script: list) -> None:
    for walked in run(graph, script):
        went_back = isinstance(walked.action, SendBack | Reject)
        entered = {
            effect.node_key
            for effect in walked.step.effects
            if went_back and isinstance(effect, TokenEntered)
        }

        assert entered & walked.after.passed == set()


@walks
@given(graphs(), scripts)
def test_whatever_is_open_can_be_cancelled(graph: Graph, script: list) -> None:
    for walked in list(run(graph, script))[1:]:
        after = advance(graph, walked.before, Cancel("enough"), facts={}, new_token_id=lambda: 0).marking

        assert after.status is TicketStatus.CANCELLED
        assert after.tokens == ()
        assert after.progress_bp == walked.before.progress_bp


@walks
@given(graphs(), scripts)
def test_the_moves_offered_are_the_edges_people_may_take(graph: Graph, script: list) -> None:
    for walked in list(run(graph, script))[1:]:
        *moves, cancel = reachable_moves(graph, walked.before)
        edges = [
            (token.id, edge.key)
            for token in walked.before.active()
            if graph.node_by_key[token.node_key].kind is not NodeKind.TIMER
            for kind in (EdgeKind.FORWARD, EdgeKind.RETURN, EdgeKind.REJECT)
            for edge in graph.edges_from(token.node_key, kind)
        ]

        assert [(move.token_id, move.edge_key) for move in moves] == edges
        assert (cancel.token_id, cancel.kind, cancel.to_stage) == (None, EdgeKind.CANCEL, "cancelled")
        assert len(possible_actions(graph, walked.before)) >= 2


@walks
@given(graphs(), scripts)
def test_a_move_that_names_its_stage_leads_there(graph: Graph, script: list) -> None:
    alone = [walked.before for walked in list(run(graph, script))[1:] if len(walked.before.tokens) == 1]
    for marking in alone:
        landed = {
            move.to_stage: preview(graph, marking, Complete(move.token_id, move.edge_key), {})
            for move in reachable_moves(graph, marking)
            if move.kind is EdgeKind.FORWARD and move.to_stage is not None and move.token_id is not None
        }

        assert list(landed) == list(landed.values())
