"""Where things stand in a diagram: sizes, places for what nobody has placed, and lines between them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_COLUMN: Final = 180
_ROW: Final = 130
_EVENT: Final = (36, 36)
_GATEWAY: Final = (50, 50)
_STEP: Final = (100, 80)
_SIZES: Final = {
    "start": _EVENT, "end": _EVENT, "timer": _EVENT,
    "exclusive": _GATEWAY, "parallel": _GATEWAY, "inclusive": _GATEWAY,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> tuple[int, int]:
        return self.x + self.width // 2, self.y + self.height // 2


def size_of(kind: str) -> tuple[int, int]:
    return _SIZES.get(kind, _STEP)


def box_at(kind: str, x: int, y: int) -> Box:
    return Box(x, y, *size_of(kind))


def places(
    nodes: Iterable[Mapping[str, Any]], edges: Iterable[Mapping[str, Any]]
) -> dict[str, tuple[int, int]]:
    """A place for every node: columns by the distance from the start, rows in the order of the nodes."""
    keys = [node["key"] for node in nodes]
    onward: dict[str, list[str]] = {key: [] for key in keys}
    for edge in edges:
        if edge["kind"] == "forward" and edge["source"] in onward and edge["target"] in onward:
            onward[edge["source"]].append(edge["target"])
    column = _columns(keys, onward)
    used: dict[int, int] = {}
    found = {}
    for key in keys:
        row = used.get(column[key], 0)
        used[column[key]] = row + 1
        found[key] = (160 + column[key] * _COLUMN, 120 + row * _ROW)
    return found


def _columns(keys: list[str], onward: Mapping[str, list[str]]) -> dict[str, int]:
    """How many steps lie before a node at the least; what nothing leads to begins at the left."""
    column: dict[str, int] = {}
    led_to = {target for targets in onward.values() for target in targets}
    for root in [*(key for key in keys if key not in led_to), *keys]:
        if root in column:
            continue
        column[root] = 0
        layer = [root]
        while layer:
            following = []
            for key in layer:
                for target in onward[key]:
                    if target not in column:
                        column[target] = column[key] + 1
                        following.append(target)
            layer = following
    return column


def line_between(source: Box, target: Box) -> list[tuple[int, int]]:
    """From the right side of one box to the left side of another, round a corner where needed."""
    begin = (source.x + source.width, source.middle[1])
    end = (target.x, target.middle[1])
    if begin[1] == end[1]:
        return [begin, end]
    turn = (begin[0] + end[0]) // 2
    return [begin, (turn, begin[1]), (turn, end[1]), end]
