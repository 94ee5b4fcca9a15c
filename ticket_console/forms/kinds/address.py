"""A postal address in one line or as its parts, with its point on the map where it is known."""

from datetime import tzinfo
from typing import Any, Final

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Kind, PaletteGroup, Showing
from ticket_console.forms.kinds.location import point_of
from ticket_console.forms.kinds.reading import json_cell, line_of, read_json

_LIMITS: Final = {"street": 200, "district": 80, "city": 80, "province": 80, "postcode": 16}


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> dict[str, object]:
    """Text alone is the street; a place found on the map comes with `address` in its stead."""
    if isinstance(raw, str):
        raw = {"street": raw}
    if not isinstance(raw, dict) or not raw.keys() <= {*_LIMITS, "lat", "lon", "address"}:
        raise BadValue("field.bad_address")
    given = {**raw, "street": raw.get("street") or raw.get("address")}
    kept = {part: line_of(given.get(part) or "", limit) for part, limit in _LIMITS.items()}
    address: dict[str, object] = {part: text for part, text in kept.items() if text}
    if not address:
        raise BadValue("field.bad_address")
    lat, lon = raw.get("lat"), raw.get("lon")
    if (lat is None) != (lon is None):
        raise BadValue("field.bad_address")
    return address if lat is None else {**address, **point_of(raw, "field.bad_address")}


def _schema(spec: FieldSpec) -> dict[str, Any]:
    parts = {part: {"type": "string", "maxLength": limit} for part, limit in _LIMITS.items()}
    return {
        "type": ["string", "object"],
        "maxLength": _LIMITS["street"],
        "additionalProperties": False,
        "properties": {
            **parts,
            "lat": {"type": "number", "minimum": -90, "maximum": 90},
            "lon": {"type": "number", "minimum": -180, "maximum": 180},
        },
    }


def _show(spec: FieldSpec, value: dict[str, Any], to: Showing) -> str:
    """The largest place first in Chinese, last in English."""
    parts = ("province", "city", "district", "street") if to.locale == "zh" else tuple(_LIMITS)
    listed = [str(value[part]) for part in parts if value.get(part)]
    if to.locale == "zh" and value.get("postcode"):
        listed.append(f" {value['postcode']}")
    return ("" if to.locale == "zh" else ", ").join(listed)


KIND = Kind(
    kind=FieldKind.ADDRESS,
    group=PaletteGroup.PLACES,
    icon="map",
    renderer="AddressInput",
    parse=_parse,
    schema=_schema,
    show=_show,
    cell=json_cell,
    read=read_json,
    converts=dict.fromkeys(
        (FieldKind.TEXT, FieldKind.LONG_TEXT),
        _show,
    ),
)
