"""The board as a viewer may see it: lanes, windows of cards, exact counts, and single cards that changed."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.people import areas
from ticket_console.people import names as people_names
from ticket_console.tickets import board_lanes
from ticket_console.tickets.board_cards import COLUMNS, Card, cards_of
from ticket_console.tickets.board_filters import IS_OPEN, SEARCH_LENGTH, BoardFilters, By, Rows, condition
from ticket_console.tickets.board_lanes import Calendar, LaneHead, RowHead
from ticket_console.tickets.scoping import row_condition
from ticket_console.tickets.tables import LaneCount, Ticket

__all__ = [
    "CELL_WINDOW",
    "SEARCH_LENGTH",
    "WINDOW",
    "Board",
    "BoardFilters",
    "By",
    "Card",
    "Changed",
    "Lane",
    "LaneNotFound",
    "Rows",
    "board_snapshot",
    "changed_cards",
    "lane_counts_of",
    "lane_page",
]

WINDOW: Final = 50
# A lane that is divided into rows shows the first of each.
CELL_WINDOW: Final = 20

tickets = table(Ticket)
lane_counts = table(LaneCount)

Cells = dict[str, dict[str, int]]


class LaneNotFound(NotFound):
    code = "board.lane_not_found"


@dataclass(frozen=True, slots=True)
class Lane:
    """`cells` are the exact counts by row, where the board has rows and the lane holds open work."""

    key: str
    name: Mapping[str, str]
    category: str
    count: int
    cards: tuple[Card, ...]
    cells: Mapping[str, int] | None = None

    @property
    def has_more(self) -> bool:
        return self.count > len(self.cards)


@dataclass(frozen=True, slots=True)
class Board:
    lanes: tuple[Lane, ...]
    rows: tuple[RowHead, ...] = ()


class Changed(NamedTuple):
    """Of tickets that changed: the cards a board shows, the ids it does not show, and its counts."""

    cards: tuple[Card, ...]
    gone: frozenset[int]
    counts: dict[str, int]
    cells: Cells | None


def board_snapshot(connection: Connection, *, viewer: Actor, filters: BoardFilters, at: datetime) -> Board:
    """Every lane with its exact count and its first window of cards."""
    policy.require(viewer, "board.view")
    filters = _sound(filters)
    days = board_lanes.calendar(connection, viewer.org_id, at)
    heads = board_lanes.lane_heads(connection, viewer, filters.by)
    shown = condition(connection, viewer, filters, at)
    cells: Cells | None
    if filters.search.strip() and filters.by is By.STAGE and not filters.is_open_only:
        # A search finds few: they are put into their lanes at once, ended ones among them.
        rows, cells = _placed_windows(connection, shown, filters, days)
        counts = {lane: sum(inside.values()) for lane, inside in cells.items()}
    elif filters.by is By.STAGE and filters.rows is Rows.NONE and not filters.is_open_only:
        counts = lane_counts_of(connection, viewer=viewer, filters=filters, at=at)
        cells = None
        rows = _windows(connection, shown, [head for head in heads if counts.get(head.key)])
    else:
        rows, cells = _placed_windows(connection, sa.and_(shown, IS_OPEN), filters, days)
        counts = {lane: sum(inside.values()) for lane, inside in cells.items()}
        ended = [head for head in heads if head.is_ended]
        if ended and not filters.is_open_only:
            every = lane_counts_of(connection, viewer=viewer, filters=filters, at=at)
            counts |= {head.key: every[head.key] for head in ended if head.key in every}
            rows += _windows(connection, shown, [head for head in ended if counts.get(head.key)])
    cards = cards_of(connection, rows, viewer=viewer, filters=filters, days=days)
    heads = (*heads, *_unlisted(connection, viewer, filters.by, counts.keys() - {each.key for each in heads}))
    divided = {}
    if cells is not None and filters.rows is not Rows.NONE:
        divided = {head.key: cells.get(head.key, {}) for head in heads if not head.is_ended}
    inside: dict[str, list[Card]] = {head.key: [] for head in heads}
    for card in cards:
        if card["lane"] in inside:
            inside[card["lane"]].append(card)
    return Board(
        tuple(
            Lane(
                head.key,
                head.name,
                head.category,
                counts.get(head.key, 0),
                tuple(inside[head.key]),
                divided.get(head.key),
            )
            for head in heads
        ),
        _rows(connection, viewer, filters.rows, cells),
    )


def lane_page(
    connection: Connection,
    *,
    viewer: Actor,
    filters: BoardFilters,
    at: datetime,
    lane: str,
    after: tuple[int, str] | None,
    row: str = "",
) -> tuple[Card, ...]:
    """The window of a lane, or of its part in a row, that follows the card at `(priority_class, rank)`."""
    policy.require(viewer, "board.view")
    filters = _sound(filters)
    heads = {each.key: each for each in board_lanes.lane_heads(connection, viewer, filters.by)}
    if lane not in heads and filters.by in (By.STAGE, By.DUE):
        raise LaneNotFound(lane=lane)
    days = board_lanes.calendar(connection, viewer.org_id, at)
    query = (
        sa.select(*COLUMNS)
        .where(
            condition(connection, viewer, filters, at),
            board_lanes.is_in(board_lanes.lane_column(filters.by, days), lane),
        )
        .order_by(tickets.c.priority_class, tickets.c.rank)
        .limit(WINDOW if filters.rows is Rows.NONE else CELL_WINDOW)
    )
    if filters.by is not By.STAGE:
        query = query.where(IS_OPEN)
    head = heads.get(lane)
    if filters.rows is not Rows.NONE and not (head is not None and head.is_ended):
        query = query.where(board_lanes.is_in(board_lanes.row_column(filters.rows), row), IS_OPEN)
    if after is not None:
        query = query.where(sa.tuple_(tickets.c.priority_class, tickets.c.rank) > sa.tuple_(*after))
    found = connection.execute(query).all()
    return tuple(cards_of(connection, found, viewer=viewer, filters=filters, days=days))


def changed_cards(
    connection: Connection, *, viewer: Actor, filters: BoardFilters, at: datetime, ticket_ids: Collection[int]
) -> Changed:
    """Of these tickets the cards the viewer's board shows, the ids it does not show, and its counts."""
    policy.require(viewer, "board.view")
    filters = _sound(filters)
    days = board_lanes.calendar(connection, viewer.org_id, at)
    shown = condition(connection, viewer, filters, at)
    query = sa.select(*COLUMNS).where(shown, tickets.c.id.in_(sorted(set(ticket_ids))))
    if filters.by is not By.STAGE:
        query = query.where(IS_OPEN)
    cards = tuple(
        cards_of(connection, connection.execute(query).all(), viewer=viewer, filters=filters, days=days)
    )
    gone = frozenset(ticket_ids) - {card["id"] for card in cards}
    is_all_stages = filters.by is By.STAGE and not filters.is_open_only
    counts = lane_counts_of(connection, viewer=viewer, filters=filters, at=at) if is_all_stages else {}
    if is_all_stages and filters.rows is Rows.NONE:
        return Changed(cards, gone, counts, None)
    cells = _cells(connection, shown, filters, days)
    if not is_all_stages:
        counts = {lane: sum(inside.values()) for lane, inside in cells.items()}
    return Changed(cards, gone, counts, cells if filters.rows is not Rows.NONE else None)


