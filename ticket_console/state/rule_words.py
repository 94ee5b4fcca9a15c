"""Trigger rules and conditions as the browser takes them: labels, choices, sentences, verdicts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.access import places
from ticket_console.desk.condition_bench import Verdict
from ticket_console.forms import reads as form_reads
from ticket_console.forms.fields import FieldSpec
from ticket_console.intake.channels import CHANNELS
from ticket_console.intake.trigger_rules import FACTS, FIELD, LEVELS
from ticket_console.kernel.condition_sentences import sentence
from ticket_console.kernel.text import LOCALES
from ticket_console.state.steps import both

Plain = dict[str, Any]

_URGENCIES: Final = ("normal", "urgent", "emergency")


def options(pairs: Iterable[tuple[Any, Any]]) -> list[Plain]:
    return [{"value": value, "label": label} for value, label in pairs]


def levels(start: str) -> list[Plain]:
    return options((str(level), both(f"{start}{level}")) for level in LEVELS)


def message_fields(connection: Connection, org_id: int) -> list[Plain]:
    """What the condition of a trigger rule may ask of a message, for the builder."""
    choices = {
        "channel": options((source, both(f"intake.source.{source}")) for source in sorted(CHANNELS)),
        "urgency": levels("rules.urgency."),
        "impact": levels("rules.impact."),
    }
    own = [
        {"name": key, "label": both(f"rules.fact.{key}"), "kind": kind, "options": choices.get(key, [])}
        for key, kind in FACTS.items()
    ]
    return own + [_field(FIELD + spec.key, spec) for spec in _asked(connection, org_id)]


def ticket_fields(connection: Connection, org_id: int) -> list[Plain]:
    """What a condition may ask of a ticket, for the builder."""
    templates = form_reads.published_templates(connection, org_id)
    regions = places.regions(connection, org_id)
    own: list[tuple[str, str, list[Plain]]] = [
        ("priority", "choice", options((str(level), both(f"priority.{level}")) for level in range(1, 5))),
        ("urgency", "choice", options((name, both(f"rules.urgency_name.{name}")) for name in _URGENCIES)),
        ("impact", "choice", levels("rules.impact.")),
        ("vip", "yes_no", []),
        (
            "source",
            "choice",
            options((source, both(f"intake.source.{source}")) for source in sorted(CHANNELS)),
        ),
        (
            "ticket_class",
            "choice",
            options({each.ticket_class: dict(each.name) for each in templates}.items()),
        ),
        ("region_id", "choice", options((str(each.id), dict(each.name)) for each in regions)),
        ("returns", "number", []),
    ]
    known = [
        {"name": key, "label": both(f"rules.fact.{key}"), "kind": kind, "options": choices}
        for key, kind, choices in own
    ]
    every = {spec.key: spec for each in templates for spec in each.definition.field_by_key.values()}
    return known + [_field(key, spec) for key, spec in every.items()]


def _asked(connection: Connection, org_id: int) -> list[FieldSpec]:
    found: dict[str, FieldSpec] = {}
    for template in form_reads.published_templates(connection, org_id):
        for spec in template.definition.at_opening:
            found.setdefault(spec.key, spec)
    return list(found.values())


def _field(name: str, spec: FieldSpec) -> Plain:
    choices = options((option.value, dict(option.label)) for option in spec.options)
    return {"name": name, "label": dict(spec.label), "kind": spec.kind.value, "options": choices}


def spoken(tree: Mapping[str, Any], fields: Sequence[Plain], zone: str) -> dict[str, str]:
    """A condition as a sentence in each language; instants are read on the clock of a zone."""
    labels = {field["name"]: field["label"] for field in fields}
    for field in fields:
        for option in field["options"]:
            labels[f"{field['name']}={option['value']}"] = option["label"]
    kinds = {field["name"]: field["kind"] for field in fields}
    return {locale: sentence(tree, labels, locale, kinds, zone) for locale in LOCALES}


def verdict_rows(parts: Sequence[Verdict], fields: Sequence[Plain], zone: str) -> list[Plain]:
    """The verdicts of single rules, each as a sentence with the fact it was judged by."""
    return [
        {
            "path": part.path,
            "said": spoken(
                {"field": part.field, "operator": part.operator, "value": part.value}, fields, zone
            ),
            "fact": fact_text(part.fact),
            "holds": part.holds,
        }
        for part in parts
        if part.field is not None
    ]


def fact_text(fact: object) -> dict[str, str]:
    if fact is None or fact == "" or fact == []:
        return both("rules.nothing")
    if isinstance(fact, bool):
        return both("condition.value.true" if fact else "condition.value.false")
    members = fact if isinstance(fact, list | tuple) else [fact]
    text = ", ".join(str(each) for each in members)
    return dict.fromkeys(LOCALES, text if len(text) <= 120 else text[:119] + "…")
