"""Branches of the live plan: made, moved in, brought up to date, thrown away. Nothing live changes here."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk.moving import WhichStep
from ticket_console.desk.plan import RegionNotFound, regions_for
from ticket_console.desk.sandbox.live import PERMISSION, Live, Standing, read_live, standings_of
from ticket_console.desk.scheduling import FURTHEST
from ticket_console.dispatch import sandboxes
from ticket_console.dispatch.choosing import TechnicianNotFound
from ticket_console.dispatch.sandboxes import MoveRow, SandboxNotFound, SandboxRow
from ticket_console.dispatch.tables import SandboxState
from ticket_console.dispatch.visit_rules import LONGEST, SHORTEST
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, Forbidden, InvalidInput
from ticket_console.people.candidate import Span
from ticket_console.tickets.writing import TicketNotFound

MOST_OPEN: Final = 20
# A commit carries them out one after the other while others wait to write.
MOST_MOVES: Final = 200
NAME_LENGTH: Final = 80
COMMAND_LENGTH: Final = 64


class SandboxClosed(Conflict):
    """The branch is committed or thrown away; nothing moves in it any more."""

    code = "sandbox.closed"


class SandboxMoved(Conflict):
    """The branch was changed in another window meanwhile."""

    code = "sandbox.moved"


class SandboxStale(Conflict):
    """The ticket is not what the asker saw; what it is now is shown by the time they read this."""

    code = "sandbox.stale"


class TooMany(Conflict):
    """More open branches, or more moves in one, than anybody can look over."""

    code = "sandbox.too_many"


def topic_of(org_id: int) -> str:
    """What is said whenever a branch of the organisation changes."""
    return f"sandbox.{org_id}"


@retried
def begin(*, actor: Actor, at: datetime, command_id: str, region_id: int, name: str) -> int:
    """A new branch of a region's plan; its number. A repetition finds the one that was made."""
    owner_id = _owner(actor)
    wanted = name.strip()
    problems = _bad_command(command_id)
    if not wanted:
        problems.append(FieldProblem("name", "field.required"))
    elif len(wanted) > NAME_LENGTH:
        problems.append(FieldProblem("name", "field.too_long", {"limit": NAME_LENGTH}))
    if problems:
        raise InvalidInput(tuple(problems))
    with transaction() as connection:
        made = sandboxes.by_command(connection, actor.org_id, owner_id, command_id)
        if made is not None:
            return made
        if region_id not in {each.id for each in regions_for(connection, actor, PERMISSION)}:
            raise RegionNotFound(region_id=region_id)
        policy.require(actor, PERMISSION, region_id=region_id)
        if sandboxes.count_open(connection, actor.org_id, owner_id) >= MOST_OPEN:
            raise TooMany()
        live = read_live(connection, viewer=actor, region_id=region_id, at=at)
        sandbox_id = sandboxes.create(
            connection,
            org_id=actor.org_id,
            owner_id=owner_id,
            name=wanted,
            region_id=region_id,
            created_at=at,
            base_at=at,
            base=spell_base(live.standing),
            command_id=command_id,
        )
        signals.announce(connection, topic_of(actor.org_id), {"id": sandbox_id})
        return sandbox_id


