"""The lanes and rows of a board: which there are, and which of them a ticket is in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import Stage, StageCategory
from ticket_console.forms import names as template_names
from ticket_console.i18n.catalogs import translate
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.people import areas
from ticket_console.people import reads as people
from ticket_console.tickets.board_filters import By, Rows
from ticket_console.tickets.tables import Ticket

NOBODY: Final = "none"
OVERDUE, TODAY, TOMORROW, WEEK, LATER = "overdue", "today", "tomorrow", "week", "later"
DUE_LANES: Final = (OVERDUE, TODAY, TOMORROW, WEEK, LATER, NOBODY)
PRIORITIES: Final = (1, 2, 3, 4)
# Which lane of due times a board wants seen to first.
_PRESSING: Final = frozenset({OVERDUE, TODAY})

_tickets = table(Ticket)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LaneHead:
    """A lane without its cards; `is_ended` ones hold work that is over."""

    key: str
    name: Mapping[str, str]
    category: str
    is_ended: bool = False


@dataclass(frozen=True, slots=True)
class RowHead:
    key: str
    name: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Days:
    """The instants at which today, tomorrow and the week are over, seen from one moment in one zone."""

    at: datetime
    today: datetime
    tomorrow: datetime
    week: datetime

    def lane_of(self, due_at: datetime | None) -> str:
        if due_at is None:
            return NOBODY
        if due_at < self.at:
            return OVERDUE
        if due_at < self.today:
            return TODAY
        if due_at < self.tomorrow:
            return TOMORROW
        return WEEK if due_at < self.week else LATER


@dataclass(frozen=True, slots=True)
class Calendar:
    """A ticket is due today where its work is: `elsewhere` are regions with another zone than the seat.

    `regions` are the names of all, read along.
    """

    here: Days
    elsewhere: Mapping[int, Days]
    regions: Mapping[int, Mapping[str, str]] = field(default_factory=dict)

    def lane_of(self, due_at: datetime | None, region_id: int | None) -> str:
        days = self.here if region_id is None else self.elsewhere.get(region_id, self.here)
        return days.lane_of(due_at)


def days_of(at: datetime, zone: ZoneInfo) -> Days:
    midnight = datetime.combine(at.astimezone(zone).date(), time(), zone)
    # Wall-clock days: one with a change of the clock is an hour longer or shorter.
    to_monday = 7 - midnight.weekday()
    return Days(at, midnight + _DAY, midnight + 2 * _DAY, midnight + to_monday * _DAY)


def calendar(connection: Connection, org_id: int, at: datetime) -> Calendar:
    seat = places.org(connection, org_id).tz
    days = {seat: days_of(at, ZoneInfo(seat))}
    elsewhere = {}
    regions = places.regions(connection, org_id)
    for region in regions:
        if region.tz != seat:
            if region.tz not in days:
                days[region.tz] = days_of(at, ZoneInfo(region.tz))
            elsewhere[region.id] = days[region.tz]
    return Calendar(days[seat], elsewhere, {region.id: region.name for region in regions})


def lane_heads(connection: Connection, viewer: Actor, by: By) -> tuple[LaneHead, ...]:
    """Every lane there is, in its order, whether or not it holds anything."""
    if by is By.STAGE:
        return tuple(
            LaneHead(
                stage.key,
                stage.name,
                stage.category.value,
                stage.category in (StageCategory.DONE, StageCategory.CANCELLED),
            )
            for stage in stages(connection, viewer.org_id)
        )
    if by is By.DUE:
        return tuple(
            LaneHead(key, texts(f"board.due.{key}"), "doing" if key in _PRESSING else "todo")
            for key in DUE_LANES
        )
    nobody = LaneHead(NOBODY, texts(f"board.nobody.{by}"), "todo")
    if by is By.PERSON:
        found = [(each.id, _same(each.name)) for each in people.technicians(connection, viewer)]
    else:
        found = [(each.id, each.name) for each in areas.areas(connection, viewer)]
    return (nobody, *(LaneHead(str(id), name, "doing") for id, name in found))


def row_heads(connection: Connection, viewer: Actor, rows: Rows) -> tuple[RowHead, ...]:
    if rows is Rows.NONE:
        return ()
    if rows is Rows.PRIORITY:
        return tuple(RowHead(str(each), texts(f"priority.{each}")) for each in PRIORITIES)
    if rows is Rows.TEMPLATE:
        named = template_names.names(connection, viewer.org_id)
        return tuple(RowHead(str(id), name) for id, name in sorted(named.items()))
    if rows is Rows.ASSIGNEE:
        heads = [RowHead(str(each.id), _same(each.name)) for each in people.technicians(connection, viewer)]
        return (RowHead(NOBODY, texts("board.nobody.person")), *heads)
    scope = policy.row_scope(viewer, "ticket.view")
    everywhere = any(part.region_ids is None for part in scope.parts)
    regions = [
        RowHead(str(each.id), each.name)
        for each in places.regions(connection, viewer.org_id)
        if everywhere or each.id in scope.region_ids
    ]
    return (*regions, RowHead(NOBODY, texts("board.nobody.region")))


def lane_column(by: By, days: Calendar) -> sa.ColumnElement[Any]:
    """What the database groups by; `lane_key` makes the lane's key of it."""
    if by is By.PERSON:
        return _tickets.c.assignee_id
    if by is By.TERRITORY:
        return _tickets.c.territory_id
    if by is By.STAGE:
        return _tickets.c.stage
    here = _due_case(days.here)
    same: dict[Days, list[int]] = {}
    for region_id, other in days.elsewhere.items():
        same.setdefault(other, []).append(region_id)
    if not same:
        return here
    return sa.case(
        *((_tickets.c.region_id.in_(sorted(ids)), _due_case(other)) for other, ids in same.items()),
        else_=here,
    )


