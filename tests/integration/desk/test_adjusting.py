"""Doing otherwise than the flow says: allowed to few, with a reason, and always told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.builders.company import Company, found_company
from tests.integration.desk.test_reaching_out import history, step, use_flow, whole
from ticket_console.desk import adjusting
from ticket_console.desk.page import StepView, TicketView, ticket_page
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import ConsoleError, Forbidden
from ticket_console.tickets.actions import NoSuchStep, ReasonRequired
from ticket_console.tickets.fold import fold
from ticket_console.tickets.reads import events_of
from ticket_console.tickets.writing import StaleTicket

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def company() -> Company:
    made = found_company(AT)
    use_flow(
        made,
        step("a", fields=[{"key": "category", "required": True}], evidence=["photo"]),
        step("b", permissions={"manager": {"acts": ["complete"]}}),
        step("c"),
    )
    return made


def page_of(company: Company, ticket_id: int, login: str = "dispatcher") -> TicketView:
    with reading() as connection:
        return ticket_page(connection, viewer=company.actor(login), ticket_id=ticket_id, at=AT)


def standing(company: Company, ticket_id: int) -> StepView:
    (found,) = page_of(company, ticket_id).steps
    return found


def wish(company: Company, ticket_id: int, by: str = "dispatcher", **more: Any) -> dict[str, Any]:
    page = page_of(company, ticket_id)
    return {
        "actor": company.actor(by),
        "at": AT,
        "command_id": company.command_id(),
        "ticket_id": ticket_id,
        "expected_version": page.version,
        "token_id": page.steps[0].token_id,
        "reason": "客户要求",
        **more,
    }


def test_a_step_is_skipped_without_its_entries(company: Company) -> None:  # FLW-14
    ticket = company.open()

    adjusting.skip(**wish(company, ticket.ticket_id))

    assert standing(company, ticket.ticket_id).node_key == "b"
    with reading() as connection:
        last = events_of(connection, ticket.ticket_id)[-1]
        assert fold(events_of(connection, ticket.ticket_id)).ticket["progress_bp"] == 3333
    assert (last["type"], last["payload"]["node"], last["payload"]["reason"]) == (
        "ticket.step_skipped",
        "a",
        "客户要求",
    )
    assert whole(ticket.ticket_id)


def test_another_step_is_done_next_and_the_ticket_goes_on_from_there(company: Company) -> None:  # FLW-14
    ticket = company.open()

    adjusting.insert_step(**wish(company, ticket.ticket_id, node_key="c"))
    there = standing(company, ticket.ticket_id).node_key
    adjusting.insert_step(**wish(company, ticket.ticket_id, node_key="a"))

    assert there == "c"
    assert standing(company, ticket.ticket_id).node_key == "a"
    assert history(ticket.ticket_id)[-2:] == ["ticket.step_moved", "ticket.step_moved"]
    assert whole(ticket.ticket_id)


def test_the_same_command_again_changes_nothing_more(company: Company) -> None:
    ticket = company.open()
    asked = wish(company, ticket.ticket_id)

    first, again = adjusting.skip(**asked), adjusting.skip(**asked)

    assert again.version == first.version
    assert history(ticket.ticket_id).count("ticket.step_skipped") == 1


@pytest.mark.parametrize(
    ("by", "more", "refusal"),
    [
        ("agent", {}, Forbidden),
        ("tech_near", {}, ConsoleError),
        ("dispatcher_cd", {}, ConsoleError),
        ("dispatcher", {"reason": "  "}, ReasonRequired),
        ("dispatcher", {"expected_version": 99}, StaleTicket),
    ],
)
def test_who_may_not_or_says_not_why_changes_nothing(
    company: Company, by: str, more: dict[str, Any], refusal: type[ConsoleError]
) -> None:
    ticket = company.open()
    before = history(ticket.ticket_id)

    with pytest.raises(refusal):
        adjusting.skip(**wish(company, ticket.ticket_id, by, **more))

    assert history(ticket.ticket_id) == before


def test_a_step_may_deny_being_skipped(company: Company) -> None:  # PRM-01
    ticket = company.open()
    adjusting.skip(**wish(company, ticket.ticket_id))

    with pytest.raises(adjusting.SkippingDenied):
        adjusting.skip(**wish(company, ticket.ticket_id, "manager"))

    assert standing(company, ticket.ticket_id).node_key == "b"
    assert [each.can_skip for each in page_of(company, ticket.ticket_id, "manager").steps] == [False]
    assert [each.can_skip for each in page_of(company, ticket.ticket_id, "dispatcher").steps] == [True]


@pytest.mark.parametrize("node_key", ["a", "start", "nowhere"])
def test_only_another_step_of_the_flow_can_be_done_instead(company: Company, node_key: str) -> None:
    ticket = company.open()

    with pytest.raises(NoSuchStep):
        adjusting.insert_step(**wish(company, ticket.ticket_id, node_key=node_key))

    assert standing(company, ticket.ticket_id).node_key == "a"
