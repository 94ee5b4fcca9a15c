"""Who does the work: technicians, what they may do, where, and when."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import JsonText, UtcDateTime


class Territory(SQLModel, table=True):
    """An area of service within a region; `outline` is a ring of [lon, lat], or null for all of it."""

    __tablename__ = "territory"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    region_id: int = Field(foreign_key="region.id", index=True)
    code: str = Field(max_length=64)
    name: dict[str, str] = Field(sa_type=JsonText)
    outline: list[list[float]] | None = Field(default=None, sa_type=JsonText)
    version: int = 1


class Technician(SQLModel, table=True):
    __tablename__ = "technician"

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id", index=True)
    user_id: int | None = Field(default=None, foreign_key="user_account.id", unique=True)
    name: str = Field(max_length=80)
    phone: str = Field(default="", max_length=32)
    region_id: int = Field(foreign_key="region.id", index=True)
    home_site_id: int | None = Field(default=None, foreign_key="site.id")
    lat: float
    lon: float
    level: int = 1
    capacity: int = 8
    is_on_duty: bool = True
    is_active: bool = True
    version: int = 1


class Skill(SQLModel, table=True):
    __tablename__ = "skill"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    code: str = Field(max_length=64)
    name: dict[str, str] = Field(sa_type=JsonText)


class Certificate(SQLModel, table=True):
    """Proof of a skill from one day on, until the day before `valid_until` (open-ended when null)."""

    __tablename__ = "certificate"
    __table_args__ = (sa.Index(None, "technician_id", "skill_id"),)

    id: int | None = Field(default=None, primary_key=True)
    technician_id: int = Field(foreign_key="technician.id")
    skill_id: int = Field(foreign_key="skill.id")
    level: int = 1
    valid_from: date
    valid_until: date | None = None


class TechnicianTerritory(SQLModel, table=True):
    __tablename__ = "technician_territory"

    technician_id: int = Field(foreign_key="technician.id", primary_key=True)
    territory_id: int = Field(foreign_key="territory.id", primary_key=True)


class Shift(SQLModel, table=True):
    """A planned presence [starts_at, ends_at). Without any, the duty switch alone counts."""

    __tablename__ = "shift"
    __table_args__ = (sa.Index(None, "technician_id", "starts_at"),)

    id: int | None = Field(default=None, primary_key=True)
    technician_id: int = Field(foreign_key="technician.id")
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)


class Absence(SQLModel, table=True):
    __tablename__ = "absence"
    __table_args__ = (sa.Index(None, "technician_id", "starts_at"),)

    id: int | None = Field(default=None, primary_key=True)
    technician_id: int = Field(foreign_key="technician.id")
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    reason: str = Field(default="", max_length=200)
