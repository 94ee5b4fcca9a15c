"""Who has a form or a flow open in the designer, in every process, and what happens to its drafts meanwhile.

A page enters when it is opened and again every `BEAT_SECONDS`; one that stopped doing so is gone after
`STAYS_SECONDS`. Nothing is written to the database.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ticket_console.access import policy
from ticket_console.desk.publishing import SUBJECTS
from ticket_console.forms import draft_log
from ticket_console.forms.draft_log import author_of
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.signals import Listening, Signal

BEAT_SECONDS: Final = 20.0
STAYS_SECONDS: Final = 50.0
_TOPIC: Final = "presence."


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has the subject open, in one tab or in several; `author` as drafts name them."""

    author: str
    name: str
    tabs: int


@dataclass(frozen=True, slots=True)
class News:
    """What a page should know: who is there now, and where a draft changed, the words of its signal."""

    people: tuple[Person, ...]
    draft: Mapping[str, Any] | None


@dataclass(slots=True)
class _Seat:
    author: str
    name: str
    until: float
    is_here: bool


_seats: dict[tuple[str, str], _Seat] = {}
_lock = threading.Lock()
_end: Callable[[], None] | None = None


def enter(*, actor: Actor, kind: DraftKind, code: str, tab: str) -> tuple[Person, ...]:
    """Say that the actor has the subject open in a tab, at first and at every beat; returns who is there.

    On PostgreSQL it takes a round trip.
    """
    policy.require(actor, SUBJECTS[kind].permission)
    _listen()
    subject = _subject(actor.org_id, kind, code)
    with _lock:
        is_new = (subject, tab) not in _seats
        _seats[subject, tab] = _Seat(author_of(actor), actor.display, _ends(), is_here=True)
    _say(subject, tab, asks=is_new)
    return _people(subject)


def leave(*, actor: Actor, kind: DraftKind, code: str, tab: str) -> None:
    """Say that the tab is closed; once more does no harm."""
    policy.require(actor, SUBJECTS[kind].permission)
    subject = _subject(actor.org_id, kind, code)
    with _lock:
        known = _seats.pop((subject, tab), None)
    if known is not None:
        signals.say(f"{_TOPIC}{subject}", {"subject": subject, "tab": tab, "gone": True})


def people(*, actor: Actor, kind: DraftKind, code: str) -> tuple[Person, ...]:
    """Who has the subject open, by name."""
    policy.require(actor, SUBJECTS[kind].permission)
    return _people(_subject(actor.org_id, kind, code))


class Watching:
    """`async for news in Watching(...)`: one at once, then whenever people come and go or a draft changes.

    `close` ends it. It belongs to the event loop that opened it.
    """

    def __init__(self, *, actor: Actor, kind: DraftKind, code: str) -> None:
        policy.require(actor, SUBJECTS[kind].permission)
        _listen()
        self._subject = _subject(actor.org_id, kind, code)
        self._draft_topic = draft_log.topic(actor.org_id, kind, code)
        self._listening = Listening(f"{_TOPIC}{self._subject}", self._draft_topic)
        self._last: tuple[Person, ...] | None = None

    def __aiter__(self) -> "Watching":
        return self

    async def __anext__(self) -> News:
        if self._last is None:
            self._last = _people(self._subject)
            return News(self._last, None)
        async for signal in self._listening:
            now = _people(self._subject)
            is_draft = signal.topic == self._draft_topic
            if is_draft or now != self._last:
                self._last = now
                return News(now, signal.body if is_draft else None)
        raise StopAsyncIteration

    def close(self) -> None:
        self._listening.close()


def _subject(org_id: int, kind: DraftKind, code: str) -> str:
    return f"{org_id}.{kind}.{code}"


def _ends() -> float:
    return time.monotonic() + STAYS_SECONDS


def _people(subject: str) -> tuple[Person, ...]:
    now = time.monotonic()
    found: dict[str, Person] = {}
    with _lock:
        for key in [key for key, seat in _seats.items() if seat.until < now]:
            del _seats[key]
        for (where, _), seat in _seats.items():
            if where == subject:
                known = found.get(seat.author)
                found[seat.author] = Person(seat.author, seat.name, 1 if known is None else known.tabs + 1)
    return tuple(sorted(found.values(), key=lambda person: (person.name, person.author)))


def _say(subject: str, tab: str, *, asks: bool) -> None:
    with _lock:
        seat = _seats.get((subject, tab))
    if seat is not None:
        said = {"subject": subject, "tab": tab, "author": seat.author, "name": seat.name, "asks": asks}
        signals.say(f"{_TOPIC}{subject}", said)


def _listen() -> None:
    global _end
    with _lock:
        if _end is None:
            _end = signals.listen(_TOPIC, _hear)


def _hear(signal: Signal) -> None:
    """What another process says of its tabs; who is new asks the others to say theirs again."""
    body = signal.body
    subject, tab = body["subject"], body["tab"]
    with _lock:
        seat = _seats.get((subject, tab))
        if seat is not None and seat.is_here:
            return
        if body.get("gone"):
            _seats.pop((subject, tab), None)
            return
        _seats[subject, tab] = _Seat(body["author"], body["name"], _ends(), is_here=False)
        mine = [own for (where, own), each in _seats.items() if where == subject and each.is_here]
    if body.get("asks"):
        for own in mine:
            _say(subject, own, asks=False)
