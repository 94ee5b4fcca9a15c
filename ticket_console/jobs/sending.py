"""Carrying the outbox out: calls of other systems, e-mails, SMS, and tickets that flows ordered."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import httpx
import structlog
from sqlalchemy.engine import Connection

from ticket_console.desk import addresses, linking
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.database import reading, transaction
from ticket_console.kernel.errors import ConsoleError
from ticket_console.kernel.settings import settings
from ticket_console.notices import mail, outbox, webhook
from ticket_console.notices.outbox import Message, SendingFailed
from ticket_console.notices.tables import Channel

log = structlog.get_logger(__name__)

# At the longest each of these takes three time-outs, which together stays below the lease of a claimed row.
MOST_CALLS: Final = 7
MOST_TICKETS: Final = 50
# A letter takes up to eight answers of its server.
MOST_LETTERS: Final = 2
# What an operator reads on a row that nobody could carry out.
NO_PROVIDER: Final = "no provider configured"
NO_ADDRESS: Final = "no address known"

_calling: Final = threading.Lock()
_mailing: Final = threading.Lock()


def start_calling_webhooks(at: datetime) -> Mapping[str, int]:
    """Call what is due beside the other chores, which must not wait for systems that hang."""
    return _start("webhooks", _calling, call_webhooks, at)


def start_sending_notices(at: datetime) -> Mapping[str, int]:
    """Hand e-mails and SMS over beside the other chores, likewise."""
    return _start("notices", _mailing, send_notices, at)


def _start(
    name: str, busy: threading.Lock, work: Callable[[datetime], object], at: datetime
) -> Mapping[str, int]:
    def run() -> None:
        try:
            work(at)
        except Exception as failure:
            log.error("sending.failed", what=name, exc_info=failure)
        finally:
            busy.release()

    if busy.acquire(blocking=False):
        threading.Thread(target=run, name=f"console-{name}", daemon=True).start()
    return {}


def send_notices(at: datetime) -> None:
    """Hand over what is due by e-mail and by SMS."""
    send_mails(at)
    send_sms(at)


def send_mails(at: datetime) -> Mapping[str, int]:
    """Hand e-mails to the operator's server; without one they are given up, and their rows say why."""

    def send(message: Message) -> None:
        if not settings().smtp_url:
            raise SendingFailed(NO_PROVIDER, for_good=True)
        address = _reached(message, addresses.mail_address)
        mail.send(message, at=at, server=settings().smtp_url, sender=settings().mail_from, address=address)

    return _carry_out(at, Channel.EMAIL, MOST_LETTERS, send)


def send_sms(at: datetime) -> Mapping[str, int]:
    """Post SMS to the operator's gateway, signed like every call; without one they are given up likewise."""
    gateway = settings().sms_gateway_url

    def send(message: Message) -> None:
        if not gateway:
            raise SendingFailed(NO_PROVIDER, for_good=True)
        number = _reached(message, addresses.phone_number)
        payload = {
            "to": number,
            "text": message.payload.get("text", {}),
            "no": message.payload.get("no", ""),
        }
        # Who set the gateway has thereby named its host.
        webhook.post(
            replace(message, recipient=gateway, payload=payload),
            at=at,
            secret=settings().secret_key,
            hosts=(urlsplit(gateway).netloc.rpartition("@")[2],),
            client=client,
        )

    with httpx.Client() as client:
        return _carry_out(at, Channel.SMS, MOST_CALLS, send)


def _reached(message: Message, find: Callable[[Connection, Message], str | None]) -> str:
    with reading() as connection:
        found = find(connection, message)
    if not found:
        raise SendingFailed(NO_ADDRESS, for_good=True)
    return found


def call_webhooks(at: datetime) -> Mapping[str, int]:
    """Call what is due, one address after the other."""
    with httpx.Client() as client:
        return _carry_out(
            at,
            Channel.WEBHOOK,
            MOST_CALLS,
            lambda message: webhook.post(
                message,
                at=at,
                secret=settings().secret_key,
                hosts=settings().outbound_hosts,
                client=client,
            ),
        )


def open_linked_tickets(at: datetime) -> Mapping[str, int]:
    """Open the tickets that flows ordered; one that cannot be opened is noted on the ticket it was for."""
    return _carry_out(at, Channel.TICKET, MOST_TICKETS, lambda message: _open_linked(message, at))


def _open_linked(message: Message, at: datetime) -> None:
    if message.ticket_id is None:
        raise SendingFailed("ordered by no ticket", for_good=True)
    command_id = f"linked:{message.id}"
    try:
        linking.open_linked(
            org_id=message.org_id,
            at=at,
            command_id=command_id,
            ticket_id=message.ticket_id,
            order=message.payload,
        )
    except ConsoleError as refusal:
        linking.note_linked(
            actor=system_actor(message.org_id),
            at=at,
            command_id=f"{command_id}:refused",
            ticket_id=message.ticket_id,
            event="ticket.linked_refused",
            facts={"template": message.recipient, "code": refusal.code},
        )
        raise SendingFailed(refusal.code, for_good=True) from refusal


def _carry_out(
    at: datetime, channel: Channel, limit: int, send: Callable[[Message], None]
) -> Mapping[str, int]:
    sent = failed = dead = 0
    with transaction() as connection:
        messages = outbox.claim(connection, at=at, channel=channel, limit=limit)
    for message in messages:
        failure = _attempt(message, send)
        with transaction() as connection:
            if failure is None:
                outbox.mark_sent(connection, message=message, at=at)
                sent += 1
            elif outbox.mark_failed(connection, message=message, at=at, failure=failure):
                failed += 1
            else:
                dead += 1
                log.warning("outbox.dead", outbox_id=message.id, channel=channel.value, why=str(failure))
    return {"sent": sent, "failed": failed, "dead": dead}


def _attempt(message: Message, send: Callable[[Message], None]) -> SendingFailed | None:
    try:
        send(message)
    except SendingFailed as failure:
        return failure
    except Exception as broken:
        log.error("outbox.broken", outbox_id=message.id, exc_info=broken)
        return SendingFailed(type(broken).__name__)
    return None
