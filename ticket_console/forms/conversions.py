"""A field of one kind takes the place of a field of another: what becomes of the values there are."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldSpec
from ticket_console.forms.kinds import BadValue, Showing, convert
from ticket_console.kernel.errors import FieldProblem

Row = TypeVar("Row", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Converted(Generic[Row]):
    """The new values by row, and the rows whose value cannot be converted, each with the reason."""

    values: Mapping[Row, Any]
    refused: Mapping[Row, FieldProblem]


def convert_rows(
    source: FieldSpec, target: FieldSpec, rows: Mapping[Row, object], to: Showing
) -> Converted[Row]:
    """The values of `source`, by row, as values of `target`; nothing that cannot be converted is guessed."""
    values: dict[Row, Any] = {}
    refused: dict[Row, FieldProblem] = {}
    for row, value in rows.items():
        try:
            converted = convert(source, target, value, to)
        except BadValue as problem:
            refused[row] = FieldProblem(target.key + problem.at, problem.code, problem.params)
        else:
            if converted is not None:
                values[row] = converted
    return Converted(values, refused)


def taken_over(
    definition: TemplateDefinition, values: Mapping[str, object], to: Showing
) -> tuple[dict[str, Any], tuple[FieldProblem, ...]]:
    """What a ticket that moves to this definition has in its converted fields, and what it cannot have.

    Fields that have a value already keep it.
    """
    found: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    for spec in definition.fields:
        source = None if spec.converts is None else definition.field_by_key.get(spec.converts)
        if source is None or values.get(spec.key) is not None:
            continue
        result = convert_rows(source, spec, {spec.key: values.get(source.key)}, to)
        found |= result.values
        problems += result.refused.values()
    return found, tuple(problems)
