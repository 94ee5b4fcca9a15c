"""Disputes: an objection to one node of how an amount came about, and what became of it.

Whoever is owed an amount, or finance for them, points at a node of the trace tree and says what is wrong.
Finance answers, rejects with a reason, or accepts; accepting goes through `desk.disputing`, because it
corrects the ticket. A statement with a dispute that is not decided is `disputed`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, Forbidden, InvalidInput, NotFound
from ticket_console.kernel.text import LocalText
from ticket_console.settlement import paying, reads, trace_tree
from ticket_console.settlement.books import lock_head
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import DisputeState, JournalKind, OwnerKind, Purpose, Remedy
from ticket_console.settlement.reach import readable_postings
from ticket_console.settlement.reads import PAGE, RatingView
from ticket_console.settlement.tables import Account, Dispute, FactSnapshot, Journal, Posting, Rating
from ticket_console.settlement.trace_tree import Node
from ticket_console.tickets.tables import Ticket

_DISPUTES = table(Dispute)
_ACCOUNTS = table(Account)
_JOURNALS = table(Journal)
_POSTINGS = table(Posting)
_RATINGS = table(Rating)
_SNAPSHOTS = table(FactSnapshot)
_TICKETS = table(Ticket)

LONGEST: Final = 1000
UNDECIDED: Final = (DisputeState.OPEN, DisputeState.ANSWERED)


class DisputeNotFound(NotFound):
    code = "dispute.not_found"


class RatingNotFound(NotFound):
    """There is no such rating, or none that is the asker's to dispute."""

    code = "dispute.rating_not_found"


class NoSuchNode(NotFound):
    """The path names nothing in the rating's trace tree."""

    code = "dispute.no_such_node"


class AlreadyDisputed(Conflict):
    code = "dispute.already_open"


class StaleDispute(Conflict):
    """Somebody answered or decided after the caller looked."""

    code = "dispute.stale"


class DisputeEnded(Conflict):
    code = "dispute.ended"


class OwnCase(Forbidden):
    """Nobody decides about their own pay."""

    code = "dispute.own_case"


class BadWords(InvalidInput):
    """No sentence where one is needed, or one that is too long."""

    code = "dispute.bad_words"


@dataclass(frozen=True, slots=True)
class DisputeView:
    id: int
    statement_id: int | None
    rating_id: int
    ticket_id: int
    line_position: int | None
    node: str
    text: str
    opened_by: str
    opened_name: str
    opened_at: datetime
    state: DisputeState
    answer: str
    answered_name: str | None
    answered_at: datetime | None
    remedy: Remedy | None
    amended: Mapping[str, Any] | None
    journal_id: int | None
    open_command_id: str
    command_id: str
    version: int

    @property
    def is_undecided(self) -> bool:
        return self.state in UNDECIDED


@dataclass(frozen=True, slots=True)
class DisputeEntry:
    """A dispute in a list: whose money, which ticket, how much the rating comes to."""

    dispute: DisputeView
    ticket_no: str
    payee_kind: OwnerKind
    payee_id: int
    period_id: int
    total_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class DisputedRating:
    """What a dispute is about, as whoever decides it needs it."""

    dispute: DisputeView
    payee_kind: OwnerKind
    payee_id: int
    segment: str
    purpose: Purpose
    journal_id: int
    reversal_id: int | None
    version_id: int
    facts_hash: str
    worked_by: int | None


