"""The laws of the books: what must hold of journals, ratings, statements and periods at any moment."""

from typing import Any, Final

import sqlalchemy as sa

from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import table
from ticket_console.reports.laws import CounterExample, Finding, Law, Look, counted, examples, in_turn, turned
from ticket_console.settlement import chain, publishing
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import (
    AccountKind,
    JournalKind,
    OwnerKind,
    PeriodState,
    StatementState,
    VersionStatus,
)
from ticket_console.settlement.rating import rate
from ticket_console.settlement.rule_parsing import parse_rules
from ticket_console.settlement.sides import SIDE_OF
from ticket_console.settlement.tables import (
    Account,
    FactSnapshot,
    Journal,
    LedgerHead,
    Period,
    Posting,
    Rating,
    RatingLine,
    Refund,
    RefundLine,
    RuleSet,
    RuleSetVersion,
    Statement,
    StatementLine,
)

_accounts = table(Account)
_heads = table(LedgerHead)
_journals = table(Journal)
_lines = table(RatingLine)
_periods = table(Period)
_postings = table(Posting)
_ratings = table(Rating)
_refunded = table(RefundLine)
_refunds = table(Refund)
_sets = table(RuleSet)
_snapshots = table(FactSnapshot)
_stated = table(StatementLine)
_statements = table(Statement)
_versions = table(RuleSetVersion)

# Ids of one statement.
_AT_ONCE: Final = 500


def _whole(amount: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(amount), 0), sa.BigInteger)


def journals_balance(look: Look) -> Finding:
    """Every journal has postings, and they sum to zero."""
    total = _whole(_postings.c.amount_minor)
    unbalanced = (
        sa.select(
            _journals.c.id, sa.literal("0"), sa.case((sa.func.count(_postings.c.id) == 0, None), else_=total)
        )
        .outerjoin(_postings, _postings.c.journal_id == _journals.c.id)
        .where(_journals.c.org_id == look.org_id)
        .group_by(_journals.c.id)
        .having(sa.or_(total != 0, sa.func.count(_postings.c.id) == 0))
    )
    rows = counted(look, _journals, _journals.c.org_id == look.org_id)
    return Finding(rows, examples(look, "journal", unbalanced))


def postings_match(look: Look) -> Finding:
    """A posting is in the period and about the ticket of its journal, on an account of its currency."""
    wrong = (
        sa.select(_postings.c.id, _journals.c.seq, _journals.c.id)
        .join(_journals, _journals.c.id == _postings.c.journal_id)
        .join(_accounts, _accounts.c.id == _postings.c.account_id)
        .where(
            _journals.c.org_id == look.org_id,
            sa.or_(
                _postings.c.period_id != _journals.c.period_id,
                sa.func.coalesce(_postings.c.ticket_id, 0) != sa.func.coalesce(_journals.c.ticket_id, 0),
                _postings.c.currency != _accounts.c.currency,
                _accounts.c.org_id != look.org_id,
            ),
        )
    )
    return Finding(counted(look, _postings), examples(look, "posting", wrong))


