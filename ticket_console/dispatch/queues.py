"""What waits for an answer: of those who were asked, and of service partners."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.dispatch.tables import Assignment, AssignmentState
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people import crews
from ticket_console.people import names as people_names
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.scoping import own_rows, row_condition
from ticket_console.tickets.tables import OFFERED, OwnerKind, Ticket, TokenRow

_tickets = table(Ticket)
_tokens = table(TokenRow)
_assignments = table(Assignment)

MOST_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class AskedPerson:
    """Somebody who was asked; `state` is offered, declined (with `reason`), or expired."""

    technician_id: int
    name: str
    state: str
    asked_at: datetime
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class OfferedView:
    """A task that several were offered; `until` is when the last of them may still answer."""

    ticket_id: int
    no: str
    title: str
    version: int
    priority: int
    region_id: int | None
    opened_at: datetime
    due_at: datetime | None
    until: datetime
    people: tuple[AskedPerson, ...]


@dataclass(frozen=True, slots=True)
class VendorWaiting:
    """A task that waits for somebody of a service partner since `since`."""

    ticket_id: int
    no: str
    title: str
    version: int
    priority: int
    region_id: int | None
    opened_at: datetime
    due_at: datetime | None
    vendor_id: int
    vendor: LocalText
    since: datetime


_TICKET: Final = (
    _tickets.c.id.label("ticket_id"),
    _tickets.c.no,
    _tickets.c.title,
    _tickets.c.version,
    _tickets.c.priority,
    _tickets.c.region_id,
    _tickets.c.opened_at,
    _tickets.c.due_at,
)


def offered(connection: Connection, viewer: Actor) -> tuple[OfferedView, ...]:
    """What is offered at present, the one whose time is up first before the others."""
    policy.require(viewer, "ticket.assign")
    rows = connection.execute(
        sa.select(*_TICKET, _tokens.c.id.label("token_id"))
        .join(_tokens, _tokens.c.ticket_id == _tickets.c.id)
        .where(
            _tokens.c.org_id == viewer.org_id,
            _tokens.c.state == TokenState.ACTIVE,
            _tokens.c.owner_kind == OwnerKind.QUEUE,
            _tokens.c.queue_role == OFFERED,
            _within(viewer),
        )
        .order_by(_tickets.c.priority, _tickets.c.id)
        .limit(MOST_SHOWN)
    ).all()
    asked = _asked(connection, [row.token_id for row in rows])
    shown = [
        OfferedView(
            **_facts(row),
            until=max(each.until for each in asked[row.token_id] if each.state == AssignmentState.OFFERED),
            people=tuple(asked[row.token_id]),
        )
        for row in rows
        if any(each.state == AssignmentState.OFFERED for each in asked[row.token_id])
    ]
    return tuple(sorted(shown, key=lambda each: (each.until, each.ticket_id)))


def vendor_queue(connection: Connection, viewer: Actor) -> tuple[VendorWaiting, ...]:
    """What waits for service partners, the most urgent first; of partners only their own."""
    policy.require(viewer, "ticket.assign")
    rows = connection.execute(
        sa.select(*_TICKET, _tokens.c.owner_id, _tokens.c.entered_at)
        .join(_tokens, _tokens.c.ticket_id == _tickets.c.id)
        .where(
            _tokens.c.org_id == viewer.org_id,
            _tokens.c.state == TokenState.ACTIVE,
            _tokens.c.owner_kind == OwnerKind.VENDOR,
            _within(viewer),
        )
        .order_by(_tickets.c.priority, _tickets.c.opened_at, _tickets.c.id)
        .limit(MOST_SHOWN)
    ).all()
    names = crews.vendor_names(connection, viewer.org_id)
    return tuple(
        VendorWaiting(
            **_facts(row),
            vendor_id=row.owner_id,
            vendor=names.get(row.owner_id, {}),
            since=row.entered_at,
        )
        for row in rows
    )


def _asked(connection: Connection, token_ids: list[int]) -> dict[int, list[AskedPerson]]:
    rows = connection.execute(
        sa.select(_assignments)
        .where(_assignments.c.token_id.in_(token_ids), _assignments.c.offered_until.is_not(None))
        .order_by(_assignments.c.id)
    ).all()
    names = people_names.names(connection, {row.technician_id for row in rows})
    found: dict[int, list[AskedPerson]] = defaultdict(list)
    for row in rows:
        found[row.token_id].append(
            AskedPerson(
                technician_id=row.technician_id,
                name=names[row.technician_id],
                state=row.state.value,
                asked_at=row.offered_at,
                until=row.offered_until,
                reason=row.reason or "",
            )
        )
    return found


def _facts(row: Any) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in _TICKET}


def _within(viewer: Actor) -> sa.ColumnElement[bool]:
    return row_condition(
        policy.row_scope(viewer, "ticket.assign"),
        region=_tickets.c.region_id,
        ticket_class=_tickets.c.ticket_class,
        own=own_rows(viewer),
    )
