"""What a QR code or barcode says: a serial number, the number of a parcel."""

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
    kind=FieldKind.SCAN,
    group=PaletteGroup.TEXT,
    icon="scan-line",
    renderer="ScanInput",
    parse=line,
    schema=text_schema(TEXT_LIMIT),
    show=as_text,
    cell=same_cell,
    settings=(*bounds(Editor.WHOLE), Setting("pattern", Editor.PATTERN)),
    converts=dict.fromkeys(
        (FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.PART),
        as_it_is,
    ),
)
