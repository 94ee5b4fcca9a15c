"""Timers as rows: a lost tick only delays them."""

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, UtcDateTime


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
    fact_key: str = Field(max_length=96, unique=True)
    kind: str = Field(max_length=32)
    ticket_id: int = Field(sa_column=_later("ticket.id"))
    token_id: int = Field(sa_column=_later("token.id"))
    due_at: datetime = Field(sa_type=UtcDateTime)
    state: TimerState = Field(sa_column=sa.Column(EnumText(TimerState), nullable=False))
    fired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    late_ms: int | None = None
