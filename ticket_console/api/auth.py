"""Logging in and out: plain form posts, because only an HTTP answer can set a cookie no script can read."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from ticket_console.access import sessions
from ticket_console.access.sessions import MOST_LENGTHS, NewSession
from ticket_console.api.callers import SESSION_COOKIE, address_of, refuse_foreign_origin
from ticket_console.api.routing import Call, route
from ticket_console.kernel.database import in_writer, off_loop
from ticket_console.kernel.errors import ConsoleError, Unauthenticated
from ticket_console.kernel.settings import settings

_FORM: Final = "application/x-www-form-urlencoded"
_FORM_BYTES: Final = 16_384
_HOME: Final = "/"
_LOGIN_PAGE: Final = "/login"
_SEE_OTHER: Final = 303
# Checking a password takes a core for 35 ms. A flood of guesses queues here, and neither the
# threads of the database nor the second core wait for it.
_checking: Final = ThreadPoolExecutor(1, "console-log-in")


async def log_in(call: Call[None]) -> Response:
    """Open a session from the form of the log-in page and lead on to where the user wanted to go."""
    form = await call.request.form()
    following = local_path(_text(form.get("next")))
    try:
        refuse_foreign_origin(call.request)
        session = await _check(call, login=_text(form.get("username")), password=_text(form.get("password")))
    except ConsoleError as refused:
        asked = {"error": refused.code} | ({"next": following} if following != _HOME else {})
        return RedirectResponse(f"{_LOGIN_PAGE}?{urlencode(asked)}", _SEE_OTHER)
    earlier = call.request.cookies.get(SESSION_COOKIE)
    if earlier:
        await in_writer(sessions.log_out, token=earlier, at=call.at)
    response = RedirectResponse(following, _SEE_OTHER)
    response.set_cookie(
        SESSION_COOKIE,
        session.token,
        # As long as use can prolong a session; when it really ends, the server decides.
        max_age=MOST_LENGTHS * settings().session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=settings().is_secure,
    )
    return response


async def log_out(call: Call[None]) -> Response:
    """End this browser's session."""
    token = call.request.cookies.get(SESSION_COOKIE)
    if token:
        await in_writer(sessions.log_out, token=token, at=call.at)
    return _to_login_page()


async def log_out_everywhere(call: Call[None]) -> Response:
    """End every session of the user, on whatever device."""
    token = call.request.cookies.get(SESSION_COOKIE)
    if token:
        try:
            actor = await off_loop(sessions.resolve, token=token, at=call.at)
        except Unauthenticated:
            return _to_login_page()
        await in_writer(sessions.log_out_everywhere, actor=actor, at=call.at)
    return _to_login_page()


def local_path(wanted: str) -> str:
    """A path within the console, or its home page for whatever would lead elsewhere."""
    if not wanted.startswith("/") or wanted[1:2] in {"/", "\\"} or not wanted.isprintable():
        return _HOME
    parts = urlsplit(wanted)
    return wanted if not parts.scheme and not parts.netloc else _HOME


async def _check(call: Call[None], *, login: str, password: str) -> NewSession:
    attempt = partial(
        sessions.log_in,
        login=login,
        password=password,
        at=call.at,
        user_agent=call.request.headers.get("user-agent", ""),
        address=address_of(call.request),
    )
    return await asyncio.get_running_loop().run_in_executor(_checking, attempt)


def _to_login_page() -> Response:
    response = RedirectResponse(_LOGIN_PAGE, _SEE_OTHER)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="lax", secure=settings().is_secure)
    return response


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _form_bytes() -> int:
    return _FORM_BYTES


endpoints: Final = (
    route(
        "/auth/login",
        log_in,
        method="POST",
        public=True,
        consumes=_FORM,
        produces="text/html",
        status=_SEE_OTHER,
        max_bytes=_form_bytes,
        tag="session",
    ),
    route(
        "/auth/logout",
        log_out,
        method="POST",
        public=True,
        own_pages_only=True,
        produces="text/html",
        status=_SEE_OTHER,
        max_bytes=_form_bytes,
        tag="session",
    ),
    route(
        "/auth/logout-everywhere",
        log_out_everywhere,
        method="POST",
        public=True,
        own_pages_only=True,
        produces="text/html",
        status=_SEE_OTHER,
        max_bytes=_form_bytes,
        tag="session",
    ),
)
