"""Any number of several options, kept in the order of the options."""

import re
from datetime import tzinfo
from typing import Any

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.choice import choice_schema, chosen, option_cell, option_text, read_option
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Setting, Showing, bounds
from ticket_console.forms.kinds.reading import count_within, json_cell, members, read_json

_LISTED = re.compile(r"[;,|；，、\n]+")


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> list[str]:
    found = {chosen(spec, each) for each in members(raw)}
    count_within(spec, len(found), len(spec.options))
    return [option.value for option in spec.options if option.value in found]


def _schema(spec: FieldSpec) -> dict[str, Any]:
    return {"type": "array", "uniqueItems": True, "items": choice_schema(spec)}


def _show(spec: FieldSpec, value: list[str], to: Showing) -> str:
    return ", ".join(option_text(spec, each, to) for each in value)


def _cell(spec: FieldSpec, value: list[str], to: Showing) -> str:
    cells = [option_cell(spec, each, to) for each in value]
    # A label may hold what separates labels.
    return "; ".join(cells) if not any(_LISTED.search(each) for each in cells) else json_cell(spec, value, to)


def _read(spec: FieldSpec, text: str, zone: tzinfo | None) -> object:
    if isinstance(listed := read_json(spec, text, zone), list):
        return listed
    return [read_option(spec, part.strip()) for part in _LISTED.split(text) if part.strip()]


def _only(spec: FieldSpec, value: list[str], to: Showing) -> str:
    """Of several there is no one that could be kept."""
    if len(value) != 1:
        raise BadValue("field.too_many", limit=1)
    return value[0]


KIND = Kind(
    kind=FieldKind.MULTI_CHOICE,
    group=PaletteGroup.CHOICE,
    icon="list-checks",
    renderer="MultiChoiceInput",
    parse=_parse,
    schema=_schema,
    show=_show,
    cell=_cell,
    read=_read,
    settings=(Setting("options", Editor.OPTIONS), *bounds(Editor.WHOLE)),
    converts={
        **dict.fromkeys(
            (FieldKind.TEXT, FieldKind.LONG_TEXT),
            _show,
        ),
        FieldKind.CHOICE: _only,
    },
)
