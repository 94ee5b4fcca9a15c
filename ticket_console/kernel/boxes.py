"""Windows of the world: a box between two corners, as an address gives it."""

from dataclasses import dataclass
from math import isfinite

from ticket_console.kernel.errors import FieldProblem, InvalidInput


@dataclass(frozen=True, slots=True)
class Box:
    """The places from `south` to `north` and from `west` to `east`, edges included, in degrees."""

    west: float
    south: float
    east: float
    north: float

    def holds(self, lat: float, lon: float) -> bool:
        return self.south <= lat <= self.north and self.west <= lon <= self.east

    def widened(self, by: float) -> "Box":
        """The box with a margin of so many degrees, within the world."""
        return Box(
            max(-180.0, self.west - by),
            max(-90.0, self.south - by),
            min(180.0, self.east + by),
            min(90.0, self.north + by),
        )


WORLD = Box(-180.0, -90.0, 180.0, 90.0)


def read_box(text: str) -> Box:
    """The box written as "west,south,east,north"; InvalidInput for anything that is no box of the world."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput((FieldProblem("bbox", "map.bad_box"),)) from None
    is_finite = all(isfinite(edge) for edge in (west, south, east, north))
    if not is_finite or not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidInput((FieldProblem("bbox", "map.bad_box"),))
    return Box(west, south, east, north)
