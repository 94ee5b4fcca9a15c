"""The board as a viewer may see it: lanes, windows of cards, exact counts, and single cards that changed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.customers import names as customer_names
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import Act, EdgeKind, HandlerMode, Node, Stage, StageCategory
from ticket_console.flows.graph import Graph
from ticket_console.kernel.actor import Actor, ActorKind, Role
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.people import names as people_names
from ticket_console.tickets.actions import Complete
from ticket_console.tickets.marking import Marking, TicketStatus
from ticket_console.tickets.moves import Move, preview, reachable_moves
from ticket_console.tickets.scoping import row_condition
from ticket_console.tickets.standing import Standing, standing_of
from ticket_console.tickets.tables import LaneCount, Ticket

WINDOW: Final = 50
# A search reads this many matches per lane at most, however many there are.
SEARCH_LENGTH: Final = 100

tickets = table(Ticket)
lane_counts = table(LaneCount)

Card = dict[str, Any]


class LaneNotFound(NotFound):
    code = "board.lane_not_found"


@dataclass(frozen=True, slots=True)
class BoardFilters:
    """What a viewer narrowed the board to; the default shows everything they may see."""

    region_id: int | None = None
    template_id: int | None = None
    priority: int | None = None
    assignee_id: int | None = None
    is_unassigned: bool = False
    is_overdue: bool = False
    is_mine: bool = False
    search: str = ""

    @property
    def narrows(self) -> bool:
        """Whether anything but the region is asked for: the kept counts know regions and classes only."""
        return (
            self.template_id is not None
            or self.priority is not None
            or self.assignee_id is not None
            or self.is_unassigned
            or self.is_overdue
            or self.is_mine
            or bool(self.search.strip())
        )


@dataclass(frozen=True, slots=True)
class Lane:
    key: str
    name: Mapping[str, str]
    category: str
    count: int
    cards: tuple[Card, ...]

    @property
    def has_more(self) -> bool:
        return self.count > len(self.cards)


@dataclass(frozen=True, slots=True)
class Board:
    lanes: tuple[Lane, ...]


def board_snapshot(connection: Connection, *, viewer: Actor, filters: BoardFilters, at: datetime) -> Board:
    """Every lane with its exact count and its first window of cards."""
    policy.require(viewer, "board.view")
    stages = lanes(connection, viewer.org_id)
    counts = lane_counts_of(connection, viewer=viewer, filters=filters, at=at)
    condition = _condition(viewer, filters, at)
    windows = [
        sa.select(*_COLUMNS)
        .where(condition, tickets.c.stage == stage.key)
        .order_by(tickets.c.priority_class, tickets.c.rank)
        .limit(WINDOW)
        .subquery()
        .select()
        for stage in stages
        if counts.get(stage.key)
    ]
    rows = connection.execute(sa.union_all(*windows)).all() if windows else []
    cards = _cards(connection, rows, viewer)
    return Board(
        tuple(
            Lane(
                stage.key,
                stage.name,
                stage.category.value,
                counts.get(stage.key, 0),
                tuple(card for card in cards if card["stage"] == stage.key),
            )
            for stage in stages
        )
    )


def lane_page(
    connection: Connection,
    *,
    viewer: Actor,
    filters: BoardFilters,
    at: datetime,
    stage: str,
    after: tuple[int, str] | None,
) -> tuple[Card, ...]:
    """The window of a lane that follows the card at `(priority_class, rank)`."""
    policy.require(viewer, "board.view")
    if stage not in {each.key for each in lanes(connection, viewer.org_id)}:
        raise LaneNotFound(lane=stage)
    query = (
        sa.select(*_COLUMNS)
        .where(_condition(viewer, filters, at), tickets.c.stage == stage)
        .order_by(tickets.c.priority_class, tickets.c.rank)
        .limit(WINDOW)
    )
    if after is not None:
        query = query.where(sa.tuple_(tickets.c.priority_class, tickets.c.rank) > sa.tuple_(*after))
    return tuple(_cards(connection, connection.execute(query).all(), viewer))


def changed_cards(
    connection: Connection, *, viewer: Actor, filters: BoardFilters, at: datetime, ticket_ids: Collection[int]
) -> tuple[tuple[Card, ...], frozenset[int], dict[str, int]]:
    """Of these tickets the cards the viewer's board shows, the ids it does not show, and its counts."""
    policy.require(viewer, "board.view")
    query = sa.select(*_COLUMNS).where(
        _condition(viewer, filters, at), tickets.c.id.in_(sorted(set(ticket_ids)))
    )
    cards = tuple(_cards(connection, connection.execute(query).all(), viewer))
    shown = {card["id"] for card in cards}
    counts = lane_counts_of(connection, viewer=viewer, filters=filters, at=at)
    return cards, frozenset(ticket_ids) - shown, counts


