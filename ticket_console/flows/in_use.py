"""The flows in use as they were drawn: plain JSON, sub-flows not expanded."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.flows.reads import FlowNotFound
from ticket_console.flows.tables import Flow, FlowVersion
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText

_flows = table(Flow)
_versions = table(FlowVersion)


@dataclass(frozen=True, slots=True)
class DrawnFlow:
    code: str
    name: LocalText
    number: int
    graph: dict[str, Any]


def codes(conn: Connection, org_id: int) -> tuple[str, ...]:
    query = (
        sa.select(_flows.c.code)
        .where(_flows.c.org_id == org_id, _flows.c.current_version_id.is_not(None))
        .order_by(_flows.c.code)
    )
    return tuple(conn.execute(query).scalars())


def code_of(conn: Connection, org_id: int, flow_id: int) -> str | None:
    query = sa.select(_flows.c.code).where(_flows.c.org_id == org_id, _flows.c.id == flow_id)
    return conn.execute(query).scalar()


def drawn(conn: Connection, org_id: int, code: str, *, number: int | None = None) -> DrawnFlow:
    """A version of a flow, the current one unless a number is given; raises `FlowNotFound`."""
    query = (
        sa.select(_flows.c.code, _flows.c.name, _versions.c.number, _versions.c.graph)
        .join(_versions, _versions.c.flow_id == _flows.c.id)
        .where(_flows.c.org_id == org_id, _flows.c.code == code)
    )
    wanted = _versions.c.id == _flows.c.current_version_id if number is None else _versions.c.number == number
    row = conn.execute(query.where(wanted)).one_or_none()
    if row is None:
        raise FlowNotFound(code=code)
    return DrawnFlow(row.code, row.name, row.number, row.graph)
