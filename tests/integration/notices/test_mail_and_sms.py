"""E-mails and SMS leave the outbox once somebody has taken them, and say why where nobody can."""

import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_string
from email.message import Message as Letter
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from tests.integration.notices.test_outbox import Receiver, listening
from ticket_console.customers.tables import Contact, Customer, CustomerKind
from ticket_console.jobs import sending
from ticket_console.kernel.canonical import parse_json
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.settings import settings
from ticket_console.notices import mail, outbox
from ticket_console.notices.outbox import Message, SendingFailed
from ticket_console.notices.tables import Channel, Outbox, OutboxState
from ticket_console.people.tables import Technician
from ticket_console.tickets.tables import Ticket

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
TEXT = {"zh": "已派单", "en": "Somebody is on the way"}
MAIL = "wang@example.com"

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def company() -> Company:
    return found_company(AT)


@dataclass
class PostOffice:
    """A mail server; `refusals` are what it answers to these verbs instead of taking them."""

    refusals: dict[str, str] = field(default_factory=dict)
    letters: list[tuple[str, str, Letter]] = field(default_factory=list)
    url: str = ""


@contextmanager
def open_office(office: PostOffice) -> Iterator[PostOffice]:
    class Clerk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 office")
            sender = recipient = ""
            while line := self.rfile.readline().decode().strip():
                verb = line.partition(" ")[0].upper()
                if verb in office.refusals:
                    self.say(office.refusals[verb])
                elif verb == "DATA":
                    self.say("354 go on")
                    office.letters.append((sender, recipient, message_from_string(self.letter())))
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    sender = line if verb == "MAIL" else sender
                    recipient = line if verb == "RCPT" else recipient
                    self.say("250 well")

        def letter(self) -> str:
            lines = []
            while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                lines.append(line)
            return "\n".join(lines)

        def say(self, words: str) -> None:
            self.wfile.write(f"{words}\r\n".encode())

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Clerk)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    office.url = f"smtp://127.0.0.1:{server.server_address[1]}"
    try:
        yield office
    finally:
        server.shutdown()
        server.server_close()


