"""Before anybody presses a button: who could be sent, and what keeps somebody from claiming."""

from datetime import datetime

import pytest

from tests.builders.company import Company, found_company
from ticket_console.desk.assigning import release
from ticket_console.desk.moving import cancel
from ticket_console.desk.offering import obstacles, offers_for
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def test_the_dispatcher_is_offered_the_fit_ones_first(company: Company) -> None:
    opened = company.open()

    with reading() as connection:
        offers = offers_for(
            connection, viewer=company.actor("dispatcher"), ticket_id=opened.ticket_id, at=company.at
        )

    fit = [offer.is_eligible for offer in offers.offers]
    assert fit == sorted(fit, reverse=True)
    assert opened.assignee_id in {offer.technician_id for offer in offers.offers if offer.is_eligible}


def test_who_may_not_assign_is_offered_nobody(company: Company) -> None:
    opened = company.open()

    with reading() as connection, pytest.raises(Forbidden):
        offers_for(connection, viewer=company.actor("tech_near"), ticket_id=opened.ticket_id, at=company.at)


def test_what_keeps_a_technician_from_claiming_is_named_and_the_fit_one_reads_nothing(
    company: Company,
) -> None:
    opened = company.open()
    release(
        actor=company.actor("tech_near"),
        at=company.at,
        command_id="r",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="车坏了",
    )

    def against(login: str) -> list[str] | None:
        with reading() as connection:
            found = obstacles(
                connection, viewer=company.actor(login), ticket_ids=[opened.ticket_id], at=company.at
            )
        told = found.get(opened.ticket_id)
        return None if told is None else [reason.key for reason in told]

    assert against("tech_far") == []
    assert against("tech_cd") == ["dispatch.failed.region"]
    assert against("dispatcher") is None


def test_a_ticket_that_waits_for_no_technician_is_not_up_for_claim(company: Company) -> None:
    opened = company.open()
    cancel(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="x",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="重复",
    )

    with reading() as connection:
        found = obstacles(
            connection, viewer=company.actor("tech_far"), ticket_ids=[opened.ticket_id], at=company.at
        )

    assert found == {}
