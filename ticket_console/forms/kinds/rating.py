"""A number of stars."""

from datetime import tzinfo
from typing import Any

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, bounds
from ticket_console.forms.kinds.reading import as_it_is, as_text, decimal_of, read_number, same_cell, whole

RATING_MAXIMUM = 5


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> int:
    number = decimal_of(raw)
    most = whole(spec.maximum, RATING_MAXIMUM)
    if number != number.to_integral_value() or not whole(spec.minimum, 1) <= number <= most:
        raise BadValue("field.not_a_rating", limit=most)
    return int(number)


def _schema(spec: FieldSpec) -> dict[str, Any]:
    return {
        "type": "integer",
        "minimum": whole(spec.minimum, 1),
        "maximum": whole(spec.maximum, RATING_MAXIMUM),
    }


KIND = Kind(
    kind=FieldKind.RATING,
    group=PaletteGroup.NUMBERS,
    icon="star",
    renderer="RatingInput",
    parse=_parse,
    schema=_schema,
    show=as_text,
    cell=same_cell,
    read=read_number,
    settings=bounds(Editor.WHOLE),
    converts={
        **dict.fromkeys(
            (FieldKind.TEXT, FieldKind.LONG_TEXT),
            as_text,
        ),
        FieldKind.NUMBER: as_it_is,
    },
)
