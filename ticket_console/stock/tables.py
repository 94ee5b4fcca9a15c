"""Parts, what they cost, and what was used on which ticket."""

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import JsonText, UtcDateTime


class Part(SQLModel, table=True):
    __tablename__ = "part"
    __table_args__ = (sa.UniqueConstraint("org_id", "sku"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    sku: str = Field(max_length=64)
    name: dict[str, str] = Field(sa_type=JsonText)
    uom: str = Field(max_length=16)
    unit_cost_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)


class PartStandard(SQLModel, table=True):
    """How much of a part a job takes, and by how much more it may be exceeded before that is worth a warning.

    `template_code` narrows it to tickets of one template; empty, it holds for all others. Quantities are
    decimals written as text.
    """

    __tablename__ = "part_standard"
    __table_args__ = (sa.UniqueConstraint("org_id", "part_id", "template_code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    part_id: int = Field(foreign_key="part.id")
    template_code: str = Field(default="", max_length=64)
    quantity: str = Field(max_length=24)
    tolerance: str = Field(max_length=24)
    version: int = 1


class PartWarning(SQLModel, table=True):
    """More of a part was used on a ticket than its standard allows; `cost_minor` is what the excess costs."""

    __tablename__ = "part_warning"
    __table_args__ = (sa.UniqueConstraint("command_id", "part_id"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    ticket_id: int = Field(foreign_key="ticket.id", index=True, sa_type=sa.BigInteger)
    part_id: int = Field(foreign_key="part.id")
    used: str = Field(max_length=24)
    standard: str = Field(max_length=24)
    tolerance: str = Field(max_length=24)
    cost_minor: int = Field(sa_type=sa.BigInteger)
    command_id: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)


class PartUsage(SQLModel, table=True):
    """A quantity used on a ticket at the cost of that moment; `quantity` is a decimal written as text."""

    __tablename__ = "part_usage"

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    ticket_id: int = Field(foreign_key="ticket.id", index=True, sa_type=sa.BigInteger)
    part_id: int = Field(foreign_key="part.id")
    quantity: str = Field(max_length=24)
    unit_cost_minor: int = Field(sa_type=sa.BigInteger)
    command_id: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)
