"""The board's handlers end to end: what anybody may send is judged, refused by name, and changes nothing."""

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import Company, found_company
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table
from ticket_console.state import session
from ticket_console.state.board_desk import BoardDeskState
from ticket_console.state.board_hand import BoardHandState
from ticket_console.state.board_views import BoardViewsState
from ticket_console.state.ticket import TicketState
from ticket_console.tickets.tables import BoardView, Event, Ticket, TicketSeen, WipLimit


class Screen:
    """What the handlers need of their State, without Reflex."""

    _admit = session.SessionState._admit
    _resolve = session.SessionState._resolve
    _refused = session.SessionState._refused
    _actor = session.SessionState._actor
    _answer = BoardDeskState._answer
    _saw = BoardDeskState._saw

    def __init__(self, at: datetime) -> None:
        self.router = SimpleNamespace(url=SimpleNamespace(path="/board", query="", query_parameters={}))
        self.roles: list[str] = []
        self.verdict: dict[str, Any] = {}
        self.truth: dict[str, Any] = {}
        self.peeked: dict[str, Any] = {}
        self.outcomes: dict[str, Any] = {}
        self._at = at

    def _session_token(self) -> str:
        return "t"

    def _now(self) -> datetime:
        return self._at


@pytest.fixture
def company(database: object, at: datetime, monkeypatch: pytest.MonkeyPatch) -> Company:
    made = found_company(at)
    manager = made.actor("manager")

    def resolve(*, token: str, at: datetime) -> Actor:
        return manager

    monkeypatch.setattr(session.sessions, "resolve", resolve)
    return made


def everything() -> list[Any]:
    with reading() as connection:
        return [
            connection.execute(sa.select(table(model))).all()
            for model in (Ticket, Event, TicketSeen, BoardView, WipLimit)
        ]


def body(handler: Any) -> Callable[..., Any]:
    made: Callable[..., Any] = handler.fn
    return made


FORGED: list[Any] = [None, "7", -1, True, 1.5, [], {}, 2**70]


@pytest.mark.parametrize("forged", FORGED, ids=repr)
async def test_a_forged_card_is_refused_by_name_and_nothing_changes(company: Company, forged: Any) -> None:
    opened = company.open()
    screen, before = Screen(company.at), everything()
    to = {"by": "stage", "key": "onsite", "before": None, "after": None}

    await body(BoardHandState.drop)(screen, "c", forged, opened.version, to, "", False)
    assert (screen.verdict["ok"], screen.verdict["reasons"][0]["code"]) == (False, "input.wrong_type")
    await body(BoardHandState.drop)(screen, "c", opened.ticket_id, forged, to, "", False)
    assert screen.verdict["ok"] is False
    await body(BoardDeskState.peek)(screen, forged)
    assert screen.peeked["code"] == "input.invalid"
    await body(BoardHandState.hold)(screen, forged)
    assert (screen.truth["lanes"], screen.truth["code"]) == ({}, "input.invalid")
    reply = await body(BoardDeskState.bulk)(screen, "c", [[forged, 1]], "priority", {"priority": 1})
    assert "input.invalid" in str(reply)
    assert "input.invalid" in str(await body(BoardViewsState.delete_view)(screen, forged))

    assert everything() == before


@pytest.mark.parametrize("forged", [None, 7, [], "x\x00", {"by": "elsewhere"}], ids=repr)
async def test_a_forged_text_or_place_is_refused_and_nothing_changes(company: Company, forged: Any) -> None:
    opened = company.open()
    screen, before = Screen(company.at), everything()

    await body(BoardHandState.drop)(screen, "c", opened.ticket_id, opened.version, forged, "", False)
    assert (screen.verdict["ok"], screen.verdict["reasons"][0]["code"]) == (False, "input.wrong_type")
    reply = await body(BoardDeskState.undo)(screen, "c", [forged])
    assert "input.invalid" in str(reply)
    assert "input.invalid" in str(await body(BoardViewsState.save_view)(screen, 0, forged, False, ""))
    assert "input.invalid" in str(await body(BoardViewsState.set_limit)(screen, forged, "onsite", 1, 2))

    assert everything() == before


async def test_looking_into_a_ticket_counts_as_seen(company: Company) -> None:
    opened = company.open()
    screen = Screen(company.at)

    await body(BoardDeskState.peek)(screen, opened.ticket_id)

    assert screen.peeked["ticket_id"] == opened.ticket_id
    with reading() as connection:
        seen = connection.execute(sa.select(table(TicketSeen))).one()
    assert (seen.ticket_id, seen.version) == (opened.ticket_id, opened.version)


class TicketScreen(Screen):
    _show = TicketState._show
    _look = TicketState._look
    _put = TicketState._put

    def __init__(self, at: datetime, ticket_id: int) -> None:
        super().__init__(at)
        self.path_open, self.shown_id = False, ticket_id

    def __getattr__(self, name: str) -> None:
        return None

    def _ticket_id(self) -> int:
        return self.shown_id

    async def load(self) -> None:
        await self._show()


async def test_a_ticket_that_was_opened_is_not_new_on_the_board(company: Company) -> None:
    opened = company.open()

    await session.handler(permission="ticket.view")(TicketScreen.load)(
        TicketScreen(company.at, opened.ticket_id)
    )

    with reading() as connection:
        seen = connection.execute(sa.select(table(TicketSeen))).one()
    assert (seen.ticket_id, seen.version) == (opened.ticket_id, opened.version)
