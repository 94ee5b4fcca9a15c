"""What the checks of the books and of the work found last."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime
from ticket_console.reports.laws import LawState


class LawResult(SQLModel, table=True):
    """The latest check of one law of one organisation.

    `rows` were looked at in `took_ms`; `examples` are some of the `broken` ones, each with its table and id.
    `position` is where the next check of a law that is checked in turns goes on. `since` is when the law
    came into the state it is in.
    """

    __tablename__ = "law_result"

    org_id: int = Field(primary_key=True, foreign_key="org.id")
    code: str = Field(primary_key=True, max_length=32)
    state: LawState = Field(sa_column=sa.Column(EnumText(LawState), nullable=False))
    checked_at: datetime = Field(sa_type=UtcDateTime)
    took_ms: int
    rows: int = Field(sa_type=sa.BigInteger)
    broken: int
    examples: list[dict[str, str]] = Field(sa_type=JsonText)
    position: dict[str, Any] = Field(sa_type=JsonText)
    since: datetime = Field(sa_type=UtcDateTime)
