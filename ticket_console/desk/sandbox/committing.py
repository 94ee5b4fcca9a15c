"""Committing a branch: each of its moves is an ordinary command, and only true conflicts are conflicts.

A ticket that changed while its step, holder and time did not is no conflict: the command is sent on the
version there is. Otherwise nothing happens to the ticket until the dispatcher has said what shall be, having
seen who did what; what they say holds for the version they saw, and for no later one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from ticket_console.desk import assigning, scheduling
from ticket_console.desk.sandbox.branching import SandboxMoved, own, own_open, topic_of
from ticket_console.desk.sandbox.live import Standing
from ticket_console.desk.sandbox.looking import Moved, look_over
from ticket_console.desk.work import Asked
from ticket_console.dispatch import sandboxes
from ticket_console.dispatch.sandboxes import MoveRow, SandboxRow
from ticket_console.dispatch.tables import SandboxState
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, retried, transaction
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.tickets.last_changes import LastChange
from ticket_console.tickets.writing import StaleTicket

# A command's id is this long at most, and each ticket's number is put behind it.
LONGEST_COMMAND: Final = 44
# How often a move is looked at anew because its ticket changed between the look and the command.
_TRIES: Final = 3


class Choice(StrEnum):
    """What shall be where somebody else was faster: theirs, the branch's, or nothing for now."""

    LIVE = "live"
    MINE = "mine"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Decided:
    """`version` is the ticket's the dispatcher saw when they chose."""

    choice: Choice
    version: int


class Came(StrEnum):
    """What became of a move. The first three are over; the others stay in the branch."""

    DONE = "done"
    ALREADY = "already"
    DROPPED = "dropped"
    SKIPPED = "skipped"
    CONFLICT = "conflict"
    REFUSED = "refused"


