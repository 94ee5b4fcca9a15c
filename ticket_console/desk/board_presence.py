"""Who has the board open, and which card they hold, in every process.

A page enters when it is opened and again every `BEAT_SECONDS`; one that stopped doing so is gone after
`STAYS_SECONDS`, and a card is let go of after `HOLDS_SECONDS`. Nothing is written to the database.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from ticket_console.access import policy
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.signals import Signal

BEAT_SECONDS: Final = 20.0
STAYS_SECONDS: Final = 50.0
HOLDS_SECONDS: Final = 30.0
TOPIC: Final = "board.presence."
MOST_SHOWN: Final = 50
# Forged tabs must not fill the memory: the whole console has fewer pages open than this.
_MOST_SEATS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Somebody with the board open, in one tab or in several, and the card they hold."""

    key: str
    name: str
    holding: int | None


@dataclass(frozen=True, slots=True)
class _Seat:
    org_id: int
    key: str
    name: str
    until: float
    holding: int | None
    holds_until: float
    is_here: bool


_seats: dict[str, _Seat] = {}
_lock = threading.Lock()
_end: Callable[[], None] | None = None


def enter(*, actor: Actor, tab: str) -> None:
    """Say that the actor has the board open in a tab, at first and at every beat; what it holds stays held.

    On PostgreSQL it takes a round trip.
    """
    policy.require(actor, "board.view")
    _listen()
    with _lock:
        known = _seats.get(tab)
        if known is None and len(_seats) >= _MOST_SEATS:
            return
        now = time.monotonic()
        holding = known.holding if known is not None and known.key == actor.label else None
        holds_until = 0.0 if known is None else known.holds_until
        seat = _Seat(
            actor.org_id, actor.label, actor.display, now + STAYS_SECONDS, holding, holds_until, True
        )
        _seats[tab] = seat
    _say(tab, seat, asks=known is None)


def hold(*, actor: Actor, tab: str, ticket_id: int | None) -> None:
    """Say which card a tab holds, or that it let go of it; a tab without the board open holds none."""
    with _lock:
        known = _seats.get(tab)
        if known is None or known.key != actor.label:
            return
        seat = _seats[tab] = replace(known, holding=ticket_id, holds_until=time.monotonic() + HOLDS_SECONDS)
    if seat.holding != known.holding:
        _say(tab, seat, asks=False)


def leave(*, tab: str) -> None:
    """Say that the tab is closed; once more does no harm."""
    with _lock:
        known = _seats.pop(tab, None)
    if known is not None:
        signals.say(f"{TOPIC}{known.org_id}", {"tab": tab, "gone": True})


def onlookers(org_id: int) -> tuple[Onlooker, ...]:
    """Who has the board open, by name; of somebody's tabs the one that holds a card speaks for them."""
    now = time.monotonic()
    found: dict[str, Onlooker] = {}
    with _lock:
        for tab in [tab for tab, seat in _seats.items() if seat.until < now]:
            del _seats[tab]
        seats = [seat for seat in _seats.values() if seat.org_id == org_id]
    for seat in seats:
        holding = seat.holding if seat.holds_until > now else None
        known = found.get(seat.key)
        if known is None or known.holding is None:
            found[seat.key] = Onlooker(seat.key, seat.name, holding)
    everybody = sorted(found.values(), key=lambda each: (each.holding is None, each.name, each.key))
    return tuple(everybody[:MOST_SHOWN])


def _say(tab: str, seat: _Seat, *, asks: bool) -> None:
    said = {"tab": tab, "key": seat.key, "name": seat.name, "holding": seat.holding, "asks": asks}
    signals.say(f"{TOPIC}{seat.org_id}", said)


def _listen() -> None:
    global _end
    with _lock:
        if _end is None:
            _end = signals.listen(TOPIC, _hear)


def _hear(signal: Signal) -> None:
    """What another process says of its tabs; who is new asks the others to say theirs again."""
    body, org_id = signal.body, int(signal.topic.removeprefix(TOPIC))
    tab = body["tab"]
    with _lock:
        known = _seats.get(tab)
        if known is not None and known.is_here:
            return
        if body.get("gone"):
            _seats.pop(tab, None)
            return
        now = time.monotonic()
        _seats[tab] = _Seat(
            org_id,
            body["key"],
            body["name"],
            now + STAYS_SECONDS,
            body["holding"],
            now + HOLDS_SECONDS,
            False,
        )
        mine = [(own, seat) for own, seat in _seats.items() if seat.org_id == org_id and seat.is_here]
    if body.get("asks"):
        for own, seat in mine:
            _say(own, seat, asks=False)
