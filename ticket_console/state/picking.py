"""Rows of a plan that are picked, and what is told of those that were carried out."""

from collections.abc import Iterable, Sequence
from typing import Any

from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.state.board_asked import number

Plain = dict[str, Any]


def repicked(
    unpicked: Sequence[int],
    rows: Iterable[Plain],
    ticket_id: object,
    is_picked: object,
    *,
    missing: type[InvalidInput],
) -> list[int]:
    """What is left out once a row was picked or left out; `missing` refuses a ticket without a row."""
    wanted = number(ticket_id, "ticket_id")
    flag = _flag(is_picked)
    if wanted not in {row["ticket_id"] for row in rows}:
        raise missing((), ticket_id=wanted)
    others = [each for each in unpicked if each != wanted]
    return others if flag else [*others, wanted]


def all_repicked(rows: Iterable[Plain], is_picked: object) -> list[int]:
    return [] if _flag(is_picked) else [row["ticket_id"] for row in rows]


def refused_first(outcomes: Iterable[Plain]) -> list[Plain]:
    """What was refused is what somebody has to read."""
    return sorted(outcomes, key=lambda each: bool(each["is_done"]))


def _flag(is_picked: object) -> bool:
    if not isinstance(is_picked, bool):
        raise InvalidInput((FieldProblem("is_picked", "input.wrong_type"),))
    return is_picked