def reversals_are_exact(look: Look) -> Finding:
    """A reversal takes back one journal, which is none itself, once, by the negation of every posting."""
    reversal, original = _journals.alias("reversal"), _journals.alias("original")
    is_reversal = sa.and_(reversal.c.org_id == look.org_id, reversal.c.kind == JournalKind.REVERSAL)
    of_nothing = (
        sa.select(reversal.c.id, sa.literal("journal"), reversal.c.reverses_id)
        .outerjoin(original, original.c.id == reversal.c.reverses_id)
        .where(
            is_reversal,
            sa.or_(
                original.c.id.is_(None),
                original.c.kind == JournalKind.REVERSAL,
                original.c.org_id != reversal.c.org_id,
                original.c.seq >= reversal.c.seq,
            ),
        )
    )
    twice = (
        sa.select(sa.func.max(reversal.c.id), sa.literal("1"), sa.func.count())
        .where(is_reversal)
        .group_by(reversal.c.reverses_id)
        .having(sa.func.count() > 1)
    )
    sides = sa.union_all(
        *(
            sa.select(
                reversal.c.id.label("reversal_id"),
                _postings.c.account_id,
                sa.func.coalesce(_postings.c.region_id, 0).label("region_id"),
                sa.func.coalesce(_postings.c.rating_line_id, 0).label("line_id"),
                _postings.c.amount_minor,
            )
            .join(_postings, _postings.c.journal_id == column)
            .where(is_reversal)
            for column in (reversal.c.id, reversal.c.reverses_id)
        )
    ).subquery()
    rest = _whole(sides.c.amount_minor)
    inexact = (
        sa.select(sides.c.reversal_id, sa.literal("0"), rest)
        .group_by(sides.c.reversal_id, sides.c.account_id, sides.c.region_id, sides.c.line_id)
        .having(rest != 0)
    )
    rows = counted(look, reversal, is_reversal)
    return Finding(
        rows,
        tuple(each for query in (of_nothing, twice, inexact) for each in examples(look, "journal", query)),
    )


def chain_is_linked(look: Look) -> Finding:
    """Journals are numbered without a gap, each carries the hash of the one before, the last the head's."""
    own = _journals.c.org_id == look.org_id
    earlier = _journals.alias("earlier")
    loose = (
        sa.select(_journals.c.id, earlier.c.hash, _journals.c.prev_hash)
        .outerjoin(
            earlier,
            sa.and_(earlier.c.org_id == _journals.c.org_id, earlier.c.seq == _journals.c.seq - 1),
        )
        .where(
            own,
            sa.func.coalesce(earlier.c.hash, sa.case((_journals.c.seq == 1, ""))).is_distinct_from(
                _journals.c.prev_hash
            ),
        )
        .order_by(_journals.c.seq)
    )
    last = sa.select(sa.func.max(_journals.c.seq)).where(own).scalar_subquery()
    last_hash = sa.select(_journals.c.hash).where(own, _journals.c.seq == last).scalar_subquery()
    torn = sa.select(_heads.c.org_id, _heads.c.seq, sa.func.coalesce(last, 0)).where(
        _heads.c.org_id == look.org_id,
        sa.or_(_heads.c.seq != sa.func.coalesce(last, 0), _heads.c.hash != sa.func.coalesce(last_hash, "")),
    )
    found = (*examples(look, "journal", loose), *examples(look, "ledger_head", torn))
    return Finding(counted(look, _journals, own), found)


def hashes_are_true(look: Look) -> Finding:
    """The hash of a journal is that of its fields, its postings and the hash before."""
    key = _journals.c.seq
    own = _journals.c.org_id == look.org_id
    seqs, end = in_turn(look, sa.select(key).where(own), key)
    broken: list[CounterExample] = []
    broken_seqs: list[int] = []
    for start in range(0, len(seqs), _AT_ONCE):
        part = seqs[start : start + _AT_ONCE]
        query = sa.select(_journals).where(own, key.in_(part)).order_by(key)
        journals = look.connection.execute(query).mappings().all()
        entries = _entries(look, [journal["id"] for journal in journals])
        for journal in journals:
            expected = chain.link(journal, entries.get(journal["id"], []))
            if expected != journal["hash"]:
                broken.append(CounterExample("journal", str(journal["id"]), expected, journal["hash"]))
                broken_seqs.append(journal["seq"])
    return turned(len(seqs), broken, broken_seqs, end)


def _entries(look: Look, journal_ids: list[int]) -> dict[int, list[list[int | None]]]:
    entries: dict[int, list[list[int | None]]] = {}
    query = sa.select(_postings).where(_postings.c.journal_id.in_(journal_ids)).order_by(_postings.c.id)
    for row in look.connection.execute(query):
        entries.setdefault(row.journal_id, []).append(chain.entry_content(row))
    return entries


