"""Tickets over HTTP: the same commands and the same projections as on screen."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from uuid import uuid4

from pydantic import Field
from starlette.datastructures import UploadFile
from starlette.responses import Response

from ticket_console.api.bodies import Body, Query
from ticket_console.api.routing import Call, route
from ticket_console.desk import assigning, customer, moving, opening, page, talking
from ticket_console.desk.opening import NewTicket, OpenedTicket
from ticket_console.desk.page import TicketView
from ticket_console.desk.talking import attachment_path
from ticket_console.desk.work import MovedTicket
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import at_once, off_loop, reading
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.settings import settings
from ticket_console.tickets import board, reads
from ticket_console.tickets.board import Board, BoardFilters, By, Rows
from ticket_console.tickets.tables import Visibility

CommandId = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
Reason = Annotated[str, Field(min_length=1, max_length=moving.REASON_LENGTH)]
Level = Annotated[int, Field(ge=1, le=3)]


class OpenBody(Body):
    """A work order opened at the desk, by somebody who knows what is wanted."""

    command_id: CommandId
    template_code: Annotated[str, Field(max_length=64)]
    title: Annotated[str, Field(max_length=opening.TITLE_LENGTH)]
    description: Annotated[str, Field(max_length=opening.DESCRIPTION_LENGTH)] = ""
    values: dict[str, Any] = Field(default_factory=dict)
    customer_id: int | None = None
    asset_id: int | None = None
    contact_name: Annotated[str, Field(max_length=120)] = ""
    contact_phone: Annotated[str, Field(max_length=32)] = ""
    site_code: Annotated[str, Field(max_length=64)] | None = None
    lat: float | None = None
    lon: float | None = None
    address: Annotated[str, Field(max_length=300)] = ""
    region_code: Annotated[str, Field(max_length=32)] | None = None
    urgency: Level | None = None
    impact: Level | None = None


class Change(Body):
    """What every change of a ticket carries: its own id, and the version the caller saw."""

    command_id: CommandId
    expected_version: Annotated[int, Field(ge=1)]


class ActBody(Change):
    token_id: int | None = None
    edge_key: Annotated[str, Field(max_length=160)] | None = None
    values: dict[str, Any] = Field(default_factory=dict)
    checklist: list[dict[str, Any]] | None = None


class ReturnBody(Change):
    reason: Reason
    token_id: int | None = None
    edge_key: Annotated[str, Field(max_length=160)] | None = None
    kind: Literal["return", "reject"] = "return"


class CancelBody(Change):
    reason: Reason


class DropBody(Change):
    """`override` goes over the lane's limit, with the reason; the card comes between two others."""

    to_stage: Annotated[str, Field(max_length=32)]
    reason: Annotated[str, Field(max_length=moving.REASON_LENGTH)] = ""
    before_id: int | None = None
    after_id: int | None = None
    override: bool = False


class AssignBody(Change):
    technician_id: int
    reason: Annotated[str, Field(max_length=moving.REASON_LENGTH)] = ""
    override: bool = False


class CommentBody(Body):
    command_id: CommandId
    text: Annotated[str, Field(min_length=1, max_length=talking.COMMENT_LENGTH)]
    for_customer: bool = False


class BoardQuery(Query):
    region_id: int | None = None
    template_id: int | None = None
    priority: Annotated[int, Field(ge=1, le=4)] | None = None
    assignee_id: int | None = None
    unassigned: bool = False
    overdue: bool = False
    late: bool = False
    vip: bool = False
    search: Annotated[str, Field(max_length=board.SEARCH_LENGTH)] = ""
    by: By = By.STAGE
    rows: Rows = Rows.NONE


async def open_ticket(call: Call[OpenBody]) -> OpenedTicket:
    """Open a work order."""
    wish = call.body.model_dump(exclude={"command_id"})
    return await at_once(
        opening.open_ticket,
        actor=call.actor,
        at=call.at,
        command_id=call.body.command_id,
        request=NewTicket(**wish),
    )


async def read_ticket(call: Call[None]) -> TicketView:
    """One ticket, as far as the caller may see it."""

    def read() -> TicketView:
        with reading() as connection:
            return page.ticket_page(
                connection, viewer=call.actor, ticket_id=call.path_param("ticket_id"), at=call.at
            )

    return await off_loop(read)


async def act(call: Call[ActBody]) -> MovedTicket:
    """Finish a step with its entries."""
    body = call.body
    return await at_once(
        moving.act, **_change(call), token_id=body.token_id, edge_key=body.edge_key, values=body.values
    )


async def send_back(call: Call[ReturnBody]) -> MovedTicket:
    """Send a step's work back, or refuse it, with the reason."""
    body = call.body
    command = moving.reject if body.kind == "reject" else moving.send_back
    return await at_once(
        command, **_change(call), reason=body.reason, token_id=body.token_id, edge_key=body.edge_key
    )


async def cancel(call: Call[CancelBody]) -> MovedTicket:
    """Give a ticket up, with the reason."""
    return await at_once(moving.cancel, **_change(call), reason=call.body.reason)


async def drop(call: Call[DropBody]) -> MovedTicket:
    """Move a ticket to another lane of the board."""
    body = call.body
    return await at_once(
        moving.drop,
        **_change(call),
        to_stage=body.to_stage,
        reason=body.reason,
        before_id=body.before_id,
        after_id=body.after_id,
        override=body.override,
    )


async def assign(call: Call[AssignBody]) -> MovedTicket:
    """Give a ticket's step to a technician."""
    body = call.body
    return await at_once(
        assigning.assign,
        **_change(call),
        technician_id=body.technician_id,
        reason=body.reason,
        override=body.override,
    )


