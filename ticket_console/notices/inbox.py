"""What somebody is told in the console: to them by name, or to a role of theirs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Row

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.notices.tables import Channel, NoticeRead, Outbox
from ticket_console.tickets.reads import visible_to
from ticket_console.tickets.tables import Ticket

# Every open page asks for the number now and then, and nobody reads all that a role is told.
MOST_UNREAD: Final = 100

_outbox = table(Outbox)
_reads = table(NoticeRead)
_tickets = table(Ticket)

_READ = {
    "sqlite": sqlite.insert(_reads).on_conflict_do_nothing(index_elements=["outbox_id", "user_id"]),
    "postgresql": postgresql.insert(_reads).on_conflict_do_nothing(index_elements=["outbox_id", "user_id"]),
}


@dataclass(frozen=True, slots=True)
class NoticeView:
    """`href` is where it is read about; a notice of no ticket has neither id nor number of one."""

    id: int
    ticket_id: int | None
    ticket_no: str
    href: str
    text: LocalText
    at: datetime
    is_read: bool


@dataclass(frozen=True, slots=True)
class InboxView:
    """The newest notices, and how many are unread among all, counted up to MOST_UNREAD."""

    notices: tuple[NoticeView, ...]
    unread: int


def inbox(connection: Connection, viewer: Actor, *, limit: int = 30) -> InboxView:
    """What the viewer was told; a notice to a role only of tickets the viewer may see, or of none."""
    mine = _mine(viewer)
    if mine is None:
        return InboxView((), 0)
    told = (
        sa.select(
            _outbox.c.id,
            _outbox.c.ticket_id,
            _tickets.c.no,
            _outbox.c.payload,
            _outbox.c.created_at,
            _reads.c.user_id.is_not(None).label("is_read"),
        )
        .outerjoin(_tickets, _tickets.c.id == _outbox.c.ticket_id)
        .outerjoin(_reads, sa.and_(_reads.c.outbox_id == _outbox.c.id, _reads.c.user_id == viewer.user_id))
        .where(mine)
    )
    rows = connection.execute(told.order_by(_outbox.c.id.desc()).limit(limit))
    unread = connection.execute(
        sa.select(sa.func.count()).select_from(
            told.where(_reads.c.user_id.is_(None)).limit(MOST_UNREAD).subquery()
        )
    ).scalar_one()
    return InboxView(tuple(_view(row) for row in rows), unread)


def mark_read(connection: Connection, viewer: Actor, notice_ids: Collection[int], *, at: datetime) -> None:
    """Note that the viewer has read these; what was not told to them is passed over."""
    mine = _mine(viewer)
    if mine is None or not notice_ids:
        return
    found = connection.execute(
        sa.select(_outbox.c.id)
        .outerjoin(_tickets, _tickets.c.id == _outbox.c.ticket_id)
        .where(mine, _outbox.c.id.in_(sorted(notice_ids)))
    ).scalars()
    rows = [{"outbox_id": each, "user_id": viewer.user_id, "at": at} for each in found]
    if rows:
        connection.execute(_READ[connection.dialect.name], rows)


def _mine(viewer: Actor) -> sa.ColumnElement[bool] | None:
    if viewer.user_id is None:
        return None
    by_name = [f"user:{viewer.user_id}"]
    if viewer.technician_id is not None:
        by_name.append(f"technician:{viewer.technician_id}")
    roles = [f"role:{role}" for role in sorted(viewer.roles)]
    is_seen = sa.or_(_outbox.c.ticket_id.is_(None), visible_to(viewer))
    by_role = sa.and_(_outbox.c.recipient.in_(roles), is_seen)
    return sa.and_(
        _outbox.c.org_id == viewer.org_id,
        _outbox.c.channel == Channel.CONSOLE,
        sa.or_(_outbox.c.recipient.in_(by_name), by_role),
    )


def _view(row: Row[*tuple[Any, ...]]) -> NoticeView:
    href = row.payload.get("href", "") if row.ticket_id is None else f"/tickets/{row.ticket_id}"
    return NoticeView(
        id=row.id,
        ticket_id=row.ticket_id,
        ticket_no=row.no or "",
        href=href,
        text=row.payload["text"],
        at=row.created_at,
        is_read=bool(row.is_read),
    )
