"""Settling a ticket: freeze its facts, rate them, post the result; and taking that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.kernel import ids
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.settlement import ledger, pinned, publishing, standard_rules
from ticket_console.settlement.facts import Facts, plain
from ticket_console.settlement.kinds import Dimension, JournalKind, Purpose
from ticket_console.settlement.ledger import Entry, PostedJournal, Source
from ticket_console.settlement.publishing import VersionInForce
from ticket_console.settlement.rating import Line, Rating, rate
from ticket_console.settlement.tables import FactSnapshot, Journal, RatingLine
from ticket_console.settlement.tables import Rating as RatingRow

_SNAPSHOTS = table(FactSnapshot)
_RATINGS = table(RatingRow)
_LINES = table(RatingLine)
_JOURNALS = table(Journal)
_INSERT_SNAPSHOT = sa.insert(_SNAPSHOTS)
_INSERT_RATING = sa.insert(_RATINGS)
_INSERT_LINES = sa.insert(_LINES)
_LIVE_RATING = (
    sa.select(
        _RATINGS.c.id,
        _JOURNALS.c.id,
        _RATINGS.c.total_minor,
        _RATINGS.c.currency,
        _SNAPSHOTS.c.content_hash,
    )
    .join(_SNAPSHOTS, _SNAPSHOTS.c.id == _RATINGS.c.fact_snapshot_id)
    .join(_JOURNALS, sa.and_(_JOURNALS.c.rating_id == _RATINGS.c.id, _JOURNALS.c.kind == JournalKind.RATING))
    .where(
        _RATINGS.c.ticket_id == sa.bindparam("ticket_id"),
        _RATINGS.c.segment == sa.bindparam("segment"),
        _RATINGS.c.purpose == Purpose.WORKER_PAY,
        _RATINGS.c.is_live,
    )
)

# Which rule set rates for whom.
RULE_SETS: Final = {Purpose.WORKER_PAY: standard_rules.CODE}
# A key of the catalogs: whoever shows a reason translates it, and what people wrote stays as it is.
_FACTS_CHANGED: Final = "settlement.reason.facts_changed"


class NothingSettled(NotFound):
    """There is no live rating of this ticket and segment to correct or take back."""

    code = "settlement.nothing_settled"


@dataclass(frozen=True, slots=True)
class SettledLine:
    position: int
    dimension: Dimension
    rule_code: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class SettledTicket:
    """The live rating of a segment. `is_new` is false when the same facts had been settled before."""

    rating_id: int
    journal_id: int
    total_minor: int
    currency: str
    lines: tuple[SettledLine, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Live:
    rating_id: int
    journal_id: int
    total_minor: int
    currency: str
    facts_hash: str


def settle(
    conn: Connection, *, at: datetime, actor: Actor, facts: Facts, region_id: int | None, command_id: str
) -> SettledTicket:
    """Rate a segment of a ticket and post what the technician earned.

    Settling the same facts again changes nothing; settling changed facts reverses the earlier entry and
    posts the new rating. It belongs at the end of a command: it takes the lock of the books.
    """
    live = _live_rating(conn, facts.ticket_id, facts.segment)
    if live is None:
        return _rate_and_post(conn, at, actor, facts, region_id, command_id)
    if live.facts_hash == facts.content_hash():
        return _as_settled(conn, live)
    _retire(conn, at, actor, live, command_id, _FACTS_CHANGED)
    return _rate_and_post(conn, at, actor, facts, region_id, command_id, reason=_FACTS_CHANGED)


def correct(
    conn: Connection,
    *,
    at: datetime,
    actor: Actor,
    facts: Facts,
    region_id: int | None,
    command_id: str,
    reason: str,
) -> SettledTicket:
    """Reverse the live rating exactly, rate the facts as they are now, and post that."""
    policy.require(actor, "settlement.correct", region_id=region_id)
    _retire(conn, at, actor, _required_rating(conn, facts.ticket_id, facts.segment), command_id, reason)
    return _rate_and_post(conn, at, actor, facts, region_id, command_id, reason=reason)


def version_for(conn: Connection, *, org_id: int, purpose: Purpose, facts: Facts) -> VersionInForce:
    """The rules that rate these facts: those agreed on, else those in force on the day of the work."""
    if facts.pinned_rules is not None:
        return pinned.version_of(conn, org_id=org_id, pinned=facts.pinned_rules)
    return publishing.version_on(conn, org_id=org_id, code=RULE_SETS[purpose], day=facts.service_on)


def withdraw(
    conn: Connection,
    *,
    at: datetime,
    actor: Actor,
    ticket_id: int,
    segment: str,
    region_id: int | None,
    command_id: str,
    reason: str,
) -> PostedJournal:
    """Reverse the live rating of a segment and leave it unrated, as when settled work turns out undone."""
    policy.require(actor, "settlement.correct", region_id=region_id)
    return _retire(conn, at, actor, _required_rating(conn, ticket_id, segment), command_id, reason)


def _live_rating(conn: Connection, ticket_id: int, segment: str) -> _Live | None:
    row = conn.execute(_LIVE_RATING, {"ticket_id": ticket_id, "segment": segment}).one_or_none()
    return None if row is None else _Live(*row)


def _required_rating(conn: Connection, ticket_id: int, segment: str) -> _Live:
    live = _live_rating(conn, ticket_id, segment)
    if live is None:
        raise NothingSettled(segment=segment)
    return live


def _as_settled(conn: Connection, live: _Live) -> SettledTicket:
    lines = conn.execute(
        sa.select(_LINES.c.position, _LINES.c.dimension, _LINES.c.rule_code, _LINES.c.amount_minor)
        .where(_LINES.c.rating_id == live.rating_id)
        .order_by(_LINES.c.position)
    )
    return SettledTicket(
        rating_id=live.rating_id,
        journal_id=live.journal_id,
        total_minor=live.total_minor,
        currency=live.currency,
        lines=tuple(SettledLine(*line) for line in lines),
        is_new=False,
    )


def _retire(
    conn: Connection, at: datetime, actor: Actor, live: _Live, command_id: str, reason: str
) -> PostedJournal:
    conn.execute(sa.update(_RATINGS).where(_RATINGS.c.id == live.rating_id).values(is_live=False))
    return ledger.reverse(
        conn,
        org_id=actor.org_id,
        journal_id=live.journal_id,
        at=at,
        posted_by=actor.label,
        command_id=command_id,
        reason=reason,
    )


def _rate_and_post(
    conn: Connection,
    at: datetime,
    actor: Actor,
    facts: Facts,
    region_id: int | None,
    command_id: str,
    *,
    reason: str | None = None,
) -> SettledTicket:
    purpose = Purpose.WORKER_PAY
    version = version_for(conn, org_id=actor.org_id, purpose=purpose, facts=facts)
    rating = rate(facts, version.rules)
    payee = ledger.worker_account(facts.technician_id)
    costs = {line.dimension: ledger.cost_account(actor.org_id, line.dimension) for line in rating.lines}
    accounts = ledger.ensure_accounts(
        conn, org_id=actor.org_id, currency=rating.currency, wanted=[payee, *costs.values()]
    )
    rating_id, line_ids = _store(conn, at, actor.org_id, facts, rating, version.id, purpose, accounts[payee])
    entries = [
        Entry(accounts[costs[line.dimension]], line.amount_minor, region_id, line_id)
        for line, line_id in zip(rating.lines, line_ids, strict=True)
    ]
    entries.append(Entry(accounts[payee], -rating.total_minor, region_id))
    journal = ledger.post(
        conn,
        org_id=actor.org_id,
        currency=rating.currency,
        kind=JournalKind.RATING,
        entries=entries,
        source=Source(
            at=at,
            service_at=facts.finished_at,
            posted_by=actor.label,
            command_id=command_id,
            ticket_id=facts.ticket_id,
            ticket_no=facts.no,
            rating_id=rating_id,
            reason=reason,
        ),
        is_correction=reason is not None,
    )
    return SettledTicket(
        rating_id=rating_id,
        journal_id=journal.id,
        total_minor=rating.total_minor,
        currency=rating.currency,
        lines=tuple(
            SettledLine(line.position, line.dimension, line.rule_code, line.amount_minor)
            for line in rating.lines
        ),
        is_new=True,
    )


def _store(
    conn: Connection,
    at: datetime,
    org_id: int,
    facts: Facts,
    rating: Rating,
    version_id: int,
    purpose: Purpose,
    payee_account_id: int,
) -> tuple[int, Sequence[int]]:
    """Write the snapshot, the rating and its lines; the ids of rating and lines."""
    snapshot_id, rating_id = ids.take("row"), ids.take("row")
    frozen = facts.to_json()
    conn.execute(
        _INSERT_SNAPSHOT,
        {
            "id": snapshot_id,
            "org_id": org_id,
            "ticket_id": facts.ticket_id,
            "segment": facts.segment,
            "facts": frozen,
            "content_hash": content_hash(frozen),
            "frozen_at": at,
        },
    )
    conn.execute(
        _INSERT_RATING,
        {
            "id": rating_id,
            "org_id": org_id,
            "ticket_id": facts.ticket_id,
            "segment": facts.segment,
            "purpose": purpose,
            "fact_snapshot_id": snapshot_id,
            "rule_set_version_id": version_id,
            "payee_account_id": payee_account_id,
            "technician_id": facts.technician_id,
            "vendor_id": None,
            "total_minor": rating.total_minor,
            "currency": rating.currency,
            "trace": rating.trace,
            "content_hash": rating.content_hash,
            "service_on": facts.service_on,
            "rated_at": at,
            "is_live": True,
        },
    )
    rows = [_line_row(rating_id, line) for line in rating.lines]
    if rows:
        conn.execute(_INSERT_LINES, rows)
    return rating_id, [row["id"] for row in rows]


def _line_row(rating_id: int, line: Line) -> dict[str, Any]:
    return {
        "id": ids.take("row"),
        "rating_id": rating_id,
        "position": line.position,
        "dimension": line.dimension,
        "rule_code": line.rule_code,
        "quantity": plain(line.quantity),
        "factor": plain(line.factor),
        "amount_minor": line.amount_minor,
        "explain": line.explain(),
    }
