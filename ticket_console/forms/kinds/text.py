"""A line of text."""

from ticket_console.forms.fields import FieldKind
from ticket_console.forms.kinds.kind import Editor, Kind, PaletteGroup, Setting, bounds
from ticket_console.forms.kinds.reading import (
    TEXT_LIMIT,
    as_it_is,
    as_text,
    line,
    same_cell,
    text_schema,
)

KIND = Kind(
    kind=FieldKind.TEXT,
    group=PaletteGroup.TEXT,
    icon="type",
    renderer="TextInput",
    parse=line,
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
