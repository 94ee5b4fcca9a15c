"""Statements: what a payee earned or was charged in a period; drafted, looked at, issued and frozen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import audit
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, NotFound
from ticket_console.kernel.text import LocalText
from ticket_console.settlement import closing, signatures
from ticket_console.settlement.books import lock_head, read_head
from ticket_console.settlement.kinds import DisputeState, JournalKind, OwnerKind, StatementState
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.spans import (
    Span,
    account_of,
    credited,
    require_issuing,
    require_reading,
    within,
)
from ticket_console.settlement.tables import Dispute, Journal, Posting, Statement, StatementLine

_DISPUTES = table(Dispute)
_JOURNALS = table(Journal)
_POSTINGS = table(Posting)
_STATED = table(StatementLine)
_STATEMENTS = table(Statement)


class StatementNotFound(NotFound):
    code = "settlement.statement_not_found"


class NothingToState(Conflict):
    """Everything the payee earned in the period stands on earlier statements."""

    code = "settlement.nothing_to_state"


class StaleStatement(Conflict):
    code = "settlement.statement_stale"


class StatementIssued(Conflict):
    code = "settlement.statement_issued"


@dataclass(frozen=True, slots=True)
class StatementView:
    id: int
    payee_kind: OwnerKind
    payee_id: int
    payee_name: LocalText
    period_id: int
    number: int
    state: StatementState
    total_minor: int
    currency: str
    from_seq: int
    as_of_seq: int
    content_hash: str
    issued_at: datetime | None
    confirmed_at: datetime | None
    confirmed_by: str | None
    paid_at: datetime | None
    paid_by: str | None
    payment_journal_id: int | None
    command_id: str
    version: int

    @property
    def payee(self) -> Payee:
        return Payee(self.payee_kind, self.payee_id)


def draft(conn: Connection, *, actor: Actor, payee: Payee, period_id: int, command_id: str) -> StatementView:
    """Make, or bring up to date, the draft of what the payee earned and no statement says yet."""
    # Held to the end, so that two drafts made at once become one.
    head = lock_head(conn, actor.org_id)
    account = account_of(conn, org_id=actor.org_id, payee=payee, currency=head.currency)
    require_issuing(actor, account)
    period = closing.period_view(conn, actor.org_id, period_id)
    known = _of(conn, actor.org_id, payee, period.id)
    issued = next((each for each in known if each.state is not StatementState.DRAFT), None)
    earlier_draft = next((each for each in known if each.state is StatementState.DRAFT), None)
    span = Span(account, period.id, 0 if issued is None else issued.as_of_seq, head.seq)
    postings = credited(conn, span)
    if not postings:
        raise NothingToState(payee=account.name, period=period.code)
    number = 1 if issued is None else issued.number + 1
    values: dict[str, Any] = {
        "payee_name": account.name,
        "total_minor": sum(amount for _, amount in postings),
        "currency": head.currency,
        "from_seq": span.from_seq,
        "as_of_seq": span.as_of_seq,
        "content_hash": content_hash(
            [payee.kind, payee.id, period.id, number, span.from_seq, span.as_of_seq, postings]
        ),
        "command_id": command_id,
    }
    if earlier_draft is not None:
        update(conn, earlier_draft.id, values)
        return _view(conn, actor.org_id, earlier_draft.id)
    new = sa.insert(_STATEMENTS).values(
        **values,
        org_id=actor.org_id,
        payee_kind=payee.kind,
        payee_id=payee.id,
        period_id=period.id,
        number=number,
        state=StatementState.DRAFT,
        version=1,
    )
    return _view(conn, actor.org_id, conn.execute(new.returning(_STATEMENTS.c.id)).scalar_one())


def issue(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    statement_id: int,
    expected_version: int,
    command_id: str,
) -> StatementView:
    """Freeze a draft exactly as it was looked at: entries posted since then wait for the next statement.

    Sent twice with one `command_id`, it issues once. It is signed here; raises SigningKeySealed.
    With a dispute undecided about what it says, it is disputed from the start.
    """
    # Whoever disputes an entry holds the books too, so that a dispute is never missed.
    lock_head(conn, actor.org_id)
    statement = held(conn, actor.org_id, statement_id)
    span = span_of(conn, actor.org_id, statement)
    require_issuing(actor, span.account)
    if statement.state is not StatementState.DRAFT:
        if statement.command_id == command_id:
            return statement
        raise StatementIssued(number=statement.number)
    if statement.version != expected_version:
        raise StaleStatement(number=statement.number)
    postings = sa.select(
        sa.literal(statement_id),
        _POSTINGS.c.id,
        _POSTINGS.c.ticket_id,
        _POSTINGS.c.amount_minor * statement.payee.sign,
    )
    conn.execute(
        sa.insert(_STATED).from_select(
            ["statement_id", "posting_id", "ticket_id", "amount_minor"],
            within(postings, span).order_by(_POSTINGS.c.id),
        )
    )
    update(
        conn,
        statement_id,
        {
            "state": StatementState.DISPUTED if _disputed(conn, statement_id) else StatementState.ISSUED,
            "issued_at": at,
            "issued_by": actor.user_id,
            "command_id": command_id,
        },
    )
    issued = _view(conn, actor.org_id, statement_id)
    signatures.sign(conn, at=at, org_id=actor.org_id, statement=issued, span=span)
    audit.record(
        conn,
        at=at,
        actor=actor,
        action="statement.issued",
        subject=f"statement:{statement_id}",
        payload={
            "payee_kind": statement.payee_kind.value,
            "payee_id": statement.payee_id,
            "number": statement.number,
        },
        command_id=command_id,
    )
    return issued


def of_payee(conn: Connection, *, viewer: Actor, payee: Payee, period_id: int) -> tuple[StatementView, ...]:
    """The statements of a payee for a period, latest first."""
    head = read_head(conn, viewer.org_id)
    account = account_of(conn, org_id=viewer.org_id, payee=payee, currency=head.currency)
    require_reading(viewer, account)
    return tuple(_of(conn, viewer.org_id, payee, period_id))


def statement_view(conn: Connection, *, viewer: Actor, statement_id: int) -> StatementView:
    statement = _view(conn, viewer.org_id, statement_id)
    require_reading(viewer, span_of(conn, viewer.org_id, statement).account)
    return statement


def span_of(conn: Connection, org_id: int, statement: StatementView) -> Span:
    account = account_of(conn, org_id=org_id, payee=statement.payee, currency=statement.currency)
    return Span(account, statement.period_id, statement.from_seq, statement.as_of_seq)


def held(conn: Connection, org_id: int, statement_id: int) -> StatementView:
    """A statement locked for a change of its state; the books are locked before it, if at all."""
    return _view(conn, org_id, statement_id, lock=True)


def update(conn: Connection, statement_id: int, values: dict[str, Any]) -> None:
    conn.execute(
        sa.update(_STATEMENTS)
        .where(_STATEMENTS.c.id == statement_id)
        .values(**values, version=_STATEMENTS.c.version + 1)
    )


def _disputed(conn: Connection, statement_id: int) -> bool:
    """Tell the disputes about what a new statement says that it does; whether one of them is undecided."""
    stated = (
        sa.select(_JOURNALS.c.rating_id)
        .join(_POSTINGS, _POSTINGS.c.journal_id == _JOURNALS.c.id)
        .join(_STATED, _STATED.c.posting_id == _POSTINGS.c.id)
        .where(_STATED.c.statement_id == statement_id, _JOURNALS.c.kind == JournalKind.RATING)
    )
    conn.execute(
        sa.update(_DISPUTES)
        .where(_DISPUTES.c.statement_id.is_(None), _DISPUTES.c.rating_id.in_(stated))
        .values(statement_id=statement_id)
    )
    undecided = sa.select(_DISPUTES.c.id).where(
        _DISPUTES.c.statement_id == statement_id,
        _DISPUTES.c.state.in_((DisputeState.OPEN, DisputeState.ANSWERED)),
    )
    return conn.execute(undecided.limit(1)).first() is not None


def _columns() -> sa.Select[Any]:
    return sa.select(*(_STATEMENTS.c[name] for name in StatementView.__dataclass_fields__))


def _view(conn: Connection, org_id: int, statement_id: int, *, lock: bool = False) -> StatementView:
    query = _columns().where(_STATEMENTS.c.id == statement_id, _STATEMENTS.c.org_id == org_id)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise StatementNotFound()
    return StatementView(*row)


def _of(conn: Connection, org_id: int, payee: Payee, period_id: int) -> list[StatementView]:
    rows = conn.execute(
        _columns()
        .where(
            _STATEMENTS.c.org_id == org_id,
            _STATEMENTS.c.payee_kind == payee.kind,
            _STATEMENTS.c.payee_id == payee.id,
            _STATEMENTS.c.period_id == period_id,
        )
        .order_by(_STATEMENTS.c.number.desc())
    )
    return [StatementView(*row) for row in rows]
