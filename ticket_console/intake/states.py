"""What can become of a message."""

from enum import StrEnum


class RawState(StrEnum):
    """`NEW` only until somebody is done with it; the others are for good."""

    NEW = "new"
    TICKET = "ticket"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
