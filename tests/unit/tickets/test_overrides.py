"""Skipping and jumping in the engine: what happens to parallel work and to the progress."""

from itertools import count

import pytest

from tests.builders.flows import make_edge, make_graph, make_node
from ticket_console.flows.elements import Join
from ticket_console.flows.graph import Graph
from ticket_console.tickets.actions import Complete, Jump, NoSuchStep, Open, Skip
from ticket_console.tickets.engine import advance
from ticket_console.tickets.marking import Marking


def parallel_flow() -> Graph:
    return make_graph(
        make_node("first", "task"),
        make_node("split", "parallel"),
        make_node("left", "task"),
        make_node("right", "task"),
        make_node("join", "parallel", join=Join.ALL),
        make_node("last", "task"),
        make_edge("start", "first"),
        make_edge("first", "split"),
        make_edge("split", "left"),
        make_edge("split", "right"),
        make_edge("left", "join"),
        make_edge("right", "join"),
        make_edge("join", "last"),
        make_edge("last", "end"),
    )


class Ticket:
    def __init__(self, graph: Graph) -> None:
        self.graph, self.marking, self.ids = graph, Marking(), count(1)
        self.do(Open())

    def do(self, action: Open | Complete | Skip | Jump) -> None:
        step = advance(self.graph, self.marking, action, facts={}, new_token_id=lambda: next(self.ids))
        self.marking = step.marking

    def at(self, node_key: str) -> int:
        return next(token.id for token in self.marking.tokens if token.node_key == node_key)

    @property
    def places(self) -> list[str]:
        return [token.node_key for token in self.marking.tokens]


def test_leaving_parallel_work_by_hand_ends_its_other_branches() -> None:
    ticket = Ticket(parallel_flow())
    ticket.do(Complete(ticket.at("first")))
    assert ticket.places == ["left", "right"]

    ticket.do(Jump(ticket.at("left"), "last", "why"))

    assert ticket.places == ["last"]


def test_nobody_gets_into_parallel_work_by_hand() -> None:
    ticket = Ticket(parallel_flow())

    with pytest.raises(NoSuchStep):
        ticket.do(Jump(ticket.at("first"), "left", "why"))

    assert ticket.places == ["first"]


def test_a_skipped_branch_counts_at_its_join() -> None:
    ticket = Ticket(parallel_flow())
    ticket.do(Complete(ticket.at("first")))
    ticket.do(Skip(ticket.at("left"), "why"))
    ticket.do(Complete(ticket.at("right")))

    assert ticket.places == ["last"]


def test_going_back_by_hand_asks_for_the_work_again() -> None:
    ticket = Ticket(parallel_flow())
    start = ticket.marking.progress_bp
    ticket.do(Complete(ticket.at("first")))
    ticket.do(Jump(ticket.at("left"), "first", "why"))

    assert ticket.places == ["first"]
    assert ticket.marking.progress_bp == start
    assert "first" not in ticket.marking.passed
    assert Marking.of_json(ticket.marking.as_json()) == ticket.marking
