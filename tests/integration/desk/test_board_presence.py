"""Who has the board open and which card they hold: by user, with an end, and known to the other processes."""

from typing import Any

import pytest

from ticket_console.desk import board_presence
from ticket_console.desk.board_presence import Onlooker
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.errors import Forbidden
from ticket_console.kernel.signals import Signal


def dispatcher(user_id: int, *, org_id: int = 1, role: Role = Role.DISPATCHER) -> Actor:
    return Actor(
        kind=ActorKind.USER,
        org_id=org_id,
        display=f"name {user_id}",
        user_id=user_id,
        grants=(Grant(role, Scope.ORG),),
    )


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, sqlite_database: object) -> Clock:
    by_hand = Clock()
    monkeypatch.setattr(board_presence, "time", by_hand)
    monkeypatch.setattr(board_presence, "_seats", {})
    return by_hand


def test_people_are_there_once_and_hold_what_one_of_their_tabs_holds(clock: Clock) -> None:
    for tab, user_id in (("a", 1), ("b", 1), ("c", 2)):
        board_presence.enter(actor=dispatcher(user_id), tab=tab)
    board_presence.hold(actor=dispatcher(1), tab="b", ticket_id=77)
    board_presence.enter(actor=dispatcher(1), tab="b")

    assert board_presence.onlookers(1) == (
        Onlooker("user:1", "name 1", 77),
        Onlooker("user:2", "name 2", None),
    )
    assert board_presence.onlookers(2) == ()
    board_presence.hold(actor=dispatcher(1), tab="b", ticket_id=None)
    board_presence.leave(tab="c")
    board_presence.leave(tab="c")
    assert board_presence.onlookers(1) == (Onlooker("user:1", "name 1", None),)


def test_who_says_nothing_more_lets_go_first_and_is_gone_then(clock: Clock) -> None:
    board_presence.enter(actor=dispatcher(1), tab="a")
    board_presence.hold(actor=dispatcher(1), tab="a", ticket_id=77)
    clock.now += board_presence.HOLDS_SECONDS + 1
    assert board_presence.onlookers(1) == (Onlooker("user:1", "name 1", None),)
    clock.now += board_presence.STAYS_SECONDS
    assert board_presence.onlookers(1) == ()


def test_nobody_holds_with_somebody_elses_hand(clock: Clock) -> None:
    board_presence.enter(actor=dispatcher(1), tab="a")
    board_presence.hold(actor=dispatcher(2), tab="a", ticket_id=77)
    board_presence.hold(actor=dispatcher(2), tab="never opened", ticket_id=77)
    with pytest.raises(Forbidden):
        board_presence.enter(actor=dispatcher(3, role=Role.TECHNICIAN), tab="c")

    assert board_presence.onlookers(1) == (Onlooker("user:1", "name 1", None),)


def test_another_process_is_heard_and_answered(clock: Clock) -> None:
    board_presence.enter(actor=dispatcher(1), tab="a")
    said: list[dict[str, Any]] = []
    end = signals.listen(board_presence.TOPIC, lambda signal: said.append(dict(signal.body)))
    there = {"tab": "z", "key": "user:9", "name": "name 9", "holding": 5, "asks": True}
    board_presence._hear(Signal(f"{board_presence.TOPIC}1", there))
    end()

    assert board_presence.onlookers(1) == (
        Onlooker("user:9", "name 9", 5),
        Onlooker("user:1", "name 1", None),
    )
    assert [(each["tab"], each["key"], each["asks"]) for each in said] == [("a", "user:1", False)]
    board_presence._hear(Signal(f"{board_presence.TOPIC}1", {"tab": "z", "gone": True}))
    assert board_presence.onlookers(1) == (Onlooker("user:1", "name 1", None),)
