"""Who was asked, who took it, and why: assignments, decisions and the load they add up to."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime


class AssignmentState(StrEnum):
    OFFERED = "offered"
    CLAIMED = "claimed"
    DECLINED = "declined"
    RELEASED = "released"
    DONE = "done"


class DecisionMode(StrEnum):
    AUTO = "auto"
    MANUAL = "manual"
    CLAIM = "claim"
    STICKY = "sticky"


_CLAIMED = sa.text("state = 'claimed'")


def _later(target: str) -> sa.Column[int]:
    """A reference that is checked at commit: the technician is chosen before the token's row is written."""
    return sa.Column(
        sa.BigInteger, sa.ForeignKey(target, deferrable=True, initially="DEFERRED"), nullable=False
    )


class Assignment(SQLModel, table=True):
    """One technician and one token. At most one is claimed per token, whatever runs at the same moment."""

    __tablename__ = "assignment"
    __table_args__ = (
        sa.Index(
            "uq_assignment_claimed", "token_id", unique=True, sqlite_where=_CLAIMED, postgresql_where=_CLAIMED
        ),
        sa.Index("ix_assignment_technician", "technician_id", "state"),
        sa.Index("ix_assignment_ticket", "ticket_id"),
        # SQLite looks for rows that waited for their parent, each time a token or decision is written.
        sa.Index("ix_assignment_token", "token_id"),
        sa.Index("ix_assignment_decision", "decision_id"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    ticket_id: int = Field(sa_column=_later("ticket.id"))
    token_id: int = Field(sa_column=_later("token.id"))
    technician_id: int = Field(foreign_key="technician.id")
    decision_id: int = Field(sa_column=_later("dispatch_decision.id"))
    state: AssignmentState = Field(sa_column=sa.Column(EnumText(AssignmentState), nullable=False))
    offered_at: datetime = Field(sa_type=UtcDateTime)
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = Field(default=None, max_length=500)


class DispatchDecision(SQLModel, table=True):
    """Every candidate's numbers at the moment of choice; `chosen_id` is null when nobody was eligible."""

    __tablename__ = "dispatch_decision"
    __table_args__ = (
        sa.Index("ix_dispatch_decision_ticket", "ticket_id"),
        sa.Index("ix_dispatch_decision_token", "token_id"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    ticket_id: int = Field(sa_column=_later("ticket.id"))
    token_id: int = Field(sa_column=_later("token.id"))
    mode: DecisionMode = Field(sa_column=sa.Column(EnumText(DecisionMode), nullable=False))
    policy: str = Field(max_length=64)
    chosen_id: int | None = None
    candidates: list[dict[str, Any]] = Field(sa_type=JsonText)
    failed: dict[str, int] = Field(sa_type=JsonText)
    by: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)


class TechnicianLoad(SQLModel, table=True):
    """Open assignments per technician, kept in step in the same transaction as they change."""

    __tablename__ = "technician_load"
    __table_args__ = (sa.CheckConstraint("open_count >= 0", name="open_count_is_not_negative"),)

    technician_id: int = Field(primary_key=True, foreign_key="technician.id")
    open_count: int = 0
