"""What was published when, by whom, and who had drawn it; the book that versions themselves do not keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from ticket_console.forms.tables import DraftKind, Publication
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table

_publications = table(Publication)


@dataclass(frozen=True, slots=True)
class PublicationView:
    """`authors` are names by label, `summary` how many parts were added, removed, changed and moved."""

    id: int
    kind: DraftKind
    code: str
    version_id: int
    replaced_id: int | None
    is_rollback: bool
    note: str
    authors: Mapping[str, str]
    summary: Mapping[str, Any]
    actor: str
    actor_name: str
    at: datetime


def record(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    kind: DraftKind,
    code: str,
    version_id: int,
    replaced_id: int | None,
    note: str,
    authors: Mapping[str, str],
    summary: Mapping[str, Any],
    is_rollback: bool = False,
) -> PublicationView:
    row = connection.execute(
        sa.insert(_publications)
        .values(
            org_id=actor.org_id,
            kind=kind,
            code=code,
            version_id=version_id,
            replaced_id=replaced_id,
            is_rollback=is_rollback,
            note=note,
            authors=dict(authors),
            summary=dict(summary),
            actor=actor.label,
            actor_name=actor.display[:80],
            command_id=command_id,
            at=at,
        )
        .returning(_publications)
    ).one()
    return _view(row)


def by_command(connection: Connection, *, org_id: int, command_id: str) -> PublicationView | None:
    query = sa.select(_publications).where(
        _publications.c.org_id == org_id, _publications.c.command_id == command_id
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _view(row)


def of_subject(
    connection: Connection, *, org_id: int, kind: DraftKind, code: str
) -> tuple[PublicationView, ...]:
    """Everything ever published of a subject, the newest first."""
    query = sa.select(_publications).where(
        _publications.c.org_id == org_id, _publications.c.kind == kind, _publications.c.code == code
    )
    return tuple(map(_view, connection.execute(query.order_by(_publications.c.id.desc()))))


def _view(row: Row[Any]) -> PublicationView:
    return PublicationView(
        id=row.id,
        kind=row.kind,
        code=row.code,
        version_id=row.version_id,
        replaced_id=row.replaced_id,
        is_rollback=row.is_rollback,
        note=row.note,
        authors=row.authors,
        summary=row.summary,
        actor=row.actor,
        actor_name=row.actor_name,
        at=row.at,
    )
