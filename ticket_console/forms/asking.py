"""A form as the browser draws it: what is asked, with what of its rules can still change there."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from ticket_console.forms.definitions import Section, TemplateDefinition
from ticket_console.forms.fields import FieldKind, FieldSpec, When
from ticket_console.forms.formulas import in_order
from ticket_console.forms.kinds import KINDS, Showing, show_value
from ticket_console.forms.visibility import remaining
from ticket_console.kernel.conditions import condition_problems

Plain = dict[str, Any]

# What is called by a number, and therefore needs its name beside it.
NAMED: Final = frozenset({FieldKind.PERSON, FieldKind.CUSTOMER, FieldKind.ASSET, FieldKind.PART})


def asked_at_opening(
    definition: TemplateDefinition, at: datetime | None, *, department: str | None = None
) -> dict[str, bool]:
    """What a new request shows, and whether it must be filled in.

    With a `department` the sections of other departments are left out; "" is somebody of none.
    """
    elsewhere = frozenset[str]() if department is None else definition.owned_by_others(department)
    return {
        spec.key: spec.required and KINDS[spec.kind].is_entered
        for spec in definition.asked_at(at)
        if spec.key not in elsewhere
    }


def form_fields(
    definition: TemplateDefinition,
    *,
    asked: Mapping[str, bool],
    values: Mapping[str, object],
    at: datetime,
    writable: Collection[str] | None = None,
    readable: Collection[str] | None = None,
    to: Collection[Showing] = (),
) -> tuple[Plain, ...]:
    """The fields `asked`, in this order, as `TemplateForm` takes them; `asked` says which must be filled in.

    `values` are what is kept already. Questions of conditions about fields that are not asked are answered
    here, so that nothing unreadable leaves the server. Fields out of use, and those that are hidden whatever
    is entered, are left out. Formulas that need what is not `readable` are not worked out in the browser.
    Helpers without a place in the form (`aid`) carry what conditions and formulas need besides. `to` says in
    which languages records are called by their names.
    """
    may_write = frozenset(asked) if writable is None else frozenset(writable)
    shown = [
        definition.field_by_key[key]
        for key in asked
        if key in definition.field_by_key and definition.field_by_key[key].is_in_use(at)
    ]
    entered = frozenset(spec.key for spec in shown if KINDS[spec.kind].is_entered and spec.key in may_write)
    worked_out = _worked_out(definition, entered, readable)
    changing = entered | worked_out
    facts = {**values, **{spec.key: formula.value(values) for spec, formula in definition.formulas}}
    sections = {spec.key: section for section in definition.sections for spec in section.fields}
    drawn: list[Plain] = []
    for spec in shown:
        section = sections[spec.key]
        rules = {
            "section": _left(section.visible_when, facts, changing, otherwise=True),
            "visible_when": _left(spec.visible_when, facts, changing, otherwise=True),
        }
        if False in rules.values():
            continue
        field = _plain(
            spec, section, values, at, is_writable=spec.key in entered, must=asked[spec.key], to=to
        )
        field["section"] |= {} if rules["section"] is True else {"visible_when": rules["section"]}
        field |= {} if rules["visible_when"] is True else {"visible_when": rules["visible_when"]}
        drawn.append(field | _rules_of(spec, facts, changing))
    return _with_formulas(definition, drawn, worked_out, values)


def field_settings(spec: FieldSpec) -> Plain:
    """What a field's renderer has to know of it, whatever its value."""
    settings: Plain = {
        "kind": spec.kind.value,
        "label": dict(spec.label),
        "help": dict(spec.help) if any(spec.help.values()) else None,
        "options": [
            {
                "value": option.value,
                "label": dict(option.label),
                **({} if option.colour is None else {"colour": option.colour.value}),
            }
            for option in spec.options
        ],
    }
    bounds = {"min": spec.minimum, "max": spec.maximum}
    settings |= {name: str(bound) for name, bound in bounds.items() if bound is not None}
    settings |= {"unit": spec.unit} if spec.unit else {}
    settings |= {"accept": ",".join(spec.accepts)} if spec.accepts else {}
    settings |= (
        {"items": [{"key": item.key, "text": dict(item.text)} for item in spec.items]} if spec.items else {}
    )
    if spec.kind is FieldKind.TABLE:
        settings["columns"] = [_column(spec, column) for column in spec.columns]
    if spec.width is not None:
        settings["wide"] = spec.width.value == "full"
    return settings


