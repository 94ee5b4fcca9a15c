"""Money, defined once: what work cost, what customers were charged for it, and the margin between.

Tile, table, trend, distribution, list of lines and file all ask the same postings of the ledger, so they
agree to the minor unit. Cost is what stands on the accounts of cost and parts, the charge what stands on
those of revenue; a reversal counts against what it takes back. A period is that of the books; a day is the
day at the site on which the work finished, and ranges of days are half-open. A region is that of the work.
The service partner is the one the work was done for; a team has the work of those who belong to it today.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy, projection
from ticket_console.forms.tables import Template
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import ConsoleError, Forbidden
from ticket_console.kernel.money import round_half_up
from ticket_console.kernel.text import LocalText
from ticket_console.people import crews
from ticket_console.people import names as people_names
from ticket_console.people.tables import Technician
from ticket_console.reports.metrics import with_below
from ticket_console.reports.sql_days import first_day
from ticket_console.settlement import wording
from ticket_console.settlement.kinds import AccountKind, Dimension, JournalKind, OwnerKind
from ticket_console.settlement.tables import Account, Journal, Period, Posting, Rating, RatingLine
from ticket_console.tickets.scoping import row_condition
from ticket_console.tickets.tables import Ticket

_accounts = table(Account)
_journals = table(Journal)
_lines = table(RatingLine)
_periods = table(Period)
_postings = table(Posting)
_ratings = table(Rating)
_technicians = table(Technician)
_templates = table(Template)
_tickets = table(Ticket)

PERMISSION: Final = "settlement.view"
PAGE: Final = 50
# More lines than these are no file that anybody opens; whoever asks narrows the slice.
MOST_LINES: Final = 100_000
# Ids of one statement.
_AT_ONCE: Final = 500
# A distribution has about so many bars.
BINS: Final = 16
# What lies beyond this share of the tickets is put into the last bar.
_USUAL_SHARE: Final = Decimal("0.99")

_COST_KINDS: Final = (AccountKind.COST, AccountKind.PARTS)
_CHARGE_KINDS: Final = (AccountKind.REVENUE,)


class Measure(StrEnum):
    """What is measured; the last three are for each ticket."""

    COST = "cost"
    CHARGE = "charge"
    MARGIN = "margin"
    COUNT = "count"
    AVERAGE_COST = "average_cost"
    AVERAGE_CHARGE = "average_charge"
    AVERAGE_MARGIN = "average_margin"


# What adds up over groups and may be compared, spread out and explained.
AMOUNTS: Final = (Measure.COST, Measure.CHARGE, Measure.MARGIN)
_AVERAGED: Final = {
    Measure.AVERAGE_COST: Measure.COST,
    Measure.AVERAGE_CHARGE: Measure.CHARGE,
    Measure.AVERAGE_MARGIN: Measure.MARGIN,
}


class By(StrEnum):
    """What figures are grouped by."""

    LINE = "line"
    REGION = "region"
    DIMENSION = "dimension"
    TEAM = "team"
    TECHNICIAN = "technician"
    VENDOR = "vendor"


class Step(StrEnum):
    """The steps of a trend; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class TooManyLines(ConsoleError):
    code = "reports.too_many_lines"
    http_status = 422


@dataclass(frozen=True, slots=True)
class Between:
    """Tickets whose amount lies in [from_minor, until_minor); None is without an end.

    The amount is that in the slice this is part of, or, when that one is narrowed further, in `within`.
    """

    measure: Measure
    from_minor: int | None
    until_minor: int | None
    within: "MoneySlice | None" = None


@dataclass(frozen=True, slots=True)
class MoneySlice:
    """What the figures are narrowed to.

    The days are [since, until) of the service date. Line and dimension "" are those without one. Region,
    team, technician and vendor 0 stand for "none", which for vendor means our own people; a region takes in
    what lies below it, unless it is asked for alone.
    """

    period_id: int | None = None
    since: date | None = None
    until: date | None = None
    line: str | None = None
    region_id: int | None = None
    is_region_alone: bool = False
    dimension: str | None = None
    team_id: int | None = None
    technician_id: int | None = None
    vendor_id: int | None = None
    between: Between | None = None


