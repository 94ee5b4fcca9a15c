"""Text of several lines."""

from datetime import tzinfo

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import Editor, Kind, PaletteGroup, bounds
from ticket_console.forms.kinds.reading import (
    as_it_is,
    as_text,
    checked_text,
    same_cell,
    text_of,
    text_schema,
    whole,
)

LONG_TEXT_LIMIT = 10_000


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    text = text_of(raw, min(whole(spec.maximum, LONG_TEXT_LIMIT), LONG_TEXT_LIMIT))
    return checked_text(spec, text.replace("\r\n", "\n").replace("\r", "\n"))


KIND = Kind(
    kind=FieldKind.LONG_TEXT,
    group=PaletteGroup.TEXT,
    icon="text",
    renderer="LongText",
    parse=_parse,
    schema=text_schema(LONG_TEXT_LIMIT),
    show=as_text,
    cell=same_cell,
    settings=bounds(Editor.WHOLE),
    converts={FieldKind.TEXT: as_it_is},
)
