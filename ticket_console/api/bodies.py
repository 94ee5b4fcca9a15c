"""Reading what a caller sent: bounded, as strict JSON, with every problem named by its path."""

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json
from starlette.datastructures import QueryParams
from starlette.types import Message, Receive

from ticket_console.api.errors import BodyTooLarge, MalformedJson, UnsupportedMediaType
from ticket_console.kernel.errors import FieldProblem, InvalidInput

JSON: Final = "application/json"
_PLACE: Final = re.compile(r" at line (\d+) column (\d+)$")
_LARGEST: Final = 2**63 - 1
_CODES: Final = {
    "missing": "input.missing",
    "extra_forbidden": "input.unknown_key",
    "enum": "input.not_allowed",
    "literal_error": "input.not_allowed",
    "string_too_short": "input.too_short",
    "string_too_long": "input.too_long",
    "too_short": "input.too_short",
    "too_long": "input.too_long",
    "string_pattern_mismatch": "input.bad_format",
    "datetime_parsing": "input.bad_format",
    "datetime_from_date_parsing": "input.bad_format",
    "timezone_aware": "input.bad_format",
    "date_parsing": "input.bad_format",
    "decimal_parsing": "input.bad_format",
    "greater_than": "input.out_of_range",
    "greater_than_equal": "input.out_of_range",
    "less_than": "input.out_of_range",
    "less_than_equal": "input.out_of_range",
    "finite_number": "input.out_of_range",
}


class Body(BaseModel):
    """What a caller may send: exactly these keys, of exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Query(BaseModel):
    """What may stand behind the question mark; everything there is text, so numbers are read from it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def bounded(receive: Receive, limit: int) -> Receive:
    """The same stream, broken off with BodyTooLarge once more than `limit` bytes have come."""
    seen = 0

    async def receive_some() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise BodyTooLarge(limit=limit)
        return message

    return receive_some


def read_json(content: bytes, content_type: str, adapter: TypeAdapter[Any]) -> Any:
    """The value of a JSON body; raises MalformedJson with line and column, or InvalidInput."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != JSON:
        raise UnsupportedMediaType(expected=JSON, got=media_type[:80])
    try:
        plain = from_json(content, allow_inf_nan=False)
    except ValueError as wrong:
        place = _PLACE.search(str(wrong))
        line, column = (int(place[1]), int(place[2])) if place else (1, 0)
        raise MalformedJson(line=line, column=column) from None
    unstorable = tuple(_unstorable(plain, ""))
    if unstorable:
        raise InvalidInput(unstorable)
    try:
        return adapter.validate_json(content)
    except ValidationError as invalid:
        raise InvalidInput(_problems(invalid)) from None


def read_query(params: QueryParams, model: type[Query]) -> Query:
    """The parameters of the address; one that is given twice is taken as a list where a list is asked for."""
    given: dict[str, Any] = {}
    for name in params:
        values = params.getlist(name)
        given[name] = values if len(values) > 1 or _takes_list(model, name) else values[0]
    problems = tuple(_unstorable(given, ""))
    if problems:
        raise InvalidInput(problems)
    try:
        found = model.model_validate(given)
    except ValidationError as invalid:
        raise InvalidInput(_problems(invalid)) from None
    problems = tuple(_unstorable(found.model_dump(), ""))
    if problems:
        raise InvalidInput(problems)
    return found


def _takes_list(model: type[Query], name: str) -> bool:
    field = model.model_fields.get(name)
    return field is not None and getattr(field.annotation, "__origin__", None) in {tuple, list, frozenset}


def _unstorable(value: Any, path: str) -> Iterator[FieldProblem]:
    """What can be said and no database can keep: a NUL in a text, a number too large for any column."""
    if isinstance(value, str):
        if "\0" in value:
            yield FieldProblem(path, "input.bad_character")
    elif isinstance(value, int | float):
        if not -_LARGEST <= value <= _LARGEST:
            yield FieldProblem(path, "input.out_of_range")
    elif isinstance(value, dict):
        for key, inner in value.items():
            inner_path = f"{path}.{key}" if path else key
            if "\0" in key:
                yield FieldProblem(inner_path.replace("\0", ""), "input.bad_character")
            yield from _unstorable(inner, inner_path)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _unstorable(inner, f"{path}[{index}]")


def _problems(invalid: ValidationError) -> tuple[FieldProblem, ...]:
    return tuple(_problem(error) for error in invalid.errors(include_url=False, include_input=False))


def _problem(error: ErrorDetails) -> FieldProblem:
    path = ""
    for part in error["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    context = error.get("ctx", {})
    limits = {name: value for name, value in context.items() if isinstance(value, int | float | str)}
    return FieldProblem(path, _CODES.get(error["type"], "input.wrong_type"), limits)
