"""What a viewer asks a board to show, and the rows of tickets that answer it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.flows import reads as flow_reads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.scoping import row_condition
from ticket_console.tickets.tables import SeenSince, Ticket, TicketSeen, TokenRow

# A search reads this much of what was typed, however long it is.
SEARCH_LENGTH: Final = 100

_tickets = table(Ticket)
_tokens = table(TokenRow)
_seen = table(TicketSeen)
_since = table(SeenSince)

IS_OPEN: Final = _tickets.c.closed_at.is_(None)


class By(StrEnum):
    """What the lanes of a board are. Only lanes of stages hold ended work as well."""

    STAGE = "stage"
    PERSON = "person"
    TERRITORY = "territory"
    DUE = "due"


class Rows(StrEnum):
    """What a board's lanes are divided by across."""

    NONE = "none"
    PRIORITY = "priority"
    REGION = "region"
    TEMPLATE = "template"
    ASSIGNEE = "assignee"


@dataclass(frozen=True, slots=True)
class BoardFilters:
    """How a viewer laid the board out and what they narrowed it to; the default shows all they may see.

    `unread_of` is the user whose unread tickets are meant, `is_late` what is overdue or stands at its step
    for longer than the step allows.
    """

    region_id: int | None = None
    template_id: int | None = None
    priority: int | None = None
    assignee_id: int | None = None
    is_unassigned: bool = False
    is_overdue: bool = False
    is_mine: bool = False
    search: str = ""
    is_vip: bool = False
    is_late: bool = False
    unread_of: int | None = None
    by: By = By.STAGE
    rows: Rows = Rows.NONE

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
            or self.is_vip
            or self.is_late
            or self.unread_of is not None
            or bool(self.search.strip())
        )

    @property
    def is_open_only(self) -> bool:
        """Whether what is asked for is never ended work."""
        return self.is_unassigned or self.is_overdue or self.is_late

    @property
    def changes_with_time(self) -> bool:
        """Whether another minute alone can put a ticket elsewhere on the board."""
        return self.is_overdue or self.is_late or self.by is By.DUE


def condition(
    connection: Connection, viewer: Actor, filters: BoardFilters, at: datetime
) -> sa.ColumnElement[bool]:
    """The tickets a board shows, of those the viewer may see."""
    sought = filters.search.strip()[:SEARCH_LENGTH]
    conditions = [
        # What is found is the organisation's own; asked for again here, SQLite would read all its tickets.
        _tickets.c.id.in_(_found(viewer.org_id, sought)) if sought else _tickets.c.org_id == viewer.org_id,
        row_condition(
            policy.row_scope(viewer, "ticket.view"),
            region=_tickets.c.region_id,
            ticket_class=_tickets.c.ticket_class,
            own=_is_with(viewer),
        ),
    ]
    if filters.region_id is not None:
        conditions.append(_tickets.c.region_id == filters.region_id)
    if filters.template_id is not None:
        conditions.append(_tickets.c.template_id == filters.template_id)
    if filters.priority is not None:
        conditions.append(_tickets.c.priority == filters.priority)
    if filters.assignee_id is not None:
        conditions.append(_tickets.c.assignee_id == filters.assignee_id)
    if filters.is_unassigned:
        conditions += [_tickets.c.assignee_id.is_(None), IS_OPEN]
    if filters.is_overdue:
        conditions += [_tickets.c.due_at < at, IS_OPEN]
    if filters.is_mine:
        conditions.append(_is_with(viewer))
    if filters.is_vip:
        conditions.append(_tickets.c.is_vip)
    if filters.is_late:
        conditions += [IS_OPEN, sa.or_(_tickets.c.due_at < at, _stands_too_long(connection, viewer, at))]
    if filters.unread_of is not None:
        conditions += _unread(filters.unread_of)
    return sa.and_(*conditions)


def _open_work(org_id: int) -> sa.Select[Any]:
    """Ids of open tickets, read on their own: they are all in one small index, which a statement that asks
    for more of a ticket would pass by.
    """
    open_work = (
        sa.select(_tickets.c.id)
        .where(_tickets.c.org_id == org_id, IS_OPEN)
        .cte("open_work")
        .prefix_with("MATERIALIZED")
    )
    return sa.select(open_work.c.id)


def _found(org_id: int, sought: str) -> sa.CompoundSelect[Any]:
    """Open tickets that say so anywhere; of ended ones, the one with that number.

    What ended grows for ever, and a board is about what is to be done.
    """
    texts = _tickets.alias("sought")
    pattern = f"%{_literally(sought)}%"
    saying_so = sa.select(texts.c.id).where(
        texts.c.id.in_(_open_work(org_id)),
        sa.or_(
            *(
                column.ilike(pattern, escape="\\")
                for column in (texts.c.no, texts.c.title, texts.c.contact_name, texts.c.address)
            )
        ),
    )
    numbered = sa.select(texts.c.id).where(
        texts.c.org_id == org_id, texts.c.no.in_(sorted({sought, sought.upper()}))
    )
    return sa.union(saying_so, numbered)


def _is_with(viewer: Actor) -> sa.ColumnElement[bool]:
    """The viewer has the ticket; whoever is no technician has none, not those that nobody has."""
    if viewer.technician_id is None:
        return sa.false()
    return _tickets.c.assignee_id == viewer.technician_id


def _stands_too_long(connection: Connection, viewer: Actor, at: datetime) -> sa.ColumnElement[bool]:
    """A step of the ticket is over the time its flow gives it; the flows are those of open tickets."""
    in_use = connection.execute(
        sa.select(_tickets.c.flow_version_id).where(_tickets.c.id.in_(_open_work(viewer.org_id))).distinct()
    ).scalars()
    too_long = [
        sa.and_(
            _tickets.c.flow_version_id == version_id,
            _tokens.c.node_key == node.key,
            _tokens.c.entered_at < at - timedelta(minutes=node.targets.finish_minutes),
        )
        for version_id in sorted(in_use)
        for node in flow_reads.compiled(connection, version_id).nodes
        if node.targets is not None and node.targets.finish_minutes is not None
    ]
    return sa.exists().where(
        _tokens.c.ticket_id == _tickets.c.id,
        _tokens.c.state == TokenState.ACTIVE,
        sa.or_(sa.false(), *too_long),
    )


def _unread(user_id: int) -> list[sa.ColumnElement[bool]]:
    """Changed since the user keeps count, and in a newer version than the one they looked at."""
    since = sa.select(_since.c.since).where(_since.c.user_id == user_id).scalar_subquery()
    seen = sa.exists().where(
        _seen.c.user_id == user_id,
        _seen.c.ticket_id == _tickets.c.id,
        _seen.c.version >= _tickets.c.version,
    )
    return [_tickets.c.updated_at > since, ~seen]


def _literally(sought: str) -> str:
    return sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
