"""What a template says otherwise in a business line, a region or a store, laid over each other.

A patch may change how fields are named, explained, filled in and ordered, and leave options out; what a field
is, its key and its kind, is the same everywhere, so that figures of all places can be compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from pydantic import Field

from ticket_console.forms.definitions import Section, TemplateDefinition, definition_problems
from ticket_console.forms.field_json import Key, LabelText
from ticket_console.forms.fields import FieldSpec, FieldState
from ticket_console.forms.json_form import JsonForm
from ticket_console.kernel.errors import FieldProblem, InvalidInput

BASE: Final = "base"


class InvalidPatch(InvalidInput):
    code = "template.invalid_patch"


class _FieldPatch(JsonForm):
    label: LabelText | None = None
    help: LabelText | None = None
    required: bool | None = None
    hidden: bool | None = None
    default: Any = None
    options: list[str] | None = Field(default=None, max_length=500)


class _PatchForm(JsonForm):
    fields: dict[Key, _FieldPatch] = Field(default_factory=dict)
    order: dict[Key, Annotated[list[str], Field(max_length=300)]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """What one place says; `name` is "line:<code>", "region:<code>" or "store:<code>"."""

    name: str
    patch: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Effective:
    """The definition that holds at a place. `origins` says, by path ("fields.<key>.<setting>",
    "sections.<key>.order"), which layer a setting comes from; what is not named comes from the base."""

    definition: TemplateDefinition
    origins: Mapping[str, str]

    def origin_of(self, path: str) -> str:
        return self.origins.get(path, BASE)


def parse_patch(data: object) -> dict[str, Any]:
    """A patch in its shortest form; raises `InvalidPatch` for a wrong shape.

        {"fields": {key: {"label", "help", "required", "hidden", "default", "options": [value, ...]}},
         "order": {section key: [field key, ...]}}

    `options` are those that are left; fields that `order` does not name follow in their usual order.
    """
    return _PatchForm.read(data, InvalidPatch).plain()


def patch_problems(definition: TemplateDefinition, patch: Mapping[str, Any]) -> tuple[FieldProblem, ...]:
    """What in a patch does not fit this definition, and what would be wrong with the result."""
    found = []
    for key, changes in patch.get("fields", {}).items():
        spec = definition.field_by_key.get(key)
        if spec is None:
            found.append(FieldProblem(f"fields.{key}", "condition.unknown_field", {"field": key}))
            continue
        values = {option.value for option in spec.options}
        if not set(changes.get("options", ())) <= values:
            found.append(FieldProblem(f"fields.{key}.options", "template.bad_options"))
    sections = {section.key: {spec.key for spec in section.fields} for section in definition.sections}
    for key, order in patch.get("order", {}).items():
        if not set(order) <= sections.get(key, set()) or len(set(order)) < len(order):
            found.append(FieldProblem(f"order.{key}", "template.bad_order"))
    if found:
        return tuple(found)
    return definition_problems(resolve(definition, (Layer(BASE, patch),)).definition)


def resolve(definition: TemplateDefinition, layers: Sequence[Layer]) -> Effective:
    """The base with the layers over it, from the widest to the narrowest: of two, the later one wins.

    What a layer says of fields, options or sections that are not there (any more) is passed over.
    """
    origins: dict[str, str] = {}
    sections = definition.sections
    for layer in layers:
        sections = tuple(_patched(section, layer, origins) for section in sections)
    return Effective(TemplateDefinition(sections), origins)


def _patched(section: Section, layer: Layer, origins: dict[str, str]) -> Section:
    changes = layer.patch.get("fields", {})
    fields = tuple(_patched_field(spec, changes.get(spec.key, {}), layer, origins) for spec in section.fields)
    order = layer.patch.get("order", {}).get(section.key)
    if order is not None:
        rank = {key: at for at, key in enumerate(order)}
        fields = tuple(sorted(fields, key=lambda spec: rank.get(spec.key, len(rank))))
        origins[f"sections.{section.key}.order"] = layer.name
    return replace(section, fields=fields)


def _patched_field(
    spec: FieldSpec, changes: Mapping[str, Any], layer: Layer, origins: dict[str, str]
) -> FieldSpec:
    said: dict[str, Any] = {
        name: changes[name] for name in ("label", "help", "required", "default") if name in changes
    }
    for name in ("label", "help"):
        if name in said:
            said[name] = {**getattr(spec, name), **said[name]}
    if "hidden" in changes:
        said["state"] = FieldState.HIDDEN if changes["hidden"] else FieldState.ACTIVE
    if "options" in changes:
        left = tuple(option for option in spec.options if option.value in changes["options"])
        # Options may all be gone since; a field without any could not be filled in.
        said |= {"options": left} if left else {}
    origins.update(
        {f"fields.{spec.key}.{'hidden' if name == 'state' else name}": layer.name for name in said}
    )
    return replace(spec, **said)


def checked_patch(definition: TemplateDefinition, data: object) -> dict[str, Any]:
    """A patch that fits; raises `InvalidPatch` naming everything wrong with it."""
    patch = parse_patch(data)
    if problems := patch_problems(definition, patch):
        raise InvalidPatch(problems)
    return patch
