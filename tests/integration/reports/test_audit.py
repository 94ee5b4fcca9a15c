"""The trail of everything done: what is found, by whom, page by page, and whether a history is whole."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.access import audit
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.reports.audit import Asked, Deeds, Trail, check_chain, search
from ticket_console.tickets.tables import Ticket
from ticket_console.tickets.writing import TicketNotFound

DAY = timedelta(days=1)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def find(company: Company, *, by: str = "manager", **changes: str) -> Deeds:
    asked = Asked(since=company.at - DAY, until=company.at + DAY, **changes)
    with reading() as connection:
        return search(connection, company.actor(by), asked)


def record(company: Company, action: str) -> None:
    with transaction() as connection:
        audit.record(
            connection,
            at=company.at,
            actor=system_actor(company.org_id),
            action=action,
            subject="user:7",
            command_id=action,
        )


# PRM-07
def test_deeds_on_tickets_and_beside_them_are_found_together(company: Company) -> None:
    opened = company.open()
    record(company, "user.disabled")

    found = find(company)

    assert {(each.what, each.ticket_no) for each in found.deeds} >= {
        ("ticket.opened", opened.no),
        ("audit.deed.user.disabled", None),
    }
    assert [each.at for each in found.deeds] == sorted((each.at for each in found.deeds), reverse=True)


# PRM-07
def test_deeds_are_found_by_type_kind_person_and_ticket(company: Company) -> None:
    first, second = company.open(), company.open()
    record(company, "user.disabled")

    assert {each.what for each in find(company, what="user").deeds} == {"audit.deed.user.disabled"}
    assert {each.what for each in find(company, what="ticket.opened").deeds} == {"ticket.opened"}
    assert {each.ticket_id for each in find(company, ticket_no=first.no).deeds} == {first.ticket_id}
    assert find(company, who="nobody%").deeds == ()
    name = find(company, ticket_no=second.no).deeds[-1].actor_name
    assert {each.actor_name for each in find(company, who=name.upper()).deeds} == {name}
    with pytest.raises(TicketNotFound):
        find(company, ticket_no="WO-404")


def test_pages_follow_each_other_without_a_gap(company: Company) -> None:
    for number in range(4):
        company.open()
        record(company, f"user.deed_{number}")
    asked = Asked(since=company.at - DAY, until=company.at + DAY)
    everything = find(company).deeds
    paged, after = [], None
    with reading() as connection:
        while True:
            page = search(connection, company.actor("manager"), asked, after=after, limit=3)
            paged += page.deeds
            after = page.following
            if after is None:
                break

    assert tuple(paged) == everything
    assert {each.trail for each in paged} == set(Trail)


def test_only_those_who_audit_look(company: Company) -> None:
    with pytest.raises(Forbidden):
        find(company, by="dispatcher")
    with reading() as connection, pytest.raises(Forbidden):
        check_chain(connection, company.actor("dispatcher"), ticket_no="WO-1")


# PRM-07
def test_a_history_is_whole_until_somebody_changes_it(company: Company) -> None:
    opened = company.open()
    with reading() as connection:
        whole = check_chain(connection, company.actor("manager"), ticket_no=opened.no)
    assert (whole.broken_at, whole.events > 0) == (None, True)

    ticket = table(Ticket)
    with transaction() as connection:
        # The events themselves are guarded by the database; what a ticket says of them is not.
        connection.execute(
            sa.update(ticket)
            .where(ticket.c.id == opened.ticket_id)
            .values(event_count=ticket.c.event_count + 1)
        )
    with reading() as connection:
        broken = check_chain(connection, company.actor("manager"), ticket_no=opened.no)
    assert broken.broken_at is not None
