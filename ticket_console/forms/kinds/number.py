"""A number, kept as decimal text ("12.5"), never as a float."""

from datetime import tzinfo
from decimal import Decimal

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import Editor, Kind, PaletteGroup, Setting, Showing, bounds
from ticket_console.forms.kinds.reading import (
    as_it_is,
    decimal_of,
    number_schema,
    plain_number,
    read_number,
    with_unit,
    within,
)


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    number = decimal_of(raw)
    within(spec, number)
    return plain_number(number)


def _cell(spec: FieldSpec, value: str, to: Showing) -> Decimal:
    return Decimal(value)


def _show(spec: FieldSpec, value: str, to: Showing) -> str:
    return with_unit(spec, value)


KIND = Kind(
    kind=FieldKind.NUMBER,
    group=PaletteGroup.NUMBERS,
    icon="hash",
    renderer="NumberInput",
    parse=_parse,
    schema=number_schema,
    show=_show,
    cell=_cell,
    read=read_number,
    settings=(*bounds(Editor.NUMBER), Setting("unit", Editor.TEXT)),
    converts=dict.fromkeys(
        (FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.MONEY, FieldKind.DURATION, FieldKind.RATING),
        as_it_is,
    ),
)
