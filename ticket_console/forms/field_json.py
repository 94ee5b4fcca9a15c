"""The JSON form of a field, both ways."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ticket_console.forms.fields import (
    Behaviour,
    ChecklistItem,
    Colour,
    FieldKind,
    FieldNotice,
    FieldSpec,
    FieldState,
    Highlight,
    LookupSource,
    Option,
    RateBinding,
    Sensitivity,
    When,
    Width,
)
from ticket_console.forms.json_form import JsonForm
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.conditions import without_editor_keys

DATED = frozenset({FieldKind.DATE, FieldKind.DATETIME})

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
LabelText = dict[Annotated[str, Field(pattern="^(zh|en)$")], Annotated[str, Field(max_length=300)]]
Bound = int | float | Annotated[str, Field(max_length=40)]
Tree = dict[str, Any]


def _instant(text: str) -> str:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant must carry its zone")
    return instant_text(at)


Instant = Annotated[str, Field(max_length=40), AfterValidator(_instant)]


class _RatesForm(JsonForm):
    rule_set: Annotated[str, Field(min_length=1, max_length=64)]
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class _OptionForm(JsonForm):
    value: Annotated[str, Field(min_length=1, max_length=100)]
    label: LabelText = Field(default_factory=dict)
    colour: Annotated[Colour | None, Field(strict=False)] = None
    rates: _RatesForm | None = None


class _ItemForm(JsonForm):
    key: Key
    text: LabelText


class _LookupForm(JsonForm):
    url: Annotated[str, Field(max_length=1000)]
    path: Annotated[str, Field(max_length=200)] = ""
    refresh_seconds: Annotated[int, Field(ge=10, le=31_536_000)] = 900


class _NoticeForm(JsonForm):
    to: Annotated[str, Field(max_length=64)]
    channel: Annotated[str, Field(max_length=32)]
    text: LabelText


class _BehaviourForm(JsonForm):
    when: Tree
    style: Annotated[Highlight | None, Field(strict=False)] = None
    notify: _NoticeForm | None = None


class _PlainFieldForm(JsonForm):
    """What a column of a table has in common with a field."""

    key: Key
    kind: Annotated[FieldKind, Field(strict=False)]
    label: LabelText
    required: bool = False
    help: LabelText = Field(default_factory=dict)
    options: list[_OptionForm] = Field(default_factory=list, max_length=500)
    default: Any = None
    pattern: str | None = None
    min: Bound | None = None
    max: Bound | None = None
    unit: Annotated[str, Field(max_length=20)] = ""
    formula: Annotated[str | None, Field(max_length=1000)] = None


class FieldForm(_PlainFieldForm):
    at_opening: bool = True
    sensitivity: Annotated[Sensitivity, Field(strict=False)] = Sensitivity.PUBLIC
    width: Annotated[Width | None, Field(strict=False)] = None
    state: Annotated[FieldState, Field(strict=False)] = FieldState.ACTIVE
    starts: Instant | None = Field(default=None, alias="from")
    until: Instant | None = None
    visible_when: Tree | None = None
    required_when: Tree | None = None
    behaviours: list[_BehaviourForm] = Field(default_factory=list, max_length=20)
    columns: list[_PlainFieldForm] = Field(default_factory=list, max_length=20)
    items: list[_ItemForm] = Field(default_factory=list, max_length=200)
    lookup: _LookupForm | None = None
    accepts: list[Annotated[str, Field(pattern=r"^(\.[a-z0-9]{1,10}|[a-z]+/[a-z0-9.+*-]+)$")]] = Field(
        default_factory=list, max_length=20
    )
    converts: Key | None = None
    locks: bool = False


def field_of(form: FieldForm) -> FieldSpec:
    return FieldSpec(
        **_common(form),
        at_opening=form.at_opening,
        sensitivity=form.sensitivity,
        width=form.width,
        state=form.state,
        starts=None if form.starts is None else datetime.fromisoformat(form.starts),
        ends=None if form.until is None else datetime.fromisoformat(form.until),
        visible_when=when_of(form.visible_when),
        required_when=when_of(form.required_when),
        behaviours=tuple(_behaviour(each) for each in form.behaviours),
        columns=tuple(FieldSpec(**_common(each)) for each in form.columns),
        items=tuple(ChecklistItem(each.key, each.text) for each in form.items),
        lookup=None
        if form.lookup is None
        else LookupSource(form.lookup.url, form.lookup.path, form.lookup.refresh_seconds),
        accepts=tuple(form.accepts),
        converts=form.converts,
        locks=form.locks,
    )


def _common(form: _PlainFieldForm) -> dict[str, Any]:
    return {
        "key": form.key,
        "kind": form.kind,
        "label": form.label,
        "required": form.required,
        "help": form.help,
        "options": tuple(_option(each) for each in form.options),
        "default": form.default,
        "pattern": form.pattern,
        "minimum": _bound(form.kind, form.min),
        "maximum": _bound(form.kind, form.max),
        "unit": form.unit,
        "formula": form.formula,
    }


def _option(form: _OptionForm) -> Option:
    bound = form.rates
    rates = None if bound is None else RateBinding(bound.rule_set, bound.version)
    return Option(form.value, form.label, form.colour, rates)


def _bound(kind: FieldKind, bound: Bound | None) -> Decimal | str | None:
    if bound is None or (kind in DATED and isinstance(bound, str)):
        return bound
    try:
        number = Decimal(bound if isinstance(bound, str) else repr(bound))
    except InvalidOperation:
        return str(bound)
    return number if number.is_finite() else str(bound)


def when_of(tree: Tree | None) -> When | None:
    if tree is None:
        return None
    plain = without_editor_keys(tree)
    return When(plain if isinstance(plain, dict) else tree)


def _behaviour(form: _BehaviourForm) -> Behaviour:
    told = form.notify
    return Behaviour(
        when=when_of(form.when) or When({}),
        style=form.style,
        notify=None if told is None else FieldNotice(told.to, told.channel, told.text),
    )


def form_of(spec: FieldSpec) -> FieldForm:
    """The form that `field_of` reads back equal."""
    return FieldForm.model_construct(
        **_plain_form(spec),
        at_opening=spec.at_opening,
        sensitivity=spec.sensitivity,
        width=spec.width,
        state=spec.state,
        starts=None if spec.starts is None else instant_text(spec.starts),
        until=None if spec.ends is None else instant_text(spec.ends),
        visible_when=tree_of(spec.visible_when),
        required_when=tree_of(spec.required_when),
        behaviours=[_behaviour_form(each) for each in spec.behaviours],
        columns=[_PlainFieldForm.model_construct(**_plain_form(each)) for each in spec.columns],
        items=[_ItemForm.model_construct(key=each.key, text=each.text) for each in spec.items],
        lookup=None
        if spec.lookup is None
        else _LookupForm.model_construct(
            url=spec.lookup.url, path=spec.lookup.path, refresh_seconds=spec.lookup.refresh_seconds
        ),
        accepts=list(spec.accepts),
        converts=spec.converts,
        locks=spec.locks,
    )


def _plain_form(spec: FieldSpec) -> dict[str, Any]:
    return {
        "key": spec.key,
        "kind": spec.kind,
        "label": spec.label,
        "required": spec.required,
        "help": spec.help,
        "options": [_option_form(each) for each in spec.options],
        "default": spec.default,
        "pattern": spec.pattern,
        "min": None if spec.minimum is None else str(spec.minimum),
        "max": None if spec.maximum is None else str(spec.maximum),
        "unit": spec.unit,
        "formula": spec.formula,
    }


def _option_form(option: Option) -> _OptionForm:
    bound = option.rates
    return _OptionForm.model_construct(
        value=option.value,
        label=option.label,
        colour=option.colour,
        rates=None
        if bound is None
        else _RatesForm.model_construct(rule_set=bound.rule_set, version=bound.version),
    )


def tree_of(when: When | None) -> Tree | None:
    return None if when is None else dict(when.tree)


def _behaviour_form(behaviour: Behaviour) -> _BehaviourForm:
    told = behaviour.notify
    return _BehaviourForm.model_construct(
        when=dict(behaviour.when.tree),
        style=behaviour.style,
        notify=None
        if told is None
        else _NoticeForm.model_construct(to=told.to, channel=told.channel, text=told.text),
    )
