"""Filling a template in: from what somebody entered to values, or to every problem at once."""

from collections.abc import Collection, Mapping
from datetime import datetime, tzinfo

from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds import KINDS, BadValue, parse_value
from ticket_console.forms.kinds.checklist import is_complete
from ticket_console.forms.visibility import Answers, answers_of
from ticket_console.kernel.errors import FieldProblem, InvalidInput


class InvalidValues(InvalidInput):
    code = "form.invalid_values"


def fill(
    definition: TemplateDefinition,
    raw: Mapping[str, object],
    *,
    asked: Mapping[str, bool] | None = None,
    zone: tzinfo | None = None,
    at: datetime | None = None,
    known: Mapping[str, object] | None = None,
    not_asked: Collection[str] = (),
) -> dict[str, object]:
    """The values entered, ready to be kept; raises `InvalidValues` with every problem, by field.

    Without `asked` it is a new request: the fields asked for at opening, with their own `required` and their
    defaults; blank ones are left out. With `asked` it is a step: exactly these fields, and whether each must
    be entered now; a blank optional field that was entered comes back as `None`, so that a step can clear it.
    A field that nobody asked for is refused, not ignored, and so is one that is hidden by a condition, by its
    state, or at this time (`at`; without it no time is looked at); neither is required.
    `known` is what the ticket says already: conditions ask it, and what it has is not missing. What formulas
    come to is part of the answer where it is new. `zone` is where wall-clock times without an offset are
    meant; without it they are refused. `not_asked` are fields that somebody else fills in.
    """
    before = known or {}
    required = _required(definition, asked, at, not_asked)
    values, problems = _parsed(definition, raw, required, zone)
    wrong = {problem.path for problem in problems}
    given = frozenset(key for key, value in values.items() if value is not None)
    if asked is None:
        values = _with_defaults(definition, values, required, wrong, zone)
    answers = answers_of(definition, values, known=before)
    problems += [FieldProblem(key, "field.hidden") for key in sorted(answers.hidden & given)]
    problems += _missing(definition, required, answers, wrong)
    if problems:
        raise InvalidValues(tuple(problems))
    kept = {key: value for key, value in values.items() if key not in answers.hidden}
    return kept | _new_results(definition, answers, before, cleared=asked is not None)


def unanswered(
    definition: TemplateDefinition,
    asked: Mapping[str, bool],
    *,
    known: Mapping[str, object],
    at: datetime | None = None,
) -> tuple[str, ...]:
    """The fields that a step still needs, with what the ticket says already."""
    required = _required(definition, asked, at, ())
    answers = answers_of(definition, {}, known=known)
    return tuple(problem.path for problem in _missing(definition, required, answers, frozenset()))


def new_results(
    definition: TemplateDefinition, before: Mapping[str, object], changed: Mapping[str, object]
) -> dict[str, object]:
    """What formulas come to once `changed` takes the place of what the ticket said before; None is empty."""
    return _new_results(definition, answers_of(definition, changed, known=before), before, cleared=True)


def _required(
    definition: TemplateDefinition,
    asked: Mapping[str, bool] | None,
    at: datetime | None,
    not_asked: Collection[str],
) -> dict[str, bool]:
    """The fields that may be entered, and whether they must be."""
    wanted = {spec.key: spec.required for spec in definition.at_opening} if asked is None else asked
    return {
        key: must
        for key, must in wanted.items()
        if key not in not_asked and _is_asked(definition.field_by_key.get(key), at)
    }


def _is_asked(spec: FieldSpec | None, at: datetime | None) -> bool:
    return spec is not None and KINDS[spec.kind].is_entered and spec.is_in_use(at)


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
            problems.append(FieldProblem(key + problem.at, problem.code, problem.params))
    return values, problems


def _with_defaults(
    definition: TemplateDefinition,
    values: dict[str, object],
    asked: Mapping[str, bool],
    wrong: set[str],
    zone: tzinfo | None,
) -> dict[str, object]:
    filled = {key: value for key, value in values.items() if value is not None}
    for key in asked:
        spec = definition.field(key)
        if spec.default is not None and key not in filled and key not in wrong:
            filled[key] = parse_value(spec, spec.default, zone)
    return filled


def _missing(
    definition: TemplateDefinition, required: Mapping[str, bool], answers: Answers, wrong: Collection[str]
) -> list[FieldProblem]:
    broken = {path.partition("[")[0] for path in wrong}
    found = []
    for key, must in required.items():
        spec = definition.field(key)
        by_condition = spec.required_when is not None and spec.required_when.holds(
            answers.facts, otherwise=False
        )
        if key in broken or key in answers.hidden or not (must or by_condition):
            continue
        value = answers.facts.get(key)
        if value is None:
            found.append(FieldProblem(key, "field.required"))
        elif spec.kind is FieldKind.CHECKLIST and not is_complete(spec, value):
            found.append(FieldProblem(key, "field.checklist_unfinished"))
    return found


def _new_results(
    definition: TemplateDefinition, answers: Answers, before: Mapping[str, object], *, cleared: bool
) -> dict[str, object]:
    results = {spec.key: answers.facts.get(spec.key) for spec, _ in definition.formulas}
    return {
        key: value
        for key, value in results.items()
        if value != before.get(key) and (value is not None or cleared)
    }
