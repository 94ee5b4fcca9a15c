"""Publishing flows. A published version never changes: a change is a new one, open tickets keep theirs."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.flows import reads
from ticket_console.flows.elements import Node, SubflowUse
from ticket_console.flows.expansion import expand, has_subflows
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import InvalidGraph, content_hash, graph_json, parse_graph
from ticket_console.flows.reads import FlowVersionView
from ticket_console.flows.tables import Flow, FlowVersion
from ticket_console.flows.validation import graph_problems
from ticket_console.forms import publishing as form_publishing
from ticket_console.forms import reads as form_reads
from ticket_console.forms.tables import VersionStatus
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import LocalText

_flows = table(Flow)
_versions = table(FlowVersion)


def publish_flow(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    code: str,
    name: LocalText,
    graph: Mapping[str, Any] | Graph,
    calendars: Collection[str] | None = None,
) -> FlowVersionView:
    """Publish a flow; new tickets of every template that follows it start on this version from now on.

    The same content again is the same version. Raises `InvalidGraph` naming everything wrong, fields the
    organisation does not know included: define them first (`forms.publishing`). `calendars` are those there
    are; without them none is looked for. Sub-flows are pinned to the versions they run from now on.
    """
    policy.require(actor, "flow.manage")
    parsed = graph if isinstance(graph, Graph) else parse_graph(graph)
    parsed = _pinned(conn, actor.org_id, parsed)
    problems = publishing_problems(conn, org_id=actor.org_id, code=code, graph=parsed, calendars=calendars)
    if problems:
        raise InvalidGraph(problems)
    flow = _flow(conn, actor.org_id, code, name)
    version_id = _version(conn, actor, at, flow.id, parsed)
    if flow.current_version_id not in (None, version_id):
        conn.execute(
            sa.update(_versions)
            .where(_versions.c.id == flow.current_version_id)
            .values(status=VersionStatus.RETIRED)
        )
    conn.execute(
        sa.update(_flows)
        .where(_flows.c.id == flow.id)
        .values(current_version_id=version_id, name=name, version=flow.version + 1)
    )
    form_publishing.start_on(conn, flow_id=flow.id, flow_version_id=version_id)
    return reads.version_view(conn, version_id)


def publishing_problems(
    conn: Connection, *, org_id: int, code: str, graph: Graph, calendars: Collection[str] | None = None
) -> tuple[FieldProblem, ...]:
    """Everything that keeps a graph from being published as this flow, its sub-flows included."""
    fields = form_reads.field_kinds(conn, org_id).keys()
    opening = opening_fields(conn, org_id=org_id, code=code)

    def problems(graph: Graph) -> tuple[FieldProblem, ...]:
        return graph_problems(graph, field_keys=fields, opening=opening, calendars=calendars)

    def load(use: SubflowUse) -> Graph | None:
        version = reads.follow_current(conn, org_id, use)
        return None if version is None else reads.pinned(conn, version)

    if not has_subflows(graph):
        return problems(graph)
    # What a field was written by may stand inside a sub-flow: only the whole can say.
    if found := graph_problems(graph, field_keys=fields, calendars=calendars):
        return found
    expansion = expand(graph, load, code=code)
    if expansion.problems:
        return expansion.problems
    return tuple(_about_drawn(problem, graph) for problem in problems(expansion.graph))


def opening_fields(conn: Connection, *, org_id: int, code: str) -> frozenset[str] | None:
    """What the templates that follow a flow ask for when a ticket is opened; None where none follows it."""
    query = sa.select(_versions.c.id).join(_flows, _flows.c.id == _versions.c.flow_id)
    versions = conn.execute(query.where(_flows.c.org_id == org_id, _flows.c.code == code)).scalars().all()
    following = [
        template
        for template in form_reads.published_templates(conn, org_id)
        if template.flow_version_id in versions
    ]
    if not following:
        return None
    return frozenset(spec.key for template in following for spec in template.definition.at_opening)


def _about_drawn(problem: FieldProblem, graph: Graph) -> FieldProblem:
    """A problem inside a sub-flow is one of the node that stands for it."""
    key = problem.path.partition(".")[2]
    for node in graph.nodes:
        if node.subflow is not None and key.startswith(f"{node.key}."):
            return FieldProblem(f"nodes.{node.key}.subflow", problem.code, problem.params)
    return problem


def _pinned(conn: Connection, org_id: int, graph: Graph) -> Graph:
    """Every sub-flow node with the version it will run for good; one of an unknown flow stays as it is."""

    def pin(node: Node) -> Node:
        use = None if node.subflow is None else reads.follow_current(conn, org_id, node.subflow)
        return node if use is None else replace(node, subflow=use)

    return replace(graph, nodes=tuple(pin(node) for node in graph.nodes))


def _flow(conn: Connection, org_id: int, code: str, name: LocalText) -> sa.Row[*tuple[Any, ...]]:
    query = (
        sa.select(_flows.c.id, _flows.c.current_version_id, _flows.c.version)
        .where(_flows.c.org_id == org_id, _flows.c.code == code)
        .with_for_update()
    )
    row = conn.execute(query).one_or_none()
    if row is not None:
        return row
    conn.execute(sa.insert(_flows).values(org_id=org_id, code=code, name=name, version=0))
    return conn.execute(query).one()


def _version(conn: Connection, actor: Actor, at: datetime, flow_id: int, graph: Graph) -> int:
    digest = content_hash(graph)
    known = conn.execute(
        sa.select(_versions.c.id, _versions.c.number, _versions.c.content_hash).where(
            _versions.c.flow_id == flow_id
        )
    ).all()
    for row in known:
        if row.content_hash == digest:
            conn.execute(
                sa.update(_versions).where(_versions.c.id == row.id).values(status=VersionStatus.PUBLISHED)
            )
            return int(row.id)
    version_id = conn.execute(
        sa.insert(_versions)
        .values(
            flow_id=flow_id,
            number=1 + max((row.number for row in known), default=0),
            status=VersionStatus.PUBLISHED,
            graph=graph_json(graph),
            content_hash=digest,
            published_at=at,
            published_by=actor.label,
            effective_from=at,
        )
        .returning(_versions.c.id)
    ).scalar_one()
    reads.forget(conn, version_id)
    return int(version_id)
