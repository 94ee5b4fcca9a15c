"""A branch beside the live plan: what both come to, what its moves are told, what others changed since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.access import accounts
from ticket_console.desk.plan import regions_for
from ticket_console.desk.sandbox.branching import differs, is_as_moved, look_at
from ticket_console.desk.sandbox.judging import Judgement, judge_moves
from ticket_console.desk.sandbox.live import (
    MOST_TASKS,
    PERMISSION,
    Live,
    Standing,
    numbers_of,
    read_live,
    standings_of,
)
from ticket_console.dispatch import sandboxes
from ticket_console.dispatch.sandbox_plan import Difference, Evaluated, compare, evaluate, laid_over
from ticket_console.dispatch.sandboxes import MoveRow, SandboxRow
from ticket_console.kernel.actor import Actor
from ticket_console.people import names as people_names
from ticket_console.tickets.last_changes import LastChange, last_changes

# More changes than this are counted only.
MOST_NEWS: Final = 50


class How(StrEnum):
    """What became of a task since the branch was made."""

    NEW = "new"
    GONE = "gone"
    GIVEN = "given"
    TIMED = "timed"


@dataclass(frozen=True, slots=True)
class News:
    """A task that others changed; `holder` is who has it now."""

    ticket_id: int
    no: str
    how: How
    holder: str | None
    by: LastChange | None


@dataclass(frozen=True, slots=True)
class SandboxLine:
    row: SandboxRow
    owner: str
    is_mine: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """What the branch does with one ticket: its last move, and how the commands stand to it.

    `is_contested`: somebody else gave the task away, planned or finished it meanwhile, as `by` tells.
    `is_done`: the live plan says the same already.
    """

    move: MoveRow
    standing: Standing | None
    judgement: Judgement
    no: str
    is_contested: bool
    is_done: bool
    by: LastChange | None


@dataclass(frozen=True, slots=True)
class SandboxView:
    """`last_seq` is the gesture that can be taken back, 0 where there is none."""

    line: SandboxLine
    live: Live
    before: Evaluated
    after: Evaluated
    difference: Difference
    moved: tuple[Moved, ...]
    last_seq: int
    news: tuple[News, ...]
    changed: int
    names: Mapping[int, str]


def read_list(connection: Connection, viewer: Actor) -> tuple[SandboxLine, ...]:
    """The open branches of the viewer's regions, their own first."""
    regions = {each.id for each in regions_for(connection, viewer, PERMISSION)}
    lines = _lines(connection, viewer, sandboxes.open_in(connection, viewer.org_id, regions))
    return tuple(sorted(lines, key=lambda line: not line.is_mine))


def read_sandbox(connection: Connection, *, viewer: Actor, sandbox_id: int, at: datetime) -> SandboxView:
    """One branch; SandboxNotFound for a stranger's region."""
    row = look_at(connection, viewer, sandbox_id)
    moves = sandboxes.moves_of(connection, row.id)
    last = sandboxes.last_of_each(moves)
    puts = [move.put for move in last]
    live = read_live(connection, viewer=viewer, region_id=row.region_id, at=at, puts=puts)
    before = evaluate(live.plan)
    after = evaluate(laid_over(live.plan, puts)) if puts else before
    news, changed = _news(connection, viewer, row, live)
    moved = look_over(connection, viewer, last, at=at)
    (line,) = _lines(connection, viewer, (row,))
    return SandboxView(
        line=line,
        live=live,
        before=before,
        after=after,
        difference=compare(before, after),
        moved=moved,
        last_seq=moves[-1].seq if moves else 0,
        news=news,
        changed=changed,
        names={id: each.name for id, each in live.people.items()},
    )


def look_over(
    connection: Connection,
    viewer: Actor,
    moves: Sequence[MoveRow],
    *,
    at: datetime,
    judged: bool = True,
) -> tuple[Moved, ...]:
    """How the live plan and the commands stand to each ticket's last move, in the order of a commit.

    Without `judged` the commands are not asked: who is about to send one will hear.
    """
    standing = standings_of(connection, viewer, {move.ticket_id for move in moves})
    judgements = judge_moves(connection, viewer, moves, standing, at=at) if judged else {}
    contested = {
        move.ticket_id
        for move in moves
        if (now := standing.get(move.ticket_id)) is None
        or (differs(move, now) and not is_as_moved(move, now))
    }
    changes = last_changes(
        connection, {move.ticket_id: move.base_version for move in moves if move.ticket_id in contested}
    )
    numbers = numbers_of(connection, viewer, {move.ticket_id for move in moves})
    return tuple(
        Moved(
            move=move,
            standing=(now := standing.get(move.ticket_id)),
            judgement=judgements.get(move.ticket_id, Judgement()),
            no=numbers.get(move.ticket_id, ""),
            is_contested=move.ticket_id in contested,
            is_done=now is not None and is_as_moved(move, now),
            by=changes.get(move.ticket_id),
        )
        for move in moves
    )


def _news(connection: Connection, viewer: Actor, row: SandboxRow, live: Live) -> tuple[tuple[News, ...], int]:
    """What is different from the branch's base, by whom; and how many tasks that is."""
    base = sandboxes.base_of(connection, row.id)
    known = {int(token): entry for token, entry in base.items()}
    now = {each.token_id: each for each in live.standing.values()}
    unseen = {entry[0] for token_id, entry in known.items() if token_id not in now}
    # A task may still be open and only not among the most urgent ones any more.
    beyond = standings_of(connection, viewer, unseen)
    now |= {each.token_id: each for each in beyond.values()}
    standing = {**beyond, **live.standing}
    found: list[tuple[int, int, How, Standing | None]] = []
    for token_id, (ticket_id, version, holder, starts_at) in known.items():
        there = now.get(token_id)
        if there is None:
            moved_on = standing.get(ticket_id)
            found.append((ticket_id, version, How.GONE if moved_on is None else How.GIVEN, moved_on))
        elif there.holder != holder:
            found.append((ticket_id, version, How.GIVEN, there))
        elif _spelled(there.starts_at) != starts_at:
            found.append((ticket_id, version, How.TIMED, there))
    if len(known) < MOST_TASKS:
        tickets = {entry[0] for entry in known.values()}
        fresh = [each for each in live.standing.values() if each.ticket_id not in tickets]
        found += [(each.ticket_id, 0, How.NEW, each) for each in fresh]
    shown = found[:MOST_NEWS]
    changes = last_changes(connection, {ticket_id: version for ticket_id, version, _, _ in shown})
    gone = {ticket_id for ticket_id, _, how, _ in shown if how is How.GONE}
    numbers = numbers_of(connection, viewer, gone)
    names = people_names.names(connection, {each.holder or 0 for *_, each in shown if each is not None})
    news = tuple(
        News(
            ticket_id=ticket_id,
            no=numbers.get(ticket_id, "") if there is None else there.no,
            how=how,
            holder=None if there is None else names.get(there.holder or 0),
            by=changes.get(ticket_id),
        )
        for ticket_id, _, how, there in shown
    )
    return news, len(found)


def _lines(connection: Connection, viewer: Actor, rows: Sequence[SandboxRow]) -> tuple[SandboxLine, ...]:
    owners: Mapping[Any, str] = accounts.names(connection, viewer.org_id, {row.owner_id for row in rows})
    return tuple(
        SandboxLine(row, owners.get(row.owner_id, ""), row.owner_id == viewer.user_id) for row in rows
    )


def _spelled(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
