"""Looking at a drawn form before it is used, using it, and what was used before."""

from datetime import datetime
from typing import Any, Final

from ticket_console.desk import publishing
from ticket_console.desk.publishing import Published, VersionRow
from ticket_console.flows import in_use as flows_in_use
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import parse_graph
from ticket_console.flows.reads import FlowNotFound
from ticket_console.forms import drafts
from ticket_console.forms.diff import diff
from ticket_console.forms.reads import TemplateNotFound
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.kernel.settings import settings
from ticket_console.reports import designed
from ticket_console.state.asked import number_asked, text_asked
from ticket_console.state.feedback import done
from ticket_console.state.form_designer import FormDesignerState, opened
from ticket_console.state.form_preview import nodes_of, seen, viewer_of
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

# Instead of the number of a version: the asker's draft as it is now.
_DRAFT: Final = "draft"


class FormReviewState(SessionState):
    preview: Plain = {}
    found: Plain = {}
    published: Plain = {}
    versions: Plain = {}
    compared: Plain = {}

    @handler(permission="template.manage")
    async def begin(self) -> Reply:
        self.preview, self.found, self.published = {}, {}, {}
        self.versions, self.compared = {}, {}
        return None

    @handler(permission="template.manage")
    async def show_preview(self, asked: Plain) -> Reply:
        """The draft as somebody of a role meets it at a node of its flow."""
        self.preview = await off_loop(
            _preview,
            actor=self._actor(),
            at=self._now(),
            draft_id=number_asked(asked, "draft_id"),
            role=text_asked(asked, "role"),
            node_key=text_asked(asked, "node"),
        )
        return None

    @handler(permission="template.manage")
    async def review(self, asked: Plain) -> Reply:
        """What publishing the draft would do."""
        self.found = await off_loop(_review, actor=self._actor(), draft_id=number_asked(asked, "draft_id"))
        return None

    @handler(permission="template.manage")
    async def publish(self, asked: Plain) -> Reply:
        """Put the draft in use; the drawing goes on from the new version."""
        command_id = text_asked(asked, "command_id")
        try:
            told = await off_loop(
                publishing.publish,
                actor=self._actor(),
                at=self._now(),
                command_id=command_id,
                kind=DraftKind.FORM,
                draft_id=number_asked(asked, "draft_id"),
                if_match=number_asked(asked, "if_match"),
                note=text_asked(asked, "note"),
            )
        except ConsoleError:
            self.published = {"command_id": command_id, "refused": True}
            raise
        drawing = await self.get_state(FormDesignerState)
        if told.draft is not None:
            shown = await off_loop(opened, actor=self._actor(), draft=told.draft)
            drawing.opened, drawing.problems = shown
        self.published = {"command_id": command_id, **await off_loop(_face, actor=self._actor(), told=told)}
        return None

    @handler(permission="template.manage")
    async def show_versions(self, asked: Plain) -> Reply:
        self.versions = await off_loop(_versions, actor=self._actor(), code=text_asked(asked, "code"))
        return None

    @handler(permission="template.manage")
    async def roll_back(self, asked: Plain) -> Reply:
        """Publish an older version's content again."""
        code = text_asked(asked, "code")
        told = await off_loop(
            publishing.roll_back,
            actor=self._actor(),
            at=self._now(),
            command_id=text_asked(asked, "command_id"),
            kind=DraftKind.FORM,
            code=code,
            version_id=number_asked(asked, "version_id"),
            reason=text_asked(asked, "note"),
        )
        self.versions = await off_loop(_versions, actor=self._actor(), code=code)
        return [FormDesignerState.load, done("form_designer.versions.rolled_back", n=told.number)]

    @handler(permission="template.manage")
    async def compare(self, asked: Plain) -> Reply:
        """What differs between any two versions, or between one and the draft."""
        self.compared = await off_loop(
            _compared,
            actor=self._actor(),
            draft_id=number_asked(asked, "draft_id"),
            left=text_asked(asked, "left"),
            right=text_asked(asked, "right"),
        )
        return None


