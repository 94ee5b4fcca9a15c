"""Many at one moment, with real threads on both databases: one wins, the others learn why."""

from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from threading import Thread

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.fixtures.databases import Database
from tests.integration.proof.crowd import answers, at_once, hire_crew, refusals
from tests.integration.proof.invariants import nothing_is_torn
from tests.integration.proof.journeys import STROKES, done_on_site
from ticket_console.clocks import timers
from ticket_console.clocks.timers import DueTimer
from ticket_console.desk import customer
from ticket_console.desk.assigning import assign, claim, release
from ticket_console.desk.moving import act, cancel, fire_timer
from ticket_console.desk.opening import NewTicket, OpenedTicket, open_ticket
from ticket_console.desk.talking import comment
from ticket_console.desk.work import MovedTicket
from ticket_console.dispatch.choosing import AlreadyClaimed
from ticket_console.dispatch.tables import Assignment, AssignmentState
from ticket_console.kernel import ids
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.settlement import chain
from ticket_console.settlement.tables import Journal, Posting
from ticket_console.tickets import reads
from ticket_console.tickets.tables import Ticket
from ticket_console.tickets.writing import StaleTicket

assignments, tickets, postings = table(Assignment), table(Ticket), table(Posting)


@pytest.fixture
def company(database: Database, at: datetime) -> Company:
    return found_company(at)


def history_of(ticket_id: int) -> Counter[str]:
    with reading() as connection:
        return Counter(event["type"] for event in reads.events_of(connection, ticket_id))


def waiting_ticket(company: Company) -> MovedTicket:
    opened = company.open()
    return release(
        actor=company.actor("dispatcher"),
        at=company.at,
        command_id=company.command_id(),
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
        reason="车坏了",
    )


def test_of_fifty_claims_of_one_ticket_one_wins_and_the_others_learn_who_and_when(
    company: Company,
) -> None:  # pains 33
    crew = hire_crew(company, 50)
    waiting = waiting_ticket(company)

    def take(technician: Actor) -> MovedTicket:
        return claim(
            actor=technician,
            at=company.at + timedelta(minutes=5),
            command_id=f"claim:{technician.technician_id}",
            ticket_id=waiting.ticket_id,
            expected_version=waiting.version,
        )

    outcomes = at_once([partial(take, technician) for technician in crew])

    (won,) = answers(outcomes)
    assert len(refusals(outcomes)) == 49
    assert {type(refusal) for refusal in refusals(outcomes)} <= {StaleTicket, AlreadyClaimed}
    assert {(refusal.params["who"], refusal.params["when"]) for refusal in refusals(outcomes)} == {
        (won.assignee_name, "2026-11-21T02:05:00+00:00")
    }
    with reading() as connection:
        held = sa.select(assignments.c.technician_id).where(assignments.c.state == AssignmentState.CLAIMED)
        assert list(connection.execute(held).scalars()) == [won.assignee_id]
    assert history_of(waiting.ticket_id)["ticket.claimed"] == 1
    nothing_is_torn()


def test_who_never_saw_the_ticket_wait_learns_nothing_by_claiming_it(company: Company) -> None:
    opened = company.open()
    accepted = company.act(opened.ticket_id, opened.version, by="tech_near")
    (stranger,) = hire_crew(company, 1)

    for version in range(1, accepted.version + 1):
        outcomes = at_once(
            [
                partial(
                    claim,
                    actor=stranger,
                    at=company.at,
                    command_id=f"nosy:{version}",
                    ticket_id=opened.ticket_id,
                    expected_version=version,
                )
            ]
        )
        assert [refusal.code for refusal in refusals(outcomes)] == ["ticket.not_found"]


def step_of(company: Company, opened: OpenedTicket, command_id: str) -> MovedTicket:
    return act(
        actor=company.actor("tech_near"),
        at=company.at,
        command_id=command_id,
        ticket_id=opened.ticket_id,
        expected_version=opened.version,
    )


