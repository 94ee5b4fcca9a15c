"""How a route is declared, and what happens around its handler: size, caller, permission, body, refusal."""

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from limits import RateLimitItemPerMinute
from pydantic import TypeAdapter
from pydantic_core import to_json
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ticket_console.access import policy, throttle
from ticket_console.api import bodies
from ticket_console.api.bodies import Query
from ticket_console.api.callers import address_of, caller_of, refuse_foreign_origin
from ticket_console.api.errors import (
    BodyTooLarge,
    MethodNotAllowed,
    RouteNotFound,
    locale_of,
    problem_response,
    refusal_of,
)
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.clock import Clock
from ticket_console.kernel.database import off_loop
from ticket_console.kernel.errors import Unauthenticated
from ticket_console.kernel.settings import settings

B = TypeVar("B")


class _IdConvertor(Convertor[int]):
    """A row number as it can stand in a path; what no column can hold is no number of a row."""

    regex = "[0-9]{1,18}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


register_url_convertor("id", _IdConvertor())


@dataclass(frozen=True, slots=True)
class Call(Generic[B]):
    """One request that was let in: who calls, when, with which body and which query.

    Both have been checked against what the route declares; without a declaration they are None.
    """

    request: Request
    at: datetime
    body: B
    query: Any
    caller: Actor | None

    @property
    def actor(self) -> Actor:
        """The caller; only public routes have none."""
        if self.caller is None:
            raise Unauthenticated()
        return self.caller

    @property
    def locale(self) -> str:
        return locale_of(self.request)

    def path_param(self, name: str) -> Any:
        return self.request.path_params[name]


