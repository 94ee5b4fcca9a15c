"""The chain of the books: every journal carries the hash of the one before it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.canonical import canonical_json
from ticket_console.kernel.database import table
from ticket_console.settlement.books import read_head
from ticket_console.settlement.tables import Journal, Posting

_JOURNALS = table(Journal)
_POSTINGS = table(Posting)

# The fields of a journal its hash stands for, besides its postings and the hash before it.
_HASHED: Final = (
    "id",
    "org_id",
    "seq",
    "kind",
    "reverses_id",
    "rating_id",
    "ticket_id",
    "ticket_no",
    "period_id",
    "origin_period_id",
    "service_at",
    "posted_at",
    "posted_by",
    "reason",
    "command_id",
)


def link(journal: Mapping[str, Any] | sa.RowMapping, entries: Sequence[Sequence[int | None]]) -> str:
    """The hash of a journal: of the one before it, its fields, and its postings in the order of their ids."""
    content = canonical_json([[journal[name] for name in _HASHED], entries])
    return hashlib.sha256(f"{journal['prev_hash']}{content}".encode()).hexdigest()


def entry_content(entry: Any) -> list[int | None]:
    return [entry.account_id, entry.amount_minor, entry.region_id, entry.rating_line_id]


@dataclass(frozen=True, slots=True)
class ChainReport:
    """`broken_at` is the first place in the chain that is not what was posted; None when all is well."""

    checked: int
    broken_at: int | None


def verify(conn: Connection, *, org_id: int, batch: int = 500) -> ChainReport:
    """Recompute every link of the books, in order, and compare the end with the head."""
    previous, seq = "", 0
    while True:
        journals = (
            conn.execute(
                sa.select(_JOURNALS)
                .where(_JOURNALS.c.org_id == org_id, _JOURNALS.c.seq > seq)
                .order_by(_JOURNALS.c.seq)
                .limit(batch)
            )
            .mappings()
            .all()
        )
        if not journals:
            break
        entries = _entries_of(conn, [journal["id"] for journal in journals])
        for journal in journals:
            seq += 1
            whole = entries.get(journal["id"], [])
            linked = journal["seq"] == seq and journal["prev_hash"] == previous
            balanced = sum(entry.amount_minor for entry in whole) == 0
            if not (
                linked and balanced and link(journal, [entry_content(e) for e in whole]) == journal["hash"]
            ):
                return ChainReport(seq - 1, seq)
            previous = journal["hash"]
    head = read_head(conn, org_id)
    return ChainReport(seq, None if (head.seq, head.hash) == (seq, previous) else seq + 1)


def _entries_of(conn: Connection, journal_ids: Sequence[int]) -> dict[int, list[Any]]:
    grouped: dict[int, list[Any]] = {}
    rows = conn.execute(
        sa.select(_POSTINGS).where(_POSTINGS.c.journal_id.in_(journal_ids)).order_by(_POSTINGS.c.id)
    )
    for row in rows:
        grouped.setdefault(row.journal_id, []).append(row)
    return grouped
