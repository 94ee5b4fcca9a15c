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
    VARIANT = "variant"


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
    # A proven model that other regions start from.
    is_standard: bool = False
    # How many overrides there are; with none, opening a ticket need not look for any.
    override_count: int = 0
    version: int = 1


class TemplateVersion(SQLModel, table=True):
    """Published rows never change, except that they retire; `flow_version_id` may pin a flow version.

    A variant is what overrides make of the version `base_version_id` at some place. It has no number of its
    own, and tickets opened there keep it like any other version.
    """

    __tablename__ = "template_version"
    __table_args__ = (
        sa.UniqueConstraint("template_id", "number"),
        sa.UniqueConstraint("template_id", "content_hash"),
    )

    id: int | None = Field(default=None, primary_key=True)
    template_id: int = Field(foreign_key="template.id")
    number: int | None = None
    base_version_id: int | None = Field(default=None, foreign_key="template_version.id", index=True)
    status: VersionStatus = Field(sa_column=sa.Column(EnumText(VersionStatus), nullable=False))
    definition: dict[str, Any] = Field(sa_type=JsonText)
    content_hash: str = Field(max_length=64)
    flow_version_id: int | None = Field(default=None, foreign_key="flow_version.id")
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    published_by: str | None = Field(default=None, max_length=64)


class OverrideScope(StrEnum):
    """From the widest to the narrowest; what is narrower wins."""

    LINE = "line"
    REGION = "region"
    STORE = "store"


class TemplateOverride(SQLModel, table=True):
    """What a template says otherwise in a business line, a region with all below it, or a store (`ref`: its
    code)."""

    __tablename__ = "template_override"
    __table_args__ = (sa.UniqueConstraint("template_id", "scope", "ref"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    template_id: int = Field(foreign_key="template.id")
    scope: OverrideScope = Field(sa_column=sa.Column(EnumText(OverrideScope), nullable=False))
    ref: str = Field(max_length=64)
    patch: dict[str, Any] = Field(sa_type=JsonText)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    changed_by: str = Field(max_length=64)
    version: int = 1


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


class DraftKind(StrEnum):
    FORM = "form"
    FLOW = "flow"


class Draft(SQLModel, table=True):
    """What one author is drawing. `base` is what it started from, `seq` how often it has changed since.

    Its id is never that of a discarded draft: a stale tab must not match another draft's changes.

    `contributors` have the authors of what came in since the last publication, names by label; `merged` says,
    by draft, up to which change another author's draft has been taken in.
    """

    __tablename__ = "draft"
    __table_args__ = (sa.UniqueConstraint("org_id", "kind", "code", "author"),)

    # INTEGER makes the key the rowid of SQLite; a wider one would cost a second tree.
    id: int = Field(
        sa_column=sa.Column(
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False
        )
    )
    org_id: int = Field(foreign_key="org.id")
    kind: DraftKind = Field(sa_column=sa.Column(EnumText(DraftKind), nullable=False))
    code: str = Field(max_length=64)
    author: str = Field(max_length=64)
    author_name: str = Field(max_length=80)
    base_version_id: int | None = None
    base: dict[str, Any] = Field(sa_type=JsonText)
    seq: int = 0
    document: dict[str, Any] = Field(sa_type=JsonText)
    contributors: dict[str, str] = Field(sa_type=JsonText)
    merged: dict[str, int] = Field(sa_type=JsonText)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class DraftOperation(SQLModel, table=True):
    """One gesture in a draft's log; with `inverse` every earlier state can be had again."""

    __tablename__ = "draft_operation"
    __table_args__ = (sa.UniqueConstraint("draft_id", "gesture_id"),)

    draft_id: int = Field(primary_key=True, foreign_key="draft.id", sa_type=sa.BigInteger)
    seq: int = Field(primary_key=True)
    gesture_id: str = Field(max_length=64)
    label: str = Field(max_length=64)
    label_params: dict[str, Any] = Field(sa_type=JsonText)
    ops: list[Any] = Field(sa_type=JsonText)
    inverse: list[Any] = Field(sa_type=JsonText)
    author: str = Field(max_length=64)
    author_name: str = Field(max_length=80)
    at: datetime = Field(sa_type=UtcDateTime)


class Publication(SQLModel, table=True):
    """Every time a version became the one in use: who did it, who had drawn it, and what it changed."""

    __tablename__ = "publication"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "command_id"),
        sa.Index("ix_publication_subject", "org_id", "kind", "code", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    kind: DraftKind = Field(sa_column=sa.Column(EnumText(DraftKind), nullable=False))
    code: str = Field(max_length=64)
    version_id: int
    # What it took the place of.
    replaced_id: int | None = None
    is_rollback: bool = False
    note: str = Field(default="", max_length=500)
    authors: dict[str, str] = Field(sa_type=JsonText)
    summary: dict[str, Any] = Field(sa_type=JsonText)
    actor: str = Field(max_length=64)
    actor_name: str = Field(max_length=80)
    command_id: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)
