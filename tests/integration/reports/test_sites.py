"""Every site at a glance: what is open, late and unassigned there, and how fast work begins."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import CHENGDU, Company, found_company
from tests.fixtures.databases import Database
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.reports.metrics import Slice, ticket_list
from ticket_console.reports.sites import SiteFigures, SiteOverview, site_overview
from ticket_console.tickets.tables import Ticket

_tickets = table(Ticket)


@pytest.fixture
def company(database: Database, at: datetime) -> Company:
    return found_company(at)


def overview(company: Company, login: str = "manager") -> SiteOverview:
    with reading() as connection:
        return site_overview(connection, company.actor(login), at=company.at)


def of(found: SiteOverview, site_id: int) -> SiteFigures:
    return next(site for site in found.sites if site.id == site_id)


def put(ticket_id: int, **columns: Any) -> None:
    with transaction() as connection:
        connection.execute(sa.update(_tickets).where(_tickets.c.id == ticket_id).values(**columns))


def test_each_site_has_its_own_figures(company: Company) -> None:  # RPT-05
    first, second, third = (company.open() for _ in range(3))
    company.open(lat=CHENGDU[0], lon=CHENGDU[1])
    put(first.ticket_id, due_at=company.at - timedelta(seconds=1), assignee_id=None)
    put(second.ticket_id, due_at=company.at, responded_at=company.at)
    put(second.ticket_id, opened_at=company.at - timedelta(minutes=30))
    put(third.ticket_id, closed_at=company.at, opened_at=company.at - timedelta(minutes=10))
    put(third.ticket_id, responded_at=company.at)

    found = overview(company)

    here = of(found, company.sites["sh"])
    assert (here.open, here.overdue, here.unassigned, here.recent) == (2, 1, 1, 3)
    assert (here.responded, here.response_seconds) == (2, 1200.0)
    assert of(found, company.sites["cd"]).open == 1
    assert found.elsewhere == 0


def test_what_was_long_ago_counts_no_more_and_what_is_nowhere_is_said(company: Company) -> None:
    old, nowhere = company.open(), company.open()
    put(old.ticket_id, opened_at=company.at - timedelta(days=31), closed_at=company.at)
    put(nowhere.ticket_id, site_id=None)

    found = overview(company)

    here = of(found, company.sites["sh"])
    assert (here.open, here.recent, here.response_seconds) == (0, 0, None)
    assert found.elsewhere == 1


def test_a_dispatcher_of_a_region_sees_its_sites_only(company: Company) -> None:
    company.open()
    company.open(lat=CHENGDU[0], lon=CHENGDU[1])

    found = overview(company, "dispatcher_cd")

    assert [site.id for site in found.sites] == [company.sites["cd"]]
    assert (found.sites[0].open, found.elsewhere) == (1, 0)
    with pytest.raises(Forbidden):
        overview(company, "tech_near")


def test_the_list_behind_a_figure_holds_that_sites_tickets(company: Company) -> None:
    here = company.open()
    company.open(lat=CHENGDU[0], lon=CHENGDU[1])

    with reading() as connection:
        found = ticket_list(
            connection,
            viewer=company.actor("manager"),
            at=company.at,
            metric=None,
            slice=Slice(site_id=company.sites["sh"]),
        )

    assert [row.id for row in found.rows] == [here.ticket_id]