def test_of_twenty_moves_from_one_version_one_is_made_and_the_others_learn_by_whom(company: Company) -> None:
    opened = company.open()

    outcomes = at_once([partial(step_of, company, opened, f"move:{number}") for number in range(20)])

    (made,) = answers(outcomes)
    assert (made.stage, made.version) == ("onsite", opened.version + 1)
    assert [(type(refusal), refusal.params) for refusal in refusals(outcomes)] == [
        (
            StaleTicket,
            {
                "ticket_no": opened.no,
                "who": "tech_near",
                "what": "ticket.step_completed",
                "when": "2026-11-21T02:00:00+00:00",
                "version": made.version,
            },
        )
    ] * 19
    assert history_of(opened.ticket_id)["ticket.step_completed"] == 1
    nothing_is_torn()


def test_one_command_sent_twenty_times_at_once_is_carried_out_once_and_answered_alike(
    company: Company,
) -> None:
    opened = company.open()

    outcomes = at_once([partial(step_of, company, opened, "impatient")] * 20)

    assert refusals(outcomes) == []
    assert {(each.version, each.stage, each.assignee_id) for each in answers(outcomes)} == {
        (opened.version + 1, "onsite", company.technicians["tech_near"])
    }
    assert history_of(opened.ticket_id)["ticket.step_completed"] == 1
    nothing_is_torn()


def test_one_opening_sent_twenty_times_at_once_opens_one_ticket(company: Company) -> None:
    wish = partial(
        open_ticket,
        actor=company.actor("agent"),
        at=company.at,
        command_id="impatient",
        request=NewTicket(template_code="repair", title="漏水", values={"category": "plumbing"}),
    )

    outcomes = at_once([wish] * 20)

    assert refusals(outcomes) == []
    assert len({(each.ticket_id, each.no, each.tracking_token) for each in answers(outcomes)}) == 1
    with reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tickets)).scalar_one() == 1
    nothing_is_torn()


def test_words_said_at_the_same_moment_are_all_kept(company: Company) -> None:
    opened = company.open()

    def say(number: int) -> MovedTicket:
        return comment(
            actor=company.actor("dispatcher"),
            at=company.at,
            command_id=f"word:{number}",
            ticket_id=opened.ticket_id,
            text=f"word {number}",
        )

    outcomes = at_once([partial(say, number) for number in range(20)])

    assert sorted(each.version for each in answers(outcomes)) == list(range(2, 22))
    with reading() as connection:
        said = [each["text"] for each in reads.comments_of(connection, opened.ticket_id)]
    assert sorted(said) == sorted(f"word {number}" for number in range(20))
    nothing_is_torn()


def test_finishing_a_step_and_giving_the_ticket_up_at_once_does_one_of_the_two(company: Company) -> None:
    opened = [company.open() for _ in range(10)]

    def give_up(each: OpenedTicket) -> MovedTicket:
        return cancel(
            actor=company.actor("dispatcher"),
            at=company.at,
            command_id=f"no:{each.no}",
            ticket_id=each.ticket_id,
            expected_version=each.version,
            reason="重复",
        )

    outcomes = at_once(
        [partial(give_up, each) for each in opened]
        + [partial(step_of, company, each, f"go:{each.no}") for each in opened]
    )

    assert len(answers(outcomes)) == len(refusals(outcomes)) == 10
    assert len({each.ticket_id for each in answers(outcomes)}) == 10
    assert {type(refusal) for refusal in refusals(outcomes)} <= {StaleTicket}
    nothing_is_torn()


def test_technicians_swapped_in_opposite_directions_reach_no_caller_as_an_error(company: Company) -> None:
    # PostgreSQL undoes one of two transactions that wait for each other's people.
    near, far = company.technicians["tech_near"], company.technicians["tech_far"]

    def give(ticket_id: int, version: int, technician_id: int, command_id: str) -> int:
        return assign(
            actor=company.actor("dispatcher"),
            at=company.at,
            command_id=command_id,
            ticket_id=ticket_id,
            expected_version=version,
            technician_id=technician_id,
        ).version

    def swap(ticket_id: int, version: int, turns: list[int]) -> int:
        for number, technician_id in enumerate(turns):
            version = give(ticket_id, version, technician_id, f"swap:{ticket_id}:{number}")
        return version

    first, second = company.open(), company.open()
    apart = give(second.ticket_id, second.version, far, "apart")

    outcomes = at_once(
        [
            partial(swap, first.ticket_id, first.version, [far, near] * 25),
            partial(swap, second.ticket_id, apart, [near, far] * 25),
        ]
    )

    assert outcomes == [first.version + 50, apart + 50]
    nothing_is_torn()


