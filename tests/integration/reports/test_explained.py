"""From an amount to what it rests on: every fact finds its event; a leaf that is gone breaks the proof."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.integration.proof.journeys import STROKES, done_on_site
from ticket_console.desk import customer
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.reports import explained as reports
from ticket_console.reports.explained import Check, Explained, GroundKind
from ticket_console.settlement import payees, reads
from ticket_console.stock.tables import PartUsage
from ticket_console.tickets.tables import Ticket, TokenRow

EVERYTHING = {Check.RECOMPUTED: True, Check.FACTS: True, Check.HISTORY: True, Check.STOCK: True}


@pytest.fixture
def company(sqlite_database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def ticket_id(company: Company) -> int:
    """A repair with a photo, two capacitors, a signature and a difficulty of 1.2."""
    accepted = customer.accept(
        token=done_on_site(company).tracking_token,
        at=company.at + timedelta(hours=3),
        command_id="accept",
        signer_name="王芳",
        strokes=STROKES,
    )
    return accepted.ticket_id


def explained(company: Company, ticket_id: int, viewer: Actor) -> Explained:
    me = payees.technician(company.technicians["tech_near"])
    with reading() as conn:
        ratings = [
            each
            for each in reads.ticket_ratings(conn, viewer=viewer, ticket_id=ticket_id)
            if each.payee == me
        ]
        (found,) = reports.explained(conn, viewer=viewer, ratings=ratings)
    return found


def kinds(explained: Explained, fact: str) -> list[GroundKind]:
    return [each.kind for each in explained.grounds.get(fact, ())]


def test_every_fact_leads_to_what_set_it_and_the_ticket_to_its_evidence(
    company: Company, ticket_id: int
) -> None:  # STL-23, STL-27
    found = explained(company, ticket_id, company.actor("tech_near"))

    assert dict(found.checks) == EVERYTHING
    assert [each.event for each in found.grounds["urgency"]] == ["ticket.opened"]
    assert [each.event for each in found.grounds["labour_hours"]][-1] == "ticket.step_completed"
    assert kinds(found, "difficulty") == [GroundKind.EVENT, GroundKind.PHOTO]
    assert found.grounds["item:CAP-35"][0].name["zh"].endswith("× 2")
    assert [each.kind for each in found.work] == [GroundKind.PHOTO, GroundKind.SIGNATURE]
    assert found.story[0].event == "ticket.opened"
    assert "ticket.signed" in [each.event for each in found.story]


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        ("DELETE FROM part_usage", Check.STOCK),
        ("UPDATE part_usage SET quantity = '3'", Check.STOCK),
        ("UPDATE ticket SET head_hash = 'x'", Check.HISTORY),
    ],
)
def test_a_leaf_that_is_gone_or_changed_breaks_the_proof(
    company: Company, ticket_id: int, broken: str, check: Check
) -> None:
    with transaction() as conn:
        conn.execute(sa.text(broken))

    found = explained(company, ticket_id, company.actor("manager"))

    assert dict(found.checks) == {**EVERYTHING, check: False}


def test_who_may_not_see_the_ticket_sees_the_money_checked_and_nothing_else(
    company: Company, ticket_id: int
) -> None:  # PRM-04
    other = company.technicians["tech_far"]
    with transaction() as conn:
        # The ticket went on to somebody else; what was earned with it stays the technician's to read.
        conn.execute(sa.update(table(Ticket)).values(assignee_id=other))
        conn.execute(sa.update(table(TokenRow)).values(owner_id=other))

    found = explained(company, ticket_id, company.actor("tech_near"))

    assert dict(found.checks) == {Check.RECOMPUTED: True, Check.FACTS: True}
    assert (found.grounds, found.work, found.story, found.origin, found.title) == ({}, (), (), None, "")
    assert found.rating.total_minor > 0


def test_finance_is_not_shown_positions_nor_led_to_messages(company: Company, ticket_id: int) -> None:
    # PRM-04
    found = explained(company, ticket_id, company.actor("finance"))

    assert all(each.kind is not GroundKind.POSITION for each in _every_ground(found.grounds))
    assert found.origin is None or found.origin.raw_id is None


def _every_ground(grounds: Mapping[str, Any]) -> list[Any]:
    return [ground for some in grounds.values() for ground in some]


def test_bookings_are_told_by_part(company: Company, ticket_id: int) -> None:  # STL-12
    used = table(PartUsage)
    with reading() as conn:
        booked = conn.execute(sa.select(sa.func.count()).select_from(used)).scalar_one()
    found = explained(company, ticket_id, company.actor("manager"))

    told = [each for key, some in found.grounds.items() if key.startswith("item:") for each in some]
    assert len(told) == booked == 1
