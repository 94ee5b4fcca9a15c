"""Definitions over HTTP: forms, flows and rules as text and in bundles, and flows as BPMN 2.0."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import UploadFile
from starlette.responses import Response

from ticket_console.api.bodies import Query
from ticket_console.api.routing import Call, route
from ticket_console.flows.bpmn.drafting import BpmnDraft, import_bpmn
from ticket_console.i18n import translate
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import FieldProblem, InvalidInput, Param
from ticket_console.kernel.ids import command_id_of
from ticket_console.kernel.text import LocalText
from ticket_console.packs.exchange import exporting, importing
from ticket_console.packs.exchange.bundles import MOST_UNPACKED
from ticket_console.packs.exchange.definitions import Reference

_YAML: Final = "application/yaml"
_BPMN: Final = "application/bpmn+xml"
# What a form adds around the file: its boundaries and headers.
_AROUND: Final = 16 << 10
_ACCEPTED: Final = TypeAdapter(dict[str, dict[str, str]])
_RESERVED: Final = frozenset({"key", "locale", "zone"})


class DefinitionFormat(StrEnum):
    YAML = "yaml"
    BPMN = "bpmn"


class DefinitionQuery(Query):
    """`bpmn` is for flows only; `version` picks one of a flow's versions for it."""

    format: DefinitionFormat = DefinitionFormat.YAML
    version: int | None = None


class BundleQuery(Query):
    """With `flow`, the process of that flow and all it needs; without, everything."""

    flow: str | None = None


class ImportQuery(Query):
    """`token` of a preview: the import is refused when something changed since."""

    token: str | None = None


class BpmnQuery(Query):
    """`process` picks one of several processes of a file by its id."""

    process: str | None = None


@dataclass(frozen=True, slots=True)
class ListedDefinition:
    kind: str
    code: str
    name: LocalText
    hash: str


@dataclass(frozen=True, slots=True)
class ChangedDefinition:
    """`change` is "new", "same" or "changed"; `diff` shows the lines of its YAML that change."""

    kind: str
    code: str
    name: LocalText
    file: str
    change: str
    hash: str
    hash_in_use: str | None
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingThing:
    kind: str
    code: str
    wanted_by: str


@dataclass(frozen=True, slots=True)
class FailingGoldenTicket:
    """`expected` and `actual` are where it first goes another way, `about` "course", "step" or "outcome"."""

    flow: str
    name: str
    ticket_no: str
    about: str
    expected: Any
    actual: Any


@dataclass(frozen=True, slots=True)
class DefinitionProblem:
    """`path` names file, line and place within the file."""

    path: str
    code: str
    title: str


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What an import would do. With anything missing or wrong, it would do nothing at all.

    Every golden ticket of `failing` has to be accepted with a reason.
    """

    is_possible: bool
    token: str
    items: tuple[ChangedDefinition, ...]
    missing: tuple[MissingThing, ...]
    problems: tuple[DefinitionProblem, ...]
    failing: tuple[FailingGoldenTicket, ...]


@dataclass(frozen=True, slots=True)
class BpmnRemark:
    """What happened to one element: `outcome` is "converted", "added", "dropped" or "tool"."""

    element: str
    id: str
    name: str
    line: int | None
    outcome: str
    code: str
    title: str


@dataclass(frozen=True, slots=True)
class BpmnImport:
    """A draft of the caller's: `problems` have to be solved before it can be published."""

    draft_id: int
    code: str
    seq: int
    nodes: int
    is_whole: bool
    remarks: tuple[BpmnRemark, ...]
    problems: tuple[DefinitionProblem, ...]


async def list_definitions(call: Call[None]) -> list[ListedDefinition]:
    """List every definition in use: forms, flows and what belongs to them, each with its hash."""

    def read() -> list[ListedDefinition]:
        with reading() as conn:
            found = exporting.listed(conn, viewer=call.actor)
        return [ListedDefinition(each.kind, each.code, each.name, each.hash) for each in found]

    return await off_loop(read)


async def export_definition(call: Call[None]) -> Response:
    """Export one definition as YAML, a flow also as BPMN 2.0."""
    kind, code = call.path_param("kind"), call.path_param("code")
    query: DefinitionQuery = call.query
    if query.format is DefinitionFormat.BPMN and kind != "flow":
        raise InvalidInput((FieldProblem("format", "input.not_allowed"),))

    def read() -> bytes:
        with reading() as conn:
            if query.format is DefinitionFormat.BPMN:
                return exporting.bpmn_of(
                    conn, viewer=call.actor, code=code, number=query.version, locale=call.locale
                )
            return exporting.yaml_of(conn, viewer=call.actor, reference=Reference(kind, code))

    content = await off_loop(read)
    media = _BPMN if query.format is DefinitionFormat.BPMN else _YAML
    return _file(content, f"{kind}-{code}.{query.format.value}", media)


async def export_bundle(call: Call[None]) -> Response:
    """Export a process with all it needs, or everything, as one bundle."""
    query: BundleQuery = call.query

    def read() -> bytes:
        with reading() as conn:
            if query.flow is not None:
                return exporting.process_bundle(conn, viewer=call.actor, flow=query.flow)
            return exporting.everything(conn, viewer=call.actor)

    content = await off_loop(read)
    return _file(content, f"{_safe(query.flow or 'console')}.bundle.zip", "application/zip")


async def preview_definitions(call: Call[None]) -> ImportPreview:
    """Say what importing a file would change; nothing is written.

    The YAML file or bundle is sent as a form with one part called "file".
    """
    name, content, _ = await _upload(call)
    shown = await off_loop(importing.preview, actor=call.actor, at=call.at, filename=name, content=content)
    return ImportPreview(
        is_possible=shown.is_possible,
        token=shown.token,
        items=tuple(map(_item, shown.items)),
        missing=tuple(MissingThing(each.kind, each.code, each.wanted_by) for each in shown.missing),
        problems=_problems(shown.problems, call.locale),
        failing=tuple(map(_failing, shown.failing)),
    )


