"""What a statement says, line by line, and what it would say today."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.settlement import closing, statements
from ticket_console.settlement.books import read_head
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.kinds import Dimension, JournalKind, StatementState
from ticket_console.settlement.ledger import Unbalanced
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.spans import Span, account_of, credited, require_reading, within
from ticket_console.settlement.tables import Journal, Posting, Rating, RatingLine, RuleSetVersion

_JOURNALS = table(Journal)
_LINES = table(RatingLine)
_POSTINGS = table(Posting)
_RATINGS = table(Rating)
_VERSIONS = table(RuleSetVersion)


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One rated line of an entry the statement contains; a reversal repeats its lines negated."""

    journal_seq: int
    kind: JournalKind
    ticket_id: int
    ticket_no: str
    segment: str
    service_at: datetime
    dimension: Dimension
    rule_code: str
    rule_name: LocalText
    rule_version: int
    item: str
    formula: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class StatementDocument:
    """Everything a statement says. `number` is None for what is not on a statement yet."""

    payee: Payee
    payee_name: LocalText
    period: PeriodView
    number: int | None
    state: StatementState
    currency: str
    total_minor: int
    as_of_seq: int
    issued_at: datetime | None
    lines: tuple[DocumentLine, ...]


def document(conn: Connection, *, viewer: Actor, statement_id: int) -> StatementDocument:
    """An existing statement in full."""
    statement = statements.statement_view(conn, viewer=viewer, statement_id=statement_id)
    span = statements.span_of(conn, viewer.org_id, statement)
    return StatementDocument(
        payee=statement.payee,
        payee_name=statement.payee_name,
        period=closing.period_view(conn, viewer.org_id, statement.period_id),
        number=statement.number,
        state=statement.state,
        currency=statement.currency,
        total_minor=statement.total_minor,
        as_of_seq=statement.as_of_seq,
        issued_at=statement.issued_at,
        lines=_lines(conn, span, statement.total_minor),
    )


def earnings(conn: Connection, *, viewer: Actor, payee: Payee, period_id: int) -> StatementDocument:
    """Everything the payee earned, or was charged, in the period so far, in the form of a statement."""
    head = read_head(conn, viewer.org_id)
    account = account_of(conn, org_id=viewer.org_id, payee=payee, currency=head.currency)
    require_reading(viewer, account)
    period = closing.period_view(conn, viewer.org_id, period_id)
    span = Span(account, period.id, 0, head.seq)
    total = sum(amount for _, amount in credited(conn, span))
    return StatementDocument(
        payee=payee,
        payee_name=account.name,
        period=period,
        number=None,
        state=StatementState.DRAFT,
        currency=head.currency,
        total_minor=total,
        as_of_seq=head.seq,
        issued_at=None,
        lines=_lines(conn, span, total),
    )


def _lines(conn: Connection, span: Span, total_minor: int) -> tuple[DocumentLine, ...]:
    """What the payee's postings consist of, line by line; together they must be what the postings say.

    A posting of a whole rating stands for the lines on the other side of its entry, one of a share for the
    line that was shared out.
    """
    account_id, sign = span.account.account_id or 0, span.account.payee.sign
    mine = _POSTINGS.c.account_id == account_id
    spanned = within(sa.select(_POSTINGS.c.journal_id), span)
    whole = spanned.where(_POSTINGS.c.rating_line_id.is_(None))
    rows = conn.execute(
        sa.select(
            _JOURNALS.c.seq,
            _JOURNALS.c.kind,
            _JOURNALS.c.ticket_id,
            _JOURNALS.c.ticket_no,
            _RATINGS.c.segment,
            _JOURNALS.c.service_at,
            _LINES.c.dimension,
            _LINES.c.rule_code,
            _VERSIONS.c.number,
            _LINES.c.explain,
            sa.case((mine, sign), else_=-sign) * _POSTINGS.c.amount_minor,
        )
        .join(_POSTINGS, _POSTINGS.c.journal_id == _JOURNALS.c.id)
        .join(_LINES, _LINES.c.id == _POSTINGS.c.rating_line_id)
        .join(_RATINGS, _RATINGS.c.id == _LINES.c.rating_id)
        .join(_VERSIONS, _VERSIONS.c.id == _RATINGS.c.rule_set_version_id)
        .where(_JOURNALS.c.id.in_(spanned), sa.or_(mine, _JOURNALS.c.id.in_(whole)))
        .order_by(_JOURNALS.c.service_at, _JOURNALS.c.ticket_id, _JOURNALS.c.seq, _LINES.c.position)
    )
    lines = tuple(_line(row) for row in rows)
    if sum(line.amount_minor for line in lines) != total_minor:
        raise Unbalanced(f"lines of {span.account.payee} do not add up to {total_minor}")
    return lines


def _line(row: Any) -> DocumentLine:
    seq, kind, ticket_id, ticket_no, segment, service_at, dimension, code, version, explain, amount = row
    return DocumentLine(
        journal_seq=seq,
        kind=kind,
        ticket_id=ticket_id,
        ticket_no=ticket_no,
        segment=segment,
        service_at=service_at,
        dimension=dimension,
        rule_code=code,
        rule_name=explain["name"],
        rule_version=version,
        item=str(explain["facts"].get("item", "")),
        formula=explain["formula"],
        amount_minor=amount,
    )
