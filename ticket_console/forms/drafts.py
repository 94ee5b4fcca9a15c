"""Drafts of templates: definition and face as one document, and everything `draft_log` can do.

    {"definition": {"sections": [...]}, "face": {"name", "business_line", "ticket_class", "icon",
     "is_public", "keywords", "flow"}}

`face.flow` is the code of the flow its tickets follow, or null.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.engine import Connection

from ticket_console.forms.definitions import (
    InvalidDefinition,
    TemplateDefinition,
    definition_json,
    parse_definition,
)
from ticket_console.forms.draft_log import Drafts, Newest, Subject
from ticket_console.forms.json_form import JsonForm
from ticket_console.forms.ownership import refuse_new_face, refuse_others_sections
from ticket_console.forms.publishing import TemplateFace
from ticket_console.forms.reads import TemplateNotFound
from ticket_console.forms.tables import DraftKind, Template, TemplateVersion
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.documents import Document
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import LOCALES

_templates = table(Template)
_versions = table(TemplateVersion)

EMPTY: Final[Document] = {
    "definition": {"sections": [{"key": "main", "title": {"zh": "基本信息", "en": "Basics"}, "fields": []}]},
    "face": {"name": {}, "business_line": "general", "ticket_class": "service"},
}


class _FaceForm(JsonForm):
    name: dict[str, Annotated[str, Field(max_length=200)]] = Field(default_factory=dict)
    business_line: Annotated[str, Field(min_length=1, max_length=64)]
    ticket_class: Annotated[str, Field(min_length=1, max_length=32)]
    icon: Annotated[str, Field(max_length=64)] = ""
    is_public: bool = False
    keywords: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)] = Field(
        default_factory=list
    )
    flow: Annotated[str, Field(max_length=64)] | None = None


def definition_of(document: Document) -> TemplateDefinition:
    """The definition of a document; raises `InvalidDefinition`."""
    return parse_definition(document.get("definition"))


def face_of(document: Document) -> tuple[TemplateFace, str | None]:
    """What the template shows of itself, and the code of its flow; raises `InvalidDefinition`."""
    form = _FaceForm.read(document.get("face"), InvalidDefinition)
    if form.name.keys() - set(LOCALES):
        raise InvalidDefinition((FieldProblem("face.name", "input.unknown_key"),))
    face = TemplateFace(
        name=form.name,
        business_line=form.business_line,
        ticket_class=form.ticket_class,
        icon=form.icon,
        is_public=form.is_public,
        keywords=tuple(form.keywords),
    )
    return face, form.flow


def document_of(definition: TemplateDefinition, face: TemplateFace, flow: str | None) -> Document:
    form = _FaceForm.model_construct(
        name=dict(face.name),
        business_line=face.business_line,
        ticket_class=face.ticket_class,
        icon=face.icon,
        is_public=face.is_public,
        keywords=list(face.keywords),
        flow=flow,
    )
    return {"definition": definition_json(definition), "face": form.plain()}


def _check(document: Document) -> None:
    if unknown := document.keys() - {"definition", "face"}:
        raise InvalidDefinition(tuple(FieldProblem(name, "input.unknown_key") for name in sorted(unknown)))
    face_of(document)
    definition_of(document)


def _refuse(actor: Actor, before: Document, after: Document) -> None:
    refuse_others_sections(actor, definition_of(before), definition_of(after))
    refuse_new_face(actor, is_changed=before.get("face") != after.get("face"))


# Flows are a room above: their table is known here by its name alone.
_flow_codes: Final = sa.table("flow", sa.column("id", sa.Integer), sa.column("code", sa.Text))
_VERSION: Final = (
    sa.select(
        _versions.c.id,
        _versions.c.number,
        _versions.c.definition,
        _versions.c.published_at,
        _versions.c.published_by,
        _templates.c.name,
        _templates.c.business_line,
        _templates.c.ticket_class,
        _templates.c.icon,
        _templates.c.is_public,
        _templates.c.keywords,
        _flow_codes.c.code.label("flow"),
    )
    .join(_templates, _templates.c.id == _versions.c.template_id)
    .outerjoin(_flow_codes, _flow_codes.c.id == _templates.c.flow_id)
    # What overrides make of a version somewhere is nobody's drawing.
    .where(_versions.c.base_version_id.is_(None))
)


def _newest(connection: Connection, org_id: int, code: str) -> Newest | None:
    query = _VERSION.where(
        _templates.c.org_id == org_id,
        _templates.c.code == code,
        _versions.c.id == _templates.c.current_version_id,
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _as_newest(row)


def _hold(connection: Connection, org_id: int, code: str) -> None:
    query = sa.select(_templates.c.id).where(_templates.c.org_id == org_id, _templates.c.code == code)
    connection.execute(query.with_for_update())


def version_document(connection: Connection, version_id: int) -> Newest:
    """Any version as a document, with the face the template has now; raises `TemplateNotFound`."""
    row = connection.execute(_VERSION.where(_versions.c.id == version_id)).one_or_none()
    if row is None:
        raise TemplateNotFound(id=version_id)
    return _as_newest(row)


@dataclass(frozen=True, slots=True)
class TemplateVersionFacts:
    """`published_by` is a label, as the version itself keeps it."""

    template_version_id: int
    number: int
    is_current: bool
    content_hash: str
    published_at: datetime | None
    published_by: str


def versions_of(connection: Connection, org_id: int, code: str) -> tuple[TemplateVersionFacts, ...]:
    """Every version of a template, the newest first."""
    query = (
        sa.select(_versions, _templates.c.current_version_id)
        .join(_templates, _templates.c.id == _versions.c.template_id)
        .where(
            _templates.c.org_id == org_id, _templates.c.code == code, _versions.c.base_version_id.is_(None)
        )
        .order_by(_versions.c.number.desc())
    )
    return tuple(
        TemplateVersionFacts(
            template_version_id=row.id,
            number=row.number,
            is_current=row.id == row.current_version_id,
            content_hash=row.content_hash,
            published_at=row.published_at,
            published_by=row.published_by or "",
        )
        for row in connection.execute(query)
    )


def variants_of(connection: Connection, version_ids: Iterable[int]) -> dict[int, int]:
    """What overrides made of these versions: the version each variant comes from, by the variant's id."""
    query = sa.select(_versions.c.id, _versions.c.base_version_id).where(
        _versions.c.base_version_id.in_(list(version_ids))
    )
    return {row.id: row.base_version_id for row in connection.execute(query)}


def _as_newest(row: sa.Row[*tuple[Any, ...]]) -> Newest:
    face = TemplateFace(
        name=row.name,
        business_line=row.business_line,
        ticket_class=row.ticket_class,
        icon=row.icon,
        is_public=row.is_public,
        keywords=tuple(row.keywords),
    )
    return Newest(
        version_id=row.id,
        number=row.number,
        document=document_of(parse_definition(row.definition), face, row.flow),
        published_at=row.published_at,
        published_by=row.published_by,
    )


SUBJECT: Final = Subject(
    kind=DraftKind.FORM,
    permission="template.manage",
    empty=EMPTY,
    check=_check,
    newest=_newest,
    hold=_hold,
    version=version_document,
    unknown=TemplateNotFound,
    refuse=_refuse,
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
