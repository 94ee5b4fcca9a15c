"""What was earned in a day: frozen at an hour of a zone, per payee, region and dimension.

A day's income is what was posted within [starts_at, until) and stands in the books up to `as_of_seq`,
corrections of earlier work included. Entries are never edited, so it can be counted again at any time
and comes to the same. Payments are no income.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.text import LocalText
from ticket_console.people.tables import Technician, Vendor
from ticket_console.settlement import payees
from ticket_console.settlement.books import read_head
from ticket_console.settlement.kinds import AccountKind, DayPart, Dimension, OwnerKind
from ticket_console.settlement.ledger import Unbalanced
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.tables import (
    Account,
    DailyIncome,
    DailyIncomeLine,
    Journal,
    LedgerHead,
    Posting,
    RatingLine,
)

_ACCOUNTS = table(Account)
_DAYS = table(DailyIncome)
_HEADS = table(LedgerHead)
_JOURNALS = table(Journal)
_LINES = table(DailyIncomeLine)
_POSTINGS = table(Posting)
_RATING_LINES = table(RatingLine)
_TECHNICIANS = table(Technician)
_VENDORS = table(Vendor)

MOST_DAYS: Final = 62
_PAYABLE: Final = (AccountKind.PAYABLE_WORKER, AccountKind.PAYABLE_VENDOR)
# Work that belongs to no region.
_NOWHERE: Final[LocalText] = {"zh": "—", "en": "—"}


class DayNotFound(NotFound):
    code = "settlement.day_not_found"


@dataclass(frozen=True, slots=True)
class Earned:
    """What one payee earned by work in one region; `amounts` are the dimensions that have any."""

    payee: Payee
    payee_name: LocalText
    region_id: int | None
    region_name: LocalText
    tickets: int
    amounts: Mapping[Dimension, int]
    total_minor: int


@dataclass(frozen=True, slots=True)
class DayHead:
    """One frozen day; `taken_at` is later than `until` where it was caught up with."""

    id: int
    part: DayPart
    zone: str
    local_day: date
    starts_at: datetime
    until: datetime
    taken_at: datetime
    as_of_seq: int
    chain_hash: str
    currency: str
    tickets: int
    total_minor: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class DayIncome:
    """A frozen day with its lines, those that earned most first.

    Totals are those of the lines the viewer may read; `is_whole` says whether these are all.
    """

    head: DayHead
    lines: tuple[Earned, ...]
    tickets: int
    total_minor: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class NationalDay:
    """A day of all zones, each up to its own hour; `zones` are those whose hour has come."""

    local_day: date
    currency: str
    zones: tuple[DayIncome, ...]

    @property
    def tickets(self) -> int:
        return sum(each.tickets for each in self.zones)

    @property
    def total_minor(self) -> int:
        return sum(each.total_minor for each in self.zones)

    @property
    def is_whole(self) -> bool:
        return all(each.is_whole for each in self.zones)


@dataclass(frozen=True, slots=True)
class OwnTotal:
    """A day as a technician finds it in a list: what they earned themselves."""

    day_id: int
    local_day: date
    zone: str
    currency: str
    tickets: int
    total_minor: int


@dataclass(frozen=True, slots=True)
class DayTicket:
    """What a ticket brought a payee that day; several entries mean it was corrected."""

    ticket_id: int
    ticket_no: str
    service_at: datetime
    entries: int
    amount_minor: int


def zones_of_work(conn: Connection, org_id: int) -> tuple[str, ...]:
    """The zones of an organisation's regions and its own; none before its books are open."""
    if not _has_books(conn, org_id):
        return ()
    zones = {each.tz for each in places.regions(conn, org_id)} | {places.org(conn, org_id).tz}
    return tuple(sorted(zones))


def zone_of_books(conn: Connection, org_id: int) -> tuple[str, ...]:
    """The zone the organisation's months are months of; none before its books are open."""
    return tuple(conn.execute(sa.select(_HEADS.c.tz).where(_HEADS.c.org_id == org_id)).scalars())


def zones_of_people(conn: Connection, org_id: int) -> tuple[str, ...]:
    """The zones that technicians are at home in; none before the books are open.

    Those who left are counted: what they earned on their last day is on a list as well.
    """
    if not _has_books(conn, org_id):
        return ()
    zones = {each.id: each.tz for each in places.regions(conn, org_id)}
    homes = conn.execute(
        sa.select(_TECHNICIANS.c.region_id).where(_TECHNICIANS.c.org_id == org_id).distinct()
    ).scalars()
    return tuple(sorted({zones[each] for each in homes}))


