"""What one payee was credited, or charged, in one period between two places in the chain of the books."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Forbidden
from ticket_console.kernel.text import LocalText
from ticket_console.settlement import payees, reach
from ticket_console.settlement.kinds import JournalKind
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.tables import Account, Journal, Posting

_ACCOUNTS = table(Account)
_JOURNALS = table(Journal)
_POSTINGS = table(Posting)


@dataclass(frozen=True, slots=True)
class PayeeAccount:
    """A payee with the account of the books; `account_id` is None before the first settled ticket."""

    payee: Payee
    name: LocalText
    region_id: int | None
    account_id: int | None


@dataclass(frozen=True, slots=True)
class Span:
    """The postings on the payee's account with from_seq < seq <= as_of_seq."""

    account: PayeeAccount
    period_id: int
    from_seq: int
    as_of_seq: int


def account_of(conn: Connection, *, org_id: int, payee: Payee, currency: str) -> PayeeAccount:
    """Raises PayeeNotFound."""
    known = payees.known(conn, org_id=org_id, payee=payee)
    account_id = conn.execute(
        sa.select(_ACCOUNTS.c.id).where(
            _ACCOUNTS.c.org_id == org_id,
            _ACCOUNTS.c.owner_kind == payee.kind,
            _ACCOUNTS.c.owner_id == payee.id,
            _ACCOUNTS.c.kind == payee.account_kind,
            _ACCOUNTS.c.code == "",
            _ACCOUNTS.c.currency == currency,
        )
    ).scalar_one_or_none()
    return PayeeAccount(payee, known.name, known.region_id, account_id)


def require_issuing(actor: Actor, account: PayeeAccount) -> None:
    """Who belongs to no region, such as a service partner, is stated by those who may do it everywhere."""
    if account.region_id is None:
        policy.require_everywhere(actor, "settlement.issue")
    else:
        policy.require(actor, "settlement.issue", region_id=account.region_id)


def require_reading(viewer: Actor, account: PayeeAccount) -> None:
    if not reach.may_read(viewer, payee=account.payee, region_id=account.region_id):
        raise Forbidden(permission="settlement.view")


def within(query: sa.Select[Any], span: Span) -> sa.Select[Any]:
    """A query on postings, narrowed to the span; payments clear what statements say and stand on none."""
    return query.join(_JOURNALS, _JOURNALS.c.id == _POSTINGS.c.journal_id).where(
        _POSTINGS.c.account_id == (span.account.account_id or 0),
        _POSTINGS.c.period_id == span.period_id,
        _JOURNALS.c.seq > span.from_seq,
        _JOURNALS.c.seq <= span.as_of_seq,
        _JOURNALS.c.kind != JournalKind.PAYMENT,
    )


def credited(conn: Connection, span: Span) -> list[tuple[int, int]]:
    """Each posting of the span with what it brings the payee (negative when it takes back), or charges a
    customer."""
    query = within(sa.select(_POSTINGS.c.id, _POSTINGS.c.amount_minor * span.account.payee.sign), span)
    return [(posting_id, amount) for posting_id, amount in conn.execute(query.order_by(_POSTINGS.c.id))]
