"""The HTTP side of the console as one application, to be mounted in front of Reflex."""

from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, Response

from ticket_console.api import (
    auth,
    daily_income,
    definitions,
    designer,
    docs,
    health,
    imports,
    intake,
    maps,
    money,
    payments,
    reconciliations,
    records,
    statements,
    tasks,
    ticket_lists,
    tickets,
)
from ticket_console.api.headers import SecurityHeaders
from ticket_console.api.openapi import document
from ticket_console.api.routing import Call, Endpoint, mount_of, route, routes_of
from ticket_console.kernel.clock import Clock
from ticket_console.kernel.settings import settings

_PREFIXES: Final = ("/api", "/auth")


def build_api(clock: Clock) -> Starlette:
    """The application for `rx.App(api_transformer=...)`.

    Reflex mounts its own routes and the pages behind it at "", so whatever is declared here is
    found first, and everything below /api and /auth is answered here even where no route is.
    """
    declared = endpoints()
    below = tuple(f"{prefix}/" for prefix in _PREFIXES)
    apart = [endpoint for endpoint in declared if not endpoint.path.startswith(below)]
    return Starlette(
        routes=[
            *(mount_of(declared, prefix=prefix, clock=clock) for prefix in _PREFIXES),
            *routes_of(apart, prefix="", clock=clock),
        ],
        middleware=[Middleware(SecurityHeaders)],
    )


def endpoints() -> tuple[Endpoint, ...]:
    """Every route there is; the guard test walks them."""
    return (
        *intake.endpoints,
        *imports.endpoints,
        *payments.endpoints,
        *reconciliations.endpoints,
        *tickets.endpoints,
        *ticket_lists.endpoints,
        *records.endpoints,
        *maps.endpoints,
        *money.endpoints,
        *statements.endpoints,
        *daily_income.endpoints,
        *tasks.endpoints,
        *definitions.endpoints,
        *designer.endpoints,
        *auth.endpoints,
        *health.endpoints,
        *_own,
    )


async def openapi_json(call: Call[None]) -> dict[str, object]:
    """Describe this API for programs."""
    return document(endpoints(), version=health.VERSION, server=settings().public_url)


async def api_docs(call: Call[None]) -> Response:
    """Describe this API for people."""
    described = document(endpoints(), version=health.VERSION, server=settings().public_url)
    return HTMLResponse(
        docs.page(described, locale=call.locale), headers={"Content-Security-Policy": docs.POLICY}
    )


_own: Final = (
    route("/api/v1/openapi.json", openapi_json, public=True, answer=dict[str, object], tag="description"),
    route("/api/docs", api_docs, public=True, produces="text/html", tag="description"),
)