def lines_add_up(look: Look) -> Finding:
    """The lines of a rating add up to its total, and each is what was posted of it."""
    ids, end = in_turn(look, sa.select(_ratings.c.id).where(_ratings.c.org_id == look.org_id), _ratings.c.id)
    broken: list[CounterExample] = []
    for start in range(0, len(ids), _AT_ONCE):
        chosen = _ratings.c.id.in_(ids[start : start + _AT_ONCE])
        total = _whole(_lines.c.amount_minor)
        wrong = (
            sa.select(_ratings.c.id, _ratings.c.total_minor, total)
            .outerjoin(_lines, _lines.c.rating_id == _ratings.c.id)
            .where(chosen)
            .group_by(_ratings.c.id, _ratings.c.total_minor)
            .having(total != _ratings.c.total_minor)
        )
        broken += examples(look, "rating", wrong)
    return turned(len(ids), broken, (int(each.row_id) for each in broken), end)


def shares_add_up(look: Look) -> Finding:
    """What is posted of a line is the line: whole, or shared out among those who get some of it."""
    ids, end = in_turn(look, sa.select(_ratings.c.id).where(_ratings.c.org_id == look.org_id), _ratings.c.id)
    broken: list[CounterExample] = []
    broken_ids: list[int] = []
    for start in range(0, len(ids), _AT_ONCE):
        for row in look.connection.execute(_SHARED, {"ids": ids[start : start + _AT_ONCE]}):
            broken.append(CounterExample("rating_line", str(row.id), str(row.amount_minor), str(row.posted)))
            broken_ids.append(row.rating_id)
    return turned(len(ids), broken, broken_ids, end)


# How often a line stands in its journal as a whole: alone, or with shares beside it that are as much.
_AS_WHOLE: Final = sa.func.sum(
    sa.case((sa.func.abs(_postings.c.amount_minor) == sa.func.abs(_lines.c.amount_minor), 1), else_=0)
)
_POSTED_OF_LINE: Final = _whole(_postings.c.amount_minor)
_SHARED: Final = (
    sa.select(_lines.c.id, _lines.c.rating_id, _lines.c.amount_minor, _POSTED_OF_LINE.label("posted"))
    .join(
        _journals,
        sa.and_(_journals.c.rating_id == _lines.c.rating_id, _journals.c.kind == JournalKind.RATING),
    )
    .outerjoin(
        _postings,
        sa.and_(_postings.c.journal_id == _journals.c.id, _postings.c.rating_line_id == _lines.c.id),
    )
    .where(_lines.c.rating_id.in_(sa.bindparam("ids", expanding=True)))
    .group_by(_lines.c.id, _lines.c.rating_id, _lines.c.amount_minor)
    .having(
        sa.or_(
            _AS_WHOLE == 0,
            sa.and_(sa.func.count(_postings.c.id) > 1, _POSTED_OF_LINE != 0),
        )
    )
    .order_by(_lines.c.id)
)


def refunds_are_exact(look: Look) -> Finding:
    """A refund takes back what was posted of its lines, account by account, and gives each to its owner."""
    own = _refunds.c.org_id == look.org_id
    lines = _refunded.join(_refunds, _refunds.c.id == _refunded.c.refund_id)
    of_line = _postings.c.rating_line_id == _refunded.c.rating_line_id
    in_refund = lines.join(_postings, sa.and_(_postings.c.journal_id == _refunds.c.journal_id, of_line))
    rated = sa.and_(_journals.c.rating_id == _refunds.c.rating_id, _journals.c.kind == JournalKind.RATING)
    in_rating = lines.join(_journals, rated).join(
        _postings, sa.and_(_postings.c.journal_id == _journals.c.id, of_line)
    )

    def entries(source: sa.FromClause, is_original: int) -> sa.Select[Any]:
        return (
            sa.select(
                _refunds.c.id.label("refund_id"),
                _refunded.c.rating_line_id.label("line_id"),
                _postings.c.account_id,
                _postings.c.amount_minor,
                sa.literal(is_original).label("is_original"),
            )
            .select_from(source)
            .where(own)
        )

    both = sa.union_all(entries(in_refund, 0), entries(in_rating, 1)).subquery()
    rest = _whole(both.c.amount_minor)
    inexact = (
        sa.select(both.c.refund_id, sa.literal("0"), rest)
        .group_by(both.c.refund_id, both.c.line_id, both.c.account_id)
        # What was owed for all lines in one sum is given back line by line: the next query adds it up.
        .having(rest != 0, sa.func.max(both.c.is_original) == 1)
    )
    alone = entries(in_refund, 0).subquery()
    left = _whole(alone.c.amount_minor)
    unbalanced = (
        sa.select(alone.c.refund_id, sa.literal("0"), left)
        .group_by(alone.c.refund_id, alone.c.line_id)
        .having(left != 0)
    )
    found = (*examples(look, "refund", inexact), *examples(look, "refund", unbalanced))
    return Finding(counted(look, _refunds, own), found)


