"""The departments there are: those that somebody works for."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access.tables import UserAccount
from ticket_console.kernel.database import table

_users = table(UserAccount)


def departments(connection: Connection, org_id: int) -> tuple[str, ...]:
    """Their codes, in order."""
    query = (
        sa.select(_users.c.department)
        .distinct()
        .where(_users.c.org_id == org_id, _users.c.department != "")
        .order_by(_users.c.department)
    )
    return tuple(connection.execute(query).scalars())
