"""DSP-20: a VIP's complaint is expedited, two are told, and the account manager plans a compensation."""

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.access.policy import PERMISSIONS
from ticket_console.jobs import sending
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.database import reading, table
from ticket_console.notices import inbox
from ticket_console.notices.tables import Channel, Outbox
from ticket_console.tickets import links
from ticket_console.tickets.tables import Ticket, TokenRow

TICKETS, TOKENS, OUTBOX = table(Ticket), table(TokenRow), table(Outbox)


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def complaint(company: Company, customer: str) -> int:
    opened = company.open(
        template="complaint", title="师傅没来", customer_id=company.customers[customer], lat=None, lon=None
    )
    return opened.ticket_id


def row(ticket_id: int) -> Any:
    with reading() as connection:
        return connection.execute(sa.select(TICKETS).where(TICKETS.c.id == ticket_id)).one()


def told(company: Company) -> list[str]:
    with reading() as connection:
        query = sa.select(OUTBOX.c.recipient).where(OUTBOX.c.channel == Channel.CONSOLE)
        return sorted(connection.execute(query).scalars())


def account_manager(company: Company) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        org_id=company.org_id,
        display="客户经理",
        user_id=company.actor("agent").user_id,
        grants=(Grant(Role.ACCOUNT_MANAGER, Scope.ORG),),
    )


def tasks() -> list[Any]:
    with reading() as connection:
        return list(
            connection.execute(
                sa.select(TICKETS, TOKENS.c.queue_role, TOKENS.c.node_key)
                .join(TOKENS, TOKENS.c.ticket_id == TICKETS.c.id)
                .where(TICKETS.c.parent_id.is_not(None))
            ).all()
        )


def test_a_vips_complaint_is_an_emergency_and_says_why(company: Company) -> None:
    vip, other = row(complaint(company, "贵宾")), row(complaint(company, "王芳"))

    assert (vip.is_vip, vip.priority, vip.urgency) == (True, 1, 3)
    assert "priority_reason.vip_complaint" in [each["code"] for each in vip.priority_reason["reasons"]]
    assert (other.is_vip, other.priority) == (False, 4)
    assert vip.due_at < other.due_at


def test_exactly_the_managers_and_the_account_managers_are_told(company: Company) -> None:
    ticket_id = complaint(company, "贵宾")

    assert told(company) == ["role:account_manager", "role:manager"]
    with reading() as connection:
        (notice,) = inbox.inbox(connection, account_manager(company)).notices
    assert (notice.ticket_id, "补偿预案" in notice.text["zh"]) == (ticket_id, True)


def test_the_account_manager_gets_a_linked_task_and_finishes_it(company: Company, at: datetime) -> None:
    ticket_id = complaint(company, "贵宾")

    sending.open_linked_tickets(at)
    sending.open_linked_tickets(at)

    (task,) = tasks()
    assert (task.parent_id, task.customer_id, task.queue_role, task.node_key) == (
        ticket_id,
        company.customers["贵宾"],
        "account_manager",
        "plan",
    )
    with reading() as connection:
        assert links.ancestors(connection, task.id, most=5) == 1
    # Opening the task tells nobody of another complaint.
    assert told(company) == ["role:account_manager", "role:manager"]
    company._actors["account_manager"] = account_manager(company)
    company.act(task.id, task.version, by="account_manager", values={"proposal": "免单并致歉"})
    assert row(task.id).closed_at == at


def test_anybody_elses_complaint_goes_its_usual_way(company: Company, at: datetime) -> None:
    complaint(company, "王芳")

    sending.open_linked_tickets(at)

    assert (told(company), tasks()) == ([], [])


def test_who_manages_accounts_gives_out_no_work_and_sees_no_money() -> None:
    mine = PERMISSIONS[Role.ACCOUNT_MANAGER]

    assert {"ticket.act", "ticket.view", "board.view"} <= mine
    assert not mine & {"ticket.assign", "dispatch.manage", "money.view", "user.manage", "ticket.cancel"}
