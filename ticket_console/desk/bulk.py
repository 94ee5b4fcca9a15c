"""The same for many tickets at once: an ordinary command for each, with an answer for each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ticket_console.access import policy
from ticket_console.desk import arranging, assigning, moving
from ticket_console.desk.work import Asked, MovedTicket
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.tickets import reads

MOST_AT_ONCE: Final = 100
# A command's id is this long at most, and each ticket's number is put behind it.
LONGEST_COMMAND: Final = 44


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one ticket; `no` is empty for one the actor may not see."""

    ticket_id: int
    no: str
    is_done: bool
    version: int | None = None
    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be done; of the rest an act takes what it needs."""

    act: str
    to: str = ""
    technician_id: int = 0
    territory_id: int = 0
    priority: int = 0
    reason: str = ""
    override: bool = False


def carry_out_all(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    items: Sequence[tuple[int, int]],
    order: Order,
) -> tuple[Outcome, ...]:
    """Do the same with each of these (ticket, version), in their order; what is refused stops nothing.

    Each is a command of its own, `command_id:ticket`, so that a repetition finds what was done. Raises
    InvalidInput for too many, the same one twice, or an act that there is not.
    """
    do = _ACTS.get(order.act)
    _refuse_nonsense(command_id, items, do is not None)
    assert do is not None
    policy.require(actor, "board.view")
    return tuple(_one(do, actor, at, command_id, ticket_id, version, order) for ticket_id, version in items)


def _refuse_nonsense(command_id: str, items: Sequence[tuple[int, int]], is_known: bool) -> None:
    problems = []
    if not is_known:
        problems.append(FieldProblem("act", "board.no_such_act"))
    if not 0 < len(command_id) <= LONGEST_COMMAND:
        problems.append(FieldProblem("command_id", "field.too_long", {"max": LONGEST_COMMAND}))
    if not 1 <= len(items) <= MOST_AT_ONCE:
        problems.append(FieldProblem("items", "field.out_of_range", {"min": 1, "max": MOST_AT_ONCE}))
    elif len({ticket_id for ticket_id, _ in items}) != len(items):
        problems.append(FieldProblem("items", "board.named_twice"))
    if problems:
        raise InvalidInput(tuple(problems))


def _one(
    do: Callable[[Asked, Order], MovedTicket],
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    version: int,
    order: Order,
) -> Outcome:
    asked: Asked = {
        "actor": actor,
        "at": at,
        "command_id": f"{command_id}:{ticket_id}",
        "ticket_id": ticket_id,
        "expected_version": version,
    }
    try:
        moved = do(asked, order)
    except ConsoleError as refusal:
        return Outcome(
            ticket_id, number_of(actor, ticket_id), False, code=refusal.code, params=refusal.params
        )
    return Outcome(ticket_id, moved.no, True, moved.version)


def number_of(actor: Actor, ticket_id: int) -> str:
    """What a ticket is called; nothing for one the actor may not see."""
    with reading() as connection:
        try:
            return str(reads.find_ticket(connection, viewer=actor, ticket_id=ticket_id)["no"])
        except ConsoleError:
            return ""


_ACTS: Final[dict[str, Callable[[Asked, Order], MovedTicket]]] = {
    "assign": lambda asked, order: assigning.assign(
        **asked, technician_id=order.technician_id, reason=order.reason, override=order.override
    ),
    "release": lambda asked, order: assigning.release(**asked, reason=order.reason),
    "move": lambda asked, order: moving.drop(
        **asked, to_stage=order.to, reason=order.reason, override=order.override
    ),
    "priority": lambda asked, order: arranging.set_priority(
        **asked, priority=order.priority, reason=order.reason
    ),
    "territory": lambda asked, order: arranging.change_territory(
        **asked, territory_id=order.territory_id, reason=order.reason
    ),
    "cancel": lambda asked, order: moving.cancel(**asked, reason=order.reason),
}
