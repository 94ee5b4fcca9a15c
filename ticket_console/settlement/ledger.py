"""The ledger: balanced journals, written once, chained by hash, taken back only by their exact opposite.

A posting is positive when it debits its account and negative when it credits it. What a technician is
owed is therefore the negative balance of the payable account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel import ids
from ticket_console.kernel.database import is_sqlite, table
from ticket_console.kernel.errors import Conflict, NotFound
from ticket_console.settlement import chain
from ticket_console.settlement.books import advance_head, lock_head, period_for
from ticket_console.settlement.kinds import AccountKind, Dimension, JournalKind, OwnerKind
from ticket_console.settlement.tables import Account, Journal, Posting

_ACCOUNTS = table(Account)
_JOURNALS = table(Journal)
_POSTINGS = table(Posting)
_INSERT_JOURNAL = sa.insert(_JOURNALS)
_INSERT_POSTINGS = sa.insert(_POSTINGS)


class JournalNotFound(NotFound):
    code = "settlement.journal_not_found"


class AlreadyReversed(Conflict):
    code = "settlement.already_reversed"


class WrongCurrency(Conflict):
    """The books of an organisation are kept in one currency."""

    code = "settlement.wrong_currency"


class Unbalanced(RuntimeError):
    """A journal that does not sum to zero is a defect of the program, never a refusal."""


@dataclass(frozen=True, slots=True)
class AccountKey:
    owner_kind: OwnerKind
    owner_id: int
    kind: AccountKind
    code: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    account_id: int
    amount_minor: int
    region_id: int | None = None
    rating_line_id: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What a journal is about and who posts it."""

    at: datetime
    service_at: datetime
    posted_by: str
    command_id: str
    ticket_id: int | None = None
    ticket_no: str = ""
    rating_id: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PostedJournal:
    id: int
    seq: int
    period_id: int
    origin_period_id: int | None
    hash: str


@dataclass(frozen=True, slots=True)
class AccountBalance:
    account_id: int
    owner_kind: OwnerKind
    owner_id: int
    kind: AccountKind
    code: str
    currency: str
    balance_minor: int


def cost_account(org_id: int, dimension: Dimension) -> AccountKey:
    """The account a dimension is booked on; parts have one of their own kind."""
    kind = AccountKind.PARTS if dimension is Dimension.PARTS else AccountKind.COST
    return AccountKey(OwnerKind.ORG, org_id, kind, dimension.value)


def worker_account(technician_id: int) -> AccountKey:
    return AccountKey(OwnerKind.TECHNICIAN, technician_id, AccountKind.PAYABLE_WORKER)


def ensure_accounts(
    conn: Connection, *, org_id: int, currency: str, wanted: Sequence[AccountKey]
) -> dict[AccountKey, int]:
    """The ids of accounts, made on first use. Costs one statement once they exist."""
    found = _find_accounts(conn, org_id, currency, wanted)
    missing = [key for key in dict.fromkeys(wanted) if key not in found]
    if not missing:
        return found
    rows = [
        {
            "id": ids.take("row"),
            "org_id": org_id,
            "owner_kind": key.owner_kind,
            "owner_id": key.owner_id,
            "kind": key.kind,
            "code": key.code,
            "currency": currency,
        }
        for key in missing
    ]
    # Another writer may make the same account at the same moment; then its row is the one to use.
    conn.execute(_insert_new_accounts(), rows)
    return _find_accounts(conn, org_id, currency, wanted)


def _insert_new_accounts() -> Any:
    if is_sqlite():
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        return sqlite_insert(_ACCOUNTS).on_conflict_do_nothing()
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    return postgresql_insert(_ACCOUNTS).on_conflict_do_nothing()


def _find_accounts(
    conn: Connection, org_id: int, currency: str, wanted: Sequence[AccountKey]
) -> dict[AccountKey, int]:
    owners = sorted({(key.owner_kind, key.owner_id) for key in wanted})
    values: dict[str, Any] = {"org_id": org_id, "currency": currency}
    for index, (kind, owner_id) in enumerate(owners):
        values |= {f"kind_{index}": kind, f"owner_{index}": owner_id}
    rows = conn.execute(_accounts_of(len(owners)), values)
    known = {AccountKey(owner, owner_id, kind, code): id for id, owner, owner_id, kind, code in rows}
    return {key: known[key] for key in wanted if key in known}


@lru_cache(maxsize=16)
def _accounts_of(owners: int) -> sa.CompoundSelect[Any]:
    # One branch an owner, so that each finds its rows by the index; an OR would read every account.
    return sa.union_all(
        *(
            sa.select(
                _ACCOUNTS.c.id,
                _ACCOUNTS.c.owner_kind,
                _ACCOUNTS.c.owner_id,
                _ACCOUNTS.c.kind,
                _ACCOUNTS.c.code,
            ).where(
                _ACCOUNTS.c.org_id == sa.bindparam("org_id"),
                _ACCOUNTS.c.owner_kind == sa.bindparam(f"kind_{index}"),
                _ACCOUNTS.c.owner_id == sa.bindparam(f"owner_{index}"),
                _ACCOUNTS.c.currency == sa.bindparam("currency"),
            )
            for index in range(owners)
        )
    )


