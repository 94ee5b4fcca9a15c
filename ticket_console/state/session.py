"""Who sits at the browser, asked afresh for every event, and the one way to write a handler."""

import inspect
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from datetime import datetime
from functools import wraps
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import quote

import reflex as rx
from reflex.event import EventCallback, EventSpec

from ticket_console.access import policy, sessions
from ticket_console.kernel.actor import Actor, Role
from ticket_console.kernel.clock import Clock, SystemClock
from ticket_console.kernel.database import off_loop
from ticket_console.kernel.errors import ConsoleError, Forbidden, Unauthenticated
from ticket_console.state.feedback import refusal

COOKIE: Final = "tc_session"

Reply = EventSpec | EventCallback[()] | list[EventSpec | EventCallback[()]] | None

# Every declared handler: "module.Class.method" -> its permission, or None where it is public by declaration.
declared: Final[dict[str, str | None]] = {}

_acting: ContextVar[Actor | None] = ContextVar("acting", default=None)


def handler(
    *, permission: str | None = None, public: bool = False, background: bool = False, **options: Any
) -> Callable[[Callable[..., Any]], Any]:
    """Declare an event handler with the permission it needs, or as public.

    Before the body runs the session is resolved and the permission required; the body finds the actor
    in `self._actor()`. A refusal anywhere in the body becomes a toast, a lost session the log-in page.
    Further options go to `rx.event`.
    """
    if (permission is not None) == public:
        raise TypeError("a handler is declared either with a permission or as public")

    def declare(body: Callable[..., Any]) -> Any:
        declared[f"{body.__module__}.{body.__qualname__}"] = permission
        guarded = (
            _guarded_stream(body, permission)
            if inspect.isasyncgenfunction(body)
            else _guarded(body, permission)
        )
        return rx.event(background=background, **options)(guarded)

    return declare


def _guarded(body: Callable[..., Any], permission: str | None) -> Callable[..., Any]:
    @wraps(body)
    async def guarded(self: "SessionState", *args: Any, **kwargs: Any) -> Any:
        try:
            await self._admit(permission)
            return await body(self, *args, **kwargs)
        except ConsoleError as error:
            return self._refused(error)

    return guarded


def _guarded_stream(body: Callable[..., Any], permission: str | None) -> Callable[..., Any]:
    @wraps(body)
    async def guarded(self: "SessionState", *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        try:
            await self._admit(permission)
            async for reply in body(self, *args, **kwargs):
                yield reply
        except ConsoleError as error:
            yield self._refused(error)

    return guarded


class SessionState(rx.State):
    """The base of every State: it knows the viewer, and it is the only one that reads the session cookie."""

    user_name: str = ""
    roles: list[str] = []
    permissions: list[str] = []

    @handler(public=True)
    async def enter(self) -> Reply:
        """Run first on every page behind the log-in: show who is here, or send them to the log-in page."""
        actor = await self._resolve()
        self.user_name = actor.display
        self.roles = sorted(actor.roles)
        self.permissions = sorted(policy.permissions_of(actor))
        return None

    def _actor(self) -> Actor:
        """The actor of the running event; only within a handler that declares a permission."""
        actor = _acting.get()
        if actor is None:
            raise Unauthenticated()
        return actor

    def _now(self) -> datetime:
        return _clock.now()

    async def _admit(self, permission: str | None) -> None:
        if permission is None:
            _acting.set(None)
            return
        actor = await self._resolve()
        policy.require(actor, permission)
        _acting.set(actor)

    async def _resolve(self) -> Actor:
        token = self._session_token()
        if not token:
            raise Unauthenticated()
        return await off_loop(sessions.resolve, token=token, at=self._now())

    def _session_token(self) -> str:
        try:
            crumb = SimpleCookie(self.router.headers.cookie).get(COOKIE)
        except CookieError:
            return ""
        return crumb.value if crumb else ""

    def _refused(self, error: ConsoleError) -> EventSpec:
        url = self.router.url
        if isinstance(error, Unauthenticated):
            here = f"{url.path}?{url.query}" if url.query else url.path
            return rx.redirect(f"/login?next={quote(here)}")
        if isinstance(error, Forbidden) and url.path in {"", "/"}:
            # The first page after the log-in is the dashboard, which not everybody may see.
            return rx.redirect("/my" if Role.TECHNICIAN in self.roles else "/board")
        return refusal(error)


_clock: Clock = SystemClock()
