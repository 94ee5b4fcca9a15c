"""Work for service partners: the nearest fit one gets it, its own people take it, nobody else sees it."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from tests.builders.company import Company, found_company
from tests.builders.modes import (
    dispatch_by,
    engage_vendor,
    events_of,
    hire_somebody,
    step_of,
    ticket_row,
)
from tests.integration.proof.crowd import answers, at_once, refusals
from tests.integration.proof.invariants import nothing_is_torn
from ticket_console.desk.assigning import (
    NothingToAssign,
    assign,
    claim,
    dispatch_again,
    give_to_vendor,
    return_from_vendor,
)
from ticket_console.desk.my_work import my_work
from ticket_console.desk.offering import offers_for
from ticket_console.dispatch.choosing import TechnicianNotFound
from ticket_console.dispatch.queues import vendor_queue
from ticket_console.kernel.actor import Actor, Role
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden
from ticket_console.people.crews import VendorNotFound
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.reads import find_ticket
from ticket_console.tickets.tables import OwnerKind
from ticket_console.tickets.writing import StaleTicket, TicketNotFound


class Vendors:
    """Two partners in Shanghai, `close` nearer than `away`, each with a dispatcher and two technicians."""

    def __init__(self, company: Company) -> None:
        self.close, self.away = (engage_vendor(company, code) for code in ("close", "away"))
        self.people = {
            self.close: [
                hire_somebody(company, f"close-{n}", vendor_id=self.close, far=0.01) for n in range(2)
            ],
            self.away: [hire_somebody(company, f"away-{n}", vendor_id=self.away, far=0.05) for n in range(2)],
        }
        self.dispatcher = {
            vendor_id: hire_somebody(
                company,
                f"office-{vendor_id}",
                vendor_id=vendor_id,
                skill=None,
                capacity=0,
                roles=(Role.TECHNICIAN, Role.DISPATCHER),
            )
            for vendor_id in (self.close, self.away)
        }


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    made = found_company(at)
    dispatch_by(made, mode="vendor")
    return made


@pytest.fixture
def vendors(company: Company) -> Vendors:
    return Vendors(company)


def take(company: Company, who: Actor, ticket_id: int, version: int) -> object:
    return claim(
        actor=who,
        at=company.at + timedelta(minutes=1),
        command_id=f"claim:{who.technician_id}",
        ticket_id=ticket_id,
        expected_version=version,
    )


def test_the_partner_with_the_nearest_certified_person_gets_it(
    company: Company, vendors: Vendors
) -> None:  # DSP-12
    hire_somebody(company, "not-certified", vendor_id=engage_vendor(company, "unfit"), skill=None, far=0.0)

    opened = company.open()

    step = step_of(opened.ticket_id)
    assert (step["owner_kind"], step["owner_id"]) == (OwnerKind.VENDOR, vendors.close)
    assert opened.assignee_id is None
    nothing_is_torn()


def test_only_the_partners_people_see_what_waits_for_them(
    company: Company, vendors: Vendors
) -> None:  # DSP-13
    opened = company.open()

    def waits_for(who: Actor) -> list[int]:
        with reading() as connection:
            return [each.ticket_id for each in my_work(connection, viewer=who, at=company.at).up_for_claim]

    def queue_of(who: Actor) -> list[int]:
        with reading() as connection:
            return [each.ticket_id for each in vendor_queue(connection, who)]

    ours, theirs = vendors.people[vendors.close][0], vendors.people[vendors.away][0]
    assert waits_for(ours) == [opened.ticket_id]
    assert waits_for(theirs) == waits_for(company.actor("tech_near")) == []
    assert queue_of(vendors.dispatcher[vendors.close]) == [opened.ticket_id]
    assert queue_of(vendors.dispatcher[vendors.away]) == []
    assert queue_of(company.actor("dispatcher")) == [opened.ticket_id]
    assert queue_of(company.actor("dispatcher_cd")) == []
    with reading() as connection:
        find_ticket(connection, viewer=vendors.dispatcher[vendors.close], ticket_id=opened.ticket_id)
        with pytest.raises(TicketNotFound):
            find_ticket(connection, viewer=vendors.dispatcher[vendors.away], ticket_id=opened.ticket_id)


def test_of_the_partners_people_the_first_to_claim_has_it_and_others_find_nothing(
    company: Company, vendors: Vendors
) -> None:
    opened = company.open()
    rivals = [*vendors.people[vendors.close], *vendors.people[vendors.away], company.actor("tech_near")]

    outcomes = at_once([partial(take, company, who, opened.ticket_id, opened.version) for who in rivals])

    assert len(answers(outcomes)) == 1
    assert [type(each) for each in refusals(outcomes)].count(StaleTicket) == 1
    assert [type(each) for each in refusals(outcomes)].count(TicketNotFound) == 3
    assert ticket_row(opened.ticket_id)["assignee_id"] in {
        each.technician_id for each in vendors.people[vendors.close]
    }
    nothing_is_torn()


def test_the_partners_dispatcher_sends_its_own_people_and_nobody_else(
    company: Company, vendors: Vendors
) -> None:
    opened = company.open()
    office = vendors.dispatcher[vendors.close]
    ours, theirs = vendors.people[vendors.close][1], vendors.people[vendors.away][0]
    send = partial(
        assign,
        actor=office,
        at=company.at,
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
    )
    with reading() as connection:
        offered = offers_for(connection, viewer=office, ticket_id=opened.ticket_id, at=company.at).offers
    assert {each.technician_id for each in offered if each.is_eligible} == {
        each.technician_id for each in vendors.people[vendors.close]
    }

    for stranger in (theirs.technician_id, company.technicians["tech_near"]):
        with pytest.raises(TechnicianNotFound):
            send(command_id=f"no:{stranger}", technician_id=stranger or 0)
    assert events_of(opened.ticket_id) == ["ticket.opened", "ticket.vendor_asked"]
    given = send(command_id="yes", technician_id=ours.technician_id or 0)

    assert given.assignee_id == ours.technician_id
    nothing_is_torn()


def test_head_office_gives_work_to_a_partner_directly(company: Company, vendors: Vendors) -> None:  # DSP-13
    dispatch_by(company, mode="assign", filters={"vendors": "none"})
    opened = company.open()
    assert opened.assignee_id == company.technicians["tech_near"]

    given = give_to_vendor(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="direct",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        vendor_id=vendors.away,
    )

    step = step_of(opened.ticket_id)
    assert (step["owner_kind"], step["owner_id"], given.assignee_id) == (OwnerKind.VENDOR, vendors.away, None)
    assert ticket_row(opened.ticket_id)["handoffs"] == 1
    nothing_is_torn()


def test_what_a_partner_gives_back_goes_to_the_next_one(company: Company, vendors: Vendors) -> None:
    opened = company.open()
    office = vendors.dispatcher[vendors.close]
    back = partial(
        return_from_vendor,
        actor=office,
        at=company.at,
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
    )
    with pytest.raises(ReasonRequired):
        back(command_id="why", reason=" ")
    returned = back(command_id="back", reason="人手不足")
    assert step_of(opened.ticket_id)["queue_role"] == "dispatcher"

    again = dispatch_again(
        at=company.at, org_id=company.org_id, ticket_id=opened.ticket_id, command_id="again"
    )

    assert (again, returned.assignee_id) == (True, None)
    assert step_of(opened.ticket_id)["owner_id"] == vendors.away
    nothing_is_torn()


def test_refusals_change_nothing(company: Company, vendors: Vendors) -> None:
    opened = company.open()
    give = partial(
        give_to_vendor,
        at=company.at,
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
    )
    before = (events_of(opened.ticket_id), step_of(opened.ticket_id))

    with pytest.raises(VendorNotFound):
        give(actor=company.actor("dispatcher"), command_id="a", vendor_id=999)
    with pytest.raises(Forbidden):
        give(actor=vendors.dispatcher[vendors.close], command_id="b", vendor_id=vendors.away)
    with pytest.raises(Forbidden):
        give(actor=company.actor("agent"), command_id="c", vendor_id=vendors.away)
    with pytest.raises(TicketNotFound):
        return_from_vendor(
            actor=vendors.dispatcher[vendors.away],
            at=company.at,
            command_id="d",
            ticket_id=opened.ticket_id,
            expected_version=opened.version,
            reason="x",
        )
    with pytest.raises(NothingToAssign):
        return_from_vendor(
            actor=company.actor("dispatcher"),
            at=company.at,
            command_id="e",
            ticket_id=opened.ticket_id,
            expected_version=opened.version,
            reason="x",
        )

    assert (events_of(opened.ticket_id), step_of(opened.ticket_id)) == before
    nothing_is_torn()
