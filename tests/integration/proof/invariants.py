"""What must hold of the tickets after anything whatsoever: invariants 1, 2 and 4 of the data model."""

import sqlalchemy as sa

from tests.integration.demo import books
from ticket_console.clocks.tables import Timer, TimerState
from ticket_console.dispatch.tables import Assignment, AssignmentState
from ticket_console.kernel.database import reading, table
from ticket_console.tickets import reads
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.tables import OwnerKind, Ticket, TokenRow

_tickets, _tokens, _timers, _assignments = table(Ticket), table(TokenRow), table(Timer), table(Assignment)


def nothing_is_torn() -> None:
    """Rows are what the events add up to, chains hold, and every open step is somebody's."""
    with reading() as connection:
        assert books.histories_that_disagree(connection) == {}
        ids = list(connection.execute(sa.select(_tickets.c.id)).scalars())
        assert [found for each in ids if (found := reads.verify_chain(connection, each))] == []
        assert books.lane_counts_that_disagree(connection) == {}
        assert books.loads_that_disagree(connection) == {}
        assert _forgotten(connection) == []
        assert _held_by_others(connection) == []
        assert _held_twice(connection) == []


def _forgotten(connection: sa.Connection) -> list[str]:
    """Open tickets without an active step, or with one that has neither owner, nor queue, nor armed timer."""
    active = sa.and_(_tokens.c.ticket_id == _tickets.c.id, _tokens.c.state == TokenState.ACTIVE)
    waits = sa.exists().where(_timers.c.token_id == _tokens.c.id, _timers.c.state == TimerState.ARMED)
    has_somebody = sa.or_(
        sa.and_(_tokens.c.owner_kind == OwnerKind.TECHNICIAN, _tokens.c.owner_id.is_not(None)),
        sa.and_(_tokens.c.owner_kind == OwnerKind.QUEUE, _tokens.c.queue_role.is_not(None)),
        _tokens.c.owner_kind == OwnerKind.CUSTOMER,
        waits,
    )
    query = sa.select(_tickets.c.no).where(
        _tickets.c.status == TicketStatus.OPEN,
        sa.or_(~sa.exists().where(active), sa.exists().where(active, ~has_somebody)),
    )
    return list(connection.execute(query).scalars())


def _held_by_others(connection: sa.Connection) -> list[int]:
    """Active steps of technicians whose claimed assignment is missing or somebody else's, and the reverse."""
    claimed = sa.and_(
        _assignments.c.token_id == _tokens.c.id, _assignments.c.state == AssignmentState.CLAIMED
    )
    owned = sa.and_(_tokens.c.state == TokenState.ACTIVE, _tokens.c.owner_kind == OwnerKind.TECHNICIAN)
    query = (
        sa.select(_tokens.c.id)
        .select_from(_tokens.outerjoin(_assignments, claimed))
        .where(
            sa.or_(
                sa.and_(
                    owned,
                    sa.func.coalesce(_assignments.c.technician_id, 0)
                    != sa.func.coalesce(_tokens.c.owner_id, 0),
                ),
                sa.and_(~owned, _assignments.c.id.is_not(None)),
            )
        )
    )
    return list(connection.execute(query).scalars())


def _held_twice(connection: sa.Connection) -> list[int]:
    query = (
        sa.select(_assignments.c.token_id)
        .where(_assignments.c.state == AssignmentState.CLAIMED)
        .group_by(_assignments.c.token_id)
        .having(sa.func.count() > 1)
    )
    return list(connection.execute(query).scalars())
