"""What came in, word for word, before anybody understood it."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.intake.states import RawState
from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime


class RawIntake(SQLModel, table=True):
    """One inbound message.

    `delivery_key` is unique per channel: the same delivery sent again is the same row. `claim_key`
    is the source's own number, held by the first message that carries it; a later one with the
    same number is kept as a duplicate with no claim. A rejected message gives its claim back, so that
    a corrected one may take it. `attempts` counts the times that creating the ticket broke down.
    """

    __tablename__ = "raw_intake"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "channel", "delivery_key"),
        sa.UniqueConstraint("org_id", "channel", "claim_key"),
        sa.Index("ix_raw_intake_received", "org_id", "received_at"),
        sa.Index("ix_raw_intake_inbox", "org_id", "state", "channel"),
        sa.Index(
            "ix_raw_intake_new",
            "received_at",
            sqlite_where=sa.text("state = 'new'"),
            postgresql_where=sa.text("state = 'new'"),
        ),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    org_id: int = Field(foreign_key="org.id")
    channel: str = Field(max_length=32)
    delivery_key: str = Field(max_length=128)
    claim_key: str | None = Field(default=None, max_length=128)
    external_id: str | None = Field(default=None, max_length=128)
    payload: dict[str, Any] = Field(sa_type=JsonText)
    payload_hash: str = Field(max_length=64)
    received_by: str = Field(max_length=64)
    state: RawState = Field(sa_column=sa.Column(EnumText(RawState), nullable=False))
    attempts: int = 0
    reason: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    ticket_id: int | None = Field(default=None, sa_type=sa.BigInteger, index=True)
    received_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ImportBatch(SQLModel, table=True):
    """One uploaded file: how its columns were read and what became of each row."""

    __tablename__ = "import_batch"

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id", index=True)
    filename: str = Field(max_length=200)
    content_hash: str = Field(max_length=64)
    template_id: int = Field(foreign_key="template.id")
    mapping: dict[str, str] = Field(sa_type=JsonText)
    rows: int
    opened: int = 0
    duplicates: int = 0
    rejected: int = 0
    report: list[dict[str, Any]] = Field(default_factory=list, sa_type=JsonText)
    by: str = Field(max_length=64)
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TriggerRule(SQLModel, table=True):
    """A rule of what to start for which message; the first active one by `position` that holds decides."""

    __tablename__ = "trigger_rule"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    code: str = Field(max_length=64)
    position: int
    is_active: bool = True
    # No foreign key: rule and version would point at each other.
    current_version_id: int | None = None
    version: int = 1


class TriggerRuleVersion(SQLModel, table=True):
    """What a rule says, written once: a change is a new version."""

    __tablename__ = "trigger_rule_version"
    __table_args__ = (
        sa.UniqueConstraint("rule_id", "number"),
        sa.UniqueConstraint("rule_id", "content_hash"),
    )

    id: int | None = Field(default=None, primary_key=True)
    rule_id: int = Field(foreign_key="trigger_rule.id")
    number: int
    content: dict[str, Any] = Field(sa_type=JsonText)
    content_hash: str = Field(max_length=64)
    published_at: datetime = Field(sa_type=UtcDateTime)
    published_by: str = Field(max_length=64)
