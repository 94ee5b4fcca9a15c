"""What a browser asks of the board, taken out of what it sent; anything of the wrong kind is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ticket_console.desk.bulk import MOST_AT_ONCE, Order
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.tickets.board import By

LONGEST_TEXT: Final = 2_000
LONGEST_KEY: Final = 64
# What both databases hold as a number of a row.
_HIGHEST: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Target:
    """Where a card was dropped: a lane, and the cards above and below."""

    by: By
    key: str
    before_id: int | None
    after_id: int | None


def number(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _HIGHEST:
        raise _wrong(name)
    return value


def number_or_none(value: Any, name: str) -> int | None:
    return None if value is None else number(value, name)


def text(value: Any, name: str, longest: int = LONGEST_TEXT) -> str:
    if not isinstance(value, str) or "\x00" in value or not _is_text(value):
        raise _wrong(name)
    if len(value) > longest:
        raise InvalidInput((FieldProblem(name, "field.too_long", {"max": longest}),))
    return value


def command(value: Any) -> str:
    """The id a browser gave its command."""
    found = text(value, "command_id", LONGEST_KEY)
    if not found:
        raise _wrong("command_id")
    return found


def target_asked(value: Any) -> Target:
    asked = _map(value, "to")
    by = asked.get("by")
    if not isinstance(by, str) or by not in {each.value for each in By}:
        raise _wrong("to.by")
    return Target(
        By(by),
        text(asked.get("key"), "to.key", LONGEST_KEY),
        number_or_none(asked.get("before"), "to.before"),
        number_or_none(asked.get("after"), "to.after"),
    )


def place_asked(value: Any) -> tuple[int, str] | None:
    """[priority class, rank] of the last card somebody has; without one, the beginning."""
    if not isinstance(value, list) or len(value) not in (0, 2):
        raise _wrong("after")
    return (number(value[0], "after"), text(value[1], "after", LONGEST_KEY)) if value else None


def items_asked(value: Any) -> list[tuple[int, int]]:
    if not isinstance(value, list) or len(value) > MOST_AT_ONCE:
        raise InvalidInput((FieldProblem("items", "field.out_of_range", {"min": 1, "max": MOST_AT_ONCE}),))
    return [
        (number(each[0], "items"), number(each[1], "items"))
        if isinstance(each, list) and len(each) == 2
        else _refuse("items")
        for each in value
    ]


def order_asked(act: Any, args: Any) -> Order:
    asked = _map(args, "args")
    override = asked.get("override", False)
    if not isinstance(override, bool):
        raise _wrong("args.override")
    return Order(
        text(act, "act", LONGEST_KEY),
        to=text(asked.get("to", ""), "args.to", LONGEST_KEY),
        technician_id=number(asked.get("technician_id", 0), "args.technician_id"),
        territory_id=number(asked.get("territory_id", 0), "args.territory_id"),
        priority=number(asked.get("priority", 0), "args.priority"),
        reason=text(asked.get("reason", ""), "args.reason"),
        override=override,
    )


def commands_asked(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_AT_ONCE:
        raise InvalidInput((FieldProblem("undone", "field.out_of_range", {"min": 1, "max": MOST_AT_ONCE}),))
    return [command(each) for each in value]


def _map(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(name)
    return value


def _is_text(value: str) -> bool:
    """Halves of a character, which no database takes, can be sent as JSON."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse(name: str) -> tuple[int, int]:
    raise _wrong(name)


def _wrong(name: str) -> InvalidInput:
    return InvalidInput((FieldProblem(name, "input.wrong_type"),))
