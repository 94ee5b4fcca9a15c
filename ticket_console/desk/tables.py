"""What the desk keeps beside the tickets: replays of drawn flows, which are no history."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime


class ReplayState(StrEnum):
    """A run that is `lost` was at work in a process that is gone."""

    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    LOST = "lost"


class ReplayRun(SQLModel, table=True):
    """A flow as it was drawn, played with the tickets of a period; `report` is what came of it.

    An organisation has one running at a time.

    Where the one who asked `sees_everything` so must whoever looks at it; else it is theirs alone.
    """

    __tablename__ = "replay_run"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "command_id"),
        sa.Index("ix_replay_run_flow", "flow_id", "id"),
        sa.Index(
            "uq_replay_run_running",
            "org_id",
            unique=True,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    flow_id: int = Field(foreign_key="flow.id")
    command_id: str = Field(max_length=64)
    label: str = Field(max_length=120)
    draft: dict[str, Any] = Field(sa_type=JsonText)
    draft_hash: str = Field(max_length=64)
    dwells: list[Any] = Field(default_factory=list, sa_type=JsonText)
    period_from: datetime = Field(sa_type=UtcDateTime)
    period_until: datetime = Field(sa_type=UtcDateTime)
    as_of: datetime = Field(sa_type=UtcDateTime)
    state: ReplayState = Field(sa_column=sa.Column(EnumText(ReplayState), nullable=False))
    done: int = 0
    total: int = 0
    report: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    failure: str | None = Field(default=None, max_length=200)
    sees_everything: bool
    started_by: str = Field(max_length=64)
    started_by_name: str = Field(max_length=80)
    started_at: datetime = Field(sa_type=UtcDateTime)
    beat_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ReplayDifference(SQLModel, table=True):
    """A ticket that would have gone another way. `kinds` is a sum of the bits of its kinds."""

    __tablename__ = "replay_difference"

    run_id: int = Field(primary_key=True, foreign_key="replay_run.id")
    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id", sa_type=sa.BigInteger)
    kinds: int
    seconds: int = Field(sa_type=sa.BigInteger)
    cost_minor: int = Field(sa_type=sa.BigInteger)
    breached: list[str] = Field(sa_type=JsonText)
    kept: list[str] = Field(sa_type=JsonText)
    base_end: str = Field(max_length=64)
    draft_end: str = Field(max_length=64)
