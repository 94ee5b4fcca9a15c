"""How long a ticket stands at its step: on its card and at the step, and late where the step says so."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.builders.company import Company, found_company
from tests.integration.desk.test_reaching_out import step, use_flow
from ticket_console.desk.page import StepView, ticket_page
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import reading
from ticket_console.tickets.board import BoardFilters, Card, board_snapshot, changed_cards

HOUR = timedelta(hours=1)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    made = found_company(at)
    use_flow(made, step("a", targets={"finish_minutes": 90}), step("b"))
    return made


def card(company: Company, ticket_id: int) -> Card:
    with reading() as connection:
        cards, gone, _, _ = changed_cards(
            connection,
            viewer=company.actor("manager"),
            filters=BoardFilters(),
            at=company.at,
            ticket_ids=[ticket_id],
        )
    assert gone == frozenset()
    return cards[0]


def standing(company: Company, ticket_id: int, viewer: Actor) -> StepView:
    with reading() as connection:
        (found,) = ticket_page(connection, viewer=viewer, ticket_id=ticket_id, at=company.at).steps
    return found


def test_a_card_says_since_when_it_stands_and_when_that_is_late(company: Company) -> None:  # FLW-16 FLW-19
    ticket = company.open()

    first = card(company, ticket.ticket_id)
    company.act(ticket.ticket_id, ticket.version, by="agent", at=company.at + HOUR)
    second = card(company, ticket.ticket_id)

    assert first["since"] == instant_text(company.at)
    assert first["late_at"] == instant_text(company.at + 1.5 * HOUR)
    assert second["since"] == instant_text(company.at + HOUR)
    assert "late_at" not in second


def test_the_whole_board_says_what_a_single_card_says(company: Company) -> None:  # FLW-19
    ids = [company.open().ticket_id for _ in range(3)]

    with reading() as connection:
        board = board_snapshot(
            connection, viewer=company.actor("manager"), filters=BoardFilters(), at=company.at
        )

    shown = {each["id"]: each for lane in board.lanes for each in lane.cards}
    assert {key: shown[key] for key in ids} == {key: card(company, key) for key in ids}


def test_an_ended_ticket_stands_nowhere(company: Company) -> None:
    ticket = company.open()
    moved = company.act(ticket.ticket_id, ticket.version, by="agent")
    company.act(ticket.ticket_id, moved.version, by="agent")

    ended: dict[str, Any] = card(company, ticket.ticket_id)

    assert ended["closed_at"] is not None
    assert "since" not in ended


def test_the_step_says_when_it_is_late_but_not_to_customers(company: Company) -> None:  # FLW-16
    ticket_id = company.open().ticket_id
    customer = Actor(kind=ActorKind.CUSTOMER, org_id=company.org_id, display="", ticket_id=ticket_id)

    assert standing(company, ticket_id, company.actor("manager")).late_at == company.at + 1.5 * HOUR
    assert standing(company, ticket_id, customer).late_at is None
