"""The worker plans every so many minutes what is its to plan, and looking one by one leaves that to it."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.builders.company import Company, found_company
from tests.builders.modes import dispatch_by, engage_vendor, hire_somebody, ticket_row
from tests.integration.desk.test_waiting_work import assignee, set_duty
from ticket_console.desk import planning
from ticket_console.desk.assigning import release
from ticket_console.desk.planning import make_plan, plan_and_carry_out
from ticket_console.jobs import chores
from ticket_console.jobs.worker import CHORES, Worker
from ticket_console.kernel.actor import Grant, Role, Scope
from ticket_console.kernel.clock import FixedClock
from ticket_console.kernel.settings import settings

FIVE_MINUTES = 5


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def waiting(company: Company) -> list[int]:
    """Three tickets that came while nobody was on duty; both people of Shanghai are by now."""
    set_duty(company, "tech_near", "tech_far", is_on_duty=False)
    opened = [company.open().ticket_id for _ in range(3)]
    set_duty(company, "tech_near", "tech_far", is_on_duty=True)
    return opened


def plan_every(minutes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = replace(settings(), plan_every_minutes=minutes)
    monkeypatch.setattr(chores, "settings", lambda: changed)


def holders(company: Company, tickets: list[int]) -> list[int | None]:
    return [assignee(company, each) for each in tickets]


def on_the_dot(company: Company) -> datetime:
    """The first instant after the company's in which a period of five minutes begins."""
    seconds = FIVE_MINUTES * 60
    late = company.at.timestamp() % seconds
    return company.at + timedelta(seconds=seconds - late)


def test_nothing_is_planned_where_nobody_asked_for_it(company: Company, waiting: list[int]) -> None:
    assert settings().plan_every_minutes == 0
    assert chores.carry_out_plans(on_the_dot(company)) == {}
    assert holders(company, waiting) == [None, None, None]


def test_what_waits_is_planned_in_the_first_minute_of_every_period(
    company: Company, waiting: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_every(FIVE_MINUTES, monkeypatch)
    begins = on_the_dot(company)

    assert chores.carry_out_plans(begins - timedelta(seconds=1)) == {}
    assert holders(company, waiting) == [None, None, None]
    assert chores.carry_out_plans(begins) == {"assigned": 3, "failed": 0}
    assert None not in holders(company, waiting)
    assert chores.carry_out_plans(begins + timedelta(seconds=20)) == {"assigned": 0, "failed": 0}
    assert chores.carry_out_plans(begins + timedelta(minutes=1)) == {}


def test_looking_one_by_one_leaves_to_the_plan_what_the_plan_gives_away(
    company: Company, waiting: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_every(FIVE_MINUTES, monkeypatch)

    assert chores.look_again(company.at) == {"assigned": 0, "failed": 0}
    assert holders(company, waiting) == [None, None, None]

    plan_every(0, monkeypatch)
    assert chores.look_again(company.at) == {"assigned": 3, "failed": 0}


def test_the_worker_gives_everything_away_with_either_chore_and_neither_takes_from_the_other(
    company: Company, waiting: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_every(FIVE_MINUTES, monkeypatch)
    own = tuple(each for each in CHORES if each.name in ("waiting", "plans"))
    clock = FixedClock(on_the_dot(company) - timedelta(seconds=90))
    workers = [Worker(clock, chores=own) for _ in range(2)]

    had: list[list[int | None]] = []
    for _ in range(20):
        for worker in workers:
            worker.run_due()
        had.append(holders(company, waiting))
        clock.advance(timedelta(seconds=20))

    assert had[4] == [None, None, None]
    given = had[5]
    assert None not in given
    assert had[5:] == [given] * 15


def test_what_a_rule_leaves_to_a_dispatcher_is_not_planned_by_the_worker(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_every(FIVE_MINUTES, monkeypatch)
    dispatch_by(company, mode="queue")
    opened = company.open().ticket_id

    assert chores.carry_out_plans(on_the_dot(company)) == {"assigned": 0, "failed": 0}
    assert assignee(company, opened) is None
    by_hand = make_plan(actor=company.actor("dispatcher"), at=company.at)
    assert [row.ticket_id for row in by_hand.rows] == [opened]


def test_a_plan_that_breaks_is_counted_and_the_next_one_goes_on(
    company: Company, waiting: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_every(FIVE_MINUTES, monkeypatch)
    begins = on_the_dot(company)

    def break_down(**_: object) -> int:
        raise RuntimeError("a defect")

    with monkeypatch.context() as broken:
        broken.setattr(planning, "plan_and_carry_out", break_down)
        assert chores.carry_out_plans(begins) == {"assigned": 0, "failed": 1}
    assert holders(company, waiting) == [None, None, None]
    assert chores.carry_out_plans(begins + timedelta(seconds=20)) == {"assigned": 3, "failed": 0}


def test_a_command_that_is_repeated_gives_nothing_back_that_was_given_up_meanwhile(
    company: Company, waiting: list[int]
) -> None:
    plan_and_carry_out(org_id=company.org_id, at=company.at, command_id="plan")
    first = waiting[0]
    holder = assignee(company, first)
    login = next(name for name, each in company.technicians.items() if each == holder)
    version = ticket_row(first)["version"]
    release(
        actor=company.actor(login),
        at=company.at,
        command_id="gives-up",
        ticket_id=first,
        expected_version=version,
        reason="the van broke down",
    )
    left = assignee(company, first)

    plan_and_carry_out(org_id=company.org_id, at=company.at, command_id="plan")

    assert assignee(company, first) == left


def test_a_partners_dispatcher_plans_with_their_own_people_only(company: Company, waiting: list[int]) -> None:
    vendor_id = engage_vendor(company, "close")
    own = hire_somebody(company, "close-1", vendor_id=vendor_id, far=0.05)
    office = replace(
        hire_somebody(company, "office", vendor_id=vendor_id, skill=None, capacity=0),
        grants=(Grant(Role.DISPATCHER, Scope.ORG),),
    )

    plan = make_plan(actor=office, at=company.at)

    assert {row.technician_id for row in plan.rows} == {own.technician_id}
    assert sorted(row.ticket_id for row in plan.rows) == waiting
