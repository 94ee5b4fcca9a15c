"""Copies for measuring: many, quick, and as true to the invariants as what they were copied from."""

from datetime import datetime

import pytest
import sqlalchemy as sa

from tests.integration.demo import books
from tests.integration.demo.conftest import FEW, cast_of
from ticket_console.demo.bulk import MOST_ORIGINALS, NothingToCopy, fill
from ticket_console.demo.seed import Seeded, found
from ticket_console.desk import customer
from ticket_console.desk.opening import NewTicket, open_ticket
from ticket_console.desk.page import ticket_page
from ticket_console.dispatch.tables import Assignment
from ticket_console.intake.tables import RawIntake
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.settings import settings
from ticket_console.tickets import tracking
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.tables import Event, Ticket

COPIES = 300


def test_copies_keep_every_invariant_of_a_ticket(young_company: Seeded, at: datetime) -> None:
    filled = fill(tickets=COPIES, at=at)

    tickets, events = table(Ticket), table(Event)
    with reading() as connection:
        assert books.histories_that_disagree(connection) == {}
        assert books.broken_chains(connection) == []
        assert books.lane_counts_that_disagree(connection) == {}
        assert books.loads_that_disagree(connection) == {}
        assert books.open_tickets_nobody_has(connection) == []
        copied = connection.execute(
            sa.select(tickets.c.status, sa.func.count())
            .where(tickets.c.raw_intake_id.in_(sa.select(table(RawIntake).c.id).where(_copied())))
            .group_by(tickets.c.status)
        )
        counts = {row[0]: row[1] for row in copied}
        latest = connection.execute(sa.select(sa.func.max(events.c.at))).scalar_one()
    assert filled.tickets == COPIES == sum(counts.values())
    assert counts == {TicketStatus.CLOSED: COPIES - filled.still_open, TicketStatus.OPEN: filled.still_open}
    assert 0 < filled.still_open < COPIES / 8
    assert latest <= at


def _copied() -> sa.ColumnElement[bool]:
    return table(RawIntake).c.external_id.startswith("copy:")


def test_a_console_full_of_copies_works_on(young_company: Seeded, at: datetime) -> None:
    fill(tickets=COPIES, at=at)
    cast = cast_of(young_company)
    agent, manager = cast.office[Role.AGENT], cast.office[Role.MANAGER]
    tickets = table(Ticket)
    with reading() as connection:
        newest = connection.execute(sa.select(sa.func.max(tickets.c.id))).scalar_one()
        page = ticket_page(connection, viewer=manager, ticket_id=newest, at=at)
    link = tracking.tracking_token(secret=settings().secret_key, ticket_id=newest)
    request = NewTicket(
        template_code="repair", title="空调不制冷", values={"category": "hvac"}, site_code="SH-05"
    )

    opened = open_ticket(actor=agent, at=at, command_id="after", request=request)

    assert page.no == f"WO-{newest}"
    assert customer.customer_of(link)[1].ticket_id == newest
    assert opened.ticket_id > newest
    assert opened.assignee_id is not None


def test_copies_of_two_fillings_never_meet(young_company: Seeded, at: datetime) -> None:
    fill(tickets=20, at=at)
    fill(tickets=20, at=at)

    with reading() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(table(Ticket))).scalar_one()
        claimed = connection.execute(sa.select(sa.func.count()).select_from(table(Assignment))).scalar_one()
    assert count == FEW + 40
    assert claimed > 40


def test_a_company_without_a_past_first_gets_a_short_one(database: object, at: datetime) -> None:
    founded = found(at=at)
    assert founded is not None

    fill(tickets=20, at=at)

    with reading() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(table(Ticket))).scalar_one()
        assert count == MOST_ORIGINALS + 20
        assert books.histories_that_disagree(connection) == {}


def test_without_the_demo_company_there_is_nothing_to_copy(database: object, at: datetime) -> None:
    with pytest.raises(NothingToCopy):
        fill(tickets=1, at=at)
