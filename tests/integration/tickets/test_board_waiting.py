"""What a card waits for: preparation, parallel steps, photos; and whether its parts are ready."""

from datetime import datetime
from typing import Any

import pytest

from tests.builders.company import CHENGDU, Company, found_company
from ticket_console.desk.moving import cancel
from ticket_console.kernel.database import reading, transaction
from ticket_console.tickets import board, links
from ticket_console.tickets.board import BoardFilters


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def card(company: Company, ticket_id: int, by: str = "manager") -> dict[str, Any]:
    with reading() as connection:
        (found,) = board.changed_cards(
            connection,
            viewer=company.actor(by),
            filters=BoardFilters(),
            at=company.at,
            ticket_ids=[ticket_id],
        ).cards
    return found


def test_a_card_waits_for_the_preparation_ordered_for_it_and_its_parts_are_ready_after_it(
    company: Company,
) -> None:  # DSP-10
    place = {"lat": CHENGDU[0], "lon": CHENGDU[1]}
    ticket, prep = company.open(**place), company.open()
    with transaction() as connection:
        links.add(
            connection,
            from_id=ticket.ticket_id,
            to_id=prep.ticket_id,
            kind="prep",
            at=company.at,
            command_id="link",
        )
    waiting, elsewhere = card(company, ticket.ticket_id), card(company, ticket.ticket_id, by="dispatcher_cd")
    cancel(
        actor=company.actor("manager"),
        at=company.at,
        command_id="over",
        ticket_id=prep.ticket_id,
        expected_version=prep.version,
        reason="齐了",
    )

    assert (waiting["parts"], waiting["blocked"]) == (
        "short",
        [{"code": "board.blocked.predecessor", "params": {"no": prep.no}}],
    )
    # A ticket of another region is nothing a number of which may be told.
    assert elsewhere["blocked"] == [{"code": "board.blocked.other", "params": {}}]
    assert (card(company, ticket.ticket_id)["parts"], card(company, ticket.ticket_id)["blocked"]) == (
        "ready",
        [],
    )


def test_a_card_on_site_lacks_its_photo_and_one_without_links_waits_for_nothing(company: Company) -> None:
    ticket = company.open()
    free = card(company, ticket.ticket_id)
    company.act(ticket.ticket_id, ticket.version, by="manager")

    assert (free["blocked"], free["parts"]) == ([], None)
    assert card(company, ticket.ticket_id)["blocked"] == [
        {"code": "board.blocked.evidence", "params": {"n": 1}}
    ]
