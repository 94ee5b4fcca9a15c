"""The hub reads each change once per kind of viewer, and forgets who has left."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from ticket_console.desk.board_presence import Onlooker
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.state import board_hub
from ticket_console.state.board_hub import BoardHub, sight
from ticket_console.tickets.board import BoardFilters

EVERYTHING = BoardFilters()
URGENT = BoardFilters(priority=1)


def office(
    role: Role, user_id: int, *, scope: Scope = Scope.ORG, regions: frozenset[int] = frozenset()
) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        org_id=1,
        display=f"{role}-{user_id}",
        user_id=user_id,
        session_id=user_id,
        grants=(Grant(role, scope, regions),),
    )


class Wires:
    """Remembers who is in which room and what was said there."""

    def __init__(self) -> None:
        self.rooms: dict[str, set[str]] = {}
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.shown: list[tuple[str, dict[str, Any]]] = []
        self.heard = asyncio.Event()

    async def enter(self, room: str, watcher: str) -> None:
        self.rooms.setdefault(room, set()).add(watcher)

    async def leave(self, room: str, watcher: str) -> None:
        self.rooms[room].discard(watcher)

    async def send(self, room: str, feed: dict[str, Any]) -> None:
        self.said.append((room, feed))
        self.heard.set()

    async def show_people(self, room: str, people: dict[str, Any]) -> None:
        self.shown.append((room, people))
        self.heard.set()

    async def until_said(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.said) < count:
                self.heard.clear()
                await self.heard.wait()


class Changes:
    """A change feed by hand."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[frozenset[int]] = asyncio.Queue()
        self.is_open = False

    def subscribe(self) -> "Changes":
        self.is_open = True
        return self

    def unsubscribe(self, subscription: "Changes") -> None:
        self.is_open = False

    async def changes(self, *, gather_seconds: float) -> frozenset[int]:
        return await self.queue.get()


class Readings:
    """Stands where the database is read, and counts how often."""

    def __init__(self) -> None:
        self.snapshots = 0
        self.patches: list[tuple[str, frozenset[int]]] = []
        self.broken: set[str] = set()
        self.over: set[int | None] = set()

    def whole(self, *, viewer: Actor, filters: BoardFilters, at: datetime) -> dict[str, Any]:
        self.snapshots += 1
        lane = {"key": "intake", "name": {}, "category": "todo", "count": 1, "cards": [], "more": False}
        return {"rows": [], "lanes": [lane]}

    def live(self, *, session_ids: set[int | None], at: datetime) -> frozenset[int | None]:
        return frozenset(session_ids - self.over)

    def changes(
        self, *, viewer: Actor, filters: BoardFilters, at: datetime, ticket_ids: frozenset[int]
    ) -> dict[str, Any]:
        if viewer.display in self.broken:
            raise RuntimeError("the database went away")
        self.patches.append((viewer.display, ticket_ids))
        cards = [{"id": each, "version": 2} for each in sorted(ticket_ids)]
        return {"cards": cards, "gone": [99], "counts": {"intake": 4}, "cells": None, "loads": None}


@pytest.fixture
def wires() -> Wires:
    return Wires()


@pytest.fixture
def changes(monkeypatch: pytest.MonkeyPatch) -> Changes:
    by_hand = Changes()
    monkeypatch.setattr(board_hub.feed, "subscribe", by_hand.subscribe)
    monkeypatch.setattr(board_hub.feed, "unsubscribe", by_hand.unsubscribe)
    return by_hand


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    counted = Readings()
    monkeypatch.setattr(board_hub, "_whole", counted.whole)
    monkeypatch.setattr(board_hub, "_changes", counted.changes)
    monkeypatch.setattr(board_hub, "_live", counted.live)
    return counted


@pytest.fixture
async def hub(wires: Wires, changes: Changes, readings: Readings, at: datetime) -> AsyncIterator[BoardHub]:
    running = BoardHub(wires, now=lambda: at)
    yield running
    running._stop_listening()


async def test_one_reading_serves_all_who_see_the_same(
    hub: BoardHub, wires: Wires, changes: Changes, readings: Readings
) -> None:
    first = await hub.join("tab-1", viewer=office(Role.DISPATCHER, 1), filters=EVERYTHING)
    second = await hub.join("tab-2", viewer=office(Role.DISPATCHER, 2), filters=EVERYTHING)
    changes.queue.put_nowait(frozenset({7, 5}))
    await wires.until_said(1)

    assert first.group is second.group
    assert wires.rooms == {first.group.room: {"tab-1", "tab-2"}}
    assert readings.patches == [("dispatcher-1", frozenset({5, 7}))]
    assert wires.said == [
        (
            first.group.room,
            {
                "kind": "patch",
                "board": first.group.room,
                "seq": 1,
                "at": "2026-11-21T02:00:00.000000Z",
                "cards": [{"id": 5, "version": 2}, {"id": 7, "version": 2}],
                "gone": [99],
                "counts": {"intake": 4},
                "cells": None,
                "loads": None,
            },
        )
    ]


@pytest.mark.parametrize(
    ("viewer", "filters"),
    [
        (office(Role.MANAGER, 2), EVERYTHING),
        (office(Role.DISPATCHER, 2, scope=Scope.REGION, regions=frozenset({3})), EVERYTHING),
        (office(Role.DISPATCHER, 2), URGENT),
    ],
    ids=["role", "region", "filter"],
)
def test_who_sees_something_else_gets_a_reading_of_their_own(viewer: Actor, filters: BoardFilters) -> None:
    assert sight(viewer, filters) != sight(office(Role.DISPATCHER, 1), EVERYTHING)


