"""One of several options."""

from datetime import tzinfo
from typing import Any

from ticket_console.forms.fields import FieldKind, FieldSpec, Option
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Setting, Showing
from ticket_console.kernel.text import pick


def chosen(spec: FieldSpec, raw: object, zone: tzinfo | None = None) -> str:
    if isinstance(raw, str):
        for option in spec.options:
            if option.value == raw.strip():
                return option.value
    raise BadValue("field.not_an_option")


def choice_schema(spec: FieldSpec) -> dict[str, Any]:
    return {"type": "string", "enum": [option.value for option in spec.options]}


def option_text(spec: FieldSpec, value: str, to: Showing) -> str:
    """The label of an option; a value that is no option any more is shown as it is."""
    return next((_label(option, to) for option in spec.options if option.value == value), value)


def option_cell(spec: FieldSpec, value: str, to: Showing) -> str:
    """The label where it means this option and no other, else the value."""
    label = option_text(spec, value, to)
    return label if read_option(spec, label) == value else value


def read_option(spec: FieldSpec, text: str) -> str:
    """The option that is meant by its value or by its label in either language."""
    wanted = text.strip().casefold()
    by_value = [option.value for option in spec.options if option.value.casefold() == wanted]
    by_label = [
        option.value
        for option in spec.options
        if wanted in {label.strip().casefold() for label in option.label.values()}
    ]
    exact = [value for value in by_value if value == text.strip()]
    return next(iter((*exact, *by_value, *by_label)), text)


def _label(option: Option, to: Showing) -> str:
    return pick(option.label, to.locale) or option.value


def _read(spec: FieldSpec, text: str, zone: tzinfo | None) -> object:
    return read_option(spec, text)


def _alone(spec: FieldSpec, value: str, to: Showing) -> list[str]:
    return [value]


KIND = Kind(
    kind=FieldKind.CHOICE,
    group=PaletteGroup.CHOICE,
    icon="circle-dot",
    renderer="ChoiceInput",
    parse=chosen,
    schema=choice_schema,
    show=option_text,
    cell=option_cell,
    read=_read,
    settings=(Setting("options", Editor.OPTIONS),),
    converts={
        **dict.fromkeys(
            (FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.YES_NO),
            option_text,
        ),
        FieldKind.MULTI_CHOICE: _alone,
    },
)
