"""Words between the fields; it has no value."""

from datetime import tzinfo

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Kind, PaletteGroup
from ticket_console.forms.kinds.reading import as_text, fixed, same_cell


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> object:
    raise BadValue("field.not_entered")


KIND = Kind(
    kind=FieldKind.HEADING,
    group=PaletteGroup.LAYOUT,
    icon="heading",
    renderer="Heading",
    parse=_parse,
    schema=fixed({"type": "null", "readOnly": True}),
    show=as_text,
    cell=same_cell,
    is_entered=False,
    has_default=False,
)
