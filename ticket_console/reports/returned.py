"""Which tickets were sent back at a step: the definition that the figures and the list behind them share."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ticket_console.flows.tables import Flow, FlowVersion
from ticket_console.kernel.database import table
from ticket_console.tickets.actions import Outcome
from ticket_console.tickets.tables import Ticket, TokenRow

tickets = table(Ticket)
tokens = table(TokenRow)
_flows = table(Flow)
_versions = table(FlowVersion)

SENT_BACK: Final = (Outcome.RETURNED.value, Outcome.REJECTED.value)
# Somebody decided on the work; what was skipped, overtaken or timed out was not judged.
DECIDED: Final = (Outcome.DONE.value, *SENT_BACK)

_TEXT: Final = re.compile(
    r"([a-z0-9_-]{1,64})~([a-z0-9_.-]{1,160})~(\d{4}-\d\d-\d\d)~(\d{4}-\d\d-\d\d)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days on the wall clock of the organisation, both included."""

    first: date
    last: date

    def bounds(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The half-open interval the days are."""
        after = self.last + timedelta(days=1)
        return (
            datetime(self.first.year, self.first.month, self.first.day, tzinfo=zone),
            datetime(after.year, after.month, after.day, tzinfo=zone),
        )


@dataclass(frozen=True, slots=True)
class Returned:
    """Tickets on a flow, opened on these days, that were returned or rejected at a step at least once."""

    flow: str
    node: str
    days: Days

    def __str__(self) -> str:
        """As an address carries it; `parse_returned` reads it again."""
        return f"{self.flow}~{self.node}~{self.days.first}~{self.days.last}"


def parse_returned(text: str) -> Returned | None:
    """None for what does not say which tickets are meant."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    with suppress(ValueError):
        first, last = date.fromisoformat(found[3]), date.fromisoformat(found[4])
        # A day after the last one there is has no bounds.
        if first <= last < date.max:
            return Returned(found[1], found[2], Days(first, last))
    return None


def opened_on(days: Days, zone: ZoneInfo) -> sa.ColumnElement[bool]:
    since, until = days.bounds(zone)
    return sa.and_(tickets.c.opened_at >= since, tickets.c.opened_at < until)


def was_returned(returned: Returned, *, org_id: int, zone: ZoneInfo) -> sa.ColumnElement[bool]:
    versions = (
        sa.select(_versions.c.id)
        .join(_flows, _flows.c.id == _versions.c.flow_id)
        .where(_flows.c.org_id == org_id, _flows.c.code == returned.flow)
    )
    sent_back = sa.exists().where(
        tokens.c.ticket_id == tickets.c.id,
        tokens.c.node_key == returned.node,
        tokens.c.outcome.in_(SENT_BACK),
    )
    return sa.and_(opened_on(returned.days, zone), tickets.c.flow_version_id.in_(versions), sent_back)