def open_dispute(
    conn: Connection, *, actor: Actor, at: datetime, rating_id: int, node: str, text: str, command_id: str
) -> DisputeView:
    """Object to a node of a rating's trace tree, with a sentence; an issued statement becomes disputed.

    Sent twice with one `command_id`, it opens once. Raises RatingNotFound for what the actor may not read,
    NoSuchNode for a path that is not in the tree, AlreadyDisputed while one about that node is undecided.
    """
    known = _by_first_command(conn, actor, command_id)
    if known is not None:
        return known
    said = _words(text, "text")
    rating, pointed = rating_with(conn, viewer=actor, rating_id=rating_id, path=node)
    _require_opening(conn, actor, rating)
    # Whoever issues a statement holds the books too, so that a dispute is never missed by it.
    lock_head(conn, actor.org_id)
    undecided = sa.select(_DISPUTES.c.id).where(
        _DISPUTES.c.rating_id == rating_id, _DISPUTES.c.node == node, _DISPUTES.c.state.in_(UNDECIDED)
    )
    if conn.execute(undecided).first() is not None:
        raise AlreadyDisputed(what=dict(pointed.name))
    statement_id = paying.stating(conn, journal_id=rating.journal_id, payee=rating.payee)
    dispute_id: int = conn.execute(
        sa.insert(_DISPUTES)
        .values(
            org_id=actor.org_id,
            statement_id=statement_id,
            rating_id=rating_id,
            ticket_id=rating.ticket_id,
            line_position=pointed.position,
            node=node,
            text=said,
            opened_by=actor.label,
            opened_name=actor.display[:80],
            opened_at=at,
            state=DisputeState.OPEN,
            open_command_id=command_id,
            command_id=command_id,
            version=1,
        )
        .returning(_DISPUTES.c.id)
    ).scalar_one()
    if statement_id is not None:
        paying.begin_dispute(conn, org_id=actor.org_id, statement_id=statement_id)
    _record(conn, actor, at, "opened", dispute_id, command_id, {"node": node, "text": said})
    return view(conn, actor.org_id, dispute_id)


def answer(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    dispute_id: int,
    expected_version: int,
    text: str,
    command_id: str,
) -> DisputeView:
    """Say something about a dispute without deciding it."""
    return _say(conn, actor, at, dispute_id, expected_version, text, command_id, DisputeState.ANSWERED)


def reject(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    dispute_id: int,
    expected_version: int,
    reason: str,
    command_id: str,
) -> DisputeView:
    """End a dispute without a change of the books, for a reason."""
    return _say(conn, actor, at, dispute_id, expected_version, reason, command_id, DisputeState.REJECTED)


def take_up(
    conn: Connection, *, actor: Actor, dispute_id: int, expected_version: int, command_id: str
) -> DisputedRating:
    """Hold a dispute to decide it; what this very command decided before is returned as it is.

    Raises StaleDispute, DisputeEnded, OwnCase, and Forbidden without "settlement.correct" over the ticket.
    """
    readable_view(conn, viewer=actor, dispute_id=dispute_id)
    held = view(conn, actor.org_id, dispute_id, lock=True)
    disputed = _disputed(conn, held)
    _require_deciding(conn, actor, disputed)
    if held.command_id == command_id:
        return disputed
    if not held.is_undecided:
        raise DisputeEnded(state=f"dispute.state.{held.state.value}")
    if held.version != expected_version:
        raise StaleDispute()
    return disputed


def as_it_stands(conn: Connection, disputed: DisputedRating) -> DisputedRating:
    """The same, read again by a caller who holds the ticket meanwhile."""
    return _disputed(conn, disputed.dispute)


def accept(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    disputed: DisputedRating,
    remedy: Remedy,
    amended: Mapping[str, Any],
    journal_id: int,
    text: str,
    command_id: str,
) -> DisputeView:
    """End a dispute that was taken up with the entry that took the rating back."""
    said = _words(text, "text") if text.strip() else ""
    dispute_id = disputed.dispute.id
    values: dict[str, Any] = {
        "state": DisputeState.ACCEPTED,
        "remedy": remedy,
        "amended": dict(amended) or None,
        "journal_id": journal_id,
    }
    if said:
        values["answer"] = said
    _change(conn, actor, at, dispute_id, command_id, values)
    _record(
        conn,
        actor,
        at,
        "accepted",
        dispute_id,
        command_id,
        {"remedy": remedy.value, "amended": dict(amended), "journal_id": journal_id, "text": said},
    )
    _end_on_statement(conn, actor.org_id, disputed.dispute)
    return view(conn, actor.org_id, dispute_id)


