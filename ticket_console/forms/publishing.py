"""Defining fields and publishing templates. A published version never changes; a change is a new version."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.forms import ownership, reads
from ticket_console.forms.definitions import (
    InvalidDefinition,
    TemplateDefinition,
    definition_hash,
    definition_json,
    definition_problems,
    parse_definition,
)
from ticket_console.forms.fields import FieldSpec
from ticket_console.forms.tables import FieldDef, Template, TemplateVersion, VersionStatus
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import FieldProblem
from ticket_console.kernel.text import LocalText

_templates = table(Template)
_versions = table(TemplateVersion)
_fields = table(FieldDef)


@dataclass(frozen=True, slots=True)
class TemplateFace:
    """What a template shows of itself besides its form; not versioned."""

    name: LocalText
    business_line: str
    ticket_class: str
    icon: str = ""
    is_public: bool = False
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublishedVersion:
    """`is_new` is false when exactly this definition had been published before."""

    template_id: int
    template_version_id: int
    number: int
    content_hash: str
    is_new: bool


def known_kinds(conn: Connection, org_id: int) -> dict[str, str]:
    """The kind of every field of an organisation by its key: one key is one fact in all its forms."""
    query = sa.select(_fields.c.field_key, _fields.c.kind).where(_fields.c.org_id == org_id)
    return {row.field_key: row.kind for row in conn.execute(query)}


def field_clashes(conn: Connection, org_id: int, fields: Iterable[FieldSpec]) -> tuple[FieldProblem, ...]:
    """The fields whose key is a field of another kind already."""
    known = known_kinds(conn, org_id)
    return tuple(
        FieldProblem(f"fields.{spec.key}.kind", "template.field_kind_fixed", {"kind": known[spec.key]})
        for spec in fields
        if known.get(spec.key, spec.kind.value) != spec.kind.value
    )


def define_fields(
    conn: Connection, *, actor: Actor, fields: Iterable[FieldSpec], owner_dept: str = ""
) -> None:
    """Make fields known to the organisation; known ones get the new label.

    Raises `InvalidDefinition` where a key is already a field of another kind: one key is one fact everywhere.
    """
    policy.require(actor, "template.manage")
    wanted = {spec.key: spec for spec in fields}
    known = {
        row.field_key: row
        for row in conn.execute(sa.select(_fields).where(_fields.c.org_id == actor.org_id)).all()
        if row.field_key in wanted
    }
    if clashes := field_clashes(conn, actor.org_id, wanted.values()):
        raise InvalidDefinition(clashes)
    new = [
        {
            "org_id": actor.org_id,
            "field_key": key,
            "kind": spec.kind.value,
            "label": spec.label,
            "owner_dept": owner_dept,
        }
        for key, spec in wanted.items()
        if key not in known
    ]
    if new:
        conn.execute(sa.insert(_fields), new)
    for key, row in known.items():
        if row.label != wanted[key].label or row.retired_at is not None:
            conn.execute(
                sa.update(_fields)
                .where(_fields.c.id == row.id)
                .values(label=wanted[key].label, retired_at=None)
            )


def publish_template(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    code: str,
    face: TemplateFace,
    definition: Mapping[str, Any] | TemplateDefinition,
    flow_version_id: int | None = None,
) -> PublishedVersion:
    """Publish a template's form, and define its fields; new tickets use it from now on.

    The same content again is the same version. Raises `InvalidDefinition` naming everything wrong, and
    `NotYourSection` for changes to what another department answers for.
    `flow_version_id` pins the flow version; without it tickets follow the flow of `use_flow`.
    """
    policy.require(actor, "template.manage")
    parsed = definition if isinstance(definition, TemplateDefinition) else parse_definition(definition)
    if problems := definition_problems(parsed):
        raise InvalidDefinition(problems)
    _refuse_foreign_changes(conn, actor, code, face, parsed)
    define_fields(conn, actor=actor, fields=parsed.fields)
    template = _template(conn, actor.org_id, code, face)
    published = _version(conn, actor, at, template.id, parsed, flow_version_id)
    if template.current_version_id not in (None, published.template_version_id):
        conn.execute(
            sa.update(_versions)
            .where(_versions.c.id == template.current_version_id)
            .values(status=VersionStatus.RETIRED)
        )
    conn.execute(
        sa.update(_templates)
        .where(_templates.c.id == template.id)
        .values(
            current_version_id=published.template_version_id,
            name=face.name,
            business_line=face.business_line,
            ticket_class=face.ticket_class,
            icon=face.icon,
            is_public=face.is_public,
            keywords=list(face.keywords),
            is_active=True,
            version=template.version + 1,
        )
    )
    return published


def _refuse_foreign_changes(
    conn: Connection, actor: Actor, code: str, face: TemplateFace, definition: TemplateDefinition
) -> None:
    if not ownership.is_bound(actor):
        return
    row = conn.execute(
        sa.select(_templates).where(_templates.c.org_id == actor.org_id, _templates.c.code == code)
    ).one_or_none()
    if row is None or row.current_version_id is None:
        ownership.refuse_others_sections(actor, None, definition)
        return
    in_use = reads.template_version(conn, row.current_version_id)
    ownership.refuse_others_sections(actor, in_use.definition, definition)
    shown = TemplateFace(
        row.name, row.business_line, row.ticket_class, row.icon, row.is_public, tuple(row.keywords)
    )
    ownership.refuse_new_face(actor, is_changed=shown != face)


def _template(conn: Connection, org_id: int, code: str, face: TemplateFace) -> sa.Row[*tuple[Any, ...]]:
    query = (
        sa.select(_templates.c.id, _templates.c.current_version_id, _templates.c.version)
        .where(_templates.c.org_id == org_id, _templates.c.code == code)
        .with_for_update()
    )
    row = conn.execute(query).one_or_none()
    if row is not None:
        return row
    conn.execute(
        sa.insert(_templates).values(
            org_id=org_id,
            code=code,
            name=face.name,
            business_line=face.business_line,
            ticket_class=face.ticket_class,
            icon=face.icon,
            is_public=face.is_public,
            keywords=list(face.keywords),
            is_active=True,
            version=0,
        )
    )
    return conn.execute(query).one()


def _version(
    conn: Connection,
    actor: Actor,
    at: datetime,
    template_id: int,
    definition: TemplateDefinition,
    flow_version_id: int | None,
) -> PublishedVersion:
    # The pinned flow version is part of what a version is, so it is part of its hash.
    digest = (
        definition_hash(definition) if flow_version_id is None else _pinned_hash(definition, flow_version_id)
    )
    numbers = {
        row.content_hash: row
        for row in conn.execute(
            sa.select(_versions.c.id, _versions.c.number, _versions.c.content_hash).where(
                _versions.c.template_id == template_id, _versions.c.base_version_id.is_(None)
            )
        )
    }
    if same := numbers.get(digest):
        conn.execute(
            sa.update(_versions).where(_versions.c.id == same.id).values(status=VersionStatus.PUBLISHED)
        )
        return PublishedVersion(template_id, same.id, same.number, digest, is_new=False)
    number = 1 + max((row.number for row in numbers.values()), default=0)
    version_id = conn.execute(
        sa.insert(_versions)
        .values(
            template_id=template_id,
            number=number,
            status=VersionStatus.PUBLISHED,
            definition=definition_json(definition),
            content_hash=digest,
            flow_version_id=flow_version_id,
            published_at=at,
            published_by=actor.label,
        )
        .returning(_versions.c.id)
    ).scalar_one()
    reads.forget(conn, version_id)
    return PublishedVersion(template_id, version_id, number, digest, is_new=True)


def _pinned_hash(definition: TemplateDefinition, flow_version_id: int) -> str:
    return content_hash({"definition": definition_json(definition), "flow_version_id": flow_version_id})


def use_flow(conn: Connection, *, actor: Actor, code: str, flow_id: int, flow_version_id: int) -> None:
    """Say which flow the tickets of a template follow, and the version they start on now."""
    policy.require(actor, "template.manage")
    if ownership.is_bound(actor):
        followed = sa.select(_templates.c.flow_id).where(
            _templates.c.org_id == actor.org_id, _templates.c.code == code
        )
        ownership.refuse_new_face(actor, is_changed=conn.execute(followed).scalar() not in (None, flow_id))
    changed = conn.execute(
        sa.update(_templates)
        .where(_templates.c.org_id == actor.org_id, _templates.c.code == code)
        .values(flow_id=flow_id, flow_version_id=flow_version_id, version=_templates.c.version + 1)
    )
    if changed.rowcount == 0:
        raise reads.TemplateNotFound(code=code)


def start_on(conn: Connection, *, flow_id: int, flow_version_id: int) -> None:
    """Let new tickets of every template with this flow start on another version of it; flows call this."""
    conn.execute(
        sa.update(_templates)
        .where(_templates.c.flow_id == flow_id)
        .values(flow_version_id=flow_version_id, version=_templates.c.version + 1)
    )
