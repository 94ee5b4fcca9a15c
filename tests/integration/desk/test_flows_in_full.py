"""What flows ask for, carried out on tickets: handler tables, timeouts, waits for an instant, actions."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.builders.flows import QUEUE, TECHNICIAN, is_equal, make_edge, make_graph, make_node
from ticket_console.clocks.tables import Timer, TimerState
from ticket_console.flows.elements import (
    CallWebhook,
    FieldUse,
    Handler,
    HandlerMode,
    HandlerRule,
    Join,
    Question,
    QuestionKind,
)
from ticket_console.flows.graph import Graph
from ticket_console.flows.publishing import publish_flow
from ticket_console.jobs import chores
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.tickets import reads
from ticket_console.tickets.tables import Event, OwnerKind, Ticket

AGENTS = Handler(HandlerMode.QUEUE, role="agent")
URGENT = is_equal("priority", 1)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def follow(company: Company, graph: Graph, code: str = "complaint") -> None:
    """New tickets of this kind run on the graph from now on."""
    with transaction() as connection:
        publish_flow(
            connection,
            actor=company.actor("manager"),
            at=company.at,
            code=code,
            name={"zh": "流程", "en": "Flow"},
            graph=graph,
        )


def standing(ticket_id: int) -> dict[str, Any]:
    with reading() as connection:
        return {token["node_key"]: token for token in reads.live_tokens(connection, ticket_id)}


def status(ticket_id: int) -> str:
    tickets = table(Ticket)
    with reading() as connection:
        query = sa.select(tickets.c.status).where(tickets.c.id == ticket_id)
        return str(connection.execute(query).scalar_one())


def said(ticket_id: int) -> list[str]:
    with reading() as connection:
        return [event["type"] for event in reads.events_of(connection, ticket_id)]


def timers(ticket_id: int) -> list[tuple[TimerState, datetime]]:
    made = table(Timer)
    query = sa.select(made.c.state, made.c.due_at).where(made.c.ticket_id == ticket_id).order_by(made.c.id)
    with reading() as connection:
        return [(row.state, row.due_at) for row in connection.execute(query)]


def test_a_handler_table_sends_a_step_to_the_first_row_that_holds(company: Company) -> None:  # FLW-06
    ruled = make_node(
        "look",
        "task",
        handler=QUEUE,
        handlers=(
            HandlerRule(is_equal("source", "phone"), TECHNICIAN),
            HandlerRule(is_equal("source", "web"), AGENTS),
        ),
    )
    follow(company, make_graph(ruled, make_edge("start", "look"), make_edge("look", "end")))

    by_source = {
        source: standing(company.open(template="complaint", source=source).ticket_id)["look"]
        for source in ("phone", "web", "email")
    }

    assert by_source["phone"]["owner_kind"] is OwnerKind.TECHNICIAN
    assert by_source["phone"]["owner_id"] == company.technicians["tech_near"]
    assert (by_source["web"]["owner_kind"], by_source["web"]["queue_role"]) == (OwnerKind.QUEUE, "agent")
    assert (by_source["email"]["owner_kind"], by_source["email"]["queue_role"]) == (
        OwnerKind.QUEUE,
        "dispatcher",
    )


ESCALATING = make_graph(
    make_node("look", "task", handler=AGENTS),
    make_node("boss", "task", handler=QUEUE),
    make_edge("start", "look"),
    make_edge("look", "end"),
    make_edge("look", "boss", kind="timeout", key="late", after_seconds=3600),
    make_edge("look", "end", kind="timeout", key="forgotten", after_seconds=7200),
    make_edge("boss", "end"),
)


def test_a_step_nobody_does_in_time_goes_the_way_of_its_timeout_once(company: Company) -> None:  # FLW-12
    follow(company, ESCALATING)
    opened = company.open(template="complaint")
    hour = company.at + timedelta(hours=1)

    assert chores.fire_timers(hour - timedelta(seconds=1))["fired"] == 0
    assert chores.fire_timers(hour) == {"fired": 1, "passed_over": 0, "failed": 0}

    assert list(standing(opened.ticket_id)) == ["boss"]
    assert [state for state, _ in timers(opened.ticket_id)] == [TimerState.FIRED, TimerState.CANCELLED]
    assert said(opened.ticket_id).count("ticket.timed_out") == 1
    assert chores.fire_timers(hour + timedelta(days=9)) == {"fired": 0, "passed_over": 0, "failed": 0}
    assert list(standing(opened.ticket_id)) == ["boss"]


def test_a_step_done_in_time_disarms_its_timeouts(company: Company) -> None:
    follow(company, ESCALATING)
    opened = company.open(template="complaint")

    company.act(opened.ticket_id, opened.version, by="agent")

    assert status(opened.ticket_id) == "closed"
    assert {state for state, _ in timers(opened.ticket_id)} == {TimerState.CANCELLED}


@pytest.mark.parametrize("appointment", ["2026-12-05T09:30:00+08:00", None])
def test_a_timer_waits_for_the_instant_in_its_field_or_not_at_all_where_there_is_none(
    company: Company, appointment: str | None
) -> None:
    follow(
        company,
        make_graph(
            make_node("plan", "task", handler=AGENTS, fields=(FieldUse("appointment"),)),
            make_node("until", "timer", delay_seconds=None, until_field="appointment"),
            make_edge("start", "plan"),
            make_edge("plan", "until"),
            make_edge("until", "end"),
        ),
        code="repair",
    )
    opened = company.open()

    company.act(
        opened.ticket_id,
        opened.version,
        by="agent",
        values={} if appointment is None else {"appointment": appointment},
    )

    due = company.at if appointment is None else datetime.fromisoformat(appointment)
    assert timers(opened.ticket_id) == [(TimerState.ARMED, due)]
    assert chores.fire_timers(due)["fired"] == 1
    assert status(opened.ticket_id) == "closed"


def test_actions_and_surveys_stand_in_the_history_when_they_are_due(company: Company) -> None:
    told = make_node("tell", "automatic", actions=(CallWebhook("https://example.com/hook"),))
    asked = make_node("ask", "survey", questions=(Question("score", QuestionKind.RATING, {"en": "Well?"}),))
    follow(
        company,
        make_graph(
            make_node("look", "task", handler=AGENTS),
            told,
            asked,
            make_edge("start", "look"),
            make_edge("look", "tell"),
            make_edge("tell", "ask"),
            make_edge("ask", "end"),
        ),
    )
    opened = company.open(template="complaint")
    events = table(Event)
    with reading() as connection:
        before = connection.execute(sa.select(sa.func.count()).select_from(events)).scalar_one()

    company.act(opened.ticket_id, opened.version, by="agent")

    with reading() as connection:
        after = connection.execute(sa.select(sa.func.count()).select_from(events)).scalar_one()
    assert said(opened.ticket_id)[-4:] == [
        "ticket.step_completed",
        "ticket.webhook_due",
        "ticket.survey_asked",
        "ticket.closed",
    ]
    assert after == before + 4


def test_work_in_some_branches_is_given_up_when_enough_of_them_came(company: Company) -> None:
    steps = tuple(make_node(key, "task", handler=AGENTS) for key in ("a", "b", "c"))
    follow(
        company,
        make_graph(
            make_node("split", "parallel"),
            *steps,
            make_node("two", "parallel", join=Join.SOME, join_count=2),
            make_edge("start", "split"),
            *(make_edge("split", step.key) for step in steps),
            *(make_edge(step.key, "two") for step in steps),
            make_edge("two", "end"),
        ),
    )
    opened = company.open(template="complaint")
    tokens = standing(opened.ticket_id)

    first = company.act(opened.ticket_id, opened.version, by="agent", token_id=tokens["a"]["id"])
    assert set(standing(opened.ticket_id)) == {"b", "c"}
    company.act(opened.ticket_id, first.version, by="agent", token_id=tokens["c"]["id"])

    assert standing(opened.ticket_id) == {}
    assert status(opened.ticket_id) == "closed"
