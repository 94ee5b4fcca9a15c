"""Refunds: lines of a settled side given back by the exact opposite of what was posted for them, once."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.settlement import ledger
from ticket_console.settlement.books import lock_head
from ticket_console.settlement.kinds import JournalKind, Purpose
from ticket_console.settlement.ledger import Entry, Source
from ticket_console.settlement.settling import AlreadyRefunded, Known, NothingSettled, known_ratings
from ticket_console.settlement.tables import Journal, Posting, Rating, RatingLine, Refund, RefundLine

_JOURNALS = table(Journal)
_LINES = table(RatingLine)
_POSTINGS = table(Posting)
_RATINGS = table(Rating)
_REFUNDS = table(Refund)
_REFUND_LINES = table(RefundLine)


class NoSuchLine(NotFound):
    code = "settlement.no_such_line"


@dataclass(frozen=True, slots=True)
class Refunded:
    """What was given back: `amount_minor` counts as the lines do, `positions` are those of the rating."""

    id: int
    rating_id: int
    journal_id: int
    amount_minor: int
    positions: tuple[int, ...]


def refund(
    conn: Connection,
    *,
    at: datetime,
    actor: Actor,
    ticket_id: int,
    segment: str,
    purpose: Purpose,
    region_id: int | None,
    command_id: str,
    reason: str,
    positions: Collection[int] | None = None,
) -> Refunded:
    """Give back lines of a side as they were posted, all that are left where no positions are named.

    Nothing is rated anew. Raises NothingSettled for a side without a rating, NoSuchLine for a position it has
    not, AlreadyRefunded for a line given back before or where none is left. Sent twice with one `command_id`,
    it refunds once. A side of which anything was refunded is never rated again.
    """
    policy.require(actor, "settlement.correct", region_id=region_id)
    # Held from the look at what is refunded to the commit, so that no line is given back twice.
    lock_head(conn, actor.org_id)
    earlier = _by_command(conn, actor.org_id, command_id)
    if earlier is not None:
        return earlier
    rating = next(
        (each for each in reversed(known_ratings(conn, ticket_id, segment)) if each.purpose is purpose), None
    )
    if rating is None:
        raise NothingSettled(segment=segment)
    lines = _lines_of(conn, rating.rating_id)
    wanted = _wanted(lines, positions)
    journal = conn.execute(sa.select(_JOURNALS).where(_JOURNALS.c.id == rating.journal_id)).one()
    posted = ledger.post(
        conn,
        org_id=actor.org_id,
        currency=rating.currency,
        kind=JournalKind.REFUND,
        entries=_opposite(conn, rating, {line.id for line in wanted}),
        source=Source(
            at=at,
            service_at=journal.service_at,
            posted_by=actor.label,
            command_id=command_id,
            ticket_id=journal.ticket_id,
            ticket_no=journal.ticket_no,
            rating_id=rating.rating_id,
            reason=reason,
        ),
        is_correction=True,
    )
    amount = sum(line.amount_minor for line in wanted)
    new = sa.insert(_REFUNDS).values(
        org_id=actor.org_id,
        rating_id=rating.rating_id,
        journal_id=posted.id,
        ticket_id=ticket_id,
        amount_minor=amount,
        reason=reason,
        refunded_at=at,
        refunded_by=actor.label,
        command_id=command_id,
    )
    refund_id = int(conn.execute(new.returning(_REFUNDS.c.id)).scalar_one())
    conn.execute(
        sa.insert(_REFUND_LINES), [{"rating_line_id": line.id, "refund_id": refund_id} for line in wanted]
    )
    if all(line.refund_id is not None or line in wanted for line in lines):
        conn.execute(sa.update(_RATINGS).where(_RATINGS.c.id == rating.rating_id).values(is_live=False))
    return Refunded(refund_id, rating.rating_id, posted.id, amount, tuple(line.position for line in wanted))


def _lines_of(conn: Connection, rating_id: int) -> list[Any]:
    """The lines of a rating, with the refund each was given back by."""
    return list(
        conn.execute(
            sa.select(_LINES.c.id, _LINES.c.position, _LINES.c.amount_minor, _REFUND_LINES.c.refund_id)
            .outerjoin(_REFUND_LINES, _REFUND_LINES.c.rating_line_id == _LINES.c.id)
            .where(_LINES.c.rating_id == rating_id)
            .order_by(_LINES.c.position)
        )
    )


def _wanted(lines: list[Any], positions: Collection[int] | None) -> list[Any]:
    left = [line for line in lines if line.refund_id is None]
    if positions is None:
        if not left:
            raise AlreadyRefunded()
        return left
    by_position = {line.position: line for line in lines}
    wanted = []
    for position in sorted(set(positions)):
        if position not in by_position:
            raise NoSuchLine(position=position)
        if by_position[position].refund_id is not None:
            raise AlreadyRefunded()
        wanted.append(by_position[position])
    if not wanted:
        raise NoSuchLine(position=0)
    return wanted


def _opposite(conn: Connection, rating: Known, line_ids: Collection[int]) -> list[Entry]:
    """The entries that undo these lines; what was posted in one sum for all is given back line by line."""
    postings = conn.execute(
        sa.select(_POSTINGS).where(_POSTINGS.c.journal_id == rating.journal_id).order_by(_POSTINGS.c.id)
    ).all()
    whole = next((each for each in postings if each.rating_line_id is None), None)
    entries = []
    posted: defaultdict[int, int] = defaultdict(int)
    for each in postings:
        if each.rating_line_id in line_ids:
            entries.append(Entry(each.account_id, -each.amount_minor, each.region_id, each.rating_line_id))
            posted[each.rating_line_id] += each.amount_minor
    if whole is not None:
        entries += [
            Entry(whole.account_id, amount, whole.region_id, line_id) for line_id, amount in posted.items()
        ]
    return entries


def _by_command(conn: Connection, org_id: int, command_id: str) -> Refunded | None:
    row = conn.execute(
        sa.select(_REFUNDS).where(_REFUNDS.c.org_id == org_id, _REFUNDS.c.command_id == command_id)
    ).one_or_none()
    if row is None:
        return None
    positions = conn.execute(
        sa.select(_LINES.c.position)
        .join(_REFUND_LINES, _REFUND_LINES.c.rating_line_id == _LINES.c.id)
        .where(_REFUND_LINES.c.refund_id == row.id)
        .order_by(_LINES.c.position)
    ).scalars()
    return Refunded(row.id, row.rating_id, row.journal_id, row.amount_minor, tuple(positions))
