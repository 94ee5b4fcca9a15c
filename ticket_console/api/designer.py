"""Drafts of forms and flows over HTTP, as the designer keeps them: read, drawn on, published, put back.

A draft's `ETag` is its number and that of its latest change. What changes a draft carries it in `If-Match`,
so that a program overwrites nobody, not even its own user's open browser.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import Field
from pydantic_core import to_json
from starlette.responses import Response

from ticket_console.api.bodies import Body
from ticket_console.api.routing import Call, Endpoint, route
from ticket_console.api.tickets import CommandId
from ticket_console.desk import publishing
from ticket_console.desk.publishing import SUBJECTS, VersionRow
from ticket_console.forms.draft_log import Drafts, DraftSummary, DraftView
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel.database import in_writer, off_loop
from ticket_console.kernel.documents import MAX_BYTES
from ticket_console.kernel.errors import ConsoleError

_ETAG: Final = re.compile(r'"(\d{1,18})\.(\d{1,9})"')
# What the gestures around a document take.
_MAX_BODY: Final = 2 * MAX_BYTES


class PreconditionRequired(ConsoleError):
    """A draft is only changed by who says which change they saw last."""

    code = "api.precondition_required"
    http_status = 428


class BadPrecondition(ConsoleError):
    """`If-Match` is no tag that a draft was given."""

    code = "api.bad_precondition"
    http_status = 400


class StartBody(Body):
    """Something new, empty where no document is given."""

    document: dict[str, Any] | None = None


class DocumentBody(Body):
    """The whole document; `id` names the change, so that sending it again does it once."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    document: dict[str, Any]


