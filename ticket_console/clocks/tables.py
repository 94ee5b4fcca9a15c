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


class Timer(SQLModel, table=True):
    """Something that will happen once; `fact_key` names the fact, so it cannot happen twice."""

    __tablename__ = "timer"
    __table_args__ = (sa.Index("ix_timer_due", "state", "due_at"), sa.Index("ix_timer_ticket", "ticket_id"))

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    fact_key: str = Field(max_length=96, unique=True)
    kind: str = Field(max_length=32)
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=sa.BigInteger)
    token_id: int = Field(foreign_key="token.id", sa_type=sa.BigInteger)
    due_at: datetime = Field(sa_type=UtcDateTime)
    state: TimerState = Field(sa_column=sa.Column(EnumText(TimerState), nullable=False))
    fired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    late_ms: int | None = None
