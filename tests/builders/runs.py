"""Walking a flow in tests: what could be done next, and runs that are saved and restored on the way."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from ticket_console.flows.elements import EdgeKind, NodeKind
from ticket_console.flows.graph import Graph
from ticket_console.tickets.actions import (
    Action,
    Cancel,
    Complete,
    Open,
    Reject,
    SendBack,
    Step,
    TimerFired,
    TokenEntered,
    TokenLeft,
)
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking, TicketStatus

CANCEL = 40


@dataclass(frozen=True)
class Walked:
    """One step of a run."""

    before: Marking
    action: Action
    step: Step

    @property
    def after(self) -> Marking:
        return self.step.marking


def restored(marking: Marking) -> Marking:
    return Marking.of_json(json.loads(json.dumps(marking.as_json())))


def possible_actions(graph: Graph, marking: Marking) -> list[Action]:
    """Everything somebody could ask for, guards aside; the cancellation comes last."""
    found: list[Action] = []
    for token in marking.active():
        if graph.node_by_key[token.node_key].kind is NodeKind.TIMER:
            found.append(TimerFired(token.id))
            continue
        found += [
            TimerFired(token.id, edge.key) for edge in graph.edges_from(token.node_key, EdgeKind.TIMEOUT)
        ]
        found.append(Complete(token.id))
        ways = graph.edges_from(token.node_key, EdgeKind.FORWARD)
        found += [Complete(token.id, edge.key) for edge in ways if len(ways) > 1]
        found += [
            SendBack(token.id, "again", edge.key)
            for edge in graph.edges_from(token.node_key, EdgeKind.RETURN)
        ]
        found += [
            Reject(token.id, "no", edge.key) for edge in graph.edges_from(token.node_key, EdgeKind.REJECT)
        ]
    return [*found, Cancel("changed my mind")]


def run(
    graph: Graph, script: list[tuple[int, Mapping[str, object]]], *, restore: bool = False
) -> Iterator[Walked]:
    """Open a ticket and follow a script of choices for as long as it is open.

    Ambiguous completions are left out, so every step succeeds. Only a choice of `CANCEL` cancels.
    """
    ids = count(1)
    marking = Marking()
    for number, (choice, facts) in enumerate(script):
        action = Open() if number == 0 else _chosen(graph, marking, choice)
        step = advance(graph, marking, action, facts=facts, new_token_id=lambda: next(ids))
        yield Walked(marking, action, step)
        if step.marking.status is not TicketStatus.OPEN:
            return
        marking = restored(step.marking) if restore else step.marking


def _chosen(graph: Graph, marking: Marking, choice: int) -> Action:
    *actions, cancel = possible_actions(graph, marking)
    clear = [action for action in actions if not _is_ambiguous(graph, marking, action)]
    return cancel if choice == CANCEL else clear[choice % len(clear)]


def _is_ambiguous(graph: Graph, marking: Marking, action: Action) -> bool:
    if not isinstance(action, Complete) or action.edge_key is not None:
        return False
    token = marking.token(action.token_id)
    return token is not None and len(graph.edges_from(token.node_key, EdgeKind.FORWARD)) > 1


def history(walk: list[Walked]) -> list[dict[str, Any]]:
    """Events as commands append them: each carries what its step changed."""
    events = []
    for walked in walk:
        columns: dict[str, Any] = {"marking": walked.after.as_json(), "status": walked.after.status}
        if walked.before == Marking():
            columns["id"] = 1
        tokens: list[dict[str, Any]] = []
        for effect in walked.step.effects:
            if isinstance(effect, TokenEntered):
                tokens.append({"id": effect.token_id, "node_key": effect.node_key, "state": effect.state})
            elif isinstance(effect, TokenLeft):
                state = "cancelled" if effect.outcome == "cancelled" else "done"
                tokens.append({"id": effect.token_id, "state": state, "outcome": effect.outcome})
        delta = {"ticket": columns, "tokens": tokens}
        events.append({"type": type(walked.action).__name__, "payload": {"delta": delta}})
    return events
