"""Cards: what a ticket says at a glance. Everything is read for all cards of a board at once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from ticket_console.access import places
from ticket_console.customers import names as customer_names
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import LinkKind, Node, NodeKind
from ticket_console.flows.graph import Graph
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import table
from ticket_console.people import areas
from ticket_console.people import names as people_names
from ticket_console.tickets.board_filters import BoardFilters, By
from ticket_console.tickets.board_lanes import Calendar, lane_of, row_of
from ticket_console.tickets.board_moves import card_moves
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.reads import visible_to
from ticket_console.tickets.standing import late_at
from ticket_console.tickets.tables import Attachment, OwnerKind, Ticket, TicketLink, TokenRow

Card = dict[str, Any]
Reason = dict[str, Any]

PHOTO: Final = "photo"

_tickets = table(Ticket)
_tokens = table(TokenRow)
_links = table(TicketLink)
_attachments = table(Attachment)


class _Instant(sa.types.TypeDecorator[str]):
    """An instant read as the text a browser is told. Parsing it and writing it anew costs more than the rest
    of a card.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], str | None]:
        return _spelled if dialect.name == "sqlite" else _told


def _spelled(kept: str | None) -> str | None:
    """SQLite keeps instants as text with microseconds, in UTC."""
    return None if kept is None else f"{kept[:10]}T{kept[11:]}Z"


def _told(at: datetime | None) -> str | None:
    return None if at is None else instant_text(at)


def _instant(column: sa.Column[Any]) -> sa.ColumnElement[str]:
    return sa.type_coerce(column, _Instant()).label(column.name)


# What a card says as it stands in the row, by the card's own words.
_AS_KEPT: Final = (
    _tickets.c.id,
    _tickets.c.no,
    _tickets.c.version,
    _tickets.c.title,
    _tickets.c.stage,
    _tickets.c.priority,
    _tickets.c.priority_class,
    _tickets.c.rank,
    _tickets.c.region_id,
    _tickets.c.template_id,
    _tickets.c.assignee_id,
    _instant(_tickets.c.opened_at),
    _instant(_tickets.c.due_at),
    _instant(_tickets.c.closed_at),
    _instant(_tickets.c.updated_at),
    _tickets.c.progress_bp,
    _tickets.c.handoffs,
    _tickets.c.is_vip.label("vip"),
)
_KEYS: Final = tuple(column.name for column in _AS_KEPT)
COLUMNS: Final = (
    *_AS_KEPT,
    _tickets.c.customer_id,
    _tickets.c.contact_name,
    _tickets.c.site_id,
    _tickets.c.territory_id,
    _tickets.c.ticket_class,
    _tickets.c.returns,
    _tickets.c.flow_version_id,
    # Read only of cards that may move.
    sa.type_coerce(_tickets.c.marking, sa.Text()).label("marking"),
)
_STEPS: Final = (
    sa.select(
        _tokens.c.id,
        _tokens.c.ticket_id,
        _tokens.c.node_key,
        _instant(_tokens.c.entered_at),
        _tokens.c.state,
        _tokens.c.owner_kind,
    )
    .where(
        _tokens.c.ticket_id.in_(sa.bindparam("ids", expanding=True)),
        _tokens.c.state.in_([TokenState.ACTIVE, TokenState.WAITING]),
    )
    .order_by(_tokens.c.id)
)
_PHOTOS: Final = (
    sa.select(_attachments.c.token_id)
    .where(
        _attachments.c.ticket_id.in_(sa.bindparam("ids", expanding=True)),
        _attachments.c.token_id.in_(sa.bindparam("tokens", expanding=True)),
        _attachments.c.content_type.like("image/%"),
    )
    .distinct()
)
# Work ordered for a ticket without which it cannot go on; what else is linked goes its own way.
_NEEDED: Final = (LinkKind.PREP.value, LinkKind.PROJECT.value)
_ORDERED: Final = (
    sa.select(_links.c.from_id, _links.c.kind, _tickets.c.id, _tickets.c.no, _tickets.c.status)
    .join(_tickets, _tickets.c.id == _links.c.to_id)
    .where(_links.c.from_id.in_(sa.bindparam("ids", expanding=True)), _links.c.kind.in_(_NEEDED))
    .order_by(_links.c.id)
)


@dataclass(slots=True)
class _Standing:
    """Where an open ticket stands: since when, late from when on, and what it waits for."""

    since: str | None = None
    late_at: datetime | None = None
    waiting: int = 0
    blocked: list[Reason] = field(default_factory=list)
    parts: str | None = None


def cards_of(
    connection: Connection,
    rows: Iterable[Any],
    *,
    viewer: Actor,
    filters: BoardFilters,
    days: Calendar,
) -> list[Card]:
    """The cards of rows with `COLUMNS`, in their order, as the viewer may see them."""
    found = list(rows)
    names = _Names.read(connection, found, viewer, days)
    graphs = {
        version_id: flow_reads.compiled(connection, version_id)
        for version_id in {row.flow_version_id for row in found}
    }
    open_flows = {row.id: graphs[row.flow_version_id] for row in found if row.closed_at is None}
    standing = _standing(connection, viewer, open_flows) if open_flows else {}
    nowhere = _Standing()
    return [
        _card(row, names, standing.get(row.id, nowhere), graphs[row.flow_version_id], viewer, filters, days)
        for row in found
    ]


@dataclass(frozen=True, slots=True)
class _Names:
    sites: Mapping[int, Any]
    areas: Mapping[int, Any]
    regions: Mapping[int, Any]
    customers: Mapping[int, str]
    people: Mapping[int, str]

    @classmethod
    def read(cls, connection: Connection, rows: Sequence[Any], viewer: Actor, days: Calendar) -> "_Names":
        is_area_shown = any(row.territory_id and not row.site_id for row in rows)
        return cls(
            places.site_names(connection, {row.site_id for row in rows if row.site_id}),
            areas.area_names(connection, viewer.org_id) if is_area_shown else {},
            days.regions,
            customer_names.names(connection, {row.customer_id for row in rows if row.customer_id}),
            people_names.names(connection, {row.assignee_id for row in rows if row.assignee_id}),
        )


