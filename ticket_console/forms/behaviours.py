"""What fields do when their values ask for it: who is to be told, and what is highlighted."""

from collections.abc import Mapping
from dataclasses import dataclass

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldSpec, Highlight
from ticket_console.kernel.text import LocalText


@dataclass(frozen=True, slots=True)
class Notice:
    """Somebody to tell: "assignee", "customer" or "role:<role>", by "console", "sms" or "email"."""

    to: str
    channel: str
    text: LocalText
    field_key: str


def notices_due(
    definition: TemplateDefinition, before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[Notice, ...]:
    """Who has to be told of a change: of every condition that began to hold with it, once each."""
    return tuple(
        Notice(told.to, told.channel, told.text, spec.key)
        for spec in definition.fields
        for behaviour in spec.behaviours
        if (told := behaviour.notify) is not None
        and behaviour.when.holds(after, otherwise=False)
        and not behaviour.when.holds(before, otherwise=False)
    )


def highlight_of(spec: FieldSpec, facts: Mapping[str, object]) -> Highlight | None:
    """How the field stands out; of several conditions that hold, the first one counts."""
    return next(
        (
            behaviour.style
            for behaviour in spec.behaviours
            if behaviour.style is not None and behaviour.when.holds(facts, otherwise=False)
        ),
        None,
    )
