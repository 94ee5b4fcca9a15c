"""Receiving a request: kept raw first, in a commit of its own, then made a ticket, a duplicate or a refusal.

Whatever happens in between, the message lies in the log as `new` and `recovery` finishes it.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from ticket_console.access import policy
from ticket_console.desk.opening import OpenedTicket, open_ticket
from ticket_console.flows.elements import LinkKind
from ticket_console.forms.reads import TemplateNotFound
from ticket_console.intake import raw_log
from ticket_console.intake.channels import channel_named, checked_name
from ticket_console.intake.messages import InvalidRequest
from ticket_console.intake.raw_log import RawMessage
from ticket_console.intake.refusals import KeyMalformed, KeyMissing, KeyReused, reason_of, refusal_of
from ticket_console.intake.states import RawState
from ticket_console.intake.understanding import Understood, in_own_words, understood
from ticket_console.kernel.actor import Actor, ActorKind
from ticket_console.kernel.database import reading, transaction
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.kernel.settings import settings
from ticket_console.notices import outbox
from ticket_console.notices.tables import Channel
from ticket_console.tickets.numbers import numbers
from ticket_console.tickets.tracking import tracking_token

log = structlog.get_logger(__name__)

_KEY: Final = re.compile(r"[\x21-\x7e]{1,100}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message. `is_repeat` means that this delivery had been received before.

    A duplicate names the ticket of the message that was first with the same number.
    """

    raw_id: int
    state: RawState
    ticket_id: int | None
    ticket_no: str | None
    tracking_token: str | None
    is_repeat: bool


class _SettledMeanwhile(Exception):
    """Another thread or process finished the same message; the ticket begun here is rolled back."""


def receive(
    *, actor: Actor, at: datetime, channel: str, delivery_key: str | None, payload: Mapping[str, Any]
) -> Receipt:
    """Keep a message and make its ticket.

    `payload` is in the shape of the channel, or the standard shape of `messages.IntakeMessage` for a
    channel nobody knows. The same `delivery_key` with the same payload gets the same answer and
    changes nothing; without a key the source's own number in the payload takes its place. What
    cannot become a ticket is kept as rejected, and its refusal is raised, again on every
    repetition. Raises KeyReused for a key that came with another payload, unless that one had been
    rejected: then this is its correction.
    """
    policy.require(actor, "ticket.open")
    name = checked_name(channel)
    message, is_repeat = _keep(actor, at, name, delivery_key, payload)
    return finish(message, actor=actor, at=at, is_repeat=is_repeat)


def channel_actor(org_id: int, channel: str) -> Actor:
    """A channel that nobody has to log in for, or whose sender is gone."""
    return Actor(
        kind=ActorKind.CHANNEL, org_id=org_id, display=channel, permissions=frozenset({"ticket.open"})
    )


def _keep(
    actor: Actor, at: datetime, name: str, key: str | None, payload: Mapping[str, Any]
) -> tuple[RawMessage, bool]:
    text, payload_hash = raw_log.spelled(payload)
    number = channel_named(name).number(payload)
    arrival = _Arrival(
        actor=actor,
        at=at,
        channel=name,
        delivery_key=_delivery_key(key, number, payload_hash),
        number=number,
        payload=payload,
        text=text,
        payload_hash=payload_hash,
    )
    with transaction() as connection:
        kept = arrival.keep(connection, claim=number)
        if kept is not None:
            return kept, False
        message, is_repeat = _kept_beside(connection, arrival)
    if message is None:
        raise KeyReused()
    return message, is_repeat


