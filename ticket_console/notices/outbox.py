"""The outbox: what is to be told is written with what caused it, and sent after both are kept.

A row is claimed by moving it to `sending` until a moment shortly after; a worker that dies in between
leaves it to the next one then. A receiver may therefore hear something twice, never not at all, and knows
repetitions by the row's id.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ticket_console.kernel import ids
from ticket_console.kernel.database import table
from ticket_console.notices.tables import Channel, Outbox, OutboxState

MOST_ATTEMPTS: Final = 8
FIRST_RETRY: Final = timedelta(seconds=30)
LONGEST_RETRY: Final = timedelta(hours=4)
LEASE: Final = timedelta(minutes=2)

_outbox = table(Outbox)


@dataclass(frozen=True, slots=True)
class Message:
    """Something to send; `id` is what a receiver knows a repetition by."""

    id: int
    org_id: int
    ticket_id: int | None
    channel: Channel
    recipient: str
    payload: Mapping[str, Any]
    attempts: int


class SendingFailed(Exception):
    """It did not arrive. `for_good`: nothing will change by trying again."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        self.for_good = for_good
        super().__init__(why)


Send = Callable[[Message], None]


def _once(insert: Any) -> Any:
    # PostgreSQL's count of inserted rows is thrown away unless it is asked for.
    return (
        insert(_outbox)
        .on_conflict_do_nothing(index_elements=["fact_key", "recipient", "channel"])
        .execution_options(preserve_rowcount=True)
    )


_ENQUEUE: Final = {"sqlite": _once(sqlite.insert), "postgresql": _once(postgresql.insert)}
_DUE: Final = (
    sa.select(_outbox)
    .where(
        _outbox.c.channel == sa.bindparam("channel"),
        _outbox.c.state.in_([OutboxState.QUEUED, OutboxState.SENDING]),
        _outbox.c.next_at <= sa.bindparam("at"),
    )
    .order_by(_outbox.c.next_at, _outbox.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)


def enqueue(
    connection: Connection,
    *,
    org_id: int,
    at: datetime,
    ticket_id: int | None,
    fact_key: str,
    channel: Channel,
    recipient: str,
    payload: Mapping[str, Any],
) -> bool:
    """Have somebody told once; false when this very fact was put down for them before.

    `payload` is what the recipient may read, and nothing else: it is not projected again. What is told in
    the console has arrived by being written.
    """
    is_there = channel is Channel.CONSOLE
    row = {
        "id": ids.take("row"),
        "org_id": org_id,
        "ticket_id": ticket_id,
        "fact_key": fact_key,
        "channel": channel,
        "recipient": recipient,
        "payload": dict(payload),
        "state": OutboxState.SENT if is_there else OutboxState.QUEUED,
        "attempts": 0,
        "created_at": at,
        "next_at": at,
        "sent_at": at if is_there else None,
        "why": "",
    }
    return bool(connection.execute(_ENQUEUE[connection.dialect.name], row).rowcount == 1)


def tell_many(
    connection: Connection,
    *,
    org_id: int,
    at: datetime,
    fact_key: str,
    told: Mapping[str, Mapping[str, Any]],
) -> int:
    """Tell many in the console of what is no ticket's, each once: recipient to payload; how many are new.

    Needs an id for each: the transaction has to reserve them.
    """
    if not told:
        return 0
    of_fact = sa.select(sa.func.count()).select_from(_outbox).where(_outbox.c.fact_key == fact_key)
    before = connection.execute(of_fact).scalar_one()
    connection.execute(
        _ENQUEUE[connection.dialect.name],
        [
            {
                "id": ids.take("row"),
                "org_id": org_id,
                "ticket_id": None,
                "fact_key": fact_key,
                "channel": Channel.CONSOLE,
                "recipient": recipient,
                "payload": dict(payload),
                "state": OutboxState.SENT,
                "attempts": 0,
                "created_at": at,
                "next_at": at,
                "sent_at": at,
                "why": "",
            }
            for recipient, payload in told.items()
        ],
    )
    return int(connection.execute(of_fact).scalar_one() - before)


def claim(connection: Connection, *, at: datetime, channel: Channel, limit: int) -> tuple[Message, ...]:
    """Take up what is due on a channel; the transaction must be committed before anything is sent."""
    rows = connection.execute(_DUE, {"at": at, "channel": channel, "most": limit}).all()
    if rows:
        connection.execute(
            sa.update(_outbox)
            .where(_outbox.c.id.in_([row.id for row in rows]))
            .values(state=OutboxState.SENDING, next_at=at + LEASE, attempts=_outbox.c.attempts + 1)
        )
    return tuple(
        Message(row.id, row.org_id, row.ticket_id, row.channel, row.recipient, row.payload, row.attempts + 1)
        for row in rows
    )


def mark_sent(connection: Connection, *, message: Message, at: datetime) -> None:
    _settle(connection, message, {"state": OutboxState.SENT, "sent_at": at, "why": ""})


def mark_failed(connection: Connection, *, message: Message, at: datetime, failure: SendingFailed) -> bool:
    """Put it off, longer each time; after the last attempt it is dead, and false is returned."""
    is_dead = failure.for_good or message.attempts >= MOST_ATTEMPTS
    _settle(
        connection,
        message,
        {
            "state": OutboxState.DEAD if is_dead else OutboxState.QUEUED,
            "next_at": at + retry_after(message.attempts),
            "why": str(failure)[:300],
        },
    )
    return not is_dead


def retry_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts: doubling, up to a limit."""
    doublings = min(max(attempts - 1, 0), 20)
    return min(FIRST_RETRY * (1 << doublings), LONGEST_RETRY)


def _settle(connection: Connection, message: Message, values: Mapping[str, Any]) -> None:
    # Who took the row over after our lease had run out has counted an attempt more: then it is theirs.
    connection.execute(
        sa.update(_outbox)
        .where(
            _outbox.c.id == message.id,
            _outbox.c.state == OutboxState.SENDING,
            _outbox.c.attempts == message.attempts,
        )
        .values(**values)
    )
