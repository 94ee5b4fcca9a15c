"""The rows of branches of the live plan: who has which, and the moves in it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.dispatch.sandbox_plan import Put
from ticket_console.dispatch.tables import Sandbox, SandboxMove, SandboxState
from ticket_console.kernel import ids
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.people.candidate import Span

_sandboxes = table(Sandbox)
_moves = table(SandboxMove)

MOST_LISTED: Final = 50


class SandboxNotFound(NotFound):
    code = "sandbox.not_found"


@dataclass(frozen=True, slots=True)
class SandboxRow:
    """`moves` is how many tickets the branch moves."""

    id: int
    org_id: int
    owner_id: int
    name: str
    region_id: int
    created_at: datetime
    base_at: datetime
    state: SandboxState
    commit_id: str | None
    version: int
    moves: int = 0


@dataclass(frozen=True, slots=True)
class MoveRow:
    """One gesture; `base_*` and the token are what the branch stood on when it first moved the ticket."""

    id: int
    seq: int
    ticket_id: int
    token_id: int
    base_version: int
    base_holder: int | None
    base_starts_at: datetime | None
    technician_id: int | None
    visit: Span | None
    at: datetime
    command_id: str
    settled_by: str | None
    outcome: Mapping[str, Any] | None

    @property
    def put(self) -> Put:
        return Put(self.ticket_id, self.technician_id, self.visit)


_HEAD: Final = (
    _sandboxes.c.id,
    _sandboxes.c.org_id,
    _sandboxes.c.owner_id,
    _sandboxes.c.name,
    _sandboxes.c.region_id,
    _sandboxes.c.created_at,
    _sandboxes.c.base_at,
    _sandboxes.c.state,
    _sandboxes.c.commit_id,
    _sandboxes.c.version,
)
_MOVED: Final = (
    sa.select(sa.func.count(_moves.c.ticket_id.distinct()))
    .where(_moves.c.sandbox_id == _sandboxes.c.id, _moves.c.settled_by.is_(None))
    .scalar_subquery()
)


def find(connection: Connection, org_id: int, sandbox_id: int, *, for_change: bool = False) -> SandboxRow:
    """One branch; `for_change` holds it until the transaction ends."""
    query = sa.select(*_HEAD).where(_sandboxes.c.id == sandbox_id, _sandboxes.c.org_id == org_id)
    row = connection.execute(query.with_for_update() if for_change else query).first()
    if row is None:
        raise SandboxNotFound(sandbox_id=sandbox_id)
    return SandboxRow(*row)


def base_of(connection: Connection, sandbox_id: int) -> Mapping[str, Any]:
    query = sa.select(_sandboxes.c.base).where(_sandboxes.c.id == sandbox_id)
    base: Mapping[str, Any] = connection.execute(query).scalar_one()
    return base


def open_in(connection: Connection, org_id: int, region_ids: Collection[int]) -> tuple[SandboxRow, ...]:
    """The open branches of these regions, the newest first."""
    rows = connection.execute(
        sa.select(*_HEAD, _MOVED)
        .where(
            _sandboxes.c.org_id == org_id,
            _sandboxes.c.state == SandboxState.OPEN,
            _sandboxes.c.region_id.in_(sorted(region_ids)),
        )
        .order_by(_sandboxes.c.id.desc())
        .limit(MOST_LISTED)
    )
    return tuple(SandboxRow(*row) for row in rows)


def count_open(connection: Connection, org_id: int, owner_id: int) -> int:
    return connection.execute(
        sa.select(sa.func.count()).where(
            _sandboxes.c.org_id == org_id,
            _sandboxes.c.owner_id == owner_id,
            _sandboxes.c.state == SandboxState.OPEN,
        )
    ).scalar_one()


def by_command(connection: Connection, org_id: int, owner_id: int, command_id: str) -> int | None:
    """The branch that a command made."""
    return connection.execute(
        sa.select(_sandboxes.c.id).where(
            _sandboxes.c.org_id == org_id,
            _sandboxes.c.owner_id == owner_id,
            _sandboxes.c.command_id == command_id,
        )
    ).scalar()


def create(connection: Connection, **columns: Any) -> int:
    made = sa.insert(_sandboxes).values(**columns, state=SandboxState.OPEN, version=1)
    return int(connection.execute(made.returning(_sandboxes.c.id)).scalar_one())


def change(connection: Connection, sandbox_id: int, **columns: Any) -> None:
    """Change a branch that is held; its version goes up."""
    connection.execute(
        sa.update(_sandboxes)
        .where(_sandboxes.c.id == sandbox_id)
        .values(version=_sandboxes.c.version + 1, **columns)
    )


def moves_of(connection: Connection, sandbox_id: int, *, settled: bool = False) -> tuple[MoveRow, ...]:
    """The moves that are still to be committed, in their order; those `settled` as well if asked for."""
    query = sa.select(_moves).where(_moves.c.sandbox_id == sandbox_id).order_by(_moves.c.seq)
    rows = connection.execute(query if settled else query.where(_moves.c.settled_by.is_(None)))
    return tuple(_move(row) for row in rows)


def add_move(connection: Connection, sandbox_id: int, **columns: Any) -> None:
    connection.execute(sa.insert(_moves).values(id=ids.take("row"), sandbox_id=sandbox_id, **columns))


def drop_moves(connection: Connection, move_ids: Collection[int]) -> None:
    connection.execute(sa.delete(_moves).where(_moves.c.id.in_(sorted(move_ids))))


def stand_on(connection: Connection, move_ids: Collection[int], *, base_version: int) -> None:
    """These moves stand on a newer version of their ticket, in which nothing they depend on differs."""
    connection.execute(
        sa.update(_moves).where(_moves.c.id.in_(sorted(move_ids))).values(base_version=base_version)
    )


def settle(
    connection: Connection,
    sandbox_id: int,
    outcomes: Mapping[int, Mapping[str, Any]],
    *,
    by: str,
    until: int,
) -> None:
    """The commit `by` is done with the moves of these tickets, up to the gesture it had seen."""
    for ticket_id, outcome in sorted(outcomes.items()):
        connection.execute(
            sa.update(_moves)
            .where(
                _moves.c.sandbox_id == sandbox_id,
                _moves.c.ticket_id == ticket_id,
                _moves.c.seq <= until,
                _moves.c.settled_by.is_(None),
            )
            .values(settled_by=by, outcome=outcome)
        )


def last_of_each(moves: Iterable[MoveRow]) -> tuple[MoveRow, ...]:
    """What the moves come to: of each ticket the last one, those that free somebody before the others."""
    last = {move.ticket_id: move for move in moves}
    return tuple(sorted(last.values(), key=lambda move: (move.technician_id is not None, move.seq)))


def _move(row: Any) -> MoveRow:
    return MoveRow(
        id=row.id,
        seq=row.seq,
        ticket_id=row.ticket_id,
        token_id=row.token_id,
        base_version=row.base_version,
        base_holder=row.base_holder,
        base_starts_at=row.base_starts_at,
        technician_id=row.technician_id,
        visit=None if row.starts_at is None else Span(row.starts_at, row.ends_at),
        at=row.at,
        command_id=row.command_id,
        settled_by=row.settled_by,
        outcome=row.outcome,
    )