def test_settling_many_tickets_at_once_keeps_the_books_whole(company: Company) -> None:  # STL-07 STL-27
    done = [done_on_site(company).tracking_token for _ in range(16)]

    def accept(token: str, number: int) -> MovedTicket:
        return customer.accept(
            token=token,
            at=company.at + timedelta(hours=3),
            command_id=f"accept:{number}",
            signer_name="王芳",
            strokes=STROKES,
        )

    # Each link is opened on two phones at once.
    outcomes = at_once([partial(accept, token, number) for number, token in enumerate(done)] * 2)

    assert refusals(outcomes) == []
    assert {(each.status, each.stage) for each in answers(outcomes)} == {("closed", "done")}
    with reading() as connection:
        assert chain.verify(connection, org_id=company.org_id) == chain.ChainReport(32, None)
        assert connection.execute(sa.select(sa.func.sum(postings.c.amount_minor))).scalar_one() == 0
        per_journal = sa.select(postings.c.journal_id).group_by(postings.c.journal_id)
        unbalanced = per_journal.having(sa.func.sum(postings.c.amount_minor) != 0)
        assert connection.execute(unbalanced).all() == []
        # What the technician is owed and what the customer is charged, once each.
        assert len(connection.execute(sa.select(table(Journal).c.id)).all()) == 32
    nothing_is_torn()


def test_fetching_ids_never_holds_up_a_command_that_is_at_work(company: Company) -> None:
    taken: list[int] = []

    def bulk() -> None:
        with transaction(reserve={"row": 50_000}):
            taken.append(ids.take("row"))

    with transaction():
        waiting = Thread(target=bulk, daemon=True)
        waiting.start()
        # On SQLite it now waits for this transaction, and this transaction must go on.
        waiting.join(0.3)
        taken.append(ids.take("row"))
    waiting.join(10)

    assert not waiting.is_alive()
    assert len(set(taken)) == 2


def test_a_timer_that_fires_while_its_ticket_is_given_up_moves_it_or_does_not(company: Company) -> None:
    cooling = [complaint_that_cools(company) for _ in range(8)]
    later = company.at + timedelta(days=2)
    with reading() as connection:
        due = timers.due(connection, at=later)

    def fire(timer: DueTimer) -> bool:
        return fire_timer(
            at=later,
            org_id=timer.org_id,
            ticket_id=timer.ticket_id,
            token_id=timer.token_id,
            timer_id=timer.timer_id,
        )

    def give_up(ticket: MovedTicket) -> bool:
        cancel(
            actor=company.actor("manager"),
            at=later,
            command_id=f"no:{ticket.no}",
            ticket_id=ticket.ticket_id,
            expected_version=ticket.version,
            reason="客户撤诉",
        )
        return True

    # Two workers look at the same timers.
    outcomes = at_once(
        [partial(fire, each) for each in due] * 2 + [partial(give_up, each) for each in cooling]
    )

    assert len(due) == 8
    assert sum(outcome is True for outcome in outcomes) == 8
    assert {type(refusal) for refusal in refusals(outcomes)} <= {StaleTicket}
    nothing_is_torn()


def complaint_that_cools(company: Company) -> MovedTicket:
    opened = company.open(template="complaint", title="服务太慢", values={})
    looked_into = company.act(
        opened.ticket_id,
        opened.version,
        by="agent",
        values={
            "complaint_kind": "punctuality",
            "findings": "属实",
            "proposal": "道歉",
            "needs_visit": False,
        },
    )
    return company.act(opened.ticket_id, looked_into.version, by="dispatcher")
