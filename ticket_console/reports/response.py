"""How fast requests were answered before a change of the roster and after it, hour by hour (DSP-21)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.people.rosters import regions_below
from ticket_console.tickets.tables import Ticket

DAYS: Final = 28
_tickets = table(Ticket)


@dataclass(frozen=True, slots=True)
class Answered:
    """Requests of one period: how many, how many of them were answered, and the middle of their waiting."""

    opened: int
    answered: int
    median_seconds: int | None


@dataclass(frozen=True, slots=True)
class Compared:
    """`hours` are the 24 hours of the region's day in which requests arrived, each before and after."""

    since: datetime
    changed_at: datetime
    until: datetime
    before: Answered
    after: Answered
    hours: tuple[tuple[Answered, Answered], ...]


def compare_response(
    connection: Connection, *, viewer: Actor, region_id: int, changed_at: datetime, at: datetime
) -> Compared:
    """The 28 days before a change beside those after it, as far as they have passed.

    A request counts in the period in which it arrived; one that nobody has answered yet is opened and
    not answered.
    """
    policy.require(viewer, "roster.manage", region_id=region_id)
    since = changed_at - timedelta(days=DAYS)
    until = min(at, changed_at + timedelta(days=DAYS))
    zone = ZoneInfo(places.region(connection, region_id).tz)
    rows = connection.execute(
        sa.select(_tickets.c.opened_at, _tickets.c.responded_at).where(
            _tickets.c.org_id == viewer.org_id,
            _tickets.c.region_id.in_(sorted(regions_below(connection, viewer.org_id, region_id))),
            _tickets.c.opened_at >= since,
            _tickets.c.opened_at < until,
        )
    )
    waits: Mapping[bool, dict[int, list[float | None]]] = {False: defaultdict(list), True: defaultdict(list)}
    for opened_at, responded_at in rows:
        # Whoever answers after the period is over has not answered within it.
        is_known = responded_at is not None and responded_at <= until
        seconds = (responded_at - opened_at).total_seconds() if is_known else None
        waits[opened_at >= changed_at][opened_at.astimezone(zone).hour].append(seconds)
    hours = tuple((_answered(waits[False][hour]), _answered(waits[True][hour])) for hour in range(24))
    whole = [
        _answered([wait for hour in range(24) for wait in waits[is_after][hour]])
        for is_after in (False, True)
    ]
    return Compared(since, changed_at, until, whole[0], whole[1], hours)


def _answered(waits: Sequence[float | None]) -> Answered:
    known = [wait for wait in waits if wait is not None]
    return Answered(len(waits), len(known), round(median(known)) if known else None)
