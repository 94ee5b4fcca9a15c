"""The books of an organisation: opening them, taking their lock, and the periods they are divided into."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict
from ticket_console.settlement.kinds import PeriodState
from ticket_console.settlement.tables import LedgerHead, Period

_HEADS = table(LedgerHead)
_PERIODS = table(Period)

# Every settlement runs these, and building a statement costs more than running it: built once.
_READ_HEAD = sa.select(_HEADS.c.org_id, _HEADS.c.tz, _HEADS.c.currency, _HEADS.c.seq, _HEADS.c.hash).where(
    _HEADS.c.org_id == sa.bindparam("org_id")
)
_LOCK_HEAD = _READ_HEAD.with_for_update()
_ADVANCE_HEAD = (
    sa.update(_HEADS)
    .where(_HEADS.c.org_id == sa.bindparam("of_org"))
    .values(seq=sa.bindparam("new_seq"), hash=sa.bindparam("new_hash"))
)
_PERIODS_FROM = (
    sa.select(_PERIODS.c.id, _PERIODS.c.starts_at, _PERIODS.c.ends_at, _PERIODS.c.state)
    .where(_PERIODS.c.org_id == sa.bindparam("org_id"), _PERIODS.c.ends_at > sa.bindparam("moment"))
    .order_by(_PERIODS.c.starts_at)
)


class BooksNotOpen(Conflict):
    code = "settlement.books_not_open"


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the journal chain; whoever holds it is the only writer of these books."""

    org_id: int
    tz: str
    currency: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class PostingPeriod:
    """Where an entry is written, and the period its work belongs to when that is another."""

    id: int
    origin_id: int | None


def open_books(conn: Connection, *, org_id: int, tz: str, currency: str) -> None:
    """Start the ledger of an organisation, once. Its months are months of this zone."""
    ZoneInfo(tz)
    if conn.execute(sa.select(_HEADS.c.org_id).where(_HEADS.c.org_id == org_id)).first() is None:
        conn.execute(sa.insert(_HEADS).values(org_id=org_id, tz=tz, currency=currency, seq=0, hash=""))


def lock_head(conn: Connection, org_id: int) -> Head:
    """Wait for the other writers of these books; held until the transaction ends, so take it last."""
    row = conn.execute(_LOCK_HEAD, {"org_id": org_id}).one_or_none()
    if row is None:
        raise BooksNotOpen()
    return Head(*row)


def read_head(conn: Connection, org_id: int) -> Head:
    """The end of the chain as last committed, without waiting for anybody."""
    row = conn.execute(_READ_HEAD, {"org_id": org_id}).one_or_none()
    if row is None:
        raise BooksNotOpen()
    return Head(*row)


def advance_head(conn: Connection, org_id: int, *, seq: int, link: str) -> None:
    conn.execute(_ADVANCE_HEAD, {"of_org": org_id, "new_seq": seq, "new_hash": link})


def period_for(
    conn: Connection, head: Head, service_at: datetime, *, is_correction: bool = False
) -> PostingPeriod:
    """The period an entry about work of that moment goes to; the head must be locked.

    That is the month of the work. When it takes no more entries, the next month that does, with the month
    of the work kept as origin. A closing month still takes corrections. Missing months are opened.
    """
    rows: Sequence[Any] = conn.execute(_PERIODS_FROM, {"org_id": head.org_id, "moment": service_at}).all()
    if rows and rows[0].starts_at <= service_at:
        own_id, state, later = rows[0].id, rows[0].state, rows[1:]
    else:
        # A month nobody opened, before one that is closed, is over as well.
        over = any(row.state is PeriodState.CLOSED for row in rows)
        state = PeriodState.CLOSED if over else PeriodState.OPEN
        own_id, later = open_month(conn, head, service_at, state=state), rows
    if state is PeriodState.OPEN or (is_correction and state is PeriodState.CLOSING):
        return PostingPeriod(own_id, None)
    for row in later:
        if row.state is PeriodState.OPEN:
            return PostingPeriod(row.id, own_id)
    last = max([row.ends_at for row in rows], default=None) or _bounds(service_at, head.tz)[1]
    return PostingPeriod(open_month(conn, head, last), own_id)


def open_month(
    conn: Connection, head: Head, moment: datetime, *, state: PeriodState = PeriodState.OPEN
) -> int:
    """Add the period of the month that holds a moment; the head must be locked."""
    starts_at, ends_at = _bounds(moment, head.tz)
    new = sa.insert(_PERIODS).values(
        org_id=head.org_id,
        code=f"{moment.astimezone(ZoneInfo(head.tz)):%Y-%m}",
        starts_at=starts_at,
        ends_at=ends_at,
        tz=head.tz,
        state=state,
        version=1,
    )
    return int(conn.execute(new.returning(_PERIODS.c.id)).scalar_one())


def _bounds(moment: datetime, tz: str) -> tuple[datetime, datetime]:
    local = moment.astimezone(ZoneInfo(tz))
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first, following
