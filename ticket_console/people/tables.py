"""Who does the work: technicians, what they may do, where, and when."""

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime
from ticket_console.people.candidate import Post


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


class Crew(SQLModel, table=True):
    """People who work side by side and take over from one another; their lead is one of them by post."""

    __tablename__ = "crew"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    region_id: int = Field(foreign_key="region.id", index=True)
    code: str = Field(max_length=64)
    name: dict[str, str] = Field(sa_type=JsonText)


class Vendor(SQLModel, table=True):
    """A service partner, whose people work for us under their own dispatcher.

    Its agreement holds for the days [agreed_from, agreed_until), without end or beginning where null, and
    for these business lines, null all of them. One in standby is asked only while the pool of such
    partners is open.
    """

    __tablename__ = "vendor"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    code: str = Field(max_length=64)
    name: dict[str, str] = Field(sa_type=JsonText)
    is_active: bool = True
    agreed_from: date | None = None
    agreed_until: date | None = None
    ticket_classes: list[str] | None = Field(default=None, sa_type=JsonText)
    is_standby: bool = False


class Technician(SQLModel, table=True):
    """Somebody to be sent to work, or, by their `post`, to lead a crew or keep its store."""

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
    crew_id: int | None = Field(default=None, foreign_key="crew.id", index=True)
    vendor_id: int | None = Field(default=None, foreign_key="vendor.id", index=True)
    post: Post = Field(
        default=Post.TECHNICIAN,
        sa_column=sa.Column(EnumText(Post), nullable=False, default=Post.TECHNICIAN),
    )
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


class BrandCertificate(SQLModel, table=True):
    """A maker's proof that somebody may work on its devices, valid as a `Certificate` is."""

    __tablename__ = "brand_certificate"
    __table_args__ = (sa.Index(None, "technician_id", "brand"),)

    id: int | None = Field(default=None, primary_key=True)
    technician_id: int = Field(foreign_key="technician.id")
    brand: str = Field(max_length=80)
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


class PositionSharing(SQLModel, table=True):
    """What a technician allows: since when they consent, and since when they are on duty without a break.

    No row, or no `consented_at`, is no consent. Without `duty_since` nobody wrote down when duty began.
    """

    __tablename__ = "position_sharing"

    technician_id: int = Field(foreign_key="technician.id", primary_key=True)
    consented_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    duty_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LastPosition(SQLModel, table=True):
    """Where a technician was last, while on duty; going off duty removes it."""

    __tablename__ = "last_position"

    technician_id: int = Field(foreign_key="technician.id", primary_key=True)
    lat: float
    lon: float
    accuracy_m: float
    taken_at: datetime = Field(sa_type=UtcDateTime)


class PositionFix(SQLModel, table=True):
    """One point of a track; a device tells a moment once."""

    __tablename__ = "position_fix"
    __table_args__ = (
        sa.Index("ix_position_fix_track", "technician_id", "taken_at"),
        sa.Index(None, "taken_at"),
    )

    technician_id: int = Field(foreign_key="technician.id", primary_key=True)
    device: str = Field(max_length=64, primary_key=True)
    taken_at: datetime = Field(sa_type=UtcDateTime, primary_key=True)
    received_at: datetime = Field(sa_type=UtcDateTime)
    lat: float
    lon: float
    accuracy_m: float
