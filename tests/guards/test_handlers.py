"""Every door is declared: what can be called is public on purpose or asks for a permission."""

import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import reflex as rx
from reflex_base.registry import RegistrationContext
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.testclient import TestClient

import ticket_console
from ticket_console.access import policy
from ticket_console.api import app, health
from ticket_console.api.routing import Endpoint, _Dispatch
from ticket_console.kernel.clock import FixedClock
from ticket_console.state import session
from ticket_console.state.session import SessionState

# The composition root builds the whole app, and the starter runs it; neither defines a State.
_NOT_IMPORTED = {"ticket_console.ticket_console", "ticket_console.serve"}
# What Reflex itself answers on any State: it shows pages and tells errors; `setvar` calls only what
# is a handler of ours anyway, and never awaits it.
_OF_REFLEX = {
    "State.hydrate",
    "State.hydrate_and_load",
    "State.set_is_hydrated",
    "EventHandlerSetVar.setvar",
    "FrontendEventExceptionState.handle_frontend_exception",
    "UpdateVarsInternalState.update_vars_internal",
    "OnLoadInternalState.on_load_internal",
    "OnLoadInternalState.set_is_hydrated",
}

for _module in pkgutil.walk_packages(ticket_console.__path__, "ticket_console."):
    if _module.name not in _NOT_IMPORTED:
        importlib.import_module(_module.name)

HANDLERS = {name: registered.handler for name, registered in RegistrationContext.get().event_handlers.items()}
OURS = {
    name: handler for name, handler in HANDLERS.items() if handler.fn.__module__.startswith("ticket_console")
}
ENDPOINTS = app.endpoints()


def key(handler: Any) -> str:
    return f"{handler.fn.__module__}.{handler.fn.__qualname__}"


def subclasses(parent: type) -> Iterator[type]:
    for child in parent.__subclasses__():
        yield child
        yield from subclasses(child)


def test_there_are_handlers_to_look_at() -> None:
    assert "ticket_console.state.session.SessionState.enter" in {key(each) for each in OURS.values()}


def test_every_event_a_browser_can_send_is_declared() -> None:
    assert [name for name, handler in OURS.items() if key(handler) not in session.declared] == []


def test_every_declared_handler_is_the_guarded_one_and_not_its_bare_body() -> None:
    bare = [
        name
        for name, handler in OURS.items()
        if not hasattr(handler.fn, "__wrapped__") or handler.fn.__code__.co_name != "guarded"
    ]

    assert bare == []


def test_nothing_else_answers_but_what_reflex_brings() -> None:
    foreign = {handler.fn.__qualname__ for name, handler in HANDLERS.items() if name not in OURS}

    assert foreign <= _OF_REFLEX


def test_every_state_of_ours_knows_its_viewer() -> None:
    apart = [
        kind.__qualname__
        for kind in subclasses(rx.State)
        if kind.__module__.startswith("ticket_console") and not issubclass(kind, SessionState)
    ]

    assert apart == []


@pytest.mark.parametrize("name", sorted(session.declared))
def test_the_permission_of_a_handler_exists(name: str) -> None:
    permission = session.declared[name]

    assert permission is None or permission in policy.ALL_PERMISSIONS


@pytest.mark.parametrize(
    "name", sorted(name for name, handler in OURS.items() if session.declared.get(key(handler)) is not None)
)
async def test_a_handler_with_a_permission_sends_a_stranger_to_the_log_in_page(name: str) -> None:
    handler = OURS[name]
    kind = RegistrationContext.get().base_states[name.rpartition(".")[0]]

    running = handler.fn(kind())
    reply = await anext(running) if inspect.isasyncgen(running) else await running

    assert "/login?next=" in str(reply)


def routes(among: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for each in among:
        if isinstance(each, Mount) and isinstance(each.app, Router):
            yield from routes(each.app.routes, prefix + each.path)
        else:
            yield prefix + getattr(each, "path", str(each)), each


@pytest.fixture(scope="module")
def console() -> Starlette:
    return app.build_api(FixedClock(datetime(2026, 11, 21, 2, tzinfo=UTC)))


def test_every_route_of_the_api_is_a_declared_one(console: Starlette) -> None:
    served = list(routes(console.routes))

    assert {path for path, _ in served} == {endpoint.path for endpoint in ENDPOINTS}
    assert [path for path, each in served if not isinstance(each, Route)] == []
    assert [path for path, each in served if not isinstance(each.endpoint, _Dispatch)] == []


def describe(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=describe)
def test_a_route_is_public_by_declaration_or_asks_for_a_permission_that_exists(endpoint: Endpoint) -> None:
    assert (endpoint.permission is None) == endpoint.is_public
    assert endpoint.is_public or endpoint.permission in policy.ALL_PERMISSIONS


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=describe)
def test_a_route_says_what_it_is_for(endpoint: Endpoint) -> None:
    assert endpoint.handler.__doc__


@pytest.mark.parametrize(
    "endpoint", [endpoint for endpoint in ENDPOINTS if not endpoint.is_public], ids=describe
)
def test_a_route_with_a_permission_answers_no_stranger(console: Starlette, endpoint: Endpoint) -> None:
    path = "/".join("1" if part.startswith("{") else part for part in endpoint.path.split("/"))

    answer = TestClient(console).request(endpoint.method, path)

    assert (answer.status_code, answer.json()["code"]) == (401, "access.unauthenticated")


@pytest.mark.parametrize(
    "endpoint",
    [endpoint for endpoint in ENDPOINTS if endpoint.is_public and endpoint.method != "GET"],
    ids=describe,
)
def test_what_changes_something_without_a_caller_is_known_by_name(endpoint: Endpoint) -> None:
    assert describe(endpoint) in PUBLIC_CHANGES


# Each of these finds out for itself who asks, or takes it from anybody at a limited rate.
PUBLIC_CHANGES = {
    "POST /auth/login",
    "POST /auth/logout",
    "POST /auth/logout-everywhere",
    "POST /api/v1/public/forms/{template}",
}


def test_operation_names_are_unique() -> None:
    names = [endpoint.name for endpoint in ENDPOINTS]

    assert len(names) == len(set(names))


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))

    assert project["project"]["version"] == health.VERSION
