"""What was used up: lines of a part and a quantity, each part once."""

from datetime import tzinfo
from decimal import Decimal
from typing import Any

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Editor, Kind, PaletteGroup, Showing, bounds
from ticket_console.forms.kinds.part import SKU_LIMIT
from ticket_console.forms.kinds.reading import (
    count_within,
    decimal_of,
    json_cell,
    members,
    plain_number,
    read_json,
    text_of,
    whole,
)

MAX_PARTS = 100


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> list[dict[str, str]]:
    """What was entered for one part in several lines is added up."""
    listed = members(raw)
    count_within(spec, len(listed), MAX_PARTS)
    lines: dict[str, Decimal] = {}
    for line in listed:
        if not isinstance(line, dict) or line.keys() != {"sku", "qty"}:
            raise BadValue("field.bad_part")
        sku, quantity = text_of(line["sku"], SKU_LIMIT), decimal_of(line["qty"])
        if not sku or quantity <= 0:
            raise BadValue("field.bad_part")
        lines[sku] = lines.get(sku, Decimal(0)) + quantity
    return [{"sku": sku, "qty": plain_number(quantity)} for sku, quantity in lines.items()]


def _schema(spec: FieldSpec) -> dict[str, Any]:
    line = {
        "type": "object",
        "required": ["sku", "qty"],
        "additionalProperties": False,
        "properties": {
            "sku": {"type": "string", "maxLength": SKU_LIMIT},
            "qty": {"type": ["number", "string"]},
        },
    }
    return {"type": "array", "maxItems": whole(spec.maximum, MAX_PARTS), "items": line}


def _show(spec: FieldSpec, value: list[dict[str, str]], to: Showing) -> str:
    names = to.names.get(FieldKind.PART, {})
    return ", ".join(f"{names.get(line['sku'], line['sku'])} × {line['qty']}" for line in value)


KIND = Kind(
    kind=FieldKind.PARTS,
    group=PaletteGroup.RECORDS,
    icon="package",
    renderer="PartsInput",
    parse=_parse,
    schema=_schema,
    show=_show,
    cell=json_cell,
    read=read_json,
    settings=bounds(Editor.WHOLE),
)
