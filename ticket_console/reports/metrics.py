"""Every figure of the dashboard, defined once: tile, chart and the list behind it share one condition.

A day is a day of the organisation's zone; intervals are half-open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.customers import names as customer_names
from ticket_console.forms import names as template_names
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people import names as people_names
from ticket_console.reports.durations import seconds_between
from ticket_console.tickets.scoping import row_condition
from ticket_console.tickets.tables import Ticket

tickets = table(Ticket)

PAGE: Final = 50
TREND_DAYS: Final = 14
# First-response and resolution times look at tickets that reached that point in these last days.
RECENT_DAYS: Final = 7


class Metric(StrEnum):
    OPEN = "open"
    NEW_TODAY = "new_today"
    CLOSED_TODAY = "closed_today"
    OVERDUE = "overdue"
    UNASSIGNED = "unassigned"
    RESPONDED = "responded"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Slice:
    """What the figures are narrowed to."""

    region_id: int | None = None
    template_id: int | None = None


@dataclass(frozen=True, slots=True)
class Tile:
    """A count, or a median in seconds over `count` tickets (None where there were none)."""

    metric: Metric
    count: int
    median_seconds: float | None = None
    p90_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of the whole: `id` narrows the list behind it; 0 stands for "none"."""

    id: int
    name: LocalText
    open: int
    overdue: int
    median_response_seconds: float | None


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
    stage: str
    status: str
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
    rows: tuple[ListedTicket, ...]
    count: int


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
    search: str = "",
    page: int = 0,
) -> TicketList:
    """One page of the tickets a figure counts, and how many there are; without a metric, of all."""
    policy.require(viewer, "ticket.view")
    zone = ZoneInfo(places.org(connection, viewer.org_id).tz)
    condition = _where(viewer, slice)
    if metric is not None:
        condition = sa.and_(condition, condition_of(metric, at=at, zone=zone))
    if search.strip():
        condition = sa.and_(condition, _matches(search.strip()))
    count = connection.execute(sa.select(sa.func.count()).select_from(tickets).where(condition)).scalar_one()
    rows = connection.execute(
        sa.select(tickets)
        .where(condition)
        .order_by(*_ORDER.get(metric, (tickets.c.opened_at.desc(), tickets.c.id.desc())))
        .limit(PAGE)
        .offset(max(page, 0) * PAGE)
    ).all()
    return TicketList(_listed(connection, viewer.org_id, rows, metric), count)


def condition_of(metric: Metric, *, at: datetime, zone: ZoneInfo) -> sa.ColumnElement[bool]:
    """Which tickets a figure is about: the definition that tile, chart and list share."""
    today, tomorrow = _day_bounds(at.astimezone(zone).date(), zone)
    recent = at - timedelta(days=RECENT_DAYS)
    is_open = tickets.c.closed_at.is_(None)
    return {
        Metric.OPEN: is_open,
        Metric.NEW_TODAY: sa.and_(tickets.c.opened_at >= today, tickets.c.opened_at < tomorrow),
        Metric.CLOSED_TODAY: sa.and_(tickets.c.closed_at >= today, tickets.c.closed_at < tomorrow),
        Metric.OVERDUE: sa.and_(is_open, tickets.c.due_at < at),
        Metric.UNASSIGNED: sa.and_(is_open, tickets.c.assignee_id.is_(None)),
        Metric.RESPONDED: sa.and_(tickets.c.responded_at >= recent, tickets.c.responded_at <= at),
        Metric.RESOLVED: sa.and_(tickets.c.resolved_at >= recent, tickets.c.resolved_at <= at),
    }[metric]


_COUNTED: Final = (
    Metric.OPEN,
    Metric.NEW_TODAY,
    Metric.CLOSED_TODAY,
    Metric.OVERDUE,
    Metric.UNASSIGNED,
)
_TIMED: Final = (Metric.RESPONDED, Metric.RESOLVED)
_REACHED: Final = {Metric.RESPONDED: tickets.c.responded_at, Metric.RESOLVED: tickets.c.resolved_at}
_ORDER: Final[Mapping[Metric | None, Sequence[sa.ColumnElement[Any]]]] = {
    Metric.OVERDUE: (tickets.c.due_at, tickets.c.id),
    Metric.CLOSED_TODAY: (tickets.c.closed_at.desc(), tickets.c.id),
}