def amended_by_disputes(conn: Connection, facts: Facts) -> dict[str, Any]:
    """What accepted disputes have put right of a segment's facts, the latest word on each."""
    rows = conn.execute(
        sa.select(_DISPUTES.c.amended)
        .join(_RATINGS, _RATINGS.c.id == _DISPUTES.c.rating_id)
        .where(
            _DISPUTES.c.ticket_id == facts.ticket_id,
            _DISPUTES.c.state == DisputeState.ACCEPTED,
            _DISPUTES.c.amended.is_not(None),
            _RATINGS.c.segment == facts.segment,
        )
        .order_by(_DISPUTES.c.answered_at, _DISPUTES.c.id)
    )
    laid: dict[str, Any] = {}
    for (changes,) in rows:
        laid |= changes
    return laid


def reversal_of(conn: Connection, journal_id: int) -> int:
    """The entry that took an entry back."""
    return int(
        conn.execute(sa.select(_JOURNALS.c.id).where(_JOURNALS.c.reverses_id == journal_id)).scalar_one()
    )


def rating_with(conn: Connection, *, viewer: Actor, rating_id: int, path: str) -> tuple[RatingView, Node]:
    """A rating the viewer may read and the node at a path of its tree."""
    ticket_id = conn.execute(
        sa.select(_RATINGS.c.ticket_id).where(_RATINGS.c.id == rating_id, _RATINGS.c.org_id == viewer.org_id)
    ).scalar_one_or_none()
    rating = None
    if ticket_id is not None:
        every = reads.ticket_ratings(conn, viewer=viewer, ticket_id=ticket_id)
        rating = next((each for each in every if each.rating_id == rating_id), None)
    if rating is None:
        raise RatingNotFound()
    node = trace_tree.nodes(rating).get(path)
    if node is None:
        raise NoSuchNode(node=path[:80])
    return rating, node


def inbox(
    conn: Connection,
    *,
    viewer: Actor,
    undecided: bool | None = None,
    period_id: int | None = None,
    offset: int = 0,
    limit: int = PAGE,
) -> tuple[DisputeEntry, ...]:
    """The disputes a viewer may read: those to be decided, oldest first, then the others, latest first."""
    is_over = sa.case((_DISPUTES.c.state.in_(UNDECIDED), 0), else_=1)
    query = _readable(viewer, _listed()).order_by(
        is_over,
        sa.case((is_over == 0, _DISPUTES.c.id), else_=-_DISPUTES.c.id),
    )
    if undecided is not None:
        chosen = _DISPUTES.c.state.in_(UNDECIDED)
        query = query.where(chosen if undecided else ~chosen)
    if period_id is not None:
        query = query.where(_JOURNALS.c.period_id == period_id)
    return tuple(_entry(row) for row in conn.execute(query.limit(limit).offset(offset)))


def undecided_count(conn: Connection, *, viewer: Actor) -> int:
    """How many disputes wait for somebody who may decide them."""
    query = _readable(viewer, sa.select(sa.func.count(_DISPUTES.c.id)))
    return int(conn.execute(query.where(_DISPUTES.c.state.in_(UNDECIDED))).scalar_one())


def of_ticket(conn: Connection, *, viewer: Actor, ticket_id: int) -> tuple[DisputeView, ...]:
    """The disputes about a ticket's ratings that the viewer may read, oldest first."""
    query = _readable(viewer, _listed()).where(_DISPUTES.c.ticket_id == ticket_id)
    return tuple(_entry(row).dispute for row in conn.execute(query.order_by(_DISPUTES.c.id)))


def of_statement(conn: Connection, *, viewer: Actor, statement_id: int) -> tuple[DisputeView, ...]:
    """The disputes about what a statement says, oldest first."""
    query = _readable(viewer, _listed()).where(_DISPUTES.c.statement_id == statement_id)
    return tuple(_entry(row).dispute for row in conn.execute(query.order_by(_DISPUTES.c.id)))


