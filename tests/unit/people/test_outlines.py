"""Points within an outline, and on its edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.people.territories import Area, area_of, holds

WEST = [[0, 0], [2, 0], [2, 2], [0, 2]]
EAST = [[2, 0], [4, 0], [4, 2], [2, 2]]
HOOK = [[0, 0], [3, 0], [3, 1], [1, 1], [1, 2], [3, 2], [3, 3], [0, 3]]


def area(outline: list[list[float]]) -> Area:
    return area_of(1, 1, outline)


@pytest.mark.parametrize(
    ("lon", "lat", "within"),
    [(1, 1, True), (0, 0, True), (0, 1, True), (1, 0, True), (2, 1, False), (1, 2, False), (5, 1, False)],
)
def test_west_and_south_edges_belong_to_an_outline_east_and_north_ones_do_not(
    lon: float, lat: float, within: bool
) -> None:  # DSP-11
    assert holds(area(WEST), lat=lat, lon=lon) is within


@pytest.mark.parametrize(
    ("lon", "lat", "within"), [(0.5, 1.5, True), (2, 1.5, False), (2, 0.5, True), (2, 2.5, True)]
)
def test_a_bay_in_an_outline_is_outside(lon: float, lat: float, within: bool) -> None:
    assert holds(area(HOOK), lat=lat, lon=lon) is within


def test_it_does_not_matter_where_an_outline_begins_or_which_way_it_runs() -> None:
    for outline in (WEST, [*WEST, WEST[0]], WEST[::-1], WEST[2:] + WEST[:2]):
        assert holds(area(outline), lat=1, lon=1)
        assert area(outline).extent == 4


@given(st.floats(0, 3.99), st.floats(0, 1.99))
def test_of_two_neighbours_exactly_one_has_a_place(lon: float, lat: float) -> None:
    assert [holds(area(WEST), lat=lat, lon=lon), holds(area(EAST), lat=lat, lon=lon)].count(True) == 1
