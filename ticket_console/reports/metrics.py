"""Every figure of the dashboard, defined once: tile, chart and the list behind it share one condition.

A day is a day of the organisation's zone; intervals are half-open. A region stands for itself and all
below it, unless a slice asks for it alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.access.places import RegionView
from ticket_console.customers import names as customer_names
from ticket_console.flows import reads as flows
from ticket_console.forms import names as template_names
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people import names as people_names
from ticket_console.reports.durations import seconds_between
from ticket_console.reports.returned import Returned, was_returned
from ticket_console.tickets.scoping import row_condition
from ticket_console.tickets.tables import Ticket

tickets = table(Ticket)

PAGE: Final = 50
TREND_DAYS: Final = 14
# First-response and resolution times look at tickets that reached that point in these last days.
RECENT_DAYS: Final = 7


class Metric(StrEnum):
    """What a figure counts.

    OPENED and CLOSED are about one day: today, unless another is named. OVERDUE and IN_TIME are the two
    parts of OPEN.
    """

    OPEN = "open"
    OPENED = "opened"
    CLOSED = "closed"
    OVERDUE = "overdue"
    IN_TIME = "in_time"
    UNASSIGNED = "unassigned"
    RESPONDED = "responded"
    RESOLVED = "resolved"


class Order(StrEnum):
    """What a list can be ordered by."""

    NO = "no"
    PRIORITY = "priority"
    OPENED = "opened"
    DUE = "due"
    CLOSED = "closed"
    TOOK = "took"


@dataclass(frozen=True, slots=True)
class Slice:
    """What the figures are narrowed to; region 0 stands for "none"."""

    region_id: int | None = None
    template_id: int | None = None
    is_region_alone: bool = False
    returned: Returned | None = None
    site_id: int | None = None


@dataclass(frozen=True, slots=True)
class Sorting:
    by: Order
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Tile:
    """A count, or a median in seconds over `count` tickets (None where there were none)."""

    metric: Metric
    count: int
    median_seconds: float | None = None
    p90_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of the whole; `slice` narrows the lists behind it to exactly what it counts.

    The median is that of the `responded` tickets, None where there are none.
    """

    slice: Slice
    name: LocalText
    open: int
    overdue: int
    responded: int
    median_response_seconds: float | None

    @property
    def in_time(self) -> int:
        return self.open - self.overdue


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    opened: int
    closed: int


@dataclass(frozen=True, slots=True)
class Dashboard:
    tiles: tuple[Tile, ...]
    days: tuple[Day, ...]
    by_region: tuple[Bar, ...]
    by_template: tuple[Bar, ...]
    tz: str


@dataclass(frozen=True, slots=True)
class ListedTicket:
    id: int
    no: str
    title: str
    stage: LocalText
    stage_category: str
    priority: int
    template: LocalText
    region: LocalText | None
    customer: str
    assignee: str | None
    opened_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class TicketList:
    """One page of a list; pages count from 1, and `count` is that of all pages."""

    rows: tuple[ListedTicket, ...]
    count: int
    page: int
    pages: int
    sorting: Sorting
    tz: str


EVERYTHING: Final = Slice()


def dashboard(connection: Connection, *, viewer: Actor, at: datetime, slice: Slice) -> Dashboard:
    """All figures of one look, over the tickets the viewer may see."""
    policy.require(viewer, "dashboard.view")
    zone = ZoneInfo(places.org(connection, viewer.org_id).tz)
    counts = _counts(connection, viewer, at, zone, slice)
    tiles = [Tile(metric, counts[metric]) for metric in _COUNTED]
    tiles += [_median_tile(connection, viewer, at, zone, slice, metric) for metric in _TIMED]
    return Dashboard(
        tiles=tuple(tiles),
        days=_days(connection, viewer, at, zone, slice),
        by_region=_by_region(connection, viewer, at, zone, slice),
        by_template=_by_template(connection, viewer, at, zone, slice),
        tz=zone.key,
    )


