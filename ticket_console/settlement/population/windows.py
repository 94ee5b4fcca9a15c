"""How much of many stretches of work lies inside a daily window of the wall clock at each site."""

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from ticket_console.settlement.night import offset_changes
from ticket_console.settlement.population.columns import Coded
from ticket_console.settlement.rules import Window

_DAY: Final = 86_400
Seconds = npt.NDArray[np.int64]


def seconds_inside(started: Seconds, finished: Seconds, zone: Coded, window: Window) -> Seconds:
    """Real seconds of each [started, finished) while the wall clock of its zone reads within the window."""
    inside = np.zeros(started.size, dtype=np.int64)
    for code, name in enumerate(zone.values):
        chosen = np.flatnonzero(zone.codes == code) if len(zone.values) > 1 else slice(None)
        begins, ends = started[chosen], finished[chosen]
        if begins.size:
            inside[chosen] = _in_zone(begins, ends, str(name), window)
    return inside


def offsets_at(instants: Seconds, zone_name: str) -> Seconds:
    """How far the wall clock of a zone is ahead of UTC at each instant; there is at least one."""
    cuts, offsets = _changes(zone_name, int(instants.min()) // _DAY, int(instants.max()) // _DAY + 1)
    found: Seconds = offsets[np.searchsorted(cuts, instants, side="right")]
    return found


def _in_zone(begins: Seconds, ends: Seconds, zone_name: str, window: Window) -> Seconds:
    opens = window.opens.hour * 3_600 + window.opens.minute * 60
    length = (window.closes.hour * 3_600 + window.closes.minute * 60 - opens) % _DAY
    cuts, offsets = _changes(zone_name, int(begins.min()) // _DAY, int(ends.max()) // _DAY + 1)
    first, last = np.searchsorted(cuts, begins, side="right"), np.searchsorted(cuts, ends, side="left")
    inside = _until(ends + offsets[last], opens, length) - _until(begins + offsets[first], opens, length)
    # What the clocks skipped or repeated meanwhile: each change ends one count and begins another.
    for row in np.flatnonzero(last > first):
        for change in range(int(first[row]), int(last[row])):
            at = cuts[change : change + 1]
            inside[row] += int(
                _until(at + offsets[change], opens, length)[0]
                - _until(at + offsets[change + 1], opens, length)[0]
            )
    return inside


def _until(local: Seconds, opens: int, length: int) -> Seconds:
    """Seconds inside the window from some fixed opening of it until a reading of the wall clock."""
    days, into = np.divmod(local - opens, _DAY)
    return days * length + np.minimum(into, length)


@lru_cache(maxsize=256)
def _changes(zone_name: str, first_day: int, last_day: int) -> tuple[Seconds, Seconds]:
    """The instants at which the offset of a zone changes, and the offset before, between and after them."""
    found = offset_changes(first_day * _DAY, last_day * _DAY, zone_name)
    cuts = np.array([at for at, _ in found[1:]], dtype=np.int64)
    return cuts, np.array([offset for _, offset in found], dtype=np.int64)
