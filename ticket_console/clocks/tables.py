"""Timers as rows: a lost tick only delays them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime


class TimerState(StrEnum):
    ARMED = "armed"
    FIRED = "fired"
    CANCELLED = "cancelled"


def _later(target: str) -> sa.Column[int]:
    """A reference that is checked at commit: a timer is armed before its token's row is written."""
    return sa.Column(
        sa.BigInteger, sa.ForeignKey(target, deferrable=True, initially="DEFERRED"), nullable=False
    )


class Timer(SQLModel, table=True):
    """Something that will happen once; `fact_key` names the fact, so it cannot happen twice."""

    __tablename__ = "timer"
    __table_args__ = (
        sa.Index("ix_timer_due", "state", "due_at"),
        sa.Index("ix_timer_ticket", "ticket_id"),
        sa.Index("ix_timer_token", "token_id"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    fact_key: str = Field(max_length=240, unique=True)
    kind: str = Field(max_length=32)
    ticket_id: int = Field(sa_column=_later("ticket.id"))
    token_id: int = Field(sa_column=_later("token.id"))
    due_at: datetime = Field(sa_type=UtcDateTime)
    state: TimerState = Field(sa_column=sa.Column(EnumText(TimerState), nullable=False))
    fired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    late_ms: int | None = None


class Calendar(SQLModel, table=True):
    """Opening hours by their code; `current_version_id` is what is counted on from now on."""

    __tablename__ = "calendar"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    code: str = Field(max_length=64)
    name: dict[str, str] = Field(sa_type=JsonText)
    # No foreign key: calendar and version would point at each other.
    current_version_id: int | None = None


class CalendarVersion(SQLModel, table=True):
    """Written once. `week`: {weekday: [[from, to], ...]} in minutes; `days` that differ by ISO date."""

    __tablename__ = "calendar_version"
    __table_args__ = (sa.UniqueConstraint("calendar_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    calendar_id: int = Field(foreign_key="calendar.id")
    number: int
    tz: str = Field(max_length=64)
    week: dict[str, Any] = Field(sa_type=JsonText)
    days: dict[str, Any] = Field(sa_type=JsonText)
    content_hash: str = Field(max_length=64)
    published_at: datetime = Field(sa_type=UtcDateTime)
    published_by: str = Field(max_length=64)