def _where(viewer: Actor, slice: Slice) -> sa.ColumnElement[bool]:
    conditions = [
        tickets.c.org_id == viewer.org_id,
        row_condition(
            policy.row_scope(viewer, "ticket.view"),
            region=tickets.c.region_id,
            ticket_class=tickets.c.ticket_class,
            own=tickets.c.assignee_id == viewer.technician_id,
        ),
    ]
    if slice.region_id is not None:
        conditions.append(
            tickets.c.region_id.is_(None) if slice.region_id == 0 else tickets.c.region_id == slice.region_id
        )
    if slice.template_id is not None:
        conditions.append(tickets.c.template_id == slice.template_id)
    return sa.and_(*conditions)


def _matches(sought: str) -> sa.ColumnElement[bool]:
    literal = sought[:100].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    columns = (tickets.c.no, tickets.c.title, tickets.c.contact_name, tickets.c.address)
    return sa.or_(*(column.ilike(f"%{literal}%", escape="\\") for column in columns))


def _counts(
    connection: Connection, viewer: Actor, at: datetime, zone: ZoneInfo, slice: Slice
) -> dict[Metric, int]:
    """Each count by itself: every one has its own index, one pass over all tickets would have none."""
    where = _where(viewer, slice)
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
    condition = sa.and_(_where(viewer, slice), condition_of(metric, at=at, zone=zone))
    count = connection.execute(sa.select(sa.func.count()).select_from(tickets).where(condition)).scalar_one()
    if count == 0:
        return Tile(metric, 0)
    lasted = seconds_between(tickets.c.opened_at, _REACHED[metric])
    at_rank = sa.select(lasted).select_from(tickets).where(condition).order_by(lasted).limit(1)
    median = connection.execute(at_rank.offset((count - 1) // 2)).scalar_one()
    p90 = connection.execute(at_rank.offset(min(count - 1, (count * 9) // 10))).scalar_one()
    return Tile(metric, count, max(float(median), 0.0), max(float(p90), 0.0))


def _days(
    connection: Connection, viewer: Actor, at: datetime, zone: ZoneInfo, slice: Slice
) -> tuple[Day, ...]:
    """Opened and closed per local day; one small count each, so that days of 23 hours come out right."""
    where = _where(viewer, slice)
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
    names = {region.id: region.name for region in places.regions(connection, viewer.org_id)}
    return _bars(connection, viewer, at, zone, slice, tickets.c.region_id, names)


def _by_template(
    connection: Connection, viewer: Actor, at: datetime, zone: ZoneInfo, slice: Slice
) -> tuple[Bar, ...]:
    names = template_names.names(connection, viewer.org_id)
    return _bars(connection, viewer, at, zone, slice, tickets.c.template_id, names)


def _bars(
    connection: Connection,
    viewer: Actor,
    at: datetime,
    zone: ZoneInfo,
    slice: Slice,
    column: sa.ColumnElement[Any],
    names: Mapping[int, LocalText],
) -> tuple[Bar, ...]:
    where = _where(viewer, slice)
    overdue = sa.func.sum(sa.case((tickets.c.due_at < at, 1), else_=0))
    standing = connection.execute(
        sa.select(column.label("id"), sa.func.count().label("open"), overdue.label("overdue"))
        .where(where, condition_of(Metric.OPEN, at=at, zone=zone))
        .group_by(column)
    ).all()
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
        sa.select(ranked.c.id, ranked.c.lasted).where(
            ranked.c.place * 2 <= ranked.c.whole + 1, ranked.c.place * 2 >= ranked.c.whole
        )
    ).all()
    medians = {row.id or 0: max(float(row.lasted), 0.0) for row in middle}
    bars = [
        Bar(
            row.id or 0,
            names.get(row.id, {"zh": "未划分", "en": "None"}),
            int(row.open),
            int(row.overdue),
            medians.get(row.id or 0),
        )
        for row in standing
    ]
    return tuple(sorted(bars, key=lambda bar: (-bar.open, bar.id)))


def _listed(
    connection: Connection, org_id: int, rows: Sequence[Any], metric: Metric | None
) -> tuple[ListedTicket, ...]:
    regions = {region.id: region.name for region in places.regions(connection, org_id)}
    templates = template_names.names(connection, org_id)
    customers = customer_names.names(connection, {row.customer_id for row in rows if row.customer_id})
    people = people_names.names(connection, {row.assignee_id for row in rows if row.assignee_id})
    reached = _REACHED.get(metric) if metric is not None else None
    return tuple(
        ListedTicket(
            id=row.id,
            no=row.no,
            title=row.title,
            stage=row.stage,
            status=row.status.value,
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