def _has_books(conn: Connection, org_id: int) -> bool:
    return conn.execute(sa.select(_HEADS.c.org_id).where(_HEADS.c.org_id == org_id)).first() is not None


def people_of_zone(conn: Connection, org_id: int, zone: str) -> dict[int, str]:
    """The working technicians at home in a zone, with their names."""
    rows = conn.execute(
        sa.select(_TECHNICIANS.c.id, _TECHNICIANS.c.name)
        .where(
            _TECHNICIANS.c.org_id == org_id,
            _TECHNICIANS.c.is_active,
            _TECHNICIANS.c.region_id.in_(_regions_of(conn, org_id, zone)),
        )
        .order_by(_TECHNICIANS.c.id)
    )
    return {row.id: row.name for row in rows}


def _regions_of(conn: Connection, org_id: int, zone: str) -> list[int]:
    return [each.id for each in places.regions(conn, org_id) if each.tz == zone]


def freeze(
    conn: Connection,
    *,
    org_id: int,
    at: datetime,
    part: DayPart,
    zone: str,
    local_day: date,
    starts_at: datetime,
    until: datetime,
) -> DayHead:
    """Write down what a day came to; one that was written before stays as it is and is given back.

    The afternoon's takes in the work of the regions of the zone (and, in the organisation's own zone, what
    belongs to no region), whoever did it. The whole day's takes in what technicians at home in the zone
    earned, wherever.
    """
    head = read_head(conn, org_id)
    known = _head_of(conn, org_id, part, zone, local_day)
    if known is not None:
        return known
    window = _window(org_id, starts_at, until, head.seq)
    reach = _reach(conn, org_id, part, zone)
    at_home = _at_home(conn, org_id, zone) if part is DayPart.WHOLE else None
    earned = [
        each for each in _earned(conn, org_id, window, reach) if at_home is None or each.payee.id in at_home
    ]
    paid = conn.execute(
        _payable(sa.select(_POSTINGS.c.ticket_id, _ACCOUNTS.c.owner_id).distinct(), window, reach)
    )
    tickets = len({row.ticket_id for row in paid if at_home is None or row.owner_id in at_home})
    facts: dict[str, Any] = {
        "org_id": org_id,
        "part": part,
        "zone": zone,
        "local_day": local_day,
        "starts_at": starts_at,
        "until": until,
        "as_of_seq": head.seq,
        "chain_hash": head.hash,
        "currency": head.currency,
        "tickets": tickets,
        "total_minor": sum(each.total_minor for each in earned),
    }
    lines = [_line_row(position, each) for position, each in enumerate(earned, start=1)]
    day_id = conn.execute(
        sa.insert(_DAYS)
        .values(**facts, taken_at=at, content_hash=content_hash([facts, lines]))
        .returning(_DAYS.c.id)
    ).scalar_one()
    if lines:
        conn.execute(sa.insert(_LINES), [{"daily_income_id": day_id, **line} for line in lines])
    written = _head_of(conn, org_id, part, zone, local_day)
    assert written is not None
    return written


def _reach(conn: Connection, org_id: int, part: DayPart, zone: str) -> sa.ColumnElement[bool]:
    """Which postings on payable accounts a day of a zone takes in."""
    if part is DayPart.WHOLE:
        # Whose it is, is looked at afterwards: asked here, SQLite would read every account's whole history.
        return _ACCOUNTS.c.kind == AccountKind.PAYABLE_WORKER
    here: list[sa.ColumnElement[bool]] = [_POSTINGS.c.region_id.in_(_regions_of(conn, org_id, zone))]
    if places.org(conn, org_id).tz == zone:
        here.append(_POSTINGS.c.region_id.is_(None))
    return sa.and_(_ACCOUNTS.c.kind.in_(_PAYABLE), sa.or_(*here))


def _at_home(conn: Connection, org_id: int, zone: str) -> frozenset[int]:
    """The technicians at home in a zone, former ones included."""
    ids = conn.execute(
        sa.select(_TECHNICIANS.c.id).where(
            _TECHNICIANS.c.org_id == org_id, _TECHNICIANS.c.region_id.in_(_regions_of(conn, org_id, zone))
        )
    ).scalars()
    return frozenset(ids)


