"""The rows of everybody's last thirty days."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.dispatch.tables import TechnicianMonth
from ticket_console.kernel.database import table
from ticket_console.people.tables import Technician

_months = table(TechnicianMonth)
_technicians = table(Technician)


def replace(
    connection: Connection, org_id: int, found: Mapping[int, tuple[int, int, int]], *, at: datetime
) -> None:
    """Jobs, hard jobs and income by technician, in place of what was counted before."""
    ours = sa.select(_technicians.c.id).where(_technicians.c.org_id == org_id)
    connection.execute(sa.delete(_months).where(_months.c.technician_id.in_(ours)))
    rows = [
        {
            "technician_id": technician_id,
            "jobs": jobs,
            "hard_jobs": hard_jobs,
            "income_minor": income_minor,
            "counted_at": at,
        }
        for technician_id, (jobs, hard_jobs, income_minor) in sorted(found.items())
    ]
    if rows:
        connection.execute(sa.insert(_months), rows)
