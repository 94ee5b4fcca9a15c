"""Drafts of flows: the graph with the flow's name as one document, and everything `forms.draft_log` can do.

{"name": {"zh", "en"}, "stages": [...], "nodes": [...], "edges": [...], ...}
"""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import InvalidGraph, graph_json, parse_graph
from ticket_console.flows.reads import FlowNotFound
from ticket_console.flows.tables import Flow, FlowVersion
from ticket_console.forms.draft_log import Drafts, Newest, Subject
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel.database import table
from ticket_console.kernel.documents import Document
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import LOCALES, LocalText

_flows = table(Flow)
_versions = table(FlowVersion)
_NAME_LENGTH: Final = 200

EMPTY: Final[Document] = {
    "name": {},
    "stages": [
        {"key": "todo", "name": {"zh": "待处理", "en": "To do"}, "category": "todo"},
        {"key": "doing", "name": {"zh": "处理中", "en": "In progress"}, "category": "doing"},
        {"key": "done", "name": {"zh": "已完成", "en": "Done"}, "category": "done"},
    ],
    "nodes": [
        {"key": "start", "kind": "start", "name": {"zh": "开始", "en": "Start"}, "stage": "todo"},
        {
            "key": "task",
            "kind": "task",
            "name": {"zh": "处理", "en": "Work on it"},
            "stage": "doing",
            "weight": 1,
            "handler": {"mode": "queue", "role": "dispatcher"},
        },
        {"key": "end", "kind": "end", "name": {"zh": "结束", "en": "End"}, "stage": "done"},
    ],
    "edges": [
        {"key": "start-task", "kind": "forward", "source": "start", "target": "task"},
        {"key": "task-end", "kind": "forward", "source": "task", "target": "end"},
    ],
}


def graph_of(document: Document) -> Graph:
    """The graph of a document; raises `InvalidGraph`."""
    return parse_graph({name: part for name, part in document.items() if name != "name"})


def name_of(document: Document) -> LocalText:
    """The flow's name; raises `InvalidGraph`."""
    name = document.get("name", {})
    if not isinstance(name, dict) or name.keys() - set(LOCALES):
        raise InvalidGraph((FieldProblem("name", "input.wrong_type"),))
    for text in name.values():
        if not isinstance(text, str) or len(text) > _NAME_LENGTH:
            raise InvalidGraph((FieldProblem("name", "input.too_long", {"max_length": _NAME_LENGTH}),))
    return dict(name)


def document_of(graph: Graph, name: LocalText) -> Document:
    return {**graph_json(graph), "name": dict(name)}


def _check(document: Document) -> None:
    name_of(document)
    graph_of(document)


_VERSION: Final = sa.select(
    _versions.c.id,
    _versions.c.number,
    _versions.c.graph,
    _versions.c.published_at,
    _versions.c.published_by,
    _flows.c.name,
).join(_flows, _flows.c.id == _versions.c.flow_id)


def _newest(connection: Connection, org_id: int, code: str) -> Newest | None:
    query = _VERSION.where(
        _flows.c.org_id == org_id, _flows.c.code == code, _versions.c.id == _flows.c.current_version_id
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _as_newest(row)


def _hold(connection: Connection, org_id: int, code: str) -> None:
    query = sa.select(_flows.c.id).where(_flows.c.org_id == org_id, _flows.c.code == code)
    connection.execute(query.with_for_update())


def version_document(connection: Connection, version_id: int) -> Newest:
    """Any version as a document, under the name the flow has now; raises `FlowNotFound`."""
    row = connection.execute(_VERSION.where(_versions.c.id == version_id)).one_or_none()
    if row is None:
        raise FlowNotFound(id=version_id)
    return _as_newest(row)


def publishers(connection: Connection, version_ids: Iterable[int]) -> dict[int, str]:
    """Who published each version, as the version itself says: a label."""
    query = sa.select(_versions.c.id, _versions.c.published_by).where(_versions.c.id.in_(list(version_ids)))
    return {row.id: row.published_by or "" for row in connection.execute(query)}


def _as_newest(row: sa.Row[*tuple[object, ...]]) -> Newest:
    return Newest(
        version_id=row.id,
        number=row.number,
        document=document_of(parse_graph(row.graph), row.name),
        published_at=row.published_at,
        published_by=row.published_by,
    )


SUBJECT: Final = Subject(
    kind=DraftKind.FLOW,
    permission="flow.manage",
    empty=EMPTY,
    check=_check,
    newest=_newest,
    hold=_hold,
    version=version_document,
    unknown=FlowNotFound,
)

_room: Final = Drafts(SUBJECT)
open_draft = _room.open_draft
start = _room.start
edit = _room.edit
replace = _room.replace
recover = _room.recover
merge = _room.merge
discard = _room.discard
read = _room.read
since = _room.since
history = _room.history
document_at = _room.document_at
drafts_of = _room.drafts_of
