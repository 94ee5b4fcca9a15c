"""Coordinates as a map draws them: WGS84, as devices and our tables have them, or GCJ-02.

Maps published in China are drawn in GCJ-02, which lies some hundred metres beside WGS84 there and equals it
elsewhere. Only what is handed to such a map is converted, and what it says in return is converted back.
"""

from enum import StrEnum
from typing import Final

import coordTransform

_ROUNDS: Final = 4


class Datum(StrEnum):
    WGS84 = "wgs84"
    GCJ02 = "gcj02"


def shown_at(datum: Datum, lat: float, lon: float) -> tuple[float, float]:
    """`(lat, lon)` of a place of ours on a map of that datum."""
    if datum is Datum.WGS84:
        return lat, lon
    shown_lon, shown_lat = coordTransform.wgs84_to_gcj02(lon, lat)
    return shown_lat, shown_lon


def meant_by(datum: Datum, lat: float, lon: float) -> tuple[float, float]:
    """`(lat, lon)` of ours for a place on a map of that datum, to the millimetre.

    The library's own way back takes the shift where the place seems to be for the one where it is, and
    is metres off at the edges; looked up once more each time, that becomes nothing.
    """
    if datum is Datum.WGS84:
        return lat, lon
    own_lat, own_lon = lat, lon
    for _ in range(_ROUNDS):
        back_lat, back_lon = shown_at(datum, own_lat, own_lon)
        own_lat, own_lon = own_lat - (back_lat - lat), own_lon - (back_lon - lon)
    return own_lat, own_lon