def _payable(
    query: sa.Select[Any], window: sa.ColumnElement[bool], reach: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    return (
        query.select_from(_POSTINGS)
        .join(_JOURNALS, _JOURNALS.c.id == _POSTINGS.c.journal_id)
        .join(_ACCOUNTS, _ACCOUNTS.c.id == _POSTINGS.c.account_id)
        .where(window, reach)
    )


def _earned(
    conn: Connection, org_id: int, window: sa.ColumnElement[bool], reach: sa.ColumnElement[bool]
) -> list[Earned]:
    """Every payee in every region; the dimensions must be what the payable side says, or it is a defect."""
    who = (_ACCOUNTS.c.owner_kind, _ACCOUNTS.c.owner_id, _POSTINGS.c.region_id)
    totals = conn.execute(
        _payable(
            sa.select(
                *who,
                sa.func.count(sa.distinct(_POSTINGS.c.ticket_id)),
                -sa.func.sum(_POSTINGS.c.amount_minor),
            ),
            window,
            reach,
        ).group_by(*who)
    ).all()
    amounts: defaultdict[tuple[Any, ...], dict[Dimension, int]] = defaultdict(dict)
    for kind, owner_id, region_id, dimension, amount in _by_dimension(conn, who, window, reach):
        of_payee = amounts[(kind, owner_id, region_id)]
        of_payee[dimension] = of_payee.get(dimension, 0) + int(amount)
    region_names = {each.id: each.name for each in places.regions(conn, org_id)}
    names = _names(conn, org_id)
    earned: list[Earned] = []
    for kind, owner_id, region_id, tickets, total in totals:
        payee = Payee(kind, owner_id)
        parts = {dimension: each for dimension, each in amounts[(kind, owner_id, region_id)].items() if each}
        if sum(parts.values()) != total:
            raise Unbalanced(f"dimensions of {payee} do not add up to {total}")
        earned.append(
            Earned(
                payee=payee,
                payee_name=names[payee],
                region_id=region_id,
                region_name=_NOWHERE if region_id is None else region_names[region_id],
                tickets=int(tickets),
                amounts=parts,
                total_minor=int(total),
            )
        )
    return sorted(
        earned, key=lambda each: (-each.total_minor, each.payee.kind, each.payee.id, each.region_id or 0)
    )


def _names(conn: Connection, org_id: int) -> dict[Payee, LocalText]:
    """Everybody who may be paid, former ones included; asked one by one a day of thousands takes seconds."""
    people = conn.execute(
        sa.select(_TECHNICIANS.c.id, _TECHNICIANS.c.name).where(_TECHNICIANS.c.org_id == org_id)
    )
    partners = conn.execute(sa.select(_VENDORS.c.id, _VENDORS.c.name).where(_VENDORS.c.org_id == org_id))
    return {
        **{payees.technician(row.id): {"zh": row.name, "en": row.name} for row in people},
        **{payees.vendor(row.id): dict(row.name) for row in partners},
    }


def _by_dimension(
    conn: Connection,
    who: Sequence[sa.ColumnElement[Any]],
    window: sa.ColumnElement[bool],
    reach: sa.ColumnElement[bool],
) -> list[Any]:
    """A posting of a whole rating stands for the lines on the other side of its entry, one of a share for
    the line that was shared out."""
    shares = _payable(
        sa.select(*who, _RATING_LINES.c.dimension, -sa.func.sum(_POSTINGS.c.amount_minor)), window, reach
    ).join(_RATING_LINES, _RATING_LINES.c.id == _POSTINGS.c.rating_line_id)
    other, others_account = _POSTINGS.alias("other"), _ACCOUNTS.alias("others_account")
    whole = (
        _payable(sa.select(*who, _RATING_LINES.c.dimension, sa.func.sum(other.c.amount_minor)), window, reach)
        .join(other, other.c.journal_id == _POSTINGS.c.journal_id)
        .join(others_account, others_account.c.id == other.c.account_id)
        .join(_RATING_LINES, _RATING_LINES.c.id == other.c.rating_line_id)
        .where(_POSTINGS.c.rating_line_id.is_(None), others_account.c.kind.not_in(_PAYABLE))
    )
    return [
        row
        for query in (shares, whole)
        for row in conn.execute(query.group_by(*who, _RATING_LINES.c.dimension))
    ]


def _line_row(position: int, each: Earned) -> dict[str, Any]:
    return {
        "position": position,
        "payee_kind": each.payee.kind,
        "payee_id": each.payee.id,
        "payee_name": dict(each.payee_name),
        "region_id": each.region_id,
        "region_name": dict(each.region_name),
        "tickets": each.tickets,
        "amounts": {dimension.value: amount for dimension, amount in sorted(each.amounts.items())},
        "total_minor": each.total_minor,
    }


def local_days(conn: Connection, *, viewer: Actor, limit: int = MOST_DAYS) -> tuple[date, ...]:
    """The days there is an afternoon's income of, newest first."""
    policy.require(viewer, "settlement.view")
    found = conn.execute(
        sa.select(_DAYS.c.local_day)
        .where(_DAYS.c.org_id == viewer.org_id, _DAYS.c.part == DayPart.AFTERNOON)
        .distinct()
        .order_by(_DAYS.c.local_day.desc())
        .limit(limit)
    )
    return tuple(found.scalars())


def national(conn: Connection, *, viewer: Actor, local_day: date) -> NationalDay:
    """The afternoon's income of a day over all zones, as far as the viewer may read it.

    Raises DayNotFound while no zone's hour has come.
    """
    policy.require(viewer, "settlement.view")
    ids = conn.execute(
        sa.select(_DAYS.c.id)
        .where(
            _DAYS.c.org_id == viewer.org_id,
            _DAYS.c.part == DayPart.AFTERNOON,
            _DAYS.c.local_day == local_day,
        )
        .order_by(_DAYS.c.until, _DAYS.c.zone)
    ).scalars()
    zones = tuple(day(conn, viewer=viewer, day_id=each) for each in ids.all())
    if not zones:
        raise DayNotFound()
    return NationalDay(local_day, zones[0].head.currency, zones)


def days(conn: Connection, *, viewer: Actor, part: DayPart, limit: int = MOST_DAYS) -> tuple[DayHead, ...]:
    """The latest frozen days of every zone, newest first."""
    policy.require(viewer, "settlement.view")
    rows = conn.execute(
        _heads()
        .where(_DAYS.c.org_id == viewer.org_id, _DAYS.c.part == part)
        .order_by(_DAYS.c.local_day.desc(), _DAYS.c.zone)
        .limit(limit)
    )
    return tuple(DayHead(*row) for row in rows)


def day(conn: Connection, *, viewer: Actor, day_id: int) -> DayIncome:
    """A frozen day as far as the viewer may read it: lines of their regions, technicians their own.

    Raises DayNotFound.
    """
    if not policy.allows(viewer, "settlement.view"):
        policy.require(viewer, "settlement.view_own")
    head = _found(conn, viewer, day_id)
    every = conn.execute(
        sa.select(_LINES).where(_LINES.c.daily_income_id == day_id).order_by(_LINES.c.position)
    ).all()
    lines = tuple(_line(each) for each in every if _may_read(viewer, each))
    is_whole = len(lines) == len(every) and policy.row_scope(viewer, "settlement.view").everything
    return DayIncome(
        head=head,
        lines=lines,
        tickets=head.tickets if is_whole else sum(each.tickets for each in lines),
        total_minor=sum(each.total_minor for each in lines),
        is_whole=is_whole,
    )


def own_days(conn: Connection, *, viewer: Actor, limit: int = MOST_DAYS) -> tuple[OwnTotal, ...]:
    """The days of which a technician got a list, newest first; of days without income too."""
    policy.require(viewer, "settlement.view_own")
    technician_id = viewer.technician_id or 0
    mine = sa.and_(
        _LINES.c.daily_income_id == _DAYS.c.id,
        _LINES.c.payee_kind == OwnerKind.TECHNICIAN,
        _LINES.c.payee_id == technician_id,
    )
    total = sa.select(sa.func.sum(_LINES.c.total_minor)).where(mine).scalar_subquery()
    tickets = sa.select(sa.func.sum(_LINES.c.tickets)).where(mine).scalar_subquery()
    home = conn.execute(
        sa.select(_TECHNICIANS.c.region_id).where(_TECHNICIANS.c.id == technician_id)
    ).scalar_one_or_none()
    home_zone = "" if home is None else places.region(conn, home).tz
    rows = conn.execute(
        sa.select(_DAYS.c.id, _DAYS.c.local_day, _DAYS.c.zone, _DAYS.c.currency, tickets, total)
        .where(
            _DAYS.c.org_id == viewer.org_id,
            _DAYS.c.part == DayPart.WHOLE,
            # Those told while they were at home in another zone still find it.
            sa.or_(_DAYS.c.zone == home_zone, sa.exists().where(mine)),
        )
        .order_by(_DAYS.c.local_day.desc())
        .limit(limit)
    )
    return tuple(
        OwnTotal(day_id, local_day, zone, currency, int(count or 0), int(amount or 0))
        for day_id, local_day, zone, currency, count, amount in rows
    )


def own_tickets(conn: Connection, *, viewer: Actor, day_id: int) -> tuple[DayTicket, ...]:
    """What each ticket brought a technician on a day they got a list of; it adds up to that list.

    Read from the books, whose entries of that day never change. Raises DayNotFound.
    """
    policy.require(viewer, "settlement.view_own")
    head = _found(conn, viewer, day_id)
    if head.part is not DayPart.WHOLE:
        raise DayNotFound()
    amount = (-sa.func.sum(_POSTINGS.c.amount_minor)).label("amount")
    mine = sa.and_(
        _ACCOUNTS.c.owner_kind == OwnerKind.TECHNICIAN,
        _ACCOUNTS.c.owner_id == (viewer.technician_id or 0),
        _ACCOUNTS.c.kind == AccountKind.PAYABLE_WORKER,
    )
    rows = conn.execute(
        _payable(
            sa.select(
                _JOURNALS.c.ticket_id,
                sa.func.max(_JOURNALS.c.ticket_no),
                sa.func.max(_JOURNALS.c.service_at, type_=_JOURNALS.c.service_at.type),
                sa.func.count(sa.distinct(_JOURNALS.c.id)),
                amount,
            ),
            _window(viewer.org_id, head.starts_at, head.until, head.as_of_seq),
            mine,
        )
        .group_by(_JOURNALS.c.ticket_id)
        .order_by(sa.desc(amount), _JOURNALS.c.ticket_id)
    )
    return tuple(DayTicket(row[0], row[1], row[2], int(row[3]), int(row[4])) for row in rows)


def earned_by_technician(conn: Connection, day_id: int) -> dict[int, tuple[int, int]]:
    """Tickets and amount of every technician who earned something on a frozen day, for telling them."""
    rows = conn.execute(
        sa.select(_LINES.c.payee_id, sa.func.sum(_LINES.c.tickets), sa.func.sum(_LINES.c.total_minor))
        .where(_LINES.c.daily_income_id == day_id, _LINES.c.payee_kind == OwnerKind.TECHNICIAN)
        .group_by(_LINES.c.payee_id)
    )
    return {payee_id: (int(tickets), int(amount)) for payee_id, tickets, amount in rows}


def _window(org_id: int, starts_at: datetime, until: datetime, as_of_seq: int) -> sa.ColumnElement[bool]:
    return sa.and_(
        _JOURNALS.c.org_id == org_id,
        _JOURNALS.c.posted_at >= starts_at,
        _JOURNALS.c.posted_at < until,
        _JOURNALS.c.seq <= as_of_seq,
        _JOURNALS.c.rating_id.is_not(None),
    )


def _found(conn: Connection, viewer: Actor, day_id: int) -> DayHead:
    row = conn.execute(_heads().where(_DAYS.c.id == day_id, _DAYS.c.org_id == viewer.org_id)).one_or_none()
    if row is None:
        raise DayNotFound()
    return DayHead(*row)


def _head_of(conn: Connection, org_id: int, part: DayPart, zone: str, local_day: date) -> DayHead | None:
    row = conn.execute(
        _heads().where(
            _DAYS.c.org_id == org_id,
            _DAYS.c.part == part,
            _DAYS.c.zone == zone,
            _DAYS.c.local_day == local_day,
        )
    ).one_or_none()
    return None if row is None else DayHead(*row)


def _heads() -> sa.Select[Any]:
    """The query whose rows are the fields of `DayHead`."""
    return sa.select(
        _DAYS.c.id,
        _DAYS.c.part,
        _DAYS.c.zone,
        _DAYS.c.local_day,
        _DAYS.c.starts_at,
        _DAYS.c.until,
        _DAYS.c.taken_at,
        _DAYS.c.as_of_seq,
        _DAYS.c.chain_hash,
        _DAYS.c.currency,
        _DAYS.c.tickets,
        _DAYS.c.total_minor,
        _DAYS.c.content_hash,
    )


def _may_read(viewer: Actor, line: Any) -> bool:
    is_own = line.payee_kind is OwnerKind.TECHNICIAN and line.payee_id == viewer.technician_id
    if is_own and policy.allows(viewer, "settlement.view_own"):
        return True
    return any(
        part.ticket_classes is None
        and (part.region_ids is None or line.region_id in part.region_ids)
        and (is_own or not part.own)
        for part in policy.row_scope(viewer, "settlement.view").parts
    )


def _line(row: Any) -> Earned:
    return Earned(
        payee=Payee(row.payee_kind, row.payee_id),
        payee_name=row.payee_name,
        region_id=row.region_id,
        region_name=row.region_name,
        tickets=row.tickets,
        amounts={Dimension(code): amount for code, amount in row.amounts.items()},
        total_minor=row.total_minor,
    )