def _delivery_key(key: str | None, number: str | None, payload_hash: str) -> str:
    if key is not None:
        if not _KEY.fullmatch(key):
            raise KeyMalformed()
        return f"k:{key}"
    if number is None:
        raise KeyMissing()
    # The same number with another content is another message: a duplicate, not a repetition.
    return f"x:{hashlib.sha256(number.encode()).hexdigest()[:32]}:{payload_hash[:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    actor: Actor
    at: datetime
    channel: str
    delivery_key: str
    number: str | None
    payload: Mapping[str, Any]
    text: str
    payload_hash: str

    def keep(
        self, connection: Connection, *, claim: str | None, delivery_key: str | None = None
    ) -> RawMessage | None:
        raw_id = raw_log.keep(
            connection,
            org_id=self.actor.org_id,
            channel=self.channel,
            delivery_key=delivery_key or self.delivery_key,
            claim_key=claim,
            external_id=self.number,
            text=self.text,
            payload_hash=self.payload_hash,
            received_by=self.actor.label,
            at=self.at,
        )
        if raw_id is None:
            return None
        return RawMessage(
            id=raw_id,
            org_id=self.actor.org_id,
            channel=self.channel,
            external_id=self.number,
            claim_key=claim,
            payload=self.payload,
            payload_hash=self.payload_hash,
            state=RawState.NEW,
            reason=None,
            ticket_id=None,
            attempts=0,
        )


def _kept_beside(connection: Connection, arrival: _Arrival) -> tuple[RawMessage | None, bool]:
    """Where the key or the number of an arrival is taken: the message it is, or None for a reused key."""
    earlier = _same_delivery(connection, arrival)
    if earlier is None:
        kept = arrival.keep(connection, claim=None)
        if kept is not None:
            return kept, False
        # The same delivery was committed between the two looks.
        earlier = _same_delivery(connection, arrival)
        assert earlier is not None
    if earlier.payload_hash == arrival.payload_hash:
        return earlier, True
    if raw_log.give_delivery_key_back(connection, earlier, delivery_key=arrival.delivery_key):
        kept = arrival.keep(connection, claim=arrival.number) or arrival.keep(connection, claim=None)
        return kept, False
    refused = arrival.keep(
        connection, claim=None, delivery_key=f"c{arrival.delivery_key[1:]}~{arrival.payload_hash[:20]}"
    )
    if refused is not None:
        raw_log.settle(
            connection, refused.id, state=RawState.REJECTED, at=arrival.at, reason=reason_of(KeyReused())
        )
    return None, False


def _same_delivery(connection: Connection, arrival: _Arrival) -> RawMessage | None:
    return raw_log.by_delivery(
        connection,
        org_id=arrival.actor.org_id,
        channel=arrival.channel,
        delivery_key=arrival.delivery_key,
    )


def finish(message: RawMessage, *, actor: Actor, at: datetime, is_repeat: bool) -> Receipt:
    """Make of a kept message what can be made of it; one that is settled only gets its answer again."""
    if message.state is not RawState.NEW:
        return _answer(message, is_repeat=is_repeat)
    if message.external_id is not None and message.claim_key is None:
        duplicate = _as_duplicate(message, at=at, is_repeat=is_repeat)
        if duplicate is not None:
            return duplicate
    try:
        return _open(message, actor=actor, at=at, is_repeat=is_repeat)
    except _SettledMeanwhile:
        return _answer(_read_again(message), is_repeat=is_repeat)
    except ConsoleError as refusal:
        if not _reject(message, refusal, at=at):
            return _answer(_read_again(message), is_repeat=is_repeat)
        raise
    except Exception:
        _count_attempt(message)
        raise


def _open(message: RawMessage, *, actor: Actor, at: datetime, is_repeat: bool) -> Receipt:
    known = understood(message, channel_named(message.channel))
    request = known.request

    def settle(connection: Connection, opened: OpenedTicket) -> None:
        done = raw_log.settle(
            connection,
            message.id,
            state=RawState.TICKET,
            at=at,
            ticket_id=opened.ticket_id,
            reason=known.note,
        )
        if done:
            _order_beside(connection, message, known, opened.ticket_id, at=at)
        elif raw_log.by_id(connection, message.id).ticket_id != opened.ticket_id:
            raise _SettledMeanwhile

    try:
        opened = open_ticket(
            actor=actor, at=at, command_id=f"intake:{message.id}", request=request, settle_raw=settle
        )
    except TemplateNotFound:
        wrong = FieldProblem("template", "template.not_found", {"code": request.template_code})
        raise InvalidRequest((wrong,)) from None
    except InvalidInput as invalid:
        invalid.problems = in_own_words(invalid.problems)
        raise
    return Receipt(message.id, RawState.TICKET, opened.ticket_id, opened.no, opened.tracking_token, is_repeat)


