"""Filling a template in: from what somebody entered to values, or to every problem at once."""

from collections.abc import Collection, Mapping
from datetime import tzinfo

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.kinds import BadValue, parse_value
from ticket_console.kernel.errors import FieldProblem, InvalidInput


class InvalidValues(InvalidInput):
    code = "form.invalid_values"


def fill(
    definition: TemplateDefinition, raw: Mapping[str, object], *, zone: tzinfo | None = None
) -> dict[str, object]:
    """The values of a new request, defaults included; raises `InvalidValues` with every problem, by field.

    A field that is not asked for at opening is refused, not ignored. Blank fields are left out. `zone` is
    where wall-clock times without an offset are meant; without it they are refused.
    """
    asked = definition.at_opening
    defaults = {spec.key: spec.default for spec in asked if spec.default is not None}
    parsed, problems = _parse(definition, raw, {spec.key for spec in asked}, zone)
    for key in defaults:
        if parsed.get(key) is None and not any(problem.path == key for problem in problems):
            parsed[key] = parse_value(definition.field(key), defaults[key], zone)
    missing = [spec.key for spec in asked if spec.required]
    return _complete(
        {key: value for key, value in parsed.items() if value is not None}, missing, {}, problems
    )


def fill_step(
    definition: TemplateDefinition,
    raw: Mapping[str, object],
    *,
    keys: Collection[str],
    required: Collection[str],
    present: Mapping[str, object],
    zone: tzinfo | None = None,
) -> dict[str, object]:
    """The values entered at a step that asks for `keys`; raises `InvalidValues` with every problem, by field.

    A blank optional field comes back as `None`: the step clears it. A required field may also be filled in
    already, in `present`; it cannot be cleared.
    """
    parsed, problems = _parse(definition, raw, keys, zone)
    return _complete(parsed, required, present, problems)


def _parse(
    definition: TemplateDefinition, raw: Mapping[str, object], keys: Collection[str], zone: tzinfo | None
) -> tuple[dict[str, object], list[FieldProblem]]:
    values: dict[str, object] = {}
    problems: list[FieldProblem] = []
    for key, entered in raw.items():
        spec = definition.field_by_key.get(key)
        if spec is None or key not in keys:
            problems.append(FieldProblem(key, "form.unknown_field"))
            continue
        try:
            values[key] = parse_value(spec, entered, zone)
        except BadValue as problem:
            problems.append(FieldProblem(key, problem.code, problem.params))
    return values, problems


def _complete(
    values: dict[str, object],
    required: Collection[str],
    present: Mapping[str, object],
    problems: list[FieldProblem],
) -> dict[str, object]:
    wrong = {problem.path for problem in problems}
    problems += [
        FieldProblem(key, "form.required")
        for key in required
        if key not in wrong and values.get(key, present.get(key)) is None
    ]
    if problems:
        raise InvalidValues(tuple(problems))
    return values
