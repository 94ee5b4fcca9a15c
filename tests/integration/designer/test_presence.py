"""Who has a flow open: several tabs of one person, several people, and what they hear of each other."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from tests.builders.company import Company, found_company
from ticket_console.desk import presence
from ticket_console.desk.presence import Person, Watching
from ticket_console.flows import drafts
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import Forbidden

FLOW = DraftKind.FLOW


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    return found_company(at)


@pytest.fixture
def manager(company: Company) -> Actor:
    return company.actor("manager")


@pytest.fixture
def second(manager: Actor) -> Actor:
    return replace(manager, user_id=9_001, display="second")


@pytest.fixture(autouse=True)
def nobody_left() -> Iterator[None]:
    yield
    presence._seats.clear()


def names(people: tuple[Person, ...]) -> list[tuple[str, int]]:
    return [(person.name, person.tabs) for person in people]


def test_people_see_each_other_and_each_once(manager: Actor, second: Actor) -> None:
    presence.enter(actor=manager, kind=FLOW, code="repair", tab="a")
    presence.enter(actor=manager, kind=FLOW, code="repair", tab="b")
    presence.enter(actor=second, kind=FLOW, code="install", tab="c")

    here = presence.enter(actor=second, kind=FLOW, code="repair", tab="d")

    assert names(here) == [("manager", 2), ("second", 1)]
    presence.leave(actor=manager, kind=FLOW, code="repair", tab="a")
    presence.leave(actor=manager, kind=FLOW, code="repair", tab="a")
    presence.leave(actor=second, kind=FLOW, code="repair", tab="d")
    assert names(presence.people(actor=second, kind=FLOW, code="repair")) == [("manager", 1)]


def test_who_stops_saying_so_is_gone(manager: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "STAYS_SECONDS", -1.0)

    assert presence.enter(actor=manager, kind=FLOW, code="repair", tab="a") == ()


def test_only_who_may_draw_is_told(company: Company, manager: Actor) -> None:
    presence.enter(actor=manager, kind=FLOW, code="repair", tab="a")
    agent = company.actor("agent")

    with pytest.raises(Forbidden):
        presence.enter(actor=agent, kind=FLOW, code="repair", tab="b")
    with pytest.raises(Forbidden):
        presence.people(actor=agent, kind=FLOW, code="repair")
    assert names(presence.people(actor=manager, kind=FLOW, code="repair")) == [("manager", 1)]


def test_another_process_is_heard_and_answered(company: Company, manager: Actor) -> None:
    presence.enter(actor=manager, kind=FLOW, code="repair", tab="a")
    said: list[str] = []
    subject = f"{company.org_id}.flow.repair"
    end = signals.listen(f"presence.{subject}", lambda signal: said.append(signal.body["tab"]))

    far = {"subject": subject, "tab": "far", "author": "user:7", "name": "far", "asks": True}
    signals.say(f"presence.{subject}", far)

    assert names(presence.people(actor=manager, kind=FLOW, code="repair")) == [("far", 1), ("manager", 1)]
    assert sorted(said) == ["a", "far"]
    signals.say(f"presence.{subject}", {"subject": subject, "tab": "far", "gone": True})
    assert names(presence.people(actor=manager, kind=FLOW, code="repair")) == [("manager", 1)]
    end()


async def test_a_page_hears_who_comes_and_what_is_drawn(
    company: Company, manager: Actor, second: Actor, at: datetime
) -> None:
    draft = drafts.open_draft(actor=manager, at=at, code="repair")
    watching = Watching(actor=manager, kind=FLOW, code="repair")
    first = await asyncio.wait_for(anext(watching), 5)
    assert first.people == ()

    await asyncio.to_thread(presence.enter, actor=second, kind=FLOW, code="repair", tab="d")
    assert names((await asyncio.wait_for(anext(watching), 5)).people) == [("second", 1)]
    drafts.edit(
        actor=manager,
        at=at,
        draft_id=draft.id,
        if_match=0,
        gesture={
            "id": "g-1",
            "label": "flow_designer.gesture.edit",
            "ops": [{"op": "put", "path": ["name", "en"], "value": "Repairs"}],
        },
    )
    news = await asyncio.wait_for(anext(watching), 5)

    assert news.draft is not None
    assert (news.draft["draft"], news.draft["seq"]) == (draft.id, 1)
    watching.close()
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(watching), 5)


def test_a_listener_that_fails_keeps_nobody_else_from_hearing() -> None:
    heard: list[str] = []

    def broken(_: signals.Signal) -> None:
        raise ValueError("broken")

    ends = [
        signals.listen("draft.", broken),
        signals.listen("draft.", lambda signal: heard.append(signal.topic)),
    ]
    try:
        signals._tell(signals.Signal("draft.1.flow.repair", {}))
    finally:
        for end in ends:
            end()

    assert heard == ["draft.1.flow.repair"]


@pytest.mark.parametrize("message", ["", "1", "[]", '["other", "draft."]', "null", "not json"])
def test_what_is_no_message_of_this_console_is_passed_over(message: str) -> None:
    heard: list[signals.Signal] = []
    end = signals.listen("", heard.append)
    try:
        signals._hear(message)
    finally:
        end()

    assert heard == []


def test_only_designers_say_that_a_tab_is_closed(company: Company, manager: Actor) -> None:
    presence.enter(actor=manager, kind=FLOW, code="repair", tab="a")

    with pytest.raises(Forbidden):
        presence.leave(actor=company.actor("agent"), kind=FLOW, code="repair", tab="a")

    assert names(presence.people(actor=manager, kind=FLOW, code="repair")) == [("manager", 1)]
