"""Names of technicians by id, for lists that show nothing else of them, and the number they are called on."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.kernel.database import table
from ticket_console.people.tables import Technician

_technicians = table(Technician)


def names(connection: Connection, technician_ids: Iterable[int]) -> Mapping[int, str]:
    wanted = sorted(set(technician_ids))
    if not wanted:
        return {}
    rows = connection.execute(
        sa.select(_technicians.c.id, _technicians.c.name).where(_technicians.c.id.in_(wanted))
    )
    return {row.id: row.name for row in rows}


def phone(connection: Connection, technician_id: int) -> str:
    """For telling a technician something; empty where none is known."""
    query = sa.select(_technicians.c.phone).where(_technicians.c.id == technician_id)
    return connection.execute(query).scalar() or ""
