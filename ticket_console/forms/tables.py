"""Templates, their immutable versions, and the fields an organisation knows."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime


class VersionStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Template(SQLModel, table=True):
    """A kind of request. `current_version_id` is what new tickets are filled in by; open ones keep theirs.

    `flow_version_id` is the current version of `flow_id`, kept here by the room of flows: opening a ticket
    reads one row.
    """

    __tablename__ = "template"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    code: str = Field(max_length=64)
    name: dict[str, str] = Field(sa_type=JsonText)
    business_line: str = Field(max_length=64)
    ticket_class: str = Field(max_length=32)
    flow_id: int | None = Field(default=None, foreign_key="flow.id")
    flow_version_id: int | None = Field(default=None, foreign_key="flow_version.id")
    # No foreign key: template and version would point at each other.
    current_version_id: int | None = None
    icon: str = Field(default="", max_length=64)
    is_public: bool = False
    keywords: list[str] = Field(default_factory=list, sa_type=JsonText)
    is_active: bool = True
    version: int = 1


class TemplateVersion(SQLModel, table=True):
    """Published rows never change, except that they retire; `flow_version_id` may pin a flow version."""

    __tablename__ = "template_version"
    __table_args__ = (
        sa.UniqueConstraint("template_id", "number"),
        sa.UniqueConstraint("template_id", "content_hash"),
    )

    id: int | None = Field(default=None, primary_key=True)
    template_id: int = Field(foreign_key="template.id")
    number: int
    status: VersionStatus = Field(sa_column=sa.Column(EnumText(VersionStatus), nullable=False))
    definition: dict[str, Any] = Field(sa_type=JsonText)
    content_hash: str = Field(max_length=64)
    flow_version_id: int | None = Field(default=None, foreign_key="flow_version.id")
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    published_by: str | None = Field(default=None, max_length=64)


class FieldDef(SQLModel, table=True):
    """A field by its key, which never changes its meaning: the same key is the same fact on every ticket."""

    __tablename__ = "field_def"
    __table_args__ = (sa.UniqueConstraint("org_id", "field_key"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    field_key: str = Field(max_length=64)
    kind: str = Field(max_length=32)
    label: dict[str, str] = Field(sa_type=JsonText)
    owner_dept: str = Field(default="", max_length=64)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