def lane_counts_of(
    connection: Connection, *, viewer: Actor, filters: BoardFilters, at: datetime
) -> dict[str, int]:
    """Exact counts by lane, from the kept sums where they know the answer, else counted."""
    scope = policy.row_scope(viewer, "ticket.view")
    if filters.narrows or scope.own:
        query = (
            sa.select(tickets.c.stage, sa.func.count())
            .where(_condition(viewer, filters, at))
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


_COLUMNS: Final = (
    tickets.c.id,
    tickets.c.no,
    tickets.c.version,
    tickets.c.title,
    tickets.c.stage,
    tickets.c.status,
    tickets.c.priority,
    tickets.c.priority_class,
    tickets.c.rank,
    tickets.c.customer_id,
    tickets.c.contact_name,
    tickets.c.site_id,
    tickets.c.region_id,
    tickets.c.template_id,
    tickets.c.ticket_class,
    tickets.c.assignee_id,
    tickets.c.is_vip,
    tickets.c.returns,
    tickets.c.progress_bp,
    tickets.c.opened_at,
    tickets.c.due_at,
    tickets.c.closed_at,
    tickets.c.updated_at,
    tickets.c.flow_version_id,
    tickets.c.marking,
)


def _condition(viewer: Actor, filters: BoardFilters, at: datetime) -> sa.ColumnElement[bool]:
    scope = policy.row_scope(viewer, "ticket.view")
    conditions = [
        tickets.c.org_id == viewer.org_id,
        row_condition(
            scope,
            region=tickets.c.region_id,
            ticket_class=tickets.c.ticket_class,
            own=_is_with(viewer),
        ),
    ]
    if filters.region_id is not None:
        conditions.append(tickets.c.region_id == filters.region_id)
    if filters.template_id is not None:
        conditions.append(tickets.c.template_id == filters.template_id)
    if filters.priority is not None:
        conditions.append(tickets.c.priority == filters.priority)
    if filters.assignee_id is not None:
        conditions.append(tickets.c.assignee_id == filters.assignee_id)
    if filters.is_unassigned:
        conditions += [tickets.c.assignee_id.is_(None), tickets.c.closed_at.is_(None)]
    if filters.is_overdue:
        conditions += [tickets.c.due_at < at, tickets.c.closed_at.is_(None)]
    if filters.is_mine:
        conditions.append(_is_with(viewer))
    sought = filters.search.strip()[:SEARCH_LENGTH]
    if sought:
        pattern = f"%{_literally(sought)}%"
        conditions.append(
            sa.or_(
                *(
                    column.ilike(pattern, escape="\\")
                    for column in (tickets.c.no, tickets.c.title, tickets.c.contact_name, tickets.c.address)
                )
            )
        )
    return sa.and_(*conditions)


def _is_with(viewer: Actor) -> sa.ColumnElement[bool]:
    """The viewer has the ticket; whoever is no technician has none, not those that nobody has."""
    if viewer.technician_id is None:
        return sa.false()
    return tickets.c.assignee_id == viewer.technician_id


def _literally(sought: str) -> str:
    return sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _cards(connection: Connection, rows: Iterable[Any], viewer: Actor) -> list[Card]:
    found = list(rows)
    sites = places.site_names(connection, {row.site_id for row in found if row.site_id})
    customers = customer_names.names(connection, {row.customer_id for row in found if row.customer_id})
    people = people_names.names(connection, {row.assignee_id for row in found if row.assignee_id})
    graphs = {
        version_id: flow_reads.compiled(connection, version_id)
        for version_id in {row.flow_version_id for row in found}
    }
    open_flows = {row.id: graphs[row.flow_version_id] for row in found if row.status is TicketStatus.OPEN}
    standing = standing_of(connection, open_flows) if open_flows else {}
    return [
        {
            "id": row.id,
            "no": row.no,
            "version": row.version,
            "title": row.title,
            "stage": row.stage,
            "priority": row.priority,
            "priority_class": row.priority_class,
            "rank": row.rank,
            "customer": customers.get(row.customer_id) or row.contact_name,
            "site": sites.get(row.site_id),
            "region_id": row.region_id,
            "template_id": row.template_id,
            "assignee": people.get(row.assignee_id),
            "assignee_id": row.assignee_id,
            "opened_at": instant_text(row.opened_at),
            "due_at": None if row.due_at is None else instant_text(row.due_at),
            "closed_at": None if row.closed_at is None else instant_text(row.closed_at),
            "updated_at": instant_text(row.updated_at),
            "progress_bp": row.progress_bp,
            **_stands(standing.get(row.id)),
            "flags": _flags(row),
            "moves": _card_moves(graphs[row.flow_version_id], row, viewer),
        }
        for row in found
    ]


def _stands(standing: Standing | None) -> dict[str, str]:
    """Since when a card stands at its step, and from when on that is late; ended ones stand nowhere."""
    if standing is None:
        return {}
    since = {"since": instant_text(standing.since)}
    return since if standing.late_at is None else {**since, "late_at": instant_text(standing.late_at)}


def _flags(row: Any) -> list[str]:
    flags = []
    if row.is_vip:
        flags.append("vip")
    if row.returns:
        flags.append("returned")
    if row.assignee_id is None and row.status is TicketStatus.OPEN:
        flags.append("unassigned")
    return flags


# Moves of a ticket at one step depend on the flow, the step and what the asker is to the ticket alone, so
# cards of one lane share them. Graphs live as long as the process and never change; the table is bounded
# by flows x nodes x roles.
_shared_moves: dict[tuple[int, str, frozenset[Role], bool], list[dict[str, str]]] = {}


def _card_moves(graph: Graph, row: Any, viewer: Actor) -> list[dict[str, str]]:
    """The lanes a card may be dropped on, by which edge, and what the drop has to be accompanied by."""
    if viewer.kind is not ActorKind.USER or row.status is not TicketStatus.OPEN:
        return []
    is_own = row.assignee_id is not None and row.assignee_id == viewer.technician_id
    # Somebody may have one role here and another elsewhere: what counts is what reaches this ticket.
    asker = policy.over_row(viewer, region_id=row.region_id, ticket_class=row.ticket_class, is_own=is_own)
    tokens = row.marking["tokens"]
    if len(tokens) != 1:
        return _moves_of(graph, Marking.of_json(row.marking), asker, is_own)
    key = (id(graph), tokens[0]["node_key"], asker.roles, is_own)
    moves = _shared_moves.get(key)
    if moves is None:
        marking = Marking.of_json(row.marking)
        moves = _shared_moves[key] = _moves_of(graph, marking, asker, is_own)
    return moves


_PERMISSION: Final = {EdgeKind.CANCEL: "ticket.cancel"}


def _moves_of(graph: Graph, marking: Marking, asker: Actor, is_own: bool) -> list[dict[str, str]]:
    moves: dict[str, dict[str, str]] = {}
    for move in reachable_moves(graph, marking):
        if not policy.allows(asker, _PERMISSION.get(move.kind, "ticket.act")):
            continue
        token = None if move.token_id is None else marking.token(move.token_id)
        node = None if token is None else graph.node_by_key[token.node_key]
        if node is not None and not _may(asker, node, move.kind, is_own):
            continue
        if move.kind is EdgeKind.CANCEL and _denies_cancel(graph, marking, asker):
            continue
        needs = "reason" if move.kind is not EdgeKind.FORWARD else "none"
        if node is not None and move.kind is EdgeKind.FORWARD:
            needs = "form" if node.evidence or any(use.required for use in node.fields) else "none"
        for stage in _stages_of(graph, marking, move):
            # The first way to a lane wins: forward comes before back.
            moves.setdefault(
                stage, {"to": stage, "edge": move.edge_key or "", "kind": move.kind.value, "needs": needs}
            )
    return list(moves.values())


def _denies_cancel(graph: Graph, marking: Marking, asker: Actor) -> bool:
    steps = (graph.node_by_key[token.node_key] for token in marking.active())
    return any(step.denies(asker.roles, Act.CANCEL) for step in steps)


def _stages_of(graph: Graph, marking: Marking, move: Move) -> list[str]:
    """Where a move leads; several lanes where entries not yet made decide."""
    if move.to_stage is not None:
        return [move.to_stage]
    if move.kind is EdgeKind.FORWARD and move.token_id is not None and len(marking.active()) > 1:
        # The others are still at work: the card goes, or stays, where they are.
        stage = preview(graph, marking, Complete(move.token_id, move.edge_key), {})
        return [] if stage is None else [stage]
    landings = graph.structure.landings.get(move.edge_key or "", ())
    return [graph.node_by_key[key].stage for key in landings]


_ACT: Final = {EdgeKind.FORWARD: Act.COMPLETE, EdgeKind.RETURN: Act.RETURN, EdgeKind.REJECT: Act.REJECT}


def _may(asker: Actor, node: Node, kind: EdgeKind, is_own: bool) -> bool:
    """What the command will decide, without reading the step's row."""
    handlers = node.possible_handlers
    is_own_step = is_own and any(handler.mode is HandlerMode.TECHNICIAN for handler in handlers)
    granted = [grant for grant in node.grants if grant.role in asker.roles]
    if granted:
        return any(
            _ACT[kind] in grant.acts and (is_own_step or grant.role != Role.TECHNICIAN) for grant in granted
        )
    if is_own_step or asker.roles & {Role.MANAGER, Role.DISPATCHER}:
        return True
    return any(handler.mode is HandlerMode.QUEUE and handler.role in asker.roles for handler in handlers)


def lanes(connection: Connection, org_id: int) -> tuple[Stage, ...]:
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
