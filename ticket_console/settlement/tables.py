"""Tables of settlement: rules, frozen facts, ratings, the ledger, periods and statements.

Amounts are whole minor units. A posting is positive when it debits its account and negative when it
credits it, so a journal sums to zero. `fact_snapshot`, `rating_line`, `journal`, `posting` and
`statement_line` are written once; `settlement.immutability` has the database refuse anything else.
"""

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from ticket_console.kernel.database import EnumText, JsonText, UtcDateTime
from ticket_console.settlement.kinds import (
    AccountKind,
    DayPart,
    Dimension,
    DisputeState,
    JournalKind,
    OwnerKind,
    PeriodState,
    Purpose,
    Remedy,
    ReopeningState,
    StatementState,
    VersionStatus,
)
from ticket_console.settlement.reconciling.kinds import Decision, ReconciliationState
from ticket_console.settlement.reconciling.matching import Outcome


def _row_id() -> sa.Column[int]:
    # INTEGER makes the key the rowid of SQLite; a wider one would cost a second tree.
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(kind, primary_key=True, autoincrement=False)


def _row_ref(target: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(sa.BigInteger(), sa.ForeignKey(target), nullable=nullable)


class RuleSet(SQLModel, table=True):
    """A named family of rules; what it says at a date is one of its versions."""

    __tablename__ = "rule_set"
    __table_args__ = (sa.UniqueConstraint("org_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    code: str = Field(max_length=64)
    name: dict[str, str] = Field(sa_type=JsonText)


class RuleSetVersion(SQLModel, table=True):
    """One state of a rule set, valid for work finished from one day up to, not including, another.

    Immutable once published, but for the end of its validity.
    """

    __tablename__ = "rule_set_version"
    __table_args__ = (
        sa.UniqueConstraint("rule_set_id", "number"),
        sa.Index("ix_rule_set_version_effective", "rule_set_id", "status", "effective_from"),
    )

    id: int | None = Field(default=None, primary_key=True)
    rule_set_id: int = Field(foreign_key="rule_set.id")
    number: int
    status: VersionStatus = Field(sa_column=sa.Column(EnumText(VersionStatus), nullable=False))
    rules: Any = Field(sa_type=JsonText)
    content_hash: str = Field(max_length=64)
    effective_from: date
    effective_to: date | None = None
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    published_by: int | None = Field(default=None, foreign_key="user_account.id")


class FactSnapshot(SQLModel, table=True):
    """What was known of a ticket when it was rated; a rating is a function of this and a rule version."""

    __tablename__ = "fact_snapshot"

    id: int = Field(sa_column=_row_id())
    org_id: int = Field(foreign_key="org.id")
    ticket_id: int = Field(sa_column=_row_ref("ticket.id"))
    segment: str = Field(max_length=64)
    facts: Any = Field(sa_type=JsonText)
    content_hash: str = Field(max_length=64)
    frozen_at: datetime = Field(sa_type=UtcDateTime)


class Account(SQLModel, table=True):
    """Where money sits. `code` tells accounts of one kind and owner apart: the dimension of a cost."""

    __tablename__ = "account"
    __table_args__ = (sa.UniqueConstraint("org_id", "owner_kind", "owner_id", "kind", "code", "currency"),)

    id: int = Field(sa_column=_row_id())
    org_id: int = Field(foreign_key="org.id")
    owner_kind: OwnerKind = Field(sa_column=sa.Column(EnumText(OwnerKind), nullable=False))
    owner_id: int = Field(sa_type=sa.BigInteger)
    kind: AccountKind = Field(sa_column=sa.Column(EnumText(AccountKind), nullable=False))
    code: str = Field(default="", max_length=32)
    currency: str = Field(max_length=3)


class Rating(SQLModel, table=True):
    """One pricing of one segment of a ticket. A correction retires it (`is_live`) and adds another.

    `technician_id` and `vendor_id` say who did the work, whoever is paid or charged for it.
    """

    __tablename__ = "rating"
    __table_args__ = (
        sa.Index(
            "uq_rating_live",
            "ticket_id",
            "segment",
            "purpose",
            unique=True,
            sqlite_where=sa.text("is_live = 1"),
            postgresql_where=sa.text("is_live"),
        ),
        sa.Index("ix_rating_ticket", "ticket_id"),
        sa.Index("ix_rating_service", "org_id", "service_on"),
    )

    id: int = Field(sa_column=_row_id())
    org_id: int = Field(foreign_key="org.id")
    ticket_id: int = Field(sa_column=_row_ref("ticket.id"))
    segment: str = Field(max_length=64)
    purpose: Purpose = Field(sa_column=sa.Column(EnumText(Purpose), nullable=False))
    fact_snapshot_id: int = Field(sa_column=_row_ref("fact_snapshot.id"))
    rule_set_version_id: int = Field(foreign_key="rule_set_version.id")
    payee_account_id: int = Field(sa_column=_row_ref("account.id"))
    technician_id: int = Field(foreign_key="technician.id")
    vendor_id: int | None = Field(default=None, foreign_key="vendor.id")
    total_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    trace: Any = Field(sa_type=JsonText)
    content_hash: str = Field(max_length=64)
    service_on: date
    rated_at: datetime = Field(sa_type=UtcDateTime)
    is_live: bool = True


class RatingLine(SQLModel, table=True):
    """One rounded amount of a rating; `quantity` and `factor` are exact decimals as text."""

    __tablename__ = "rating_line"
    __table_args__ = (sa.UniqueConstraint("rating_id", "position"),)

    id: int = Field(sa_column=_row_id())
    rating_id: int = Field(sa_column=_row_ref("rating.id"))
    position: int
    dimension: Dimension = Field(sa_column=sa.Column(EnumText(Dimension), nullable=False))
    rule_code: str = Field(max_length=64)
    quantity: str = Field(max_length=64)
    factor: str = Field(max_length=64)
    amount_minor: int = Field(sa_type=sa.BigInteger)
    explain: Any = Field(sa_type=JsonText)


class Period(SQLModel, table=True):
    """A settlement month of an organisation: the half-open interval [starts_at, ends_at) in its zone."""

    __tablename__ = "period"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "code"),
        sa.UniqueConstraint("org_id", "starts_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    code: str = Field(max_length=16)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    tz: str = Field(max_length=64)
    state: PeriodState = Field(sa_column=sa.Column(EnumText(PeriodState), nullable=False))
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: int | None = Field(default=None, foreign_key="user_account.id")
    version: int = 1


class LedgerHead(SQLModel, table=True):
    """The books of an organisation: their zone and currency, and the end of the journal chain.

    Its row lock puts the writers of one organisation in order, so `journal.seq` grows in the order
    of commits, which ids reserved in blocks do not.
    """

    __tablename__ = "ledger_head"

    org_id: int = Field(primary_key=True, foreign_key="org.id", sa_column_kwargs={"autoincrement": False})
    tz: str = Field(max_length=64)
    currency: str = Field(max_length=3)
    seq: int = Field(default=0, sa_type=sa.BigInteger)
    hash: str = Field(default="", max_length=64)


class Journal(SQLModel, table=True):
    """One balanced entry of the ledger, chained to the one before it.

    `origin_period_id` is set when the work belongs to a period that takes no more entries.
    """

    __tablename__ = "journal"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "seq"),
        sa.UniqueConstraint("reverses_id"),
        sa.Index("ix_journal_rating", "rating_id"),
        sa.Index("ix_journal_posted", "org_id", "posted_at"),
    )

    id: int = Field(sa_column=_row_id())
    org_id: int = Field(foreign_key="org.id")
    seq: int = Field(sa_type=sa.BigInteger)
    kind: JournalKind = Field(sa_column=sa.Column(EnumText(JournalKind), nullable=False))
    reverses_id: int | None = Field(default=None, sa_column=_row_ref("journal.id", nullable=True))
    rating_id: int | None = Field(default=None, sa_column=_row_ref("rating.id", nullable=True))
    ticket_id: int | None = Field(default=None, sa_column=_row_ref("ticket.id", nullable=True))
    ticket_no: str = Field(default="", max_length=32)
    period_id: int = Field(foreign_key="period.id")
    origin_period_id: int | None = Field(default=None, foreign_key="period.id")
    service_at: datetime = Field(sa_type=UtcDateTime)
    posted_at: datetime = Field(sa_type=UtcDateTime)
    posted_by: str = Field(max_length=64)
    reason: str | None = Field(default=None, max_length=500)
    command_id: str = Field(max_length=64)
    prev_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class Posting(SQLModel, table=True):
    """One side of a journal. Period and ticket are those of the journal, kept here for the sums."""

    __tablename__ = "posting"
    __table_args__ = (
        sa.Index("ix_posting_journal", "journal_id"),
        # Figures about money are summed up within this index alone.
        sa.Index(
            "ix_posting_account_period",
            "account_id",
            "period_id",
            "journal_id",
            "ticket_id",
            "region_id",
            "amount_minor",
        ),
    )

    id: int = Field(sa_column=_row_id())
    journal_id: int = Field(sa_column=_row_ref("journal.id"))
    account_id: int = Field(sa_column=_row_ref("account.id"))
    period_id: int = Field(foreign_key="period.id")
    ticket_id: int | None = Field(default=None, sa_column=_row_ref("ticket.id", nullable=True))
    region_id: int | None = Field(default=None, foreign_key="region.id")
    rating_line_id: int | None = Field(default=None, sa_column=_row_ref("rating_line.id", nullable=True))
    amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)


