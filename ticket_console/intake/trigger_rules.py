"""Trigger rules, decided: what a message is known by, and which rule starts what for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ticket_console.customers.matching import MatchedCustomer
from ticket_console.intake.messages import IntakeMessage
from ticket_console.kernel.conditions import (
    Predicate,
    compile_condition,
    condition_problems,
    fields_of,
    without_editor_keys,
)
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.text import LOCALES, LocalText

LEVELS: Final = (1, 2, 3)
NAME_LENGTH: Final = 80
# A field of the templates, as a message brings it, is asked for under its key behind this.
FIELD: Final = "field."
FACTS: Final[Mapping[str, str]] = {
    "text": "long_text",
    "title": "text",
    "channel": "choice",
    "customer_known": "yes_no",
    "vip": "yes_no",
    "urgency": "choice",
    "impact": "choice",
    "region": "text",
    "site": "text",
    "department": "text",
    "address": "text",
    "sender": "text",
}
_KEYS: Final = frozenset({"name", "when", "template", "urgency", "impact", "also"})


class InvalidRule(InvalidInput):
    code = "rules.invalid"


@dataclass(frozen=True)
class TriggerContent:
    """What one version of a rule says.

    `also`: its ticket is started beside the one that is decided, instead of deciding. `urgency` and `impact`
    take the place of what the sender said.
    """

    name: LocalText
    when: Mapping[str, Any]
    template: str
    urgency: int | None = None
    impact: int | None = None
    also: bool = False

    @cached_property
    def holds(self) -> Predicate:
        return compile_condition(self.when)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": dict(self.name),
            "when": self.when,
            "template": self.template,
            "urgency": self.urgency,
            "impact": self.impact,
            "also": self.also,
        }


@dataclass(frozen=True, slots=True)
class TriggerRuleView:
    rule_id: int
    code: str
    position: int
    is_active: bool
    version: int
    version_id: int
    number: int
    content: TriggerContent


@dataclass(frozen=True, slots=True)
class Decision:
    """`winner` decides the ticket, `also` are started beside it; `held` are the codes of all that held."""

    winner: TriggerRuleView | None
    also: tuple[TriggerRuleView, ...] = ()
    held: frozenset[str] = field(default_factory=frozenset)


def parse_content(said: Mapping[str, Any]) -> TriggerContent:
    """A rule from its JSON; raises InvalidRule naming everything that makes no rule."""
    problems = [FieldProblem(key, "input.unknown_key") for key in said if key not in _KEYS]
    name = said.get("name")
    names = (
        {locale: str(name.get(locale) or "").strip() for locale in LOCALES}
        if isinstance(name, Mapping)
        else {}
    )
    if not any(names.values()):
        problems.append(FieldProblem("name", "input.missing"))
    elif any(len(text) > NAME_LENGTH for text in names.values()):
        problems.append(FieldProblem("name", "input.too_long", {"limit": NAME_LENGTH}))
    template = said.get("template")
    if not isinstance(template, str) or not template:
        problems.append(FieldProblem("template", "input.missing"))
    for key in ("urgency", "impact"):
        level = said.get(key)
        if level is not None and (isinstance(level, bool) or level not in LEVELS):
            problems.append(FieldProblem(key, "rules.bad_level"))
    if not isinstance(said.get("also", False), bool):
        problems.append(FieldProblem("also", "rules.bad_flag"))
    when = without_editor_keys(said.get("when"))
    problems += condition_problems(when, path="when")
    if isinstance(when, Mapping) and not any(each.path.startswith("when") for each in problems):
        unknown = sorted(key for key in fields_of(when) if not (key in FACTS or key.startswith(FIELD)))
        problems += [FieldProblem("when", "condition.unknown_field", {"field": key}) for key in unknown]
    if problems or not isinstance(when, Mapping):
        raise InvalidRule(tuple(problems))
    return TriggerContent(
        name=names,
        when=when,
        template=str(template),
        urgency=said.get("urgency"),
        impact=said.get("impact"),
        also=said.get("also", False),
    )


def message_facts(said: IntakeMessage, *, source: str, customer: MatchedCustomer | None) -> dict[str, object]:
    """What the conditions of rules may ask of a message."""
    return {
        "text": f"{said.title}\n{said.description}".strip(),
        "title": said.headline,
        "channel": source,
        "customer_known": customer is not None,
        "vip": customer is not None and customer.is_vip,
        "urgency": said.urgency,
        "impact": said.impact,
        "region": said.region,
        "site": said.site,
        "department": said.department,
        "address": said.address,
        "sender": said.contact_name or said.customer.name,
        **{f"{FIELD}{key}": value for key, value in said.values.items()},
    }


def decide(rules: Sequence[TriggerRuleView], facts: Mapping[str, object]) -> Decision:
    """Of the active rules in their order the first that holds decides; those that say "also" come beside."""
    held = [rule for rule in rules if rule.is_active and rule.content.holds(facts)]
    return Decision(
        winner=next((rule for rule in held if not rule.content.also), None),
        also=tuple(rule for rule in held if rule.content.also),
        held=frozenset(rule.code for rule in held),
    )
