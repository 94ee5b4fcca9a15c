"""Filling a template in: from what somebody entered to values, or to every problem at once."""

from collections.abc import Mapping
from datetime import tzinfo

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldSpec
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
    defaults. With `asked` it is a step: exactly these fields, and whether each must be filled in; blank
    optional fields come back as `None`, so that a step can clear them. A field nobody asked for is refused,
    not ignored.
    `zone` is where wall-clock times without an offset are meant.
    """
    opening = asked is None
    wanted = {spec.key: spec.required for spec in definition.at_opening()} if asked is None else asked
    problems = [FieldProblem(key, "field.unknown") for key in raw if key not in wanted]
    values: dict[str, object] = {}
    for key, required in wanted.items():
        spec = definition.field_by_key.get(key)
        if spec is None:
            problems.append(FieldProblem(key, "field.unknown"))
            continue
        try:
            value = _value(spec, raw, opening, zone)
        except BadValue as problem:
            problems.append(FieldProblem(key, problem.code, problem.params))
            continue
        if value is None and required:
            problems.append(FieldProblem(key, "field.required"))
        elif value is not None or (not opening and key in raw):
            values[key] = value
    if problems:
        raise InvalidValues(tuple(problems))
    return values


def _value(spec: FieldSpec, raw: Mapping[str, object], opening: bool, zone: tzinfo | None) -> object:
    value = parse_value(spec, raw.get(spec.key), zone)
    if value is None and opening and spec.default is not None:
        return parse_value(spec, spec.default, zone)
    return value
