"""The rows of a flow's tests; what a test is and how it runs is the desk's business (`desk.golden`)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from ticket_console.flows.tables import Flow, GoldenTicket
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound

_tests = table(GoldenTicket)
_flows = table(Flow)


class GoldenTicketNotFound(NotFound):
    code = "golden.not_found"


@dataclass(frozen=True, slots=True)
class GoldenRow:
    """`story`: what happens to the ticket; `expected`: how it is to go; `accepted`: when that changed."""

    id: int
    flow_id: int
    code: str
    name: str
    ticket_no: str
    story: Mapping[str, Any]
    expected: Mapping[str, Any]
    accepted: Mapping[str, Any] | None
    saved_by: str
    saved_by_name: str
    saved_at: datetime


_ROWS = sa.select(_tests, _flows.c.code).join(_flows, _flows.c.id == _tests.c.flow_id)


def of_flow(connection: Connection, *, org_id: int, code: str) -> tuple[GoldenRow, ...]:
    """A flow's suite, by name."""
    query = _ROWS.where(_flows.c.org_id == org_id, _flows.c.code == code).order_by(_tests.c.name)
    return tuple(map(_row, connection.execute(query)))


def find(connection: Connection, *, org_id: int, test_id: int) -> GoldenRow:
    row = connection.execute(_ROWS.where(_tests.c.id == test_id, _flows.c.org_id == org_id)).one_or_none()
    if row is None:
        raise GoldenTicketNotFound(id=test_id)
    return _row(row)


def add(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    flow_id: int,
    name: str,
    ticket_no: str,
    story: Mapping[str, Any],
    expected: Mapping[str, Any],
) -> int:
    return int(
        connection.execute(
            sa.insert(_tests)
            .values(
                flow_id=flow_id,
                name=name,
                ticket_no=ticket_no,
                story=dict(story),
                expected=dict(expected),
                saved_by=actor.label,
                saved_by_name=actor.display[:80],
                saved_at=at,
                version=1,
            )
            .returning(_tests.c.id)
        ).scalar_one()
    )


def expect(
    connection: Connection, *, test_id: int, expected: Mapping[str, Any], accepted: Mapping[str, Any]
) -> None:
    """Let a test expect something else from now on."""
    connection.execute(
        sa.update(_tests)
        .where(_tests.c.id == test_id)
        .values(expected=dict(expected), accepted=dict(accepted), version=_tests.c.version + 1)
    )


def remove(connection: Connection, *, test_id: int) -> None:
    connection.execute(sa.delete(_tests).where(_tests.c.id == test_id))


def _row(row: Row[Any]) -> GoldenRow:
    return GoldenRow(
        id=row.id,
        flow_id=row.flow_id,
        code=row.code,
        name=row.name,
        ticket_no=row.ticket_no,
        story=row.story,
        expected=row.expected,
        accepted=row.accepted,
        saved_by=row.saved_by,
        saved_by_name=row.saved_by_name,
        saved_at=row.saved_at,
    )
