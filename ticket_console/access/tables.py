"""Who works here and where: organisation, places, users, what was granted to them, and their sessions."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime


class Org(SQLModel, table=True):
    __tablename__ = "org"

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(max_length=32, unique=True)
    name: dict[str, str] = Field(sa_type=JsonText)
    tz: str = Field(max_length=64)
    currency: str = Field(max_length=3)
    version: int = 1


class Region(SQLModel, table=True):
    __tablename__ = "region"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    parent_id: int | None = Field(default=None, foreign_key="region.id", index=True)
    code: str = Field(max_length=32)
    name: dict[str, str] = Field(sa_type=JsonText)
    tz: str = Field(max_length=64)
    version: int = 1


class SiteKind(StrEnum):
    HQ = "hq"
    BRANCH = "branch"
    STORE = "store"
    OUTLET = "outlet"
    WAREHOUSE = "warehouse"
    CUSTOMER_SITE = "customer_site"


class Site(SQLModel, table=True):
    __tablename__ = "site"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"), sa.Index(None, "org_id", "lat", "lon"))

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    region_id: int = Field(foreign_key="region.id", index=True)
    territory_id: int | None = Field(default=None, foreign_key="territory.id")
    kind: SiteKind = Field(sa_column=sa.Column(EnumText(SiteKind), nullable=False))
    code: str = Field(max_length=64)
    name: dict[str, str] = Field(sa_type=JsonText)
    address: str = Field(default="", max_length=300)
    lat: float
    lon: float
    tz: str = Field(max_length=64)
    version: int = 1


class UserAccount(SQLModel, table=True):
    __tablename__ = "user_account"

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id", index=True)
    login: str = Field(max_length=64, unique=True)
    display_name: str = Field(max_length=80)
    password_hash: str = Field(max_length=200)
    locale: str = Field(default="zh", max_length=8)
    department: str = Field(default="", max_length=64)
    is_enabled: bool = True
    failed_logins: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class RoleGrant(SQLModel, table=True):
    __tablename__ = "role_grant"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user_account.id", index=True)
    role: Role = Field(sa_column=sa.Column(EnumText(Role), nullable=False))
    scope: Scope = Field(sa_column=sa.Column(EnumText(Scope), nullable=False))
    region_id: int | None = Field(default=None, foreign_key="region.id")
    ticket_classes: list[str] = Field(default_factory=list, sa_type=JsonText)


class UserSession(SQLModel, table=True):
    """A log-in. Only the hash of its secret is kept, so a stolen table opens no door."""

    __tablename__ = "user_session"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = Field(foreign_key="user_account.id", index=True)
    token_hash: str = Field(max_length=64, unique=True)
    user_agent: str = Field(default="", max_length=200)
    created_at: datetime = Field(sa_type=UtcDateTime)
    last_seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ApiToken(SQLModel, table=True):
    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    name: str = Field(max_length=80)
    prefix: str = Field(max_length=12)
    token_hash: str = Field(max_length=64, unique=True)
    user_id: int | None = Field(default=None, foreign_key="user_account.id")
    permissions: list[str] = Field(default_factory=list, sa_type=JsonText)
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AuditEntry(SQLModel, table=True):
    """What was done outside any ticket: log-ins, grants, publications, statements."""

    __tablename__ = "audit_entry"
    __table_args__ = (sa.Index(None, "org_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str = Field(max_length=64)
    actor_name: str = Field(max_length=80)
    action: str = Field(max_length=64)
    subject: str = Field(max_length=80)
    payload: dict[str, Any] = Field(default_factory=dict, sa_type=JsonText)
    command_id: str = Field(max_length=64)
