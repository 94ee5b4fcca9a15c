"""The raw log's rows: how a message is kept, claimed by its source's number, and settled once."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ticket_console.intake.refusals import UnreadableBody
from ticket_console.intake.states import RawState
from ticket_console.intake.tables import RawIntake
from ticket_console.kernel import ids
from ticket_console.kernel.canonical import canonical_json
from ticket_console.kernel.database import table

raw = table(RawIntake)


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message as it lies in the log. `payload` is what came in, `reason` why it made no ticket."""

    id: int
    org_id: int
    channel: str
    external_id: str | None
    claim_key: str | None
    payload: Mapping[str, Any]
    payload_hash: str
    state: RawState
    reason: Mapping[str, Any] | None
    ticket_id: int | None
    attempts: int


_MESSAGE: Final = sa.select(
    raw.c.id,
    raw.c.org_id,
    raw.c.channel,
    raw.c.external_id,
    raw.c.claim_key,
    raw.c.payload,
    raw.c.payload_hash,
    raw.c.state,
    raw.c.reason,
    raw.c.ticket_id,
    raw.c.attempts,
)
_BY_ID: Final = _MESSAGE.where(raw.c.id == sa.bindparam("raw_id"))
_BY_DELIVERY: Final = _MESSAGE.where(
    raw.c.org_id == sa.bindparam("org_id"),
    raw.c.channel == sa.bindparam("channel"),
    raw.c.delivery_key == sa.bindparam("delivery_key"),
)
_BY_CLAIM: Final = _MESSAGE.where(
    raw.c.org_id == sa.bindparam("org_id"),
    raw.c.channel == sa.bindparam("channel"),
    raw.c.claim_key == sa.bindparam("claim_key"),
)
_STUCK: Final = (
    sa.select(raw.c.id)
    .where(raw.c.state == sa.literal_column("'new'"), raw.c.received_at < sa.bindparam("before"))
    .order_by(raw.c.received_at, raw.c.id)
    .limit(sa.bindparam("limit"))
)
# The payload is bound as the text it was hashed from: writing it as JSON would encode it again.
_COLUMNS: Final = {
    column.name: sa.bindparam(column.name, type_=sa.Text() if column.name == "payload" else column.type)
    for column in raw.c
    if column.name not in {"reason", "ticket_id", "settled_at"}
}
# Of an insert the number of rows is only kept when it is asked for.
_COUNTED: Final = {"preserve_rowcount": True}
_KEEP: Final = {
    "sqlite": sqlite.insert(raw).values(_COLUMNS).on_conflict_do_nothing().execution_options(**_COUNTED),
    "postgresql": postgresql.insert(raw)
    .values(_COLUMNS)
    .on_conflict_do_nothing()
    .execution_options(**_COUNTED),
}
_STILL_NEW: Final = (raw.c.id == sa.bindparam("raw_id"), raw.c.state == RawState.NEW)
_SETTLE: Final = (
    sa.update(raw)
    .where(*_STILL_NEW)
    .values(
        state=sa.bindparam("settled_state", type_=raw.c.state.type),
        ticket_id=sa.bindparam("settled_ticket", type_=raw.c.ticket_id.type),
        reason=sa.bindparam("settled_reason", type_=raw.c.reason.type),
        settled_at=sa.bindparam("settled_when", type_=raw.c.settled_at.type),
    )
)
# A rejected message gives its number back, so that a corrected one can take it.
_REJECT: Final = _SETTLE.values(claim_key=None)


def spelled(payload: Mapping[str, Any]) -> tuple[str, str]:
    """The canonical text of a payload, and the hash by which a repetition is recognised.

    Raises UnreadableBody for text that no encoding can hold.
    """
    try:
        text = canonical_json(payload)
    except TypeError:
        raise UnreadableBody from None
    return text, hashlib.sha256(text.encode()).hexdigest()


def keep(
    connection: Connection,
    *,
    org_id: int,
    channel: str,
    delivery_key: str,
    claim_key: str | None,
    external_id: str | None,
    text: str,
    payload_hash: str,
    received_by: str,
    at: datetime,
) -> int | None:
    """Keep a message as new; None when its delivery key or its claim is taken."""
    raw_id = ids.take("row")
    done = connection.execute(
        _KEEP[connection.dialect.name],
        {
            "id": raw_id,
            "org_id": org_id,
            "channel": channel,
            "delivery_key": delivery_key,
            "claim_key": claim_key,
            "external_id": external_id,
            "payload": text,
            "payload_hash": payload_hash,
            "received_by": received_by,
            "state": RawState.NEW,
            "attempts": 0,
            "received_at": at,
        },
    )
    return raw_id if done.rowcount == 1 else None


def by_id(connection: Connection, raw_id: int) -> RawMessage:
    return RawMessage(*connection.execute(_BY_ID, {"raw_id": raw_id}).one())


def by_delivery(connection: Connection, *, org_id: int, channel: str, delivery_key: str) -> RawMessage | None:
    row = connection.execute(
        _BY_DELIVERY, {"org_id": org_id, "channel": channel, "delivery_key": delivery_key}
    ).first()
    return None if row is None else RawMessage(*row)


def holder_of(connection: Connection, *, org_id: int, channel: str, claim_key: str) -> RawMessage | None:
    """The message that holds a source's number."""
    row = connection.execute(
        _BY_CLAIM, {"org_id": org_id, "channel": channel, "claim_key": claim_key}
    ).first()
    return None if row is None else RawMessage(*row)


def claim(connection: Connection, raw_id: int) -> None:
    """Let a new message take its source's number; raises IntegrityError when somebody was faster."""
    connection.execute(
        sa.update(raw).where(*_STILL_NEW).values(claim_key=raw.c.external_id), {"raw_id": raw_id}
    )


def give_delivery_key_back(connection: Connection, message: RawMessage, *, delivery_key: str) -> bool:
    """Free the key of a rejected delivery for a corrected one; False when it was freed meanwhile."""
    done = connection.execute(
        sa.update(raw)
        .where(
            raw.c.id == message.id,
            raw.c.state == RawState.REJECTED,
            raw.c.delivery_key == delivery_key,
        )
        .values(delivery_key=f"{delivery_key}~{message.id}")
    )
    return done.rowcount == 1


def settle(
    connection: Connection,
    raw_id: int,
    *,
    state: RawState,
    at: datetime,
    ticket_id: int | None = None,
    reason: Mapping[str, Any] | None = None,
) -> bool:
    """Say what became of a message; False when that was said before, and then nothing is changed."""
    done = connection.execute(
        _REJECT if state is RawState.REJECTED else _SETTLE,
        {
            "raw_id": raw_id,
            "settled_state": state,
            "settled_ticket": ticket_id,
            "settled_reason": reason,
            "settled_when": at,
        },
    )
    return done.rowcount == 1


def count_attempt(connection: Connection, raw_id: int) -> None:
    connection.execute(
        sa.update(raw).where(*_STILL_NEW).values(attempts=raw.c.attempts + 1), {"raw_id": raw_id}
    )


def left_new(connection: Connection, *, before: datetime, limit: int) -> tuple[int, ...]:
    """Messages that nobody settled since `before`, the oldest first."""
    return tuple(connection.execute(_STUCK, {"before": before, "limit": limit}).scalars())