def _due_case(days: Days) -> sa.ColumnElement[str]:
    due = _tickets.c.due_at
    return sa.case(
        (due.is_(None), sa.literal(NOBODY)),
        (due < days.at, sa.literal(OVERDUE)),
        (due < days.today, sa.literal(TODAY)),
        (due < days.tomorrow, sa.literal(TOMORROW)),
        (due < days.week, sa.literal(WEEK)),
        else_=sa.literal(LATER),
    )


_ROW_COLUMNS: Final = {
    Rows.PRIORITY: _tickets.c.priority,
    Rows.REGION: _tickets.c.region_id,
    Rows.TEMPLATE: _tickets.c.template_id,
    Rows.ASSIGNEE: _tickets.c.assignee_id,
}


def row_column(rows: Rows) -> sa.ColumnElement[Any]:
    return sa.literal("") if rows is Rows.NONE else _ROW_COLUMNS[rows]


def key_of(value: Any) -> str:
    """The key of a lane or a row from what the database groups by."""
    return NOBODY if value is None else str(value)


def lane_of(by: By, row: Any, days: Calendar) -> str:
    """The lane of one ticket, as `lane_column` tells it for all."""
    if by is By.STAGE:
        return str(row.stage)
    if by is By.DUE:
        return days.lane_of(row.due_at, row.region_id)
    return key_of(row.assignee_id if by is By.PERSON else row.territory_id)


def row_of(rows: Rows, row: Any) -> str:
    if rows is Rows.NONE:
        return ""
    return key_of(getattr(row, _ROW_COLUMNS[rows].key))


def is_in(column: sa.ColumnElement[Any], key: str) -> sa.ColumnElement[bool]:
    """Whether a ticket is in the lane or row with a key; a key that is none of its kind holds nothing."""
    if isinstance(column.type, sa.Integer):
        if key == NOBODY:
            return column.is_(None)
        return column == int(key) if key.isascii() and key.isdecimal() and len(key) < 10 else sa.false()
    return column == key


def stages(connection: Connection, org_id: int) -> tuple[Stage, ...]:
    """The union of all flows' stages by key, in the order of work: what is to do first, what ended last.

    Within a category a stage keeps the place it has in the flow with the most stages.
    """
    graphs = sorted(
        flow_reads.current_graphs(connection, org_id), key=lambda graph: len(graph.stages), reverse=True
    )
    found: dict[str, Stage] = {}
    for graph in graphs:
        for stage in graph.stages:
            found.setdefault(stage.key, stage)
    order = list(StageCategory)
    return tuple(sorted(found.values(), key=lambda stage: order.index(stage.category)))


@lru_cache(maxsize=64)
def texts(key: str) -> LocalText:
    """A text of ours as a label in every language, as customers' own labels are."""
    return {locale: translate(key, locale) for locale in LOCALES}


def _same(name: str) -> LocalText:
    return dict.fromkeys(LOCALES, name)
