"""The closed vocabularies of settlement."""

from enum import StrEnum


class Dimension(StrEnum):
    """The twelve components a rating may have; every line belongs to exactly one."""

    BASE_LABOUR = "base_labour"
    DIFFICULTY = "difficulty"
    PARTS = "parts"
    HAZARD = "hazard"
    TOOL_RENTAL = "tool_rental"
    NIGHT = "night"
    URGENCY = "urgency"
    TRAVEL = "travel"
    REGION = "region"
    SERVICE_TIER = "service_tier"
    TIMELINESS = "timeliness"
    VOLUME = "volume"


class Side(StrEnum):
    """Whose money a rule computes: what worker and vendor get, what the customer is charged."""

    WORKER = "worker"
    VENDOR = "vendor"
    CUSTOMER = "customer"


class Party(StrEnum):
    """Among whom a total is shared out."""

    WORKER = "worker"
    VENDOR = "vendor"
    COMPANY = "company"


class Purpose(StrEnum):
    """For whom a ticket is rated; a ticket has at most one live rating per segment and purpose."""

    WORKER_PAY = "worker_pay"
    VENDOR_PAY = "vendor_pay"
    CUSTOMER_CHARGE = "customer_charge"


class VersionStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class AccountKind(StrEnum):
    PAYABLE_WORKER = "payable_worker"
    PAYABLE_VENDOR = "payable_vendor"
    RECEIVABLE = "receivable"
    COST = "cost"
    REVENUE = "revenue"
    PARTS = "parts"
    SUSPENSE = "suspense"
    BANK = "bank"


class OwnerKind(StrEnum):
    ORG = "org"
    TECHNICIAN = "technician"
    VENDOR = "vendor"
    CUSTOMER = "customer"


class JournalKind(StrEnum):
    RATING = "rating"
    REVERSAL = "reversal"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"
    PAYMENT = "payment"


class PeriodState(StrEnum):
    """`closing` takes corrections of its own work only; `closed` takes nothing any more."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class ReopeningState(StrEnum):
    """`asked` waits for a second person."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"


class StatementState(StrEnum):
    DRAFT = "draft"
    ISSUED = "issued"
    DISPUTED = "disputed"
    CONFIRMED = "confirmed"
    PAID = "paid"


class DisputeState(StrEnum):
    """`answered` is still open: finance has said something and decided nothing yet."""

    OPEN = "open"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Remedy(StrEnum):
    """What an accepted dispute did: rated anew, taken back for good, or found the books corrected already."""

    CORRECTED = "corrected"
    REVERSED = "reversed"
    FOUND_CORRECTED = "found_corrected"


class DayPart(StrEnum):
    """What of a day a daily income covers: up to the afternoon's hour, or all of it."""

    AFTERNOON = "afternoon"
    WHOLE = "whole"
