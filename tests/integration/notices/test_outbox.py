"""What is to be told is told once, tried again, and given up in the end."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from time import monotonic, sleep
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.jobs import sending
from ticket_console.kernel.actor import Grant, Role, Scope
from ticket_console.kernel.canonical import parse_json
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import InvalidInput
from ticket_console.notices import inbox, outbox, surveys, webhook
from ticket_console.notices.inbox import MOST_UNREAD, InboxView
from ticket_console.notices.outbox import Message, SendingFailed
from ticket_console.notices.surveys import AlreadyAnswered, SurveyNotFound
from ticket_console.notices.tables import Channel, Outbox, OutboxState
from ticket_console.tickets import links
from ticket_console.tickets.tables import Ticket

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SECRET = "a secret that only these tests know of"
QUESTIONS = (
    {"key": "stars", "kind": "rating", "label": {"zh": "满意吗", "en": "How was it"}},
    {"key": "words", "kind": "text", "label": {"zh": "建议", "en": "Anything else"}},
)

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def company() -> Company:
    return found_company(AT)


@dataclass
class Receiver:
    """A system that listens, and answers with the statuses it was given, the last one for ever."""

    statuses: list[int] = field(default_factory=lambda: [200])
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    address: str = ""
    drops: int = 0

    def answer(self) -> int:
        return self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]


@contextmanager
def listening(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.heard.append((dict(self.headers.items()), body))
            status = receiver.answer()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", receiver.address + "elsewhere")
            self.end_headers()
            with suppress(OSError):
                for _ in range(receiver.drops):
                    self.wfile.write(b".")
                    self.wfile.flush()
                    sleep(0.05)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    receiver.address = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


def put(company: Company, ticket_id: int, *, fact: str = "fact", recipient: str = "role:dispatcher",
        channel: Channel = Channel.CONSOLE, **payload: Any) -> bool:  # fmt: skip
    with transaction() as connection:
        return outbox.enqueue(
            connection,
            org_id=company.org_id,
            at=AT,
            ticket_id=ticket_id,
            fact_key=fact,
            channel=channel,
            recipient=recipient,
            payload=payload or {"text": {"zh": "新工单", "en": "New ticket"}},
        )


def rows() -> list[Any]:
    made = table(Outbox)
    with reading() as connection:
        return list(connection.execute(sa.select(made).order_by(made.c.id)))


def claim(at: datetime = AT) -> tuple[Message, ...]:
    with transaction() as connection:
        return outbox.claim(connection, at=at, channel=Channel.WEBHOOK, limit=10)


def post(message: Message, receiver: Receiver) -> None:
    host = receiver.address.removeprefix("http://").rstrip("/")
    with httpx.Client() as client:
        webhook.post(message, at=AT, secret=SECRET, hosts=(host,), client=client)


def test_the_same_fact_is_told_to_the_same_recipient_once(company: Company) -> None:
    ticket = company.open()

    assert put(company, ticket.ticket_id)
    assert not put(company, ticket.ticket_id)
    assert put(company, ticket.ticket_id, recipient="role:agent")
    assert [row.recipient for row in rows()] == ["role:dispatcher", "role:agent"]


def test_a_call_carries_a_signature_that_the_receiver_can_check(company: Company) -> None:
    ticket = company.open()
    with listening(Receiver()) as receiver:
        put(company, ticket.ticket_id, channel=Channel.WEBHOOK, recipient=receiver.address, event="x")
        (message,) = claim()
        post(message, receiver)

    ((headers, body),) = receiver.heard
    key = webhook.signing_key(secret=SECRET, org_id=company.org_id)
    assert parse_json(body.decode()) == {"event": "x"}
    assert headers["Console-Signature"] == webhook.signature(key=key, at=AT, body=body)
    assert headers["Console-Delivery"] == str(message.id)
    assert webhook.signature(key=key, at=AT, body=body + b" ") != headers["Console-Signature"]


@pytest.mark.parametrize(("status", "for_good"), [(500, False), (429, False), (404, True), (302, True)])
def test_what_the_receiver_answers_decides_whether_it_is_tried_again(
    company: Company, status: int, for_good: bool
) -> None:
    ticket = company.open()
    with listening(Receiver([status])) as receiver:
        put(company, ticket.ticket_id, channel=Channel.WEBHOOK, recipient=receiver.address, event="x")
        (message,) = claim()
        with pytest.raises(SendingFailed) as failure:
            post(message, receiver)

    assert failure.value.for_good is for_good
    assert str(failure.value) == f"HTTP {status}"
    assert len(receiver.heard) == 1


def test_nobody_waits_for_what_a_receiver_has_to_say(company: Company) -> None:
    ticket = company.open()
    with listening(Receiver(drops=200)) as receiver:
        put(company, ticket.ticket_id, channel=Channel.WEBHOOK, recipient=receiver.address)
        (message,) = claim()

        began = monotonic()
        post(message, receiver)
        assert monotonic() - began < 5
    assert len(receiver.heard) == 1


def test_a_round_of_calls_that_all_hang_ends_before_somebody_else_may_take_them_over() -> None:
    assert outbox.LEASE.total_seconds() > sending.MOST_CALLS * 3 * webhook.TIMEOUT_SECONDS


def test_an_address_that_is_not_listed_is_never_called(company: Company) -> None:
    ticket = company.open()
    with listening(Receiver()) as receiver:
        put(company, ticket.ticket_id, channel=Channel.WEBHOOK, recipient=receiver.address, event="x")

        assert sending.call_webhooks(AT) == {"sent": 0, "failed": 0, "dead": 1}
        assert receiver.heard == []
    assert [(row.state, row.why) for row in rows()] == [(OutboxState.DEAD, "outbound.not_allowed")]


def test_a_failure_is_put_off_longer_each_time_and_given_up_after_the_last(company: Company) -> None:
    ticket = company.open()
    put(company, ticket.ticket_id, channel=Channel.WEBHOOK, recipient="https://crm.example/", event="x")
    at, waits = AT, []
    while messages := claim(at):
        with transaction() as connection:
            outbox.mark_failed(connection, message=messages[0], at=at, failure=SendingFailed("HTTP 503"))
        (row,) = rows()
        waits.append(int((row.next_at - at).total_seconds()))
        at = row.next_at

    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3840]
    assert (row.state, row.attempts, row.why) == (OutboxState.DEAD, 8, "HTTP 503")


def test_what_a_dead_worker_left_is_taken_over_and_its_late_word_counts_no_more(company: Company) -> None:
    ticket = company.open()
    put(company, ticket.ticket_id, channel=Channel.WEBHOOK, recipient="https://crm.example/", event="x")
    (first,) = claim()

    assert claim(AT + timedelta(minutes=1)) == ()
    (second,) = claim(AT + timedelta(minutes=2))
    assert (second.id, second.attempts) == (first.id, 2)
    with transaction() as connection:
        outbox.mark_failed(connection, message=first, at=AT, failure=SendingFailed("late", for_good=True))
    assert [row.state for row in rows()] == [OutboxState.SENDING]


def test_a_notice_to_a_role_reaches_those_who_may_see_the_ticket(company: Company) -> None:
    ticket = company.open()
    put(company, ticket.ticket_id)

    def unread(login: str) -> int:
        with reading() as connection:
            return inbox.inbox(connection, company.actor(login)).unread

    assert {login: unread(login) for login in ("dispatcher", "dispatcher_cd", "agent")} == {
        "dispatcher": 1,
        "dispatcher_cd": 0,
        "agent": 0,
    }
    with reading() as connection:
        (notice,) = inbox.inbox(connection, company.actor("dispatcher")).notices
    with transaction() as connection:
        inbox.mark_read(connection, company.actor("dispatcher_cd"), [notice.id], at=AT)
    assert unread("dispatcher") == 1
    with transaction() as connection:
        inbox.mark_read(connection, company.actor("dispatcher"), [notice.id], at=AT)
    assert unread("dispatcher") == 0


def test_unread_notices_are_counted_as_far_as_anybody_cares(company: Company) -> None:
    ticket = company.open()
    for number in range(MOST_UNREAD + 5):
        put(company, ticket.ticket_id, fact=f"fact {number}")

    with reading() as connection:
        found = inbox.inbox(connection, company.actor("dispatcher"), limit=3)
    assert (found.unread, len(found.notices)) == (MOST_UNREAD, 3)


def test_what_nobody_has_is_not_the_own_of_somebody_who_is_no_technician(company: Company) -> None:
    tickets = [company.open(), company.open()]
    with transaction() as connection:
        made = table(Ticket)
        connection.execute(sa.update(made).values(assignee_id=None))
        first, second = (ticket.ticket_id for ticket in tickets)
        links.add(connection, from_id=first, to_id=second, kind="care", at=AT, command_id="link")
    put(company, second, recipient="role:technician")
    nobody = replace(
        company.actor("dispatcher"), technician_id=None, grants=(Grant(Role.TECHNICIAN, Scope.OWN),)
    )

    with reading() as connection:
        assert inbox.inbox(connection, nobody) == InboxView((), 0)
        assert links.links_of(connection, nobody, first) == ()
        assert len(links.links_of(connection, company.actor("manager"), first)) == 1


def test_a_survey_is_asked_once_and_answered_once(company: Company) -> None:  # FLW-17
    ticket = company.open()
    asked = {"org_id": company.org_id, "at": AT, "ticket_id": ticket.ticket_id, "node_key": "survey"}
    with transaction() as connection:
        survey_id = surveys.ask(connection, questions=QUESTIONS, **asked)
        assert surveys.ask(connection, questions=QUESTIONS, **asked) is None
    assert survey_id is not None
    answered = {"ticket_id": ticket.ticket_id, "survey_id": survey_id, "at": AT}
    with transaction() as connection:
        surveys.answer(connection, answers={"stars": 4, "words": " 准时 "}, **answered)

    with reading() as connection:
        (kept,) = surveys.of_ticket(connection, ticket.ticket_id)
    assert kept.answers == {"stars": 4, "words": "准时"}
    with pytest.raises(AlreadyAnswered), transaction() as connection:
        surveys.answer(connection, answers={"stars": 1}, **answered)


def test_the_survey_of_another_ticket_is_none_of_this_customer(company: Company) -> None:
    ticket, other = company.open(), company.open()
    with transaction() as connection:
        survey_id = surveys.ask(
            connection,
            org_id=company.org_id,
            at=AT,
            ticket_id=other.ticket_id,
            node_key="survey",
            questions=QUESTIONS,
        )
        assert survey_id is not None

    with pytest.raises(SurveyNotFound), transaction() as connection:
        surveys.answer(
            connection, ticket_id=ticket.ticket_id, survey_id=survey_id, at=AT, answers={"stars": 5}
        )
    with reading() as connection:
        assert [each.answers for each in surveys.of_ticket(connection, other.ticket_id)] == [None]


@pytest.mark.parametrize(
    ("answers", "problems"),
    [
        ({}, [("stars", "survey.rating_missing")]),
        ({"stars": 6}, [("stars", "survey.bad")]),
        ({"stars": True}, [("stars", "survey.bad")]),
        ({"stars": 5, "words": 7}, [("words", "survey.bad")]),
        ({"stars": 5, "more": "x"}, [("more", "field.unknown")]),
        ({"stars": 5, "words": "x" * 2001}, [("words", "field.too_long")]),
    ],
)
def test_wrong_answers_are_named(
    company: Company, answers: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        surveys.checked_answers(QUESTIONS, answers)

    assert [(problem.path, problem.code) for problem in refusal.value.problems] == problems