def _order_beside(
    connection: Connection, message: RawMessage, known: Understood, ticket_id: int, *, at: datetime
) -> None:
    """Have the tickets opened that rules start beside this one: ordered with it, so once or not at all."""
    for ticket in known.also:
        outbox.enqueue(
            connection,
            org_id=message.org_id,
            at=at,
            ticket_id=ticket_id,
            fact_key=f"rule:{message.id}:{ticket.rule}",
            channel=Channel.TICKET,
            recipient=ticket.template,
            payload={
                "template": ticket.template,
                "title": ticket.title,
                "description": ticket.description,
                "values": dict(ticket.values),
                "link": LinkKind.CARE.value,
            },
        )


def _as_duplicate(message: RawMessage, *, at: datetime, is_repeat: bool) -> Receipt | None:
    """Settle a message whose number another one holds; None when the number was free and is now its own."""
    assert message.external_id is not None
    while True:
        with reading() as connection:
            holder = raw_log.holder_of(
                connection, org_id=message.org_id, channel=message.channel, claim_key=message.external_id
            )
        if holder is None:
            try:
                with transaction() as connection:
                    raw_log.claim(connection, message.id)
            except IntegrityError:
                continue
            return None
        if holder.state is RawState.NEW:
            _finish_holder(holder, at=at)
            continue
        with transaction() as connection:
            raw_log.settle(
                connection,
                message.id,
                state=RawState.DUPLICATE,
                at=at,
                ticket_id=holder.ticket_id,
                reason={"code": "intake.duplicate", "params": {"raw_id": holder.id}},
            )
        return _answer(_read_again(message), is_repeat=is_repeat)


def _finish_holder(holder: RawMessage, *, at: datetime) -> None:
    """Its sender may be at it, or dead: either way it is settled once, and then the number is decided."""
    try:
        finish(holder, actor=channel_actor(holder.org_id, holder.channel), at=at, is_repeat=True)
    except ConsoleError:
        log.info("intake.holder_rejected", raw_id=holder.id)


def _answer(message: RawMessage, *, is_repeat: bool) -> Receipt:
    if message.state is RawState.REJECTED:
        assert message.reason is not None
        raise refusal_of(message.reason)
    assert message.ticket_id is not None
    return Receipt(
        raw_id=message.id,
        state=message.state,
        ticket_id=message.ticket_id,
        ticket_no=_ticket_no(message.ticket_id),
        tracking_token=tracking_token(secret=settings().secret_key, ticket_id=message.ticket_id),
        is_repeat=is_repeat,
    )


def _ticket_no(ticket_id: int) -> str:
    with reading() as connection:
        return numbers(connection, (ticket_id,))[ticket_id]


def _read_again(message: RawMessage) -> RawMessage:
    with reading() as connection:
        return raw_log.by_id(connection, message.id)


def _reject(message: RawMessage, refusal: ConsoleError, *, at: datetime) -> bool:
    with transaction() as connection:
        return raw_log.settle(
            connection, message.id, state=RawState.REJECTED, at=at, reason=reason_of(refusal)
        )


def _count_attempt(message: RawMessage) -> None:
    try:
        with transaction() as connection:
            raw_log.count_attempt(connection, message.id)
    except SQLAlchemyError as failure:
        # The database itself may be what broke; the message stays new and is tried again.
        log.warning("intake.attempt_not_counted", raw_id=message.id, error=str(failure))
