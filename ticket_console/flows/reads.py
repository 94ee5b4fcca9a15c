"""Flow versions as the other rooms see them. They never change, so each is compiled once per process."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from ticket_console.flows.elements import SubflowUse
from ticket_console.flows.expansion import expand, has_subflows
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import parse_graph
from ticket_console.flows.tables import Flow, FlowVersion
from ticket_console.forms.tables import VersionStatus
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.text import LocalText

_flows = table(Flow)
_versions = table(FlowVersion)


class FlowNotFound(NotFound):
    code = "flow.not_found"


@dataclass(frozen=True, slots=True)
class FlowVersionView:
    """`is_current`: new tickets start on it."""

    id: int
    flow_id: int
    code: str
    name: LocalText
    number: int
    status: VersionStatus
    content_hash: str
    published_at: datetime | None
    is_current: bool


# Two versions of the same content share one graph, unless it names other versions by their id: ids mean
# nothing across databases, hence by engine.
_by_hash: dict[str, Graph] = {}
_by_id: WeakKeyDictionary[Engine, dict[int, Graph]] = WeakKeyDictionary()

_VIEW = sa.select(
    _versions.c.id,
    _versions.c.flow_id,
    _flows.c.code,
    _flows.c.name,
    _versions.c.number,
    _versions.c.status,
    _versions.c.content_hash,
    _versions.c.published_at,
    _flows.c.current_version_id,
).join(_flows, _flows.c.id == _versions.c.flow_id)


def compiled(conn: Connection, flow_version_id: int) -> Graph:
    """The graph of any version, ready to be walked, its sub-flows in their places.

    Only the first call per process asks the database.
    """
    known = _by_id.setdefault(conn.engine, {})
    graph = known.get(flow_version_id)
    if graph is None:
        graph = known[flow_version_id] = _load(conn, flow_version_id)
    return graph


def _load(conn: Connection, flow_version_id: int) -> Graph:
    query = sa.select(_versions.c.graph, _versions.c.content_hash).where(_versions.c.id == flow_version_id)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise FlowNotFound(id=flow_version_id)
    graph = _by_hash.get(row.content_hash)
    if graph is None:
        graph = parse_graph(row.graph)
        if has_subflows(graph):
            return expand(graph, lambda use: pinned(conn, use)).graph
        _by_hash[row.content_hash] = graph
    return graph


def drawn(conn: Connection, flow_version_id: int) -> Graph:
    """The graph of a version as it was drawn: sub-flows are single nodes, and the drawing is there."""
    query = sa.select(_versions.c.graph).where(_versions.c.id == flow_version_id)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise FlowNotFound(id=flow_version_id)
    return parse_graph(row.graph)


def pinned(conn: Connection, use: SubflowUse) -> Graph | None:
    """What a published sub-flow node runs; None for one that is not pinned."""
    return None if use.version_id is None else drawn(conn, use.version_id)


def follow_current(conn: Connection, org_id: int, use: SubflowUse) -> SubflowUse | None:
    """The use pinned to a version: its own where that is one of the flow, else the flow's current one."""
    query = (
        sa.select(_versions.c.id, _flows.c.current_version_id)
        .join(_flows, _flows.c.id == _versions.c.flow_id)
        .where(_flows.c.org_id == org_id, _flows.c.code == use.flow)
    )
    rows = conn.execute(query).all()
    version_id = use.version_id or next((row.current_version_id for row in rows), None)
    if not any(row.id == version_id for row in rows):
        return None
    return SubflowUse(use.flow, version_id)


def forget(conn: Connection, flow_version_id: int) -> None:
    """Drop what is cached under an id; publishing does, as a rolled back id may be given out again."""
    _by_id.get(conn.engine, {}).pop(flow_version_id, None)


def version_view(conn: Connection, flow_version_id: int) -> FlowVersionView:
    row = conn.execute(_VIEW.where(_versions.c.id == flow_version_id)).one_or_none()
    if row is None:
        raise FlowNotFound(id=flow_version_id)
    return _view(row)


def current_version(conn: Connection, org_id: int, code: str) -> FlowVersionView:
    """The version new tickets of a flow start on."""
    query = _VIEW.where(
        _flows.c.org_id == org_id, _flows.c.code == code, _versions.c.id == _flows.c.current_version_id
    )
    row = conn.execute(query).one_or_none()
    if row is None:
        raise FlowNotFound(code=code)
    return _view(row)


def versions_of(conn: Connection, org_id: int, code: str) -> tuple[FlowVersionView, ...]:
    """Every version of a flow, the newest first."""
    query = _VIEW.where(_flows.c.org_id == org_id, _flows.c.code == code).order_by(_versions.c.number.desc())
    return tuple(_view(row) for row in conn.execute(query))


def flow_id(conn: Connection, org_id: int, code: str) -> int:
    """The number of a flow, published or not yet; raises FlowNotFound."""
    found = conn.execute(
        sa.select(_flows.c.id).where(_flows.c.org_id == org_id, _flows.c.code == code)
    ).scalar()
    if found is None:
        raise FlowNotFound(code=code)
    return int(found)


def code_of(conn: Connection, flow_id: int) -> str:
    return str(conn.execute(sa.select(_flows.c.code).where(_flows.c.id == flow_id)).scalar_one())


def current_graphs(conn: Connection, org_id: int) -> tuple[Graph, ...]:
    """The graphs new tickets start on, by flow code; the board's lanes are the union of their stages."""
    query = (
        sa.select(_flows.c.current_version_id)
        .where(_flows.c.org_id == org_id, _flows.c.current_version_id.is_not(None))
        .order_by(_flows.c.code)
    )
    return tuple(compiled(conn, version_id) for version_id in conn.execute(query).scalars().all())


def _view(row: Row[*tuple[Any, ...]]) -> FlowVersionView:
    return FlowVersionView(
        id=row.id,
        flow_id=row.flow_id,
        code=row.code,
        name=row.name,
        number=row.number,
        status=row.status,
        content_hash=row.content_hash,
        published_at=row.published_at,
        is_current=row.id == row.current_version_id,
    )
