"""The settlement page: periods, technicians' totals, their tickets, and how each amount was computed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.customers.records import customer_names
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people import crews
from ticket_console.people import reads as people
from ticket_console.settlement import publishing, wording
from ticket_console.settlement.closing import PeriodView, period_columns
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import (
    Dimension,
    JournalKind,
    OwnerKind,
    Purpose,
    StatementState,
)
from ticket_console.settlement.payees import ACCOUNT_KINDS, Payee
from ticket_console.settlement.reach import readable_postings
from ticket_console.settlement.tables import (
    Account,
    FactSnapshot,
    Journal,
    Period,
    Posting,
    Rating,
    RatingLine,
    RuleSet,
    RuleSetVersion,
    Statement,
    StatementLine,
)

_ACCOUNTS = table(Account)
_JOURNALS = table(Journal)
_LINES = table(RatingLine)
_PERIODS = table(Period)
_POSTINGS = table(Posting)
_RATINGS = table(Rating)
_SETS = table(RuleSet)
_SNAPSHOTS = table(FactSnapshot)
_STATED = table(StatementLine)
_STATEMENTS = table(Statement)
_VERSIONS = table(RuleSetVersion)

Row = TypeVar("Row")
PAGE: Final = 50
MOST_PERIODS: Final = 36
# A ticket is rated a handful of times at most; more would be a defect somewhere else.
MOST_RATINGS: Final = 50

# Where the columns of the payee stand among those of a rating.
_PAYEE_AT: Final = 7


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of a list, with the count and the sum of all of it."""

    rows: tuple[Row, ...]
    count: int
    total_minor: int
    tickets: int


@dataclass(frozen=True, slots=True)
class TechnicianTotal:
    """`statement_state` is that of the latest statement, None while there is none."""

    technician_id: int
    name: str
    tickets: int
    total_minor: int
    currency: str
    statement_state: StatementState | None


@dataclass(frozen=True, slots=True)
class PayeeTotal:
    """What a payee earned or is charged; `statement_state` is that of the latest statement, if any."""

    payee: Payee
    name: LocalText
    tickets: int
    total_minor: int
    currency: str
    statement_state: StatementState | None


@dataclass(frozen=True, slots=True)
class TicketTotal:
    """What a ticket brings its payee in a period; several entries mean it was corrected."""

    ticket_id: int
    ticket_no: str
    service_at: datetime
    entries: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class BookedEntry:
    """An entry of the books about a ticket, as its payee has it: what it brings, and where that is stated.

    `statement_number` is None until a statement says it; a draft says nothing for good.
    """

    journal_id: int
    seq: int
    kind: JournalKind
    posted_at: datetime
    reason: str | None
    period_code: str
    amount_minor: int
    statement_number: int | None


@dataclass(frozen=True, slots=True)
class FactView:
    key: str
    label: LocalText
    value: LocalText


