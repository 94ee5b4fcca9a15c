"""The closed vocabularies of reconciliation."""

from enum import StrEnum


class ReconciliationState(StrEnum):
    """A closed one says what was agreed and takes no decision until it is opened again."""

    OPEN = "open"
    CLOSED = "closed"


class Decision(StrEnum):
    ACCEPTED = "accepted"
    DISPUTED = "disputed"


class Place(StrEnum):
    """What a column of their file may hold."""

    TICKET_NO = "ticket_no"
    AMOUNT = "amount"
    SERVICE_ON = "service_on"
    CURRENCY = "currency"
