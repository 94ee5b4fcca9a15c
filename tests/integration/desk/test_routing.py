"""A region's day routes: proposed around what stands, carried out as ordinary visits, refused row by row."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.builders.company import Company, found_company
from ticket_console.desk import routing, scheduling
from ticket_console.desk.opening import OpenedTicket
from ticket_console.desk.plan import RegionNotFound
from ticket_console.desk.planning import TooManyRows
from ticket_console.desk.routing import DayRoutes, PersonRoute, WantedVisit, WhyLeft
from ticket_console.dispatch import visit_book
from ticket_console.kernel.database import reading, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.people import planning
from ticket_console.people.candidate import Span

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def jobs(company: Company) -> list[OpenedTicket]:
    """Three repairs of Shanghai without a time, which dispatch gave to the nearer technician."""
    opened = [company.open() for _ in range(3)]
    assert {each.assignee_id for each in opened} == {company.technicians["tech_near"]}
    return opened


def tomorrow(company: Company) -> datetime:
    """Midnight of the next day in Shanghai."""
    local = company.at.astimezone(ZoneInfo("Asia/Shanghai")) + timedelta(days=1)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def proposed(company: Company, **wish: Any) -> DayRoutes:
    asked = {
        "actor": company.actor("dispatcher"),
        "at": company.at,
        "region_id": company.regions["sh"],
        "day": tomorrow(company).date(),
    }
    return routing.propose(**{**asked, **wish})


def wanted(route: PersonRoute) -> list[WantedVisit]:
    return [
        WantedVisit(each.ticket_id, each.version, route.technician_id, each.starts_at, each.ends_at)
        for each in route.visits
    ]


def planned(company: Company) -> dict[int, datetime]:
    with reading() as connection:
        found = visit_book.visits_of(
            connection, company.technicians.values(), company.at, company.at + 72 * HOUR
        )
    return {visit.ticket_id: visit.starts_at for visits in found.values() for visit in visits}


def test_who_has_the_tasks_gets_a_route_of_the_day_and_nothing_is_written(
    company: Company, jobs: list[OpenedTicket]
) -> None:
    found = proposed(company)

    [route] = found.routes
    assert (route.technician_id, route.technician) == (company.technicians["tech_near"], "tech_near")
    assert sorted(visit.ticket_id for visit in route.visits) == [job.ticket_id for job in jobs]
    assert all(visit.ends_at - visit.starts_at == HOUR for visit in route.visits)
    midnight = tomorrow(company)
    assert all(
        midnight + 8 * HOUR <= visit.starts_at and visit.ends_at <= midnight + 18 * HOUR
        for visit in route.visits
    )
    assert found.left == ()
    assert (found.totals.placed, found.totals.late) == (3, 0)
    assert found.totals.travel == route.travel <= found.one_by_one.travel
    assert planned(company) == {}


def test_a_proposal_is_carried_out_as_visits_and_a_repetition_changes_nothing(
    company: Company, jobs: list[OpenedTicket]
) -> None:
    [route] = proposed(company).routes
    rows = wanted(route)
    command = {"actor": company.actor("dispatcher"), "at": company.at, "command_id": "routes"}

    outcomes = routing.carry_out(**command, visits=rows)
    again = routing.carry_out(**command, visits=rows)

    assert [each.is_done for each in (*outcomes, *again)] == [True] * 6
    assert planned(company) == {each.ticket_id: each.starts_at for each in rows}
    assert proposed(company).routes == ()


def test_a_row_somebody_was_faster_with_is_told_and_the_others_go_on(
    company: Company, jobs: list[OpenedTicket]
) -> None:
    [route] = proposed(company).routes
    rows = wanted(route)
    faster = rows[1]
    scheduling.schedule(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="faster",
        ticket_id=faster.ticket_id,
        expected_version=faster.version,
        technician_id=faster.technician_id,
        starts_at=tomorrow(company) + 16 * HOUR,
        ends_at=tomorrow(company) + 17 * HOUR,
    )

    outcomes = routing.carry_out(
        actor=company.actor("dispatcher"), at=company.at, command_id="routes", visits=rows
    )

    assert [(each.ticket_id, each.is_done, each.code) for each in outcomes] == [
        (rows[0].ticket_id, True, ""),
        (rows[1].ticket_id, False, "ticket.stale"),
        (rows[2].ticket_id, True, ""),
    ]
    assert planned(company)[faster.ticket_id] == tomorrow(company) + 16 * HOUR


def test_routes_lead_around_shifts_absences_and_visits_that_stand(
    company: Company, jobs: list[OpenedTicket]
) -> None:
    """On shift from nine to one, away from ten to eleven, and one visit from eleven to noon."""
    midnight, near = tomorrow(company), company.technicians["tech_near"]
    with transaction() as connection:
        asked = {"actor": company.system, "at": company.at, "technician_id": near}
        planning.plan_shifts(
            connection, **asked, command_id="shift", shifts=[Span(midnight + 9 * HOUR, midnight + 13 * HOUR)]
        )
        planning.record_absence(
            connection,
            **asked,
            command_id="away",
            absence=Span(midnight + 10 * HOUR + 10 * MINUTE, midnight + 11 * HOUR),
        )
    scheduling.schedule(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="stands",
        ticket_id=jobs[0].ticket_id,
        expected_version=jobs[0].version,
        technician_id=near,
        starts_at=midnight + 11 * HOUR,
        ends_at=midnight + 11 * HOUR + 50 * MINUTE,
    )

    found = proposed(company)

    [route] = found.routes
    starts = [visit.starts_at - midnight for visit in route.visits]
    assert len(starts) == 2
    assert 9 * HOUR < starts[0] <= 9 * HOUR + 10 * MINUTE
    assert 11 * HOUR + 50 * MINUTE <= starts[1] <= 12 * HOUR
    outcomes = routing.carry_out(
        actor=company.actor("dispatcher"), at=company.at, command_id="routes", visits=wanted(route)
    )
    assert [each.is_done for each in outcomes] == [True, True]


def test_what_fits_into_no_day_is_left_with_the_reason(company: Company, jobs: list[OpenedTicket]) -> None:
    midnight = tomorrow(company)
    with transaction() as connection:
        planning.plan_shifts(
            connection,
            actor=company.system,
            at=company.at,
            command_id="shift",
            technician_id=company.technicians["tech_near"],
            shifts=[Span(midnight + 9 * HOUR, midnight + 10 * HOUR + 30 * MINUTE)],
        )

    found = proposed(company)

    assert [len(route.visits) for route in found.routes] == [1]
    assert [job.why for job in found.left] == [WhyLeft.NO_TIME, WhyLeft.NO_TIME]


def test_a_day_that_is_over_has_no_routes(company: Company, jobs: list[OpenedTicket]) -> None:
    found = proposed(company, day=(tomorrow(company) - timedelta(days=3)).date())

    assert found.routes == ()
    assert {job.why for job in found.left} == {WhyLeft.NO_TIME}


@pytest.mark.parametrize("login", ["finance", "auditor", "tech_near"])
def test_routes_are_for_those_who_dispatch(company: Company, jobs: list[OpenedTicket], login: str) -> None:
    with pytest.raises(Forbidden):
        proposed(company, actor=company.actor(login))
    with pytest.raises(Forbidden):
        routing.carry_out(actor=company.actor(login), at=company.at, command_id="no", visits=[])


def test_a_dispatcher_of_another_region_is_told_of_none(company: Company, jobs: list[OpenedTicket]) -> None:
    with pytest.raises(RegionNotFound):
        proposed(company, actor=company.actor("dispatcher_cd"))


def test_a_stranger_rows_are_refused_one_by_one(company: Company, jobs: list[OpenedTicket]) -> None:
    [route] = proposed(company).routes

    outcomes = routing.carry_out(
        actor=company.actor("dispatcher_cd"), at=company.at, command_id="no", visits=wanted(route)
    )

    assert [each.is_done for each in outcomes] == [False, False, False]
    assert planned(company) == {}


def test_no_more_rows_than_a_proposal_can_have(company: Company) -> None:
    row = WantedVisit(1, 1, 1, company.at, company.at + HOUR)

    with pytest.raises(TooManyRows):
        routing.carry_out(
            actor=company.actor("dispatcher"),
            at=company.at,
            command_id="many",
            visits=[row] * (routing.MOST_ROWS + 1),
        )
