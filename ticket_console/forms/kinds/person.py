"""Somebody who works here, kept by the number of their account."""

from datetime import tzinfo

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import Kind, PaletteGroup
from ticket_console.forms.kinds.reading import fixed, named, row_id, same_cell


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> int:
    return row_id(raw, "field.not_a_record")


KIND = Kind(
    kind=FieldKind.PERSON,
    group=PaletteGroup.RECORDS,
    icon="user-round",
    renderer="RecordInput",
    parse=_parse,
    schema=fixed({"type": "integer", "minimum": 1}),
    show=named(FieldKind.PERSON),
    cell=same_cell,
    has_default=False,
)