async def test_watchers_who_come_together_share_one_snapshot(hub: BoardHub, readings: Readings) -> None:
    group = (await hub.join("tab-1", viewer=office(Role.DISPATCHER, 1), filters=EVERYTHING)).group
    snapshots = await asyncio.gather(*(hub.snapshot(group) for _ in range(50)))

    assert readings.snapshots == 1
    assert snapshots[0]["seq"] == 0
    assert snapshots[0]["kind"] == "snapshot"


async def test_a_snapshot_says_which_patches_are_in_it(
    hub: BoardHub, wires: Wires, changes: Changes, readings: Readings
) -> None:
    group = (await hub.join("tab-1", viewer=office(Role.DISPATCHER, 1), filters=EVERYTHING)).group
    await hub.snapshot(group)
    changes.queue.put_nowait(frozenset({5}))
    await wires.until_said(1)
    late = await hub.snapshot(group)

    assert (late["seq"], readings.snapshots) == (1, 2)


@pytest.mark.parametrize("changed", [feed.EVERYTHING, frozenset(range(1, 500))], ids=["unknown", "many"])
async def test_too_much_or_unknown_change_is_told_as_a_whole_board(
    hub: BoardHub, wires: Wires, changes: Changes, readings: Readings, changed: frozenset[int]
) -> None:
    await hub.join("tab-1", viewer=office(Role.DISPATCHER, 1), filters=EVERYTHING)
    changes.queue.put_nowait(changed)
    await wires.until_said(1)

    assert [(told["kind"], told["seq"]) for _, told in wires.said] == [("snapshot", 1)]
    assert readings.patches == []


async def test_a_fault_for_one_group_leaves_a_gap_there_and_reaches_no_other(
    hub: BoardHub, wires: Wires, changes: Changes, readings: Readings
) -> None:
    unlucky = await hub.join("tab-1", viewer=office(Role.DISPATCHER, 1), filters=EVERYTHING)
    lucky = await hub.join("tab-2", viewer=office(Role.MANAGER, 2), filters=EVERYTHING)
    readings.broken.add("dispatcher-1")
    changes.queue.put_nowait(frozenset({5}))
    await wires.until_said(1)
    readings.broken.clear()
    changes.queue.put_nowait(frozenset({6}))
    await wires.until_said(3)

    told = {room: [each["seq"] for at, each in wires.said if at == room] for room, _ in wires.said}
    assert told == {lucky.group.room: [1, 2], unlucky.group.room: [2]}


async def test_nothing_stays_behind_when_the_last_watcher_leaves(hub: BoardHub, changes: Changes) -> None:
    seat = await hub.join("tab-1", viewer=office(Role.DISPATCHER, 1), filters=EVERYTHING)
    await asyncio.sleep(0)
    was_open = changes.is_open
    await hub.leave(seat)
    await asyncio.sleep(0)

    assert was_open
    assert (hub.watchers, hub.group_of(seat.group.viewer, EVERYTHING), changes.is_open) == (0, None, False)


async def test_a_tab_that_came_back_is_not_thrown_out_by_its_former_self(hub: BoardHub, wires: Wires) -> None:
    viewer = office(Role.DISPATCHER, 1)
    before = await hub.join("tab-1", viewer=viewer, filters=EVERYTHING)
    after = await hub.join("tab-1", viewer=viewer, filters=EVERYTHING)
    await hub.leave(before)

    assert (hub.watchers, wires.rooms[after.group.room]) == (1, {"tab-1"})


async def test_who_was_cut_off_hears_nothing_of_the_next_change(
    hub: BoardHub, wires: Wires, changes: Changes, readings: Readings
) -> None:
    stays = await hub.join("tab-1", viewer=office(Role.DISPATCHER, 1), filters=EVERYTHING)
    goes = await hub.join("tab-2", viewer=office(Role.DISPATCHER, 2), filters=EVERYTHING)
    readings.over.add(2)
    changes.queue.put_nowait(frozenset({5}))
    await wires.until_said(1)

    assert wires.rooms[stays.group.room] == {"tab-1"}
    assert (goes.ended.is_set(), stays.ended.is_set()) == (True, False)


async def test_who_is_here_is_told_once_to_every_board_of_the_house_and_again_when_it_changes(
    hub: BoardHub, wires: Wires, changes: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:  # pain 3
    here = [Onlooker("user:1", "name 1", 77)]
    monkeypatch.setattr(board_hub.board_presence, "onlookers", lambda org_id: tuple(here))
    monkeypatch.setattr(board_hub, "_CROWD_SECONDS", 0.0)
    first = await hub.join("tab-1", viewer=office(Role.DISPATCHER, 1), filters=EVERYTHING)
    second = await hub.join("tab-2", viewer=office(Role.MANAGER, 2), filters=URGENT)

    hub._crowd_moved.set()
    await asyncio.sleep(0.05)
    hub._crowd_moved.set()
    await asyncio.sleep(0.05)

    told = {"people": [{"key": "user:1", "name": "name 1", "holding": 77}]}
    assert sorted(wires.shown, key=str) == sorted(
        [(first.group.room, told), (second.group.room, told)], key=str
    )
    here.append(Onlooker("user:2", "name 2", None))
    hub._crowd_moved.set()
    await asyncio.sleep(0.05)
    assert len(wires.shown) == 4