def _plain(
    spec: FieldSpec,
    section: Section,
    values: Mapping[str, object],
    at: datetime,
    *,
    is_writable: bool,
    must: bool,
    to: Collection[Showing],
) -> Plain:
    kept = values.get(spec.key)
    field = {
        "key": spec.key,
        **field_settings(spec),
        "required": must,
        "writable": is_writable,
        "value": spec.default if kept is None and is_writable else kept,
        "known": kept,
        "section": {"key": section.key, "title": dict(section.title), "columns": section.columns},
    }
    if spec.lookup is not None:
        field["refresh_seconds"] = spec.lookup.refresh_seconds
        field["stale"] = is_stale(spec, kept, at)
    if to and kept is not None and spec.kind in NAMED:
        field["shown"] = in_words(spec, kept, to)
    return field


def in_words(spec: FieldSpec, value: object, to: Collection[Showing]) -> dict[str, str]:
    """A kept value as people read it, by language."""
    return {each.locale: show_value(spec, value, each) for each in to}


def _column(table: FieldSpec, column: FieldSpec) -> Plain:
    formulas = in_order(table.columns)
    place = next((at for at, (spec, _) in enumerate(formulas) if spec.key == column.key), None)
    return {
        "key": column.key,
        **field_settings(column),
        "required": column.required,
        "default": column.default,
        **({} if place is None else {"formula": formulas[place][1].tree, "formula_order": place}),
    }


def is_stale(spec: FieldSpec, value: object, at: datetime) -> bool:
    """Whether a live value is older than its field allows."""
    if spec.lookup is None or not isinstance(value, Mapping):
        return False
    read_at = datetime.fromisoformat(str(value["as_of"]))
    return read_at + timedelta(seconds=spec.lookup.refresh_seconds) < at


def _left(
    when: When | None, facts: Mapping[str, object], changing: frozenset[str], *, otherwise: bool
) -> Mapping[str, object] | bool:
    if when is None or condition_problems(when.tree):
        return otherwise
    return remaining(when.tree, facts, changing)


def _rules_of(spec: FieldSpec, facts: Mapping[str, object], changing: frozenset[str]) -> Plain:
    rules: Plain = {}
    if (needed := _left(spec.required_when, facts, changing, otherwise=False)) is not False:
        rules["required_when"] = needed
    lit = [
        {"when": left, "style": behaviour.style.value}
        for behaviour in spec.behaviours
        if behaviour.style is not None
        and (left := _left(behaviour.when, facts, changing, otherwise=False)) is not False
    ]
    return {**rules, "behaviours": lit} if lit else rules


def _worked_out(
    definition: TemplateDefinition, entered: frozenset[str], readable: Collection[str] | None
) -> frozenset[str]:
    """The formulas whose result changes while somebody types, and may be worked out where they type."""
    changing = set(entered)
    for spec, formula in definition.formulas:
        may = readable is None or formula.fields <= frozenset(readable) | changing
        if may and formula.fields & changing:
            changing.add(spec.key)
    return frozenset(changing) - entered


def _with_formulas(
    definition: TemplateDefinition,
    drawn: list[Plain],
    worked_out: frozenset[str],
    values: Mapping[str, object],
) -> tuple[Plain, ...]:
    """The fields with their formulas, and in front of them, in the order of need, the helpers."""
    by_key = {field["key"]: field for field in drawn}
    aids: dict[str, Plain] = {}
    for spec, formula in definition.formulas:
        if spec.key not in worked_out:
            continue
        for key in sorted(formula.fields - by_key.keys() - aids.keys()):
            known = definition.field_by_key[key]
            aids[key] = {"key": key, "kind": known.kind.value, "known": values.get(key), "aid": True}
        field = by_key.get(spec.key)
        if field is None:
            field = aids.setdefault(spec.key, {"key": spec.key, "kind": spec.kind.value, "aid": True})
        field["formula"] = formula.tree
    order = {spec.key: at for at, (spec, _) in enumerate(definition.formulas)}
    for field in (*by_key.values(), *aids.values()):
        if "formula" in field:
            field["formula_order"] = order[field["key"]]
    return (*drawn, *aids.values())
