"""The ledger: balanced journals, written once, chained by hash, taken back only by their exact opposite.

A posting is positive when it debits its account and negative when it credits it. What a payee is owed is
therefore the negative balance of the payable account, and what a customer owes the balance of the receivable.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel import ids
from ticket_console.kernel.database import is_sqlite, table
from ticket_console.kernel.errors import Conflict, NotFound
from ticket_console.settlement import chain, payees
from ticket_console.settlement.books import Head, PostingPeriod, advance_head, lock_head, period_for
from ticket_console.settlement.kinds import AccountKind, Dimension, JournalKind, OwnerKind
from ticket_console.settlement.payees import Payee
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
class JournalDraft:
    """A journal to be posted; its entries sum to zero. A correction may enter a closing period."""

    kind: JournalKind
    entries: Sequence[Entry]
    source: Source
    reverses_id: int | None = None
    is_correction: bool = False


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


def revenue_account(org_id: int, dimension: Dimension) -> AccountKey:
    return AccountKey(OwnerKind.ORG, org_id, AccountKind.REVENUE, dimension.value)


def retained_account(org_id: int) -> AccountKey:
    """What the company keeps of pay that is shared out."""
    return AccountKey(OwnerKind.ORG, org_id, AccountKind.REVENUE, "share")


def worker_account(technician_id: int) -> AccountKey:
    return payee_account(payees.technician(technician_id))


def payee_account(payee: Payee) -> AccountKey:
    return AccountKey(payee.kind, payee.id, payee.account_kind)


def unknown_customer_account(org_id: int) -> AccountKey:
    """Where charges wait that no known customer owes."""
    return AccountKey(OwnerKind.ORG, org_id, AccountKind.SUSPENSE, "receivable")


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
    draft = JournalDraft(kind, entries, source, reverses_id, is_correction)
    return post_all(conn, org_id=org_id, currency=currency, drafts=[draft])[0]


def post_all(
    conn: Connection, *, org_id: int, currency: str, drafts: Sequence[JournalDraft]
) -> tuple[PostedJournal, ...]:
    """Write journals one after another at the end of the chain, in as few statements as one takes."""
    for draft in drafts:
        if sum(entry.amount_minor for entry in draft.entries):
            raise Unbalanced(f"journal of {draft.source.command_id} does not sum to zero")
    head = lock_head(conn, org_id)
    if head.currency != currency:
        raise WrongCurrency(currency=currency, books=head.currency)
    periods: dict[tuple[datetime, bool], PostingPeriod] = {}

    def period_of(draft: JournalDraft) -> PostingPeriod:
        when = (draft.source.service_at, draft.is_correction)
        if when not in periods:
            periods[when] = period_for(conn, head, when[0], is_correction=when[1])
        return periods[when]

    rows = rows_of(head, drafts, period_of)
    conn.execute(_INSERT_JOURNAL, rows.journals)
    conn.execute(_INSERT_POSTINGS, rows.postings)
    advance_head(conn, org_id, seq=rows.seq, link=rows.link)
    return tuple(
        PostedJournal(row["id"], row["seq"], row["period_id"], row["origin_period_id"], row["hash"])
        for row in rows.journals
    )


@dataclass(frozen=True, slots=True)
class LedgerRows:
    """Journals and postings as they are to be written, and the end of the chain after them."""

    journals: Sequence[Mapping[str, Any]]
    postings: Sequence[Mapping[str, Any]]
    seq: int
    link: str


def rows_of(
    head: Head, drafts: Sequence[JournalDraft], period_of: Callable[[JournalDraft], PostingPeriod]
) -> LedgerRows:
    """The rows of journals one after another at the end of the chain; the head must be locked."""
    journals: list[dict[str, Any]] = []
    postings: list[dict[str, Any]] = []
    previous = head.hash
    for seq, draft in enumerate(drafts, start=head.seq + 1):
        source = draft.source
        row = _journal_row(head.org_id, seq, draft, period_of(draft), previous)
        previous = row["hash"]
        journals.append(row)
        postings += [
            {
                "id": ids.take("row"),
                "journal_id": row["id"],
                "account_id": entry.account_id,
                "period_id": row["period_id"],
                "ticket_id": source.ticket_id,
                "region_id": entry.region_id,
                "rating_line_id": entry.rating_line_id,
                "amount_minor": entry.amount_minor,
                "currency": head.currency,
            }
            for entry in draft.entries
        ]
    return LedgerRows(journals, postings, head.seq + len(drafts), previous)


def _journal_row(
    org_id: int, seq: int, draft: JournalDraft, period: PostingPeriod, previous: str
) -> dict[str, Any]:
    source = draft.source
    row: dict[str, Any] = {
        "id": ids.take("row"),
        "org_id": org_id,
        "seq": seq,
        "kind": draft.kind,
        "reverses_id": draft.reverses_id,
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
        "prev_hash": previous,
    }
    return {**row, "hash": chain.link(row, [chain.entry_content(entry) for entry in draft.entries])}


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
    return reverse_all(
        conn,
        org_id=org_id,
        journal_ids=[journal_id],
        at=at,
        posted_by=posted_by,
        command_id=command_id,
        reason=reason,
    )[0]


def reverse_all(
    conn: Connection,
    *,
    org_id: int,
    journal_ids: Sequence[int],
    at: datetime,
    posted_by: str,
    command_id: str,
    reason: str,
) -> tuple[PostedJournal, ...]:
    """Take journals of one currency back, all or none, in the order they are named."""
    lock_head(conn, org_id)
    found = {
        row.id: row
        for row in conn.execute(
            sa.select(_JOURNALS).where(_JOURNALS.c.id.in_(journal_ids), _JOURNALS.c.org_id == org_id)
        )
    }
    taken_back = {
        row.reverses_id: row.seq
        for row in conn.execute(
            sa.select(_JOURNALS.c.reverses_id, _JOURNALS.c.seq).where(
                _JOURNALS.c.reverses_id.in_(journal_ids)
            )
        )
    }
    for journal_id in journal_ids:
        if journal_id not in found:
            raise JournalNotFound()
        if journal_id in taken_back or found[journal_id].kind is JournalKind.REVERSAL:
            raise AlreadyReversed(seq=taken_back.get(journal_id, found[journal_id].seq))
    postings: dict[int, list[Any]] = {journal_id: [] for journal_id in journal_ids}
    for line in conn.execute(
        sa.select(_POSTINGS).where(_POSTINGS.c.journal_id.in_(journal_ids)).order_by(_POSTINGS.c.id)
    ):
        postings[line.journal_id].append(line)
    return post_all(
        conn,
        org_id=org_id,
        currency=postings[journal_ids[0]][0].currency,
        drafts=[
            JournalDraft(
                JournalKind.REVERSAL,
                [
                    Entry(line.account_id, -line.amount_minor, line.region_id, line.rating_line_id)
                    for line in postings[journal_id]
                ],
                Source(
                    at=at,
                    service_at=found[journal_id].service_at,
                    posted_by=posted_by,
                    command_id=command_id,
                    ticket_id=found[journal_id].ticket_id,
                    ticket_no=found[journal_id].ticket_no,
                    rating_id=found[journal_id].rating_id,
                    reason=reason,
                ),
                reverses_id=journal_id,
                is_correction=True,
            )
            for journal_id in journal_ids
        ],
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