_OVER: Final = frozenset({Came.DONE, Came.ALREADY, Came.DROPPED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """`code` and `params` say why a move was refused; `by` who was faster."""

    ticket_id: int
    no: str
    came: Came
    version: int | None = None
    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    by: LastChange | None = None


@dataclass(frozen=True, slots=True)
class Committed:
    """`is_closed`: every move is over, and the branch with them."""

    outcomes: tuple[Outcome, ...]
    is_closed: bool


def commit(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    sandbox_id: int,
    expected_version: int,
    decisions: Mapping[int, Decided],
) -> Committed:
    """Carry a branch's moves out, each for itself; what is refused or in conflict stops nothing.

    `decisions` are by ticket. Who frees somebody comes before who is given something. A repetition finds
    what was done and goes on where it was cut off. SandboxMoved where the branch is not what was seen.
    """
    if not 0 < len(command_id) <= LONGEST_COMMAND:
        raise InvalidInput((FieldProblem("command_id", "field.too_long", {"limit": LONGEST_COMMAND}),))
    row, moves = _begin(actor, command_id, sandbox_id, expected_version)
    settled = {
        move.ticket_id: _read(move.outcome)
        for move in moves
        if move.settled_by == command_id and move.outcome is not None
    }
    pending = sandboxes.last_of_each(move for move in moves if move.settled_by is None)
    outcomes = [
        _carry_out(actor, at, command_id, row, move, decisions.get(move.ticket_id)) for move in pending
    ]
    last_seq = max((move.seq for move in moves), default=0)
    is_closed = _settle(actor, command_id, sandbox_id, outcomes, last_seq)
    return Committed((*settled.values(), *outcomes), is_closed)


@retried
def _begin(
    actor: Actor, command_id: str, sandbox_id: int, expected_version: int
) -> tuple[SandboxRow, tuple[MoveRow, ...]]:
    with transaction() as connection:
        row = own(connection, actor, sandbox_id)
        if row.commit_id != command_id:
            row = own_open(connection, actor, sandbox_id)
            if row.version != expected_version:
                raise SandboxMoved(name=row.name)
            sandboxes.change(connection, row.id, commit_id=command_id)
        return row, sandboxes.moves_of(connection, row.id, settled=True)


@retried
def _settle(
    actor: Actor, command_id: str, sandbox_id: int, outcomes: Sequence[Outcome], last_seq: int
) -> bool:
    over = {each.ticket_id: _spell(each) for each in outcomes if each.came in _OVER}
    with transaction() as connection:
        row = own(connection, actor, sandbox_id)
        sandboxes.settle(connection, row.id, over, by=command_id, until=last_seq)
        is_closed = not sandboxes.moves_of(connection, row.id)
        if row.state is SandboxState.OPEN and (over or is_closed):
            state = SandboxState.COMMITTED if is_closed else SandboxState.OPEN
            sandboxes.change(connection, row.id, state=state)
            signals.announce(connection, topic_of(row.org_id), {"id": row.id})
        return is_closed


def _carry_out(
    actor: Actor, at: datetime, command_id: str, row: SandboxRow, move: MoveRow, decided: Decided | None
) -> Outcome:
    if decided is not None and decided.choice is Choice.SKIP:
        return _outcome(move, _look(actor, move, at), Came.SKIPPED)
    asked_about = None
    for _ in range(_TRIES):
        asked_about = _look(actor, move, at)
        standing = asked_about.standing
        if asked_about.is_done:
            return _outcome(move, asked_about, Came.ALREADY)
        if decided is not None and decided.choice is Choice.LIVE and asked_about.is_contested:
            return _outcome(move, asked_about, Came.DROPPED)
        if standing is None or (asked_about.is_contested and not _is_mine(decided, standing)):
            return _outcome(move, asked_about, Came.CONFLICT)
        try:
            version = _send(actor, at, command_id, row, move, standing)
        except StaleTicket:
            continue
        except ConsoleError as refusal:
            problems = refusal.problems if isinstance(refusal, InvalidInput) else ()
            said = problems[0] if problems else refusal
            return Outcome(
                move.ticket_id, standing.no, Came.REFUSED, standing.version, said.code, dict(said.params)
            )
        return Outcome(move.ticket_id, standing.no, Came.DONE, version)
    assert asked_about is not None
    return _outcome(move, _look(actor, move, at), Came.CONFLICT)


def _is_mine(decided: Decided | None, standing: Standing) -> bool:
    return decided is not None and decided.choice is Choice.MINE and decided.version == standing.version


def _look(actor: Actor, move: MoveRow, at: datetime) -> Moved:
    with reading() as connection:
        (found,) = look_over(connection, actor, (move,), at=at, judged=False)
    return found


def _send(
    actor: Actor, at: datetime, command_id: str, row: SandboxRow, move: MoveRow, standing: Standing
) -> int:
    asked: Asked = {
        "actor": actor,
        "at": at,
        "command_id": f"{command_id}:{move.ticket_id}",
        "ticket_id": move.ticket_id,
        "expected_version": standing.version,
    }
    if move.technician_id is None:
        return assigning.release(**asked, reason=row.name).version
    if move.visit is not None:
        return scheduling.schedule(
            **asked,
            technician_id=move.technician_id,
            starts_at=move.visit.starts_at,
            ends_at=move.visit.ends_at,
            reason=row.name,
        ).version
    if standing.holder == move.technician_id:
        return scheduling.unschedule(**asked, reason=row.name).version
    return assigning.assign(**asked, technician_id=move.technician_id, reason=row.name).version


def _outcome(move: MoveRow, found: Moved, came: Came) -> Outcome:
    version = None if found.standing is None else found.standing.version
    return Outcome(move.ticket_id, found.no, came, version, by=found.by)


def _spell(outcome: Outcome) -> dict[str, Any]:
    return {
        "ticket_id": outcome.ticket_id,
        "no": outcome.no,
        "came": outcome.came.value,
        "version": outcome.version,
        "by": None
        if outcome.by is None
        else [outcome.by.who, outcome.by.what, outcome.by.when.astimezone(UTC).isoformat()],
    }


def _read(kept: Mapping[str, Any]) -> Outcome:
    by = kept["by"]
    return Outcome(
        kept["ticket_id"],
        kept["no"],
        Came(kept["came"]),
        kept["version"],
        by=None if by is None else LastChange(by[0], by[1], datetime.fromisoformat(by[2])),
    )
