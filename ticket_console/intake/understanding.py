"""From a kept message to the ticket it asks for."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ticket_console.customers import matching
from ticket_console.customers.matching import CustomerRef
from ticket_console.desk.opening import NewTicket
from ticket_console.forms import reads as form_reads
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.intake.channels import Channel
from ticket_console.intake.messages import IntakeMessage, InvalidRequest
from ticket_console.intake.public_fields import public_fields
from ticket_console.intake.raw_log import RawMessage
from ticket_console.intake.rule_book import trigger_rules
from ticket_console.intake.template_choice import Choice, choose_template
from ticket_console.intake.trigger_rules import Decision, TriggerRuleView, decide, message_facts
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import FieldProblem

_OWN_NAMES: Final = {"lat": "latitude", "lon": "longitude", "site_code": "site", "region_code": "region"}

Note = Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Understood:
    """`note` says for the raw log how the template was found; `also` are the tickets to open beside it."""

    request: NewTicket
    note: Note
    also: tuple["AlsoTicket", ...] = ()


@dataclass(frozen=True, slots=True)
class AlsoTicket:
    """A ticket to be opened beside the one of the message, and the rule that says so."""

    rule: str
    template: str
    title: str
    description: str
    values: Mapping[str, Any]


def understood(message: RawMessage, channel: Channel) -> Understood:
    """The ticket a message asks for.

    A template that its sender named stands; without one the rules decide, and else the words. Raises
    InvalidRequest, or what else the channel refuses with.
    """
    said = channel.read(message.payload)
    template_code, note, decision = said.template, None, Decision(None)
    if template_code is None:
        with reading() as connection:
            rules = trigger_rules(connection, message.org_id)
            if rules:
                customer = matching.match(connection, message.org_id, _customer(message, said))
                decision = decide(rules, message_facts(said, source=channel.source, customer=customer))
            templates = form_reads.published_templates(connection, message.org_id)
        # A rule may name a template that was taken out of use since.
        offered = {each.code: each for each in templates}
        winner = decision.winner if decision.winner and decision.winner.content.template in offered else None
        if winner is not None:
            template_code, note = winner.content.template, _how_ruled(winner)
            said = said.model_copy(update=_overridden(winner))
        else:
            choice = choose_template(
                f"{said.title}\n{said.description}", {each.code: each.keywords for each in templates}
            )
            template_code, note = choice.template_code, _how_chosen(choice)
    if channel.for_strangers:
        _refuse_internal_fields(message, said, template_code)
    also = tuple(
        AlsoTicket(
            rule.code,
            rule.content.template,
            said.headline,
            said.description,
            _known_to(offered[rule.content.template].definition, said.values, channel),
        )
        for rule in decision.also
        if rule.content.template in offered
    )
    return Understood(_request(message, channel, said, template_code), note, also)


def _known_to(definition: TemplateDefinition, values: Mapping[str, Any], channel: Channel) -> dict[str, Any]:
    """The values that a form has a field for; a stranger's words go into no internal one."""
    keys: Collection[str] = definition.field_by_key.keys()
    if channel.for_strangers:
        keys = {spec.key for spec in public_fields(definition)}
    return {key: value for key, value in values.items() if key in keys}


def _overridden(rule: TriggerRuleView) -> dict[str, int]:
    levels = {"urgency": rule.content.urgency, "impact": rule.content.impact}
    return {key: level for key, level in levels.items() if level is not None}


def _how_ruled(rule: TriggerRuleView) -> Note:
    chosen = {"template": rule.content.template, "rule": rule.code, "number": rule.number}
    return {"code": "intake.template_by_rule", "params": chosen}


def _refuse_internal_fields(message: RawMessage, said: IntakeMessage, template_code: str) -> None:
    """A stranger is told of a field they are not asked for what they are told of one that does not exist."""
    with reading() as connection:
        template = form_reads.template_by_code(connection, message.org_id, template_code)
    asked = {spec.key for spec in public_fields(template.definition)}
    problems = tuple(FieldProblem(key, "field.unknown") for key in said.values if key not in asked)
    if problems:
        raise InvalidRequest(problems)


def _how_chosen(choice: Choice) -> Note:
    if choice.keyword is None:
        return {"code": "intake.template_default", "params": {"template": choice.template_code}}
    chosen = {"template": choice.template_code, "keyword": choice.keyword}
    return {"code": "intake.template_chosen", "params": chosen}


def _request(message: RawMessage, channel: Channel, said: IntakeMessage, template_code: str) -> NewTicket:
    return NewTicket(
        template_code=template_code,
        title=said.headline,
        description=said.description,
        values=said.values,
        provenance=dict.fromkeys(said.values, channel.provenance),
        customer=_customer(message, said),
        contact_name=said.contact_name or said.customer.name,
        contact_phone=said.contact_phone or said.customer.phone,
        site_code=said.site,
        lat=said.latitude,
        lon=said.longitude,
        address=said.address,
        region_code=said.region,
        territory_code=said.department,
        source=channel.source,
        raw_intake_id=message.id,
        urgency=said.urgency,
        impact=said.impact,
    )


def in_own_words(problems: tuple[FieldProblem, ...]) -> tuple[FieldProblem, ...]:
    """The desk's problems under the names that a request has for the same things."""
    return tuple(
        FieldProblem(_OWN_NAMES.get(each.path, each.path), each.code, each.params) for each in problems
    )


def _customer(message: RawMessage, said: IntakeMessage) -> CustomerRef:
    return CustomerRef(
        channel=message.channel,
        external_id=said.customer.id or "",
        phone=said.customer.phone or said.contact_phone,
    )