def readable_view(conn: Connection, *, viewer: Actor, dispute_id: int) -> DisputeView:
    """Raises DisputeNotFound for what is not the viewer's to read."""
    row = conn.execute(_readable(viewer, _listed()).where(_DISPUTES.c.id == dispute_id)).one_or_none()
    if row is None:
        raise DisputeNotFound()
    return _entry(row).dispute


def view(conn: Connection, org_id: int, dispute_id: int, *, lock: bool = False) -> DisputeView:
    query = sa.select(*_columns()).where(_DISPUTES.c.id == dispute_id, _DISPUTES.c.org_id == org_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise DisputeNotFound()
    return DisputeView(*row)


def node_name(rating: RatingView, path: str) -> LocalText:
    """What a node is called; the path itself where the rating has no such node."""
    found = trace_tree.nodes(rating).get(path)
    return {"zh": path, "en": path} if found is None else found.name


def _say(
    conn: Connection,
    actor: Actor,
    at: datetime,
    dispute_id: int,
    expected_version: int,
    text: str,
    command_id: str,
    state: DisputeState,
) -> DisputeView:
    disputed = take_up(
        conn, actor=actor, dispute_id=dispute_id, expected_version=expected_version, command_id=command_id
    )
    if disputed.dispute.command_id == command_id:
        return disputed.dispute
    said = _words(text, "text")
    # As everywhere, the books are held before a statement is.
    lock_head(conn, actor.org_id)
    _change(conn, actor, at, dispute_id, command_id, {"state": state, "answer": said})
    _record(conn, actor, at, state.value, dispute_id, command_id, {"text": said})
    if state not in UNDECIDED:
        _end_on_statement(conn, actor.org_id, disputed.dispute)
    return view(conn, actor.org_id, dispute_id)


def _change(
    conn: Connection,
    actor: Actor,
    at: datetime,
    dispute_id: int,
    command_id: str,
    values: Mapping[str, Any],
) -> None:
    conn.execute(
        sa.update(_DISPUTES)
        .where(_DISPUTES.c.id == dispute_id)
        .values(
            **values,
            answered_by=actor.label,
            answered_name=actor.display[:80],
            answered_at=at,
            command_id=command_id,
            version=_DISPUTES.c.version + 1,
        )
    )


def _end_on_statement(conn: Connection, org_id: int, dispute: DisputeView) -> None:
    """Give the statement back to be confirmed once nothing on it is undecided."""
    if dispute.statement_id is None:
        return
    left = sa.select(_DISPUTES.c.id).where(
        _DISPUTES.c.statement_id == dispute.statement_id, _DISPUTES.c.state.in_(UNDECIDED)
    )
    if conn.execute(left.limit(1)).first() is None:
        paying.end_dispute(conn, org_id=org_id, statement_id=dispute.statement_id)


def _require_opening(conn: Connection, actor: Actor, rating: RatingView) -> None:
    region_id, ticket_class = _place_of(conn, rating.rating_id)
    is_own = rating.payee.kind is OwnerKind.TECHNICIAN and rating.payee.id == actor.technician_id
    policy.require(actor, "settlement.respond", region_id=region_id, ticket_class=ticket_class, is_own=is_own)


def _require_deciding(conn: Connection, actor: Actor, disputed: DisputedRating) -> None:
    region_id, ticket_class = _place_of(conn, disputed.dispute.rating_id)
    policy.require(actor, "settlement.correct", region_id=region_id, ticket_class=ticket_class)
    # Putting one side right rates all sides anew: a charge of one's own work is one's own case as well.
    if actor.technician_id is not None and actor.technician_id in (disputed.worked_by, _own(disputed)):
        raise OwnCase(permission="settlement.correct")


def _own(disputed: DisputedRating) -> int | None:
    return disputed.payee_id if disputed.payee_kind is OwnerKind.TECHNICIAN else None


def _place_of(conn: Connection, rating_id: int) -> tuple[int | None, str]:
    row = conn.execute(
        sa.select(_TICKETS.c.region_id, _TICKETS.c.ticket_class)
        .join(_RATINGS, _RATINGS.c.ticket_id == _TICKETS.c.id)
        .where(_RATINGS.c.id == rating_id)
    ).one()
    return row.region_id, row.ticket_class


def _disputed(conn: Connection, dispute: DisputeView) -> DisputedRating:
    reversal = _JOURNALS.alias("reversal")
    row = conn.execute(
        sa.select(
            _ACCOUNTS.c.owner_kind,
            _ACCOUNTS.c.owner_id,
            _RATINGS.c.segment,
            _RATINGS.c.purpose,
            _JOURNALS.c.id,
            reversal.c.id,
            _RATINGS.c.rule_set_version_id,
            _SNAPSHOTS.c.content_hash,
            _RATINGS.c.technician_id,
        )
        .select_from(_joined())
        .join(_SNAPSHOTS, _SNAPSHOTS.c.id == _RATINGS.c.fact_snapshot_id)
        .outerjoin(reversal, reversal.c.reverses_id == _JOURNALS.c.id)
        .where(_DISPUTES.c.id == dispute.id)
    ).one()
    return DisputedRating(dispute, *row)


def _joined() -> sa.FromClause:
    """Disputes with their rating, its entry of the books and the account of whom it is owed to."""
    return (
        _DISPUTES.join(_RATINGS, _RATINGS.c.id == _DISPUTES.c.rating_id)
        .join(
            _JOURNALS, sa.and_(_JOURNALS.c.rating_id == _RATINGS.c.id, _JOURNALS.c.kind == JournalKind.RATING)
        )
        .join(_ACCOUNTS, _ACCOUNTS.c.id == _RATINGS.c.payee_account_id)
    )


def _readable(viewer: Actor, query: sa.Select[Any]) -> sa.Select[Any]:
    posted = sa.exists().where(
        _POSTINGS.c.journal_id == _JOURNALS.c.id,
        _POSTINGS.c.account_id == _ACCOUNTS.c.id,
        readable_postings(viewer),
    )
    return query.select_from(_joined()).where(_DISPUTES.c.org_id == viewer.org_id, posted)


def _columns() -> list[sa.Column[Any]]:
    return [_DISPUTES.c[name] for name in DisputeView.__dataclass_fields__]


def _listed() -> sa.Select[Any]:
    return sa.select(
        *_columns(),
        _JOURNALS.c.ticket_no,
        _ACCOUNTS.c.owner_kind,
        _ACCOUNTS.c.owner_id,
        _JOURNALS.c.period_id,
        _RATINGS.c.total_minor,
        _RATINGS.c.currency,
    )


def _entry(row: Any) -> DisputeEntry:
    width = len(DisputeView.__dataclass_fields__)
    return DisputeEntry(DisputeView(*row[:width]), *row[width:])


def _by_first_command(conn: Connection, actor: Actor, command_id: str) -> DisputeView | None:
    dispute_id = conn.execute(
        sa.select(_DISPUTES.c.id).where(
            _DISPUTES.c.org_id == actor.org_id,
            _DISPUTES.c.open_command_id == command_id,
            _DISPUTES.c.opened_by == actor.label,
        )
    ).scalar_one_or_none()
    return None if dispute_id is None else view(conn, actor.org_id, dispute_id)


def _words(text: str, path: str) -> str:
    said = " ".join(text.split())
    if not said:
        raise BadWords((FieldProblem(path, "dispute.words_missing"),))
    if len(said) > LONGEST:
        raise BadWords((FieldProblem(path, "dispute.words_too_long", {"most": LONGEST}),))
    return said


def _record(
    conn: Connection,
    actor: Actor,
    at: datetime,
    what: str,
    dispute_id: int,
    command_id: str,
    payload: Mapping[str, Any],
) -> None:
    audit.record(
        conn,
        at=at,
        actor=actor,
        action=f"dispute.{what}",
        subject=f"dispute:{dispute_id}",
        payload=payload,
        command_id=command_id,
    )
