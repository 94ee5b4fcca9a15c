"""How much work may stand in a lane at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.kernel.database import table
from ticket_console.tickets.tables import LaneCount, LimitScope, WipLimit

_limits = table(WipLimit)
_lane_counts = table(LaneCount)


@dataclass(frozen=True, slots=True)
class Limit:
    """Above `soft` there is a warning, at `hard` nothing more comes in; None is no limit."""

    soft: int | None = None
    hard: int | None = None

    def is_full(self, count: int) -> bool:
        return self.hard is not None and count >= self.hard

    def is_crowded(self, count: int) -> bool:
        return self.soft is not None and count > self.soft


UNLIMITED = Limit()


def limits_of(connection: Connection, org_id: int, scope: LimitScope) -> Mapping[str, Limit]:
    """The limits of one kind that were set, by key."""
    rows = connection.execute(
        sa.select(_limits.c.key, _limits.c.soft, _limits.c.hard).where(
            _limits.c.org_id == org_id, _limits.c.scope == scope
        )
    )
    return {row.key: Limit(row.soft, row.hard) for row in rows}


def hold_stage_limit(connection: Connection, org_id: int, stage: str) -> Limit:
    """The limit of one lane, held against others who ask for it to bring something in."""
    row = connection.execute(
        sa.select(_limits.c.soft, _limits.c.hard)
        .where(_limits.c.org_id == org_id, _limits.c.scope == LimitScope.STAGE, _limits.c.key == stage)
        .with_for_update()
    ).first()
    return UNLIMITED if row is None else Limit(row.soft, row.hard)


def standing_in(connection: Connection, org_id: int, stage: str) -> int:
    """How many tickets stand in a lane, whoever may see them: a limit is one for the whole organisation."""
    count = connection.execute(
        sa.select(sa.func.sum(_lane_counts.c.tickets)).where(
            _lane_counts.c.org_id == org_id, _lane_counts.c.stage == stage
        )
    ).scalar()
    return int(count or 0)


def standing_by_stage(connection: Connection, org_id: int) -> dict[str, int]:
    rows = connection.execute(
        sa.select(_lane_counts.c.stage, sa.func.sum(_lane_counts.c.tickets))
        .where(_lane_counts.c.org_id == org_id)
        .group_by(_lane_counts.c.stage)
    )
    return {stage: int(count) for stage, count in rows}


def set_limit(connection: Connection, *, org_id: int, scope: LimitScope, key: str, limit: Limit) -> None:
    """Keep a limit; one without figures is none."""
    where = (_limits.c.org_id == org_id, _limits.c.scope == scope, _limits.c.key == key)
    connection.execute(sa.delete(_limits).where(*where))
    if limit != UNLIMITED:
        connection.execute(
            sa.insert(_limits),
            {"org_id": org_id, "scope": scope, "key": key, "soft": limit.soft, "hard": limit.hard},
        )