def lane_counts_of(
    connection: Connection, *, viewer: Actor, filters: BoardFilters, at: datetime
) -> dict[str, int]:
    """Exact counts by stage, from the kept sums where they know the answer, else counted."""
    scope = policy.row_scope(viewer, "ticket.view")
    if filters.narrows or scope.own:
        query = (
            sa.select(tickets.c.stage, sa.func.count())
            .where(condition(connection, viewer, filters, at))
            .group_by(tickets.c.stage)
        )
    else:
        query = (
            sa.select(lane_counts.c.stage, sa.func.sum(lane_counts.c.tickets))
            .where(
                lane_counts.c.org_id == viewer.org_id,
                row_condition(
                    scope,
                    region=lane_counts.c.region_id,
                    ticket_class=lane_counts.c.ticket_class,
                    own=sa.false(),
                ),
            )
            .group_by(lane_counts.c.stage)
        )
        if filters.region_id is not None:
            # The counts keep 0 for tickets without a region, and no region has that number.
            query = query.where(lane_counts.c.region_id == (filters.region_id or -1))
    return {stage: int(count) for stage, count in connection.execute(query) if count}


def _sound(filters: BoardFilters) -> BoardFilters:
    """Rows by the person a lane stands for would say everything twice."""
    if filters.by is By.PERSON and filters.rows is Rows.ASSIGNEE:
        return replace(filters, rows=Rows.NONE)
    return filters


