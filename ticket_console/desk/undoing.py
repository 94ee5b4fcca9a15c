"""Taking one's own last move back: an ordinary command that leads where the ticket was before.

It is refused once anybody did anything since. Nothing is wiped out: the history has the move and its return.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from ticket_console.desk import arranging, assigning, ordering
from ticket_console.desk.bulk import LONGEST_COMMAND, MOST_AT_ONCE, Outcome, number_of
from ticket_console.desk.effects import carry_out
from ticket_console.desk.work import Asked, MovedTicket, Work, change, new_row_id
from ticket_console.dispatch.choosing import NotEligible
from ticket_console.dispatch.eligibility import Filter
from ticket_console.flows.elements import HANDLED_KINDS, NodeKind
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, retried, table
from ticket_console.kernel.errors import (
    Conflict,
    ConsoleError,
    FieldProblem,
    Forbidden,
    InvalidInput,
    NotFound,
)
from ticket_console.tickets import engine, reads
from ticket_console.tickets.actions import Jump
from ticket_console.tickets.fold import TicketFold, fold
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.tables import Event, OwnerKind

# What the history says of an undone move, whoever reads it.
REASON: Final = "undo"

_events = table(Event)


class NotUndoable(Conflict):
    """The move led on to what no step back undoes: an end, a settlement, parallel work."""

    code = "board.not_undoable"


class NothingToUndo(NotFound):
    code = "board.nothing_to_undo"


class NotYours(Forbidden):
    """Only the one who made a move takes it back."""

    code = "board.not_yours"


@dataclass(frozen=True, slots=True)
class _Done:
    """A command that was carried out, and the ticket as it was before it."""

    type: str
    ticket_id: int
    version: int
    before: TicketFold
    said: Mapping[str, Any]


def undo_all(*, actor: Actor, at: datetime, command_id: str, undone: Sequence[str]) -> tuple[Outcome, ...]:
    """Take back each of these commands of the actor's, with an answer for each."""
    problems = []
    if not 0 < len(command_id) <= LONGEST_COMMAND:
        problems.append(FieldProblem("command_id", "field.too_long", {"max": LONGEST_COMMAND}))
    if not 1 <= len(undone) <= MOST_AT_ONCE:
        problems.append(FieldProblem("undone", "field.out_of_range", {"min": 1, "max": MOST_AT_ONCE}))
    if problems:
        raise InvalidInput(tuple(problems))
    return tuple(_one(actor, at, command_id, each) for each in dict.fromkeys(undone))


def _one(actor: Actor, at: datetime, command_id: str, undone: str) -> Outcome:
    ticket_id = 0
    try:
        done = _find(actor, undone)
        ticket_id = done.ticket_id
        moved = undo(actor=actor, at=at, command_id=f"{command_id}:{ticket_id}", undone=undone)
    except ConsoleError as refusal:
        no = number_of(actor, ticket_id) if ticket_id else ""
        return Outcome(ticket_id, no, False, code=refusal.code, params=refusal.params)
    return Outcome(moved.ticket_id, moved.no, True, moved.version)


@retried
def undo(*, actor: Actor, at: datetime, command_id: str, undone: str) -> MovedTicket:
    """Take one command back. Raises NothingToUndo, NotYours, NotUndoable, and StaleTicket with who did what
    since."""
    done = _find(actor, undone)
    asked: Asked = {
        "actor": actor,
        "at": at,
        "command_id": command_id,
        "ticket_id": done.ticket_id,
        # Anything anybody did since has made the ticket newer than this.
        "expected_version": done.version,
    }
    compensate = _COMPENSATIONS.get(done.type)
    if compensate is None:
        raise NotUndoable()
    return compensate(asked, done)


def _find(actor: Actor, undone: str) -> _Done:
    with reading() as connection:
        row = connection.execute(
            sa.select(
                _events.c.ticket_id,
                _events.c.ticket_version,
                _events.c.type,
                _events.c.actor,
                _events.c.payload,
            ).where(
                _events.c.org_id == actor.org_id, _events.c.command_id == undone[:64], _events.c.ordinal == 0
            )
        ).first()
        if row is None:
            raise NothingToUndo()
        # Whose move it was is nobody's business who may not see the ticket.
        reads.find_ticket(connection, viewer=actor, ticket_id=row.ticket_id)
        if row.actor != actor.label:
            raise NotYours()
        before = fold(
            event
            for event in reads.events_of(connection, row.ticket_id)
            if event["ticket_version"] < row.ticket_version
        )
    return _Done(row.type, row.ticket_id, row.ticket_version, before, row.payload)


