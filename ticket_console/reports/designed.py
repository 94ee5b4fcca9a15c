"""The forms and flows of a company with what hangs on them: versions, open tickets, drafts, standards."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.access.tables import Site, UserAccount
from ticket_console.flows.tables import Flow, FlowVersion
from ticket_console.forms.tables import Draft, DraftKind, Publication, Template, TemplateVersion
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.tables import Ticket

_templates = table(Template)
_template_versions = table(TemplateVersion)
_flows = table(Flow)
_flow_versions = table(FlowVersion)
_drafts = table(Draft)
_publications = table(Publication)
_tickets = table(Ticket)
_users = table(UserAccount)
_sites = table(Site)


@dataclass(frozen=True, slots=True)
class DraftNote:
    """A draft in progress: who draws, and when they last did."""

    author: str
    is_mine: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Designed:
    """A form or a flow. `number` is None for what was never published; `used_by` has the forms of a flow."""

    kind: str
    code: str
    name: LocalText
    icon: str
    business_line: str
    number: int | None
    published_at: datetime | None
    published_by: str
    open_tickets: int
    is_standard: bool
    flow: str
    used_by: tuple[LocalText, ...]
    drafts: tuple[DraftNote, ...]


def designed(connection: Connection, *, viewer: Actor) -> tuple[Designed, ...]:
    """Everything that is drawn, in use or still only a draft; forms first, by name of their code."""
    policy.require(viewer, "template.manage")
    org_id = viewer.org_id
    drafts = _drafts_by_subject(connection, viewer)
    publishers = _publishers(connection, org_id)
    forms = _forms(connection, org_id, drafts, publishers)
    flows = _drawn_flows(connection, org_id, drafts, publishers)
    known = {(each.kind, each.code) for each in (*forms, *flows)}
    fresh = [
        _only_drawn(kind, code, document, notes)
        for (kind, code), (document, notes) in sorted(drafts.items())
        if (kind, code) not in known
    ]
    return (*sorted((*forms, *flows, *fresh), key=lambda each: (each.kind != "form", each.code)),)


def stores(connection: Connection, org_id: int) -> list[dict[str, Any]]:
    """The sites of a company as choices."""
    query = sa.select(_sites.c.code, _sites.c.name).where(_sites.c.org_id == org_id).order_by(_sites.c.code)
    return [{"value": row.code, "label": dict(row.name)} for row in connection.execute(query)]


_Drafts = Mapping[tuple[str, str], tuple[dict[str, Any], tuple[DraftNote, ...]]]


def _drafts_by_subject(connection: Connection, viewer: Actor) -> _Drafts:
    found: dict[tuple[str, str], tuple[dict[str, Any], tuple[DraftNote, ...]]] = {}
    mine = viewer.label if viewer.user_id is None else f"user:{viewer.user_id}"
    query = sa.select(_drafts).where(_drafts.c.org_id == viewer.org_id).order_by(_drafts.c.updated_at.desc())
    for row in connection.execute(query):
        if row.base_version_id is not None and row.document == row.base:
            continue
        subject = (DraftKind(row.kind).value, row.code)
        document, notes = found.get(subject, (row.document, ()))
        note = DraftNote(row.author_name, row.author == mine, row.updated_at)
        found[subject] = (document, (*notes, note))
    return found


def _publishers(connection: Connection, org_id: int) -> Mapping[tuple[str, int], str]:
    """Who last put a version in use, by kind and version."""
    query = (
        sa.select(_publications.c.kind, _publications.c.version_id, _publications.c.actor_name)
        .where(_publications.c.org_id == org_id)
        .order_by(_publications.c.id)
    )
    return {(DraftKind(row.kind).value, row.version_id): row.actor_name for row in connection.execute(query)}


_BY_VERSION: Final = sa.select(sa.func.count()).where(_tickets.c.status == TicketStatus.OPEN)


def _forms(
    connection: Connection, org_id: int, drafts: _Drafts, publishers: Mapping[tuple[str, int], str]
) -> list[Designed]:
    running = (
        _BY_VERSION.where(_tickets.c.template_id == _templates.c.id).correlate(_templates).scalar_subquery()
    )
    query = (
        sa.select(
            _templates,
            _template_versions.c.number,
            _template_versions.c.published_at,
            _template_versions.c.published_by,
            _flows.c.code.label("flow"),
            running.label("running"),
        )
        .join(_template_versions, _template_versions.c.id == _templates.c.current_version_id)
        .outerjoin(_flows, _flows.c.id == _templates.c.flow_id)
        .where(_templates.c.org_id == org_id)
    )
    return [
        Designed(
            kind="form",
            code=row.code,
            name=row.name,
            icon=row.icon,
            business_line=row.business_line,
            number=row.number,
            published_at=row.published_at,
            published_by=publishers.get(("form", row.current_version_id))
            or publisher(connection, row.published_by),
            open_tickets=row.running,
            is_standard=row.is_standard,
            flow=row.flow or "",
            used_by=(),
            drafts=drafts.get(("form", row.code), ({}, ()))[1],
        )
        for row in connection.execute(query).all()
    ]


def _drawn_flows(
    connection: Connection, org_id: int, drafts: _Drafts, publishers: Mapping[tuple[str, int], str]
) -> list[Designed]:
    running = (
        _BY_VERSION.where(
            _tickets.c.flow_version_id.in_(
                sa.select(_flow_versions.c.id)
                .where(_flow_versions.c.flow_id == _flows.c.id)
                .correlate(_flows)
            )
        )
        .correlate(_flows)
        .scalar_subquery()
    )
    current = _flow_versions.alias("current_flow_version")
    query = (
        sa.select(_flows, current.c.number, current.c.published_at, running.label("running"))
        .join(current, current.c.id == _flows.c.current_version_id)
        .where(_flows.c.org_id == org_id)
    )
    followers: dict[int, list[tuple[str, LocalText]]] = {}
    for row in connection.execute(
        sa.select(_templates.c.flow_id, _templates.c.name, _templates.c.business_line)
        .where(_templates.c.org_id == org_id, _templates.c.flow_id.is_not(None))
        .order_by(_templates.c.code)
    ):
        followers.setdefault(row.flow_id, []).append((row.business_line, row.name))
    return [
        Designed(
            kind="flow",
            code=row.code,
            name=row.name,
            icon="workflow",
            business_line=next((line for line, _ in followers.get(row.id, [])), ""),
            number=row.number,
            published_at=row.published_at,
            published_by=publishers.get(("flow", row.current_version_id), ""),
            open_tickets=row.running,
            is_standard=False,
            flow="",
            used_by=tuple(name for _, name in followers.get(row.id, [])),
            drafts=drafts.get(("flow", row.code), ({}, ()))[1],
        )
        for row in connection.execute(query).all()
    ]


def _only_drawn(kind: str, code: str, document: Mapping[str, Any], notes: tuple[DraftNote, ...]) -> Designed:
    face = document.get("face", {}) if kind == "form" else document
    return Designed(
        kind=kind,
        code=code,
        name=face.get("name") or {},
        icon=face.get("icon") or ("workflow" if kind == "flow" else ""),
        business_line=face.get("business_line") or "",
        number=None,
        published_at=None,
        published_by="",
        open_tickets=0,
        is_standard=False,
        flow=face.get("flow") or "" if kind == "form" else "",
        used_by=(),
        drafts=notes,
    )


def publisher(connection: Connection, label: str | None) -> str:
    """The name of whoever published before there was a book of publications; "" for the console itself."""
    kind, _, number = (label or "").partition(":")
    if kind != "user" or not number.isdecimal():
        return ""
    return str(
        connection.execute(sa.select(_users.c.display_name).where(_users.c.id == int(number))).scalar() or ""
    )
