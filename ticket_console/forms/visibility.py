"""Which fields of a form are shown, with what has been answered so far.

The browser decides the same while somebody types (`components/form_rules.js`); the server decides again.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import When
from ticket_console.kernel.conditions import compile_condition

# A form whose conditions chase each other in a circle never comes to rest.
ROUNDS = 20

Tree = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Answers:
    """What conditions were asked about in the end, formulas included, and the fields they hide."""

    facts: Mapping[str, object]
    hidden: frozenset[str]


def answers_of(
    definition: TemplateDefinition, entered: Mapping[str, object], *, known: Mapping[str, object]
) -> Answers:
    """What holds once `entered` is added to what is `known`.

    What was entered into a field that is hidden by now does not count, so that hiding it may hide others;
    what the ticket knows of a hidden field is kept and goes on counting.
    """
    hidden: frozenset[str] = frozenset()
    facts = _facts(definition, entered, known, hidden)
    if not definition.has_conditions:
        return Answers(facts, hidden)
    for _ in range(ROUNDS):
        found = hidden_fields(definition, facts)
        if found == hidden:
            break
        hidden = found
        facts = _facts(definition, entered, known, hidden)
    return Answers(facts, hidden)


def hidden_fields(definition: TemplateDefinition, facts: Mapping[str, object]) -> frozenset[str]:
    """The fields whose own condition, or whose section's, does not hold."""
    return frozenset(
        spec.key
        for section in definition.sections
        for spec in section.fields
        if not (_shows(section.visible_when, facts) and _shows(spec.visible_when, facts))
    )


def _shows(when: When | None, facts: Mapping[str, object]) -> bool:
    return when is None or when.holds(facts, otherwise=True)


def _facts(
    definition: TemplateDefinition,
    entered: Mapping[str, object],
    known: Mapping[str, object],
    hidden: frozenset[str],
) -> Mapping[str, object]:
    facts = {**known, **{key: value for key, value in entered.items() if key not in hidden}}
    for spec, formula in definition.formulas:
        facts[spec.key] = formula.value(facts)
    return facts


def remaining(tree: Tree, facts: Mapping[str, object], changing: frozenset[str]) -> Tree | bool:
    """What is left to ask of a sound condition where only the `changing` fields can still change.

    Questions about all others are answered from `facts`, which therefore need not leave the server.
    """
    if "rules" not in tree:
        return tree if tree.get("field") in changing else compile_condition(tree)(facts)
    rules = tree["rules"]
    parts = [remaining(rule, facts, changing) for rule in rules] if isinstance(rules, list | tuple) else []
    decides = tree["combinator"] == "or"
    negated = tree.get("not") is True
    if decides in (part for part in parts if isinstance(part, bool)):
        return decides is not negated
    asked = [part for part in parts if not isinstance(part, bool)]
    return {**tree, "rules": asked} if asked else decides is negated