def ratings_are_posted(look: Look) -> Finding:
    """A rating is posted by one journal, and it is live until that is taken back or all of it is refunded."""
    posted, reversal = _journals.alias("posted"), _journals.alias("reversal")
    own = _ratings.c.org_id == look.org_id
    kept = (
        sa.exists()
        .where(_lines.c.rating_id == _refunds.c.rating_id)
        .where(~sa.exists().where(_refunded.c.rating_line_id == _lines.c.id))
    )
    refunded = sa.select(_refunds.c.rating_id).where(_refunds.c.org_id == look.org_id, ~kept)
    journals = sa.func.count(posted.c.id)
    ends = sa.func.count(reversal.c.id) + sa.case((_ratings.c.id.in_(refunded), 1), else_=0)
    wrong = (
        sa.select(_ratings.c.id, sa.case((_ratings.c.is_live, 1), else_=0), journals - ends)
        .outerjoin(posted, sa.and_(posted.c.rating_id == _ratings.c.id, posted.c.kind == JournalKind.RATING))
        .outerjoin(reversal, reversal.c.reverses_id == posted.c.id)
        .where(own)
        .group_by(_ratings.c.id, _ratings.c.is_live)
        .having(
            sa.or_(
                journals != 1,
                sa.and_(_ratings.c.is_live, ends > 0),
                sa.and_(~_ratings.c.is_live, ends == 0),
            )
        )
    )
    return Finding(counted(look, _ratings, own), examples(look, "rating", wrong))


def ratings_are_repeatable(look: Look) -> Finding:
    """The frozen facts have their hash, and rating them by the rules of then gives the same to the bit."""
    ids, end = in_turn(look, sa.select(_ratings.c.id).where(_ratings.c.org_id == look.org_id), _ratings.c.id)
    broken: list[CounterExample] = []
    broken_ids: list[int] = []
    for start in range(0, len(ids), _AT_ONCE):
        for row in look.connection.execute(_FROZEN, {"ids": ids[start : start + _AT_ONCE]}):
            found = _unlike(look, row)
            if found is not None:
                broken.append(found)
                broken_ids.append(row.id)
    return turned(len(ids), broken, broken_ids, end)


