"""By when a ticket of a priority is to be answered and solved."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

Targets = Mapping[int, timedelta]

RESOLVE: Final[Targets] = {
    1: timedelta(hours=4),
    2: timedelta(hours=8),
    3: timedelta(hours=24),
    4: timedelta(hours=72),
}
RESPOND: Final[Targets] = {
    1: timedelta(minutes=15),
    2: timedelta(minutes=30),
    3: timedelta(hours=2),
    4: timedelta(hours=8),
}


def due_at(*, priority: int, opened_at: datetime, targets: Targets = RESOLVE) -> datetime:
    """The instant by which the ticket is to be solved; from it on, the ticket is late."""
    return opened_at + targets[priority]


def response_due_at(*, priority: int, opened_at: datetime, targets: Targets = RESPOND) -> datetime:
    """The instant by which somebody is to have taken the ticket up."""
    return opened_at + targets[priority]
