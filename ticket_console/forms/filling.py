"""Filling a template in: from what somebody entered to values, or to every problem at once."""

from collections.abc import Mapping
from datetime import tzinfo

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.kinds import BadValue, parse_value
from ticket_console.kernel.errors import FieldProblem, InvalidInput


class InvalidValues(InvalidInput):
    code = "form.invalid_values"


def fill(
    definition: TemplateDefinition,
    raw: Mapping[str, object],
    *,
    asked: Mapping[str, bool] | None = None,
    zone: tzinfo | None = None,
) -> dict[str, object]:
    """The values entered, ready to be kept; raises `InvalidValues` with every problem, by field.

    Without `asked` it is a new request: the fields asked for at opening, with their own `required` and their
    defaults; blank ones are left out. With `asked` it is a step: exactly these fields, and whether each must
    be entered now; a blank optional field that was entered comes back as `None`, so that a step can clear it.
    A field that nobody asked for is refused, not ignored. `zone` is where wall-clock times without an offset
    are meant; without it they are refused.
    """
    required = {spec.key: spec.required for spec in definition.at_opening} if asked is None else asked
    values, problems = _parsed(definition, raw, required, zone)
    if asked is None:
        wrong = {problem.path for problem in problems}
        values = _with_defaults(definition, values, wrong, zone)
    problems += _missing(required, values, problems)
    if problems:
        raise InvalidValues(tuple(problems))
    return values


def _parsed(
    definition: TemplateDefinition,
    raw: Mapping[str, object],
    asked: Mapping[str, bool],
    zone: tzinfo | None,
) -> tuple[dict[str, object], list[FieldProblem]]:
    values: dict[str, object] = {}
    problems: list[FieldProblem] = []
    for key, entered in raw.items():
        spec = definition.field_by_key.get(key)
        if spec is None or key not in asked:
            problems.append(FieldProblem(key, "field.unknown"))
            continue
        try:
            values[key] = parse_value(spec, entered, zone)
        except BadValue as problem:
            problems.append(FieldProblem(key, problem.code, problem.params))
    return values, problems


def _with_defaults(
    definition: TemplateDefinition, values: dict[str, object], wrong: set[str], zone: tzinfo | None
) -> dict[str, object]:
    filled = {key: value for key, value in values.items() if value is not None}
    for spec in definition.at_opening:
        if spec.default is not None and spec.key not in filled and spec.key not in wrong:
            filled[spec.key] = parse_value(spec, spec.default, zone)
    return filled


def _missing(
    required: Mapping[str, bool], values: Mapping[str, object], problems: list[FieldProblem]
) -> list[FieldProblem]:
    wrong = {problem.path for problem in problems}
    return [
        FieldProblem(key, "field.required")
        for key, must in required.items()
        if must and key not in wrong and values.get(key) is None
    ]