@dataclass(frozen=True, slots=True)
class LineView:
    """One line, and how it was computed. `base` holds the positions of the lines it builds on."""

    position: int
    dimension: Dimension
    dimension_name: LocalText
    rule_code: str
    rule_name: LocalText
    sentence: LocalText
    quantity: Decimal
    factor: Decimal
    amount_minor: int
    formula: str
    base: tuple[int, ...]
    facts: tuple[FactView, ...]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A rule that brought nothing: `why` is "condition", "group" (another of its group won) or "nothing"."""

    code: str
    name: LocalText
    sentence: LocalText
    why: str


@dataclass(frozen=True, slots=True)
class RatingView:
    """One rating of a ticket with the entry it was posted by; taken back when `reversed_at` is set."""

    rating_id: int
    journal_id: int
    journal_seq: int
    ticket_id: int
    ticket_no: str
    segment: str
    purpose: Purpose
    payee: Payee
    period_code: str
    origin_period_code: str | None
    rule_set_name: LocalText
    rule_version: int
    rules_effective_from: date
    service_on: date
    rated_at: datetime
    total_minor: int
    currency: str
    is_live: bool
    reason: str | None
    reversed_at: datetime | None
    reversed_because: str | None
    facts: tuple[FactView, ...]
    lines: tuple[LineView, ...]
    passed_over: tuple[PassedOver, ...]


@dataclass(frozen=True, slots=True)
class Computation:
    """A line with the lines it was computed from, down to those that rest on facts alone."""

    line: LineView
    parts: tuple["Computation", ...]


def periods(conn: Connection, *, viewer: Actor) -> tuple[PeriodView, ...]:
    """The latest periods, newest first."""
    if not policy.allows(viewer, "settlement.view"):
        policy.require(viewer, "settlement.view_own")
    query = period_columns().where(_PERIODS.c.org_id == viewer.org_id)
    rows = conn.execute(query.order_by(_PERIODS.c.starts_at.desc()).limit(MOST_PERIODS))
    return tuple(PeriodView(*row) for row in rows)


def technician_totals(
    conn: Connection,
    *,
    viewer: Actor,
    period_id: int,
    region_ids: Collection[int] | None = None,
    offset: int = 0,
    limit: int = PAGE,
) -> Page[TechnicianTotal]:
    """What each technician earned in a period, the highest first; regions are those of the work."""
    page = payee_totals(
        conn,
        viewer=viewer,
        period_id=period_id,
        kind=OwnerKind.TECHNICIAN,
        region_ids=region_ids,
        offset=offset,
        limit=limit,
    )
    rows = tuple(
        TechnicianTotal(
            each.payee.id,
            each.name["zh"],
            each.tickets,
            each.total_minor,
            each.currency,
            each.statement_state,
        )
        for each in page.rows
    )
    return Page(rows, page.count, page.total_minor, page.tickets)


def payee_totals(
    conn: Connection,
    *,
    viewer: Actor,
    period_id: int,
    kind: OwnerKind,
    region_ids: Collection[int] | None = None,
    offset: int = 0,
    limit: int = PAGE,
) -> Page[PayeeTotal]:
    """What each payee of a kind earned, or is charged, in a period: the highest first."""
    earned = _earned(viewer, period_id, kind, region_ids)
    tickets = sa.func.count(sa.distinct(_POSTINGS.c.ticket_id))
    query = (
        earned.add_columns(_ACCOUNTS.c.owner_id, tickets, _amount(kind).label("earned"), _ACCOUNTS.c.currency)
        .group_by(_ACCOUNTS.c.owner_id, _ACCOUNTS.c.currency)
        .order_by(sa.desc("earned"), _ACCOUNTS.c.owner_id)
    )
    rows = conn.execute(query.limit(limit).offset(offset)).all()
    ids = [row.owner_id for row in rows]
    names = _names(conn, viewer.org_id, kind, ids)
    states = _statement_states(conn, viewer.org_id, period_id, kind, ids)
    return _page(
        conn,
        earned,
        kind,
        tuple(
            PayeeTotal(
                payee=Payee(kind, row.owner_id),
                name=names[row.owner_id],
                tickets=row[1],
                total_minor=int(row.earned),
                currency=row.currency,
                statement_state=states.get(row.owner_id),
            )
            for row in rows
        ),
        sa.func.count(sa.distinct(_ACCOUNTS.c.owner_id)),
    )


def ticket_totals(
    conn: Connection,
    *,
    viewer: Actor,
    period_id: int,
    payee: Payee,
    region_ids: Collection[int] | None = None,
    offset: int = 0,
    limit: int = PAGE,
) -> Page[TicketTotal]:
    """The tickets a payee earned with, or is charged for, in a period, the latest work first."""
    earned = _earned(viewer, period_id, payee.kind, region_ids).where(_ACCOUNTS.c.owner_id == payee.id)
    latest = sa.func.max(_JOURNALS.c.service_at, type_=_JOURNALS.c.service_at.type)
    query = (
        earned.add_columns(
            _POSTINGS.c.ticket_id,
            sa.func.max(_JOURNALS.c.ticket_no),
            latest,
            sa.func.count(),
            _amount(payee.kind),
        )
        .group_by(_POSTINGS.c.ticket_id)
        .order_by(sa.func.max(_JOURNALS.c.service_at).desc(), _POSTINGS.c.ticket_id.desc())
    )
    rows = conn.execute(query.limit(limit).offset(offset)).all()
    return _page(
        conn,
        earned,
        payee.kind,
        tuple(_ticket_total(row) for row in rows),
        sa.func.count(sa.distinct(_POSTINGS.c.ticket_id)),
    )


def ticket_entries(
    conn: Connection, *, viewer: Actor, ticket_id: int, payee: Payee
) -> tuple[BookedEntry, ...]:
    """What was booked for a payee on a ticket, in the order of the books: a correction as its two entries."""
    rows = conn.execute(
        sa.select(
            _JOURNALS.c.id,
            _JOURNALS.c.seq,
            _JOURNALS.c.kind,
            _JOURNALS.c.posted_at,
            _JOURNALS.c.reason,
            _PERIODS.c.code,
            _amount(payee.kind),
            sa.func.max(_STATEMENTS.c.number),
        )
        .select_from(_POSTINGS)
        .join(_ACCOUNTS, _ACCOUNTS.c.id == _POSTINGS.c.account_id)
        .join(_JOURNALS, _JOURNALS.c.id == _POSTINGS.c.journal_id)
        .join(_PERIODS, _PERIODS.c.id == _JOURNALS.c.period_id)
        .outerjoin(_STATED, _STATED.c.posting_id == _POSTINGS.c.id)
        .outerjoin(_STATEMENTS, _STATEMENTS.c.id == _STATED.c.statement_id)
        .where(
            _ACCOUNTS.c.org_id == viewer.org_id,
            _ACCOUNTS.c.owner_kind == payee.kind,
            _ACCOUNTS.c.owner_id == payee.id,
            _ACCOUNTS.c.kind == payee.account_kind,
            _POSTINGS.c.ticket_id == ticket_id,
            readable_postings(viewer),
        )
        .group_by(
            _JOURNALS.c.id,
            _JOURNALS.c.seq,
            _JOURNALS.c.kind,
            _JOURNALS.c.posted_at,
            _JOURNALS.c.reason,
            _PERIODS.c.code,
        )
        .order_by(_JOURNALS.c.seq)
        .limit(2 * MOST_RATINGS)
    )
    return tuple(
        BookedEntry(id, seq, kind, at, reason, code, int(earned), number)
        for id, seq, kind, at, reason, code, earned, number in rows
    )


def ticket_ratings(conn: Connection, *, viewer: Actor, ticket_id: int) -> tuple[RatingView, ...]:
    """Every rating of a ticket that the viewer may read, the latest first; live ones are what it costs."""
    reversal, origin = _JOURNALS.alias("reversal"), _PERIODS.alias("origin")
    posted = sa.exists().where(
        _POSTINGS.c.journal_id == _JOURNALS.c.id,
        _POSTINGS.c.account_id == _ACCOUNTS.c.id,
        readable_postings(viewer),
    )
    rows = conn.execute(
        sa.select(
            _RATINGS.c.id,
            _JOURNALS.c.id,
            _JOURNALS.c.seq,
            _RATINGS.c.ticket_id,
            _JOURNALS.c.ticket_no,
            _RATINGS.c.segment,
            _RATINGS.c.purpose,
            _ACCOUNTS.c.owner_kind,
            _ACCOUNTS.c.owner_id,
            _PERIODS.c.code,
            origin.c.code,
            _SETS.c.name,
            _VERSIONS.c.number,
            _VERSIONS.c.effective_from,
            _RATINGS.c.service_on,
            _RATINGS.c.rated_at,
            _RATINGS.c.total_minor,
            _RATINGS.c.currency,
            _RATINGS.c.is_live,
            _JOURNALS.c.reason,
            reversal.c.posted_at,
            reversal.c.reason,
            _SNAPSHOTS.c.facts,
            _RATINGS.c.trace,
            _VERSIONS.c.id,
            _VERSIONS.c.content_hash,
        )
        .join(
            _JOURNALS, sa.and_(_JOURNALS.c.rating_id == _RATINGS.c.id, _JOURNALS.c.kind == JournalKind.RATING)
        )
        .join(_ACCOUNTS, _ACCOUNTS.c.id == _RATINGS.c.payee_account_id)
        .join(_PERIODS, _PERIODS.c.id == _JOURNALS.c.period_id)
        .join(_SNAPSHOTS, _SNAPSHOTS.c.id == _RATINGS.c.fact_snapshot_id)
        .join(_VERSIONS, _VERSIONS.c.id == _RATINGS.c.rule_set_version_id)
        .join(_SETS, _SETS.c.id == _VERSIONS.c.rule_set_id)
        .outerjoin(origin, origin.c.id == _JOURNALS.c.origin_period_id)
        .outerjoin(reversal, reversal.c.reverses_id == _JOURNALS.c.id)
        .where(
            _RATINGS.c.org_id == viewer.org_id,
            _RATINGS.c.ticket_id == ticket_id,
            posted,
        )
        .order_by(_JOURNALS.c.seq.desc())
        .limit(MOST_RATINGS)
    ).all()
    lines = _lines_of(conn, [row[0] for row in rows])
    return tuple(_rating_view(conn, row, lines.get(row[0], ())) for row in rows)


def computation(rating: RatingView, position: int) -> Computation:
    """How the line at a position was computed; raises StopIteration when there is no such line."""
    line = next(line for line in rating.lines if line.position == position)
    return Computation(line, tuple(computation(rating, part) for part in line.base))


def _amount(kind: OwnerKind) -> sa.ColumnElement[int]:
    return sa.func.sum(_POSTINGS.c.amount_minor) * Payee(kind, 0).sign


def _earned(
    viewer: Actor, period_id: int, kind: OwnerKind, region_ids: Collection[int] | None
) -> sa.Select[Any]:
    """Postings of a period on the accounts of payees that the viewer may read, without columns yet."""
    query: sa.Select[Any] = (
        sa.select()
        .select_from(_POSTINGS)
        .join(_ACCOUNTS, _ACCOUNTS.c.id == _POSTINGS.c.account_id)
        .join(_JOURNALS, _JOURNALS.c.id == _POSTINGS.c.journal_id)
        .where(
            _ACCOUNTS.c.org_id == viewer.org_id,
            _ACCOUNTS.c.kind == ACCOUNT_KINDS[kind],
            _ACCOUNTS.c.owner_kind == kind,
            _JOURNALS.c.kind != JournalKind.PAYMENT,
            _POSTINGS.c.period_id == period_id,
            readable_postings(viewer),
        )
    )
    return query if region_ids is None else query.where(_POSTINGS.c.region_id.in_(sorted(region_ids)))


def _page(
    conn: Connection,
    earned: sa.Select[Any],
    kind: OwnerKind,
    rows: tuple[Row, ...],
    count: sa.ColumnElement[int],
) -> Page[Row]:
    counted, total, tickets = conn.execute(
        earned.add_columns(count, _amount(kind), sa.func.count(sa.distinct(_POSTINGS.c.ticket_id)))
    ).one()
    return Page(rows, counted, int(total or 0), tickets)


def _ticket_total(row: Any) -> TicketTotal:
    ticket_id, ticket_no, service_at, entries, total = row
    return TicketTotal(ticket_id, ticket_no, service_at, entries, int(total))


def _rating_view(conn: Connection, row: Any, lines: tuple[LineView, ...]) -> RatingView:
    fields: list[Any]
    *fields, frozen, trace, version_id, rules_hash = row
    owner_kind, owner_id = fields[_PAYEE_AT : _PAYEE_AT + 2]
    fields[_PAYEE_AT : _PAYEE_AT + 2] = [Payee(owner_kind, owner_id)]
    rules = {rule.code: rule for rule in publishing.rules_of(conn, version_id, rules_hash).rules}
    passed_over = tuple(
        PassedOver(code, rules[code].name, rules[code].sentence, why)
        for code, why in trace
        if why != "applied"
    )
    return RatingView(*(*fields, _frozen_facts(Facts.from_json(frozen)), lines, passed_over))


def _frozen_facts(facts: Facts) -> tuple[FactView, ...]:
    zone = ZoneInfo(facts.site_tz)
    evidence = tuple(hazard.evidence for hazard in facts.hazards if hazard.evidence)
    return _fact_views(
        {
            **facts.values(),
            "evidence": evidence,
            "work_from": f"{facts.started_at.astimezone(zone):%Y-%m-%d %H:%M}",
            "work_until": f"{facts.finished_at.astimezone(zone):%Y-%m-%d %H:%M}",
            "site_tz": facts.site_tz,
        }
    )


def _names(conn: Connection, org_id: int, kind: OwnerKind, ids: list[int]) -> Mapping[int, LocalText]:
    if kind is OwnerKind.TECHNICIAN:
        return {id: {"zh": name, "en": name} for id, name in people.names(conn, ids).items()}
    if kind is OwnerKind.CUSTOMER:
        return {id: {"zh": name, "en": name} for id, name in customer_names(conn, org_id, ids).items()}
    return crews.vendor_names(conn, org_id)


def _statement_states(
    conn: Connection, org_id: int, period_id: int, kind: OwnerKind, ids: list[int]
) -> dict[int, StatementState]:
    rows = conn.execute(
        sa.select(_STATEMENTS.c.payee_id, _STATEMENTS.c.state)
        .where(
            _STATEMENTS.c.org_id == org_id,
            _STATEMENTS.c.period_id == period_id,
            _STATEMENTS.c.payee_kind == kind,
            _STATEMENTS.c.payee_id.in_(ids),
        )
        .order_by(_STATEMENTS.c.number)
    )
    return {row.payee_id: row.state for row in rows}


def _lines_of(conn: Connection, rating_ids: list[int]) -> dict[int, tuple[LineView, ...]]:
    rows = conn.execute(
        sa.select(
            _LINES.c.rating_id,
            _LINES.c.position,
            _LINES.c.dimension,
            _LINES.c.rule_code,
            _LINES.c.quantity,
            _LINES.c.factor,
            _LINES.c.amount_minor,
            _LINES.c.explain,
        )
        .where(_LINES.c.rating_id.in_(rating_ids))
        .order_by(_LINES.c.rating_id, _LINES.c.position)
    )
    grouped: dict[int, tuple[LineView, ...]] = {}
    for row in rows:
        grouped[row.rating_id] = (*grouped.get(row.rating_id, ()), _line_view(row))
    return grouped


def _line_view(row: Any) -> LineView:
    explain = row.explain
    return LineView(
        position=row.position,
        dimension=row.dimension,
        dimension_name=wording.DIMENSIONS[row.dimension],
        rule_code=row.rule_code,
        rule_name=explain["name"],
        sentence=explain["sentence"],
        quantity=Decimal(row.quantity),
        factor=Decimal(row.factor),
        amount_minor=row.amount_minor,
        formula=explain["formula"],
        base=tuple(explain["base"]),
        facts=_fact_views(explain["facts"]),
    )


def _fact_views(facts: Mapping[str, Any]) -> tuple[FactView, ...]:
    return tuple(
        FactView(key, wording.fact_label(key), wording.fact_value(key, value))
        for key, value in facts.items()
        if value not in ("", [], ())
    )
