"""One part of the catalogue, kept by its number."""

from datetime import tzinfo

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import Kind, PaletteGroup, Showing
from ticket_console.forms.kinds.reading import as_it_is, fixed, line_of, same_cell

SKU_LIMIT = 64


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    return line_of(raw, SKU_LIMIT)


def _show(spec: FieldSpec, value: str, to: Showing) -> str:
    name = to.names.get(FieldKind.PART, {}).get(value)
    return f"{name} ({value})" if name else value


KIND = Kind(
    kind=FieldKind.PART,
    group=PaletteGroup.RECORDS,
    icon="cog",
    renderer="RecordInput",
    parse=_parse,
    schema=fixed({"type": "string", "maxLength": SKU_LIMIT}),
    show=_show,
    cell=same_cell,
    converts=dict.fromkeys(
        (FieldKind.TEXT, FieldKind.LONG_TEXT),
        as_it_is,
    ),
)