class Refund(SQLModel, table=True):
    """Lines of a rating given back by the exact negation of what was posted for them; never rated again."""

    __tablename__ = "refund"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "command_id"),
        sa.UniqueConstraint("journal_id"),
        sa.Index("ix_refund_rating", "rating_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    rating_id: int = Field(sa_column=_row_ref("rating.id"))
    journal_id: int = Field(sa_column=_row_ref("journal.id"))
    ticket_id: int = Field(sa_column=_row_ref("ticket.id"))
    amount_minor: int = Field(sa_type=sa.BigInteger)
    reason: str = Field(max_length=500)
    refunded_at: datetime = Field(sa_type=UtcDateTime)
    refunded_by: str = Field(max_length=64)
    command_id: str = Field(max_length=64)


class RefundLine(SQLModel, table=True):
    """A line is given back at most once."""

    __tablename__ = "refund_line"

    rating_line_id: int = Field(
        sa_column=sa.Column(
            sa.BigInteger(), sa.ForeignKey("rating_line.id"), primary_key=True, autoincrement=False
        )
    )
    refund_id: int = Field(foreign_key="refund.id", index=True)


class PeriodReopening(SQLModel, table=True):
    """Somebody's wish to have a closed period open again, and what another person said to it."""

    __tablename__ = "period_reopening"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "ask_command_id"),
        sa.Index(
            "uq_period_reopening_asked",
            "period_id",
            unique=True,
            sqlite_where=sa.text("state = 'asked'"),
            postgresql_where=sa.text("state = 'asked'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    period_id: int = Field(foreign_key="period.id")
    state: ReopeningState = Field(sa_column=sa.Column(EnumText(ReopeningState), nullable=False))
    reason: str = Field(max_length=500)
    asked_by: int = Field(foreign_key="user_account.id")
    asked_at: datetime = Field(sa_type=UtcDateTime)
    decided_by: int | None = Field(default=None, foreign_key="user_account.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ask_command_id: str = Field(max_length=64)
    command_id: str = Field(max_length=64)
    version: int = 1


class TierWindow(SQLModel, table=True):
    """The tier a customer or service partner is in for work of the days [starts_on, ends_on).

    `measured` is what the tier was decided by. A window is ended, never moved: what was settled by it stays.
    """

    __tablename__ = "tier_window"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "subject_kind", "subject_id", "starts_on"),
        sa.CheckConstraint("ends_on IS NULL OR ends_on > starts_on", name="some_days"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    subject_kind: OwnerKind = Field(sa_column=sa.Column(EnumText(OwnerKind), nullable=False))
    subject_id: int = Field(sa_type=sa.BigInteger)
    tier: str = Field(max_length=32)
    starts_on: date
    ends_on: date | None = None
    measured: Any = Field(sa_type=JsonText)
    decided_at: datetime = Field(sa_type=UtcDateTime)
    command_id: str = Field(max_length=64)


class PriceQuote(SQLModel, table=True):
    """What work of a kind was offered or charged for in a project at a day: brought in, or a past charge."""

    __tablename__ = "price_quote"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "reference"),
        sa.Index("ix_price_quote_lookup", "org_id", "project", "service_type", "quoted_on"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    project: str = Field(max_length=64)
    service_type: str = Field(max_length=32)
    quoted_on: date
    amount_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    reference: str = Field(max_length=80)
    added_at: datetime = Field(sa_type=UtcDateTime)
    added_by: str = Field(max_length=64)
    command_id: str = Field(max_length=64)


class RatingReference(SQLModel, table=True):
    """How a charge compares with the historical quotes there were when it was rated.

    `deviation_bp` is (charge - reference) in ten-thousandths of the reference.
    """

    __tablename__ = "rating_reference"

    rating_id: int = Field(
        sa_column=sa.Column(
            sa.BigInteger(), sa.ForeignKey("rating.id"), primary_key=True, autoincrement=False
        )
    )
    project: str = Field(max_length=64)
    quotes: int
    reference_minor: int = Field(sa_type=sa.BigInteger)
    deviation_bp: int
    is_flagged: bool


class Statement(SQLModel, table=True):
    """What one payee earned, or was charged, in one period: its postings with from_seq < seq <= as_of_seq.

    A later statement of the same period starts where the one before ended, so nothing is stated twice.
    `confirmed_by` and `paid_by` name who did it; a statement that came to nothing is paid without a journal.
    """

    __tablename__ = "statement"
    __table_args__ = (sa.UniqueConstraint("org_id", "payee_kind", "payee_id", "period_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    payee_kind: OwnerKind = Field(sa_column=sa.Column(EnumText(OwnerKind), nullable=False))
    payee_id: int = Field(sa_type=sa.BigInteger)
    payee_name: dict[str, str] = Field(sa_type=JsonText)
    period_id: int = Field(foreign_key="period.id")
    number: int
    state: StatementState = Field(sa_column=sa.Column(EnumText(StatementState), nullable=False))
    total_minor: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    from_seq: int = Field(sa_type=sa.BigInteger)
    as_of_seq: int = Field(sa_type=sa.BigInteger)
    content_hash: str = Field(max_length=64)
    issued_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    issued_by: int | None = Field(default=None, foreign_key="user_account.id")
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    confirmed_by: str | None = Field(default=None, max_length=80)
    paid_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    paid_by: str | None = Field(default=None, max_length=80)
    payment_journal_id: int | None = Field(default=None, sa_column=_row_ref("journal.id", nullable=True))
    command_id: str = Field(max_length=64)
    version: int = 1


class StatementLine(SQLModel, table=True):
    """A posting on the payee's account that an issued statement contains; one is stated at most once."""

    __tablename__ = "statement_line"
    __table_args__ = (
        sa.UniqueConstraint("posting_id"),
        sa.Index("ix_statement_line_statement", "statement_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    statement_id: int = Field(foreign_key="statement.id")
    posting_id: int = Field(sa_column=_row_ref("posting.id"))
    ticket_id: int | None = Field(default=None, sa_column=_row_ref("ticket.id", nullable=True))
    amount_minor: int = Field(sa_type=sa.BigInteger)


class Reconciliation(SQLModel, table=True):
    """What the books owe a service partner or a technician in a period, laid beside the file they sent.

    The side of the books is what stood there up to `as_of_seq`. Nothing here changes the ledger.
    `command_id` is that of the latest command, `start_command_id` that of the first.
    """

    __tablename__ = "reconciliation"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "start_command_id"),
        sa.CheckConstraint("(vendor_id IS NULL) <> (technician_id IS NULL)", name="one_payee"),
        sa.Index("ix_reconciliation_vendor", "vendor_id"),
        sa.Index("ix_reconciliation_technician", "technician_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    vendor_id: int | None = Field(default=None, foreign_key="vendor.id")
    technician_id: int | None = Field(default=None, foreign_key="technician.id")
    payee_name: dict[str, str] = Field(sa_type=JsonText)
    period_id: int = Field(foreign_key="period.id")
    as_of_seq: int = Field(sa_type=sa.BigInteger)
    currency: str = Field(max_length=3)
    file_name: str = Field(max_length=200)
    content_hash: str = Field(max_length=64)
    mapping: dict[str, str] = Field(sa_type=JsonText)
    tolerance: Any = Field(sa_type=JsonText)
    left_out: int
    state: ReconciliationState = Field(sa_column=sa.Column(EnumText(ReconciliationState), nullable=False))
    started_at: datetime = Field(sa_type=UtcDateTime)
    started_by: str = Field(max_length=80)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str | None = Field(default=None, max_length=80)
    start_command_id: str = Field(max_length=64)
    command_id: str = Field(max_length=64)
    version: int = 1


class ReconciliationLine(SQLModel, table=True):
    """One line of a reconciliation: a ticket of ours, a row of theirs, or both, and what was decided of it.

    `our_posting_id` is the latest of the postings that `our_amount_minor` sums up for the ticket.
    """

    __tablename__ = "reconciliation_line"
    __table_args__ = (sa.UniqueConstraint("reconciliation_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    reconciliation_id: int = Field(foreign_key="reconciliation.id")
    position: int
    outcome: Outcome = Field(sa_column=sa.Column(EnumText(Outcome), nullable=False))
    ticket_id: int | None = Field(default=None, sa_column=_row_ref("ticket.id", nullable=True))
    our_posting_id: int | None = Field(default=None, sa_column=_row_ref("posting.id", nullable=True))
    our_ticket_no: str | None = Field(default=None, max_length=32)
    our_amount_minor: int | None = Field(default=None, sa_type=sa.BigInteger)
    our_day: date | None = None
    their_row: int | None = None
    their_ticket_no: str | None = Field(default=None, max_length=80)
    their_amount_minor: int | None = Field(default=None, sa_type=sa.BigInteger)
    their_day: date | None = None
    decision: Decision | None = Field(sa_column=sa.Column(EnumText(Decision), nullable=True))
    note: str = Field(default="", max_length=500)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: str | None = Field(default=None, max_length=80)


class Dispute(SQLModel, table=True):
    """Somebody's objection to one node of how a rating came about; `node` is its path in the trace tree.

    `statement_id` is None while no statement says the rating. `journal_id` is the entry by which an accepted
    dispute took the rating back; `amended` are the facts put right by it, as frozen facts write them.
    `command_id` is that of the latest command, `open_command_id` that of the first.
    """

    __tablename__ = "dispute"
    __table_args__ = (
        sa.UniqueConstraint("org_id", "open_command_id"),
        sa.Index(
            "uq_dispute_undecided",
            "rating_id",
            "node",
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'answered')"),
            postgresql_where=sa.text("state IN ('open', 'answered')"),
        ),
        sa.Index("ix_dispute_rating", "rating_id"),
        sa.Index("ix_dispute_ticket", "ticket_id"),
        sa.Index("ix_dispute_statement", "statement_id"),
        sa.Index("ix_dispute_inbox", "org_id", "state", "opened_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    statement_id: int | None = Field(default=None, foreign_key="statement.id")
    rating_id: int = Field(sa_column=_row_ref("rating.id"))
    ticket_id: int = Field(sa_column=_row_ref("ticket.id"))
    line_position: int | None = None
    node: str = Field(max_length=160)
    text: str = Field(max_length=1000)
    opened_by: str = Field(max_length=64)
    opened_name: str = Field(max_length=80)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    state: DisputeState = Field(sa_column=sa.Column(EnumText(DisputeState), nullable=False))
    answer: str = Field(default="", max_length=1000)
    answered_by: str | None = Field(default=None, max_length=64)
    answered_name: str | None = Field(default=None, max_length=80)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    remedy: Remedy | None = Field(sa_column=sa.Column(EnumText(Remedy), nullable=True))
    amended: dict[str, Any] | None = Field(default=None, sa_type=JsonText)
    journal_id: int | None = Field(default=None, sa_column=_row_ref("journal.id", nullable=True))
    open_command_id: str = Field(max_length=64)
    command_id: str = Field(max_length=64)
    version: int = 1


class SigningKey(SQLModel, table=True):
    """A key that an organisation signs statements with. The private half is sealed with SECRET_KEY.

    One is in use at a time; retired ones are kept, as what they signed stays genuine.
    """

    __tablename__ = "signing_key"
    __table_args__ = (
        sa.Index(
            "uq_signing_key_in_use",
            "org_id",
            unique=True,
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    public_key: str = Field(max_length=64)
    sealed: str = Field(max_length=200)
    made_at: datetime = Field(sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class StatementSignature(SQLModel, table=True):
    """The signature an issued statement got, with the exact content it is over."""

    __tablename__ = "statement_signature"

    statement_id: int = Field(
        primary_key=True, foreign_key="statement.id", sa_column_kwargs={"autoincrement": False}
    )
    signing_key_id: int = Field(foreign_key="signing_key.id")
    head: Any = Field(sa_type=JsonText)
    signature: str = Field(max_length=100)
    signed_at: datetime = Field(sa_type=UtcDateTime)


class DailyIncome(SQLModel, table=True):
    """What was earned in a zone on one day, frozen: of [starts_at, until) and no later than `as_of_seq`.

    `until` is the hour it is for, `taken_at` when it was taken, later where nobody was there to take it.
    `chain_hash` is that of the journal at `as_of_seq`, so that it names one state of the books.
    """

    __tablename__ = "daily_income"
    __table_args__ = (sa.UniqueConstraint("org_id", "part", "zone", "local_day"),)

    id: int | None = Field(default=None, primary_key=True)
    org_id: int = Field(foreign_key="org.id")
    part: DayPart = Field(sa_column=sa.Column(EnumText(DayPart), nullable=False))
    zone: str = Field(max_length=64)
    local_day: date
    starts_at: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    taken_at: datetime = Field(sa_type=UtcDateTime)
    as_of_seq: int = Field(sa_type=sa.BigInteger)
    chain_hash: str = Field(max_length=64)
    currency: str = Field(max_length=3)
    tickets: int
    total_minor: int = Field(sa_type=sa.BigInteger)
    content_hash: str = Field(max_length=64)


class DailyIncomeLine(SQLModel, table=True):
    """What one payee earned by work in one region that day; `amounts` is minor units by dimension."""

    __tablename__ = "daily_income_line"
    __table_args__ = (
        sa.UniqueConstraint("daily_income_id", "position"),
        sa.Index("ix_daily_income_line_payee", "payee_kind", "payee_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    daily_income_id: int = Field(foreign_key="daily_income.id")
    position: int
    payee_kind: OwnerKind = Field(sa_column=sa.Column(EnumText(OwnerKind), nullable=False))
    payee_id: int = Field(sa_type=sa.BigInteger)
    payee_name: dict[str, str] = Field(sa_type=JsonText)
    region_id: int | None = Field(default=None, foreign_key="region.id")
    region_name: dict[str, str] = Field(sa_type=JsonText)
    tickets: int
    amounts: dict[str, int] = Field(sa_type=JsonText)
    total_minor: int = Field(sa_type=sa.BigInteger)
