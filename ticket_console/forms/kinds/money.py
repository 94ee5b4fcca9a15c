"""An amount in the organisation's currency, kept as decimal text with two places ("1200.00")."""

from datetime import tzinfo
from decimal import Decimal

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Showing, bounds
from ticket_console.forms.kinds.reading import as_it_is, decimal_of, number_schema, read_number, within


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    amount = decimal_of(raw)
    within(spec, amount)
    cents = amount.scaleb(2)
    if cents != cents.to_integral_value():
        raise BadValue("field.too_many_decimals", limit=2)
    return format(abs(amount) if amount == 0 else amount, ".2f")


def minor_units(value: str) -> int:
    """The cents of a kept amount."""
    return int(Decimal(value).scaleb(2))


def _show(spec: FieldSpec, value: str, to: Showing) -> str:
    return format(Decimal(value), ",.2f")


def _cell(spec: FieldSpec, value: str, to: Showing) -> Decimal:
    return Decimal(value)


KIND = Kind(
    kind=FieldKind.MONEY,
    group=PaletteGroup.NUMBERS,
    icon="coins",
    renderer="NumberInput",
    parse=_parse,
    schema=number_schema,
    show=_show,
    cell=_cell,
    read=read_number,
    settings=bounds(Editor.NUMBER),
    converts=dict.fromkeys(
        (FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.NUMBER),
        as_it_is,
    ),
)