def _windows(connection: Connection, shown: sa.ColumnElement[bool], heads: Iterable[LaneHead]) -> list[Any]:
    """The first window of each of these stages."""
    windows = [
        sa.select(tickets.c.id)
        .where(shown, tickets.c.stage == head.key)
        .order_by(tickets.c.priority_class, tickets.c.rank)
        .limit(WINDOW)
        .subquery()
        .select()
        for head in heads
    ]
    if not windows:
        return []
    within = (
        sa.select(*COLUMNS)
        .where(tickets.c.id.in_(sa.union_all(*windows)))
        .order_by(tickets.c.priority_class, tickets.c.rank)
    )
    return list(connection.execute(within).all())


def _placed_windows(
    connection: Connection, shown: sa.ColumnElement[bool], filters: BoardFilters, days: Calendar
) -> tuple[list[Any], Cells]:
    """The first window of every lane and row, with the exact counts."""
    lane, row = board_lanes.lane_column(filters.by, days), board_lanes.row_column(filters.rows)
    # Read on its own, so that it is found in the index of open work and sorted afterwards.
    work = (
        sa.select(
            tickets.c.id,
            tickets.c.priority_class,
            tickets.c.rank,
            lane.label("lane_value"),
            row.label("row_value"),
        )
        .where(shown)
        .cte("work")
        .prefix_with("MATERIALIZED")
    )
    together = [work.c.lane_value] if filters.rows is Rows.NONE else [work.c.lane_value, work.c.row_value]
    placed = sa.select(
        work.c.id,
        work.c.lane_value,
        work.c.row_value,
        sa.func.row_number()
        .over(partition_by=together, order_by=(work.c.priority_class, work.c.rank))
        .label("place"),
        sa.func.count().over(partition_by=together).label("total"),
    ).subquery()
    window = WINDOW if filters.rows is Rows.NONE else CELL_WINDOW
    rows = connection.execute(
        sa.select(*COLUMNS, placed.c.lane_value, placed.c.row_value, placed.c.total)
        .join(placed, placed.c.id == tickets.c.id)
        .where(placed.c.place <= window)
        .order_by(tickets.c.priority_class, tickets.c.rank)
    ).all()
    cells: Cells = {}
    for each in rows:
        inside = cells.setdefault(board_lanes.key_of(each.lane_value), {})
        inside[board_lanes.key_of(each.row_value)] = each.total
    return list(rows), cells


def _cells(
    connection: Connection, shown: sa.ColumnElement[bool], filters: BoardFilters, days: Calendar
) -> Cells:
    lane, row = board_lanes.lane_column(filters.by, days), board_lanes.row_column(filters.rows)
    placed = (
        sa.select(lane.label("lane_value"), row.label("row_value"))
        .where(shown, IS_OPEN)
        .cte("work")
        .prefix_with("MATERIALIZED")
    )
    cells: Cells = {}
    for lane_value, row_value, count in connection.execute(
        sa.select(placed.c.lane_value, placed.c.row_value, sa.func.count()).group_by(
            placed.c.lane_value, placed.c.row_value
        )
    ):
        cells.setdefault(board_lanes.key_of(lane_value), {})[board_lanes.key_of(row_value)] = count
    return cells


def _unlisted(connection: Connection, viewer: Actor, by: By, keys: Collection[str]) -> list[LaneHead]:
    """Lanes of people and territories the viewer would not be offered, but whose open work they see."""
    ids = sorted(int(key) for key in keys if key.isdecimal())
    if by is By.PERSON:
        named: Mapping[int, Any] = people_names.names(connection, ids)
        return [LaneHead(str(id), {"zh": named[id], "en": named[id]}, "doing") for id in ids]
    if by is By.TERRITORY:
        named = areas.area_names(connection, viewer.org_id)
        return [LaneHead(str(id), named[id], "doing") for id in ids]
    return []


def _rows(connection: Connection, viewer: Actor, rows: Rows, cells: Cells | None) -> tuple[RowHead, ...]:
    if rows is Rows.NONE or cells is None:
        return ()
    heads = board_lanes.row_heads(connection, viewer, rows)
    used = Counter(key for inside in cells.values() for key in inside)
    ids = sorted(int(key) for key in used.keys() - {head.key for head in heads} if key.isdecimal())
    if rows is Rows.ASSIGNEE:
        named: Mapping[int, Any] = people_names.names(connection, ids)
        return (*heads, *(RowHead(str(id), {"zh": named[id], "en": named[id]}) for id in ids))
    if rows is Rows.REGION:
        regions = {each.id: each.name for each in places.regions(connection, viewer.org_id)}
        return (*heads, *(RowHead(str(id), regions[id]) for id in ids))
    return heads
