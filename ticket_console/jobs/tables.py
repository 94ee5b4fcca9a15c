"""Tables of the worker: what is done once a local day, and long work that somebody asked for."""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.jobs.kinds import RunState, ScheduleKind, TaskKind, TaskState
from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime


class ScheduleRun(SQLModel, table=True):
    """One schedule on one local day of one zone; its uniqueness is what makes it happen once.

    `lease_until` is when another worker may take it over: while it is running because its worker must have
    died, after a failure because it may work by then. `result` is what it came to, for whoever operates.
    """

    __tablename__ = "schedule_run"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "kind", "zone", "local_day"),
        sa.Index("ix_schedule_run_open", "state", "lease_until"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    kind: ScheduleKind = Field(sa_column=sa.Column(EnumText(ScheduleKind), nullable=False))
    zone: str = Field(max_length=64)
    local_day: date
    due_at: datetime = Field(sa_type=UtcDateTime)
    state: RunState = Field(sa_column=sa.Column(EnumText(RunState), nullable=False))
    owner: str = Field(default="", max_length=64)
    attempts: int = 0
    lease_until: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    result: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    failure: str = Field(default="", max_length=300)


class Task(SQLModel, table=True):
    """Long work somebody asked for. `heartbeat_at` is when its worker last said that it was alive.

    `file_name` is what the result is saved as; empty where it has none, or no longer.
    """

    __tablename__ = "task"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "command_id"),
        sa.Index("ix_task_state", "state", "id"),
        sa.Index("ix_task_created_by", "created_by", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    kind: TaskKind = Field(sa_column=sa.Column(EnumText(TaskKind), nullable=False))
    args: dict[str, Any] = Field(sa_type=JsonText)
    state: TaskState = Field(sa_column=sa.Column(EnumText(TaskState), nullable=False))
    done: int = 0
    total: int = 0
    note: str = Field(default="", max_length=200)
    is_cancel_asked: bool = False
    owner: str = Field(default="", max_length=64)
    attempts: int = 0
    heartbeat_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    result: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    failure: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    file_name: str = Field(default="", max_length=200)
    created_by: int = Field(foreign_key="user_account.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    command_id: str = Field(max_length=64)
