"""Visits: a person and a time in one command, and no two visits of one person at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import combinations
from threading import Barrier

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.company import SHANGHAI, Company, found_company
from ticket_console.desk import assigning, scheduling
from ticket_console.desk.moving import cancel
from ticket_console.desk.opening import OpenedTicket
from ticket_console.desk.scheduling import NoVisit, VisitRefused
from ticket_console.desk.work import MovedTicket
from ticket_console.dispatch import visit_book
from ticket_console.dispatch.tables import TechnicianLoad, Visit
from ticket_console.dispatch.visits import Planned
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError, Forbidden, InvalidInput
from ticket_console.people import planning
from ticket_console.people.candidate import Span
from ticket_console.tickets import reads
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.writing import StaleTicket

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def job(company: Company) -> OpenedTicket:
    """A repair at the middle of Shanghai, which dispatch gave to the nearer technician."""
    opened = company.open()
    assert opened.assignee_id == company.technicians["tech_near"]
    return opened


def plan(
    company: Company,
    job: OpenedTicket | MovedTicket,
    start: timedelta,
    who: str = "tech_near",
    *,
    by: str = "dispatcher",
    lasts: timedelta = HOUR,
    **wish: object,
) -> MovedTicket:
    starts_at = company.at + start
    asked = {
        "actor": company.actor(by),
        "at": company.at,
        "command_id": company.command_id(),
        "ticket_id": job.ticket_id,
        "expected_version": job.version,
        "technician_id": company.technicians[who],
        "starts_at": starts_at,
        "ends_at": starts_at + lasts,
    }
    return scheduling.schedule(**{**asked, **wish})


def visits_in(company: Company, who: str = "tech_near") -> list[tuple[int, timedelta, timedelta]]:
    """Ticket, start and end of somebody's visits, counted from the company's moment."""
    return [
        (each.ticket_id, each.starts_at - company.at, each.ends_at - company.at)
        for each in planned(company, who)
    ]


def planned(company: Company, who: str = "tech_near") -> tuple[Planned, ...]:
    person = company.technicians[who]
    with reading() as connection:
        found = visit_book.visits_of(connection, (person,), company.at - 40 * HOUR, company.at + 1000 * HOUR)
    return found.get(person, ())


def events_of(ticket_id: int) -> list[str]:
    with reading() as connection:
        return [each["type"] for each in reads.events_of(connection, ticket_id)]


def load(company: Company, who: str) -> int:
    loads = table(TechnicianLoad)
    with reading() as connection:
        found = connection.execute(
            sa.select(loads.c.open_count).where(loads.c.technician_id == company.technicians[who])
        ).scalar()
    return found or 0


def refusal(attempt: Callable[[], object]) -> VisitRefused:
    with pytest.raises(VisitRefused) as refused:
        attempt()
    return refused.value


def codes(refused: InvalidInput) -> list[str]:
    return [problem.code for problem in refused.problems]


def test_person_and_time_are_given_in_one_command(company: Company, job: OpenedTicket) -> None:
    moved = plan(company, job, 2 * HOUR, "tech_far")

    assert (moved.assignee_id, moved.version) == (company.technicians["tech_far"], job.version + 1)
    assert visits_in(company, "tech_far") == [(job.ticket_id, 2 * HOUR, 3 * HOUR)]
    assert (load(company, "tech_near"), load(company, "tech_far")) == (0, 1)
    assert events_of(job.ticket_id)[-2:] == ["ticket.assigned", "visit.scheduled"]


def test_the_way_there_stands_before_the_visit(company: Company, job: OpenedTicket) -> None:
    """1.11 km by air from home: three minutes by road."""
    plan(company, job, 2 * HOUR)

    assert [each.travel_seconds for each in planned(company)] == [174]


def test_a_command_that_is_repeated_plans_once(company: Company, job: OpenedTicket) -> None:
    first = plan(company, job, 2 * HOUR, command_id="again")
    second = plan(company, job, 2 * HOUR, command_id="again")

    assert (second.version, visits_in(company)) == (first.version, [(job.ticket_id, 2 * HOUR, 3 * HOUR)])


# CTX-09, pain 35
def test_an_hour_that_is_taken_is_refused_with_the_visit_that_takes_it(
    company: Company, job: OpenedTicket
) -> None:
    other = company.open()
    plan(company, job, 2 * HOUR, lasts=2 * HOUR)

    refused = refusal(lambda: plan(company, other, 3 * HOUR))

    assert codes(refused) == ["dispatch.failed.overlap"]
    assert refused.params["who"] == "tech_near"
    assert visits_in(company) == [(job.ticket_id, 2 * HOUR, 4 * HOUR)]
    assert events_of(other.ticket_id).count("visit.scheduled") == 0


def test_the_way_between_two_visits_must_fit(company: Company, job: OpenedTicket) -> None:
    """11.1 km by air: 29 minutes by road at the speed of the town."""
    away = company.open(lat=SHANGHAI[0] + 0.1, lon=SHANGHAI[1])
    plan(company, job, 2 * HOUR)

    refused = refusal(lambda: plan(company, away, 3 * HOUR + 28 * MINUTE))
    fits = plan(company, away, 3 * HOUR + 29 * MINUTE)

    assert codes(refused) == ["dispatch.failed.travel"]
    assert refused.problems[0].params["minutes"] == 1
    assert [each[0] for each in visits_in(company)] == [job.ticket_id, fits.ticket_id]


def test_of_two_who_book_the_same_hour_of_one_person_one_wins(company: Company) -> None:
    jobs = [company.open() for _ in range(6)]
    line = Barrier(len(jobs))

    def book(job: OpenedTicket) -> str:
        line.wait()
        try:
            plan(company, job, 2 * HOUR)
        except VisitRefused as refused:
            return codes(refused)[0]
        return "won"

    with ThreadPoolExecutor(len(jobs)) as pool:
        answers = sorted(pool.map(book, jobs))

    assert answers == ["dispatch.failed.overlap"] * 5 + ["won"]
    assert len(visits_in(company)) == 1


def test_two_tickets_that_change_persons_in_opposite_order_both_arrive(company: Company) -> None:
    """Both hold both people, in one order."""
    one, two = company.open(), company.open()
    one_far = plan(company, one, 2 * HOUR, "tech_far")
    two_near = plan(company, two, 2 * HOUR, "tech_near")
    line = Barrier(2)

    def swap(job: MovedTicket, who: str) -> int | None:
        line.wait()
        return plan(company, job, 8 * HOUR, who).assignee_id

    with ThreadPoolExecutor(2) as pool:
        moved = list(pool.map(swap, (one_far, two_near), ("tech_near", "tech_far")))

    assert moved == [company.technicians["tech_near"], company.technicians["tech_far"]]
    assert (load(company, "tech_near"), load(company, "tech_far")) == (1, 1)


# pain 34
def test_somebody_absent_at_any_moment_of_it_gets_no_visit_whatever_the_reason(
    company: Company, job: OpenedTicket
) -> None:
    away = Span(company.at + 3 * HOUR, company.at + 9 * HOUR)
    with transaction() as connection:
        planning.record_absence(
            connection,
            actor=company.actor("manager"),
            at=company.at,
            command_id="leave",
            technician_id=company.technicians["tech_near"],
            absence=away,
        )

    refused = refusal(
        lambda: plan(company, job, 2 * HOUR + MINUTE, by="manager", override=True, reason="urgent")
    )
    plan(company, job, 2 * HOUR)

    assert codes(refused) == ["dispatch.failed.absent"]
    assert visits_in(company) == [(job.ticket_id, 2 * HOUR, 3 * HOUR)]


def test_a_shift_that_ends_during_the_visit_refuses_it_unless_somebody_answers_for_it(
    company: Company, job: OpenedTicket
) -> None:
    with transaction() as connection:
        planning.plan_shifts(
            connection,
            actor=company.actor("manager"),
            at=company.at,
            command_id="shift",
            technician_id=company.technicians["tech_near"],
            shifts=[Span(company.at, company.at + 3 * HOUR)],
        )

    refused = refusal(lambda: plan(company, job, 2 * HOUR + MINUTE))
    with pytest.raises(ReasonRequired):
        plan(company, job, 2 * HOUR + MINUTE, by="manager", override=True)
    agreed = plan(company, job, 2 * HOUR + MINUTE, by="manager", override=True, reason="agreed with him")

    assert codes(refused) == ["dispatch.failed.shift_ends"]
    assert agreed.version == job.version + 1
    assert visits_in(company) == [(job.ticket_id, 2 * HOUR + MINUTE, 3 * HOUR + MINUTE)]


def test_who_may_not_override_is_refused_and_nothing_changes(company: Company, job: OpenedTicket) -> None:
    before = events_of(job.ticket_id)

    with pytest.raises(Forbidden):
        plan(company, job, 2 * HOUR, "tech_cd", by="agent", override=True, reason="please")

    assert (events_of(job.ticket_id), visits_in(company, "tech_cd")) == (before, [])


def test_a_region_that_is_not_theirs_and_a_skill_that_is_missing_are_told_together(
    company: Company, job: OpenedTicket
) -> None:
    refused = refusal(lambda: plan(company, job, 2 * HOUR, "tech_cd"))

    assert "dispatch.failed.region" in codes(refused)


def test_a_visit_is_moved_and_stretched(company: Company, job: OpenedTicket) -> None:
    first = plan(company, job, 2 * HOUR)

    second = scheduling.move_visit(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="move",
        ticket_id=job.ticket_id,
        expected_version=first.version,
        starts_at=company.at + 2.5 * HOUR,
        ends_at=company.at + 4.5 * HOUR,
    )

    assert visits_in(company) == [(job.ticket_id, 2.5 * HOUR, 4.5 * HOUR)]
    assert (second.version, events_of(job.ticket_id)[-1]) == (first.version + 1, "visit.moved")


def test_what_is_not_planned_cannot_be_moved_nor_taken_off(company: Company, job: OpenedTicket) -> None:
    asked = {
        "actor": company.actor("dispatcher"),
        "at": company.at,
        "ticket_id": job.ticket_id,
        "expected_version": job.version,
    }

    with pytest.raises(NoVisit):
        scheduling.unschedule(**asked, command_id="off")
    with pytest.raises(NoVisit):
        scheduling.move_visit(
            **asked, command_id="move", starts_at=company.at + HOUR, ends_at=company.at + 2 * HOUR
        )


def test_a_visit_is_taken_off_and_the_task_stays(company: Company, job: OpenedTicket) -> None:
    moved = plan(company, job, 2 * HOUR)

    left = scheduling.unschedule(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="off",
        ticket_id=job.ticket_id,
        expected_version=moved.version,
        reason="customer is away",
    )

    assert (left.assignee_id, visits_in(company)) == (job.assignee_id, [])
    assert events_of(job.ticket_id)[-1] == "visit.unscheduled"


def test_who_saw_an_older_ticket_learns_who_was_faster(company: Company, job: OpenedTicket) -> None:
    plan(company, job, 2 * HOUR)

    with pytest.raises(StaleTicket) as stale:
        plan(company, job, 5 * HOUR, by="manager")

    assert stale.value.params["who"] == "dispatcher"
    assert visits_in(company) == [(job.ticket_id, 2 * HOUR, 3 * HOUR)]


@pytest.mark.parametrize(
    ("start", "lasts", "code"),
    [
        (-3 * HOUR, HOUR, "visit.in_the_past"),
        (HOUR, timedelta(0), "visit.bad_length"),
        (2 * HOUR, -HOUR, "visit.bad_length"),
        (HOUR, 13 * HOUR, "visit.bad_length"),
        (10_000 * HOUR, HOUR, "visit.too_far_ahead"),
    ],
)
def test_impossible_times_are_refused(
    company: Company, job: OpenedTicket, start: timedelta, lasts: timedelta, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan(company, job, start, lasts=lasts)

    assert codes(refused.value) == [code]
    assert visits_in(company) == []


def test_a_task_given_to_somebody_else_leaves_the_plan(company: Company, job: OpenedTicket) -> None:
    moved = plan(company, job, 2 * HOUR)

    assigning.assign(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="give",
        ticket_id=job.ticket_id,
        expected_version=moved.version,
        technician_id=company.technicians["tech_far"],
    )

    assert (visits_in(company), visits_in(company, "tech_far")) == ([], [])


def test_the_next_step_of_the_same_person_keeps_the_visit(company: Company, job: OpenedTicket) -> None:
    moved = plan(company, job, 2 * HOUR)

    company.act(job.ticket_id, moved.version, by="tech_near", at=company.at + HOUR)

    assert visits_in(company) == [(job.ticket_id, 2 * HOUR, 3 * HOUR)]


def test_a_cancelled_ticket_leaves_the_plan(company: Company, job: OpenedTicket) -> None:
    moved = plan(company, job, 2 * HOUR)

    cancel(
        actor=company.actor("manager"),
        at=company.at,
        command_id="cancel",
        ticket_id=job.ticket_id,
        expected_version=moved.version,
        reason="bought a new one",
    )

    assert visits_in(company) == []


@pytest.fixture
def crowd(company: Company) -> tuple[Company, list[int]]:
    """Eight jobs at two places; the nearer technician is away in the afternoon."""
    jobs = [
        company.open(lat=SHANGHAI[0] + (number % 2) * 0.05, lon=SHANGHAI[1]).ticket_id for number in range(8)
    ]
    with transaction() as connection:
        planning.record_absence(
            connection,
            actor=company.actor("manager"),
            at=company.at,
            command_id="leave",
            technician_id=company.technicians["tech_near"],
            absence=Span(company.at + 6 * HOUR, company.at + 10 * HOUR),
        )
    return company, jobs


_COMMANDS = st.tuples(
    st.sampled_from(["schedule", "override", "move", "unschedule", "assign", "release"]),
    st.integers(0, 7),
    st.sampled_from(["tech_near", "tech_far"]),
    st.integers(0, 12 * 4),
    st.integers(1, 12),
)


# pain 34, pain 35
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(commands=st.lists(_COMMANDS, min_size=4, max_size=14))
def test_whatever_is_asked_for_visits_never_overlap_and_the_absent_have_none(
    crowd: tuple[Company, list[int]], commands: list[tuple[str, int, str, int, int]]
) -> None:
    company, jobs = crowd
    boss = company.actor("manager")
    for name, number, who, quarter, length in commands:
        with suppress(ConsoleError):
            _ask(company, boss, name, jobs[number], company.technicians[who], quarter, length)

    away = Span(company.at + 6 * HOUR, company.at + 10 * HOUR)
    for who in ("tech_near", "tech_far"):
        for one, other in combinations(planned(company, who), 2):
            assert one.ends_at <= other.starts_at or other.ends_at <= one.starts_at
    assert not [
        each for each in planned(company) if each.starts_at < away.ends_at and away.starts_at < each.ends_at
    ]


def _ask(
    company: Company, boss: Actor, name: str, ticket_id: int, person: int, quarter: int, length: int
) -> None:
    with reading() as connection:
        version = reads.find_ticket(connection, viewer=boss, ticket_id=ticket_id)["version"]
    asked = {
        "actor": boss,
        "at": company.at,
        "command_id": company.command_id(),
        "ticket_id": ticket_id,
        "expected_version": version,
    }
    starts_at = company.at + quarter * 15 * MINUTE
    span = {"starts_at": starts_at, "ends_at": starts_at + length * 15 * MINUTE}
    if name in ("schedule", "override"):
        scheduling.schedule(
            **asked, **span, technician_id=person, override=name == "override", reason="it must be"
        )
    elif name == "move":
        scheduling.move_visit(**asked, **span, technician_id=person)
    elif name == "unschedule":
        scheduling.unschedule(**asked)
    elif name == "assign":
        assigning.assign(**asked, technician_id=person)
    else:
        assigning.release(**asked, reason="no time")


def test_the_database_itself_knows_one_visit_per_step(company: Company, job: OpenedTicket) -> None:
    plan(company, job, 2 * HOUR)
    visits = table(Visit)
    with reading() as connection:
        row = connection.execute(sa.select(visits)).one()._asdict()

    with pytest.raises(sa.exc.IntegrityError), transaction() as connection:
        connection.execute(sa.insert(visits).values(**{**row, "id": row["id"] + 1}))
