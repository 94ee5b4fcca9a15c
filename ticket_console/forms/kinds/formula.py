"""A number that follows from other fields. Nobody enters it: `forms.filling` works it out."""

from datetime import tzinfo
from decimal import Decimal
from typing import Any

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import Editor, Kind, PaletteGroup, Setting, Showing
from ticket_console.forms.kinds.reading import as_it_is, decimal_of, plain_number, read_number, with_unit


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    return plain_number(decimal_of(raw))


def _show(spec: FieldSpec, value: str, to: Showing) -> str:
    return with_unit(spec, value)


def _cell(spec: FieldSpec, value: str, to: Showing) -> Decimal:
    return Decimal(value)


def _schema(spec: FieldSpec) -> dict[str, Any]:
    return {"type": "string", "readOnly": True}


KIND = Kind(
    kind=FieldKind.FORMULA,
    group=PaletteGroup.LIVE,
    icon="square-function",
    renderer="FormulaValue",
    parse=_parse,
    schema=_schema,
    show=_show,
    cell=_cell,
    read=read_number,
    settings=(Setting("formula", Editor.FORMULA), Setting("unit", Editor.TEXT)),
    converts=dict.fromkeys(
        (FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.NUMBER),
        as_it_is,
    ),
    is_entered=False,
    has_default=False,
)
