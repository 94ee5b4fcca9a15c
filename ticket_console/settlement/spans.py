"""What one technician was credited in one period between two places in the chain of the books."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Forbidden, NotFound
from ticket_console.people.tables import Technician
from ticket_console.settlement import reach
from ticket_console.settlement.kinds import AccountKind, OwnerKind
from ticket_console.settlement.tables import Account, Journal, Posting

_ACCOUNTS = table(Account)
_JOURNALS = table(Journal)
_POSTINGS = table(Posting)
_TECHNICIANS = table(Technician)


class TechnicianNotFound(NotFound):
    code = "settlement.technician_not_found"


@dataclass(frozen=True, slots=True)
class Payee:
    """A technician as settlement sees one; `account_id` is None before the first settled ticket."""

    technician_id: int
    name: str
    region_id: int
    account_id: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """The payable postings with from_seq < seq <= as_of_seq."""

    payee: Payee
    period_id: int
    from_seq: int
    as_of_seq: int


def payee_of(conn: Connection, *, org_id: int, technician_id: int, currency: str) -> Payee:
    row = conn.execute(
        sa.select(_TECHNICIANS.c.name, _TECHNICIANS.c.region_id, _ACCOUNTS.c.id)
        .outerjoin(
            _ACCOUNTS,
            sa.and_(
                _ACCOUNTS.c.org_id == org_id,
                _ACCOUNTS.c.owner_kind == OwnerKind.TECHNICIAN,
                _ACCOUNTS.c.owner_id == _TECHNICIANS.c.id,
                _ACCOUNTS.c.kind == AccountKind.PAYABLE_WORKER,
                _ACCOUNTS.c.code == "",
                _ACCOUNTS.c.currency == currency,
            ),
        )
        .where(_TECHNICIANS.c.id == technician_id, _TECHNICIANS.c.org_id == org_id)
    ).one_or_none()
    if row is None:
        raise TechnicianNotFound()
    return Payee(technician_id, *row)


def require_reading(viewer: Actor, payee: Payee) -> None:
    if not reach.may_read(viewer, technician_id=payee.technician_id, region_id=payee.region_id):
        raise Forbidden(permission="settlement.view")


def within(query: sa.Select[Any], span: Span) -> sa.Select[Any]:
    """A query on postings, narrowed to the span."""
    return query.join(_JOURNALS, _JOURNALS.c.id == _POSTINGS.c.journal_id).where(
        _POSTINGS.c.account_id == (span.payee.account_id or 0),
        _POSTINGS.c.period_id == span.period_id,
        _JOURNALS.c.seq > span.from_seq,
        _JOURNALS.c.seq <= span.as_of_seq,
    )


def credited(conn: Connection, span: Span) -> list[tuple[int, int]]:
    """Each payable posting of the span with what it owes the technician (negative when it takes back)."""
    query = within(sa.select(_POSTINGS.c.id, -_POSTINGS.c.amount_minor), span)
    return [(posting_id, amount) for posting_id, amount in conn.execute(query.order_by(_POSTINGS.c.id))]