Handler = Callable[[Call[Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A declared route. `permission` is None exactly where `is_public`."""

    path: str
    method: str
    handler: Handler
    permission: str | None
    is_public: bool
    body: Any
    query: type[Query] | None
    answer: Any
    status: int
    consumes: str
    produces: str
    own_pages_only: bool
    max_bytes: Callable[[], int]
    per_minute: Callable[[], int] | None
    tag: str

    @property
    def name(self) -> str:
        return self.handler.__name__


def default_limit() -> int:
    return settings().max_body_bytes


def route(
    path: str,
    handler: Callable[[Call[Any]], Awaitable[Any]],
    *,
    method: str = "GET",
    permission: str | None = None,
    public: bool = False,
    body: Any = None,
    query: type[Query] | None = None,
    answer: Any = None,
    status: int = 200,
    consumes: str = bodies.JSON,
    produces: str = bodies.JSON,
    own_pages_only: bool = False,
    max_bytes: Callable[[], int] = default_limit,
    per_minute: Callable[[], int] | None = None,
    tag: str = "console",
) -> Endpoint:
    """Declare a route with the permission it needs, or as public.

    `body` is the type of the JSON body (a `Body`, or any type pydantic knows, such as
    `dict[str, Any]`), `query` the parameters of the address, `answer` the type of what comes back.
    The handler's first line of documentation is the summary in the OpenAPI document. What it
    returns is sent as JSON with `status`, unless it is a Response. A row number in a path is
    written `{ticket_id:id}`. `own_pages_only` refuses what another site sends. `per_minute` limits
    each caller, or each address on a public route.
    """
    if (permission is not None) == public:
        raise TypeError(f"{method} {path} is declared either with a permission or as public")
    return Endpoint(
        path=path,
        method=method,
        handler=handler,
        permission=permission,
        is_public=public,
        body=body,
        query=query,
        answer=answer,
        status=status,
        consumes=consumes,
        produces=produces,
        own_pages_only=own_pages_only,
        max_bytes=max_bytes,
        per_minute=per_minute,
        tag=tag,
    )


def routes_of(endpoints: Sequence[Endpoint], *, prefix: str, clock: Clock) -> list[Route]:
    """One route per path for the endpoints below a prefix, with the prefix left out."""
    by_path: dict[str, dict[str, Endpoint]] = {}
    for endpoint in endpoints:
        if endpoint.path.startswith(f"{prefix}/"):
            methods = by_path.setdefault(endpoint.path.removeprefix(prefix), {})
            if endpoint.method in methods:
                raise TypeError(f"{endpoint.method} {endpoint.path} is declared twice")
            methods[endpoint.method] = endpoint
    # Starlette takes an object for an application of its own and passes every method on to it.
    return [Route(path, _Dispatch(methods, clock)) for path, methods in by_path.items()]


def mount_of(endpoints: Sequence[Endpoint], *, prefix: str, clock: Clock) -> Mount:
    """Everything below a prefix: where no route is, a problem says so."""
    routes = routes_of(endpoints, prefix=prefix, clock=clock)
    return Mount(prefix, Router(routes, redirect_slashes=False, default=_not_found))


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    refusal = RouteNotFound()
    await problem_response(refusal, locale=locale_of(Request(scope)))(scope, receive, send)


class _Dispatch:
    """The endpoints of one path, by method."""

    def __init__(self, endpoints: Mapping[str, Endpoint], clock: Clock) -> None:
        self._apps: dict[str, ASGIApp] = {
            method: _Guarded(endpoint, clock) for method, endpoint in endpoints.items()
        }
        if "GET" in self._apps:
            self._apps.setdefault("HEAD", self._apps["GET"])
        self._allowed = ", ".join(sorted(self._apps))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._apps.get(scope["method"])
        if app is not None:
            await app(scope, receive, send)
        else:
            refusal = MethodNotAllowed(allowed=self._allowed)
            await problem_response(refusal, locale=locale_of(Request(scope)))(scope, receive, send)


class _Guarded:
    """An endpoint with everything that must hold before its handler runs."""

    def __init__(self, endpoint: Endpoint, clock: Clock) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._adapter: TypeAdapter[Any] | None = (
            TypeAdapter(endpoint.body) if endpoint.body is not None else None
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, bodies.bounded(receive, self._endpoint.max_bytes()))
        try:
            response = await self._answer(request)
        except Exception as error:
            refusal = refusal_of(error, path=request.url.path)
            response = problem_response(refusal, locale=locale_of(request))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        endpoint = self._endpoint
        # No name holds a NUL, and PostgreSQL would stumble over one.
        if "\0" in request.scope["path"]:
            raise RouteNotFound()
        self._refuse_announced_size(request)
        if endpoint.own_pages_only:
            refuse_foreign_origin(request)
        at = self._clock.now()
        caller = None if endpoint.is_public else await caller_of(request, at=at)
        if caller is not None and endpoint.permission is not None:
            policy.require(caller, endpoint.permission)
        if endpoint.per_minute is not None:
            await self._count(request, caller, endpoint.per_minute())
        query = None if endpoint.query is None else bodies.read_query(request.query_params, endpoint.query)
        call = Call(request=request, at=at, body=await self._body(request), query=query, caller=caller)
        answer = await endpoint.handler(call)
        if isinstance(answer, Response):
            return answer
        content = b"" if answer is None else to_json(answer, inf_nan_mode="null")
        return Response(content, status_code=endpoint.status, media_type=endpoint.produces)

    def _refuse_announced_size(self, request: Request) -> None:
        """Refuse at once what says that it is too large, before any of it is read."""
        announced = request.headers.get("content-length", "")
        limit = self._endpoint.max_bytes()
        if announced.isdecimal() and int(announced) > limit:
            raise BodyTooLarge(limit=limit)

    async def _count(self, request: Request, caller: Actor | None, per_minute: int) -> None:
        limit = _per_minute(per_minute, self._endpoint.path)
        whose = address_of(request) if caller is None else f"{caller.org_id}:{caller.label}:{caller.display}"
        if settings().redis_url:
            await off_loop(throttle.hit, limit, whose)
        else:
            throttle.hit(limit, whose)

    async def _body(self, request: Request) -> Any:
        if self._adapter is None:
            return None
        content = await request.body()
        return bodies.read_json(content, request.headers.get("content-type", ""), self._adapter)


@functools.lru_cache
def _per_minute(count: int, path: str) -> RateLimitItemPerMinute:
    return RateLimitItemPerMinute(count, namespace=path)