def _undo_order(asked: Asked, done: _Done) -> MovedTicket:
    def put(work: Work) -> bool:
        ordering.require_order(work)
        work.draft.say("ticket.reordered", undone=True)
        work.draft.columns["rank"] = done.before.ticket["rank"]
        return True

    return change(put, **asked, permission="ticket.view")


def _undo_territory(asked: Asked, done: _Done) -> MovedTicket:
    former = done.before.ticket["territory_id"]
    if former is None:
        raise NotUndoable()
    return arranging.change_territory(**asked, territory_id=former, reason=REASON)


def _undo_priority(asked: Asked, done: _Done) -> MovedTicket:
    return arranging.set_priority(**asked, priority=done.before.ticket["priority"], reason=REASON)


def _undo_assignment(asked: Asked, done: _Done) -> MovedTicket:
    holders = {
        token["owner_id"]
        for token in done.before.tokens.values()
        if token["state"] == "active" and token["owner_kind"] == OwnerKind.TECHNICIAN
    }
    if not holders:
        return assigning.release(**asked, reason=REASON)
    if len(holders) > 1:
        raise NotUndoable()
    return assigning.assign(**asked, technician_id=holders.pop(), reason=REASON)


def _undo_release(asked: Asked, done: _Done) -> MovedTicket:
    technician_id = int(done.said["technician_id"])
    try:
        return assigning.assign(**asked, technician_id=technician_id, reason=REASON)
    except NotEligible as refusal:
        # Having given it up by this very mistake is nothing that should keep them from it.
        if any(failure.code is not Filter.DECLINED for failure in refusal.failures):
            raise
    return assigning.assign(**asked, technician_id=technician_id, reason=REASON, override=True)


def _undo_step(asked: Asked, done: _Done) -> MovedTicket:
    """Go back to the step the ticket stood at: along no edge, since the flow may have none that leads there.

    It takes the right to act where the ticket stands, as the move itself did, and gives the step back to
    whoever had it where dispatch finds them fit.
    """
    was_at = [token for token in done.before.tokens.values() if token["state"] in ("active", "waiting")]
    if len(was_at) != 1:
        raise NotUndoable()

    def jump(work: Work) -> bool:
        tokens = work.marking.tokens
        if work.draft.get("status") is not TicketStatus.OPEN or len(tokens) != 1 or _settled(work, done):
            raise NotUndoable()
        node = work.graph.node_by_key[was_at[0]["node_key"]]
        if node.kind not in HANDLED_KINDS:
            raise NotUndoable()
        work.draft.say("ticket.move_undone", node=tokens[0].node_key, to=node.key, undone=done.type)
        step = engine.advance(
            work.graph,
            work.marking,
            Jump(tokens[0].id, node.key, REASON),
            facts=work.facts,
            new_token_id=new_row_id,
        )
        carry_out(work, step)
        work.draft.columns["rank"] = done.before.ticket["rank"]
        return True

    return change(jump, **asked, permission="ticket.act")


def _settled(work: Work, done: _Done) -> bool:
    """Whether the move went through a settlement: what was booked is corrected, never undone by a drag."""
    way = done.said.get("way", ())
    return any(
        work.graph.node_by_key[edge.source].kind is NodeKind.SETTLE
        for edge in work.graph.edges
        if edge.key in way
    )


_COMPENSATIONS: Final[dict[str, Callable[[Asked, _Done], MovedTicket]]] = {
    "ticket.reordered": _undo_order,
    "ticket.territory_changed": _undo_territory,
    "ticket.prioritised": _undo_priority,
    "ticket.assigned": _undo_assignment,
    "ticket.released": _undo_release,
    "ticket.step_completed": _undo_step,
    "ticket.returned": _undo_step,
}
