"""What the books owe a service partner or a technician in a period, ticket by ticket."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people import crews
from ticket_console.settlement import payees
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.kinds import AccountKind, JournalKind, OwnerKind
from ticket_console.settlement.reconciling.matching import Line
from ticket_console.settlement.tables import Account, Journal, Posting

_ACCOUNTS = table(Account)
_JOURNALS = table(Journal)
_POSTINGS = table(Posting)


@dataclass(frozen=True, slots=True)
class Party:
    """Whose file is compared: a service partner with all its people, or one technician."""

    kind: OwnerKind
    id: int

    @property
    def vendor_id(self) -> int | None:
        return self.id if self.kind is OwnerKind.VENDOR else None

    @property
    def technician_id(self) -> int | None:
        return self.id if self.kind is OwnerKind.TECHNICIAN else None


@dataclass(frozen=True, slots=True)
class OurLine:
    """A ticket's payable postings of the period in one; `line.id` is the latest of them."""

    ticket_id: int | None
    line: Line


def name_of(conn: Connection, actor: Actor, party: Party) -> LocalText:
    """What the party is called; raises VendorNotFound or PayeeNotFound."""
    if party.kind is OwnerKind.VENDOR:
        return crews.vendor_name(conn, actor.org_id, party.id)
    return payees.name_of(conn, org_id=actor.org_id, payee=payees.technician(party.id))


def owed(
    conn: Connection, *, org_id: int, party: Party, period: PeriodView, currency: str, as_of_seq: int
) -> tuple[OurLine, ...]:
    """One line a ticket, corrections and reversals already in it; what belongs to no ticket stands alone."""
    rows = conn.execute(
        sa.select(
            _POSTINGS.c.id,
            _POSTINGS.c.ticket_id,
            _POSTINGS.c.amount_minor,
            _JOURNALS.c.ticket_no,
            _JOURNALS.c.service_at,
        )
        .join(_JOURNALS, _JOURNALS.c.id == _POSTINGS.c.journal_id)
        .join(_ACCOUNTS, _ACCOUNTS.c.id == _POSTINGS.c.account_id)
        .where(
            _ACCOUNTS.c.org_id == org_id,
            _ACCOUNTS.c.currency == currency,
            _accounts_of(conn, org_id, party, period.id),
            _POSTINGS.c.period_id == period.id,
            _JOURNALS.c.seq <= as_of_seq,
            _JOURNALS.c.kind != JournalKind.PAYMENT,
        )
        .order_by(_JOURNALS.c.seq, _POSTINGS.c.id)
    )
    zone = ZoneInfo(period.tz)
    found: dict[tuple[str, int], OurLine] = {}
    for posting_id, ticket_id, amount_minor, ticket_no, service_at in rows:
        key = ("posting", posting_id) if ticket_id is None else ("ticket", ticket_id)
        earlier = found[key].line.amount_minor if key in found else 0
        day = service_at.astimezone(zone).date()
        found[key] = OurLine(ticket_id, Line(posting_id, ticket_no, earlier - amount_minor, currency, day))
    return tuple(found.values())


def _accounts_of(conn: Connection, org_id: int, party: Party, period_id: int) -> sa.ColumnElement[bool]:
    """A partner is owed by its own account where it has postings there, else by those of its people."""
    if party.kind is OwnerKind.TECHNICIAN:
        return sa.and_(
            _ACCOUNTS.c.kind == AccountKind.PAYABLE_WORKER,
            _ACCOUNTS.c.owner_kind == OwnerKind.TECHNICIAN,
            _ACCOUNTS.c.owner_id == party.id,
        )
    own = sa.and_(
        _ACCOUNTS.c.kind == AccountKind.PAYABLE_VENDOR,
        _ACCOUNTS.c.owner_kind == OwnerKind.VENDOR,
        _ACCOUNTS.c.owner_id == party.id,
    )
    has_own = conn.execute(
        sa.select(_POSTINGS.c.id)
        .join(_ACCOUNTS, _ACCOUNTS.c.id == _POSTINGS.c.account_id)
        .where(_ACCOUNTS.c.org_id == org_id, own, _POSTINGS.c.period_id == period_id)
        .limit(1)
    ).first()
    if has_own is not None:
        return own
    return sa.and_(
        _ACCOUNTS.c.kind == AccountKind.PAYABLE_WORKER,
        _ACCOUNTS.c.owner_kind == OwnerKind.TECHNICIAN,
        _ACCOUNTS.c.owner_id.in_(crews.people_of_vendor(party.id)),
    )