def _preview(*, actor: Actor, at: datetime, draft_id: int, role: str, node_key: str) -> Plain:
    draft = drafts.read(actor=actor, draft_id=draft_id)
    definition = drafts.definition_of(draft.document)
    _, flow = drafts.face_of(draft.document)
    nodes = nodes_of(_graph(actor, flow)) if flow else ()
    node = next((each for each in nodes if each.key == node_key), None)
    try:
        viewer = viewer_of(actor.org_id, role)
    except ValueError:
        raise InvalidInput((FieldProblem("role", "input.not_allowed"),)) from None
    shown = seen(definition, viewer, node, at=at)
    return {
        "draft_id": draft.id,
        "seq": draft.seq,
        "role": role,
        "node": node_key,
        "nodes": [{"value": each.key, "label": dict(each.name)} for each in nodes],
        "fields": list(shown.fields),
        "unseen": [{"key": key, "label": dict(definition.field(key).label)} for key in shown.unseen],
    }


def _graph(actor: Actor, flow: str) -> Graph:
    try:
        with reading() as connection:
            return parse_graph(flows_in_use.drawn(connection, actor.org_id, flow).graph)
    except FlowNotFound:
        # Drawn, but not in use yet: nobody can be at any of its steps.
        return Graph((), (), ())


def _review(*, actor: Actor, draft_id: int) -> Plain:
    found = publishing.preview(actor=actor, kind=DraftKind.FORM, draft_id=draft_id)
    return {
        "draft_id": found.draft.id,
        "seq": found.draft.seq,
        "base_number": found.draft.base_number,
        "newest_number": found.draft.newest_number,
        "has_changes": found.draft.has_changes,
        "changes": [line.as_json() for line in found.lines],
        "authors": sorted(found.authors.values()),
        "running": found.running,
    }


def _face(*, actor: Actor, told: Published) -> Plain:
    """What the publisher is told: whether tickets can be opened now, and where customers find the form."""
    with reading() as connection:
        document = drafts.version_document(connection, told.version_id).document
    face, flow = drafts.face_of(document)
    return {
        "code": told.code,
        "number": told.number,
        "name": dict(face.name),
        "is_ready": flow is not None,
        "address": f"{settings().public_url}/request/{told.code}" if face.is_public and flow else "",
    }


def _versions(*, actor: Actor, code: str) -> Plain:
    try:
        found = publishing.versions(actor=actor, kind=DraftKind.FORM, code=code)
    except TemplateNotFound:
        # Drawn, but never published.
        found = ()
    with reading() as connection:
        names = {each.version_id: designed.publisher(connection, each.published_by) for each in found}
    return {
        "code": code,
        "versions": [
            {
                "id": each.version_id,
                "number": each.number,
                "at": each.published_at and instant_text(each.published_at),
                "by": each.published_by if each.publications else names[each.version_id],
                "note": each.note,
                "again": _again(each),
                "authors": list(each.authors),
                "is_current": each.is_current,
                "open_tickets": each.open_tickets,
            }
            for each in found
        ],
    }


def _again(version: VersionRow) -> Plain:
    """When a version that had been replaced came into use another time, by whom and why."""
    if len(version.publications) < 2:
        return {}
    last = version.publications[0]
    return {"at": instant_text(last.at), "by": last.actor_name, "note": last.note}


def _compared(*, actor: Actor, draft_id: int, left: str, right: str) -> Plain:
    sides = [_document(actor, draft_id, side) for side in (left, right)]
    return {"left": left, "right": right, "changes": [line.as_json() for line in diff(*sides)]}


def _document(actor: Actor, draft_id: int, side: str) -> dict[str, Any]:
    if side == _DRAFT:
        return drafts.read(actor=actor, draft_id=draft_id).document
    version_id = number_asked({"version": side}, "version")
    with reading() as connection:
        return publishing.version_document(connection, actor, DraftKind.FORM, version_id).document