def ticket_list(
    connection: Connection,
    *,
    viewer: Actor,
    at: datetime,
    slice: Slice,
    metric: Metric | None,
    on: date | None = None,
    search: str = "",
    sorting: Sorting | None = None,
    page: int = 1,
) -> TicketList:
    """One page of the tickets a figure counts, and how many there are; without a metric, of all.

    A page after the last one is the last one.
    """
    policy.require(viewer, "ticket.view")
    zone = ZoneInfo(places.org(connection, viewer.org_id).tz)
    condition = _asked(connection, viewer, at, zone, slice, metric, on, search)
    count = connection.execute(sa.select(sa.func.count()).select_from(tickets).where(condition)).scalar_one()
    pages = max(-(-count // PAGE), 1)
    shown = min(max(page, 1), pages)
    chosen = sorting or _USUAL.get(metric, Sorting(Order.OPENED, descending=True))
    rows = connection.execute(
        sa.select(tickets)
        .where(condition)
        .order_by(*_ordered(chosen, metric))
        .limit(PAGE)
        .offset((shown - 1) * PAGE)
    ).all()
    listed = listed_of(connection, viewer.org_id, rows, metric)
    return TicketList(listed, count, shown, pages, chosen, zone.key)


def ticket_rows(
    connection: Connection,
    *,
    viewer: Actor,
    at: datetime,
    slice: Slice,
    metric: Metric | None,
    on: date | None = None,
    search: str = "",
    most: int,
) -> Sequence[sa.Row[*tuple[Any, ...]]]:
    """The whole rows behind a list, the newest first; one more than `most` where there are more."""
    policy.require(viewer, "ticket.view")
    zone = ZoneInfo(places.org(connection, viewer.org_id).tz)
    condition = _asked(connection, viewer, at, zone, slice, metric, on, search)
    return connection.execute(
        sa.select(tickets).where(condition).order_by(tickets.c.id.desc()).limit(most + 1)
    ).all()


def _asked(
    connection: Connection,
    viewer: Actor,
    at: datetime,
    zone: ZoneInfo,
    slice: Slice,
    metric: Metric | None,
    on: date | None,
    search: str,
) -> sa.ColumnElement[bool]:
    condition = narrowed(connection, viewer, slice)
    if metric is not None:
        condition = sa.and_(condition, condition_of(metric, at=at, zone=zone, on=on))
    if search.strip():
        condition = sa.and_(condition, _matches(search.strip()))
    return condition


def condition_of(
    metric: Metric, *, at: datetime, zone: ZoneInfo, on: date | None = None
) -> sa.ColumnElement[bool]:
    """Which tickets a figure is about: the definition that tile, chart and list share."""
    start, end = _day_bounds(on or at.astimezone(zone).date(), zone)
    recent = at - timedelta(days=RECENT_DAYS)
    is_open = tickets.c.closed_at.is_(None)
    return {
        Metric.OPEN: is_open,
        Metric.OPENED: sa.and_(tickets.c.opened_at >= start, tickets.c.opened_at < end),
        Metric.CLOSED: sa.and_(tickets.c.closed_at >= start, tickets.c.closed_at < end),
        Metric.OVERDUE: sa.and_(is_open, tickets.c.due_at < at),
        Metric.IN_TIME: sa.and_(is_open, sa.or_(tickets.c.due_at.is_(None), tickets.c.due_at >= at)),
        Metric.UNASSIGNED: sa.and_(is_open, tickets.c.assignee_id.is_(None)),
        Metric.RESPONDED: sa.and_(tickets.c.responded_at >= recent, tickets.c.responded_at <= at),
        Metric.RESOLVED: sa.and_(tickets.c.resolved_at >= recent, tickets.c.resolved_at <= at),
    }[metric]


def with_below(region_id: int, regions: Sequence[RegionView]) -> frozenset[int]:
    """A region and all that lies below it."""
    children = [region.id for region in regions if region.parent_id == region_id]
    return frozenset({region_id}).union(*(with_below(child, regions) for child in children))


_COUNTED: Final = (
    Metric.OPEN,
    Metric.OPENED,
    Metric.CLOSED,
    Metric.OVERDUE,
    Metric.UNASSIGNED,
)
_TIMED: Final = (Metric.RESPONDED, Metric.RESOLVED)
_REACHED: Final = {Metric.RESPONDED: tickets.c.responded_at, Metric.RESOLVED: tickets.c.resolved_at}
_NOWHERE: Final[LocalText] = {"zh": "无区域", "en": "No region"}
_USUAL: Final[Mapping[Metric | None, Sorting]] = {
    Metric.OVERDUE: Sorting(Order.DUE),
    Metric.CLOSED: Sorting(Order.CLOSED, descending=True),
    Metric.RESPONDED: Sorting(Order.TOOK, descending=True),
    Metric.RESOLVED: Sorting(Order.TOOK, descending=True),
}
_SORTED_BY: Final[Mapping[Order, sa.ColumnElement[Any]]] = {
    Order.NO: tickets.c.id,
    Order.PRIORITY: tickets.c.priority,
    Order.OPENED: tickets.c.opened_at,
    Order.DUE: tickets.c.due_at,
    Order.CLOSED: tickets.c.closed_at,
}


def _ordered(sorting: Sorting, metric: Metric | None) -> tuple[sa.ColumnElement[Any], ...]:
    """Rows without the value come last either way; the newest ticket first where the values are alike."""
    value = _SORTED_BY.get(sorting.by)
    if value is None:
        reached = _REACHED.get(metric) if metric is not None else None
        value = seconds_between(tickets.c.opened_at, tickets.c.closed_at if reached is None else reached)
    return sa.nulls_last(value.desc() if sorting.descending else value.asc()), tickets.c.id.desc()


def narrowed(connection: Connection, viewer: Actor, slice: Slice) -> sa.ColumnElement[bool]:
    """The tickets of a slice that the viewer may see."""
    conditions = [
        tickets.c.org_id == viewer.org_id,
        row_condition(
            policy.row_scope(viewer, "ticket.view"),
            region=tickets.c.region_id,
            ticket_class=tickets.c.ticket_class,
            own=_own(viewer),
        ),
    ]
    if slice.region_id == 0:
        conditions.append(tickets.c.region_id.is_(None))
    elif slice.region_id is not None:
        wanted = frozenset({slice.region_id})
        if not slice.is_region_alone:
            wanted = with_below(slice.region_id, places.regions(connection, viewer.org_id))
        conditions.append(tickets.c.region_id.in_(sorted(wanted)))
    if slice.template_id is not None:
        conditions.append(tickets.c.template_id == slice.template_id)
    if slice.site_id is not None:
        conditions.append(tickets.c.site_id == slice.site_id)
    if slice.returned is not None:
        zone = ZoneInfo(places.org(connection, viewer.org_id).tz)
        conditions.append(was_returned(slice.returned, org_id=viewer.org_id, zone=zone))
    return sa.and_(*conditions)


def _own(viewer: Actor) -> sa.ColumnElement[bool]:
    if viewer.technician_id is None:
        return sa.false()
    return tickets.c.assignee_id == viewer.technician_id


def _matches(sought: str) -> sa.ColumnElement[bool]:
    literal = sought[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    columns = (tickets.c.no, tickets.c.title, tickets.c.contact_name, tickets.c.address)
    return sa.or_(*(column.ilike(f"%{literal}%", escape="\\") for column in columns))


def _counts(
    connection: Connection, viewer: Actor, at: datetime, zone: ZoneInfo, slice: Slice
) -> dict[Metric, int]:
    """Each count by itself: every one has its own index, one pass over all tickets would have none."""
    where = narrowed(connection, viewer, slice)
    counts = [
        sa.select(sa.func.count())
        .select_from(tickets)
        .where(where, condition_of(metric, at=at, zone=zone))
        .scalar_subquery()
        .label(metric.value)
        for metric in _COUNTED
    ]
    row = connection.execute(sa.select(*counts)).one()._asdict()
    return {metric: int(row[metric.value]) for metric in _COUNTED}


def _median_tile(
    connection: Connection, viewer: Actor, at: datetime, zone: ZoneInfo, slice: Slice, metric: Metric
) -> Tile:
    condition = sa.and_(narrowed(connection, viewer, slice), condition_of(metric, at=at, zone=zone))
    count = connection.execute(sa.select(sa.func.count()).select_from(tickets).where(condition)).scalar_one()
    if count == 0:
        return Tile(metric, 0)
    lasted = seconds_between(tickets.c.opened_at, _REACHED[metric])
    at_rank = sa.select(lasted).select_from(tickets).where(condition).order_by(lasted).limit(1)
    median = connection.execute(at_rank.offset((count - 1) // 2)).scalar_one()
    p90 = connection.execute(at_rank.offset(-(-count * 9 // 10) - 1)).scalar_one()
    return Tile(metric, count, max(float(median), 0.0), max(float(p90), 0.0))


def _days(
    connection: Connection, viewer: Actor, at: datetime, zone: ZoneInfo, slice: Slice
) -> tuple[Day, ...]:
    """Opened and closed per local day; one small count each, so that days of 23 hours come out right."""
    where = narrowed(connection, viewer, slice)
    last = at.astimezone(zone).date()
    counts = []
    for back in range(TREND_DAYS - 1, -1, -1):
        start, end = _day_bounds(last - timedelta(days=back), zone)
        for name, column in (("opened", tickets.c.opened_at), ("closed", tickets.c.closed_at)):
            counts.append(
                sa.select(sa.func.count())
                .select_from(tickets)
                .where(where, column >= start, column < end)
                .scalar_subquery()
                .label(f"{name}_{back}")
            )
    row = connection.execute(sa.select(*counts)).one()._asdict()
    return tuple(
        Day(last - timedelta(days=back), int(row[f"opened_{back}"]), int(row[f"closed_{back}"]))
        for back in range(TREND_DAYS - 1, -1, -1)
    )


def _by_region(
    connection: Connection, viewer: Actor, at: datetime, zone: ZoneInfo, slice: Slice
) -> tuple[Bar, ...]:
    regions = places.regions(connection, viewer.org_id)
    names = {region.id: region.name for region in regions}
    parents = {region.parent_id for region in regions}
    return tuple(
        Bar(
            replace(
                slice, region_id=group.id or 0, is_region_alone=group.id is not None and group.id in parents
            ),
            names.get(group.id, _NOWHERE),
            group.open,
            group.overdue,
            group.responded,
            group.median,
        )
        for group in _groups(connection, viewer, at, zone, slice, tickets.c.region_id)
    )


def _by_template(
    connection: Connection, viewer: Actor, at: datetime, zone: ZoneInfo, slice: Slice
) -> tuple[Bar, ...]:
    names = template_names.names(connection, viewer.org_id)
    return tuple(
        Bar(
            replace(slice, template_id=group.id),
            names[group.id],
            group.open,
            group.overdue,
            group.responded,
            group.median,
        )
        for group in _groups(connection, viewer, at, zone, slice, tickets.c.template_id)
    )


@dataclass(slots=True)
class _Group:
    id: Any
    open: int = 0
    overdue: int = 0
    responded: int = 0
    median: float | None = None


def _groups(
    connection: Connection,
    viewer: Actor,
    at: datetime,
    zone: ZoneInfo,
    slice: Slice,
    column: sa.ColumnElement[Any],
) -> list[_Group]:
    """What is open and how fast it was answered by each value of a column, the most open first."""
    where = narrowed(connection, viewer, slice)
    overdue = sa.func.sum(sa.case((tickets.c.due_at < at, 1), else_=0))
    standing = connection.execute(
        sa.select(column.label("id"), sa.func.count().label("open"), overdue.label("overdue"))
        .where(where, condition_of(Metric.OPEN, at=at, zone=zone))
        .group_by(column)
    )
    groups = {row.id: _Group(row.id, int(row.open), int(row.overdue)) for row in standing}
    lasted = seconds_between(tickets.c.opened_at, tickets.c.responded_at)
    order = sa.func.row_number().over(partition_by=column, order_by=lasted).label("place")
    whole = sa.func.count().over(partition_by=column).label("whole")
    ranked = (
        sa.select(column.label("id"), lasted.label("lasted"), order, whole)
        .where(where, condition_of(Metric.RESPONDED, at=at, zone=zone))
        .subquery()
    )
    # The lower median: place (n + 1) div 2, written without a division, which the databases do differently.
    middle = connection.execute(
        sa.select(ranked).where(
            ranked.c.place * 2 <= ranked.c.whole + 1, ranked.c.place * 2 >= ranked.c.whole
        )
    )
    for row in middle:
        group = groups.setdefault(row.id, _Group(row.id))
        group.responded, group.median = int(row.whole), max(float(row.lasted), 0.0)
    return sorted(groups.values(), key=lambda group: (-group.open, group.id or 0))


def listed_of(
    connection: Connection, org_id: int, rows: Sequence[Any], metric: Metric | None = None
) -> tuple[ListedTicket, ...]:
    """Rows of tickets with what their numbers stand for, in the same order."""
    regions = {region.id: region.name for region in places.regions(connection, org_id)}
    templates = template_names.names(connection, org_id)
    customers = customer_names.names(connection, {row.customer_id for row in rows if row.customer_id})
    people = people_names.names(connection, {row.assignee_id for row in rows if row.assignee_id})
    # A ticket keeps the flow it was opened with, so its stage is named by that one.
    stages = {
        (version, stage.key): stage
        for version in {row.flow_version_id for row in rows}
        for stage in flows.compiled(connection, version).stages
    }
    reached = _REACHED.get(metric) if metric is not None else None
    return tuple(
        ListedTicket(
            id=row.id,
            no=row.no,
            title=row.title,
            stage=stages[row.flow_version_id, row.stage].name,
            stage_category=stages[row.flow_version_id, row.stage].category.value,
            priority=row.priority,
            template=templates[row.template_id],
            region=regions.get(row.region_id),
            customer=customers.get(row.customer_id) or row.contact_name,
            assignee=people.get(row.assignee_id),
            opened_at=row.opened_at,
            due_at=row.due_at,
            closed_at=row.closed_at,
            seconds=None if reached is None else (getattr(row, reached.key) - row.opened_at).total_seconds(),
        )
        for row in rows
    )


def _day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    start = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    return start, datetime(after.year, after.month, after.day, tzinfo=zone)
