"""What is to be told to people and systems outside a transaction, and the surveys customers are asked."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime


class Channel(StrEnum):
    """How something is carried out of the transaction; `TICKET` opens another ticket."""

    CONSOLE = "console"
    WEBHOOK = "webhook"
    TICKET = "ticket"
    SMS = "sms"
    EMAIL = "email"


class OutboxState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEAD = "dead"


def _ticket(*, nullable: bool = False) -> sa.Column[int]:
    """Checked at commit: what is told of a new ticket is written before the ticket's own row."""
    return sa.Column(
        sa.BigInteger, sa.ForeignKey("ticket.id", deferrable=True, initially="DEFERRED"), nullable=nullable
    )


class Outbox(SQLModel, table=True):
    """One thing to tell one recipient by one channel; `fact_key` names why, so it is told once.

    What is told of no ticket, such as a report, has none, and in its payload as `href` where it is read.
    `recipient` is `user:7`, `role:dispatcher`, an address or a number. `next_at` is when it is tried (again);
    while it is being sent, when another worker may take it over.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        sa.UniqueConstraint("fact_key", "recipient", "channel"),
        sa.Index("ix_outbox_due", "channel", "state", "next_at"),
        sa.Index("ix_outbox_ticket", "ticket_id"),
        sa.Index("ix_outbox_inbox", "org_id", "channel", "recipient", "id"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    org_id: int = Field(foreign_key="org.id")
    ticket_id: int | None = Field(default=None, sa_column=_ticket(nullable=True))
    fact_key: str = Field(max_length=240)
    channel: Channel = Field(sa_column=sa.Column(EnumText(Channel), nullable=False))
    recipient: str = Field(max_length=2_000)
    payload: dict[str, Any] = Field(sa_type=JsonText)
    state: OutboxState = Field(sa_column=sa.Column(EnumText(OutboxState), nullable=False))
    attempts: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    why: str = Field(default="", max_length=300)


class NoticeRead(SQLModel, table=True):
    """Somebody has read a notice; one told to a role is read by each for themselves."""

    __tablename__ = "notice_read"

    outbox_id: int = Field(primary_key=True, foreign_key="outbox.id", sa_type=sa.BigInteger)
    user_id: int = Field(primary_key=True, foreign_key="user_account.id", index=True)
    at: datetime = Field(sa_type=UtcDateTime)


class Survey(SQLModel, table=True):
    """What a customer is asked once a step of their ticket is passed, and what they answered."""

    __tablename__ = "survey"
    __table_args__ = (sa.UniqueConstraint("ticket_id", "node_key"),)

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    org_id: int = Field(foreign_key="org.id")
    ticket_id: int = Field(sa_column=_ticket())
    node_key: str = Field(max_length=130)
    questions: list[dict[str, Any]] = Field(sa_type=JsonText)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    answers: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
