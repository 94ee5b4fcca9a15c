"""Ranks: texts whose order is the order of a lane; a card is put between two others without touching them."""

from typing import Final

from ticket_console.kernel.errors import Conflict

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_BASE: Final = len(_DIGITS)
LONGEST: Final = 40
# A rank begins with the moment its ticket was opened, in milliseconds; ends of a lane have room by seconds.
_MOMENT: Final = 9
_STEP_MS: Final = 1_000


class NoRoomBetween(Conflict):
    """So much was put between two cards that no shorter rank is left; one place further there is room."""

    code = "board.no_room_between"


def between(before: str | None, after: str | None, *, own: str) -> str:
    """A rank after `before` and ahead of `after`; None is an end of the lane, and without either `own` stays.

    Raises NoRoomBetween. Who says the two in the wrong order means the place after the first.
    """
    if before is None and after is None:
        return own
    if before is None:
        assert after is not None
        return _beside(after, -_STEP_MS) or _middle("", after)
    if after is None or after <= before:
        return _beside(before, _STEP_MS) or _middle(before, None)
    return _middle(before, after)


def _beside(rank: str, step: int) -> str | None:
    """Some way off in the moment a rank begins with; None where that leaves what a moment can be."""
    moved = int(rank[:_MOMENT].ljust(_MOMENT, "0"), _BASE) + step
    if not 0 < moved < _BASE**_MOMENT:
        return None
    digits = ""
    while moved:
        moved, rest = divmod(moved, _BASE)
        digits = _DIGITS[rest] + digits
    return digits.rjust(_MOMENT, "0") + rank[_MOMENT:]


def _middle(before: str, after: str | None) -> str:
    """The text half way, as fractions: no longer than needed, and never ending with a zero."""
    found = ""
    is_below = after is not None
    for place in range(LONGEST):
        low = _DIGITS.index(before[place]) if place < len(before) else 0
        high = _BASE
        if is_below and after is not None:
            high = _DIGITS.index(after[place]) if place < len(after) else 0
        if high - low > 1:
            return found + _DIGITS[(low + high) // 2]
        found += _DIGITS[low]
        if high > low:
            # From here on anything after `before` is below `after`.
            is_below = False
    raise NoRoomBetween()