_FROZEN: Final = (
    sa.select(
        _ratings.c.id,
        _ratings.c.purpose,
        _ratings.c.content_hash,
        _ratings.c.total_minor,
        _ratings.c.rule_set_version_id,
        _versions.c.content_hash.label("rules_hash"),
        _snapshots.c.id.label("snapshot_id"),
        _snapshots.c.facts,
        _snapshots.c.content_hash.label("facts_hash"),
    )
    .join(_snapshots, _snapshots.c.id == _ratings.c.fact_snapshot_id)
    .join(_versions, _versions.c.id == _ratings.c.rule_set_version_id)
    .where(_ratings.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(_ratings.c.id)
)


def _unlike(look: Look, row: Any) -> CounterExample | None:
    facts_hash = content_hash(row.facts)
    if facts_hash != row.facts_hash:
        return CounterExample("fact_snapshot", str(row.snapshot_id), facts_hash, row.facts_hash)
    rules = publishing.rules_of(look.connection, row.rule_set_version_id, row.rules_hash)
    again = rate(Facts.from_json(row.facts), rules, SIDE_OF[row.purpose])
    if again.total_minor != row.total_minor:
        return CounterExample("rating", str(row.id), str(again.total_minor), str(row.total_minor))
    if again.content_hash != row.content_hash:
        return CounterExample("rating", str(row.id), again.content_hash, row.content_hash)
    return None


def rules_are_unchanged(look: Look) -> Finding:
    """What a published version of rules says has the hash it was published with."""
    rows = look.connection.execute(
        sa.select(_versions.c.id, _versions.c.rules, _versions.c.content_hash)
        .join(_sets, _sets.c.id == _versions.c.rule_set_id)
        .where(_sets.c.org_id == look.org_id, _versions.c.status != VersionStatus.DRAFT)
        .order_by(_versions.c.id)
    ).all()
    hashes = [(row, parse_rules(row.rules).content_hash) for row in rows]
    broken = tuple(
        CounterExample("rule_set_version", str(row.id), found, row.content_hash)
        for row, found in hashes
        if found != row.content_hash
    )
    return Finding(len(rows), broken)


_SIGN: Final = sa.case((_statements.c.payee_kind == OwnerKind.CUSTOMER, 1), else_=-1)
_ACCOUNT_KIND: Final = {
    OwnerKind.TECHNICIAN: AccountKind.PAYABLE_WORKER,
    OwnerKind.VENDOR: AccountKind.PAYABLE_VENDOR,
    OwnerKind.CUSTOMER: AccountKind.RECEIVABLE,
}
# The account of a statement's payee.
_IS_ITS_ACCOUNT: Final = sa.and_(
    _accounts.c.org_id == _statements.c.org_id,
    _accounts.c.owner_kind == _statements.c.payee_kind,
    _accounts.c.owner_id == _statements.c.payee_id,
    _accounts.c.code == "",
    _accounts.c.currency == _statements.c.currency,
    sa.or_(
        *(
            sa.and_(_statements.c.payee_kind == owner, _accounts.c.kind == kind)
            for owner, kind in _ACCOUNT_KIND.items()
        )
    ),
)
# A posting that a statement is about: within its part of the chain, and not a payment, which clears it.
_IS_ITS_JOURNAL: Final = sa.and_(
    _journals.c.id == _postings.c.journal_id,
    _journals.c.seq > _statements.c.from_seq,
    _journals.c.seq <= _statements.c.as_of_seq,
    _journals.c.kind != JournalKind.PAYMENT,
)
_IS_ISSUED: Final = _statements.c.state != StatementState.DRAFT


def statements_are_the_ledger(look: Look) -> Finding:
    """The total of a statement is the sum of its postings between its two places in the chain."""
    own = _statements.c.org_id == look.org_id
    in_span = sa.case((_journals.c.id.is_not(None), _postings.c.amount_minor), else_=0)
    total = _whole(in_span) * _SIGN
    wrong = (
        sa.select(_statements.c.id, total, _statements.c.total_minor)
        .outerjoin(_accounts, _IS_ITS_ACCOUNT)
        .outerjoin(
            _postings,
            sa.and_(
                _postings.c.account_id == _accounts.c.id, _postings.c.period_id == _statements.c.period_id
            ),
        )
        .outerjoin(_journals, _IS_ITS_JOURNAL)
        .where(own)
        .group_by(_statements.c.id, _statements.c.total_minor, _statements.c.payee_kind)
        .having(total != _statements.c.total_minor)
    )
    return Finding(counted(look, _statements, own), examples(look, "statement", wrong))


def nothing_is_stated_twice(look: Look) -> Finding:
    """Issued statements hold each posting of their part of the chain once, with its amount, and no other."""
    own = sa.and_(_statements.c.org_id == look.org_id, _IS_ISSUED)
    twice = (
        sa.select(sa.func.max(_stated.c.id), sa.literal("1"), sa.func.count())
        .join(_statements, _statements.c.id == _stated.c.statement_id)
        .where(own)
        .group_by(_stated.c.posting_id)
        .having(sa.func.count() > 1)
    )
    foreign = (
        sa.select(_stated.c.id, _postings.c.amount_minor * _SIGN, _stated.c.amount_minor)
        .join(_statements, _statements.c.id == _stated.c.statement_id)
        .join(_postings, _postings.c.id == _stated.c.posting_id)
        .outerjoin(_accounts, sa.and_(_IS_ITS_ACCOUNT, _accounts.c.id == _postings.c.account_id))
        .outerjoin(_journals, _IS_ITS_JOURNAL)
        .where(
            own,
            sa.or_(
                _stated.c.amount_minor != _postings.c.amount_minor * _SIGN,
                _accounts.c.id.is_(None),
                _journals.c.id.is_(None),
                _postings.c.period_id != _statements.c.period_id,
            ),
        )
    )
    left_out = (
        sa.select(_postings.c.id, _statements.c.id, sa.null())
        .select_from(_statements)
        .join(_accounts, _IS_ITS_ACCOUNT)
        .join(
            _postings,
            sa.and_(
                _postings.c.account_id == _accounts.c.id, _postings.c.period_id == _statements.c.period_id
            ),
        )
        .join(_journals, _IS_ITS_JOURNAL)
        .outerjoin(_stated, _stated.c.posting_id == _postings.c.id)
        .where(own, _stated.c.id.is_(None))
    )
    rows = counted(look, _stated.join(_statements, _statements.c.id == _stated.c.statement_id), own)
    found = (
        *examples(look, "statement_line", twice),
        *examples(look, "statement_line", foreign),
        *examples(look, "posting", left_out),
    )
    return Finding(rows, found)


def closed_is_closed(look: Look) -> Finding:
    """Nothing was posted into a period after it was closed."""
    late = (
        sa.select(_journals.c.id, _periods.c.code, _journals.c.seq)
        .join(_periods, _periods.c.id == _journals.c.period_id)
        .where(
            _periods.c.org_id == look.org_id,
            _periods.c.state == PeriodState.CLOSED,
            sa.or_(_periods.c.closed_at.is_(None), _journals.c.posted_at > _periods.c.closed_at),
        )
        .order_by(_journals.c.seq)
    )
    closed = sa.and_(_periods.c.org_id == look.org_id, _periods.c.state == PeriodState.CLOSED)
    return Finding(counted(look, _periods, closed), examples(look, "journal", late))


def work_is_in_its_month(look: Look) -> Finding:
    """An entry stands in the month of its work, or names that month as its origin."""
    home = sa.func.coalesce(_journals.c.origin_period_id, _journals.c.period_id)
    astray = (
        sa.select(_journals.c.id, _periods.c.code, _journals.c.service_at)
        .join(_periods, _periods.c.id == home)
        .where(
            _journals.c.org_id == look.org_id,
            sa.or_(
                _journals.c.service_at < _periods.c.starts_at, _journals.c.service_at >= _periods.c.ends_at
            ),
        )
        .order_by(_journals.c.seq)
    )
    rows = counted(look, _journals, _journals.c.org_id == look.org_id)
    return Finding(rows, examples(look, "journal", astray))


LAWS: Final = (
    Law("journals", journals_balance),
    Law("reversals", reversals_are_exact),
    Law("chain", chain_is_linked),
    Law("hashes", hashes_are_true, in_turns=True),
    Law("postings", postings_match),
    Law("closed", closed_is_closed),
    Law("months", work_is_in_its_month),
    Law("lines", lines_add_up, in_turns=True),
    Law("splits", shares_add_up, in_turns=True),
    Law("refunds", refunds_are_exact),
    Law("ratings", ratings_are_posted),
    Law("repeatable", ratings_are_repeatable, in_turns=True),
    Law("rules", rules_are_unchanged),
    Law("statements", statements_are_the_ledger),
    Law("stated", nothing_is_stated_twice),
)
