"""Templates as the other rooms see them. A version never changes, so each is parsed once per process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from ticket_console.forms.definitions import TemplateDefinition, parse_definition
from ticket_console.forms.tables import FieldDef, Template, TemplateVersion
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, NotFound
from ticket_console.kernel.text import LocalText

_templates = table(Template)
_versions = table(TemplateVersion)
_bases = _versions.alias("bases")
_fields = table(FieldDef)


class TemplateNotFound(NotFound):
    code = "template.not_found"


class TemplateWithoutFlow(Conflict):
    """Nobody said yet which flow its tickets follow."""

    code = "template.no_flow"


@dataclass(frozen=True, slots=True)
class TemplateVersionView:
    """`number` is the one of the version that was published; variants of it have no other."""

    template_version_id: int
    template_id: int
    code: str
    number: int
    definition: TemplateDefinition
    content_hash: str


@dataclass(frozen=True, slots=True)
class PublishedTemplate:
    """A template new tickets can be opened with; `flow_version_id` is the flow version they will follow."""

    template_id: int
    template_version_id: int
    flow_version_id: int
    code: str
    name: LocalText
    business_line: str
    ticket_class: str
    icon: str
    is_public: bool
    keywords: tuple[str, ...]
    definition: TemplateDefinition
    has_overrides: bool = False


# By engine, because ids mean nothing across databases.
_parsed: WeakKeyDictionary[Engine, dict[int, TemplateVersionView]] = WeakKeyDictionary()

_PUBLISHED = (
    sa.select(
        _templates.c.id,
        _templates.c.code,
        _templates.c.name,
        _templates.c.business_line,
        _templates.c.ticket_class,
        _templates.c.icon,
        _templates.c.is_public,
        _templates.c.keywords,
        _templates.c.current_version_id,
        _templates.c.override_count,
        sa.func.coalesce(_versions.c.flow_version_id, _templates.c.flow_version_id).label("flow_version_id"),
    )
    .join(_versions, _versions.c.id == _templates.c.current_version_id)
    .where(_templates.c.org_id == sa.bindparam("org_id"), _templates.c.is_active)
)
_BY_CODE = _PUBLISHED.where(_templates.c.code == sa.bindparam("code"))
_READY = _PUBLISHED.where(
    sa.func.coalesce(_versions.c.flow_version_id, _templates.c.flow_version_id).is_not(None)
).order_by(_templates.c.business_line, _templates.c.code)
_VERSION = (
    sa.select(_versions, _templates.c.code, _bases.c.number.label("base_number"))
    .join(_templates, _templates.c.id == _versions.c.template_id)
    .outerjoin(_bases, _bases.c.id == _versions.c.base_version_id)
    .where(_versions.c.id == sa.bindparam("version_id"))
)


def template_by_code(conn: Connection, org_id: int, code: str) -> PublishedTemplate:
    """The template new tickets of this kind are opened with.

    Raises `TemplateNotFound` where there is none in use, `TemplateWithoutFlow` where tickets could not start.
    """
    row = conn.execute(_BY_CODE, {"org_id": org_id, "code": code}).one_or_none()
    if row is None:
        raise TemplateNotFound(code=code)
    if row.flow_version_id is None:
        raise TemplateWithoutFlow(code=code)
    return _published(conn, row)


def published_templates(conn: Connection, org_id: int) -> tuple[PublishedTemplate, ...]:
    """Every template a ticket can be opened with now, by business line and code."""
    return tuple(_published(conn, row) for row in conn.execute(_READY, {"org_id": org_id}))


def _published(conn: Connection, row: Row[*tuple[Any, ...]]) -> PublishedTemplate:
    return PublishedTemplate(
        template_id=row.id,
        template_version_id=row.current_version_id,
        flow_version_id=row.flow_version_id,
        code=row.code,
        name=row.name,
        business_line=row.business_line,
        ticket_class=row.ticket_class,
        icon=row.icon,
        is_public=row.is_public,
        keywords=tuple(row.keywords),
        definition=template_version(conn, row.current_version_id).definition,
        has_overrides=row.override_count > 0,
    )


def template_version(conn: Connection, template_version_id: int) -> TemplateVersionView:
    """Any version, also one that is no longer in use: tickets keep the version they were opened with."""
    known = _parsed.setdefault(conn.engine, {})
    view = known.get(template_version_id)
    if view is None:
        row = conn.execute(_VERSION, {"version_id": template_version_id}).one_or_none()
        if row is None:
            raise TemplateNotFound(id=template_version_id)
        view = TemplateVersionView(
            template_version_id=row.id,
            template_id=row.template_id,
            code=row.code,
            number=row.base_number if row.number is None else row.number,
            definition=parse_definition(row.definition),
            content_hash=row.content_hash,
        )
        known[template_version_id] = view
    return view


def forget(conn: Connection, template_version_id: int) -> None:
    """Drop what is cached under an id; publishing does, as a rolled back id may be given out again."""
    _parsed.get(conn.engine, {}).pop(template_version_id, None)


def field_kinds(conn: Connection, org_id: int) -> Mapping[str, str]:
    """The kind of every field the organisation knows and has not retired, by key."""
    query = sa.select(_fields.c.field_key, _fields.c.kind).where(
        _fields.c.org_id == org_id, _fields.c.retired_at.is_(None)
    )
    return {row.field_key: row.kind for row in conn.execute(query)}


def field_labels(conn: Connection, org_id: int) -> Mapping[str, LocalText]:
    """The labels of all fields, retired ones included: old tickets still show them."""
    query = sa.select(_fields.c.field_key, _fields.c.label).where(_fields.c.org_id == org_id)
    return {row.field_key: row.label for row in conn.execute(query)}
