"""What people finished and earned within some days, for whoever weighs fairness."""

from dataclasses import dataclass
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.kernel.database import table
from ticket_console.settlement.kinds import Dimension, OwnerKind, Purpose
from ticket_console.settlement.tables import Account, Rating, RatingLine

# A job is hard that was paid extra for what made it so.
HARD: Final = (Dimension.DIFFICULTY, Dimension.HAZARD, Dimension.NIGHT)

_ratings = table(Rating)
_lines = table(RatingLine)
_accounts = table(Account)

_is_hard = sa.exists().where(
    _lines.c.rating_id == _ratings.c.id, _lines.c.dimension.in_(HARD), _lines.c.amount_minor > 0
)
_WORKED: Final = (
    sa.select(
        _accounts.c.owner_id,
        sa.func.count(sa.distinct(_ratings.c.ticket_id)),
        sa.func.count(sa.distinct(sa.case((_is_hard, _ratings.c.ticket_id)))),
        sa.func.coalesce(sa.func.sum(_ratings.c.total_minor), 0),
    )
    .join(_accounts, _accounts.c.id == _ratings.c.payee_account_id)
    .where(
        _ratings.c.org_id == sa.bindparam("org_id"),
        _ratings.c.service_on > sa.bindparam("after"),
        _ratings.c.service_on <= sa.bindparam("until"),
        _ratings.c.purpose == Purpose.WORKER_PAY,
        _ratings.c.is_live,
        _accounts.c.owner_kind == OwnerKind.TECHNICIAN,
    )
    .group_by(_accounts.c.owner_id)
    .order_by(_accounts.c.owner_id)
)


@dataclass(frozen=True, slots=True)
class Worked:
    technician_id: int
    jobs: int
    hard_jobs: int
    income_minor: int


def worked(conn: Connection, org_id: int, *, after: date, until: date) -> tuple[Worked, ...]:
    """Everybody with a live rating for work on the days after the one and up to the other."""
    rows = conn.execute(_WORKED, {"org_id": org_id, "after": after, "until": until})
    return tuple(Worked(int(row[0]), int(row[1]), int(row[2]), int(row[3])) for row in rows)
