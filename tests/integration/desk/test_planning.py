"""A plan for everything that waits: looked at, then carried out as ordinary assignments."""

from datetime import datetime

import pytest

from tests.builders.company import Company, found_company
from tests.integration.desk.test_waiting_work import assignee, set_duty
from ticket_console.desk.assigning import assign
from ticket_console.desk.planning import MOST_TASKS, TooManyRows, carry_out, make_plan, plan_and_carry_out
from ticket_console.kernel.errors import Forbidden


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


def test_a_plan_names_somebody_for_each_ticket_and_writes_nothing(
    company: Company, waiting: list[int]
) -> None:
    plan = make_plan(actor=company.actor("dispatcher"), at=company.at)

    assert sorted(row.ticket_id for row in plan.rows) == waiting
    assert (plan.waiting, plan.is_cut) == (3, False)
    assert plan.whole.placed == plan.one_by_one.placed == 3
    assert plan.whole.score_bp >= plan.one_by_one.score_bp
    assert [assignee(company, each) for each in waiting] == [None, None, None]


def test_a_plan_is_carried_out_row_by_row_and_a_repetition_changes_nothing(
    company: Company, waiting: list[int]
) -> None:
    dispatcher = company.actor("dispatcher")
    plan = make_plan(actor=dispatcher, at=company.at)
    rows = [(row.ticket_id, row.version, row.technician_id) for row in plan.rows]

    outcomes = carry_out(actor=dispatcher, at=company.at, command_id="plan", rows=rows)
    again = carry_out(actor=dispatcher, at=company.at, command_id="plan", rows=rows)

    assert [each.is_done for each in outcomes] == [True, True, True]
    assert [each.is_done for each in again] == [True, True, True]
    assert {row.ticket_id: row.technician_id for row in plan.rows} == {
        each: assignee(company, each) for each in waiting
    }


def test_a_row_somebody_was_faster_with_is_told_and_the_others_go_on(
    company: Company, waiting: list[int]
) -> None:
    dispatcher = company.actor("dispatcher")
    plan = make_plan(actor=dispatcher, at=company.at)
    rows = [(row.ticket_id, row.version, row.technician_id) for row in plan.rows]
    other = next(each for each in company.technicians.values() if each != rows[0][2])
    assign(
        actor=dispatcher,
        at=company.at,
        command_id="faster",
        ticket_id=rows[0][0],
        expected_version=rows[0][1],
        technician_id=other,
        reason="they are there",
        override=True,
    )

    outcomes = carry_out(actor=dispatcher, at=company.at, command_id="plan", rows=rows)

    assert [each.is_done for each in outcomes] == [False, True, True]
    assert outcomes[0].code == "ticket.stale"
    assert assignee(company, rows[0][0]) == other


def test_the_worker_plans_and_carries_out_by_itself(company: Company, waiting: list[int]) -> None:
    org_id = company.actor("dispatcher").org_id

    assert plan_and_carry_out(org_id=org_id, at=company.at, command_id="first") == 3
    assert plan_and_carry_out(org_id=org_id, at=company.at, command_id="second") == 0
    assert None not in [assignee(company, each) for each in waiting]


def test_nobody_plans_who_may_not_assign(company: Company, waiting: list[int]) -> None:
    agent = company.actor("tech_near")

    with pytest.raises(Forbidden):
        make_plan(actor=agent, at=company.at)
    with pytest.raises(Forbidden):
        carry_out(actor=agent, at=company.at, command_id="plan", rows=[(waiting[0], 1, 1)])

    assert assignee(company, waiting[0]) is None


def test_more_rows_than_a_plan_can_have_are_refused(company: Company, waiting: list[int]) -> None:
    with pytest.raises(TooManyRows):
        carry_out(
            actor=company.actor("dispatcher"),
            at=company.at,
            command_id="plan",
            rows=[(waiting[0], 1, 1)] * (MOST_TASKS + 1),
        )
