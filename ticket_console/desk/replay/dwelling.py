"""How long steps usually take in a period: what a step is given that no ticket ever had."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from statistics import median_low
from typing import Final

from ticket_console.flows.elements import HandlerMode, Node

# Of a kind of step that nobody did in the whole period.
UNKNOWN: Final = timedelta(hours=1)
FOUND_BY: Final = ("node", "stage", "role", "kind")

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """`found_by` says what the estimate was taken from: the same node, its like in the stage, the same role,
    the same kind of step, or nothing at all. `samples` is how many stays stand behind it."""

    dwell: timedelta
    found_by: str
    samples: int


def who(node: Node) -> str:
    """Who does a step, in a word: "technician", "customer", "system", or the role whose queue it is."""
    handler = node.handler
    if handler is None:
        return HandlerMode.SYSTEM.value
    if handler.mode is HandlerMode.QUEUE and handler.role:
        return handler.role
    return handler.mode.value


def keys_of(node: Node) -> tuple[Key, ...]:
    """Under what a stay is filed, the closest likeness first."""
    kind, role = node.kind.value, who(node)
    return (
        ("node", node.key, kind),
        ("stage", node.stage, role, kind),
        ("role", role, kind),
        ("kind", kind),
    )


class Dwells:
    """Seconds of finished stays, gathered once, asked often."""

    def __init__(self) -> None:
        self._seconds: dict[Key, array[int]] = {}
        self._medians: dict[Key, Estimate] = {}

    def add(self, node: Node, seconds: int) -> None:
        for key in keys_of(node):
            self._seconds.setdefault(key, array("q")).append(seconds)

    def of(self, node: Node) -> Estimate:
        for key in keys_of(node):
            found = self._medians.get(key) or self._median(key)
            if found is not None:
                return found
        return Estimate(UNKNOWN, "nothing", 0)

    def _median(self, key: Key) -> Estimate | None:
        seconds = self._seconds.get(key)
        if seconds is None:
            return None
        found = Estimate(timedelta(seconds=median_low(seconds)), key[0], len(seconds))
        self._medians[key] = found
        return found

    def as_json(self) -> list[list[object]]:
        """The medians alone, for another process: plain values that `of_json` reads."""
        rows: list[list[object]] = []
        for key in self._seconds:
            found = self._median(key)
            if found is not None:
                rows.append([list(key), int(found.dwell.total_seconds()), found.samples])
        return rows

    @classmethod
    def of_json(cls, rows: Iterable[tuple[list[str], int, int]]) -> "Dwells":
        dwells = cls()
        for key, seconds, samples in rows:
            dwells._medians[tuple(key)] = Estimate(timedelta(seconds=seconds), key[0], samples)
        return dwells
