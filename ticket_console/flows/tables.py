"""Flows and their immutable versions."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.forms.tables import VersionStatus
from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime


class Flow(SQLModel, table=True):
    """`current_version_id` is what new tickets start on; open ones keep the version they were opened with."""

    __tablename__ = "flow"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    code: str = Field(max_length=64)
    name: dict[str, str] = Field(sa_type=JsonText)
    # No foreign key: flow and version would point at each other.
    current_version_id: int | None = None
    version: int = 1


class FlowVersion(SQLModel, table=True):
    """Published rows never change, except that they retire."""

    __tablename__ = "flow_version"
    __table_args__ = (
        sa.UniqueConstraint("flow_id", "number"),
        sa.UniqueConstraint("flow_id", "content_hash"),
    )

    id: int | None = Field(default=None, primary_key=True)
    flow_id: int = Field(foreign_key="flow.id")
    number: int
    status: VersionStatus = Field(sa_column=sa.Column(EnumText(VersionStatus), nullable=False))
    graph: dict[str, Any] = Field(sa_type=JsonText)
    content_hash: str = Field(max_length=64)
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    published_by: str | None = Field(default=None, max_length=64)
    effective_from: datetime | None = Field(default=None, sa_type=UtcDateTime)


class GoldenTicket(SQLModel, table=True):
    """A real ticket's story kept as a test of its flow, and how it is expected to go."""

    __tablename__ = "golden_ticket"
    __table_args__ = (sa.UniqueConstraint("flow_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    flow_id: int = Field(foreign_key="flow.id")
    name: str = Field(max_length=120)
    ticket_no: str = Field(max_length=24)
    story: dict[str, Any] = Field(sa_type=JsonText)
    expected: dict[str, Any] = Field(sa_type=JsonText)
    # The last change of what is expected: who took it over, when and why.
    accepted: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    saved_by: str = Field(max_length=64)
    saved_by_name: str = Field(max_length=80)
    saved_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1