def _card(
    row: Any,
    names: _Names,
    standing: _Standing,
    graph: Graph,
    viewer: Actor,
    filters: BoardFilters,
    days: Calendar,
) -> Card:
    # Most of a card is its row; copying that at once is half the time of naming each.
    card: Card = dict(zip(_KEYS, row, strict=False))
    site, due_at, region_id = names.sites.get(row.site_id), card["due_at"], card["region_id"]
    due = days.lane_of(None if due_at is None else datetime.fromisoformat(due_at), region_id)
    card["lane"] = due if filters.by is By.DUE else lane_of(filters.by, row, days)
    card["row"] = row_of(filters.rows, row)
    card["customer"] = names.customers.get(row.customer_id) or row.contact_name
    card["site"] = site
    card["where"] = site or names.areas.get(row.territory_id) or names.regions.get(region_id)
    card["assignee"] = names.people.get(card["assignee_id"])
    card["due"] = due
    card["blocked"] = standing.blocked
    card["parts"] = standing.parts
    card["flags"] = _flags(card, row.returns)
    card["moves"] = [] if card["closed_at"] is not None else card_moves(graph, row, viewer)
    if standing.since is not None:
        card["since"] = standing.since
    if standing.late_at is not None:
        card["late_at"] = instant_text(standing.late_at)
    return card


def _flags(card: Card, returns: int) -> list[str]:
    flags = []
    if card["vip"]:
        flags.append("vip")
    if returns:
        flags.append("returned")
    if card["assignee_id"] is None and card["closed_at"] is None:
        flags.append("unassigned")
    return flags


def blocked_of(
    connection: Connection, viewer: Actor, graphs: Mapping[int, Graph]
) -> dict[int, tuple[list[Reason], str | None]]:
    """What open tickets wait for, and whether their parts are ready, given the flow each is on."""
    return {id: (each.blocked, each.parts) for id, each in _standing(connection, viewer, graphs).items()}


def _standing(connection: Connection, viewer: Actor, graphs: Mapping[int, Graph]) -> dict[int, _Standing]:
    ids = sorted(graphs)
    found: dict[int, _Standing] = {id: _Standing() for id in ids}
    unseen: dict[int, int] = {}
    for token_id, ticket_id, node_key, entered_at, state, owner_kind in connection.execute(
        _STEPS, {"ids": ids}
    ):
        standing = found[ticket_id]
        if state is TokenState.WAITING:
            standing.waiting += 1
            continue
        node = graphs[ticket_id].node_by_key[node_key]
        due = late_at(node, datetime.fromisoformat(entered_at))
        standing.since = entered_at if standing.since is None else min(standing.since, entered_at)
        if due is not None:
            standing.late_at = due if standing.late_at is None else min(standing.late_at, due)
        waits = _waits_for(node, owner_kind)
        if waits is not None:
            standing.blocked.append({"code": waits, "params": {}})
        if PHOTO in node.evidence:
            unseen[token_id] = ticket_id
    _miss_photos(connection, found, unseen)
    _wait_for_others(connection, viewer, found)
    return found


def _waits_for(node: Node, owner_kind: OwnerKind) -> str | None:
    """A step that nobody of ours can hurry; None where somebody has only to do it."""
    if node.kind is NodeKind.TIMER:
        return "board.blocked.timer"
    if owner_kind is OwnerKind.CUSTOMER:
        return "board.blocked.customer"
    return "board.blocked.approval" if node.kind is NodeKind.APPROVAL else None


def _miss_photos(connection: Connection, found: dict[int, _Standing], unseen: Mapping[int, int]) -> None:
    if not unseen:
        return
    asked = {"ids": sorted(set(unseen.values())), "tokens": sorted(unseen)}
    shown = set(connection.execute(_PHOTOS, asked).scalars())
    for token_id, ticket_id in unseen.items():
        if token_id not in shown:
            found[ticket_id].blocked.append({"code": "board.blocked.evidence", "params": {"n": 1}})


def _wait_for_others(connection: Connection, viewer: Actor, found: dict[int, _Standing]) -> None:
    for standing in found.values():
        if standing.waiting:
            standing.blocked.insert(0, {"code": "board.blocked.join", "params": {"n": standing.waiting}})
    ordered: defaultdict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(_ORDERED, {"ids": sorted(found)}):
        ordered[row.from_id].append(row)
    # Numbers of tickets the viewer may not see are not named.
    told = _visible_among(connection, viewer, {row.id for rows in ordered.values() for row in rows})
    for ticket_id, rows in ordered.items():
        standing = found[ticket_id]
        pending = [row for row in rows if row.status is TicketStatus.OPEN]
        for row in pending:
            params = {"no": row.no} if row.id in told else {}
            code = "board.blocked.predecessor" if row.id in told else "board.blocked.other"
            standing.blocked.append({"code": code, "params": params})
        if any(row.kind == LinkKind.PREP for row in rows):
            is_short = any(row.kind == LinkKind.PREP for row in pending)
            standing.parts = "short" if is_short else "ready"


def _visible_among(connection: Connection, viewer: Actor, ticket_ids: set[int]) -> frozenset[int]:
    if not ticket_ids:
        return frozenset()
    visible = sa.select(_tickets.c.id).where(_tickets.c.id.in_(sorted(ticket_ids)), visible_to(viewer))
    return frozenset(connection.execute(visible).scalars())
