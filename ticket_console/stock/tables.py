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
