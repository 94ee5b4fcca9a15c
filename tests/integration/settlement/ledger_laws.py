"""The laws of the ledger, read from the tables with nothing of the product but its rating and its chain."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.canonical import canonical_json, content_hash, parse_json
from ticket_console.kernel.database import table
from ticket_console.settlement import chain
from ticket_console.settlement.facts import Facts, plain
from ticket_console.settlement.kinds import AccountKind, JournalKind, OwnerKind, Purpose, Side, StatementState
from ticket_console.settlement.rating import rate
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.tables import (
    Account,
    FactSnapshot,
    Journal,
    Posting,
    Rating,
    RatingLine,
    Refund,
    RefundLine,
    RuleSetVersion,
    Statement,
    StatementLine,
)

accounts, journals, postings = table(Account), table(Journal), table(Posting)
ratings, lines, snapshots = table(Rating), table(RatingLine), table(FactSnapshot)
statements, stated, versions = table(Statement), table(StatementLine), table(RuleSetVersion)
refunds, refund_lines = table(Refund), table(RefundLine)

# Whose money a rating is: the account that holds it, and the sign that turns a posting into what is owed.
SIDES = {
    Purpose.WORKER_PAY: Side.WORKER,
    Purpose.VENDOR_PAY: Side.VENDOR,
    Purpose.CUSTOMER_CHARGE: Side.CUSTOMER,
}
OWED = {
    AccountKind.PAYABLE_WORKER: -1,
    AccountKind.PAYABLE_VENDOR: -1,
    AccountKind.RECEIVABLE: 1,
    AccountKind.SUSPENSE: 1,
}
HOLDS = {
    OwnerKind.TECHNICIAN: AccountKind.PAYABLE_WORKER,
    OwnerKind.VENDOR: AccountKind.PAYABLE_VENDOR,
    OwnerKind.CUSTOMER: AccountKind.RECEIVABLE,
}


def broken_laws(conn: Connection, org_id: int) -> list[str]:
    """Every law that does not hold, with what breaks it; empty when the books are in order."""
    return [
        *_unbalanced(conn, org_id),
        *_inexact_reversals(conn, org_id),
        *_broken_chain(conn, org_id),
        *_live_twice(conn, org_id),
        *_ratings_that_are_not_their_lines(conn, org_id),
        *_ratings_not_booked(conn, org_id),
        *_accounts_that_disagree(conn, org_id),
        *_shares_that_do_not_add_up(conn, org_id),
        *_statements_that_disagree(conn, org_id),
    ]


def _unbalanced(conn: Connection, org_id: int) -> Iterator[str]:
    rows = conn.execute(
        sa.select(journals.c.seq, sa.func.sum(postings.c.amount_minor))
        .outerjoin(postings, postings.c.journal_id == journals.c.id)
        .where(journals.c.org_id == org_id)
        .group_by(journals.c.seq)
    )
    yield from (f"journal {seq} sums to {total}" for seq, total in rows if total != 0)


def _entries(conn: Connection, journal_id: int, sign: int) -> list[tuple[Any, ...]]:
    rows = conn.execute(
        sa.select(
            postings.c.account_id, postings.c.region_id, postings.c.rating_line_id, postings.c.amount_minor
        )
        .where(postings.c.journal_id == journal_id)
        .order_by(postings.c.id)
    )
    return [(*row[:3], sign * row[3]) for row in rows]


def _inexact_reversals(conn: Connection, org_id: int) -> Iterator[str]:
    reversals = conn.execute(
        sa.select(journals.c.id, journals.c.seq, journals.c.reverses_id, journals.c.kind).where(
            journals.c.org_id == org_id,
            sa.or_(journals.c.reverses_id.is_not(None), journals.c.kind == JournalKind.REVERSAL),
        )
    ).all()
    reversed_ids = [row.reverses_id for row in reversals]
    if len(set(reversed_ids)) != len(reversed_ids):
        yield "something is reversed twice"
    for row in reversals:
        if row.kind is not JournalKind.REVERSAL or row.reverses_id is None or row.id in reversed_ids:
            yield f"journal {row.seq} is no proper reversal"
        elif _entries(conn, row.id, 1) != _entries(conn, row.reverses_id, -1):
            yield f"journal {row.seq} does not negate what it reverses"


def _broken_chain(conn: Connection, org_id: int) -> Iterator[str]:
    count = conn.execute(
        sa.select(sa.func.count()).select_from(journals).where(journals.c.org_id == org_id)
    ).scalar_one()
    if (report := chain.verify(conn, org_id=org_id)) != chain.ChainReport(count, None):
        yield f"the chain of {count} says {report}"


def _live_twice(conn: Connection, org_id: int) -> Iterator[str]:
    place = (ratings.c.ticket_id, ratings.c.segment, ratings.c.purpose)
    rows = conn.execute(
        sa.select(*place)
        .where(ratings.c.org_id == org_id, ratings.c.is_live)
        .group_by(*place)
        .having(sa.func.count() > 1)
    )
    yield from (f"live twice: {tuple(row)}" for row in rows)


def _ratings_that_are_not_their_lines(conn: Connection, org_id: int) -> Iterator[str]:
    rows = conn.execute(
        sa.select(ratings.c.id, ratings.c.total_minor, sa.func.coalesce(sa.func.sum(lines.c.amount_minor), 0))
        .outerjoin(lines, lines.c.rating_id == ratings.c.id)
        .where(ratings.c.org_id == org_id)
        .group_by(ratings.c.id, ratings.c.total_minor)
    )
    yield from (f"rating {id} of {total} has lines of {sum}" for id, total, sum in rows if total != sum)


def _ratings_not_booked(conn: Connection, org_id: int) -> Iterator[str]:
    """Every rating has one journal; what is not live was reversed once, or given back line by line."""
    given_back = (
        sa.select(sa.func.count())
        .select_from(lines.outerjoin(refund_lines, refund_lines.c.rating_line_id == lines.c.id))
        .where(lines.c.rating_id == ratings.c.id, refund_lines.c.rating_line_id.is_(None))
        .scalar_subquery()
    ) == 0
    rows = conn.execute(
        sa.select(
            ratings.c.id,
            ratings.c.is_live,
            given_back.label("given_back"),
            sa.func.count().filter(journals.c.kind == JournalKind.RATING).label("booked"),
            sa.func.count().filter(journals.c.kind == JournalKind.REVERSAL).label("taken_back"),
        )
        .outerjoin(journals, journals.c.rating_id == ratings.c.id)
        .where(ratings.c.org_id == org_id)
        .group_by(ratings.c.id, ratings.c.is_live)
    )
    for row in rows:
        ended = row.taken_back == 1 or (row.given_back and row.taken_back == 0)
        if row.booked != 1 or (row.taken_back != 0 if row.is_live else not ended):
            yield f"rating {row.id} is booked {row.booked} times and taken back {row.taken_back} times"
    lost = conn.execute(
        sa.select(journals.c.seq)
        .outerjoin(ratings, ratings.c.id == journals.c.rating_id)
        .where(journals.c.org_id == org_id, journals.c.kind == JournalKind.RATING, ratings.c.id.is_(None))
    ).scalars()
    yield from (f"journal {seq} books a rating that is not there" for seq in lost)


def ratings_that_rate_otherwise_now(conn: Connection, org_id: int) -> list[str]:
    """A rating is its frozen facts and its rule version, line by line, to the bit and for ever."""
    rows = conn.execute(
        sa.select(
            ratings,
            snapshots.c.facts,
            snapshots.c.content_hash.label("facts_hash"),
            versions.c.rules,
            versions.c.content_hash.label("rules_hash"),
        )
        .outerjoin(snapshots, snapshots.c.id == ratings.c.fact_snapshot_id)
        .outerjoin(versions, versions.c.id == ratings.c.rule_set_version_id)
        .where(ratings.c.org_id == org_id)
    )
    return [f"rating {row.id}: {wrong}" for row in rows if (wrong := _rated_otherwise(conn, row))]


def _rated_otherwise(conn: Connection, row: Any) -> str:
    if (content_hash(row.facts), content_hash(row.rules)) != (row.facts_hash, row.rules_hash):
        return "rests on other facts or rules than were frozen"
    again = rate(Facts.from_json(row.facts), _rules(canonical_json(row.rules)), SIDES[row.purpose])
    said = conn.execute(
        sa.select(
            lines.c.position,
            lines.c.dimension,
            lines.c.rule_code,
            lines.c.quantity,
            lines.c.factor,
            lines.c.amount_minor,
            lines.c.explain,
        )
        .where(lines.c.rating_id == row.id)
        .order_by(lines.c.position)
    )
    made = [
        [
            line.position,
            line.dimension,
            line.rule_code,
            plain(line.quantity),
            plain(line.factor),
            line.amount_minor,
            line.explain(),
        ]
        for line in again.lines
    ]
    stood = [again.content_hash, again.total_minor, again.trace, made]
    if canonical_json(stood) != canonical_json(
        [row.content_hash, row.total_minor, row.trace, [list(line) for line in said]]
    ):
        return "comes out otherwise when it is rated again"
    return ""


@cache
def _rules(document: str) -> RuleSet:
    return parse_rules(parse_json(document))


def _accounts_that_disagree(conn: Connection, org_id: int) -> Iterator[str]:
    """What ratings brought a payee is what is live but for refunds, whatever was corrected on the way.

    An account that gets shares of lines holds parts of many ratings and is left to the law of the shares.
    """
    rated = (
        sa.select(sa.func.coalesce(sa.func.sum(ratings.c.total_minor), 0))
        .where(ratings.c.payee_account_id == accounts.c.id, ratings.c.is_live)
        .scalar_subquery()
    )
    given_back = (
        sa.select(sa.func.coalesce(sa.func.sum(refunds.c.amount_minor), 0))
        .join(ratings, ratings.c.id == refunds.c.rating_id)
        .where(ratings.c.payee_account_id == accounts.c.id, ratings.c.is_live)
        .scalar_subquery()
    )
    booked = (
        sa.select(sa.func.coalesce(sa.func.sum(postings.c.amount_minor), 0))
        .join(journals, journals.c.id == postings.c.journal_id)
        .where(
            postings.c.account_id == accounts.c.id,
            journals.c.kind.in_([JournalKind.RATING, JournalKind.REVERSAL, JournalKind.REFUND]),
        )
        .scalar_subquery()
    )
    has_shares = sa.exists().where(
        postings.c.account_id == accounts.c.id, postings.c.rating_line_id.is_not(None)
    )
    rows = conn.execute(
        sa.select(accounts.c.id, accounts.c.kind, rated - given_back, booked).where(
            accounts.c.org_id == org_id, accounts.c.kind.in_(list(OWED)), ~has_shares
        )
    )
    for id, kind, live, sum in rows:
        if live != OWED[kind] * sum:
            yield f"account {id} holds {sum} for live ratings of {live}"


def _shares_that_do_not_add_up(conn: Connection, org_id: int) -> Iterator[str]:
    """Where every posting is of a line, each line is shared out to the last minor unit."""
    whole = postings.alias("whole")
    is_shared = ~sa.exists().where(whole.c.journal_id == journals.c.id, whole.c.rating_line_id.is_(None))
    rows = conn.execute(
        sa.select(journals.c.seq, postings.c.rating_line_id, sa.func.sum(postings.c.amount_minor))
        .join(postings, postings.c.journal_id == journals.c.id)
        .where(journals.c.org_id == org_id, is_shared)
        .group_by(journals.c.seq, postings.c.rating_line_id)
    )
    yield from (
        f"line {line} of journal {seq} is {rest} away from its shares" for seq, line, rest in rows if rest
    )


def _statements_that_disagree(conn: Connection, org_id: int) -> Iterator[str]:
    """An issued statement is exactly the postings of its span, and each of them once."""
    issued = conn.execute(
        sa.select(statements).where(statements.c.org_id == org_id, statements.c.state != StatementState.DRAFT)
    ).all()
    for each in issued:
        kind = HOLDS[each.payee_kind]
        spanned = conn.execute(
            sa.select(postings.c.id, (OWED[kind] * postings.c.amount_minor).label("owed"))
            .join(accounts, accounts.c.id == postings.c.account_id)
            .join(journals, journals.c.id == postings.c.journal_id)
            .where(
                accounts.c.kind == kind,
                accounts.c.owner_id == each.payee_id,
                accounts.c.org_id == org_id,
                postings.c.period_id == each.period_id,
                journals.c.seq > each.from_seq,
                journals.c.seq <= each.as_of_seq,
                journals.c.kind != JournalKind.PAYMENT,
            )
        ).all()
        said = conn.execute(
            sa.select(stated.c.posting_id, stated.c.amount_minor).where(stated.c.statement_id == each.id)
        ).all()
        if sorted(map(tuple, said)) != sorted(map(tuple, spanned)):
            yield f"statement {each.id} does not say what its span holds"
        if sum(row.amount_minor for row in said) != each.total_minor:
            yield f"statement {each.id} of {each.total_minor} has lines of another sum"
    places = [(each.payee_kind, each.payee_id, each.period_id, each.from_seq) for each in issued]
    if len(set(places)) != len(places):
        yield "two statements begin at one place"
