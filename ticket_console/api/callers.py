"""Who calls: a program with an API token, or a browser with the cookie of its session."""

from datetime import datetime
from typing import Final

from starlette.requests import Request

from ticket_console.access import sessions, tokens
from ticket_console.api.errors import ForeignOrigin
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import briefly, reading
from ticket_console.kernel.errors import Unauthenticated
from ticket_console.kernel.settings import settings

SESSION_COOKIE: Final = "tc_session"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


async def caller_of(request: Request, *, at: datetime) -> Actor:
    """The actor behind a request; Unauthenticated when neither token nor cookie opens anything.

    A cookie is sent by the browser whoever asks for it, so what changes something must come from
    our own pages.
    """
    authorization = request.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated()
        return await briefly(_by_token, token.strip(), at)
    cookie = request.cookies.get(SESSION_COOKIE)
    if not cookie:
        raise Unauthenticated()
    if request.method not in _SAFE_METHODS:
        refuse_foreign_origin(request)
    return await briefly(sessions.resolve, token=cookie, at=at)


def refuse_foreign_origin(request: Request) -> None:
    """Raise ForeignOrigin unless one of our own pages sent the request.

    A browser that keeps the origin to itself still says whether it is the same one.
    """
    origin = request.headers.get("origin", "null")
    if origin == "null":
        if request.headers.get("sec-fetch-site") != "same-origin":
            raise ForeignOrigin(origin="")
    elif origin not in settings().allowed_origins:
        raise ForeignOrigin(origin=origin[:200])


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def _by_token(token: str, at: datetime) -> Actor:
    with reading() as connection:
        return tokens.resolve_token(connection, token=token, at=at)
