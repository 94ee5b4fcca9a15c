"""One reading of each change per kind of viewer, handed to every board that shows the same."""

import asyncio
import os
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

import structlog

from ticket_console.access import policy, projection, sessions
from ticket_console.desk import board_presence, boarding
from ticket_console.desk.board_presence import Onlooker
from ticket_console.desk.limiting import RENEW_TOPIC
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.signals import Listening
from ticket_console.tickets.board import BoardFilters

log = structlog.get_logger(__name__)

Feed = dict[str, Any]

GATHER_SECONDS: Final = 0.02
# More changed tickets than this at once are cheaper to show as a whole new board.
_PATCH_LIMIT: Final = 400
# After a restart every browser asks for the same board at the same moment; they share one reading.
_SHARE_SECONDS: Final = 0.5
# What is late or due today changes by the mere passing of time, without any change being announced.
_RENEW_SECONDS: Final = 30.0
# Who is here is told at most this often, however many come at once; who just went is noticed as late.
_CROWD_SECONDS: Final = 0.5
_EXPIRY_SECONDS: Final = 5.0


class Wire(Protocol):
    """How a group's browsers are reached; `watcher` is what the browser's side is known by."""

    async def enter(self, room: str, watcher: str) -> None: ...

    async def leave(self, room: str, watcher: str) -> None: ...

    async def send(self, room: str, feed: Feed) -> None: ...

    async def show_people(self, room: str, people: Feed) -> None: ...


