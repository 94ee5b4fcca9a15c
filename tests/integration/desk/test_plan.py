"""The plan of a region: what is listed, what a drop is told beforehand, how full hours are, the response."""

from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders.company import SHANGHAI, Company, found_company
from ticket_console.desk import plan, rostering, scheduling
from ticket_console.desk.assigning import technician_step
from ticket_console.desk.opening import OpenedTicket
from ticket_console.desk.plan import Plan, RegionNotFound, Window
from ticket_console.desk.scheduling import VisitRefused
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError, Forbidden
from ticket_console.people import planning, rosters
from ticket_console.people.candidate import Span
from ticket_console.people.planning import AbsencePlan, RosterChange
from ticket_console.reports.response import Answered, compare_response
from ticket_console.tickets.tables import Ticket
from ticket_console.tickets.writing import TicketNotFound

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def window(company: Company, *, by: str = "dispatcher", region: str = "sh", days: int = 2) -> Window:
    with reading() as connection:
        return plan.window_of(
            connection,
            viewer=company.actor(by),
            region_id=company.regions[region],
            first=date(2026, 11, 21),
            days=days,
        )


def read(company: Company, *, by: str = "dispatcher", **asked: object) -> Plan:
    shown = window(company, by=by)
    with reading() as connection:
        return plan.read_plan(connection, viewer=company.actor(by), window=shown, **asked)


def book(
    company: Company, job: OpenedTicket, start: timedelta, who: str = "tech_near", **wish: object
) -> None:
    asked = {
        "actor": company.actor("dispatcher"),
        "at": company.at,
        "command_id": company.command_id(),
        "ticket_id": job.ticket_id,
        "expected_version": job.version,
        "technician_id": company.technicians[who],
        "starts_at": company.at + start,
        "ends_at": company.at + start + HOUR,
    }
    scheduling.schedule(**{**asked, **wish})


def test_the_plan_lists_the_regions_people_and_their_visits(company: Company) -> None:
    job = company.open()
    book(company, job, 2 * HOUR)

    shown = read(company)

    assert [row.person.name for row in shown.rows] == ["tech_far", "tech_near"]
    assert [(each.no, each.visit.starts_at, each.is_open) for each in shown.visits] == [
        (job.no, company.at + 2 * HOUR, True)
    ]


def test_people_come_in_pages_and_are_found_by_name(company: Company) -> None:
    assert [row.person.name for row in read(company, search="NEAR").rows] == ["tech_near"]
    assert read(company, search="%").rows == ()
    with reading() as connection:
        second = rosters.people_of(
            connection,
            viewer=company.actor("manager"),
            permission="ticket.assign",
            region_id=company.regions["sh"],
            page=2,
            size=1,
        )
    assert (second.total, [each.name for each in second.people]) == (2, ["tech_near"])


def test_a_region_of_somebody_else_is_not_there(company: Company) -> None:
    with pytest.raises(RegionNotFound):
        window(company, by="dispatcher_cd")
    with pytest.raises(RegionNotFound):
        window(company, by="auditor")


def test_a_window_is_never_longer_than_a_week(company: Company) -> None:
    assert window(company, days=400).days == 7


def test_what_has_no_time_waits_in_the_order_of_urgency_until_it_is_planned(company: Company) -> None:
    usual, urgent = company.open(), company.open(urgency=3, impact=3)
    viewer = company.actor("dispatcher")
    with reading() as connection:
        waiting = plan.unplanned(connection, viewer=viewer, region_id=company.regions["sh"])
    book(company, urgent, 2 * HOUR)
    with reading() as connection:
        left = plan.unplanned(connection, viewer=viewer, region_id=company.regions["sh"])
        found = plan.unplanned(connection, viewer=viewer, region_id=company.regions["sh"], search=urgent.no)

    assert [each.ticket_id for each in waiting] == [urgent.ticket_id, usual.ticket_id]
    assert [(each.ticket_id, each.holder) for each in left] == [(usual.ticket_id, "tech_near")]
    assert found == ()


# DSP-16, moonshot 8, pain 35
def test_every_cell_of_the_plan_is_coloured_as_the_command_decides(company: Company) -> None:
    """All pairs of a task, two people and quarters of a working day, with shifts, an absence and visits."""
    near, far = company.technicians["tech_near"], company.technicians["tech_far"]
    with transaction() as connection:
        planning.plan_shifts(
            connection,
            actor=company.system,
            at=company.at,
            command_id="shift",
            technician_id=near,
            shifts=[Span(company.at, company.at + 6 * HOUR)],
        )
        planning.record_absence(
            connection,
            actor=company.system,
            at=company.at,
            command_id="leave",
            technician_id=far,
            absence=Span(company.at + 4 * HOUR, company.at + 5 * HOUR),
        )
    book(company, company.open(), 2 * HOUR)
    book(company, company.open(lat=SHANGHAI[0] + 0.1), 6 * HOUR, "tech_far")
    held = company.open()
    shown = window(company)
    with reading() as connection:
        told = plan.foretell(
            connection,
            viewer=company.actor("dispatcher"),
            ticket_id=held.ticket_id,
            technician_ids=[near, far],
            window=shown,
            minutes=60,
            at=company.at,
        )

    for who in ("tech_near", "tech_far"):
        seen = told.people[company.technicians[who]]
        for quarter in range(8 * 4):
            start = quarter * 15 * MINUTE
            at = company.at + start
            red = {each.key for each in seen.against} | {
                each.objection.key for each in seen.barred if each.since <= at < each.until
            }
            assert red >= _refused(company, held, start, who)
            assert bool(red) == bool(_refused(company, held, start, who))


