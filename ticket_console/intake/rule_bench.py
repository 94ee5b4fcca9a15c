"""The test bench of trigger rules: what each says of a real message or of typed words, and which decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.customers import matching
from ticket_console.customers.matching import CustomerRef
from ticket_console.desk.condition_bench import Verdict, verdicts
from ticket_console.forms import reads as form_reads
from ticket_console.intake import reads as inbox
from ticket_console.intake.channels import CHANNELS, channel_named
from ticket_console.intake.messages import DESCRIPTION_LENGTH, IntakeMessage
from ticket_console.intake.template_choice import choose_template
from ticket_console.intake.trigger_rules import TriggerRuleView, decide, message_facts
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import FieldProblem, InvalidInput

_TYPED: Final = "web_form"


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What a rule says: it "decides", is "beside", is too "late", says "no" or "rests"."""

    code: str
    outcome: str
    parts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """`template` is what the message would start; `keyword` the word that decided where no rule did.

    `named` is set where the sender named the template, which no rule overrules.
    """

    text: str
    facts: Mapping[str, object]
    template: str
    keyword: str | None
    named: bool
    rules: tuple[RuleVerdict, ...]


def judge_raw(
    connection: Connection, *, viewer: Actor, raw_id: int, rules: Sequence[TriggerRuleView]
) -> Bench:
    """Try rules on a message of the inbox; MessageNotFound also for one the viewer may not see."""
    policy.require(viewer, "rules.manage")
    detail = inbox.raw_detail(connection, viewer, raw_id)
    channel = channel_named(detail.entry.channel)
    said = channel.read(detail.payload)
    return _bench(connection, viewer, said, channel.source, detail.entry.channel, rules)


def judge_text(
    connection: Connection, *, viewer: Actor, text: str, channel: str, rules: Sequence[TriggerRuleView]
) -> Bench:
    """Try rules on words that somebody typed, as if they came by a channel."""
    policy.require(viewer, "rules.manage")
    words = text.strip()
    if not words:
        raise InvalidInput((FieldProblem("text", "input.missing"),))
    if len(words) > DESCRIPTION_LENGTH:
        raise InvalidInput((FieldProblem("text", "input.too_long"),))
    source = channel if channel in CHANNELS else _TYPED
    said = IntakeMessage.model_validate({"description": words})
    return _bench(connection, viewer, said, source, source, rules)


def _bench(
    connection: Connection,
    viewer: Actor,
    said: IntakeMessage,
    source: str,
    channel: str,
    rules: Sequence[TriggerRuleView],
) -> Bench:
    phone = said.customer.phone or said.contact_phone
    ref = CustomerRef(channel=channel, external_id=said.customer.id or "", phone=phone)
    facts = message_facts(said, source=source, customer=matching.match(connection, viewer.org_id, ref))
    decision = decide(rules, facts)
    templates = {each.code: each for each in form_reads.published_templates(connection, viewer.org_id)}
    words = choose_template(
        f"{said.title}\n{said.description}", {code: each.keywords for code, each in templates.items()}
    )
    winner = decision.winner
    if said.template is not None:
        template, keyword = said.template, None
    elif winner is not None and winner.content.template in templates:
        template, keyword = winner.content.template, None
    else:
        template, keyword = words.template_code, words.keyword
    return Bench(
        text=f"{said.title}\n{said.description}".strip(),
        facts=facts,
        template=template,
        keyword=keyword,
        named=said.template is not None,
        rules=tuple(
            RuleVerdict(rule.code, _outcome(rule, winner, decision.held), _parts(rule, facts))
            for rule in rules
        ),
    )


def _outcome(rule: TriggerRuleView, winner: TriggerRuleView | None, held: frozenset[str]) -> str:
    if not rule.is_active:
        return "rests"
    if rule.code not in held:
        return "no"
    if rule.content.also:
        return "beside"
    return "decides" if rule is winner else "late"


def _parts(rule: TriggerRuleView, facts: Mapping[str, Any]) -> tuple[Verdict, ...]:
    return tuple(verdicts(rule.content.when, facts))