class GestureBody(Body):
    """One change by its operations; `label` is the key of the text that says it in the log."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    label: Annotated[str, Field(max_length=64)] = "draft.gesture.by_program"
    ops: list[dict[str, Any]]


class PublishBody(Body):
    command_id: CommandId
    note: Annotated[str, Field(max_length=publishing.NOTE_LENGTH)] = ""
    accepted: dict[str, str] = Field(default_factory=dict)


class RollBackBody(Body):
    command_id: CommandId
    version_id: int
    reason: Annotated[str, Field(min_length=1, max_length=publishing.NOTE_LENGTH)]


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """A draft as its author has it; `is_behind`: something newer than its base was published."""

    id: int
    code: str
    author: str
    seq: int
    base_version_id: int | None
    newest_version_id: int | None
    has_changes: bool
    is_behind: bool
    updated_at: datetime
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DraftListed:
    id: int
    code: str
    author: str
    is_mine: bool
    seq: int
    has_changes: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class VersionPublished:
    code: str
    version_id: int
    number: int
    authors: dict[str, str]


def _answer(draft: DraftView, status: int = 200) -> Response:
    answer = DraftAnswer(
        id=draft.id,
        code=draft.code,
        author=draft.author_name,
        seq=draft.seq,
        base_version_id=draft.base_version_id,
        newest_version_id=draft.newest_version_id,
        has_changes=draft.has_changes,
        is_behind=draft.is_behind,
        updated_at=draft.updated_at,
        document=draft.document,
    )
    headers = {"ETag": f'"{draft.id}.{draft.seq}"', "Cache-Control": "no-store"}
    return Response(to_json(answer), status_code=status, media_type="application/json", headers=headers)


def _match(call: Call[Any]) -> tuple[int, int]:
    """The draft and the change that the caller saw last."""
    given = call.request.headers.get("if-match")
    if given is None:
        raise PreconditionRequired()
    found = _ETAG.fullmatch(given.strip())
    if found is None:
        raise BadPrecondition()
    return int(found[1]), int(found[2])


def _listed(draft: DraftSummary) -> DraftListed:
    return DraftListed(
        id=draft.id,
        code=draft.code,
        author=draft.author_name,
        is_mine=draft.is_mine,
        seq=draft.seq,
        has_changes=draft.has_changes,
        updated_at=draft.updated_at,
    )


def _published(done: publishing.Published) -> VersionPublished:
    return VersionPublished(done.code, done.version_id, done.number, dict(done.authors))


def _routes(kind: DraftKind) -> tuple[Endpoint, ...]:
    """The same routes for forms and for flows."""
    subject = SUBJECTS[kind]
    room = Drafts(subject)
    base = f"/api/v1/designer/{kind}s"

    async def read_draft(call: Call[None]) -> Response:
        """Read your draft, made from the version in use where you have none yet."""
        code = call.path_param("code")
        return _answer(await in_writer(room.open_draft, actor=call.actor, at=call.at, code=code))

    async def start_draft(call: Call[StartBody]) -> Response:
        """Begin something new under a code that nobody uses."""
        code, document = call.path_param("code"), call.body.document
        started = await in_writer(room.start, actor=call.actor, at=call.at, code=code, document=document)
        return _answer(started, 201)

    async def put_draft(call: Call[DocumentBody]) -> Response:
        """Save the whole document of your draft."""
        draft_id, if_match = _match(call)
        saved = await in_writer(
            room.replace,
            actor=call.actor,
            at=call.at,
            draft_id=draft_id,
            if_match=if_match,
            gesture_id=call.body.id,
            label="draft.gesture.by_program",
            document=call.body.document,
        )
        return _answer(saved)

    async def change_draft(call: Call[GestureBody]) -> Response:
        """Add one change to your draft."""
        draft_id, if_match = _match(call)
        gesture = {"id": call.body.id, "label": call.body.label, "ops": call.body.ops}

        def save() -> DraftView:
            room.edit(actor=call.actor, at=call.at, draft_id=draft_id, if_match=if_match, gesture=gesture)
            return room.read(actor=call.actor, draft_id=draft_id)

        return _answer(await in_writer(save))

    async def discard_draft(call: Call[None]) -> None:
        """Throw your draft away."""
        draft_id, if_match = _match(call)
        await in_writer(room.discard, actor=call.actor, at=call.at, draft_id=draft_id, if_match=if_match)

    async def publish_draft(call: Call[PublishBody]) -> VersionPublished:
        """Make your draft the version in use."""
        draft_id, if_match = _match(call)
        done = await off_loop(
            publishing.publish,
            actor=call.actor,
            at=call.at,
            command_id=call.body.command_id,
            kind=kind,
            draft_id=draft_id,
            if_match=if_match,
            note=call.body.note,
            accepted=call.body.accepted,
        )
        return _published(done)

    async def list_drafts(call: Call[None]) -> list[DraftListed]:
        """List everybody's drafts."""
        found = await off_loop(room.drafts_of, actor=call.actor, code=call.path_param("code"))
        return [_listed(draft) for draft in found]

    async def list_versions(call: Call[None]) -> tuple[VersionRow, ...]:
        """List the versions, the newest first, with the open tickets that run on each."""
        code = call.path_param("code")
        return await off_loop(publishing.versions, actor=call.actor, kind=kind, code=code)

    async def roll_back(call: Call[RollBackBody]) -> VersionPublished:
        """Put an older version in use again."""
        done = await off_loop(
            publishing.roll_back,
            actor=call.actor,
            at=call.at,
            command_id=call.body.command_id,
            kind=kind,
            code=call.path_param("code"),
            version_id=call.body.version_id,
            reason=call.body.reason,
        )
        return _published(done)

    def declared(path: str, handler: Any, method: str = "GET", **more: Any) -> Endpoint:
        handler.__name__ = f"{handler.__name__}_of_{kind}"
        return route(
            f"{base}/{{code}}/{path}",
            handler,
            method=method,
            permission=subject.permission,
            max_bytes=lambda: _MAX_BODY,
            tag="designer",
            **more,
        )

    return (
        declared("draft", read_draft, answer=DraftAnswer),
        declared("draft", start_draft, "POST", body=StartBody, answer=DraftAnswer, status=201),
        declared("draft", put_draft, "PUT", body=DocumentBody, answer=DraftAnswer),
        declared("draft", change_draft, "PATCH", body=GestureBody, answer=DraftAnswer),
        declared("draft", discard_draft, "DELETE", status=204),
        declared("draft/publish", publish_draft, "POST", body=PublishBody, answer=VersionPublished),
        declared("drafts", list_drafts, answer=list[DraftListed]),
        declared("versions", list_versions, answer=tuple[VersionRow, ...]),
        declared("rollback", roll_back, "POST", body=RollBackBody, answer=VersionPublished),
    )


endpoints: Final = (*_routes(DraftKind.FORM), *_routes(DraftKind.FLOW))