async def import_definitions(call: Call[None]) -> list[ChangedDefinition]:
    """Import a YAML file or a bundle: everything in it or, on any problem, nothing.

    What is in use in exactly this form stays as it is, so importing again changes nothing. A golden ticket
    that goes another way is a refusal, unless a second part called "accepted" gives the reason, as JSON:
    {flow: {name of the test: reason}}.
    """
    name, content, accepted = await _upload(call)
    done = await off_loop(
        importing.import_file,
        actor=call.actor,
        at=call.at,
        command_id=command_id_of("import", call.at.isoformat(), call.actor.label),
        filename=name,
        content=content,
        token=call.query.token,
        accepted=accepted,
    )
    return [_item(each) for each in done.items]


async def import_flow_bpmn(call: Call[None]) -> BpmnImport:
    """Make a BPMN 2.0 file the caller's draft of a flow, with a report of what became of every element."""
    _, content, _ = await _upload(call)
    made: BpmnDraft = await off_loop(
        import_bpmn,
        actor=call.actor,
        at=call.at,
        command_id=f"bpmn:{call.at.isoformat()}",
        code=call.path_param("code"),
        content=content,
        process_id=call.query.process,
    )
    return BpmnImport(
        draft_id=made.draft_id,
        code=made.code,
        seq=made.seq,
        nodes=made.nodes,
        is_whole=made.report.is_whole,
        remarks=tuple(
            BpmnRemark(
                element=each.element,
                id=each.id,
                name=each.name,
                line=each.line,
                outcome=each.outcome.value,
                code=each.code,
                title=_said(each.code, each.params, call.locale),
            )
            for each in made.report.remarks
        ),
        problems=_problems(made.problems, call.locale),
    )


async def _upload(call: Call[Any]) -> tuple[str, bytes, dict[str, dict[str, str]]]:
    """Name and content of the file, and the golden tickets that are accepted with it."""
    async with call.request.form(max_files=1, max_fields=4) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise InvalidInput((FieldProblem("file", "field.required"),))
        return sent.filename or "file", await sent.read(), _accepted(form.get("accepted"))


def _accepted(said: object) -> dict[str, dict[str, str]]:
    if not said:
        return {}
    try:
        return _ACCEPTED.validate_json(said if isinstance(said, str) else "")
    except ValidationError:
        raise InvalidInput((FieldProblem("accepted", "input.wrong_type"),)) from None


def _failing(test: importing.FailingTest) -> FailingGoldenTicket:
    result, difference = test.result, test.result.difference
    return FailingGoldenTicket(
        flow=test.flow,
        name=result.name,
        ticket_no=result.ticket_no,
        about="" if difference is None else difference.about,
        expected=None if difference is None else difference.expected,
        actual=None if difference is None else difference.actual,
    )


def _item(item: importing.PreviewItem) -> ChangedDefinition:
    return ChangedDefinition(
        kind=item.kind,
        code=item.code,
        name=item.name,
        file=item.file,
        change=item.change.value,
        hash=item.hash,
        hash_in_use=item.hash_in_use,
        diff=item.diff,
    )


def _problems(problems: tuple[FieldProblem, ...], locale: str) -> tuple[DefinitionProblem, ...]:
    return tuple(
        DefinitionProblem(each.path, each.code, _said(each.code, each.params, locale)) for each in problems
    )


def _said(code: str, params: Mapping[str, Param], locale: str) -> str:
    figures: dict[str, Any] = {name: value for name, value in params.items() if name not in _RESERVED}
    return translate(code, locale, **figures)


def _safe(name: str) -> str:
    return "".join(letter for letter in name if letter.isascii() and (letter.isalnum() or letter in "._-"))


def _file(content: bytes, name: str, media: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{_safe(name)}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=media, headers=headers)


def _most_bytes() -> int:
    return MOST_UNPACKED + _AROUND


# Designers hold both permissions; each kind asks for its own below.
endpoints: Final = (
    route(
        "/api/v1/definitions",
        list_definitions,
        permission="flow.manage",
        answer=list[ListedDefinition],
        tag="definitions",
    ),
    route(
        "/api/v1/definitions",
        import_definitions,
        method="POST",
        permission="flow.manage",
        query=ImportQuery,
        consumes="multipart/form-data",
        answer=list[ChangedDefinition],
        max_bytes=_most_bytes,
        per_minute=lambda: 30,
        tag="definitions",
    ),
    route(
        "/api/v1/definitions/preview",
        preview_definitions,
        method="POST",
        permission="flow.manage",
        consumes="multipart/form-data",
        answer=ImportPreview,
        max_bytes=_most_bytes,
        per_minute=lambda: 30,
        tag="definitions",
    ),
    route(
        "/api/v1/definitions/bundle",
        export_bundle,
        permission="flow.manage",
        query=BundleQuery,
        produces="application/zip",
        tag="definitions",
    ),
    route(
        "/api/v1/definitions/{kind}/{code}",
        export_definition,
        permission="flow.manage",
        query=DefinitionQuery,
        produces=_YAML,
        tag="definitions",
    ),
    route(
        "/api/v1/definitions/flow/{code}/bpmn",
        import_flow_bpmn,
        method="POST",
        permission="flow.manage",
        query=BpmnQuery,
        consumes="multipart/form-data",
        answer=BpmnImport,
        max_bytes=_most_bytes,
        per_minute=lambda: 30,
        tag="definitions",
    ),
)
