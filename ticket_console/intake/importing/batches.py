"""Imports that were made: what became of each row, to look at again and to take home."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.intake.importing.running import ImportReport, RowOutcome, batches
from ticket_console.intake.states import RawState
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import FieldProblem, NotFound

RECENT: Final = 8


class ImportNotFound(NotFound):
    code = "imports.not_found"


@dataclass(frozen=True, slots=True)
class BatchView:
    """An import in a list; one without `finished_at` is running, or was cut off."""

    id: int
    filename: str
    rows: int
    opened: int
    duplicates: int
    rejected: int
    started_at: datetime
    finished_at: datetime | None


_SHOWN: Final = (
    batches.c.id,
    batches.c.filename,
    batches.c.rows,
    batches.c.opened,
    batches.c.duplicates,
    batches.c.rejected,
    batches.c.started_at,
    batches.c.finished_at,
)


def recent(connection: Connection, viewer: Actor) -> tuple[BatchView, ...]:
    """The latest imports: everybody's for those who import for the whole organisation, else one's own."""
    rows = connection.execute(
        sa.select(*_SHOWN).where(*_visible_to(viewer)).order_by(batches.c.id.desc()).limit(RECENT)
    )
    return tuple(BatchView(*row) for row in rows)


def batch(connection: Connection, viewer: Actor, batch_id: int) -> BatchView:
    row = connection.execute(sa.select(*_SHOWN).where(batches.c.id == batch_id, *_visible_to(viewer))).first()
    if row is None:
        raise ImportNotFound(batch_id=batch_id)
    return BatchView(*row)


def report_of(connection: Connection, viewer: Actor, batch_id: int) -> ImportReport:
    """What became of every row of an import that is over; raises ImportNotFound."""
    row = connection.execute(
        sa.select(batches.c.filename, batches.c.report).where(batches.c.id == batch_id, *_visible_to(viewer))
    ).first()
    if row is None:
        raise ImportNotFound(batch_id=batch_id)
    return ImportReport(batch_id, row.filename, tuple(_outcome(each) for each in row.report))


def _visible_to(viewer: Actor) -> tuple[sa.ColumnElement[bool], ...]:
    policy.require(viewer, "intake.import")
    mine = batches.c.org_id == viewer.org_id
    if policy.row_scope(viewer, "intake.import").everything:
        return (mine,)
    return (mine, batches.c.by == viewer.label)


def _outcome(kept: Mapping[str, Any]) -> RowOutcome:
    return RowOutcome(
        kept["row"],
        RawState(kept["state"]),
        kept["ticket_id"],
        kept["ticket_no"],
        kept["code"],
        tuple(FieldProblem(each["path"], each["code"], each["params"]) for each in kept["problems"]),
    )