def configured(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    changed = replace(settings(), **changes)
    monkeypatch.setattr(sending, "settings", lambda: changed)


def told(company: Company, channel: Channel, recipient: str | None = None) -> int:
    """A notice to the customer of a ticket, who has an address."""
    opened = company.open()
    with transaction() as connection:
        customer_id = connection.execute(
            sa.insert(table(Customer))
            .values(org_id=company.org_id, kind=CustomerKind.PERSON, name="Wang")
            .returning(table(Customer).c.id)
        ).scalar_one()
        connection.execute(
            sa.insert(table(Contact)),
            {"customer_id": customer_id, "name": "Wang", "phone": "", "email": MAIL},
        )
        connection.execute(
            sa.update(table(Ticket))
            .where(table(Ticket).c.id == opened.ticket_id)
            .values(customer_id=customer_id)
        )
        outbox.enqueue(
            connection,
            org_id=company.org_id,
            at=AT,
            ticket_id=opened.ticket_id,
            fact_key="fact",
            channel=channel,
            recipient=recipient or f"customer:{opened.ticket_id}",
            payload={"text": TEXT, "no": "T-7"},
        )
    return opened.ticket_id


def state() -> list[tuple[OutboxState, int, str]]:
    made = table(Outbox)
    with reading() as connection:
        found = connection.execute(
            sa.select(made.c.state, made.c.attempts, made.c.why).where(made.c.channel != Channel.CONSOLE)
        )
        return [tuple(row) for row in found]


def test_a_letter_is_sent_once_the_server_has_taken_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(company, Channel.EMAIL)
    with open_office(PostOffice()) as office:
        configured(monkeypatch, smtp_url=office.url, mail_from="console@example.com")

        counts = sending.send_mails(AT)
        again = sending.send_mails(AT + timedelta(hours=1))

    ((sender, recipient, letter),) = office.letters
    body = letter.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert (counts, again) == ({"sent": 1, "failed": 0, "dead": 0}, {"sent": 0, "failed": 0, "dead": 0})
    assert ("console@example.com" in sender, MAIL in recipient) == (True, True)
    assert (letter["Subject"], letter["To"]) == ("T-7", MAIL)
    assert body.decode().split() == ["已派单", "Somebody", "is", "on", "the", "way"]
    assert state() == [(OutboxState.SENT, 1, "")]


@pytest.mark.parametrize(
    ("refusals", "expected"),
    [
        ({"DATA": "451 later"}, (OutboxState.QUEUED, 1, "SMTP 451 later")),
        ({"RCPT": "450 busy"}, (OutboxState.QUEUED, 1, "SMTP 450 busy")),
        ({"RCPT": "550 nobody here"}, (OutboxState.DEAD, 1, "SMTP 550 nobody here")),
        ({"MAIL": "530 who are you"}, (OutboxState.QUEUED, 1, "SMTP 530 who are you")),
    ],
)
def test_what_the_server_says_decides_whether_it_is_tried_again(
    company: Company,
    monkeypatch: pytest.MonkeyPatch,
    refusals: dict[str, str],
    expected: tuple[OutboxState, int, str],
) -> None:
    told(company, Channel.EMAIL)
    with open_office(PostOffice(dict(refusals))) as office:
        configured(monkeypatch, smtp_url=office.url, mail_from="console@example.com")
        sending.send_mails(AT)
        assert (state(), office.letters) == ([expected], [])

        office.refusals.clear()
        sending.send_mails(AT + timedelta(minutes=1))

    assert len(office.letters) == (expected[0] is OutboxState.QUEUED)


def test_a_password_never_goes_over_an_open_line(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    told(company, Channel.EMAIL)
    with open_office(PostOffice()) as office:
        url = office.url.replace("//", "//user:secret@")
        configured(monkeypatch, smtp_url=url, mail_from="console@example.com")

        sending.send_mails(AT)

    assert office.letters == []
    assert state() == [(OutboxState.QUEUED, 1, "SMTPNotSupportedError")]


def test_a_server_that_is_down_is_tried_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    told(company, Channel.EMAIL)
    with open_office(PostOffice()) as office:
        pass
    configured(monkeypatch, smtp_url=office.url, mail_from="console@example.com")

    sending.send_mails(AT)

    assert state() == [(OutboxState.QUEUED, 1, "ConnectionRefusedError")]


def test_a_forged_line_in_a_number_does_not_become_a_header() -> None:
    message = Message(
        1, 1, 1, Channel.EMAIL, "customer:1", {"no": "T-7\nBcc: x@example.com", "text": TEXT}, 1
    )

    letter = mail.letter_of(message, at=AT, sender="console@example.com", address=MAIL)

    assert (letter["Bcc"], letter["Subject"]) == (None, "T-7 Bcc: x@example.com")


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.SMS])
def test_without_a_provider_the_row_says_so(company: Company, channel: Channel) -> None:
    told(company, channel)

    sending.send_notices(AT)

    assert state() == [(OutboxState.DEAD, 1, "no provider configured")]


def test_whom_no_address_is_known_of_is_not_written_to(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(company, Channel.EMAIL, "role:dispatcher")
    configured(monkeypatch, smtp_url="smtp://127.0.0.1:9", mail_from="console@example.com")

    sending.send_mails(AT)

    assert state() == [(OutboxState.DEAD, 1, "no address known")]


@pytest.mark.parametrize("to", ["customer", "technician"])
def test_an_sms_is_posted_to_the_gateway_signed(
    company: Company, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    with transaction() as connection:
        connection.execute(sa.update(table(Technician)).values(phone="13900000000"))
        technician_id = connection.execute(sa.select(sa.func.min(table(Technician).c.id))).scalar_one()
    told(company, Channel.SMS, "13900000000" if to == "customer" else f"technician:{technician_id}")
    with listening(Receiver()) as gateway:
        configured(monkeypatch, sms_gateway_url=gateway.address)

        counts = sending.send_sms(AT)

    ((headers, body),) = gateway.heard
    assert counts == {"sent": 1, "failed": 0, "dead": 0}
    assert parse_json(body.decode()) == {"to": "13900000000", "text": TEXT, "no": "T-7"}
    assert headers["Console-Signature"].startswith("t=")
    assert state() == [(OutboxState.SENT, 1, "")]


def test_a_gateway_that_is_busy_is_tried_again(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    told(company, Channel.SMS, "13900000000")
    with listening(Receiver([503])) as gateway:
        configured(monkeypatch, sms_gateway_url=gateway.address)

        sending.send_sms(AT)

    assert state() == [(OutboxState.QUEUED, 1, "HTTP 503")]


def test_a_refusal_is_no_crash() -> None:
    message = Message(1, 1, 1, Channel.EMAIL, "customer:1", {"no": "T-7", "text": TEXT}, 1)

    with pytest.raises(SendingFailed):
        mail.send(message, at=AT, server="smtp://127.0.0.1:9", sender="c@example.com", address=MAIL)
