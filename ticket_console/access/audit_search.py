"""Finding entries of the audit trail again: by who, what and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.access.audit import AuditView
from ticket_console.access.tables import AuditEntry
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table

_entries: Final = table(AuditEntry)


@dataclass(frozen=True, slots=True)
class Before:
    """Where the next page begins: entries older than `at`, and of that instant those below `id`, or all."""

    at: datetime
    id: int | None = None


def search(
    connection: Connection,
    *,
    viewer: Actor,
    since: datetime,
    until: datetime,
    who: str = "",
    action: str = "",
    before: Before | None = None,
    limit: int,
) -> tuple[AuditView, ...]:
    """Entries of [since, until), the newest first; none for a viewer who audits some regions only.

    `who` is a part of a name, `action` the whole action or its kind ("user" finds "user.disabled").
    """
    policy.require(viewer, "audit.view")
    if not policy.row_scope(viewer, "audit.view").everything:
        return ()
    query = (
        sa.select(
            _entries.c.id,
            _entries.c.at,
            _entries.c.actor,
            _entries.c.actor_name,
            _entries.c.action,
            _entries.c.subject,
            _entries.c.payload,
        )
        .where(_entries.c.org_id == viewer.org_id, _entries.c.at >= since, _entries.c.at < until)
        .order_by(_entries.c.at.desc(), _entries.c.id.desc())
        .limit(limit)
    )
    if who:
        query = query.where(sa.func.lower(_entries.c.actor_name).contains(who.lower(), autoescape=True))
    if action:
        query = query.where(
            sa.or_(_entries.c.action == action, _entries.c.action.startswith(f"{action}.", autoescape=True))
        )
    if before is not None:
        of_that_instant = sa.true() if before.id is None else _entries.c.id < before.id
        query = query.where(
            sa.or_(_entries.c.at < before.at, sa.and_(_entries.c.at == before.at, of_that_instant))
        )
    return tuple(AuditView(*row) for row in connection.execute(query))
