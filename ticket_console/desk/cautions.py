"""What speaks against a move without forbidding it: said before the drop, and by the command again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.desk.work import Reason
from ticket_console.dispatch.visits import TIGHT
from ticket_console.flows.elements import StageCategory
from ticket_console.flows.graph import Graph
from ticket_console.kernel.actor import Actor
from ticket_console.tickets import board_cards
from ticket_console.tickets.limits import Limit
from ticket_console.tickets.marking import TicketStatus

# From this share of their capacity on, one more task makes somebody's day tight.
TIGHT_PERCENT: Final = 80

_AT_WORK: Final = frozenset({StageCategory.DOING, StageCategory.DONE})
_RESTING: Final = frozenset({StageCategory.TODO, StageCategory.WAITING})
_NEEDED_FIRST: Final = frozenset({"board.blocked.predecessor", "board.blocked.other"})


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What of a ticket counts wherever it goes: its due time, its parts, and what has to be done before."""

    due_at: datetime | None
    is_short_of_parts: bool
    needed_first: tuple[Reason, ...]


def circumstances(
    connection: Connection, viewer: Actor, row: Mapping[str, Any], graph: Graph
) -> Circumstances:
    if row["status"] is not TicketStatus.OPEN:
        return Circumstances(row["due_at"], False, ())
    blocked, parts = board_cards.blocked_of(connection, viewer, {row["id"]: graph})[row["id"]]
    return Circumstances(
        row["due_at"],
        parts == "short",
        tuple(Reason(each["code"], each["params"]) for each in blocked if each["code"] in _NEEDED_FIRST),
    )


def of_lane(
    now: Circumstances,
    *,
    category: StageCategory | None,
    limit: Limit,
    standing: int,
    at: datetime,
) -> tuple[Reason, ...]:
    """`standing` is how many stand in the lane before the ticket comes."""
    found = []
    if limit.is_crowded(standing + 1) and not limit.is_full(standing):
        found.append(Reason("board.warn.lane_crowded", {"n": standing + 1, "limit": limit.soft}))
    if category in _AT_WORK:
        found += now.needed_first
    if category is StageCategory.DOING and now.is_short_of_parts:
        found.append(Reason("board.warn.parts_short"))
    if category in _RESTING and now.due_at is not None and now.due_at < at:
        found.append(Reason("board.warn.overdue"))
    return tuple(found)


def of_person(
    now: Circumstances,
    *,
    open_count: int,
    capacity: int,
    soft: int | None,
    minutes: int,
    left: timedelta | None,
    at: datetime,
) -> tuple[Reason, ...]:
    """`open_count` is what somebody has before, `minutes` what the task is expected to take.

    `left` is what the ways to and from their other visits leave of the time between, None without any.
    """
    found = []
    carried = open_count + 1
    if soft is not None and carried > soft:
        found.append(Reason("board.warn.person_crowded", {"n": carried, "limit": soft}))
    elif carried * 100 > TIGHT_PERCENT * capacity:
        found.append(Reason("board.warn.load", {"n": carried, "capacity": capacity}))
    if left is not None and timedelta() <= left < TIGHT:
        found.append(Reason("board.warn.travel_tight", {"minutes": int(left.total_seconds() // 60)}))
    if now.due_at is not None and now.due_at < at + timedelta(minutes=minutes):
        found.append(
            Reason("board.warn.overdue")
            if now.due_at < at
            else Reason("board.warn.due_at_risk", {"minutes": minutes})
        )
    if now.is_short_of_parts:
        found.append(Reason("board.warn.parts_short"))
    return tuple(found)
