"""A phone number, kept as it is dialled."""

import re
from datetime import tzinfo

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Setting, bounds
from ticket_console.forms.kinds.reading import as_it_is, as_text, checked_text, fixed, same_cell, text_of

_PHONE = re.compile(r"\+?[0-9]{5,15}(x[0-9]{1,6})?")
_FILLING = re.compile(r"[\s().\-\u2010-\u2015]")
_MEASURED = re.compile(r"\d+\.0+|\d(\.\d+)?[eE]\+?\d+")


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> str:
    number = _FILLING.sub("", text_of(raw, 60))
    if not _PHONE.fullmatch(number):
        raise BadValue("field.bad_phone")
    return checked_text(spec, number)


def phone_text(text: str) -> str:
    """A phone number that a spreadsheet took for a measurement: 13800000001.0, 1.3800000001E10."""
    if not _MEASURED.fullmatch(text):
        return text
    number = float(text)
    return str(int(number)) if number.is_integer() and number < 10**15 else text


def _read(spec: FieldSpec, text: str, zone: tzinfo | None) -> object:
    return phone_text(text)


KIND = Kind(
    kind=FieldKind.PHONE,
    group=PaletteGroup.RECORDS,
    icon="phone",
    renderer="PhoneInput",
    parse=_parse,
    schema=fixed({"type": "string", "maxLength": 60}),
    show=as_text,
    cell=same_cell,
    read=_read,
    settings=(*bounds(Editor.WHOLE), Setting("pattern", Editor.PATTERN)),
    converts=dict.fromkeys(
        (FieldKind.TEXT, FieldKind.LONG_TEXT),
        as_it_is,
    ),
)
