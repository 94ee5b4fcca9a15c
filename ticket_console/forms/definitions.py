"""The definition of a template: its sections and fields, its JSON form, and what can be wrong with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import Field

from ticket_console.forms.fields import FieldKind, FieldSpec, Option, Sensitivity
from ticket_console.forms.json_form import JsonForm
from ticket_console.forms.kinds import BadValue, parse_value, schema_of
from ticket_console.forms.patterns import is_safe_pattern
from ticket_console.kernel import canonical
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText

MAX_FIELDS = 300

_CHOICES = frozenset({FieldKind.CHOICE, FieldKind.MULTI_CHOICE})
_MATCHED = frozenset({FieldKind.TEXT, FieldKind.PHONE})
_DATED = frozenset({FieldKind.DATE, FieldKind.DATETIME})
_UNBOUNDED = frozenset({FieldKind.CHOICE, FieldKind.YES_NO, FieldKind.SIGNATURE, FieldKind.LOCATION})


class InvalidDefinition(InvalidInput):
    code = "template.invalid_definition"


@dataclass(frozen=True, slots=True)
class Section:
    key: str
    title: LocalText
    fields: tuple[FieldSpec, ...]


@dataclass(frozen=True, slots=True)
class TemplateDefinition:
    """What a request of this kind is asked, in order; the fields of all sections are gathered once."""

    sections: tuple[Section, ...]
    fields: tuple[FieldSpec, ...] = field(init=False, repr=False, compare=False)
    at_opening: tuple[FieldSpec, ...] = field(init=False, repr=False, compare=False)
    field_by_key: Mapping[str, FieldSpec] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        fields = tuple(spec for section in self.sections for spec in section.fields)
        object.__setattr__(self, "fields", fields)
        object.__setattr__(self, "at_opening", tuple(spec for spec in fields if spec.at_opening))
        object.__setattr__(self, "field_by_key", {spec.key: spec for spec in fields})

    def field(self, key: str) -> FieldSpec:
        """A field known to be there."""
        return self.field_by_key[key]


Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
LabelText = dict[Annotated[str, Field(pattern="^(zh|en)$")], Annotated[str, Field(max_length=300)]]
Bound = int | float | Annotated[str, Field(max_length=40)]


class _OptionForm(JsonForm):
    value: Annotated[str, Field(min_length=1, max_length=100)]
    label: LabelText = Field(default_factory=dict)


class _FieldForm(JsonForm):
    key: Key
    kind: Annotated[FieldKind, Field(strict=False)]
    label: LabelText
    required: bool = False
    at_opening: bool = True
    help: LabelText = Field(default_factory=dict)
    sensitivity: Annotated[Sensitivity, Field(strict=False)] = Sensitivity.PUBLIC
    options: list[_OptionForm] = Field(default_factory=list, max_length=500)
    default: Any = None
    pattern: str | None = None
    min: Bound | None = None
    max: Bound | None = None


class _SectionForm(JsonForm):
    key: Key
    title: LabelText = Field(default_factory=dict)
    fields: list[_FieldForm]


class _DefinitionForm(JsonForm):
    sections: list[_SectionForm] = Field(max_length=50)


def parse_definition(data: object) -> TemplateDefinition:
    """The definition of plain JSON data; raises `InvalidDefinition` for a wrong shape.

        {"sections": [{"key", "title": {"zh", "en"}, "fields": [
            {"key", "kind", "label": {"zh", "en"}, "required", "at_opening", "help", "sensitivity",
             "options": [{"value", "label"}], "default", "pattern", "min", "max"}]}]}

    Whether it makes sense is another question: see `definition_problems`.
    """
    form = _DefinitionForm.read(data, InvalidDefinition)
    return TemplateDefinition(
        tuple(
            Section(section.key, section.title, tuple(_spec(entry) for entry in section.fields))
            for section in form.sections
        )
    )


def _spec(form: _FieldForm) -> FieldSpec:
    return FieldSpec(
        key=form.key,
        kind=form.kind,
        label=form.label,
        required=form.required,
        at_opening=form.at_opening,
        help=form.help,
        sensitivity=form.sensitivity,
        options=tuple(Option(option.value, option.label) for option in form.options),
        default=form.default,
        pattern=form.pattern,
        minimum=_bound(form.kind, form.min),
        maximum=_bound(form.kind, form.max),
    )


def _bound(kind: FieldKind, bound: Bound | None) -> Decimal | str | None:
    if bound is None or (kind in _DATED and isinstance(bound, str)):
        return bound
    try:
        number = Decimal(bound if isinstance(bound, str) else repr(bound))
    except InvalidOperation:
        return str(bound)
    return number if number.is_finite() else str(bound)


def definition_json(definition: TemplateDefinition) -> dict[str, Any]:
    """Plain JSON that `parse_definition` reads back equal."""
    return _DefinitionForm.model_construct(
        sections=[
            _SectionForm.model_construct(
                key=section.key, title=section.title, fields=[_form(spec) for spec in section.fields]
            )
            for section in definition.sections
        ]
    ).plain()


def _form(spec: FieldSpec) -> _FieldForm:
    return _FieldForm.model_construct(
        key=spec.key,
        kind=spec.kind,
        label=spec.label,
        required=spec.required,
        at_opening=spec.at_opening,
        help=spec.help,
        sensitivity=spec.sensitivity,
        options=[_OptionForm.model_construct(value=each.value, label=each.label) for each in spec.options],
        default=spec.default,
        pattern=spec.pattern,
        min=None if spec.minimum is None else str(spec.minimum),
        max=None if spec.maximum is None else str(spec.maximum),
    )


def definition_hash(definition: TemplateDefinition) -> str:
    """Equal definitions, equal hash, whatever the spelling of the JSON they came from."""
    return canonical.content_hash(definition_json(definition))


def definition_schema(definition: TemplateDefinition) -> dict[str, Any]:
    """The JSON schema of the values a new request may carry."""
    asked = definition.at_opening
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {spec.key: schema_of(spec) for spec in asked},
        "required": [spec.key for spec in asked if spec.required and spec.default is None],
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
            found += _field_problems(spec)
    if not seen:
        found.append(FieldProblem("sections", "template.no_fields"))
    if len(seen) > MAX_FIELDS:
        found.append(FieldProblem("sections", "template.too_many_fields", {"limit": MAX_FIELDS}))
    return tuple(found)


def _field_problems(spec: FieldSpec) -> Iterator[FieldProblem]:
    path = f"fields.{spec.key}"
    if not any(text.strip() for text in spec.label.values()):
        yield FieldProblem(f"{path}.label", "template.no_label")
    values = [option.value for option in spec.options]
    if spec.kind in _CHOICES and not values:
        yield FieldProblem(f"{path}.options", "template.no_options")
    if spec.kind not in _CHOICES and values:
        yield FieldProblem(f"{path}.options", "template.misplaced_setting", {"kind": spec.kind.value})
    if len(set(values)) < len(values) or any(value != value.strip() for value in values):
        yield FieldProblem(f"{path}.options", "template.bad_options")
    if spec.pattern is not None and spec.kind not in _MATCHED:
        yield FieldProblem(f"{path}.pattern", "template.misplaced_setting", {"kind": spec.kind.value})
    elif spec.pattern is not None and not is_safe_pattern(spec.pattern):
        yield FieldProblem(f"{path}.pattern", "template.bad_pattern")
    bounds = tuple(_bound_problems(spec, path))
    yield from bounds
    if not bounds:
        yield from _default_problems(spec, path)


def _bound_problems(spec: FieldSpec, path: str) -> Iterator[FieldProblem]:
    given = {"min": spec.minimum, "max": spec.maximum}
    for name, bound in given.items():
        if bound is None:
            continue
        if spec.kind in _UNBOUNDED:
            yield FieldProblem(f"{path}.{name}", "template.misplaced_setting", {"kind": spec.kind.value})
        elif not _is_bound(spec, bound):
            yield FieldProblem(f"{path}.{name}", "template.bad_bound")
    low, high = spec.minimum, spec.maximum
    if low is not None and high is not None and type(low) is type(high) and low > high:  # type: ignore[operator]
        yield FieldProblem(f"{path}.min", "template.bounds_cross")


def _is_bound(spec: FieldSpec, bound: Decimal | str) -> bool:
    if spec.kind not in _DATED:
        counts = spec.kind not in (FieldKind.NUMBER, FieldKind.MONEY)
        return isinstance(bound, Decimal) and (not counts or (bound == int(bound) and bound >= 0))
    try:
        return parse_value(FieldSpec(spec.key, spec.kind, spec.label), bound) == bound
    except BadValue:
        return False


def _default_problems(spec: FieldSpec, path: str) -> Iterator[FieldProblem]:
    if spec.default is None or (spec.pattern is not None and not is_safe_pattern(spec.pattern)):
        return
    try:
        parse_value(spec, spec.default, UTC)
    except BadValue as problem:
        yield FieldProblem(f"{path}.default", problem.code, problem.params)
