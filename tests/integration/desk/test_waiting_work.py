"""Work that nobody has: who could take it, and looking for somebody once more."""

from datetime import datetime

import pytest

from tests.builders.company import Company, found_company
from ticket_console.desk.offering import offers_for
from ticket_console.desk.opening import OpenedTicket
from ticket_console.desk.waiting import LookedAgain, look_again, look_again_at_all
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden
from ticket_console.people.duty import set_on_duty
from ticket_console.tickets.reads import find_ticket
from ticket_console.tickets.writing import TicketNotFound


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def set_duty(company: Company, *logins: str, is_on_duty: bool) -> None:
    for login in logins:
        set_on_duty(
            actor=company.system,
            at=company.at,
            command_id=company.command_id(),
            technician_id=company.technicians[login],
            is_on_duty=is_on_duty,
        )


@pytest.fixture
def waiting(company: Company) -> OpenedTicket:
    """A ticket in Shanghai while nobody there is on duty."""
    set_duty(company, "tech_near", "tech_far", is_on_duty=False)
    opened = company.open()
    assert opened.assignee_id is None
    return opened


def assignee(company: Company, ticket_id: int) -> int | None:
    with reading() as connection:
        found: int | None = find_ticket(connection, viewer=company.system, ticket_id=ticket_id)["assignee_id"]
    return found


# DSP-03
def test_a_dispatcher_sees_everybody_with_what_is_in_their_way(
    company: Company, waiting: OpenedTicket
) -> None:
    with reading() as connection:
        found = offers_for(
            connection, viewer=company.actor("dispatcher"), ticket_id=waiting.ticket_id, at=company.at
        )

    against = {each.technician_id: [reason.key for reason in each.failures] for each in found.offers}
    assert (found.no, found.version) == (waiting.no, waiting.version)
    assert against[company.technicians["tech_near"]] == ["dispatch.failed.off_duty"]
    assert "dispatch.failed.region" in against[company.technicians["tech_cd"]]


def test_looking_again_finds_whoever_came_on_duty_meanwhile(company: Company, waiting: OpenedTicket) -> None:
    dispatcher = company.actor("dispatcher")
    wish = {"actor": dispatcher, "at": company.at, "ticket_id": waiting.ticket_id}

    assert look_again(**wish, command_id="first") is False
    set_duty(company, "tech_far", is_on_duty=True)
    assert look_again(**wish, command_id="second") is True

    assert assignee(company, waiting.ticket_id) == company.technicians["tech_far"]
    assert look_again(**wish, command_id="third") is False


def test_looking_again_at_everything_counts_what_it_found(company: Company, waiting: OpenedTicket) -> None:
    company.open()
    set_duty(company, "tech_near", is_on_duty=True)

    looked = look_again_at_all(actor=company.actor("dispatcher"), at=company.at, command_id="all")

    assert looked == LookedAgain(tried=2, found=2)


def test_only_those_who_dispatch_there_look_again(company: Company, waiting: OpenedTicket) -> None:
    before = assignee(company, waiting.ticket_id)
    set_duty(company, "tech_near", is_on_duty=True)

    with pytest.raises(Forbidden):
        look_again(actor=company.actor("agent"), at=company.at, command_id="x", ticket_id=waiting.ticket_id)
    with pytest.raises(TicketNotFound):
        look_again(
            actor=company.actor("dispatcher_cd"), at=company.at, command_id="y", ticket_id=waiting.ticket_id
        )

    assert assignee(company, waiting.ticket_id) == before is None