@retried
def put(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    sandbox_id: int,
    ticket_id: int,
    expected_version: int,
    technician_id: int | None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> None:
    """Move a ticket within a branch: to somebody, perhaps for a time, or to nobody.

    Refuses with TicketNotFound what is not in the branch's region, with TechnicianNotFound who is not,
    and with SandboxStale where the ticket is not what the asker saw. Whether the move would be refused
    when it is committed is told beside it and forbids nothing here.
    """
    visit = _visit(at, technician_id, starts_at, ends_at, command_id)
    with transaction() as connection:
        row = own_open(connection, actor, sandbox_id)
        moves = sandboxes.moves_of(connection, row.id, settled=True)
        if any(move.command_id == command_id for move in moves):
            return
        if sum(move.settled_by is None for move in moves) >= MOST_MOVES:
            raise TooMany()
        live = read_live(connection, viewer=actor, region_id=row.region_id, at=at)
        standing = _standing(live, ticket_id, expected_version)
        if technician_id is not None and technician_id not in live.people:
            raise TechnicianNotFound(technician_id=technician_id)
        earlier = next(
            (each for each in moves if each.ticket_id == ticket_id and each.settled_by is None), None
        )
        sandboxes.add_move(
            connection,
            row.id,
            seq=max((move.seq for move in moves), default=0) + 1,
            ticket_id=ticket_id,
            **(_base_of_move(earlier) if earlier is not None else _base_of(standing)),
            technician_id=technician_id,
            starts_at=None if visit is None else visit.starts_at,
            ends_at=None if visit is None else visit.ends_at,
            at=at,
            command_id=command_id,
        )
        _changed(connection, row)


@retried
def undo(*, actor: Actor, sandbox_id: int, seq: int) -> None:
    """Take the last gesture back; `seq` says which the asker means. One that is gone is no mistake."""
    with transaction() as connection:
        row = own_open(connection, actor, sandbox_id)
        moves = sandboxes.moves_of(connection, row.id)
        if moves and moves[-1].seq == seq:
            sandboxes.drop_moves(connection, (moves[-1].id,))
            _changed(connection, row)


@retried
def drop(*, actor: Actor, sandbox_id: int, ticket_id: int) -> None:
    """Take everything back that the branch does with a ticket."""
    with transaction() as connection:
        row = own_open(connection, actor, sandbox_id)
        gone = [move.id for move in sandboxes.moves_of(connection, row.id) if move.ticket_id == ticket_id]
        if gone:
            sandboxes.drop_moves(connection, gone)
            _changed(connection, row)


@retried
def refresh(*, actor: Actor, at: datetime, sandbox_id: int) -> None:
    """Let the branch stand on the plan as it is now.

    Moves of tickets that are over are gone. Those of tickets that somebody else gave away or planned
    meanwhile keep the base they were made on: the commit will ask about them.
    """
    with transaction() as connection:
        row = own_open(connection, actor, sandbox_id)
        live = read_live(connection, viewer=actor, region_id=row.region_id, at=at)
        moves = sandboxes.moves_of(connection, row.id)
        now = standings_of(connection, actor, {move.ticket_id for move in moves})
        sandboxes.drop_moves(connection, [move.id for move in moves if move.ticket_id not in now])
        for move in moves:
            standing = now.get(move.ticket_id)
            if standing is not None and not differs(move, standing):
                sandboxes.stand_on(connection, (move.id,), base_version=standing.version)
        sandboxes.change(connection, row.id, base_at=at, base=spell_base(live.standing))
        signals.announce(connection, topic_of(row.org_id), {"id": row.id})


@retried
def discard(*, actor: Actor, sandbox_id: int) -> None:
    """Throw a branch away. A repetition finds it thrown away."""
    with transaction() as connection:
        row = own(connection, actor, sandbox_id)
        if row.state is SandboxState.DISCARDED:
            return
        if row.state is SandboxState.COMMITTED:
            raise SandboxClosed(name=row.name)
        sandboxes.change(connection, row.id, state=SandboxState.DISCARDED)
        signals.announce(connection, topic_of(row.org_id), {"id": row.id})


def look_at(connection: Connection, viewer: Actor, sandbox_id: int) -> SandboxRow:
    """A branch of a region that the viewer dispatches; SandboxNotFound for any other."""
    row = sandboxes.find(connection, viewer.org_id, sandbox_id)
    if not policy.allows(viewer, PERMISSION, region_id=row.region_id):
        raise SandboxNotFound(sandbox_id=sandbox_id)
    return row


def own(connection: Connection, actor: Actor, sandbox_id: int) -> SandboxRow:
    """The actor's own branch, held until the transaction ends; somebody else's is forbidden."""
    row = sandboxes.find(connection, actor.org_id, sandbox_id, for_change=True)
    if not policy.allows(actor, PERMISSION, region_id=row.region_id):
        raise SandboxNotFound(sandbox_id=sandbox_id)
    if row.owner_id != actor.user_id:
        raise Forbidden(permission=PERMISSION)
    return row


def own_open(connection: Connection, actor: Actor, sandbox_id: int) -> SandboxRow:
    row = own(connection, actor, sandbox_id)
    if row.state is not SandboxState.OPEN:
        raise SandboxClosed(name=row.name)
    return row


def differs(move: MoveRow, standing: Standing) -> bool:
    """Whether what a move was made on is not so any more: the step, who has it, or when they come."""
    return (move.token_id, move.base_holder, move.base_starts_at) != (
        standing.token_id,
        standing.holder,
        standing.starts_at,
    )


def is_as_moved(move: MoveRow, standing: Standing) -> bool:
    """Whether the live plan says already what the move wants."""
    return (move.technician_id, move.visit) == (standing.holder, standing.visit)


def spell_base(standing: Mapping[int, Standing]) -> dict[str, Any]:
    """The plan as a branch remembers it, by token."""
    return {
        str(each.token_id): [
            each.ticket_id,
            each.version,
            each.holder,
            None if each.starts_at is None else each.starts_at.isoformat(),
        ]
        for each in standing.values()
    }


def _owner(actor: Actor) -> int:
    policy.require(actor, PERMISSION)
    if actor.user_id is None:
        raise Forbidden(permission=PERMISSION)
    return actor.user_id


def _standing(live: Live, ticket_id: int, expected_version: int) -> Standing:
    standing = live.standing.get(ticket_id)
    if standing is None:
        raise TicketNotFound(ticket_id=ticket_id)
    if standing.steps > 1:
        raise WhichStep(steps=standing.steps)
    if standing.version != expected_version:
        raise SandboxStale(ticket_no=standing.no)
    return standing


def _base_of(standing: Standing) -> dict[str, Any]:
    return {
        "token_id": standing.token_id,
        "base_version": standing.version,
        "base_holder": standing.holder,
        "base_starts_at": standing.starts_at,
    }


def _base_of_move(move: MoveRow) -> dict[str, Any]:
    return {
        "token_id": move.token_id,
        "base_version": move.base_version,
        "base_holder": move.base_holder,
        "base_starts_at": move.base_starts_at,
    }


def _visit(
    at: datetime,
    technician_id: int | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    command_id: str,
) -> Span | None:
    problems = _bad_command(command_id)
    if (starts_at is None) != (ends_at is None):
        problems.append(FieldProblem("ends_at", "field.required"))
    if starts_at is not None and technician_id is None:
        problems.append(FieldProblem("technician_id", "field.required"))
    if problems:
        raise InvalidInput(tuple(problems))
    if starts_at is None or ends_at is None:
        return None
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise InvalidInput((FieldProblem("starts_at", "field.bad_datetime"),))
    if not SHORTEST <= ends_at - starts_at <= LONGEST:
        limits = {"least": SHORTEST // timedelta(minutes=1), "most": LONGEST // timedelta(hours=1)}
        problems.append(FieldProblem("ends_at", "visit.bad_length", limits))
    if ends_at <= at:
        problems.append(FieldProblem("starts_at", "visit.in_the_past"))
    if starts_at > at + FURTHEST:
        problems.append(FieldProblem("starts_at", "visit.too_far_ahead", {"days": FURTHEST.days}))
    if problems:
        raise InvalidInput(tuple(problems))
    return Span(starts_at, ends_at)


def _bad_command(command_id: str) -> list[FieldProblem]:
    if 0 < len(command_id) <= COMMAND_LENGTH:
        return []
    return [FieldProblem("command_id", "field.too_long", {"limit": COMMAND_LENGTH})]


def _changed(connection: Connection, row: SandboxRow) -> None:
    sandboxes.change(connection, row.id)
    signals.announce(connection, topic_of(row.org_id), {"id": row.id})
