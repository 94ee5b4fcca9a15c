"""Sections that belong to a department: who may change them.

Who works for a department and has no right over the whole organisation changes only the sections of that
department, adds such sections, and takes them away; the rest of the form, and what the template shows of
itself, stay as they are. Everybody else who may change templates changes all of it.
"""

from collections.abc import Mapping

from ticket_console.access import policy
from ticket_console.forms.definitions import Section, TemplateDefinition
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import FieldProblem, InvalidInput


class NotYourSection(InvalidInput):
    """A change to what another department, or nobody in particular, answers for."""

    code = "template.not_your_section"
    http_status = 403


def is_bound(actor: Actor) -> bool:
    """Whether the actor changes only what their own department answers for."""
    return bool(actor.department) and not policy.row_scope(actor, "template.manage").everything


def refuse_others_sections(
    actor: Actor, before: TemplateDefinition | None, after: TemplateDefinition
) -> None:
    """Raise NotYourSection, naming each section that the actor may not change and that is changed."""
    if not is_bound(actor):
        return
    old, new = _by_key(before), _by_key(after)
    changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    problems = tuple(
        FieldProblem(f"sections.{key}", "template.not_your_section", {"department": owner})
        for key in changed
        if (owner := _foreign_owner(actor, old.get(key), new.get(key))) is not None
    )
    if problems:
        raise NotYourSection(problems)


def refuse_new_face(actor: Actor, *, is_changed: bool) -> None:
    """Raise NotYourSection where the actor may not change what a template shows of itself."""
    if is_changed and is_bound(actor):
        raise NotYourSection((FieldProblem("face", "template.not_your_section", {"department": ""}),))


def _by_key(definition: TemplateDefinition | None) -> Mapping[str, Section]:
    return {} if definition is None else {section.key: section for section in definition.sections}


def _foreign_owner(actor: Actor, *sides: Section | None) -> str | None:
    """Who else answers for a section before or after the change; taking one over is a change of theirs."""
    owners = (section.owner for section in sides if section is not None)
    return next((owner for owner in owners if owner != actor.department), None)
