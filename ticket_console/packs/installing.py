"""Installing a scenario pack into an organisation, and installing it again without changing anything."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.flows import publishing as flow_publishing
from ticket_console.forms import publishing as form_publishing
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.packs.contents import Pack, PackSkill
from ticket_console.people.tables import Skill
from ticket_console.settlement import books, standard_rules
from ticket_console.settlement import publishing as rule_publishing

_skills = table(Skill)


@dataclass(frozen=True, slots=True)
class Installed:
    """What the pack's codes lead to now. `skills` are ids by code, those known before included."""

    templates: dict[str, int]
    flow_versions: dict[str, int]
    skills: dict[str, int]


def install(connection: Connection, *, actor: Actor, at: datetime, pack: Pack) -> Installed:
    """Publish everything a pack holds; what an organisation has already in exactly this form stays as it is.

    Tickets that are open keep the versions they were opened with. Refuses like the publishing of a
    flow, a template or a rule does, and then nothing of the pack is installed.
    """
    policy.require(actor, "template.manage")
    policy.require(actor, "flow.manage")
    policy.require(actor, "rules.manage")
    skills = learn_skills(connection, org_id=actor.org_id, skills=pack.skills)
    # Templates first: they define the fields that the flows ask for.
    templates = {
        template.code: form_publishing.publish_template(
            connection,
            actor=actor,
            at=at,
            code=template.code,
            face=template.face,
            definition=template.definition,
        ).template_id
        for template in pack.templates
    }
    flows = {
        flow.code: flow_publishing.publish_flow(
            connection, actor=actor, at=at, code=flow.code, name=flow.name, graph=flow.graph
        )
        for flow in pack.flows
    }
    for template in pack.templates:
        flow = flows[template.flow]
        form_publishing.use_flow(
            connection, actor=actor, code=template.code, flow_id=flow.flow_id, flow_version_id=flow.id
        )
    if standard_rules.CODE in pack.rule_sets:
        _open_books(connection, actor, at)
    return Installed(templates, {code: flow.id for code, flow in flows.items()}, skills)


def learn_skills(connection: Connection, *, org_id: int, skills: Iterable[PackSkill]) -> dict[str, int]:
    """Add the skills an organisation does not know yet; returns all its skills by code."""
    known = _known_skills(connection, org_id)
    new = [
        {"org_id": org_id, "code": skill.code, "name": skill.name}
        for skill in skills
        if skill.code not in known
    ]
    if new:
        connection.execute(sa.insert(_skills), new)
    return _known_skills(connection, org_id) if new else known


def _known_skills(connection: Connection, org_id: int) -> dict[str, int]:
    rows = connection.execute(sa.select(_skills.c.code, _skills.c.id).where(_skills.c.org_id == org_id))
    return {row.code: row.id for row in rows}


def _open_books(connection: Connection, actor: Actor, at: datetime) -> None:
    org = places.org(connection, actor.org_id)
    books.open_books(connection, org_id=org.id, tz=org.tz, currency=org.currency)
    rule_publishing.install_standard(connection, org_id=org.id, at=at)
