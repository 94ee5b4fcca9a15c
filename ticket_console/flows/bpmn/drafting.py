"""A BPMN file as somebody's draft of a flow: never published by itself, and one gesture to undo."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ticket_console.access import policy
from ticket_console.flows import drafts
from ticket_console.flows.bpmn.reading import read_bpmn
from ticket_console.flows.bpmn.report import Report
from ticket_console.flows.graph_json import parse_graph
from ticket_console.flows.reads import FlowNotFound
from ticket_console.flows.validation import graph_problems
from ticket_console.forms.draft_log import Gesture
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.documents import replacing
from ticket_console.kernel.errors import FieldProblem


@dataclass(frozen=True, slots=True)
class BpmnDraft:
    """`problems` are what keeps the draft from being published yet."""

    draft_id: int
    code: str
    seq: int
    nodes: int
    report: Report
    problems: tuple[FieldProblem, ...]


def import_bpmn(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    code: str,
    content: bytes,
    process_id: str | None = None,
) -> BpmnDraft:
    """Make a file the asker's draft of a flow, new or known; what was in the draft can be had back by undo.

    Raises `BadBpmn` for a file that cannot be read as a flow, and then leaves the draft as it was.
    """
    policy.require(actor, "flow.manage")
    read = read_bpmn(content, process_id=process_id)
    wanted: dict[str, Any] = {**read.graph, "name": read.name or {"en": code}}
    try:
        draft = drafts.open_draft(actor=actor, at=at, code=code)
        seq = draft.seq
        if operations := replacing(draft.document, wanted):
            gesture = Gesture(command_id, "bpmn.imported", operations, {})
            seq = drafts.edit(actor=actor, at=at, draft_id=draft.id, if_match=draft.seq, gesture=gesture).seq
    except FlowNotFound:
        draft = drafts.start(actor=actor, at=at, code=code, document=wanted)
        seq = draft.seq
    return BpmnDraft(
        draft_id=draft.id,
        code=code,
        seq=seq,
        nodes=len(read.graph["nodes"]),
        report=read.report,
        problems=graph_problems(parse_graph(read.graph)),
    )