async def claim(call: Call[Change]) -> MovedTicket:
    """Take a waiting step; the first one wins."""
    return await at_once(assigning.claim, **_change(call))


async def comment(call: Call[CommentBody]) -> MovedTicket:
    """Say something on a ticket."""
    return await at_once(
        talking.comment,
        actor=call.actor,
        at=call.at,
        command_id=call.body.command_id,
        ticket_id=call.path_param("ticket_id"),
        text=call.body.text,
        visibility=Visibility.CUSTOMER if call.body.for_customer else Visibility.INTERNAL,
    )


async def read_board(call: Call[None]) -> Board:
    """The board: lanes by stage, person, territory or due time, with exact counts and their first cards."""
    query: BoardQuery = call.query
    filters = BoardFilters(
        region_id=query.region_id,
        template_id=query.template_id,
        priority=query.priority,
        assignee_id=query.assignee_id,
        is_unassigned=query.unassigned,
        is_overdue=query.overdue,
        is_late=query.late,
        is_vip=query.vip,
        search=query.search,
        by=query.by,
        rows=query.rows,
    )

    def read() -> Board:
        with reading() as connection:
            return board.board_snapshot(connection, viewer=call.actor, filters=filters, at=call.at)

    return await off_loop(read)


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file that was taken; `version` is the ticket's, which has grown by it."""

    id: int
    name: str
    url: str
    version: int


class UploadQuery(Query):
    """Without a `command_id` a repeated upload is kept twice."""

    command_id: CommandId | None = None
    token_id: int | None = None
    for_customer: bool = False


async def upload_attachment(call: Call[None]) -> KeptFile:
    """Keep a picture or a PDF with a ticket; sent as a form with one part called "file"."""
    query: UploadQuery = call.query
    async with call.request.form(max_files=1, max_fields=4) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise InvalidInput((FieldProblem("file", "field.required"),))
        content, name = await sent.read(), sent.filename or "file"
    # Decoding a photo takes long: among the readers it holds up nobody's command.
    attached = await off_loop(
        talking.attach,
        actor=call.actor,
        at=call.at,
        command_id=query.command_id or str(uuid4()),
        ticket_id=call.path_param("ticket_id"),
        filename=name,
        content=content,
        visibility=Visibility.CUSTOMER if query.for_customer else Visibility.INTERNAL,
        token_id=query.token_id,
    )
    url = f"/api/v1/attachments/{attached.attachment_id}"
    return KeptFile(attached.attachment_id, attached.filename, url, attached.version)


async def download_attachment(call: Call[None]) -> Response:
    """A file kept with a ticket the caller may see."""
    return await _file(call.actor, call.path_param("attachment_id"))


async def download_tracked_attachment(call: Call[None]) -> Response:
    """A file that was meant for the customer, by the customer's link."""
    actor, _ = await off_loop(customer.customer_of, call.path_param("token"))
    return await _file(actor, call.path_param("attachment_id"))


async def _file(viewer: Actor, attachment_id: int) -> Response:
    def read() -> tuple[bytes, str]:
        with reading() as connection:
            row = reads.attachment(connection, viewer=viewer, attachment_id=attachment_id)
        return attachment_path(row["content_hash"]).read_bytes(), row["content_type"]

    content, kind = await off_loop(read)
    # A file is shown, never run: whatever it says of itself, the browser must not guess another kind.
    headers = {
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "private, max-age=3600",
    }
    return Response(content, media_type=kind, headers=headers)


def _change(call: Call[Any]) -> dict[str, Any]:
    return {
        "actor": call.actor,
        "at": call.at,
        "command_id": call.body.command_id,
        "ticket_id": call.path_param("ticket_id"),
        "expected_version": call.body.expected_version,
    }


_TICKET: Final = "/api/v1/tickets/{ticket_id:id}"


def _change_route(path: str, handler: Any, body: Any, permission: str) -> Any:
    return route(
        f"{_TICKET}/{path}",
        handler,
        method="POST",
        permission=permission,
        body=body,
        answer=MovedTicket,
        tag="tickets",
    )


endpoints: Final = (
    route(
        "/api/v1/tickets",
        open_ticket,
        method="POST",
        permission="ticket.open",
        body=OpenBody,
        answer=OpenedTicket,
        status=201,
        tag="tickets",
    ),
    route(_TICKET, read_ticket, permission="ticket.view", tag="tickets"),
    _change_route("act", act, ActBody, "ticket.act"),
    _change_route("return", send_back, ReturnBody, "ticket.act"),
    _change_route("cancel", cancel, CancelBody, "ticket.cancel"),
    _change_route("drop", drop, DropBody, "ticket.act"),
    _change_route("assign", assign, AssignBody, "ticket.assign"),
    _change_route("claim", claim, Change, "ticket.act"),
    _change_route("comments", comment, CommentBody, "ticket.comment"),
    route(
        f"{_TICKET}/attachments",
        upload_attachment,
        method="POST",
        permission="ticket.attach",
        query=UploadQuery,
        answer=KeptFile,
        consumes="multipart/form-data",
        # The file and what the form puts around it.
        max_bytes=lambda: settings().max_attachment_bytes + 65_536,
        tag="tickets",
    ),
    route("/api/v1/board", read_board, permission="board.view", query=BoardQuery, tag="board"),
    route(
        "/api/v1/attachments/{attachment_id:id}",
        download_attachment,
        permission="ticket.view",
        produces="application/octet-stream",
        tag="tickets",
    ),
    route(
        "/api/v1/track/{token}/attachments/{attachment_id:id}",
        download_tracked_attachment,
        public=True,
        produces="application/octet-stream",
        per_minute=lambda: 240,
        tag="customers",
    ),
)