def post(
    conn: Connection,
    *,
    org_id: int,
    currency: str,
    kind: JournalKind,
    entries: Sequence[Entry],
    source: Source,
    reverses_id: int | None = None,
    is_correction: bool = False,
) -> PostedJournal:
    """Write one balanced journal at the end of the chain.

    Takes the lock of the books, so on PostgreSQL the writers of one organisation queue here: do it last.
    """
    if sum(entry.amount_minor for entry in entries):
        raise Unbalanced(f"journal of {source.command_id} does not sum to zero")
    head = lock_head(conn, org_id)
    if head.currency != currency:
        raise WrongCurrency(currency=currency, books=head.currency)
    period = period_for(conn, head, source.service_at, is_correction=is_correction)
    journal_id = ids.take("row")
    row: dict[str, Any] = {
        "id": journal_id,
        "org_id": org_id,
        "seq": head.seq + 1,
        "kind": kind,
        "reverses_id": reverses_id,
        "rating_id": source.rating_id,
        "ticket_id": source.ticket_id,
        "ticket_no": source.ticket_no,
        "period_id": period.id,
        "origin_period_id": period.origin_id,
        "service_at": source.service_at,
        "posted_at": source.at,
        "posted_by": source.posted_by,
        "reason": source.reason,
        "command_id": source.command_id,
        "prev_hash": head.hash,
    }
    link = chain.link(row, [chain.entry_content(entry) for entry in entries])
    conn.execute(_INSERT_JOURNAL, {**row, "hash": link})
    conn.execute(
        _INSERT_POSTINGS,
        [
            {
                "id": ids.take("row"),
                "journal_id": journal_id,
                "account_id": entry.account_id,
                "period_id": period.id,
                "ticket_id": source.ticket_id,
                "region_id": entry.region_id,
                "rating_line_id": entry.rating_line_id,
                "amount_minor": entry.amount_minor,
                "currency": currency,
            }
            for entry in entries
        ],
    )
    advance_head(conn, org_id, seq=head.seq + 1, link=link)
    return PostedJournal(journal_id, head.seq + 1, period.id, period.origin_id, link)


def reverse(
    conn: Connection,
    *,
    org_id: int,
    journal_id: int,
    at: datetime,
    posted_by: str,
    command_id: str,
    reason: str,
) -> PostedJournal:
    """Take a journal back by its exact negation, posting by posting: once, and never a reversal."""
    lock_head(conn, org_id)
    journal = conn.execute(
        sa.select(_JOURNALS).where(_JOURNALS.c.id == journal_id, _JOURNALS.c.org_id == org_id)
    ).one_or_none()
    if journal is None:
        raise JournalNotFound()
    earlier = conn.execute(sa.select(_JOURNALS.c.seq).where(_JOURNALS.c.reverses_id == journal_id)).first()
    if earlier is not None or journal.kind is JournalKind.REVERSAL:
        raise AlreadyReversed(seq=journal.seq if earlier is None else earlier.seq)
    postings = conn.execute(
        sa.select(_POSTINGS).where(_POSTINGS.c.journal_id == journal_id).order_by(_POSTINGS.c.id)
    ).all()
    return post(
        conn,
        org_id=org_id,
        currency=postings[0].currency,
        kind=JournalKind.REVERSAL,
        entries=[
            Entry(line.account_id, -line.amount_minor, line.region_id, line.rating_line_id)
            for line in postings
        ],
        source=Source(
            at=at,
            service_at=journal.service_at,
            posted_by=posted_by,
            command_id=command_id,
            ticket_id=journal.ticket_id,
            ticket_no=journal.ticket_no,
            rating_id=journal.rating_id,
            reason=reason,
        ),
        reverses_id=journal_id,
        is_correction=True,
    )


def balances(conn: Connection, *, org_id: int, as_of_seq: int | None = None) -> tuple[AccountBalance, ...]:
    """Every account with its balance, over all journals or those up to a place in the chain."""
    query = (
        sa.select(
            _ACCOUNTS.c.id,
            _ACCOUNTS.c.owner_kind,
            _ACCOUNTS.c.owner_id,
            _ACCOUNTS.c.kind,
            _ACCOUNTS.c.code,
            _ACCOUNTS.c.currency,
            sa.cast(sa.func.sum(_POSTINGS.c.amount_minor), sa.BigInteger),
        )
        .join(_POSTINGS, _POSTINGS.c.account_id == _ACCOUNTS.c.id)
        .where(_ACCOUNTS.c.org_id == org_id)
        .group_by(_ACCOUNTS.c.id)
        .order_by(_ACCOUNTS.c.id)
    )
    if as_of_seq is not None:
        query = query.join(_JOURNALS, _JOURNALS.c.id == _POSTINGS.c.journal_id).where(
            _JOURNALS.c.seq <= as_of_seq
        )
    return tuple(AccountBalance(*row) for row in conn.execute(query))
