"""Carrying the outbox out: calls of other systems, and tickets that flows ordered."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import httpx
import structlog

from ticket_console.desk import linking
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.database import transaction
from ticket_console.kernel.errors import ConsoleError
from ticket_console.kernel.settings import settings
from ticket_console.notices import outbox, webhook
from ticket_console.notices.outbox import Message, SendingFailed
from ticket_console.notices.tables import Channel

log = structlog.get_logger(__name__)

# At the longest each of these takes three time-outs, which together stays below the lease of a claimed row.
MOST_CALLS: Final = 7
MOST_TICKETS: Final = 50


_calling: Final = threading.Lock()


def start_calling_webhooks(at: datetime) -> Mapping[str, int]:
    """Call what is due beside the other chores, which must not wait for systems that hang."""
    if _calling.acquire(blocking=False):
        threading.Thread(target=_call_and_release, args=(at,), name="console-webhooks", daemon=True).start()
    return {}


def _call_and_release(at: datetime) -> None:
    try:
        call_webhooks(at)
    except Exception as failure:
        log.error("webhooks.failed", exc_info=failure)
    finally:
        _calling.release()


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
