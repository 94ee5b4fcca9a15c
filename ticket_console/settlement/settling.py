"""Settling a ticket: freeze its facts, rate every side it has, post the result; and taking that back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.kernel import ids
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, NotFound
from ticket_console.settlement import ledger, quotes, sides
from ticket_console.settlement.facts import Facts, plain
from ticket_console.settlement.kinds import Dimension, JournalKind, Purpose
from ticket_console.settlement.ledger import AccountKey, JournalDraft, PostedJournal, Source
from ticket_console.settlement.rating import Line
from ticket_console.settlement.sides import RULE_SETS, RatedSide, version_for
from ticket_console.settlement.tables import FactSnapshot, Journal, RatingLine, Refund
from ticket_console.settlement.tables import Rating as RatingRow

__all__ = [
    "RULE_SETS",
    "AlreadyRefunded",
    "NothingSettled",
    "SettledLine",
    "SettledSide",
    "SettledTicket",
    "correct",
    "settle",
    "settled_segments",
    "version_for",
    "withdraw",
]

_SNAPSHOTS = table(FactSnapshot)
_RATINGS = table(RatingRow)
_LINES = table(RatingLine)
_JOURNALS = table(Journal)
_REFUNDS = table(Refund)
_INSERT_SNAPSHOT = sa.insert(_SNAPSHOTS)
_INSERT_RATINGS = sa.insert(_RATINGS)
_INSERT_LINES = sa.insert(_LINES)
_is_refunded = sa.exists().where(_REFUNDS.c.rating_id == _RATINGS.c.id)
# What is live, and what was refunded: that stays as it is.
_KNOWN: Final = (
    sa.select(
        _RATINGS.c.purpose,
        _RATINGS.c.id,
        _JOURNALS.c.id,
        _RATINGS.c.total_minor,
        _RATINGS.c.currency,
        _SNAPSHOTS.c.content_hash,
        _RATINGS.c.is_live,
        _is_refunded,
    )
    .join(_SNAPSHOTS, _SNAPSHOTS.c.id == _RATINGS.c.fact_snapshot_id)
    .join(_JOURNALS, sa.and_(_JOURNALS.c.rating_id == _RATINGS.c.id, _JOURNALS.c.kind == JournalKind.RATING))
    .where(
        _RATINGS.c.ticket_id == sa.bindparam("ticket_id"),
        _RATINGS.c.segment == sa.bindparam("segment"),
        sa.or_(_RATINGS.c.is_live, _is_refunded),
    )
    .order_by(_RATINGS.c.id)
)

# A key of the catalogs: whoever shows a reason translates it, and what people wrote stays as it is.
_FACTS_CHANGED: Final = "settlement.reason.facts_changed"
_PAY: Final = (Purpose.WORKER_PAY, Purpose.VENDOR_PAY)


class NothingSettled(NotFound):
    """There is no live rating of this ticket and segment to correct or take back."""

    code = "settlement.nothing_settled"


class AlreadyRefunded(Conflict):
    """What was refunded is settled for good: it is neither rated anew nor given back twice."""

    code = "settlement.already_refunded"


@dataclass(frozen=True, slots=True)
class SettledLine:
    position: int
    dimension: Dimension
    rule_code: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class SettledSide:
    """One side of a settlement and the journal it is posted by."""

    rating_id: int
    journal_id: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class SettledTicket:
    """The ratings of a segment that stand. `is_new` is false when the same facts had been settled before.

    What stands beside `sides` is that of the side that is paid.
    """

    rating_id: int
    journal_id: int
    total_minor: int
    currency: str
    lines: tuple[SettledLine, ...]
    is_new: bool
    sides: Mapping[Purpose, SettledSide] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """A rating of a segment that is live or was refunded, in whole or in part."""

    purpose: Purpose
    rating_id: int
    journal_id: int
    total_minor: int
    currency: str
    facts_hash: str
    is_live: bool
    is_refunded: bool

    @property
    def can_change(self) -> bool:
        return self.is_live and not self.is_refunded

    @property
    def side(self) -> SettledSide:
        return SettledSide(self.rating_id, self.journal_id, self.total_minor)


def settle(
    conn: Connection, *, at: datetime, actor: Actor, facts: Facts, region_id: int | None, command_id: str
) -> SettledTicket:
    """Rate every side of a segment of a ticket and post what was earned and charged, all or nothing.

    Settling the same facts again changes nothing; settling changed facts reverses the earlier entries and
    posts the new ratings. A side that was refunded stays as it is. It belongs at the end of a command: it
    takes the lock of the books.
    """
    known = known_ratings(conn, facts.ticket_id, facts.segment)
    changing = [each for each in known if each.can_change]
    # A side that was given back in part stays on the facts it was rated by.
    standing = changing or [each for each in known if each.is_live]
    frozen = facts.to_json()
    facts_hash = content_hash(frozen)
    if standing and all(each.facts_hash == facts_hash for each in standing):
        return _as_settled(conn, known)
    reason = None
    if changing:
        reason = _FACTS_CHANGED
        _retire(conn, at, actor, changing, command_id, reason)
    return _rate_and_post(
        conn, at, actor, facts, (frozen, facts_hash), region_id, command_id, known=known, reason=reason
    )


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
    """Reverse the live ratings of all sides exactly, rate the facts as they are now, and post that.

    Sides that were refunded stay. Raises NothingSettled, or AlreadyRefunded where no other side is left.
    """
    policy.require(actor, "settlement.correct", region_id=region_id)
    known = known_ratings(conn, facts.ticket_id, facts.segment)
    _retire(conn, at, actor, _changeable(known, facts.segment), command_id, reason)
    frozen = facts.to_json()
    return _rate_and_post(
        conn,
        at,
        actor,
        facts,
        (frozen, content_hash(frozen)),
        region_id,
        command_id,
        known=known,
        reason=reason,
    )


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
    """Reverse all live ratings of a segment and leave it unrated, as when settled work turns out undone.

    Returns the reversal of what was paid, or of what was charged where the pay was refunded before.
    """
    policy.require(actor, "settlement.correct", region_id=region_id)
    known = _changeable(known_ratings(conn, ticket_id, segment), segment)
    return _retire(conn, at, actor, known, command_id, reason)[0]


def known_ratings(conn: Connection, ticket_id: int, segment: str) -> tuple[Known, ...]:
    """The ratings of a segment that stand, pay first."""
    rows = conn.execute(_KNOWN, {"ticket_id": ticket_id, "segment": segment})
    return tuple(sorted((Known(*row) for row in rows), key=lambda each: each.purpose not in _PAY))


def settled_segments(conn: Connection, ticket_id: int) -> tuple[str, ...]:
    """The segments of a ticket with a live rating, in the order of their time."""
    rows = conn.execute(
        sa.select(_RATINGS.c.segment)
        .where(_RATINGS.c.ticket_id == ticket_id, _RATINGS.c.is_live)
        .group_by(_RATINGS.c.segment)
        .order_by(sa.func.min(_RATINGS.c.id))
    )
    return tuple(rows.scalars())


def _changeable(known: Sequence[Known], segment: str) -> list[Known]:
    changing = [each for each in known if each.can_change]
    if not changing:
        raise AlreadyRefunded() if known else NothingSettled(segment=segment)
    return changing


def _as_settled(conn: Connection, known: Sequence[Known]) -> SettledTicket:
    paid = known[0]
    lines = conn.execute(
        sa.select(_LINES.c.position, _LINES.c.dimension, _LINES.c.rule_code, _LINES.c.amount_minor)
        .where(_LINES.c.rating_id == paid.rating_id)
        .order_by(_LINES.c.position)
    )
    return SettledTicket(
        rating_id=paid.rating_id,
        journal_id=paid.journal_id,
        total_minor=paid.total_minor,
        currency=paid.currency,
        lines=tuple(SettledLine(*line) for line in lines),
        is_new=False,
        sides={each.purpose: each.side for each in known},
    )


def _retire(
    conn: Connection, at: datetime, actor: Actor, known: Sequence[Known], command_id: str, reason: str
) -> tuple[PostedJournal, ...]:
    retired = [each.rating_id for each in known]
    conn.execute(sa.update(_RATINGS).where(_RATINGS.c.id.in_(retired)).values(is_live=False))
    return ledger.reverse_all(
        conn,
        org_id=actor.org_id,
        journal_ids=[each.journal_id for each in known],
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
    frozen: tuple[dict[str, Any], str],
    region_id: int | None,
    command_id: str,
    *,
    known: Sequence[Known],
    reason: str | None,
) -> SettledTicket:
    org_id = actor.org_id
    standing = [each for each in known if each.is_refunded]
    # A refunded side is left alone, and so is the other way of being paid.
    closed = {each.purpose for each in standing}
    if closed & set(_PAY):
        closed |= set(_PAY)
    rated = sides.rated_sides(conn, org_id=org_id, facts=facts, without=frozenset(closed))
    if not rated:
        return _as_settled(conn, standing)
    currency = rated[0].rating.currency
    wanted = [key for side in rated for key in sides.keys_of(org_id, facts, side)]
    accounts = ledger.ensure_accounts(conn, org_id=org_id, currency=currency, wanted=wanted)
    rows = frozen_rows(at, org_id, facts, frozen, [(side, accounts[side.owner]) for side in rated])
    conn.execute(_INSERT_SNAPSHOT, rows.snapshot)
    conn.execute(_INSERT_RATINGS, rows.ratings)
    if rows.lines:
        conn.execute(_INSERT_LINES, rows.lines)
    _consult_quotes(conn, org_id, facts, rated, rows)
    drafts = drafts_of(
        at, actor, facts, rated, rows, accounts, region_id=region_id, command_id=command_id, reason=reason
    )
    journals = ledger.post_all(conn, org_id=org_id, currency=currency, drafts=drafts)
    posted = {
        side.purpose: SettledSide(rating_id, journal.id, side.rating.total_minor)
        for side, (rating_id, _), journal in zip(rated, rows.ids, journals, strict=True)
    }
    every = {each.purpose: each.side for each in standing} | posted
    if standing and standing[0].purpose in _PAY:
        # What was paid stands refunded; only the charge is new.
        return replace(_as_settled(conn, standing), is_new=True, sides=every)
    paid = rated[0]
    return SettledTicket(
        rating_id=posted[paid.purpose].rating_id,
        journal_id=posted[paid.purpose].journal_id,
        total_minor=paid.rating.total_minor,
        currency=currency,
        lines=tuple(
            SettledLine(line.position, line.dimension, line.rule_code, line.amount_minor)
            for line in paid.rating.lines
        ),
        is_new=True,
        sides=every,
    )


def _consult_quotes(
    conn: Connection, org_id: int, facts: Facts, rated: Sequence[RatedSide], rows: "FrozenRows"
) -> None:
    for side, (rating_id, _) in zip(rated, rows.ids, strict=True):
        if side.purpose is Purpose.CUSTOMER_CHARGE:
            charge, currency = side.rating.total_minor, side.rating.currency
            found = quotes.consult(conn, org_id=org_id, facts=facts, charge_minor=charge, currency=currency)
            if found is not None:
                quotes.keep(conn, rating_id, found)


@dataclass(frozen=True, slots=True)
class FrozenRows:
    """A snapshot with the ratings made of it and their lines, as they are to be written.

    `ids` has for each side the id of its rating and those of its lines.
    """

    snapshot: Mapping[str, Any]
    ratings: Sequence[Mapping[str, Any]]
    lines: Sequence[Mapping[str, Any]]
    ids: Sequence[tuple[int, list[int]]]


def frozen_rows(
    at: datetime,
    org_id: int,
    facts: Facts,
    frozen: tuple[dict[str, Any], str],
    rated: Sequence[tuple[RatedSide, int]],
) -> FrozenRows:
    """The rows of one segment: `frozen` are its facts as JSON with their hash, `rated` its sides with the
    accounts their totals stand on."""
    snapshot_id = ids.take("row")
    snapshot = {
        "id": snapshot_id,
        "org_id": org_id,
        "ticket_id": facts.ticket_id,
        "segment": facts.segment,
        "facts": frozen[0],
        "content_hash": frozen[1],
        "frozen_at": at,
    }
    ratings, lines, taken = [], [], []
    for side, account_id in rated:
        rating_id = ids.take("row")
        ratings.append(
            {
                "id": rating_id,
                "org_id": org_id,
                "ticket_id": facts.ticket_id,
                "segment": facts.segment,
                "purpose": side.purpose,
                "fact_snapshot_id": snapshot_id,
                "rule_set_version_id": side.version.id,
                "payee_account_id": account_id,
                "technician_id": facts.technician_id,
                "vendor_id": facts.vendor_id,
                "total_minor": side.rating.total_minor,
                "currency": side.rating.currency,
                "trace": side.rating.trace,
                "content_hash": side.rating.content_hash,
                "service_on": facts.service_on,
                "rated_at": at,
                "is_live": True,
            }
        )
        rows = [_line_row(rating_id, line) for line in side.rating.lines]
        lines += rows
        taken.append((rating_id, [row["id"] for row in rows]))
    return FrozenRows(snapshot, ratings, lines, taken)


def drafts_of(
    at: datetime,
    actor: Actor,
    facts: Facts,
    rated: Sequence[RatedSide],
    rows: FrozenRows,
    accounts: Mapping[AccountKey, int],
    *,
    region_id: int | None,
    command_id: str,
    reason: str | None,
) -> list[JournalDraft]:
    """The journal of each side, to be posted."""
    return [
        JournalDraft(
            JournalKind.RATING,
            sides.entries_of(
                actor.org_id, facts, side, accounts=accounts, line_ids=line_ids, region_id=region_id
            ),
            Source(
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
        for side, (rating_id, line_ids) in zip(rated, rows.ids, strict=True)
    ]


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