class _Undone(Exception):
    pass


def _refused(company: Company, job: OpenedTicket, start: timedelta, who: str) -> set[str]:
    """What the command says there; what it did is undone."""
    try:
        with transaction() as connection:
            work = scheduling._take_up(
                connection,
                company.actor("dispatcher"),
                company.at,
                company.command_id(),
                job.ticket_id,
                job.version,
            )
            span = Span(company.at + start, company.at + start + HOUR)
            scheduling._plan(work, technician_step(work), company.technicians[who], span, "", override=False)
            raise _Undone
    except _Undone:
        return set()
    except VisitRefused as refused:
        return {each.code for each in refused.problems}


def test_a_task_that_is_not_theirs_to_see_is_told_to_nobody(company: Company) -> None:
    job = company.open()
    with pytest.raises(TicketNotFound), reading() as connection:
        plan.foretell(
            connection,
            viewer=company.actor("dispatcher_cd"),
            ticket_id=job.ticket_id,
            technician_ids=[company.technicians["tech_cd"]],
            window=window(company),
            minutes=None,
            at=company.at,
        )


def test_the_heat_counts_people_visits_and_what_is_due(company: Company) -> None:
    book(company, company.open(), 2 * HOUR)
    shown = window(company, days=1)
    with reading() as connection:
        heat = plan.read_heat(connection, viewer=company.actor("dispatcher"), window=shown)

    everybody = heat.rows[0]
    place = next(n for n, each in enumerate(heat.spans) if each.starts_at == company.at + 2 * HOUR)
    assert (everybody.people, len(heat.spans)) == (2, 24)
    assert (everybody.loads[place].capacity, everybody.loads[place].booked) == (120, 60)
    assert "hvac" in {row.skill for row in heat.rows}


# DSP-21
def test_the_response_before_a_change_stands_beside_the_one_after_it_by_the_hour_of_the_place(
    company: Company,
) -> None:
    changed_at = company.at
    day = timedelta(days=1)
    for opened, minutes in ((-2 * day, 60), (-2 * day, 20), (-day, 40), (day, 10), (2 * day, None)):
        job = company.open(at=changed_at + opened)
        _answer(job, None if minutes is None else changed_at + opened + minutes * MINUTE)
    company.open(at=changed_at - 40 * day)
    with reading() as connection:
        found = compare_response(
            connection,
            viewer=company.actor("dispatcher"),
            region_id=company.regions["sh"],
            changed_at=changed_at,
            at=changed_at + 5 * day,
        )

    assert (found.before, found.after) == (Answered(3, 3, 2400), Answered(2, 1, 600))
    # Two in the morning of UTC is ten in Shanghai.
    assert found.hours[10] == (Answered(3, 3, 2400), Answered(2, 1, 600))
    assert found.until == changed_at + 5 * day


def _answer(job: OpenedTicket, at: datetime | None) -> None:
    tickets = table(Ticket)
    with transaction() as connection:
        connection.execute(sa.update(tickets).where(tickets.c.id == job.ticket_id).values(responded_at=at))


def test_changes_of_the_roster_are_listed_for_who_plans_it(company: Company) -> None:
    for number, at in enumerate((company.at, company.at + HOUR)):
        rostering.change_rosters(
            actor=company.actor("dispatcher"),
            at=at,
            command_id=f"change-{number}",
            changes=[
                RosterChange(
                    company.technicians[who],
                    absences=(AbsencePlan(Span(at + 50 * HOUR, at + 51 * HOUR)),),
                )
                for who in ("tech_near", "tech_far")
            ],
        )
    with reading() as connection:
        listed = rosters.latest_changes(
            connection,
            viewer=company.actor("dispatcher"),
            region_id=company.regions["sh"],
            since=company.at - HOUR,
        )
    with pytest.raises(Forbidden), reading() as connection:
        compare_response(
            connection,
            viewer=company.actor("auditor"),
            region_id=company.regions["sh"],
            changed_at=company.at,
            at=company.at,
        )
    assert listed == (company.at + HOUR, company.at)


def test_a_region_nobody_knows_is_refused(company: Company) -> None:
    with pytest.raises(ConsoleError), reading() as connection:
        plan.window_of(
            connection, viewer=company.actor("manager"), region_id=999, first=date(2026, 11, 21), days=1
        )
