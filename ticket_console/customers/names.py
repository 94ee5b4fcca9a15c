"""Names of customers by id, for lists that show nothing else of them."""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.customers.tables import Customer
from ticket_console.kernel.database import table

_customers = table(Customer)


def names(connection: Connection, customer_ids: Iterable[int]) -> Mapping[int, str]:
    wanted = sorted(set(customer_ids))
    if not wanted:
        return {}
    rows = connection.execute(
        sa.select(_customers.c.id, _customers.c.name).where(_customers.c.id.in_(wanted))
    )
    return {row.id: row.name for row in rows}
