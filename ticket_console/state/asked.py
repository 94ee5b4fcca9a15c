"""What a browser asks, taken out of the map it sent; anything of the wrong kind is refused."""

from collections.abc import Mapping
from typing import Any

from ticket_console.kernel.errors import FieldProblem, InvalidInput

_LONGEST_NUMBER = 15
_LONGEST_TEXT = 2_000


def number_asked(asked: Mapping[str, Any], name: str) -> int:
    value = asked.get(name)
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= _LONGEST_NUMBER:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput((FieldProblem(name, "input.wrong_type"),))
    return value


def text_asked(asked: Mapping[str, Any], name: str) -> str:
    value = asked.get(name, "")
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise InvalidInput((FieldProblem(name, "input.wrong_type"),))
    return value
