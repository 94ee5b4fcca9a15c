"""Refusals: the typed errors a user is meant to read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

Param = str | int | float | bool | Mapping[str, str] | None


class ConsoleError(Exception):
    """An expected refusal: nothing was changed, and the user is told why.

    `code` is at once the translation key, the problem type of the API and what tests assert;
    `params` fill the placeholders of the translation.
    """

    code: ClassVar[str] = "console.refused"
    http_status: ClassVar[int] = 400

    def __init__(self, **params: Param) -> None:
        self.params: dict[str, Param] = params
        super().__init__(f"{self.code} {params}" if params else self.code)


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one input: where, what, and the figures of the message."""

    path: str
    code: str
    params: Mapping[str, Param] = field(default_factory=dict)


class InvalidInput(ConsoleError):
    """Input that cannot be taken as it is; every problem found is named, not only the first."""

    code = "input.invalid"
    http_status = 422

    def __init__(self, problems: tuple[FieldProblem, ...], **params: Param) -> None:
        self.problems = problems
        super().__init__(count=len(problems), **params)


class NotFound(ConsoleError):
    code = "console.not_found"
    http_status = 404


class Forbidden(ConsoleError):
    code = "access.forbidden"
    http_status = 403


class Unauthenticated(ConsoleError):
    code = "access.unauthenticated"
    http_status = 401


class Conflict(ConsoleError):
    code = "console.conflict"
    http_status = 409


class RateLimited(ConsoleError):
    code = "access.rate_limited"
    http_status = 429
