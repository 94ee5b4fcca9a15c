"""The customer's link, work that waits, flows that wait or split, and money that is set right."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.integration.proof.journeys import STROKES, done_on_site
from ticket_console.desk import customer
from ticket_console.desk.assigning import NothingToAssign, claim
from ticket_console.desk.customer import NothingToAccept
from ticket_console.desk.moving import WhichStep, cancel
from ticket_console.desk.settling import NothingToCorrect, correct
from ticket_console.desk.story import customer_story
from ticket_console.dispatch.choosing import AlreadyClaimed
from ticket_console.dispatch.tables import Assignment, AssignmentState, TechnicianLoad
from ticket_console.jobs import chores
from ticket_console.kernel.actor import Grant, Role, Scope
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import ConsoleError, Forbidden
from ticket_console.people.duty import set_on_duty
from ticket_console.settlement.settling import NothingSettled
from ticket_console.settlement.tables import Journal, Posting, Rating
from ticket_console.tickets import reads
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.tables import Event, Ticket
from ticket_console.tickets.writing import StaleTicket, TicketNotFound


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


def row(ticket_id: int) -> Any:
    tickets = table(Ticket)
    with reading() as connection:
        return connection.execute(sa.select(tickets).where(tickets.c.id == ticket_id)).one()


def count(model: Any) -> int:
    with reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table(model))).scalar_one()


def steps(ticket_id: int) -> dict[str, int]:
    with reading() as connection:
        return {each["node_key"]: each["id"] for each in reads.live_tokens(connection, ticket_id)}


def signed(company: Company, token: str, command_id: str = "accept", hours: int = 3) -> dict[str, Any]:
    return {
        "token": token,
        "at": company.at + timedelta(hours=hours),
        "command_id": command_id,
        "signer_name": "王芳",
        "strokes": STROKES,
    }


@pytest.mark.parametrize("token", ["", "wrong", "链接", "A" * 32, "x" * 5_000])
def test_a_link_nobody_was_given_leads_nowhere(company: Company, token: str) -> None:
    company.open()
    before = count(Event)

    for ask in (
        lambda: customer.track(token=token, at=company.at),
        lambda: customer.accept(**signed(company, token)),
        lambda: customer.refuse(token=token, at=company.at, command_id="r", reason="不好"),
        lambda: customer.write(token=token, at=company.at, command_id="w", text="你好"),
    ):
        with pytest.raises(TicketNotFound):
            ask()
    assert count(Event) == before


def test_a_customer_accepts_once(company: Company) -> None:
    token = done_on_site(company).tracking_token
    closed = customer.accept(**signed(company, token))
    before = count(Event)

    assert customer.accept(**signed(company, token)).version == closed.version
    with pytest.raises(NothingToAccept):
        customer.accept(**signed(company, token, "again"))
    with pytest.raises(NothingToAccept):
        customer.refuse(token=token, at=company.at, command_id="no", reason="还在漏水")
    assert (closed.status, count(Event)) == ("closed", before)


def test_a_customer_who_refuses_says_why(company: Company) -> None:
    token = done_on_site(company).tracking_token
    before = count(Event)

    for reason in ("", "  "):
        with pytest.raises(ReasonRequired):
            customer.refuse(token=token, at=company.at, command_id="no", reason=reason)
    assert count(Event) == before


def test_before_the_work_is_done_there_is_nothing_to_accept(company: Company) -> None:
    opened = company.open()
    before = count(Event)

    with pytest.raises(NothingToAccept):
        customer.accept(**signed(company, opened.tracking_token))
    assert count(Event) == before


def test_a_contact_with_a_long_name_can_write_and_is_kept_as_far_as_it_fits(company: Company) -> None:
    opened = company.open(contact_name="张" * 120)

    customer.write(token=opened.tracking_token, at=company.at, command_id="w", text="你好")

    with reading() as connection:
        (said,) = reads.comments_of(connection, opened.ticket_id, for_customer=True)
    assert (said["text"], said["author_name"]) == ("你好", "张" * 80)


def test_a_customer_whose_request_was_called_off_is_not_told_that_it_is_done(company: Company) -> None:
    opened = company.open()
    cancel(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id="x",
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="重复",
    )
    actor, _ = customer.customer_of(opened.tracking_token)

    with reading() as connection:
        story = customer_story(connection, viewer=actor, ticket_id=opened.ticket_id)

    assert story.now is None
    assert [entry.kind for entry in story.entries] == ["cancelled", "arranged", "received"]


def set_duty(company: Company, login: str, *, is_on_duty: bool) -> None:
    set_on_duty(
        actor=company.actor(login),
        at=company.at,
        command_id=company.command_id(),
        technician_id=company.technicians[login],
        is_on_duty=is_on_duty,
    )


def test_work_that_had_nobody_is_given_away_when_somebody_comes_on_duty(company: Company) -> None:  # DSP-11
    for login in company.technicians:
        set_duty(company, login, is_on_duty=False)
    # More of what no technician is to do than one round looks at, and more pressing.
    for _ in range(chores.MOST_WAITING + 1):
        company.open(template="consult", urgency=3, impact=3)
    opened = company.open()
    before = count(Event)

    assert chores.look_again(company.at + timedelta(minutes=1)) == {"assigned": 0, "failed": 0}
    assert (row(opened.ticket_id).assignee_id, count(Event)) == (None, before)

    set_duty(company, "tech_far", is_on_duty=True)
    assert chores.look_again(company.at + timedelta(minutes=2)) == {"assigned": 1, "failed": 0}
    assert row(opened.ticket_id).assignee_id == company.technicians["tech_far"]
    assert chores.look_again(company.at + timedelta(minutes=3)) == {"assigned": 0, "failed": 0}
    assert count(Event) == before + 1


def test_what_somebody_has_cannot_be_claimed_even_by_who_sees_it(company: Company) -> None:
    opened = company.open()
    far = company.actor("tech_far")
    sees_all = replace(far, grants=(*far.grants, Grant(Role.DISPATCHER, Scope.ORG)))
    before = count(Event), count(Assignment)

    with pytest.raises(ConsoleError) as refusal:
        claim(
            actor=sees_all,
            at=company.at,
            command_id="c",
            ticket_id=opened.ticket_id,
            expected_version=opened.version,
        )

    assert isinstance(refusal.value, AlreadyClaimed | NothingToAssign)
    assert (count(Event), count(Assignment)) == before
    loads, assignments = table(TechnicianLoad), table(Assignment)
    with reading() as connection:
        assert connection.execute(sa.select(sa.func.sum(loads.c.open_count))).scalar_one() == 1
        held = sa.select(assignments.c.technician_id).where(assignments.c.state == AssignmentState.CLAIMED)
        assert list(connection.execute(held).scalars()) == [company.technicians["tech_near"]]


def test_a_complaint_cools_down_for_a_day_and_its_timer_fires_once(company: Company) -> None:  # FLW-12
    opened = company.open(template="complaint", title="态度不好")
    told = company.act(
        opened.ticket_id,
        opened.version,
        by="agent",
        values={"complaint_kind": "punctuality", "findings": "属实", "proposal": "道歉"},
    )
    decided = company.act(opened.ticket_id, told.version, by="dispatcher")
    assert list(steps(opened.ticket_id)) == ["cooling"]
    day = company.at + timedelta(hours=24)

    assert chores.fire_timers(day - timedelta(seconds=1)) == {"fired": 0, "passed_over": 0, "failed": 0}
    assert row(opened.ticket_id).version == decided.version
    assert chores.fire_timers(day) == {"fired": 1, "passed_over": 0, "failed": 0}
    assert list(steps(opened.ticket_id)) == ["follow_up"]
    version = row(opened.ticket_id).version
    assert version == decided.version + 1
    assert chores.fire_timers(day + timedelta(days=9)) == {"fired": 0, "passed_over": 0, "failed": 0}
    assert row(opened.ticket_id).version == version


def test_an_installation_goes_on_when_site_and_goods_are_both_ready(company: Company) -> None:  # FLW-07
    opened = company.open(template="install", title="装空调")
    prepared = steps(opened.ticket_id)
    assert set(prepared) == {"site_ready", "goods_ready"}
    assert row(opened.ticket_id).stage == "intake"

    with pytest.raises(WhichStep):
        company.act(opened.ticket_id, opened.version, by="dispatcher")
    first = company.act(
        opened.ticket_id,
        opened.version,
        by="dispatcher",
        token_id=prepared["goods_ready"],
        values={"delivery_no": "SF-1"},
    )
    assert (first.stage, set(steps(opened.ticket_id))) == ("intake", {"site_ready"})
    second = company.act(
        opened.ticket_id,
        first.version,
        by="agent",
        token_id=prepared["site_ready"],
        values={"site_condition": "ready"},
    )

    assert second.stage == "accept"
    assert len(steps(opened.ticket_id)) == 1
    assert second.assignee_id == company.technicians["tech_near"]
    assert second.progress_bp > first.progress_bp


def postings_by_journal() -> list[tuple[str, dict[int, int]]]:
    journals, postings = table(Journal), table(Posting)
    with reading() as connection:
        found = connection.execute(sa.select(journals.c.id, journals.c.kind).order_by(journals.c.id)).all()
        return [
            (
                str(kind),
                dict(
                    connection.execute(
                        sa.select(postings.c.account_id, sa.func.sum(postings.c.amount_minor))
                        .where(postings.c.journal_id == id)
                        .group_by(postings.c.account_id)
                    ).all()
                ),
            )
            for id, kind in found
        ]


def test_a_correction_takes_back_exactly_what_was_booked_and_books_anew(company: Company) -> None:  # STL-25
    token = done_on_site(company).tracking_token
    closed = customer.accept(**signed(company, token))
    wish = {
        "actor": company.actor("finance"),
        "at": company.at + timedelta(days=1),
        "command_id": "correct-1",
        "ticket_id": closed.ticket_id,
        "expected_version": closed.version,
    }
    rated = postings_by_journal()
    before = count(Event), count(Rating)

    for refused, refusal in (
        ({"actor": company.actor("dispatcher")}, Forbidden),
        ({"expected_version": 1}, StaleTicket),
        ({"reason": " "}, ConsoleError),
    ):
        with pytest.raises(refusal):
            correct(**{"reason": "工时写错", **wish, **refused})
    assert (postings_by_journal(), (count(Event), count(Rating))) == (rated, before)

    corrected = correct(**wish, reason="工时写错")

    assert correct(**wish, reason="工时写错").version == corrected.version == closed.version + 1
    kinds = [kind for kind, _ in postings_by_journal()]
    booked = [amounts for _, amounts in postings_by_journal()]
    # What was paid, and what the customer is charged.
    assert kinds == [*["rating"] * 2, *["reversal"] * 2, *["rating"] * 2]
    assert booked[2:4] == [
        {account: -amount for account, amount in amounts.items()} for amounts in booked[:2]
    ]
    assert booked[4:] == booked[:2]


def test_where_nothing_was_settled_there_is_nothing_to_correct(company: Company) -> None:
    opened = company.open()
    before = count(Event)

    with pytest.raises((NothingToCorrect, NothingSettled)):
        correct(
            actor=company.actor("finance"),
            at=company.at,
            command_id="c",
            ticket_id=opened.ticket_id,
            expected_version=opened.version,
            reason="写错",
        )
    assert (count(Event), count(Journal)) == (before, 0)
