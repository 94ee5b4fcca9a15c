"""A card dropped on a lane: which command that is depends on what the lanes are."""

from datetime import datetime
from types import SimpleNamespace

from ticket_console.desk import arranging, assigning, moving, ordering
from ticket_console.desk.work import Asked, MovedTicket
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Conflict
from ticket_console.tickets import board_lanes, reads
from ticket_console.tickets.board import By, LaneNotFound
from ticket_console.tickets.board_lanes import NOBODY


class DueIsNotAPlace(Conflict):
    """A due time is an agreement with the customer; when work is done is planned on the timeline."""

    code = "board.due_is_not_a_place"


def drop_on(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    by: By,
    key: str,
    before_id: int | None = None,
    after_id: int | None = None,
    reason: str = "",
    override: bool = False,
) -> MovedTicket:
    """Carry out the drop of a card between two others of a lane.

    On the lane it is in, a card changes its place and nothing else. On a stage it moves by whichever step
    leads there, with a person it is given to them (or given back, on the lane of nobody), in a territory it
    changes its area. Raises what these commands raise, and DueIsNotAPlace.
    """
    change: Asked = {
        "actor": actor,
        "at": at,
        "command_id": command_id,
        "ticket_id": ticket_id,
        "expected_version": expected_version,
    }
    if key == _lane_of(actor, at, ticket_id, by):
        return ordering.reorder(**change, before_id=before_id, after_id=after_id)
    if by is By.STAGE:
        return moving.drop(
            **change,
            to_stage=key,
            reason=reason,
            before_id=before_id,
            after_id=after_id,
            override=override,
        )
    if by is By.DUE:
        raise DueIsNotAPlace()
    if key == NOBODY and by is By.PERSON:
        return assigning.release(**change, reason=reason)
    number = _number(key)
    if by is By.PERSON:
        return assigning.assign(**change, technician_id=number or 0, reason=reason, override=override)
    return arranging.change_territory(**change, territory_id=number, reason=reason)


def _number(key: str) -> int | None:
    if key == NOBODY:
        return None
    if not (key.isascii() and key.isdecimal() and len(key) < 10):
        raise LaneNotFound(lane=key[:40])
    return int(key)


def _lane_of(actor: Actor, at: datetime, ticket_id: int, by: By) -> str:
    """Where the card is as it is dropped; what happens meanwhile, the command's version tells."""
    with reading() as connection:
        row = reads.find_ticket(connection, viewer=actor, ticket_id=ticket_id)
        days = board_lanes.calendar(connection, actor.org_id, at)
    return board_lanes.lane_of(by, SimpleNamespace(**row), days)
