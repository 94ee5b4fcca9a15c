"""A viewer's scope as a condition on rows, so that lists, counts and searches never reach further."""

from typing import Any

import sqlalchemy as sa

from ticket_console.access.policy import RowScope
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.people import crews
from ticket_console.tickets.tables import OwnerKind, Ticket, TokenRow

_tickets = table(Ticket)
# By a name of its own, so that it may stand within statements that read tokens themselves.
_steps = table(TokenRow).alias("own_step")


def row_condition(
    scope: RowScope,
    *,
    region: sa.ColumnElement[Any],
    ticket_class: sa.ColumnElement[Any],
    own: sa.ColumnElement[bool],
) -> sa.ColumnElement[bool]:
    """True for rows in any part of the scope; `own` says when a row is the viewer's own."""
    if scope.everything:
        return sa.true()
    parts = []
    for part in scope.parts:
        conditions: list[sa.ColumnElement[bool]] = []
        if part.region_ids is not None:
            conditions.append(region.in_(sorted(part.region_ids)))
        if part.ticket_classes is not None:
            conditions.append(ticket_class.in_(sorted(part.ticket_classes)))
        if part.own:
            conditions.append(own)
        parts.append(sa.and_(*conditions) if conditions else sa.true())
    return sa.or_(sa.false(), *parts)


def own_rows(viewer: Actor) -> sa.ColumnElement[bool]:
    """Which tickets are a viewer's own: those they have or have a step of.

    Whoever dispatches for a service partner has all that the partner's people have, and what waits for them.
    """
    if viewer.technician_id is None:
        return sa.false()
    mine = [
        _tickets.c.assignee_id == viewer.technician_id,
        _step(_steps.c.owner_kind == OwnerKind.TECHNICIAN, _steps.c.owner_id == viewer.technician_id),
    ]
    if viewer.vendor_id is not None and crews.dispatches_for_vendor(viewer):
        people = crews.people_of_vendor(viewer.vendor_id)
        mine += [
            _tickets.c.assignee_id.in_(people),
            _step(_steps.c.owner_kind == OwnerKind.TECHNICIAN, _steps.c.owner_id.in_(people)),
            _step(_steps.c.owner_kind == OwnerKind.VENDOR, _steps.c.owner_id == viewer.vendor_id),
        ]
    return sa.or_(*mine)


def _step(*of: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(_steps.c.ticket_id == _tickets.c.id, *of)
