"""A point on the map, with the address it was found by."""

from datetime import tzinfo
from typing import Any

from ticket_console.forms.fields import FieldKind, FieldSpec
from ticket_console.forms.kinds.kind import BadValue, Kind, PaletteGroup, Showing
from ticket_console.forms.kinds.reading import as_it_is, decimal_of, fixed, json_cell, read_json, text_of

ADDRESS_LIMIT = 300


def point_of(raw: dict[str, Any], code: str) -> dict[str, object]:
    lat, lon = decimal_of(raw["lat"]), decimal_of(raw["lon"])
    if not -90 <= lat <= 90 or not -180 <= lon <= 180:
        raise BadValue(code)
    return {"lat": round(float(lat), 6), "lon": round(float(lon), 6)}


def _parse(spec: FieldSpec, raw: object, zone: tzinfo | None) -> dict[str, object]:
    if not isinstance(raw, dict) or not {"lat", "lon"} <= raw.keys() <= {"lat", "lon", "address"}:
        raise BadValue("field.bad_location")
    place = point_of(raw, "field.bad_location")
    address = text_of(raw.get("address") or "", ADDRESS_LIMIT)
    return {**place, "address": address} if address else place


def _show(spec: FieldSpec, value: dict[str, Any], to: Showing) -> str:
    point = f"{value['lat']}, {value['lon']}"
    return f"{value['address']} ({point})" if value.get("address") else point


KIND = Kind(
    kind=FieldKind.LOCATION,
    group=PaletteGroup.PLACES,
    icon="map-pin",
    renderer="LocationInput",
    parse=_parse,
    schema=fixed(
        {
            "type": "object",
            "required": ["lat", "lon"],
            "additionalProperties": False,
            "properties": {
                "lat": {"type": "number", "minimum": -90, "maximum": 90},
                "lon": {"type": "number", "minimum": -180, "maximum": 180},
                "address": {"type": "string", "maxLength": ADDRESS_LIMIT},
            },
        }
    ),
    show=_show,
    cell=json_cell,
    read=read_json,
    converts={FieldKind.ADDRESS: as_it_is},
)
