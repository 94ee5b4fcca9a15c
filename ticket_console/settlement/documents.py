"""What a statement says, line by line, and what it would say today."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ticket_console.access import places
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.text import LocalText
from ticket_console.settlement import closing, signatures, statements
from ticket_console.settlement.books import read_head
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.kinds import StatementState
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.signing import Signature
from ticket_console.settlement.spans import Span, account_of, credited, require_reading
from ticket_console.settlement.stated_lines import DocumentLine, lines_of


@dataclass(frozen=True, slots=True)
class StatementDocument:
    """Everything a statement says. `number` and `signature` are None for what is not on a statement yet."""

    organisation: LocalText
    payee: Payee
    payee_name: LocalText
    period: PeriodView
    number: int | None
    state: StatementState
    currency: str
    total_minor: int
    as_of_seq: int
    issued_at: datetime | None
    signature: Signature | None
    lines: tuple[DocumentLine, ...]


def document(conn: Connection, *, viewer: Actor, statement_id: int) -> StatementDocument:
    """An existing statement in full."""
    statement = statements.statement_view(conn, viewer=viewer, statement_id=statement_id)
    span = statements.span_of(conn, viewer.org_id, statement)
    return StatementDocument(
        organisation=places.org(conn, viewer.org_id).name,
        payee=statement.payee,
        payee_name=statement.payee_name,
        period=closing.period_view(conn, viewer.org_id, statement.period_id),
        number=statement.number,
        state=statement.state,
        currency=statement.currency,
        total_minor=statement.total_minor,
        as_of_seq=statement.as_of_seq,
        issued_at=statement.issued_at,
        signature=signatures.of_statement(conn, statement.id),
        lines=lines_of(conn, span, statement.total_minor),
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
        organisation=places.org(conn, viewer.org_id).name,
        payee=payee,
        payee_name=account.name,
        period=period,
        number=None,
        state=StatementState.DRAFT,
        currency=head.currency,
        total_minor=total,
        as_of_seq=head.seq,
        issued_at=None,
        signature=None,
        lines=lines_of(conn, span, total),
    )
