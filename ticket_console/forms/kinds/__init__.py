"""The kinds of field, one module each, and what can be done with a value of any of them.

A value is plain JSON. Numbers and amounts are kept as decimal text ("12.5", "1200.00"), never as floats;
instants as UTC text. Text is only text: markup in it is kept as written and is the business of whoever
shows it. See docs/adding-a-field-kind.md.
"""

from datetime import tzinfo
from typing import Any, Final

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds import (
    address,
    asset,
    checklist,
    choice,
    customer,
    date,
    duration,
    file,
    formula,
    heading,
    location,
    long_text,
    lookup,
    moment,
    money,
    multi_choice,
    number,
    part,
    parts,
    person,
    phone,
    photo,
    rating,
    scan,
    signature,
    table,
    text,
    yes_no,
)
from ticket_console.forms.kinds.column_kinds import COLUMN_KINDS
from ticket_console.forms.kinds.kind import BadValue, Cell, Kind, Showing
from ticket_console.forms.kinds.money import minor_units

__all__ = [
    "COLUMN_KINDS",
    "KINDS",
    "BadValue",
    "Cell",
    "Kind",
    "Showing",
    "cell_of",
    "convert",
    "minor_units",
    "parse_value",
    "read_cell",
    "schema_of",
    "show_value",
]

# In the order of the palette.
KINDS: Final[dict[FieldKind, Kind]] = {
    kind.kind: kind
    for kind in (
        text.KIND,
        long_text.KIND,
        scan.KIND,
        number.KIND,
        money.KIND,
        rating.KIND,
        date.KIND,
        moment.KIND,
        duration.KIND,
        choice.KIND,
        multi_choice.KIND,
        yes_no.KIND,
        checklist.KIND,
        person.KIND,
        customer.KIND,
        phone.KIND,
        asset.KIND,
        part.KIND,
        parts.KIND,
        location.KIND,
        address.KIND,
        photo.KIND,
        file.KIND,
        signature.KIND,
        lookup.KIND,
        formula.KIND,
        table.KIND,
        heading.KIND,
    )
}


def parse_value(spec: FieldSpec, raw: object, zone: tzinfo | None = None) -> Any:
    """The value of a field; raises `BadValue`. A blank (null, empty or white text, empty list) is `None`."""
    if raw is None or (isinstance(raw, str) and not raw.strip()) or raw in ([], ()):
        return None
    value = KINDS[spec.kind].parse(spec, raw, zone)
    return None if value == [] else value


def schema_of(spec: FieldSpec) -> dict[str, Any]:
    """The JSON schema of what may be entered."""
    schema = KINDS[spec.kind].schema(spec)
    title = spec.label.get("en") or spec.label.get("zh")
    return {**schema, "title": title} if title else schema


def show_value(spec: FieldSpec, value: object, to: Showing) -> str:
    """A kept value as people read it in a list or an export."""
    return "" if value is None else KINDS[spec.kind].show(spec, value, to)


def cell_of(spec: FieldSpec, value: object, to: Showing) -> Cell:
    """A kept value as the typed cell of a table; its text is read back by `read_cell`."""
    return None if value is None else KINDS[spec.kind].cell(spec, value, to)


def read_cell(spec: FieldSpec, written: str, zone: tzinfo | None = None) -> object:
    """What `parse_value` takes, of the text of a cell; what cannot be read stays the text it is."""
    return KINDS[spec.kind].read(spec, written, zone)


def convert(source: FieldSpec, target: FieldSpec, value: object, to: Showing) -> Any:
    """The value of one field as the value of another, of a kind that its own may become.

    Raises `BadValue` for a value that the other field does not take, and for kinds with no conversion.
    """
    if value is None:
        return None
    handed = value
    if target.kind is not source.kind:
        conversion = KINDS[source.kind].converts.get(target.kind)
        if conversion is None:
            raise BadValue("field.no_conversion", kind=target.kind.value)
        handed = conversion(source, value, to)
        if isinstance(handed, str):
            handed = read_cell(target, handed, to.zone)
    return parse_value(target, handed, to.zone)