EVERYTHING: Final = MoneySlice()


@dataclass(frozen=True, slots=True)
class Figures:
    """The measures of a slice; `tickets` counts those with at least one entry in it."""

    cost_minor: int = 0
    charge_minor: int = 0
    tickets: int = 0

    @property
    def margin_minor(self) -> int:
        return self.charge_minor - self.cost_minor

    def of(self, measure: Measure) -> int | None:
        """Whole minor units, or a count. An average is rounded half up, and None where there is no ticket."""
        if measure in _AVERAGED:
            whole = self.of(_AVERAGED[measure])
            return None if whole is None or not self.tickets else round_half_up(Decimal(whole) / self.tickets)
        return {
            Measure.COST: self.cost_minor,
            Measure.CHARGE: self.charge_minor,
            Measure.MARGIN: self.margin_minor,
            Measure.COUNT: self.tickets,
        }[measure]


NO_FIGURES: Final = Figures()


@dataclass(frozen=True, slots=True)
class Group:
    """One part of a slice; `slice` narrows the lines behind it to exactly what it counts."""

    key: str
    name: LocalText
    figures: Figures
    slice: MoneySlice


@dataclass(frozen=True, slots=True)
class Point:
    """One step of a trend, by its first day; None gathers entries that belong to no work."""

    on: date | None
    figures: Figures
    slice: MoneySlice


@dataclass(frozen=True, slots=True)
class Bin:
    """The tickets whose amount lies in [from_minor, until_minor); the last bin has no end."""

    from_minor: int
    until_minor: int | None
    tickets: int
    slice: MoneySlice


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the amount of a ticket is spread; half of the tickets have at most the median."""

    bins: tuple[Bin, ...]
    median_minor: int | None


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One posting. The amount is positive where it adds to the cost or, with `is_charge`, to the charge."""

    posting_id: int
    journal_seq: int
    kind: JournalKind
    ticket_id: int | None
    ticket_no: str
    service_on: date | None
    period_code: str
    region: LocalText | None
    technician: str
    dimension: LocalText
    rule_name: LocalText | None
    is_charge: bool
    amount_minor: int


@dataclass(frozen=True, slots=True)
class LinePage:
    """Some lines of a slice, the latest work first, with the figures and the count of all of them."""

    lines: tuple[MoneyLine, ...]
    count: int
    figures: Figures


def figures(connection: Connection, *, viewer: Actor, slice: MoneySlice) -> Figures:
    """The measures of a slice as one."""
    asked = _Asked(connection, viewer, slice)
    return _figures(connection.execute(asked.select(*_MEASURED)).one())


def grouped(connection: Connection, *, viewer: Actor, slice: MoneySlice, by: By) -> tuple[Group, ...]:
    """The parts of a slice, the most money first; amounts add up to those of the slice.

    So do tickets, but for those that were done by several people or have several dimensions.
    """
    asked = _Asked(connection, viewer, slice, needs=_NEEDED_BY[by])
    key = _COLUMN_OF[by].label("key")
    rows = connection.execute(asked.select(key, *_MEASURED).group_by(key)).all()
    names = _names(connection, viewer.org_id, by, [row.key for row in rows])
    groups = [
        Group(
            key=str(row.key or 0) if by in _NUMBERED else str(row.key or ""),
            name=names.get(row.key, _nameless(by, row.key)),
            figures=_figures(row),
            slice=_narrowed(slice, by, row.key),
        )
        for row in rows
    ]
    return tuple(sorted(groups, key=lambda each: (-_size(each.figures), each.key)))


def trend(connection: Connection, *, viewer: Actor, slice: MoneySlice, step: Step) -> tuple[Point, ...]:
    """The measures by day, week or month of the service date, steps without work included."""
    asked = _Asked(connection, viewer, slice, needs=("rating",))
    day = _ratings.c.service_on
    on = (day if step is Step.DAY else first_day(day, step.value)).label("on_day")
    rows = connection.execute(asked.select(on, *_MEASURED).group_by(on))
    found = {row.on_day: _figures(row) for row in rows}
    dated = [on for on in found if on is not None]
    if not dated:
        return _undated(found, slice)
    points, at = [], min(dated)
    while at <= max(dated):
        following = after(at, step)
        narrowed = replace(
            _anchored(slice),
            since=at if slice.since is None else max(at, slice.since),
            until=following if slice.until is None else min(following, slice.until),
        )
        points.append(Point(at, found.get(at, NO_FIGURES), narrowed))
        at = following
    return (*points, *_undated(found, slice))


