"""Returns step by step: every figure is the number of tickets, or visits, that it stands for."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.builders.company import CHENGDU, Company, found_company
from tests.builders.flows import AGENTS, make_edge, make_graph, make_node
from ticket_console.desk import moving
from ticket_console.flows import publishing as flow_publishing
from ticket_console.forms import publishing as form_publishing
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, transaction
from ticket_console.kernel.errors import Forbidden
from ticket_console.reports import metrics
from ticket_console.reports.metrics import EVERYTHING, Slice
from ticket_console.reports.returned import Days, Returned, parse_returned
from ticket_console.reports.returns import StepReturns, last_days, returns_by_step, step_name
from ticket_console.state.tickets import asked_of, narrowing
from ticket_console.tickets import reads

HOUR = timedelta(hours=1)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    made = found_company(at)
    graph = make_graph(
        make_node("fix", "task", handler=AGENTS),
        make_node("check", "approval", handler=AGENTS),
        make_node("approve", "approval"),
        make_edge("start", "fix"),
        make_edge("fix", "check"),
        make_edge("check", "approve"),
        make_edge("approve", "end"),
        make_edge("check", "fix", kind="return"),
        make_edge("approve", "fix", kind="reject"),
    )
    with transaction() as connection:
        flow = flow_publishing.publish_flow(
            connection,
            actor=made.system,
            at=at,
            code="checked",
            name={"zh": "复核", "en": "Checked"},
            graph=graph,
        )
        form_publishing.use_flow(
            connection, actor=made.system, code="repair", flow_id=flow.flow_id, flow_version_id=flow.id
        )
    return made


def step(company: Company, ticket_id: int, command: Any = moving.act, by: str = "agent", **more: Any) -> None:
    with reading() as connection:
        version = reads.find_ticket(connection, viewer=company.actor("manager"), ticket_id=ticket_id)[
            "version"
        ]
    command(
        actor=company.actor(by),
        at=company.at,
        command_id=company.command_id(),
        ticket_id=ticket_id,
        expected_version=version,
        **more,
    )


@pytest.fixture
def busy(company: Company) -> Company:
    """Three tickets: one sent back twice at the check, one once and rejected later, one never, in Chengdu."""
    first, second = company.open().ticket_id, company.open().ticket_id
    third = company.open(lat=CHENGDU[0], lon=CHENGDU[1]).ticket_id
    for ticket_id, reasons in ((first, ["脏", "脏"]), (second, ["漏水"]), (third, [])):
        step(company, ticket_id)
        for reason in reasons:
            step(company, ticket_id, moving.send_back, reason=reason)
            step(company, ticket_id)
    step(company, second)
    step(company, second, moving.reject, by="dispatcher", reason="价格不对")
    step(company, third)
    return company


def days(company: Company, count: int = 30) -> Days:
    with reading() as connection:
        return last_days(connection, org_id=company.org_id, at=company.at, count=count)


def look(
    company: Company, slice: Slice = EVERYTHING, *, by: str = "manager", within: Days | None = None
) -> tuple[StepReturns, ...]:
    with reading() as connection:
        return returns_by_step(
            connection, viewer=company.actor(by), slice=slice, days=within or days(company)
        )


def listed(company: Company, slice: Slice, *, viewer: Actor | None = None) -> metrics.TicketList:
    with reading() as connection:
        return metrics.ticket_list(
            connection,
            viewer=viewer or company.actor("manager"),
            at=company.at,
            slice=slice,
            metric=None,
        )


def test_each_step_says_how_often_by_whom_and_why(busy: Company) -> None:  # FLW-10
    check, approve = look(busy)

    assert (check.flow, check.node, check.passed, check.returns, check.tickets) == (
        "checked",
        "check",
        5,
        3,
        2,
    )
    assert check.rate_bp == 6_000
    assert (check.by, check.reasons) == ((("agent", 3),), (("脏", 2), ("漏水", 1)))
    assert (approve.node, approve.passed, approve.returns, approve.rate_bp) == ("approve", 1, 1, 10_000)
    assert (approve.by, approve.reasons) == ((("dispatcher", 1),), (("价格不对", 1),))
    assert (check.flow_name["en"], check.name["en"]) == ("Checked", "check")


@pytest.mark.parametrize("by", ["manager", "dispatcher", "dispatcher_cd"])
def test_every_figure_is_the_number_of_tickets_in_its_list(busy: Company, by: str) -> None:  # FLW-10 RPT-01
    steps = look(busy, by=by)

    assert len(steps) == {"manager": 2, "dispatcher": 2, "dispatcher_cd": 0}[by]
    for each in steps:
        behind = listed(busy, each.slice, viewer=busy.actor(by))
        assert (each.node, each.tickets) == (each.node, behind.count)


def test_the_address_of_a_list_leads_to_the_same_tickets(busy: Company) -> None:  # FLW-10
    check = look(busy, Slice(region_id=busy.regions["sh"]))[0]

    assert asked_of(narrowing(check.slice)).slice == check.slice


def test_only_what_is_asked_for_is_counted(busy: Company) -> None:  # FLW-10
    today = busy.at.date()
    before = Days(today - timedelta(days=9), today - timedelta(days=2))

    assert look(busy, Slice(region_id=busy.regions["cd"])) == ()
    assert look(busy, within=before) == ()
    assert [each.tickets for each in look(busy, Slice(region_id=busy.regions["sh"]))] == [2, 1]


def test_who_may_not_look_is_refused(busy: Company) -> None:
    with pytest.raises(Forbidden):
        look(busy, by="tech_near")


def test_a_step_is_called_what_its_newest_version_calls_it(busy: Company) -> None:
    check = look(busy)[0].slice.returned
    assert check is not None
    with reading() as connection:
        known = step_name(connection, org_id=busy.org_id, returned=check)
        gone = step_name(connection, org_id=busy.org_id, returned=replace(check, node="never"))

    assert (known, gone) == ({"zh": "check", "en": "check"}, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "checked",
        "checked~check~2026-03-02",
        "checked~check~2026-03-02~2026-03-01",
        "checked~check~2026-13-02~2026-14-01",
        "checked~check~2026-01-01~9999-12-31",
        "checked~ch eck~2026-03-01~2026-03-02",
    ],
)
def test_what_names_no_step_and_days_asks_for_nothing(text: str) -> None:
    assert parse_returned(text) is None


def test_a_step_of_a_sub_flow_can_be_asked_for() -> None:
    asked = Returned("checked", "inner.check", Days(date(2026, 3, 1), date(2026, 3, 2)))

    assert parse_returned(str(asked)) == asked
