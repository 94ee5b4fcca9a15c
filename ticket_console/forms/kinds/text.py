"""A line of text."""

from datetime import tzinfo

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import Editor, Kind, PaletteGroup, Setting, bounds
from ticket_console.forms.kinds.reading import (
    TEXT_LIMIT,
    as_it_is,
    as_text,
    checked_text,
    line_of,
    same_cell,
    text_schema,
    whole,
)


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    return checked_text(spec, line_of(raw, min(whole(spec.maximum, TEXT_LIMIT), TEXT_LIMIT)))


KIND = Kind(
    kind=FieldKind.TEXT,
    group=PaletteGroup.TEXT,
    icon="type",
    renderer="TextInput",
    parse=_parse,
    schema=text_schema(TEXT_LIMIT),
    show=as_text,
    cell=same_cell,
    settings=(*bounds(Editor.WHOLE), Setting("pattern", Editor.PATTERN)),
    converts=dict.fromkeys(
        (
            FieldKind.LONG_TEXT,
            FieldKind.NUMBER,
            FieldKind.MONEY,
            FieldKind.DATE,
            FieldKind.DATETIME,
            FieldKind.DURATION,
            FieldKind.CHOICE,
            FieldKind.YES_NO,
            FieldKind.RATING,
            FieldKind.PHONE,
            FieldKind.PART,
            FieldKind.ADDRESS,
            FieldKind.SCAN,
        ),
        as_it_is,
    ),
)
