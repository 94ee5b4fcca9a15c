"""The forms in use as plain JSON, each with its face, for whoever carries them elsewhere."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.forms.publishing import TemplateFace
from ticket_console.forms.tables import Template, TemplateVersion
from ticket_console.kernel.database import table

_templates = table(Template)
_versions = table(TemplateVersion)


@dataclass(frozen=True, slots=True)
class FormInUse:
    """`definition` is the JSON of the published version; `flow_id` is what its tickets follow."""

    code: str
    face: TemplateFace
    definition: dict[str, Any]
    flow_id: int | None


def codes(conn: Connection, org_id: int) -> tuple[str, ...]:
    query = (
        sa.select(_templates.c.code)
        .where(
            _templates.c.org_id == org_id,
            _templates.c.is_active,
            _templates.c.current_version_id.is_not(None),
        )
        .order_by(_templates.c.code)
    )
    return tuple(conn.execute(query).scalars())


def form(conn: Connection, org_id: int, code: str) -> FormInUse | None:
    query = (
        sa.select(_templates, _versions.c.definition)
        .join(_versions, _versions.c.id == _templates.c.current_version_id)
        .where(_templates.c.org_id == org_id, _templates.c.code == code, _templates.c.is_active)
    )
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    face = TemplateFace(
        name=row.name,
        business_line=row.business_line,
        ticket_class=row.ticket_class,
        icon=row.icon,
        is_public=row.is_public,
        keywords=tuple(row.keywords),
    )
    return FormInUse(row.code, face, row.definition, row.flow_id)
