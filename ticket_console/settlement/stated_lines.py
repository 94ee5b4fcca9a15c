"""The lines behind the postings of a payee: what a statement prints, signs and adds up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.settlement.kinds import Dimension, JournalKind
from ticket_console.settlement.ledger import Unbalanced
from ticket_console.settlement.signing import SignedLine
from ticket_console.settlement.spans import Span, within
from ticket_console.settlement.tables import Journal, Posting, Rating, RatingLine, RuleSetVersion

_JOURNALS = table(Journal)
_LINES = table(RatingLine)
_POSTINGS = table(Posting)
_RATINGS = table(Rating)
_VERSIONS = table(RuleSetVersion)


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One rated line of an entry the statement contains; a reversal repeats its lines negated.

    `amount_minor` is what it brings the payee, or what it charges a customer.
    """

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

    def signed(self, zone: ZoneInfo) -> SignedLine:
        """What of the line is signed; the day is that of the books."""
        return SignedLine(
            journal_seq=self.journal_seq,
            entry=self.kind,
            ticket_no=self.ticket_no,
            segment=self.segment,
            service_on=self.service_at.astimezone(zone).date(),
            dimension=self.dimension,
            rule_code=self.rule_code,
            rule_version=self.rule_version,
            item=self.item,
            formula=self.formula,
            amount_minor=self.amount_minor,
        )


def lines_of(conn: Connection, span: Span, total_minor: int) -> tuple[DocumentLine, ...]:
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
