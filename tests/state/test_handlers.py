"""A handler runs for those who may, says why not to the others, and sends visitors to the log-in page."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope
from ticket_console.kernel.errors import Conflict, FieldProblem, Forbidden, InvalidInput
from ticket_console.state import session
from ticket_console.state.feedback import done, refusal, unexpected
from ticket_console.state.session import declared, handler

DISPATCHER = Actor(
    kind=ActorKind.USER, org_id=1, display="周明远", user_id=5, grants=(Grant(Role.DISPATCHER, Scope.ORG),)
)


class Taken(Conflict):
    code = "ticket.which_step"


class Screen:
    """What a handler needs of its State, without Reflex."""

    _admit = session.SessionState._admit
    _resolve = session.SessionState._resolve
    _refused = session.SessionState._refused
    _actor = session.SessionState._actor
    _now = session.SessionState._now

    def __init__(self, token: str = "t", path: str = "/board") -> None:
        self.router = SimpleNamespace(url=SimpleNamespace(path=path, query="priority=1"))
        self.roles = [Role.DISPATCHER]
        self._token = token

    def _session_token(self) -> str:
        return self._token


@pytest.fixture(autouse=True)
def sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*, token: str, at: datetime) -> Actor:
        return DISPATCHER

    monkeypatch.setattr(session.sessions, "resolve", resolve)


def body_of(permission: str, body: Callable[..., Any]) -> Callable[..., Any]:
    return handler(permission=permission)(body)


async def test_the_body_finds_its_actor() -> None:
    async def look(self: Any) -> str:
        return self._actor().display

    assert await body_of("board.view", look)(Screen()) == "周明远"


async def test_without_the_permission_the_body_does_not_run() -> None:
    async def look(self: Any) -> None:
        raise AssertionError("ran")

    reply = await body_of("settlement.view", look)(Screen())

    assert "access.forbidden" in str(reply)


async def test_a_visitor_is_sent_to_the_log_in_page_and_back_afterwards() -> None:
    async def look(self: Any) -> None:
        raise AssertionError("ran")

    reply = await body_of("board.view", look)(Screen(token=""))

    assert "/login?next=/board%3Fpriority%3D1" in str(reply)


async def test_a_refusal_becomes_a_notice_with_its_figures() -> None:
    async def act(self: Any) -> None:
        raise Taken(steps=2)

    reply = str(await body_of("board.view", act)(Screen()))

    assert "ticket.which_step" in reply
    assert "steps" in reply


async def test_a_refusal_in_the_middle_of_a_stream_keeps_what_came_before() -> None:
    async def act(self: Any) -> AsyncIterator[Any]:
        yield "first"
        raise Taken(steps=2)

    replies = [reply async for reply in body_of("board.view", act)(Screen())]

    assert replies[0] == "first"
    assert "ticket.which_step" in str(replies[1])


async def test_a_fault_of_ours_is_not_swallowed() -> None:
    async def act(self: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await body_of("board.view", act)(Screen())


async def test_who_may_not_see_the_dashboard_lands_on_their_own_page() -> None:
    technician = Screen(path="/")
    technician.roles = [Role.TECHNICIAN]

    assert "/my" in str(technician._refused(Forbidden()))
    assert "/board" in str(Screen(path="/")._refused(Forbidden()))


async def test_the_actor_of_one_event_is_not_left_for_the_next() -> None:
    async def look(self: Any) -> str:
        return self._actor().display

    await body_of("board.view", look)(Screen())

    assert "/login" in str(await handler(public=True)(look)(Screen()))


def test_a_handler_says_exactly_one_of_permission_and_public() -> None:
    with pytest.raises(TypeError):
        handler()
    with pytest.raises(TypeError):
        handler(permission="board.view", public=True)


def test_every_declaration_is_kept_for_the_guard() -> None:
    assert declared["ticket_console.state.session.SessionState.enter"] is None


def test_a_notice_can_never_end_the_script_it_travels_in() -> None:
    assert "</script>" not in str(done("common.confirm", name="</script><b>"))


def test_every_problem_of_an_input_is_named() -> None:
    refused = InvalidInput((FieldProblem("title", "field.required"), FieldProblem("lat", "field.required")))

    said = str(refusal(refused).args[0][1])

    assert said.count("field.required") == 2


def test_a_fault_is_one_generic_line_that_tells_nothing_of_us() -> None:
    said = str(unexpected(RuntimeError("password=hunter2")))

    assert "console.unexpected" in said
    assert "hunter2" not in said
