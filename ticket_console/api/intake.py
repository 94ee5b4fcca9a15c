"""Requests over HTTP: from programs with a token, and from anybody through a template's public form."""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, to_json
from starlette.responses import Response

from ticket_console.api.callers import address_of
from ticket_console.api.routing import Call, route
from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.intake import public_form
from ticket_console.intake.channels.web_form import FormAnswer
from ticket_console.intake.messages import IntakeMessage
from ticket_console.intake.public_form import PublicForm
from ticket_console.intake.reads import channel_counts
from ticket_console.intake.receiving import Receipt, receive
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import at_once, off_loop, reading
from ticket_console.kernel.settings import settings
from ticket_console.kernel.text import LocalText
from ticket_console.tickets.tracking import tracking_path

_KEY_HEADER: Final = "Idempotency-Key"
_CREATED: Final = 201


@dataclass(frozen=True, slots=True)
class _DescribedAs:
    """Describes a body as a model without judging it by that model.

    A message is kept in the raw log before anybody judges it, and each channel has its own shape.
    """

    model: type[BaseModel]

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler.resolve_ref_schema(handler(self.model.__pydantic_core_schema__))


RequestBody = Annotated[dict[str, Any], _DescribedAs(IntakeMessage)]
AnswerBody = Annotated[dict[str, Any], _DescribedAs(FormAnswer)]


@dataclass(frozen=True, slots=True)
class Received:
    """`state` is "ticket", or "duplicate" when the source's number came before: then of that ticket."""

    state: str
    raw_id: int
    ticket_id: int | None
    ticket_no: str | None
    tracking_url: str | None
    is_repeat: bool


@dataclass(frozen=True, slots=True)
class Counts:
    new: int
    ticket: int
    duplicate: int
    rejected: int


@dataclass(frozen=True, slots=True)
class FormOption:
    value: str
    label: LocalText


@dataclass(frozen=True, slots=True)
class FormField:
    key: str
    kind: FieldKind
    label: LocalText
    help: LocalText
    required: bool
    options: tuple[FormOption, ...]
    default: Any
    pattern: str | None
    min: str | None
    max: str | None


@dataclass(frozen=True, slots=True)
class FormDescription:
    """`fields` go into `values` of the answer, by key."""

    code: str
    name: LocalText
    company: LocalText
    fields: tuple[FormField, ...]


async def receive_request(call: Call[dict[str, Any]]) -> Response:
    """Receive a request from a channel and open its ticket.

    The header `Idempotency-Key` makes a repetition safe: the same key with the same body gets the same
    answer (200), with another body 409. Without it `external_id` does the same. The channels `wechat`,
    `phone` and `boston311` have shapes of their own; every other name takes the one below.
    201 with the ticket's tracking page in `Location`, or 200 for a repetition and for a duplicate.
    """
    receipt = await at_once(
        receive,
        actor=call.actor,
        at=call.at,
        channel=call.path_param("channel"),
        delivery_key=call.request.headers.get(_KEY_HEADER),
        payload=call.body,
    )
    return _received(receipt)


async def count_requests(call: Call[None]) -> Counts:
    """Count what became of a channel's messages, so that a sender can compare.

    Once nothing is `new`, the messages sent are `ticket` + `duplicate` + `rejected`.
    """
    return await off_loop(_counts, call.actor, call.path_param("channel"))


async def list_public_forms(call: Call[None]) -> list[FormDescription]:
    """List the forms that anybody may fill in."""
    forms = await off_loop(_forms)
    return [_described(form) for form in forms]


async def describe_public_form(call: Call[None]) -> FormDescription:
    """Describe what a public form asks."""
    return _described(await off_loop(_form, call.path_param("template")))


async def answer_public_form(call: Call[dict[str, Any]]) -> Response:
    """Send a filled-in public form; the answer holds the link that shows how it goes on.

    The header `Idempotency-Key`, made once per form shown, makes a double click send one request.
    """
    receipt = await at_once(
        public_form.receive_public,
        at=call.at,
        template_code=call.path_param("template"),
        answer=call.body,
        submission_key=call.request.headers.get(_KEY_HEADER, ""),
        address=address_of(call.request),
    )
    return _received(receipt)


def _counts(sender: Actor, channel: str) -> Counts:
    with reading() as connection:
        found = channel_counts(connection, sender, channel)
    return Counts(**{state.value: count for state, count in found.items()})


def _forms() -> tuple[PublicForm, ...]:
    with reading() as connection:
        return public_form.public_forms(connection)


def _form(template_code: str) -> PublicForm:
    with reading() as connection:
        return public_form.public_form(connection, template_code)


def _received(receipt: Receipt) -> Response:
    token = receipt.tracking_token
    tracking_url = None if token is None else settings().public_url + tracking_path(token)
    answer = Received(
        state=receipt.state.value,
        raw_id=receipt.raw_id,
        ticket_id=receipt.ticket_id,
        ticket_no=receipt.ticket_no,
        tracking_url=tracking_url,
        is_repeat=receipt.is_repeat,
    )
    is_new = not receipt.is_repeat and answer.state == "ticket"
    return Response(
        to_json(answer),
        status_code=_CREATED if is_new else 200,
        media_type="application/json",
        headers={} if tracking_url is None else {"Location": tracking_url},
    )


def _described(form: PublicForm) -> FormDescription:
    return FormDescription(
        code=form.code,
        name=form.name,
        company=form.company,
        fields=tuple(_field(spec) for spec in form.fields),
    )


def _field(spec: FieldSpec) -> FormField:
    return FormField(
        key=spec.key,
        kind=spec.kind,
        label=spec.label,
        help=spec.help,
        required=spec.required,
        options=tuple(FormOption(option.value, option.label) for option in spec.options),
        default=spec.default,
        pattern=spec.pattern,
        min=None if spec.minimum is None else str(spec.minimum),
        max=None if spec.maximum is None else str(spec.maximum),
    )


def _per_minute() -> int:
    return settings().intake_per_minute


endpoints: Final = (
    route(
        "/api/v1/intake/{channel}",
        receive_request,
        method="POST",
        permission="ticket.open",
        body=RequestBody,
        answer=Received,
        status=_CREATED,
        per_minute=_per_minute,
        tag="intake",
    ),
    route(
        "/api/v1/intake/{channel}",
        count_requests,
        permission="ticket.open",
        answer=Counts,
        tag="intake",
    ),
    route(
        "/api/v1/public/forms",
        list_public_forms,
        public=True,
        answer=list[FormDescription],
        tag="public forms",
    ),
    route(
        "/api/v1/public/forms/{template}",
        describe_public_form,
        public=True,
        answer=FormDescription,
        tag="public forms",
    ),
    route(
        "/api/v1/public/forms/{template}",
        answer_public_form,
        method="POST",
        public=True,
        body=AnswerBody,
        answer=Received,
        status=_CREATED,
        tag="public forms",
    ),
)
