"""The inbox: what came in by which channel, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from ticket_console.access import policy
from ticket_console.intake.channels import CHANNELS, channel_named, checked_name
from ticket_console.intake.messages import shortened
from ticket_console.intake.raw_log import raw
from ticket_console.intake.refusals import problems_of
from ticket_console.intake.states import RawState
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import ConsoleError, FieldProblem, NotFound
from ticket_console.tickets.numbers import ids_within, numbers

PAGE: Final = 50

Cursor = tuple[datetime, int]


class MessageNotFound(NotFound):
    code = "intake.message_not_found"


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One message. `source` is the channel as tickets show it, `other` for one nobody has written yet.

    `reason` is the code of why it made no ticket of its own, or how its template was found; `problems`
    are those of its fields, where it was refused for them.
    """

    raw_id: int
    channel: str
    source: str
    state: RawState
    headline: str
    sender: str
    received_at: datetime
    ticket_id: int | None
    ticket_no: str | None
    reason: str | None
    reason_params: Mapping[str, Any]
    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True)
class InboxPage:
    """`following` is the cursor of the next page, None on the last."""

    entries: tuple[InboxEntry, ...]
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class RawDetail:
    entry: InboxEntry
    external_id: str | None
    received_by: str
    settled_at: datetime | None
    attempts: int
    payload: Mapping[str, Any]

    @property
    def problems(self) -> tuple[FieldProblem, ...]:
        return self.entry.problems


def inbox(
    connection: Connection,
    viewer: Actor,
    *,
    channel: str | None = None,
    state: RawState | None = None,
    after: Cursor | None = None,
    limit: int = PAGE,
) -> InboxPage:
    """The newest messages first. A viewer of some regions sees theirs, and what became no ticket."""
    policy.require(viewer, "intake.view")
    query = (
        sa.select(raw)
        .where(*_visible_to(viewer))
        .order_by(raw.c.received_at.desc(), raw.c.id.desc())
        .limit(limit + 1)
    )
    if channel is not None:
        query = query.where(raw.c.channel == channel)
    if state is not None:
        query = query.where(raw.c.state == state)
    if after is not None:
        at, raw_id = after
        query = query.where(
            sa.or_(raw.c.received_at < at, sa.and_(raw.c.received_at == at, raw.c.id < raw_id))
        )
    rows = connection.execute(query).all()
    shown = rows[:limit]
    nos = numbers(connection, (row.ticket_id for row in shown if row.ticket_id is not None))
    following = (shown[-1].received_at, shown[-1].id) if len(rows) > limit else None
    return InboxPage(tuple(_entry(row, nos) for row in shown), following)


def counts(connection: Connection, viewer: Actor) -> Mapping[str, Mapping[RawState, int]]:
    """How many messages stand in which state, by channel; what the viewer cannot list is not counted."""
    policy.require(viewer, "intake.view")
    rows = connection.execute(
        sa.select(raw.c.channel, raw.c.state, sa.func.count())
        .where(*_visible_to(viewer))
        .group_by(raw.c.channel, raw.c.state)
        .order_by(raw.c.channel)
    )
    found: dict[str, dict[RawState, int]] = {}
    for channel, state, count in rows:
        found.setdefault(channel, dict.fromkeys(RawState, 0))[state] = count
    return found


def channel_counts(connection: Connection, sender: Actor, channel: str) -> Mapping[RawState, int]:
    """How many messages of a channel stand in which state, for its sender to compare with their own.

    The messages of a channel belong to no region, so whoever works in one only is refused.
    """
    policy.require_everywhere(sender, "ticket.open")
    rows = connection.execute(
        sa.select(raw.c.state, sa.func.count())
        .where(raw.c.org_id == sender.org_id, raw.c.channel == checked_name(channel))
        .group_by(raw.c.state)
    )
    found = dict.fromkeys(RawState, 0)
    for state, count in rows:
        found[state] = count
    return found


def raw_detail(connection: Connection, viewer: Actor, raw_id: int) -> RawDetail:
    """One message word for word; MessageNotFound also for what the viewer may not see."""
    policy.require(viewer, "intake.view")
    row = connection.execute(sa.select(raw).where(raw.c.id == raw_id, *_visible_to(viewer))).first()
    if row is None:
        raise MessageNotFound(raw_id=raw_id)
    nos = numbers(connection, () if row.ticket_id is None else (row.ticket_id,))
    return RawDetail(
        entry=_entry(row, nos),
        external_id=row.external_id,
        received_by=row.received_by,
        settled_at=row.settled_at,
        attempts=row.attempts,
        payload=row.payload,
    )


def _visible_to(viewer: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    mine = raw.c.org_id == viewer.org_id
    scope = policy.row_scope(viewer, "intake.view")
    if scope.everything:
        return (mine,)
    within = raw.c.ticket_id.in_(ids_within(viewer.org_id, scope))
    return (mine, sa.or_(raw.c.ticket_id.is_(None), within))


def _entry(row: Row[Any], nos: Mapping[int, str]) -> InboxEntry:
    headline, sender = _glance(row.channel, row.payload)
    reason = row.reason or {}
    return InboxEntry(
        raw_id=row.id,
        channel=row.channel,
        source=row.channel if row.channel in CHANNELS else "other",
        state=row.state,
        headline=headline,
        sender=sender,
        received_at=row.received_at,
        ticket_id=row.ticket_id,
        ticket_no=nos.get(row.ticket_id),
        reason=reason.get("code"),
        reason_params=reason.get("params", {}),
        problems=problems_of(reason),
    )


def _glance(channel: str, payload: Mapping[str, Any]) -> tuple[str, str]:
    """What to call a message in a list; of one that cannot be read, the first words it holds."""
    try:
        said = channel_named(channel).read(payload)
    except ConsoleError:
        words = next((each for each in payload.values() if isinstance(each, str) and each.strip()), "")
        return shortened(words), ""
    return said.headline, said.contact_name or said.customer.name
