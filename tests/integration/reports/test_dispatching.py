"""How soon somebody has a ticket, and how much of giving work away is done by hand."""

from datetime import datetime, timedelta

import pytest

from tests.builders.company import Company, found_company
from tests.builders.modes import dispatch_by
from ticket_console.desk.assigning import assign, claim
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden
from ticket_console.reports.dispatching import DispatchFigures, dispatch_figures


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def figures(company: Company, login: str = "dispatcher", *, hours: int = 24) -> DispatchFigures:
    with reading() as connection:
        return dispatch_figures(
            connection,
            viewer=company.actor(login),
            since=company.at,
            until=company.at + timedelta(hours=hours),
        )


def test_what_is_given_at_once_took_no_time(company: Company) -> None:  # DSP-06 DSP-22
    for _ in range(3):
        company.open()

    assert figures(company) == DispatchFigures(3, 0.0, 0.0, automatic=3, manual=0, claimed=0)
    assert figures(company).automatic_bp == 10_000


def test_percentiles_are_of_the_first_time_somebody_had_it(company: Company) -> None:  # DSP-06
    dispatch_by(company, mode="queue")
    for minutes in range(1, 101):
        opened = company.open()
        claim(
            actor=company.actor("tech_near" if minutes % 2 else "tech_far"),
            at=company.at + timedelta(minutes=minutes),
            command_id=f"claim:{minutes}",
            ticket_id=opened.ticket_id,
            expected_version=opened.version,
        )

    found = figures(company)

    assert (found.assigned, found.p50_seconds, found.p99_seconds) == (100, 50 * 60.0, 99 * 60.0)
    assert (found.automatic, found.manual, found.claimed) == (0, 0, 100)
    assert figures(company, hours=1).assigned == 59


def test_the_share_of_hands_is_of_all_decisions(company: Company) -> None:  # DSP-22
    opened = [company.open() for _ in range(3)]
    assign(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="by hand",
        ticket_id=opened[0].ticket_id,
        expected_version=opened[0].version,
        technician_id=company.technicians["tech_far"],
    )

    found = figures(company)

    assert (found.automatic, found.manual, found.claimed, found.automatic_bp) == (3, 1, 0, 7_500)


def test_figures_reach_as_far_as_the_viewer(company: Company) -> None:
    company.open()

    nothing = figures(company, "dispatcher_cd")

    assert nothing == DispatchFigures(0, None, None, automatic=0, manual=0, claimed=0)
    assert nothing.automatic_bp is None
    with pytest.raises(Forbidden):
        figures(company, "agent")
