"""Overrides as they are kept, and the variants of a template that follow from them at a place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection

from ticket_console.access import audit, places, policy
from ticket_console.forms import reads
from ticket_console.forms.definitions import TemplateDefinition, definition_hash, definition_json
from ticket_console.forms.layers import Effective, Layer, checked_patch, resolve
from ticket_console.forms.ownership import refuse_others_sections
from ticket_console.forms.publishing import PublishedVersion, TemplateFace, publish_template, use_flow
from ticket_console.forms.reads import PublishedTemplate, TemplateNotFound
from ticket_console.forms.tables import (
    OverrideScope,
    Template,
    TemplateOverride,
    TemplateVersion,
    VersionStatus,
)
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText

_templates = table(Template)
_versions = table(TemplateVersion)
_overrides = table(TemplateOverride)

_WIDEST_FIRST: Final = tuple(OverrideScope)


class OverrideMoved(Conflict):
    """Somebody else has changed the override since."""

    code = "template.override_moved"


class UnknownPlace(InvalidInput):
    code = "template.unknown_place"


@dataclass(frozen=True, slots=True)
class OverrideView:
    scope: OverrideScope
    ref: str
    patch: Mapping[str, Any]
    version: int
    changed_at: datetime
    changed_by: str


def template_at(
    connection: Connection, template: PublishedTemplate, *, region_id: int | None, site_id: int | None
) -> PublishedTemplate:
    """The template as it holds at a place; where something is overridden there, a version of its own.

    Such a version is made once for each content and never changes, so that a ticket that was opened with it
    keeps it whatever becomes of the overrides.
    """
    if not template.has_overrides:
        return template
    layers = _layers_at(connection, template, region_id=region_id, site_id=site_id)
    if not layers:
        return template
    effective = resolve(template.definition, layers).definition
    if effective == template.definition:
        return template
    version_id = _variant(connection, template, effective)
    return replace(template, template_version_id=version_id, definition=effective)


def effective_at(
    connection: Connection, template: PublishedTemplate, *, region_id: int | None, site_id: int | None
) -> Effective:
    """The definition at a place, and from which layer each setting comes."""
    return resolve(
        template.definition, _layers_at(connection, template, region_id=region_id, site_id=site_id)
    )


def _layers_at(
    connection: Connection, template: PublishedTemplate, *, region_id: int | None, site_id: int | None
) -> tuple[Layer, ...]:
    patches = {
        (row.scope, row.ref): row.patch
        for row in connection.execute(
            sa.select(_overrides.c.scope, _overrides.c.ref, _overrides.c.patch).where(
                _overrides.c.template_id == template.template_id
            )
        )
    }
    refs = [(OverrideScope.LINE, template.business_line)]
    refs += [(OverrideScope.REGION, code) for code in _regions_above(connection, region_id)]
    site = None if site_id is None else places.find_site_by_id(connection, site_id)
    refs += [] if site is None else [(OverrideScope.STORE, site.code)]
    return tuple(
        Layer(f"{scope.value}:{ref}", patches[scope, ref]) for scope, ref in refs if (scope, ref) in patches
    )


def _regions_above(connection: Connection, region_id: int | None) -> list[str]:
    """The region and all it lies in, the widest first."""
    codes: list[str] = []
    while region_id is not None:
        region = places.region(connection, region_id)
        if region.code in codes:
            break
        codes.insert(0, region.code)
        region_id = region.parent_id
    return codes


def _variant(connection: Connection, template: PublishedTemplate, effective: TemplateDefinition) -> int:
    digest = content_hash({"base": template.template_version_id, "variant": definition_hash(effective)})
    wanted = sa.select(_versions.c.id).where(
        _versions.c.template_id == template.template_id, _versions.c.content_hash == digest
    )
    known: int | None = connection.execute(wanted).scalar()
    if known is not None:
        return known
    base = connection.execute(
        sa.select(_versions).where(_versions.c.id == template.template_version_id)
    ).one()
    insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
    connection.execute(
        insert(_versions)
        .values(
            template_id=template.template_id,
            number=None,
            base_version_id=base.id,
            status=VersionStatus.VARIANT,
            definition=definition_json(effective),
            content_hash=digest,
            flow_version_id=base.flow_version_id,
            published_at=base.published_at,
            published_by=base.published_by,
        )
        .on_conflict_do_nothing(index_elements=["template_id", "content_hash"])
    )
    made: int = connection.execute(wanted).scalar_one()
    reads.forget(connection, made)
    return made


def overrides_of(connection: Connection, *, viewer: Actor, code: str) -> tuple[OverrideView, ...]:
    """Every override of a template, from the widest scope to the narrowest."""
    policy.require(viewer, "template.manage")
    template = _template(connection, viewer.org_id, code, hold=False)
    rows = list(connection.execute(sa.select(_overrides).where(_overrides.c.template_id == template.id)))
    rows.sort(key=lambda row: (_WIDEST_FIRST.index(row.scope), row.ref))
    return tuple(
        OverrideView(row.scope, row.ref, row.patch, row.version, row.changed_at, row.changed_by)
        for row in rows
    )


def put_override(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    code: str,
    scope: OverrideScope,
    ref: str,
    patch: object,
    expected_version: int,
) -> int:
    """Say what a template says otherwise somewhere; tickets opened from now on follow it. The new version.

    `expected_version` is the version of the override that the asker saw, 0 for none. An empty patch takes
    the override away. Raises `InvalidPatch`, `UnknownPlace`, `OverrideMoved`, and `NotYourSection` for a
    section that another department answers for.
    """
    policy.require(actor, "template.manage")
    template = _template(connection, actor.org_id, code)
    base = reads.template_version(connection, template.current_version_id).definition
    checked = checked_patch(base, patch)
    _refuse_unknown_place(connection, actor.org_id, template.business_line, scope, ref)
    here = (
        _overrides.c.template_id == template.id,
        _overrides.c.scope == scope,
        _overrides.c.ref == ref,
    )
    before = connection.execute(
        sa.select(_overrides.c.id, _overrides.c.version, _overrides.c.patch).where(*here)
    ).one_or_none()
    if (0 if before is None else before.version) != expected_version:
        raise OverrideMoved(scope=scope.value, ref=ref)
    said = (Layer(ref, {} if before is None else before.patch), Layer(ref, checked))
    refuse_others_sections(actor, *(resolve(base, (layer,)).definition for layer in said))
    values = {"patch": checked, "changed_at": at, "changed_by": actor.label, "version": expected_version + 1}
    if not checked:
        connection.execute(sa.delete(_overrides).where(*here))
    elif before is None:
        connection.execute(
            sa.insert(_overrides).values(
                org_id=actor.org_id, template_id=template.id, scope=scope, ref=ref, **values
            )
        )
    else:
        connection.execute(sa.update(_overrides).where(*here).values(**values))
    _count_anew(connection, template.id)
    audit.record(
        connection,
        at=at,
        actor=actor,
        action="template.overridden",
        subject=f"template:{code}",
        payload={"scope": scope.value, "ref": ref, "patch": checked},
        command_id=command_id,
    )
    return expected_version + 1 if checked else 0


def _count_anew(connection: Connection, template_id: int) -> None:
    count = (
        sa.select(sa.func.count())
        .select_from(_overrides)
        .where(_overrides.c.template_id == template_id)
        .scalar_subquery()
    )
    connection.execute(
        sa.update(_templates)
        .where(_templates.c.id == template_id)
        .values(override_count=count, version=_templates.c.version + 1)
    )


def _refuse_unknown_place(
    connection: Connection, org_id: int, business_line: str, scope: OverrideScope, ref: str
) -> None:
    is_known = {
        OverrideScope.LINE: lambda: ref == business_line,
        OverrideScope.REGION: lambda: places.find_region(connection, org_id=org_id, code=ref) is not None,
        OverrideScope.STORE: lambda: places.find_site(connection, org_id=org_id, code=ref) is not None,
    }
    if not is_known[scope]():
        raise UnknownPlace((FieldProblem("ref", "template.place_not_there", {"ref": ref}),))


def save_as_standard(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    code: str,
    standard_code: str,
    name: LocalText,
    region_id: int | None = None,
    site_id: int | None = None,
) -> PublishedVersion:
    """Keep a template, as it holds at a place, as a standard that other regions start from.

    It is a template of its own with the same flow; what it was made from does not change with it. A standard
    may be renewed under its code, a template that is at work never becomes one by accident.
    """
    policy.require(actor, "template.manage")
    source = _template(connection, actor.org_id, code)
    effective = effective_at(
        connection,
        reads.template_by_code(connection, actor.org_id, code),
        region_id=region_id,
        site_id=site_id,
    )
    if standard_code == code:
        raise InvalidInput((FieldProblem("standard_code", "template.own_standard"),))
    if _is_taken(connection, actor.org_id, standard_code):
        raise InvalidInput(
            (FieldProblem("standard_code", "template.standard_taken", {"code": standard_code}),)
        )
    face = TemplateFace(
        name=name,
        business_line=source.business_line,
        ticket_class=source.ticket_class,
        icon=source.icon,
        is_public=False,
        keywords=tuple(source.keywords),
    )
    published = publish_template(
        connection, actor=actor, at=at, code=standard_code, face=face, definition=effective.definition
    )
    if source.flow_id is not None and source.flow_version_id is not None:
        use_flow(
            connection,
            actor=actor,
            code=standard_code,
            flow_id=source.flow_id,
            flow_version_id=source.flow_version_id,
        )
    connection.execute(
        sa.update(_templates)
        .where(_templates.c.org_id == actor.org_id, _templates.c.code == standard_code)
        .values(is_standard=True)
    )
    return published


def _is_taken(connection: Connection, org_id: int, code: str) -> bool:
    known = connection.execute(
        sa.select(_templates.c.is_standard).where(_templates.c.org_id == org_id, _templates.c.code == code)
    ).one_or_none()
    return known is not None and not known.is_standard


def apply_to_region(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    code: str,
    region_code: str,
    patch: object,
) -> int:
    """Let a region work by a template with what it says otherwise; what it said before is replaced."""
    _template(connection, actor.org_id, code)
    known = {
        (each.scope, each.ref): each.version for each in overrides_of(connection, viewer=actor, code=code)
    }
    return put_override(
        connection,
        actor=actor,
        at=at,
        command_id=command_id,
        code=code,
        scope=OverrideScope.REGION,
        ref=region_code,
        patch=patch,
        expected_version=known.get((OverrideScope.REGION, region_code), 0),
    )


def _template(
    connection: Connection, org_id: int, code: str, *, hold: bool = True
) -> sa.Row[*tuple[Any, ...]]:
    """The template's row, held against others who change it unless it is only looked at."""
    query = sa.select(_templates).where(_templates.c.org_id == org_id, _templates.c.code == code)
    row = connection.execute(query.with_for_update() if hold else query).one_or_none()
    if row is None or row.current_version_id is None:
        raise TemplateNotFound(code=code)
    return row