@dataclass(slots=True, eq=False)
class Seat:
    """One watcher's place in a group; `ended` is set when their session is over."""

    watcher: str
    session_id: int | None
    group: "Group"
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class Group:
    """The watchers who see the same board, and how far it was told to them.

    `seq` counts the patches told; a snapshot carries the count it started from, so a browser knows
    which patches come on top of it and whether it missed one.
    """

    key: Hashable
    viewer: Actor
    filters: BoardFilters
    room: str
    seq: int = 0
    seats: dict[str, Seat] = field(default_factory=dict)
    shared: Feed | None = None
    shared_until: float = 0.0
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class BoardHub:
    """Every board watched in this process; it listens to the change feed while anybody watches."""

    def __init__(self, wire: Wire, *, now: Callable[[], datetime]) -> None:
        self._wire = wire
        self._now = now
        self._groups: dict[Hashable, Group] = {}
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self._crowd_moved = asyncio.Event()
        self._crowds: dict[int, tuple[Onlooker, ...]] = {}

    @property
    def watchers(self) -> int:
        return sum(len(group.seats) for group in self._groups.values())

    async def join(self, watcher: str, *, viewer: Actor, filters: BoardFilters) -> Seat:
        """Let a watcher hear patches from now on; the snapshot to put them on is `snapshot`."""
        key = sight(viewer, filters)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(key, viewer, filters, room=f"board:{os.urandom(8).hex()}")
        seat = group.seats[watcher] = Seat(watcher, viewer.session_id, group)
        await self._wire.enter(group.room, watcher)
        self._listen()
        return seat

    def group_of(self, viewer: Actor, filters: BoardFilters) -> Group | None:
        return self._groups.get(sight(viewer, filters))

    async def leave(self, seat: Seat) -> None:
        group = seat.group
        if group.seats.get(seat.watcher) is seat:
            del group.seats[seat.watcher]
            await self._wire.leave(group.room, seat.watcher)
        if not group.seats and self._groups.get(group.key) is group:
            del self._groups[group.key]
        if not self._groups:
            self._stop_listening()

    async def snapshot(self, group: Group) -> Feed:
        """The whole board of a group as it is now."""
        loop = asyncio.get_running_loop()
        async with group.reading:
            shared = group.shared
            if shared is None or shared["seq"] != group.seq or loop.time() > group.shared_until:
                # Taken before reading: what changes meanwhile is told again as a patch, which does no harm.
                seq, at = group.seq, self._now()
                read = await off_loop(_whole, viewer=group.viewer, filters=group.filters, at=at)
                shared = {
                    "kind": "snapshot",
                    "board": group.room,
                    "seq": seq,
                    "at": instant_text(at),
                    "by": group.filters.by.value,
                    **read,
                }
                group.shared, group.shared_until = shared, loop.time() + _SHARE_SECONDS
            return shared

    def _listen(self) -> None:
        if not self._tasks:
            self._tasks = (
                asyncio.create_task(self._hear(), name="board-hub"),
                asyncio.create_task(self._renew(), name="board-hub-renewal"),
                asyncio.create_task(self._hear_signals(), name="board-hub-signals"),
                asyncio.create_task(self._show_people(), name="board-hub-people"),
            )

    def _stop_listening(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._tasks = ()

    async def _hear(self) -> None:
        subscription = feed.subscribe()
        try:
            while True:
                changed = await subscription.changes(gather_seconds=GATHER_SECONDS)
                groups = tuple(self._groups.values())
                await asyncio.gather(*(self._tell(group, changed) for group in groups))
        finally:
            feed.unsubscribe(subscription)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            for group in tuple(self._groups.values()):
                if group.filters.changes_with_time:
                    await self._tell(group, feed.EVERYTHING)

    async def _hear_signals(self) -> None:
        """What changes boards without changing a ticket: limits, and who is looking."""
        listening = Listening(board_presence.TOPIC, RENEW_TOPIC)
        try:
            async for signal in listening:
                if signal.topic.startswith(board_presence.TOPIC):
                    self._crowd_moved.set()
                    continue
                org_id = int(signal.topic.removeprefix(RENEW_TOPIC))
                for group in tuple(self._groups.values()):
                    if group.viewer.org_id == org_id:
                        await self._tell(group, feed.EVERYTHING)
        finally:
            listening.close()

    async def _show_people(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._crowd_moved.wait(), _EXPIRY_SECONDS)
            self._crowd_moved.clear()
            for org_id in {group.viewer.org_id for group in self._groups.values()}:
                people = board_presence.onlookers(org_id)
                if people == self._crowds.get(org_id):
                    continue
                self._crowds[org_id] = people
                told = people_told(people)
                for group in tuple(self._groups.values()):
                    if group.viewer.org_id == org_id:
                        await self._wire.show_people(group.room, told)
            await asyncio.sleep(_CROWD_SECONDS)

    async def _tell(self, group: Group, changed: frozenset[int]) -> None:
        try:
            await self._turn_away(group)
            if changed == feed.EVERYTHING or len(changed) > _PATCH_LIMIT:
                group.seq += 1
                await self._wire.send(group.room, await self.snapshot(group))
                return
            at = self._now()
            read = await off_loop(
                _changes, viewer=group.viewer, filters=group.filters, at=at, ticket_ids=changed
            )
            group.seq += 1
            patch: Feed = {
                "kind": "patch",
                "board": group.room,
                "seq": group.seq,
                "at": instant_text(at),
                **read,
            }
            await self._wire.send(group.room, patch)
        except Exception:
            # One group's fault must not silence the others. The number is used up, so its browsers
            # notice at the next patch that they missed one, and ask for the whole board.
            group.seq += 1
            log.exception("board.group_failed", room=group.room)

    async def _turn_away(self, group: Group) -> None:
        """Who logged out or was disabled hears nothing from the next change on."""
        seats = tuple(group.seats.values())
        live = await off_loop(_live, session_ids={each.session_id for each in seats}, at=self._now())
        for seat in seats:
            if seat.session_id not in live:
                seat.ended.set()
                await self._wire.leave(group.room, seat.watcher)


def people_told(people: tuple[Onlooker, ...]) -> Feed:
    """Who has the board open, as browsers are told."""
    return {
        "people": [{"key": each.key, "name": each.name, "holding": each.holding} for each in people],
    }


def sight(viewer: Actor, filters: BoardFilters) -> Hashable:
    """Two viewers with the same sight see the same board, card by card and move by move."""
    return (
        projection.visibility_class(viewer),
        policy.row_scope(viewer, "ticket.view"),
        viewer.roles,
        viewer.technician_id,
        filters,
    )


def _live(*, session_ids: set[int | None], at: datetime) -> frozenset[int | None]:
    with reading() as connection:
        return sessions.live(connection, session_ids=[each for each in session_ids if each], at=at)


def _whole(*, viewer: Actor, filters: BoardFilters, at: datetime) -> Feed:
    with reading() as connection:
        return boarding.whole(connection, viewer=viewer, filters=filters, at=at)


def _changes(*, viewer: Actor, filters: BoardFilters, at: datetime, ticket_ids: frozenset[int]) -> Feed:
    with reading() as connection:
        return boarding.changes(connection, viewer=viewer, filters=filters, at=at, ticket_ids=ticket_ids)
