"""GCJ-02 and back: known points, a round trip, and nothing outside China."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.kernel.datums import Datum, meant_by, shown_at
from ticket_console.kernel.geo import distance_km

METRE = 0.001


@pytest.mark.parametrize(
    ("ours", "shown"),
    [
        # As other implementations of the formula have them in their own tests.
        ((39.915, 116.404), (39.91640428150164, 116.41024449916938)),
        ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
        ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
        ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    ],
)
def test_a_place_in_china_is_drawn_beside_itself(
    ours: tuple[float, float], shown: tuple[float, float]
) -> None:
    found = shown_at(Datum.GCJ02, *ours)

    assert distance_km(*found, *shown) < METRE
    assert 0.3 < distance_km(*found, *ours) < 0.8


@given(lat=st.floats(18.5, 53), lon=st.floats(74, 134))
def test_there_and_back_is_less_than_a_metre(lat: float, lon: float) -> None:
    assert distance_km(*meant_by(Datum.GCJ02, *shown_at(Datum.GCJ02, lat, lon)), lat, lon) < METRE


@given(lat=st.floats(-90, 90), lon=st.floats(-180, 60))
def test_outside_china_nothing_is_moved(lat: float, lon: float) -> None:
    assert shown_at(Datum.GCJ02, lat, lon) == (lat, lon) == meant_by(Datum.GCJ02, lat, lon)


@given(lat=st.floats(-90, 90), lon=st.floats(-180, 180))
def test_a_map_in_wgs84_takes_places_as_they_are(lat: float, lon: float) -> None:
    assert shown_at(Datum.WGS84, lat, lon) == (lat, lon) == meant_by(Datum.WGS84, lat, lon)
