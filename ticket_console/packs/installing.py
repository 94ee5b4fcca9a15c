"""Installing a scenario pack into an organisation, and installing it again without changing anything."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.clocks.calendars import calendars_of
from ticket_console.flows import publishing as flow_publishing
from ticket_console.forms import publishing as form_publishing
from ticket_console.intake import rule_book
from ticket_console.kernel.actor import Actor
from ticket_console.packs.contents import Pack, PackTriggerRule
from ticket_console.people import hiring
from ticket_console.people import reads as people_reads
from ticket_console.settlement import books, standard_rules
from ticket_console.settlement import publishing as rule_publishing


@dataclass(frozen=True, slots=True)
class Installed:
    """What the pack's codes lead to now."""

    templates: dict[str, int]
    flow_versions: dict[str, int]


def install(connection: Connection, *, actor: Actor, at: datetime, command_id: str, pack: Pack) -> Installed:
    """Publish everything a pack holds; what an organisation has already in exactly this form stays as it is.

    Tickets that are open keep the versions they were opened with. Refuses like the publishing of a
    flow, a template or a rule does, and then nothing of the pack is installed.
    """
    policy.require(actor, "template.manage")
    policy.require(actor, "flow.manage")
    policy.require(actor, "rules.manage")
    _add_skills(connection, actor, at, command_id, pack)
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
    calendars = calendars_of(connection, actor.org_id)
    flows = {
        flow.code: flow_publishing.publish_flow(
            connection,
            actor=actor,
            at=at,
            code=flow.code,
            name=flow.name,
            graph=flow.graph,
            calendars=calendars,
        )
        for flow in pack.flows
    }
    for template in pack.templates:
        flow = flows[template.flow]
        form_publishing.use_flow(
            connection, actor=actor, code=template.code, flow_id=flow.flow_id, flow_version_id=flow.id
        )
    for rule in pack.trigger_rules:
        _install_trigger_rule(connection, actor, at, command_id, rule)
    if standard_rules.CODE in pack.rule_sets:
        _open_books(connection, actor, at)
    return Installed(templates, {code: flow.id for code, flow in flows.items()})


def _install_trigger_rule(
    connection: Connection, actor: Actor, at: datetime, command_id: str, rule: PackTriggerRule
) -> None:
    known = {each.code: each for each in rule_book.trigger_rules(connection, actor.org_id)}
    rule_book.put_rule(
        connection,
        actor=actor,
        at=at,
        command_id=f"{command_id}:{rule.code}",
        code=rule.code,
        content=rule.content,
        expected_version=known[rule.code].version if rule.code in known else None,
    )


def _add_skills(connection: Connection, actor: Actor, at: datetime, command_id: str, pack: Pack) -> None:
    known = {skill.code for skill in people_reads.skills(connection, actor.org_id)}
    for skill in pack.skills:
        if skill.code not in known:
            hiring.add_skill(
                connection,
                actor=actor,
                at=at,
                command_id=f"{command_id}:{skill.code}",
                code=skill.code,
                name=skill.name,
            )


def _open_books(connection: Connection, actor: Actor, at: datetime) -> None:
    org = places.org(connection, actor.org_id)
    books.open_books(connection, org_id=org.id, tz=org.tz, currency=org.currency)
    rule_publishing.install_standard(connection, org_id=org.id, at=at)
