"""The definition of a template: its sections and fields, its JSON form, and what can be wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from ticket_console.forms.checking import field_problems, reference_problems
from ticket_console.forms.field_json import (
    FieldForm,
    Key,
    LabelText,
    Tree,
    field_of,
    form_of,
    tree_of,
    when_of,
)
from ticket_console.forms.fields import FieldSpec, When
from ticket_console.forms.formulas import Formula, in_order
from ticket_console.forms.json_form import JsonForm
from ticket_console.forms.kinds import KINDS, schema_of
from ticket_console.kernel import canonical
from ticket_console.kernel.conditions import condition_problems
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText

MAX_FIELDS = 300
FORMAT = 2

# What the first format knew.
_SECTION_1 = frozenset({"key", "title", "fields"})
_FIELD_1 = frozenset(
    {"key", "kind", "label", "required", "at_opening", "help", "sensitivity", "options", "default", "pattern"}
    | {"min", "max"}
)
_KINDS_1 = frozenset(
    {"text", "long_text", "number", "money", "date", "datetime", "choice", "multi_choice", "yes_no", "rating"}
    | {"phone", "photo", "file", "signature", "location", "parts"}
)


class InvalidDefinition(InvalidInput):
    code = "template.invalid_definition"


@dataclass(frozen=True, slots=True)
class Section:
    """Neighbouring fields under one title, laid out in up to `columns` columns.

    Only people of the department `owner` may fill it in; everybody may where there is none.
    """

    key: str
    title: LocalText
    fields: tuple[FieldSpec, ...]
    columns: int = 2
    owner: str = ""
    visible_when: When | None = None


@dataclass(frozen=True, slots=True)
class TemplateDefinition:
    """What a request of this kind is asked, in order; the fields of all sections are gathered once."""

    sections: tuple[Section, ...]
    fields: tuple[FieldSpec, ...] = field(init=False, repr=False, compare=False)
    formulas: tuple[tuple[FieldSpec, Formula], ...] = field(init=False, repr=False, compare=False)
    has_conditions: bool = field(init=False, repr=False, compare=False)
    at_opening: tuple[FieldSpec, ...] = field(init=False, repr=False, compare=False)
    field_by_key: Mapping[str, FieldSpec] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fields = tuple(spec for section in self.sections for spec in section.fields)
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "at_opening", tuple(spec for spec in fields if spec.at_opening))
        object.__setattr__(self, "field_by_key", {spec.key: spec for spec in fields})
        object.__setattr__(self, "formulas", in_order(fields))
        conditions = (each.visible_when for part in (self.sections, fields) for each in part)
        object.__setattr__(self, "has_conditions", any(when is not None for when in conditions))

    def field(self, key: str) -> FieldSpec:
        """A field known to be there."""
        return self.field_by_key[key]

    def asked_at(self, at: datetime | None) -> tuple[FieldSpec, ...]:
        """The fields that a new request shows at an instant, headings and results of formulas included."""
        return tuple(spec for spec in self.at_opening if spec.is_in_use(at))

    def locked(self, kept: Mapping[str, object]) -> frozenset[str]:
        """The fields that were entered for good, with what a ticket says."""
        return frozenset(spec.key for spec in self.fields if spec.locks and kept.get(spec.key) is not None)

    def owned_by_others(self, department: str) -> frozenset[str]:
        """The fields of sections that belong to another department than this one."""
        return frozenset(
            spec.key
            for section in self.sections
            if section.owner and section.owner != department
            for spec in section.fields
        )


class _SectionForm(JsonForm):
    key: Key
    title: LabelText = Field(default_factory=dict)
    columns: Annotated[int, Field(ge=1, le=3)] = 2
    owner: Annotated[str, Field(max_length=64)] = ""
    visible_when: Tree | None = None
    fields: list[FieldForm]


class _DefinitionForm(JsonForm):
    format: int = 1
    sections: list[_SectionForm] = Field(max_length=50)


def parse_definition(data: object) -> TemplateDefinition:
    """The definition of plain JSON data, of any format; raises `InvalidDefinition` for a wrong shape.

        {"format": 2, "sections": [{"key", "title": {"zh", "en"}, "columns": 1|2|3, "owner", "visible_when",
          "fields": [
            {"key", "kind", "label": {"zh", "en"}, "required", "at_opening", "help", "sensitivity",
             "options": [{"value", "label", "colour", "rates": {"rule_set", "version"}}], "default",
             "pattern", "min", "max", "unit", "width": "half|full", "state": "active|hidden", "from", "until",
             "visible_when", "required_when",
             "behaviours": [{"when", "style": "danger|warn|ok", "notify": {"to", "channel", "text"}}],
             "columns": [field, ...], "items": [{"key", "text"}], "formula",
             "lookup": {"url", "path", "refresh_seconds"}, "accepts": [".pdf", "image/*"],
             "converts", "locks"}]}]}

    Whether it makes sense is another question: see `definition_problems`.
    """
    form = _DefinitionForm.read(upgraded(data), InvalidDefinition)
    return TemplateDefinition(
        tuple(
            Section(
                key=section.key,
                title=section.title,
                fields=tuple(field_of(entry) for entry in section.fields),
                columns=section.columns,
                owner=section.owner,
                visible_when=when_of(section.visible_when),
            )
            for section in form.sections
        )
    )


def upgraded(data: object) -> object:
    """Plain JSON of an earlier format as the newest one; raises `InvalidDefinition` for one of the future.

    Format 2 only added keys, so that nothing of format 1 has to move.
    """
    if not isinstance(data, Mapping) or "format" not in data:
        return data
    number = data["format"]
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= FORMAT:
        raise InvalidDefinition((FieldProblem("format", "template.unknown_format", {"newest": FORMAT}),))
    return {**data, "format": FORMAT}


def definition_json(definition: TemplateDefinition) -> dict[str, Any]:
    """Plain JSON that `parse_definition` reads back equal.

    It says the oldest format that can hold it, so that what was written before has the hash it had.
    """
    plain = _DefinitionForm.model_construct(
        sections=[
            _SectionForm.model_construct(
                key=section.key,
                title=section.title,
                columns=section.columns,
                owner=section.owner,
                visible_when=tree_of(section.visible_when),
                fields=[form_of(spec) for spec in section.fields],
            )
            for section in definition.sections
        ]
    ).plain()
    return {"format": FORMAT, **plain} if _needs_format_2(plain) else plain


def _needs_format_2(plain: dict[str, Any]) -> bool:
    sections = plain.get("sections", [])
    fields = [spec for section in sections for spec in section.get("fields", [])]
    return (
        any(section.keys() - _SECTION_1 for section in sections)
        or any(spec.keys() - _FIELD_1 or spec["kind"] not in _KINDS_1 for spec in fields)
        or any(option.keys() & {"colour", "rates"} for spec in fields for option in spec.get("options", []))
    )


def definition_hash(definition: TemplateDefinition) -> str:
    """Equal definitions, equal hash, whatever the spelling of the JSON they came from."""
    return canonical.content_hash(definition_json(definition))


def definition_schema(definition: TemplateDefinition) -> dict[str, Any]:
    """The JSON schema of the values a new request may carry."""
    asked = [spec for spec in definition.asked_at(None) if KINDS[spec.kind].is_entered]
    sometimes = {
        spec.key
        for section in definition.sections
        for spec in section.fields
        if section.visible_when is not None or spec.visible_when is not None
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {spec.key: schema_of(spec) for spec in asked},
        "required": [
            spec.key for spec in asked if spec.required and spec.default is None and spec.key not in sometimes
        ],
    }


def definition_problems(definition: TemplateDefinition) -> tuple[FieldProblem, ...]:
    """Everything wrong with a definition; one without problems can be published."""
    found: list[FieldProblem] = []
    seen: set[str] = set()
    sections: set[str] = set()
    for section in definition.sections:
        if section.key in sections:
            found.append(FieldProblem(f"sections.{section.key}", "template.section_used_twice"))
        sections.add(section.key)
        for spec in section.fields:
            if spec.key in seen:
                found.append(FieldProblem(f"fields.{spec.key}", "template.field_used_twice"))
            seen.add(spec.key)
    found += [problem for spec in definition.fields for problem in field_problems(spec)]
    found += reference_problems(definition.fields)
    found += [
        problem for section in definition.sections for problem in _section_problems(definition, section)
    ]
    if not seen:
        found.append(FieldProblem("sections", "template.no_fields"))
    if len(seen) > MAX_FIELDS:
        found.append(FieldProblem("sections", "template.too_many_fields", {"limit": MAX_FIELDS}))
    return tuple(found)


def _section_problems(definition: TemplateDefinition, section: Section) -> tuple[FieldProblem, ...]:
    if section.visible_when is None:
        return ()
    path = f"sections.{section.key}.visible_when"
    return condition_problems(section.visible_when.tree, fields=definition.field_by_key, path=path)
