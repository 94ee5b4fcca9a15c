"""Files, kept by the numbers of the ticket's attachments."""

from ticket_console.forms.fields import FieldKind
from ticket_console.forms.kinds.kind import Editor, Kind, PaletteGroup, Setting, bounds
from ticket_console.forms.kinds.reading import (
    as_it_is,
    files_of,
    files_schema,
    json_cell,
    names_of_files,
    read_json,
)

KIND = Kind(
    kind=FieldKind.FILE,
    group=PaletteGroup.FILES,
    icon="paperclip",
    renderer="FileInput",
    parse=files_of,
    schema=files_schema,
    show=names_of_files(FieldKind.FILE),
    cell=json_cell,
    read=read_json,
    settings=(*bounds(Editor.WHOLE), Setting("accepts", Editor.ACCEPTS)),
    converts={FieldKind.PHOTO: as_it_is},
    has_default=False,
)
