"""A viewer's scope as a condition on rows, so that lists, counts and searches never reach further."""

from typing import Any

import sqlalchemy as sa

from ticket_console.access.policy import RowScope


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
