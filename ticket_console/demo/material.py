"""What the demo company is made of, read from data files: places, equipment, parts, names, troubles."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent / "data"


@cache
def _read(name: str) -> Any:
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def places() -> dict[str, Any]:
    return dict(_read("places"))


def models() -> list[dict[str, Any]]:
    """`{code, brand, family, name}` of the equipment customers own; `family` is the skill that repairs it."""
    return list(_read("catalogue")["models"])


def parts() -> list[dict[str, Any]]:
    """`{sku, name, uom, unit_cost_minor}` of the parts in stock."""
    return list(_read("catalogue")["parts"])


def scenes() -> list[dict[str, Any]]:
    """What customers ask for, and what the people who answer find and do."""
    return list(_read("scenes")["scenes"])


def city_scenes() -> list[dict[str, Any]]:
    """What residents of a city ask of its departments."""
    return list(_read("scenes")["boston"])


def names() -> dict[str, Any]:
    return dict(_read("names"))
