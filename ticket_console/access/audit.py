"""The trace of what was done outside any ticket; a ticket's own trace are its events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.access.tables import AuditEntry
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table

_entries = table(AuditEntry)
_NAME_LENGTH: Final = 80
PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class AuditView:
    id: int
    at: datetime
    actor: str
    actor_name: str
    action: str
    subject: str
    payload: Mapping[str, Any]


def record(
    connection: Connection,
    *,
    at: datetime,
    actor: Actor,
    action: str,
    subject: str,
    payload: Mapping[str, Any] | None = None,
    command_id: str,
) -> None:
    """Leave a trace within the transaction of the deed, so that there is never one without the other.

    `action` is in the past tense ("user.disabled"), `subject` a kind and a number ("user:7").
    Nothing secret belongs into `payload`.
    """
    connection.execute(
        sa.insert(_entries),
        {
            "org_id": actor.org_id,
            "at": at,
            "actor": actor.label,
            "actor_name": actor.display[:_NAME_LENGTH],
            "action": action,
            "subject": subject[:_NAME_LENGTH],
            "payload": dict(payload or {}),
            "command_id": command_id,
        },
    )


def entries(
    connection: Connection, *, viewer: Actor, limit: int = PAGE, before_id: int | None = None
) -> tuple[AuditView, ...]:
    """The newest first, at most a page of them; the next page begins before the last id of this one.

    An entry belongs to no region, so only those who audit the whole organisation read it.
    """
    policy.require_everywhere(viewer, "audit.view")
    query = sa.select(
        _entries.c.id,
        _entries.c.at,
        _entries.c.actor,
        _entries.c.actor_name,
        _entries.c.action,
        _entries.c.subject,
        _entries.c.payload,
    ).where(_entries.c.org_id == viewer.org_id)
    if before_id is not None:
        query = query.where(_entries.c.id < before_id)
    rows = connection.execute(query.order_by(_entries.c.id.desc()).limit(min(limit, PAGE)))
    return tuple(AuditView(*row) for row in rows)
