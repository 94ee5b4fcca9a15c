"""Refusals on the wire: application/problem+json in the caller's language, and no trace of ours."""

from collections.abc import Mapping
from typing import Any, Final

import structlog
from pydantic_core import to_json
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ticket_console.i18n import negotiate, translate
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput, Param, Unauthenticated

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"
LOCALE_COOKIE: Final = "tc_locale"
# Names that the translation keeps for itself.
_RESERVED: Final = frozenset({"key", "locale", "zone"})


class MalformedJson(ConsoleError):
    code = "api.malformed_json"
    http_status = 400


class MalformedForm(ConsoleError):
    code = "api.malformed_form"
    http_status = 400


class RouteNotFound(ConsoleError):
    code = "api.route_not_found"
    http_status = 404


class MethodNotAllowed(ConsoleError):
    code = "api.method_not_allowed"
    http_status = 405


class BodyTooLarge(ConsoleError):
    code = "api.body_too_large"
    http_status = 413


class UnsupportedMediaType(ConsoleError):
    code = "api.unsupported_media_type"
    http_status = 415


class ForeignOrigin(ConsoleError):
    """Another site tries to use the cookie of somebody who is logged in here."""

    code = "access.foreign_origin"
    http_status = 403


class Unexpected(ConsoleError):
    """A fault of ours; what happened is in the log only."""

    code = "console.unexpected"
    http_status = 500


class Unavailable(ConsoleError):
    """The database cannot be reached or is too busy; trying again may help."""

    code = "console.unavailable"
    http_status = 503


def locale_of(request: Request) -> str:
    return negotiate(request.headers.get("accept-language", ""), request.cookies.get(LOCALE_COOKIE))


def refusal_of(error: Exception, *, path: str) -> ConsoleError:
    """What a caller is told about an error; what they are not told is logged."""
    match error:
        case ConsoleError():
            return error
        case HTTPException(status_code=400):
            return MalformedForm()
        case ClientDisconnect():
            return MalformedForm()
        case OperationalError():
            log.error("api.database_failed", path=path, exc_info=error)
            return Unavailable()
        case _:
            log.error("api.failed", path=path, exc_info=error)
            return Unexpected()


def problem_response(error: ConsoleError, *, locale: str) -> Response:
    """The RFC 9457 form of a refusal; `code` and `params` are for programs, `title` is for people."""
    problems = error.problems if isinstance(error, InvalidInput) else ()
    body = {
        "type": f"/api/docs#{error.code}",
        "title": _sentence(error.code, error.params, locale),
        "status": error.http_status,
        "code": error.code,
        "params": error.params,
        "problems": [_field_problem(problem, locale) for problem in problems],
    }
    return Response(
        to_json(body, inf_nan_mode="null", fallback=str),
        status_code=error.http_status,
        media_type=MEDIA_TYPE,
        headers={"Content-Language": locale, **_headers(error)},
    )


def _sentence(code: str, params: Mapping[str, Param], locale: str) -> str:
    figures: dict[str, Any] = {name: params[name] for name in params.keys() - _RESERVED}
    try:
        return translate(code, locale, **figures)
    except (TypeError, ValueError) as error:
        # A refusal whose text does not fit its figures is still a refusal and no fault.
        log.error("api.untranslatable", code=code, exc_info=error)
        return code


def _field_problem(problem: FieldProblem, locale: str) -> dict[str, Any]:
    return {
        "path": problem.path,
        "title": _sentence(problem.code, problem.params, locale),
        "code": problem.code,
        "params": dict(problem.params),
    }


def _headers(error: ConsoleError) -> dict[str, str]:
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="ticket-console"'
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = str(error.params["allowed"])
    if isinstance(error, Unavailable):
        headers["Retry-After"] = "1"
    if "retry_after" in error.params:
        headers["Retry-After"] = str(error.params["retry_after"])
    return headers
