"""A drawn signature, kept as the strokes it was drawn with on a sheet of 1000 x 400."""

import re
from datetime import tzinfo
from typing import Final

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Kind, PaletteGroup, Showing
from ticket_console.forms.kinds.reading import fixed, same_cell, text_of
from ticket_console.i18n import translate

# What a cell of a spreadsheet can hold.
LENGTH_LIMIT: Final = 30_000
# Path data of moves and lines only: it is drawn again on other people's screens.
_STROKES: Final = r"^M[\d. ]+(?:[ML][\d. ]+)*$"


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    strokes = text_of(raw, LENGTH_LIMIT)
    if not re.fullmatch(_STROKES, strokes):
        raise BadValue("field.not_a_signature")
    return strokes


def _show(spec: FieldSpec, value: str, to: Showing) -> str:
    return translate("kind.signature.signed", to.locale)


KIND = Kind(
    kind=FieldKind.SIGNATURE,
    group=PaletteGroup.FILES,
    icon="signature",
    renderer="SignatureInput",
    parse=_parse,
    schema=fixed({"type": "string", "maxLength": LENGTH_LIMIT, "pattern": _STROKES}),
    show=_show,
    cell=same_cell,
    has_default=False,
)