def after(day: date, step: Step) -> date:
    """The first day of the step after the one that begins on `day`."""
    if step is Step.MONTH:
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=1 if step is Step.DAY else 7)


def distribution(
    connection: Connection, *, viewer: Actor, slice: MoneySlice, measure: Measure
) -> Distribution:
    """How many tickets have which amount: of cost, charge or margin."""
    asked = _Asked(connection, viewer, replace(slice, between=None))
    of_ticket = _of_tickets(asked, measure).subquery()
    amount = of_ticket.c.amount
    low, count = connection.execute(sa.select(sa.func.min(amount), sa.func.count())).one()
    if not count:
        return Distribution((), None)
    ordered = sa.select(amount).order_by(amount).limit(1)
    median = int(connection.execute(ordered.offset((count - 1) // 2)).scalar_one())
    usual = int(connection.execute(ordered.offset(int((count - 1) * _USUAL_SHARE))).scalar_one())
    width = bin_width(usual - int(low))
    start = int(low) // width * width
    last = (usual - start) // width
    number = (amount - start) // width
    number = sa.case((number > last, last), else_=number).label("number")
    rows = connection.execute(sa.select(number, sa.func.count().label("tickets")).group_by(number))
    counts = {int(row.number): int(row.tickets) for row in rows}
    bins = []
    for place in range(last + 1):
        from_minor = start + place * width
        until_minor = None if place == last else from_minor + width
        narrowed = replace(slice, between=Between(measure, from_minor, until_minor))
        bins.append(Bin(from_minor, until_minor, counts.get(place, 0), narrowed))
    return Distribution(tuple(bins), median)


def bin_width(spread_minor: int) -> int:
    """1, 2 or 5 times a power of ten, so that about `BINS` of it cover the spread."""
    width, steps = 1, (2, Decimal("2.5"), 2)
    turn = 0
    while width * BINS < spread_minor:
        width = int(width * steps[turn % 3])
        turn += 1
    return width


def lines(
    connection: Connection, *, viewer: Actor, slice: MoneySlice, offset: int = 0, limit: int = PAGE
) -> LinePage:
    """The postings that the figures of a slice are the sum of."""
    count, total = _counted(connection, viewer, slice)
    return LinePage(_read_lines(connection, viewer, slice, limit, offset), count, total)


def all_lines(connection: Connection, *, viewer: Actor, slice: MoneySlice) -> LinePage:
    """Every posting of a slice, for a file. Raises TooManyLines."""
    count, total = _counted(connection, viewer, slice)
    if count > MOST_LINES:
        raise TooManyLines(limit=MOST_LINES)
    return LinePage(_read_lines(connection, viewer, slice, count, 0), count, total)


_IS_COST: Final = _accounts.c.kind.in_(_COST_KINDS)
_COST: Final = sa.case((_IS_COST, _postings.c.amount_minor), else_=0)
_CHARGE: Final = sa.case((_IS_COST, 0), else_=-_postings.c.amount_minor)
_AMOUNT_OF: Final = {
    Measure.COST: _COST,
    Measure.CHARGE: _CHARGE,
    Measure.MARGIN: -_postings.c.amount_minor,
}


def _summed(amount: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    # PostgreSQL sums whole numbers to decimals.
    return sa.cast(sa.func.coalesce(sa.func.sum(amount), 0), sa.BigInteger)


_MEASURED: Final = (
    _summed(_COST).label("cost"),
    _summed(_CHARGE).label("charge"),
    sa.func.count(sa.distinct(_postings.c.ticket_id)).label("tickets"),
)
_COLUMN_OF: Final[Mapping[By, sa.ColumnElement[Any]]] = {
    By.LINE: _templates.c.business_line,
    By.REGION: _postings.c.region_id,
    By.DIMENSION: _accounts.c.code,
    By.TEAM: _technicians.c.crew_id,
    By.TECHNICIAN: _ratings.c.technician_id,
    By.VENDOR: _ratings.c.vendor_id,
}
_NUMBERED: Final = frozenset({By.REGION, By.TEAM, By.TECHNICIAN, By.VENDOR})
_NEEDED_BY: Final[Mapping[By, tuple[str, ...]]] = {
    By.LINE: ("template",),
    By.REGION: (),
    By.DIMENSION: (),
    By.TEAM: ("technician",),
    By.TECHNICIAN: ("rating",),
    By.VENDOR: ("rating",),
}
_NOWHERE: Final[Mapping[By, LocalText]] = {
    By.LINE: {"zh": "无业务线", "en": "No business line"},
    By.REGION: {"zh": "无区域", "en": "No region"},
    By.DIMENSION: {"zh": "其他", "en": "Other"},
    By.TEAM: {"zh": "无班组", "en": "No team"},
    By.TECHNICIAN: {"zh": "无工程师", "en": "No technician"},
    By.VENDOR: {"zh": "自有人员", "en": "Our own people"},
}


def dimension_names() -> Mapping[str, LocalText]:
    """What a line can be about: the twelve dimensions, and what a split leaves the company."""
    return {**{each.value: wording.DIMENSIONS[each] for each in Dimension}, **_COMPANY_SHARE}


# Where a split leaves the company a part of the pay, it stands under this code.
_COMPANY_SHARE: Final[Mapping[str, LocalText]] = {"share": {"zh": "公司分成", "en": "Company share"}}


class _Asked:
    """The postings of a slice that a viewer may read, joined to what the question needs and no more."""

    def __init__(
        self, connection: Connection, viewer: Actor, slice: MoneySlice, *, needs: Collection[str] = ()
    ) -> None:
        _require_reading(viewer)
        self._needs = set(needs)
        account_ids = _account_ids(connection, viewer.org_id)
        self._conditions: list[sa.ColumnElement[bool]] = [
            _postings.c.account_id.in_(account_ids),
            self._scope(viewer),
            *self._narrowing(connection, viewer, slice),
        ]
        if slice.between is not None:
            within = _Asked(connection, viewer, slice.between.within or replace(slice, between=None))
            self._conditions.append(_postings.c.ticket_id.in_(_tickets_between(within, slice.between)))

    def select(self, *columns: Any) -> sa.Select[Any]:
        return sa.select(*columns).select_from(self._source()).where(*self._conditions)

    def _source(self) -> sa.FromClause:
        needs = self._needs
        if "technician" in needs:
            needs = needs | {"rating"}
        if "rating" in needs:
            needs = needs | {"journal"}
        if "template" in needs:
            needs = needs | {"ticket"}
        source: sa.FromClause = _postings.join(_accounts, _accounts.c.id == _postings.c.account_id)
        if "journal" in needs:
            source = source.join(_journals, _journals.c.id == _postings.c.journal_id)
        if "rating" in needs:
            source = source.outerjoin(_ratings, _ratings.c.id == _journals.c.rating_id)
        if "technician" in needs:
            source = source.outerjoin(_technicians, _technicians.c.id == _ratings.c.technician_id)
        if "ticket" in needs:
            source = source.outerjoin(_tickets, _tickets.c.id == _postings.c.ticket_id)
        if "template" in needs:
            source = source.outerjoin(_templates, _templates.c.id == _tickets.c.template_id)
        return source

    def _scope(self, viewer: Actor) -> sa.ColumnElement[bool]:
        scope = policy.row_scope(viewer, PERMISSION)
        if scope.ticket_classes:
            self._needs.add("ticket")
        if scope.own:
            self._needs.add("rating")
        return row_condition(
            scope,
            region=_postings.c.region_id,
            ticket_class=_tickets.c.ticket_class,
            own=_ratings.c.technician_id == (viewer.technician_id or 0),
        )

    def _narrowing(
        self, connection: Connection, viewer: Actor, slice: MoneySlice
    ) -> Iterable[sa.ColumnElement[bool]]:
        if slice.period_id is not None:
            yield _postings.c.period_id == slice.period_id
        if slice.since is not None or slice.until is not None:
            self._needs.add("rating")
            yield _ratings.c.org_id == viewer.org_id
            if slice.since is not None:
                yield _ratings.c.service_on >= slice.since
            if slice.until is not None:
                yield _ratings.c.service_on < slice.until
        if slice.dimension is not None:
            yield _accounts.c.code == slice.dimension
        if slice.line is not None:
            self._needs.add("template")
            yield sa.func.coalesce(_templates.c.business_line, "") == slice.line
        if slice.region_id is not None:
            yield _in_region(connection, viewer.org_id, slice)
        for column, wanted, joined in (
            (_technicians.c.crew_id, slice.team_id, "technician"),
            (_ratings.c.technician_id, slice.technician_id, "rating"),
            (_ratings.c.vendor_id, slice.vendor_id, "rating"),
        ):
            if wanted is not None:
                self._needs.add(joined)
                yield column == wanted if wanted else column.is_(None)


def _require_reading(viewer: Actor) -> None:
    policy.require(viewer, PERMISSION)
    if "settlement" not in projection.readable(viewer):
        raise Forbidden(permission=PERMISSION)


def _account_ids(connection: Connection, org_id: int) -> list[int]:
    """The organisation's accounts of cost and revenue: a few dozen, one for each dimension of a kind."""
    rows = connection.execute(
        sa.select(_accounts.c.id)
        .where(
            _accounts.c.org_id == org_id,
            _accounts.c.owner_kind == OwnerKind.ORG,
            _accounts.c.owner_id == org_id,
            _accounts.c.kind.in_((*_COST_KINDS, *_CHARGE_KINDS)),
        )
        .order_by(_accounts.c.id)
    )
    return list(rows.scalars())


def _in_region(connection: Connection, org_id: int, slice: MoneySlice) -> sa.ColumnElement[bool]:
    if not slice.region_id:
        return _postings.c.region_id.is_(None)
    if slice.is_region_alone:
        return _postings.c.region_id == slice.region_id
    wanted = with_below(slice.region_id, places.regions(connection, org_id))
    return _postings.c.region_id.in_(sorted(wanted))


def _of_tickets(asked: _Asked, measure: Measure) -> sa.Select[Any]:
    ticket = _postings.c.ticket_id
    amount = _summed(_AMOUNT_OF[measure]).label("amount")
    return asked.select(ticket.label("ticket_id"), amount).where(ticket.is_not(None)).group_by(ticket)


def _tickets_between(asked: _Asked, between: Between) -> sa.Select[Any]:
    of_ticket = _of_tickets(asked, between.measure).subquery()
    chosen = sa.select(of_ticket.c.ticket_id)
    if between.from_minor is not None:
        chosen = chosen.where(of_ticket.c.amount >= between.from_minor)
    if between.until_minor is not None:
        chosen = chosen.where(of_ticket.c.amount < between.until_minor)
    return chosen


def _figures(row: Any) -> Figures:
    return Figures(int(row.cost), int(row.charge), int(row.tickets))


def _size(found: Figures) -> int:
    return max(abs(found.cost_minor), abs(found.charge_minor))


def _undated(found: Mapping[date | None, Figures], slice: MoneySlice) -> tuple[Point, ...]:
    return (Point(None, found[None], slice),) if None in found else ()


def _anchored(slice: MoneySlice) -> MoneySlice:
    """The slice, ready to be narrowed: which tickets it is about stays as it is."""
    between = slice.between
    if between is None or between.within is not None:
        return slice
    return replace(slice, between=replace(between, within=replace(slice, between=None)))


def _narrowed(slice: MoneySlice, by: By, key: Any) -> MoneySlice:
    slice = _anchored(slice)
    if by is By.LINE:
        return replace(slice, line=key or "")
    if by is By.DIMENSION:
        return replace(slice, dimension=key)
    if by is By.REGION:
        return replace(slice, region_id=key or 0, is_region_alone=True)
    if by is By.TEAM:
        return replace(slice, team_id=key or 0)
    if by is By.TECHNICIAN:
        return replace(slice, technician_id=key or 0)
    return replace(slice, vendor_id=key or 0)


def _names(connection: Connection, org_id: int, by: By, keys: Collection[Any]) -> Mapping[Any, LocalText]:
    if by is By.LINE:
        # Lines are words of the customer; the screens know names for the usual ones.
        return {key: {"zh": key, "en": key} for key in keys if key}
    if by is By.DIMENSION:
        return dimension_names()
    if by is By.REGION:
        return {region.id: region.name for region in places.regions(connection, org_id)}
    if by is By.TEAM:
        return {crew.id: crew.name for crew in crews.crews(connection, org_id).values()}
    if by is By.VENDOR:
        return crews.vendor_names(connection, org_id)
    people = people_names.names(connection, [key for key in keys if key])
    return {key: {"zh": name, "en": name} for key, name in people.items()}


def _nameless(by: By, key: Any) -> LocalText:
    return _NOWHERE[by] if not key else {"zh": f"#{key}", "en": f"#{key}"}


def _counted(connection: Connection, viewer: Actor, slice: MoneySlice) -> tuple[int, Figures]:
    asked = _Asked(connection, viewer, slice)
    row = connection.execute(asked.select(*_MEASURED, sa.func.count().label("lines"))).one()
    return int(row.lines), _figures(row)


def _read_lines(
    connection: Connection, viewer: Actor, slice: MoneySlice, limit: int, offset: int
) -> tuple[MoneyLine, ...]:
    # Which lines, and in what order, is found on narrow rows; how they came about is long text.
    asked = _Asked(connection, viewer, slice, needs=("rating",))
    order = (_ratings.c.service_on.desc(), _journals.c.seq.desc(), _postings.c.id)
    ids = list(
        connection.execute(
            asked.select(_postings.c.id).order_by(*order).limit(limit).offset(offset)
        ).scalars()
    )
    rows = {
        row.id: row
        for start in range(0, len(ids), _AT_ONCE)
        for row in connection.execute(_WHOLE_LINES.where(_postings.c.id.in_(ids[start : start + _AT_ONCE])))
    }
    regions = {region.id: region.name for region in places.regions(connection, viewer.org_id)}
    dimensions = dimension_names()
    return tuple(_line(rows[each], regions, dimensions) for each in ids)


def _line(row: Any, regions: Mapping[int, LocalText], dimensions: Mapping[str, LocalText]) -> MoneyLine:
    is_charge = row.account_kind in _CHARGE_KINDS
    return MoneyLine(
        posting_id=row.id,
        journal_seq=row.seq,
        kind=row.kind,
        ticket_id=row.ticket_id,
        ticket_no=row.ticket_no,
        service_on=row.service_on,
        period_code=row.period_code,
        region=regions.get(row.region_id),
        technician=row.technician or "",
        dimension=dimensions.get(row.dimension, _NOWHERE[By.DIMENSION]),
        rule_name=None if row.explain is None else row.explain["name"],
        is_charge=is_charge,
        amount_minor=-row.amount_minor if is_charge else row.amount_minor,
    )


_WHOLE_LINES: Final = (
    sa.select(
        _postings.c.id,
        _journals.c.seq,
        _journals.c.kind,
        _postings.c.ticket_id,
        _journals.c.ticket_no,
        _ratings.c.service_on,
        _periods.c.code.label("period_code"),
        _postings.c.region_id,
        _technicians.c.name.label("technician"),
        _accounts.c.code.label("dimension"),
        _lines.c.explain,
        _accounts.c.kind.label("account_kind"),
        _postings.c.amount_minor,
    )
    .join(_accounts, _accounts.c.id == _postings.c.account_id)
    .join(_journals, _journals.c.id == _postings.c.journal_id)
    .join(_periods, _periods.c.id == _postings.c.period_id)
    .outerjoin(_ratings, _ratings.c.id == _journals.c.rating_id)
    .outerjoin(_technicians, _technicians.c.id == _ratings.c.technician_id)
    .outerjoin(_lines, _lines.c.id == _postings.c.rating_line_id)
)
