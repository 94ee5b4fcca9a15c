"""Starts the web process: pages, events and API on one port. `python -m ticket_console.serve`"""

import asyncio
import ctypes
import gc
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import redis
import sqlalchemy as sa
import structlog
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ticket_console.kernel import database
from ticket_console.kernel.settings import BadSetting, Settings, settings

# Vite puts a hash of the content into every name under here.
_HASHED: Final = "/assets/"
_KEEP: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"

_BUILT: Final = Path(".web/build/client")
_M_ARENA_MAX: Final = -8
_PR_SET_PDEATHSIG: Final = 1


class CannotStart(Exception):
    """Why the console does not start, as a sentence for the operator."""


def main() -> int:
    try:
        chosen = settings()
        _check_surroundings(chosen)
    except (BadSetting, CannotStart) as reason:
        print(reason, file=sys.stderr)
        return 2
    _serve(chosen)
    return 0


def _check_surroundings(chosen: Settings) -> None:
    try:
        with database.engine().connect() as connection:
            present = MigrationContext.configure(connection).get_current_heads()
        # The worker is a fork of this process and must not share its connections.
        database.engine().dispose()
    except (sa.exc.SQLAlchemyError, OSError, ValueError) as failure:
        reason = getattr(failure, "orig", failure)
        raise CannotStart(f"The database of DATABASE_URL cannot be used: {reason}") from failure
    if set(present) != set(ScriptDirectory("alembic").get_heads()):
        raise CannotStart("The database is not up to date: run `make migrate` first.")
    if not (_BUILT / "index.html").exists():
        raise CannotStart("The front end is not built: run `make build` first.")
    if chosen.redis_url:
        try:
            redis.Redis.from_url(chosen.redis_url, socket_connect_timeout=3).ping()
        except redis.RedisError as failure:
            raise CannotStart(f"The Redis of REDIS_URL does not answer: {failure}") from failure
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", chosen.port)) == 0:
            raise CannotStart(f"Port {chosen.port} is taken: set PORT to a free one.")


def _serve(chosen: Settings) -> None:
    # One worker: the feed, the caches and the writer of SQLite live in one process. More machines or
    # processes share PostgreSQL and Redis instead.
    Granian(
        "ticket_console.serve:load",
        factory=True,
        address="0.0.0.0",
        port=chosen.port,
        interface=Interfaces.ASGI,
        workers=1,
        backlog=1024,
        log_level=LogLevels.error,
    ).serve()


def load() -> ASGIApp:
    """The whole console as one ASGI app; called in the worker process."""
    _die_with_parent()
    _share_arenas()
    from reflex.constants import Env
    from reflex_base.environment import environment

    # `make build` has compiled the pages; Reflex must only load and serve them.
    environment.REFLEX_ENV_MODE.set(Env.PROD)
    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)

    from ticket_console.api.app import build_api
    from ticket_console.kernel.clock import SystemClock
    from ticket_console.ticket_console import app

    chosen = settings()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(chosen.log_level))
    whole = _api_first(app(), build_api(SystemClock()))
    loaded = _dressed(whole, announce=lambda: print(f"The console is at {chosen.public_url}", flush=True))
    # All that was loaded lives as long as the process: collections need not look at it again.
    gc.collect()
    gc.freeze()
    # A request leaves no circles behind worth looking for after every 700 objects.
    gc.set_threshold(20_000, 20, 20)
    # Threads hand the lock over at every statement anyway; being made to more often only costs.
    sys.setswitchinterval(0.02)
    return loaded


def _share_arenas() -> None:
    """Let the threads share two heaps: with one each, what is free in one is asked for anew by another."""
    if sys.platform == "linux":
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def _api_first(app: ASGIApp, api: ASGIApp) -> ASGIApp:
    """Hand API calls over at the door: on their way through the pages' middleware they would gain nothing."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_api = scope["type"] == "http" and scope["path"].startswith("/api/")
        await (api if is_api else app)(scope, receive, send)

    return answer


def _pages() -> frozenset[str]:
    """The addresses for which the build has made a page of their own."""
    return frozenset(f"/{page.parent.relative_to(_BUILT)}" for page in _BUILT.rglob("index.html")) - {"/."}


def _die_with_parent() -> None:
    """Have the kernel end this worker when its parent is killed, so that no orphan keeps the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _dressed(app: ASGIApp, *, announce: Callable[[], None]) -> ASGIApp:
    """Say how long a browser may keep an answer, and say when the first request would be answered."""
    pages = _pages()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") in pages:
            # Saves the redirect to "/page/", which behind a proxy would even lead from https to http.
            scope = {**scope, "path": f"{scope['path']}/"}

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                lasting = message["status"] == 200 and scope["path"].startswith(_HASHED)
                headers = MutableHeaders(scope=message)
                headers.setdefault("cache-control", _KEEP if lasting else _ASK_AGAIN)
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                announce()

        try:
            await app(scope, receive, send_on)
        except asyncio.CancelledError:
            # Somebody is being told on a line that the stop of the server has just cut.
            if scope["type"] != "websocket":
                raise

    return answer


if __name__ == "__main__":
    sys.exit(main())
