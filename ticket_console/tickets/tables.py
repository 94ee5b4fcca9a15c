"""The ticket, where it stands, what was written on it, and its history.

`event` is the only history; `ticket`, `token`, `field_value` and `lane_count` are what its events
add up to and could be rebuilt from them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime
from ticket_console.tickets.marking import TicketStatus, TokenState

# SQLite numbers rows by itself only for a plain INTEGER key.
_Sequence = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class OwnerKind(StrEnum):
    """`VENDOR` is a step that waits until somebody of that service partner takes it."""

    TECHNICIAN = "technician"
    VENDOR = "vendor"
    QUEUE = "queue"
    CUSTOMER = "customer"
    SYSTEM = "system"


# The queue of a step that was offered to several and that nobody else may take meanwhile.
OFFERED: Final = "offer"


class Visibility(StrEnum):
    INTERNAL = "internal"
    CUSTOMER = "customer"


class LimitScope(StrEnum):
    STAGE = "stage"
    TECHNICIAN = "technician"


def _reached(column: str) -> sa.Index:
    """An index over those tickets alone that reached a point, so that opening one does not pay for it."""
    condition = sa.text(f"{column} IS NOT NULL")
    name = f"ix_ticket_{column.removesuffix('_at')}"
    return sa.Index(name, "org_id", column, sqlite_where=condition, postgresql_where=condition)


class Ticket(SQLModel, table=True):
    """A work order.

    `marking` is where its tokens stand, as the engine reads it; the `token` rows say the same with
    owners and times. `assigned_at` is when somebody had it first; `handoffs` counts how often whoever
    had it gave it away unfinished. Lanes are ordered by `(priority_class, rank)`: open tickets by
    priority and age, ended ones by the latest end.
    """

    __tablename__ = "ticket"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "no"),
        sa.Index("ix_ticket_lane", "org_id", "stage", "priority_class", "rank"),
        sa.Index("ix_ticket_region_lane", "org_id", "region_id", "stage", "priority_class", "rank"),
        sa.Index("ix_ticket_opened", "org_id", "opened_at"),
        # Whatever the lanes and rows of a board are, its open work is counted and put in order within this
        # index alone.
        sa.Index(
            "ix_ticket_open_work",
            "org_id",
            "priority_class",
            "rank",
            "stage",
            "assignee_id",
            "territory_id",
            "region_id",
            "ticket_class",
            "template_id",
            "priority",
            "is_vip",
            "due_at",
            "closed_at",
            "id",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        # The lanes of a board that shows important customers alone.
        sa.Index(
            "ix_ticket_vip_lane",
            "org_id",
            "stage",
            "priority_class",
            "rank",
            "region_id",
            "ticket_class",
            sqlite_where=sa.text("is_vip = 1"),
            postgresql_where=sa.text("is_vip"),
        ),
        _reached("closed_at"),
        _reached("assigned_at"),
        _reached("responded_at"),
        _reached("resolved_at"),
        sa.Index(
            "ix_ticket_due",
            "org_id",
            "due_at",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    org_id: int = Field(foreign_key="org.id")
    no: str = Field(max_length=24)
    root_id: int = Field(sa_type=sa.BigInteger)
    parent_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    ticket_class: str = Field(max_length=32)
    template_id: int = Field(foreign_key="template.id")
    template_version_id: int = Field(foreign_key="template_version.id")
    flow_version_id: int = Field(foreign_key="flow_version.id")
    title: str = Field(max_length=200)
    description: str = Field(default="", sa_type=sa.Text)
    source: str = Field(max_length=32)
    raw_intake_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    customer_id: int | None = Field(default=None, foreign_key="customer.id", index=True)
    asset_id: int | None = Field(default=None, foreign_key="asset.id", index=True)
    contact_name: str = Field(default="", max_length=120)
    contact_phone: str = Field(default="", max_length=32)
    site_id: int | None = Field(default=None, foreign_key="site.id")
    region_id: int | None = Field(default=None, foreign_key="region.id")
    territory_id: int | None = Field(default=None, foreign_key="territory.id")
    address: str = Field(default="", max_length=300)
    lat: float | None = None
    lon: float | None = None
    urgency: int
    impact: int
    priority: int
    priority_reason: dict[str, Any] = Field(default_factory=dict, sa_type=JsonText)
    is_vip: bool = False
    status: TicketStatus = Field(sa_column=sa.Column(EnumText(TicketStatus), nullable=False))
    stage: str = Field(max_length=32)
    priority_class: int
    rank: str = Field(max_length=40)
    marking: dict[str, Any] = Field(sa_type=JsonText)
    progress_bp: int = 0
    returns: int = 0
    handoffs: int = 0
    assignee_id: int | None = Field(default=None, foreign_key="technician.id", index=True)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    assigned_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    responded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    tracking_hash: str | None = Field(default=None, max_length=64, unique=True)
    event_count: int = 0
    head_hash: str = Field(default="", max_length=64)
    version: int = 1


class TicketLink(SQLModel, table=True):
    """What one ticket is to another: `to_id` was opened for, belongs with, or repeats `from_id`."""

    __tablename__ = "ticket_link"
    __table_args__ = (
        sa.UniqueConstraint("from_id", "to_id", "kind"),
        sa.Index("ix_ticket_link_to", "to_id"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    from_id: int = Field(foreign_key="ticket.id", sa_type=sa.BigInteger)
    to_id: int = Field(foreign_key="ticket.id", sa_type=sa.BigInteger)
    kind: str = Field(max_length=16)
    at: datetime = Field(sa_type=UtcDateTime)
    command_id: str = Field(max_length=64)


class LaneCount(SQLModel, table=True):
    """How many tickets stand in a lane, per region and class, so that exact counts cost nothing to read.

    `region_id` is 0 for tickets without a region.
    """

    __tablename__ = "lane_count"

    org_id: int = Field(primary_key=True)
    stage: str = Field(primary_key=True, max_length=32)
    region_id: int = Field(primary_key=True)
    ticket_class: str = Field(primary_key=True, max_length=32)
    tickets: int


class WipLimit(SQLModel, table=True):
    """How much may be at work at once in a lane or with a person: `soft` is where the board begins to warn.

    `key` is the stage's, or the technician's number. What holds a person is their capacity, which stands with
    them; only `soft` is kept here.
    """

    __tablename__ = "wip_limit"

    org_id: int = Field(primary_key=True, foreign_key="org.id")
    scope: LimitScope = Field(sa_column=sa.Column(EnumText(LimitScope), primary_key=True))
    key: str = Field(primary_key=True, max_length=32)
    soft: int | None = None
    hard: int | None = None


class SeenSince(SQLModel, table=True):
    """From when on somebody wants to be told of what they have not seen."""

    __tablename__ = "seen_since"

    user_id: int = Field(primary_key=True, foreign_key="user_account.id")
    since: datetime = Field(sa_type=UtcDateTime)


class TicketSeen(SQLModel, table=True):
    """The newest version of a ticket that somebody has looked at."""

    __tablename__ = "ticket_seen"
    __table_args__ = (sa.Index("ix_ticket_seen_at", "user_id", "at"),)

    user_id: int = Field(primary_key=True, foreign_key="user_account.id")
    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id", sa_type=sa.BigInteger)
    version: int
    at: datetime = Field(sa_type=UtcDateTime)


class BoardView(SQLModel, table=True):
    """A board somebody keeps: what its address asks for, under a name, for themselves or for everybody."""

    __tablename__ = "board_view"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "name"),
        sa.Index("ix_board_view_shared", "org_id", "is_shared"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    owner_id: int = Field(foreign_key="user_account.id")
    name: str = Field(max_length=60)
    is_shared: bool = False
    query: str = Field(max_length=500)
    changed_at: datetime = Field(sa_type=UtcDateTime)
    version: int = 1


class TokenRow(SQLModel, table=True):
    __tablename__ = "token"
    __table_args__ = (
        sa.Index("ix_token_ticket", "ticket_id"),
        sa.Index("ix_token_standing", "org_id", "state", "owner_kind", "owner_id"),
        # What came to a step and what left it within a time, for reports; only what is over is in the second.
        sa.Index("ix_token_entered", "org_id", "entered_at"),
        sa.Index(
            "ix_token_left",
            "org_id",
            "left_at",
            sqlite_where=sa.text("left_at IS NOT NULL"),
            postgresql_where=sa.text("left_at IS NOT NULL"),
        ),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    org_id: int
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=sa.BigInteger)
    # A step of a sub-flow is called by both keys.
    node_key: str = Field(max_length=160)
    state: TokenState = Field(sa_column=sa.Column(EnumText(TokenState), nullable=False))
    owner_kind: OwnerKind = Field(sa_column=sa.Column(EnumText(OwnerKind), nullable=False))
    owner_id: int | None = None
    queue_role: str | None = Field(default=None, max_length=32)
    arrived_by: str | None = Field(default=None, max_length=160)
    forks: list[Any] = Field(default_factory=list, sa_type=JsonText)
    entered_at: datetime = Field(sa_type=UtcDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str | None = Field(default=None, max_length=32)


class FieldValue(SQLModel, table=True):
    __tablename__ = "field_value"

    ticket_id: int = Field(primary_key=True, foreign_key="ticket.id", sa_type=sa.BigInteger)
    field_key: str = Field(primary_key=True, max_length=64)
    value: Any = Field(sa_type=JsonText)
    template_version_id: int = Field(foreign_key="template_version.id")
    provenance: str = Field(max_length=32)
    command_id: str = Field(max_length=64)


class Event(SQLModel, table=True):
    """Append-only, chained per ticket: each hash covers the one before it."""

    __tablename__ = "event"
    __table_args__ = (
        sa.UniqueConstraint("command_id", "ordinal"),
        sa.Index("ix_event_ticket", "ticket_id", "seq"),
        sa.Index("ix_event_at", "org_id", "at"),
    )

    seq: int | None = Field(
        default=None, sa_column=sa.Column(_Sequence, primary_key=True, autoincrement=True)
    )
    org_id: int
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=sa.BigInteger)
    ticket_version: int
    type: str = Field(max_length=48)
    payload: dict[str, Any] = Field(sa_type=JsonText)
    actor: str = Field(max_length=64)
    actor_name: str = Field(max_length=80)
    on_behalf: str | None = Field(default=None, max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)
    command_id: str = Field(max_length=64)
    ordinal: int
    causation_id: str | None = Field(default=None, max_length=64)
    depth: int = 0
    prev_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class Comment(SQLModel, table=True):
    __tablename__ = "comment"

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    ticket_id: int = Field(foreign_key="ticket.id", index=True, sa_type=sa.BigInteger)
    author: str = Field(max_length=64)
    author_name: str = Field(max_length=80)
    text: str = Field(sa_type=sa.Text)
    visibility: Visibility = Field(sa_column=sa.Column(EnumText(Visibility), nullable=False))
    at: datetime = Field(sa_type=UtcDateTime)


class Attachment(SQLModel, table=True):
    """A file kept under the hash of its bytes; pictures have lost their EXIF data before hashing."""

    __tablename__ = "attachment"

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    ticket_id: int = Field(foreign_key="ticket.id", index=True, sa_type=sa.BigInteger)
    token_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    field_key: str | None = Field(default=None, max_length=64)
    filename: str = Field(max_length=200)
    content_type: str = Field(max_length=100)
    size: int = Field(sa_type=sa.BigInteger)
    content_hash: str = Field(max_length=64)
    visibility: Visibility = Field(sa_column=sa.Column(EnumText(Visibility), nullable=False))
    author: str = Field(max_length=64)
    author_name: str = Field(max_length=80)
    at: datetime = Field(sa_type=UtcDateTime)


class Signature(SQLModel, table=True):
    """A drawn signature and the hash of exactly what was signed."""

    __tablename__ = "signature"

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    ticket_id: int = Field(foreign_key="ticket.id", index=True, sa_type=sa.BigInteger)
    token_id: int = Field(sa_type=sa.BigInteger)
    signer_name: str = Field(max_length=120)
    strokes: str = Field(sa_type=sa.Text)
    snapshot_hash: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)
