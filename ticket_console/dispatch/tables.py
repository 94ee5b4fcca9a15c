"""Who was asked, who took it, and why: assignments, decisions and the load they add up to."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime


class AssignmentState(StrEnum):
    """An offer ends as claimed, declined, expired (nobody wanted it) or withdrawn (another had it)."""

    OFFERED = "offered"
    CLAIMED = "claimed"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    RELEASED = "released"
    DONE = "done"


class DecisionMode(StrEnum):
    """How somebody was found: OFFER asked several, QUEUE left it to a dispatcher, VENDOR to a partner."""

    AUTO = "auto"
    MANUAL = "manual"
    CLAIM = "claim"
    STICKY = "sticky"
    OFFER = "offer"
    QUEUE = "queue"
    VENDOR = "vendor"
    HANDOVER = "handover"


_CLAIMED = sa.text("state = 'claimed'")


def _later(target: str) -> sa.Column[int]:
    """A reference that is checked at commit: the technician is chosen before the token's row is written."""
    return sa.Column(
        sa.BigInteger, sa.ForeignKey(target, deferrable=True, initially="DEFERRED"), nullable=False
    )


class Assignment(SQLModel, table=True):
    """One technician and one token. At most one is claimed per token, whatever runs at the same moment."""

    __tablename__ = "assignment"
    __table_args__ = (
        sa.Index(
            "uq_assignment_claimed", "token_id", unique=True, sqlite_where=_CLAIMED, postgresql_where=_CLAIMED
        ),
        sa.Index("ix_assignment_technician", "technician_id", "state"),
        sa.Index("ix_assignment_ticket", "ticket_id"),
        # SQLite looks for rows that waited for their parent, each time a token or decision is written.
        sa.Index("ix_assignment_token", "token_id"),
        sa.Index("ix_assignment_decision", "decision_id"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    ticket_id: int = Field(sa_column=_later("ticket.id"))
    token_id: int = Field(sa_column=_later("token.id"))
    technician_id: int = Field(foreign_key="technician.id")
    decision_id: int = Field(sa_column=_later("dispatch_decision.id"))
    state: AssignmentState = Field(sa_column=sa.Column(EnumText(AssignmentState), nullable=False))
    offered_at: datetime = Field(sa_type=UtcDateTime)
    offered_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = Field(default=None, max_length=500)


class DispatchDecision(SQLModel, table=True):
    """Every candidate's numbers at the moment of choice; `chosen_id` is null when nobody was eligible.

    `terms` are the weights and scales the numbers come from.
    """

    __tablename__ = "dispatch_decision"
    __table_args__ = (
        sa.Index("ix_dispatch_decision_ticket", "ticket_id"),
        sa.Index("ix_dispatch_decision_token", "token_id"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    ticket_id: int = Field(sa_column=_later("ticket.id"))
    token_id: int = Field(sa_column=_later("token.id"))
    mode: DecisionMode = Field(sa_column=sa.Column(EnumText(DecisionMode), nullable=False))
    policy: str = Field(max_length=64)
    chosen_id: int | None = None
    terms: dict[str, Any] = Field(sa_type=JsonText)
    candidates: list[dict[str, Any]] = Field(sa_type=JsonText)
    failed: dict[str, int] = Field(sa_type=JsonText)
    by: str = Field(max_length=64)
    at: datetime = Field(sa_type=UtcDateTime)


class TechnicianLoad(SQLModel, table=True):
    """Open assignments per technician, kept in step in the same transaction as they change."""

    __tablename__ = "technician_load"
    __table_args__ = (sa.CheckConstraint("open_count >= 0", name="open_count_is_not_negative"),)

    technician_id: int = Field(primary_key=True, foreign_key="technician.id")
    open_count: int = 0


class Visit(SQLModel, table=True):
    """When the holder of a token comes: [starts_at, ends_at), after a way of `travel_seconds`.

    A visit whose task is done stays as long as it took; one whose task was given away is gone.
    """

    __tablename__ = "visit"
    __table_args__ = (
        sa.Index("ix_visit_technician", "technician_id", "starts_at"),
        sa.Index("ix_visit_org", "org_id", "starts_at"),
        sa.Index("ix_visit_ticket", "ticket_id"),
        sa.CheckConstraint("starts_at < ends_at", name="visit_ends_after_it_starts"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    org_id: int = Field(foreign_key="org.id")
    ticket_id: int = Field(sa_column=_later("ticket.id"))
    token_id: int = Field(
        sa_column=sa.Column(
            sa.BigInteger,
            sa.ForeignKey("token.id", deferrable=True, initially="DEFERRED"),
            nullable=False,
            unique=True,
        )
    )
    technician_id: int = Field(foreign_key="technician.id")
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    travel_seconds: int = 0
    by: str = Field(max_length=64)
    version: int = 1


class Handover(SQLModel, table=True):
    """The open work of a crew, or of one person, on its way to the next shift.

    `giver_ids` are those whose shift ends. It may be closed when every item is settled; after `due_at` the
    leads are told of what is not.
    """

    __tablename__ = "handover"
    __table_args__ = (
        sa.Index("ix_handover_open", "org_id", "closed_at"),
        sa.CheckConstraint("(crew_id IS NULL) <> (technician_id IS NULL)", name="one_giver"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    org_id: int = Field(foreign_key="org.id")
    region_id: int = Field(foreign_key="region.id")
    crew_id: int | None = Field(default=None, foreign_key="crew.id")
    technician_id: int | None = Field(default=None, foreign_key="technician.id")
    giver_ids: list[int] = Field(sa_type=JsonText)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    note: str = Field(default="", max_length=500)
    by: str = Field(max_length=64)
    by_name: str = Field(max_length=80)
    at: datetime = Field(sa_type=UtcDateTime)
    escalated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    command_id: str = Field(max_length=64, unique=True)


class HandoverState(StrEnum):
    """`GONE` is an item whose step was finished or given to somebody else before anybody took it over."""

    OPEN = "open"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    GONE = "gone"


_OPEN = sa.text("state = 'open'")


class HandoverItem(SQLModel, table=True):
    """One step to be taken over. At most one is open per token, whatever runs at the same moment."""

    __tablename__ = "handover_item"
    __table_args__ = (
        sa.Index(
            "uq_handover_item_open", "token_id", unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
        ),
        sa.Index("ix_handover_item_handover", "handover_id"),
        sa.Index("ix_handover_item_ticket", "ticket_id"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    handover_id: int = Field(foreign_key="handover.id", sa_type=sa.BigInteger)
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=sa.BigInteger)
    token_id: int = Field(foreign_key="token.id", sa_type=sa.BigInteger)
    technician_id: int = Field(foreign_key="technician.id")
    note: str = Field(default="", max_length=500)
    state: HandoverState = Field(sa_column=sa.Column(EnumText(HandoverState), nullable=False))
    taken_by: int | None = Field(default=None, foreign_key="technician.id")
    settled_by: str = Field(default="", max_length=80)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str = Field(default="", max_length=500)


class TechnicianMonth(SQLModel, table=True):
    """What somebody finished within the thirty days before `counted_at`: jobs, hard ones among them, and
    what was earned with them. Counted anew every few minutes, so that choosing reads one row per person."""

    __tablename__ = "technician_month"

    technician_id: int = Field(primary_key=True, foreign_key="technician.id")
    jobs: int = 0
    hard_jobs: int = 0
    income_minor: int = Field(default=0, sa_type=sa.BigInteger)
    counted_at: datetime = Field(sa_type=UtcDateTime)


class DispatchPolicyRow(SQLModel, table=True):
    """How tasks of a business line (`ticket_class`) in a region are dispatched; null is any of them.

    `draft` is what somebody is about to publish; `in_force_id` the version that holds, null before the
    first one or after the policy was taken out of use.
    """

    __tablename__ = "dispatch_policy"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    code: str = Field(max_length=40)
    name: dict[str, str] = Field(sa_type=JsonText)
    ticket_class: str | None = Field(default=None, max_length=32)
    region_id: int | None = Field(default=None, foreign_key="region.id")
    draft: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    in_force_id: int | None = None
    version: int = 1


class DispatchPolicyVersion(SQLModel, table=True):
    """One state of a policy as it was published; written once."""

    __tablename__ = "dispatch_policy_version"
    __table_args__ = (sa.UniqueConstraint("policy_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    policy_id: int = Field(foreign_key="dispatch_policy.id")
    number: int
    terms: dict[str, Any] = Field(sa_type=JsonText)
    content_hash: str = Field(max_length=64)
    note: str = Field(default="", max_length=500)
    published_at: datetime = Field(sa_type=UtcDateTime)
    published_by: str = Field(max_length=64)


class StrategyKind(StrEnum):
    """Why a strategy holds: somebody wanted it, too much waits, or complaints come thick and fast."""

    PERSON = "person"
    BACKLOG = "backlog"
    COMPLAINTS = "complaints"


class DispatchStrategy(SQLModel, table=True):
    """A change of the policies of a region and business line for the time [starts_at, ends_at).

    `overlay` is a part of a policy's document that is laid over it; null regions and classes are all.
    `facts` are the figures a rule began by. `ended_at` is set where somebody, or the rule, ended it before
    its time; otherwise it expires by itself.
    """

    __tablename__ = "dispatch_strategy"
    __table_args__ = (sa.Index(None, "org_id", "ends_at"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    region_id: int | None = Field(default=None, foreign_key="region.id")
    ticket_class: str | None = Field(default=None, max_length=32)
    overlay: dict[str, Any] = Field(sa_type=JsonText)
    reason: str = Field(max_length=200)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    kind: StrategyKind = Field(
        default=StrategyKind.PERSON,
        sa_column=sa.Column(EnumText(StrategyKind), nullable=False, default=StrategyKind.PERSON),
    )
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JsonText)
    by: str = Field(default="", max_length=80)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: str = Field(default="", max_length=80)
    command_id: str | None = Field(default=None, max_length=64, unique=True)
    version: int = 1


class SurgeRule(SQLModel, table=True):
    """When the console changes its strategy for a region by itself; a null region is all of them.

    The rule begins above `opens_at` and is over below `closes_at`. With `kind` BACKLOG these count open
    tickets that nobody has; with COMPLAINTS, complaints of the last `window_minutes`, and both bounds rise
    with what is usual: to `factor_percent` of it where that is more than `opens_at`.
    `is_open` is what the rule decided last, `strategy_id` the strategy it started then.
    """

    __tablename__ = "surge_rule"
    __table_args__ = (
        sa.Index(None, "org_id", "kind"),
        sa.CheckConstraint("0 < closes_at AND closes_at < opens_at", name="closes_below_it_opens"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    region_id: int | None = Field(default=None, foreign_key="region.id")
    kind: StrategyKind = Field(sa_column=sa.Column(EnumText(StrategyKind), nullable=False))
    opens_at: int
    closes_at: int
    window_minutes: int = 60
    factor_percent: int = 300
    lasts_minutes: int = 60
    overlay: dict[str, Any] = Field(sa_type=JsonText)
    is_active: bool = True
    is_open: bool = False
    strategy_id: int | None = Field(default=None, foreign_key="dispatch_strategy.id")
    version: int = 1


class SandboxState(StrEnum):
    OPEN = "open"
    COMMITTED = "committed"
    DISCARDED = "discarded"


class Sandbox(SQLModel, table=True):
    """A dispatcher's branch of a region's live plan.

    `base` is what the plan was when the branch was made or last brought up to date: by token [ticket,
    version, holder, start of the visit]. `commit_id` is the commit that was begun last.
    """

    __tablename__ = "sandbox"
    __table_args__ = (sa.Index(None, "org_id", "state"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    owner_id: int = Field(foreign_key="user_account.id")
    name: str = Field(max_length=80)
    region_id: int = Field(foreign_key="region.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    base_at: datetime = Field(sa_type=UtcDateTime)
    base: dict[str, Any] = Field(sa_type=JsonText)
    state: SandboxState = Field(sa_column=sa.Column(EnumText(SandboxState), nullable=False))
    commit_id: str | None = Field(default=None, max_length=64)
    command_id: str = Field(max_length=64, unique=True)
    version: int = 1


class SandboxMove(SQLModel, table=True):
    """One gesture in a branch: a ticket's step goes to somebody, perhaps for a time, or back to nobody.

    `base_*` and the token are what the branch stood on when it first moved the ticket. A move is
    settled by the commit that carried it out or dropped it; `outcome` is what that commit said.
    """

    __tablename__ = "sandbox_move"
    __table_args__ = (
        sa.UniqueConstraint("sandbox_id", "seq"),
        sa.UniqueConstraint("sandbox_id", "command_id"),
        sa.CheckConstraint("(starts_at IS NULL) = (ends_at IS NULL)", name="start_and_end"),
    )

    id: int = Field(primary_key=True, sa_type=sa.BigInteger)
    sandbox_id: int = Field(foreign_key="sandbox.id")
    seq: int
    ticket_id: int = Field(foreign_key="ticket.id", sa_type=sa.BigInteger)
    token_id: int = Field(sa_type=sa.BigInteger)
    base_version: int
    base_holder: int | None = Field(default=None)
    base_starts_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    technician_id: int | None = Field(default=None, foreign_key="technician.id")
    starts_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    at: datetime = Field(sa_type=UtcDateTime)
    command_id: str = Field(max_length=64)
    settled_by: str | None = Field(default=None, max_length=64)
    outcome: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
