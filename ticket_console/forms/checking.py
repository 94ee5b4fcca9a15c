"""What can be wrong with the fields of a definition: each by itself, and in what they say of each other."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Final

from ticket_console.forms.fields import Behaviour, FieldKind, FieldSpec, When
from ticket_console.forms.formulas import BadFormula, in_order, parse_formula, types_of
from ticket_console.forms.kinds import KINDS, BadValue, parse_value
from ticket_console.forms.kinds.kind import Editor
from ticket_console.forms.patterns import is_safe_pattern
from ticket_console.kernel.actor import Role
from ticket_console.kernel.conditions import condition_problems
from ticket_console.kernel.errors import FieldProblem

CHANNELS: Final = frozenset({"console", "sms", "email"})

_CHOICES = frozenset({FieldKind.CHOICE, FieldKind.MULTI_CHOICE})
_NO_SETTINGS: Final = FieldSpec(key="", kind=FieldKind.TEXT, label={})
# What only some kinds have, by its key in JSON.
_OWN_SETTINGS: Final[Mapping[str, str]] = {
    "options": "options",
    "pattern": "pattern",
    "min": "minimum",
    "max": "maximum",
    "unit": "unit",
    "columns": "columns",
    "items": "items",
    "formula": "formula",
    "lookup": "lookup",
    "accepts": "accepts",
}


def field_problems(spec: FieldSpec, path: str = "") -> Iterator[FieldProblem]:
    """What is wrong with one field, or with one column of a table under its `path`."""
    path = path or f"fields.{spec.key}"
    kind = KINDS[spec.kind]
    if not any(text.strip() for text in spec.label.values()):
        yield FieldProblem(f"{path}.label", "template.no_label")
    misplaced = frozenset(
        name
        for name, attribute in _OWN_SETTINGS.items()
        if name not in kind.setting_names and getattr(spec, attribute) != getattr(_NO_SETTINGS, attribute)
    )
    for name in sorted(misplaced):
        yield FieldProblem(f"{path}.{name}", "template.misplaced_setting", {"kind": spec.kind.value})
    if (spec.required or spec.required_when) and not kind.is_entered:
        yield FieldProblem(f"{path}.required", "template.misplaced_setting", {"kind": spec.kind.value})
    if spec.locks and not kind.is_entered:
        yield FieldProblem(f"{path}.locks", "template.misplaced_setting", {"kind": spec.kind.value})
    values = [option.value for option in spec.options]
    if spec.kind in _CHOICES and not values:
        yield FieldProblem(f"{path}.options", "template.no_options")
    if len(set(values)) < len(values) or any(value != value.strip() for value in values):
        yield FieldProblem(f"{path}.options", "template.bad_options")
    if spec.pattern is not None and "pattern" not in misplaced and not is_safe_pattern(spec.pattern):
        yield FieldProblem(f"{path}.pattern", "template.bad_pattern")
    if spec.starts is not None and spec.ends is not None and spec.starts >= spec.ends:
        yield FieldProblem(f"{path}.until", "template.ends_before")
    found = [*_bound_problems(spec, path, misplaced), *kind.check(spec)]
    yield from found
    for column in spec.columns if not found else ():
        yield from field_problems(column, f"{path}.columns.{column.key}")
    if not found:
        yield from _default_problems(spec, path)


def _bound_problems(spec: FieldSpec, path: str, misplaced: frozenset[str]) -> Iterator[FieldProblem]:
    given = {"min": spec.minimum, "max": spec.maximum}
    for name, bound in given.items():
        if bound is not None and name not in misplaced and not _is_bound(spec, bound):
            yield FieldProblem(f"{path}.{name}", "template.bad_bound")
    low, high = spec.minimum, spec.maximum
    if low is not None and high is not None and type(low) is type(high) and low > high:  # type: ignore[operator]
        yield FieldProblem(f"{path}.min", "template.bounds_cross")


def _is_bound(spec: FieldSpec, bound: Decimal | str) -> bool:
    editor = next(setting.editor for setting in KINDS[spec.kind].settings if setting.name == "min")
    if editor in (Editor.WHOLE, Editor.NUMBER):
        counts = editor is Editor.WHOLE
        return isinstance(bound, Decimal) and (not counts or (bound == int(bound) and bound >= 0))
    try:
        return bool(parse_value(FieldSpec(spec.key, spec.kind, spec.label), bound) == bound)
    except BadValue:
        return False


def _default_problems(spec: FieldSpec, path: str) -> Iterator[FieldProblem]:
    if spec.default is None or (spec.pattern is not None and not is_safe_pattern(spec.pattern)):
        return
    if not KINDS[spec.kind].has_default:
        yield FieldProblem(f"{path}.default", "template.misplaced_setting", {"kind": spec.kind.value})
        return
    try:
        parse_value(spec, spec.default, UTC)
    except BadValue as problem:
        yield FieldProblem(f"{path}.default", problem.code, problem.params)


def reference_problems(fields: Sequence[FieldSpec]) -> Iterator[FieldProblem]:
    """What fields say of each other: conditions over fields that are there, formulas without a circle."""
    keys = frozenset(spec.key for spec in fields)
    for spec in fields:
        path = f"fields.{spec.key}"
        yield from _condition(spec.visible_when, keys - {spec.key}, f"{path}.visible_when")
        yield from _condition(spec.required_when, keys - {spec.key}, f"{path}.required_when")
        yield from _conversion_problems(spec, fields, path)
        for at, behaviour in enumerate(spec.behaviours):
            yield from _behaviour_problems(behaviour, keys, f"{path}.behaviours[{at}]")
    yield from _rate_problems(fields)
    yield from _formula_problems(fields, "fields")
    for spec in fields:
        yield from _formula_problems(spec.columns, f"fields.{spec.key}.columns")


def _rate_problems(fields: Sequence[FieldSpec]) -> Iterator[FieldProblem]:
    """One field says what work is settled by, and it has one value."""
    bound = [spec for spec in fields if _binds_rates(spec)]
    for spec in bound:
        if spec.kind is not FieldKind.CHOICE:
            yield FieldProblem(f"fields.{spec.key}.options", "template.rates_not_allowed")
    for spec in bound[1:]:
        yield FieldProblem(f"fields.{spec.key}.options", "template.rates_twice", {"field": bound[0].key})
    for spec in fields:
        for column in spec.columns:
            if _binds_rates(column):
                yield FieldProblem(
                    f"fields.{spec.key}.columns.{column.key}.options", "template.rates_not_allowed"
                )


def _binds_rates(spec: FieldSpec) -> bool:
    return any(option.rates is not None for option in spec.options)


def _condition(when: When | None, keys: frozenset[str], path: str) -> tuple[FieldProblem, ...]:
    return () if when is None else condition_problems(when.tree, fields=keys, path=path)


def _conversion_problems(spec: FieldSpec, fields: Sequence[FieldSpec], path: str) -> Iterator[FieldProblem]:
    if spec.converts is None:
        return
    source = next((other for other in fields if other.key == spec.converts and other is not spec), None)
    if source is None:
        yield FieldProblem(f"{path}.converts", "condition.unknown_field", {"field": spec.converts})
    elif spec.kind not in KINDS[source.kind].converts:
        yield FieldProblem(f"{path}.converts", "field.no_conversion", {"kind": spec.kind.value})


def _behaviour_problems(behaviour: Behaviour, keys: frozenset[str], path: str) -> Iterator[FieldProblem]:
    yield from _condition(behaviour.when, keys, f"{path}.when")
    if behaviour.style is None and behaviour.notify is None:
        yield FieldProblem(path, "template.idle_behaviour")
    told = behaviour.notify
    if told is None:
        return
    role = told.to.removeprefix("role:") if told.to.startswith("role:") else None
    if told.to not in ("assignee", "customer") and role not in set(Role):
        yield FieldProblem(f"{path}.notify.to", "template.unknown_addressee", {"to": told.to})
    if told.channel not in CHANNELS:
        yield FieldProblem(f"{path}.notify.channel", "template.unknown_channel", {"channel": told.channel})
    if not any(text.strip() for text in told.text.values()):
        yield FieldProblem(f"{path}.notify.text", "template.no_label")


def _formula_problems(fields: Sequence[FieldSpec], path: str) -> Iterator[FieldProblem]:
    types = types_of(fields)
    worked_out = {spec.key for spec, _ in in_order(fields)}
    for spec in fields:
        if spec.kind is not FieldKind.FORMULA:
            continue
        try:
            parse_formula(spec.formula or "", types)
        except BadFormula as problem:
            yield FieldProblem(f"{path}.{spec.key}.formula", problem.code, problem.params)
            continue
        if spec.key not in worked_out:
            yield FieldProblem(f"{path}.{spec.key}.formula", "formula.circle")
