"""A drawn signature, kept by the number of the attachment it is."""

from datetime import tzinfo

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import Kind, PaletteGroup
from ticket_console.forms.kinds.reading import attachment_id, fixed, named, read_json, same_cell


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> int:
    return attachment_id(raw)


KIND = Kind(
    kind=FieldKind.SIGNATURE,
    group=PaletteGroup.FILES,
    icon="signature",
    renderer="SignatureInput",
    parse=_parse,
    schema=fixed({"type": "integer", "minimum": 1}),
    show=named(FieldKind.SIGNATURE),
    cell=same_cell,
    read=read_json,
    has_default=False,
)
