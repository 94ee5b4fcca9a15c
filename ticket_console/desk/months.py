"""Everybody's last thirty days, as dispatch weighs them: jobs, hard ones among them, and income."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from ticket_console.access import places
from ticket_console.dispatch import month_book
from ticket_console.settlement import months

DAYS: Final = timedelta(days=30)


def recount(connection: Connection, org_id: int, *, at: datetime) -> int:
    """Count the thirty days up to now anew; how many people have a record."""
    today = at.astimezone(ZoneInfo(places.org(connection, org_id).tz)).date()
    found = months.worked(connection, org_id, after=today - DAYS, until=today)
    month_book.replace(
        connection,
        org_id,
        {each.technician_id: (each.jobs, each.hard_jobs, each.income_minor) for each in found},
        at=at,
    )
    return len(found)
