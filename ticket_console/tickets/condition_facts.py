"""What conditions may ask of a ticket, where the database keeps it.

`desk.work.ticket_facts` says the same of one row.
"""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Final

import sqlalchemy as sa

from ticket_console.kernel.condition_sql import FlagFact, JsonFact, SqlFact, TextFact, WholeFact
from ticket_console.kernel.database import table
from ticket_console.tickets.priority import URGENCY_NAMES
from ticket_console.tickets.tables import FieldValue, Ticket

tickets = table(Ticket)
_values = table(FieldValue)

TICKET_FACTS: Final[Mapping[str, SqlFact]] = {
    "priority": WholeFact(tickets.c.priority),
    "urgency": TextFact(sa.case(URGENCY_NAMES, value=tickets.c.urgency)),
    "impact": WholeFact(tickets.c.impact),
    "vip": FlagFact(tickets.c.is_vip),
    "source": TextFact(tickets.c.source),
    "ticket_class": TextFact(tickets.c.ticket_class),
    "region_id": WholeFact(tickets.c.region_id),
    "returns": WholeFact(tickets.c.returns),
}


def fact_columns(field_keys: Collection[str]) -> Mapping[str, SqlFact]:
    """The ticket's own facts and the values of these fields, for `kernel.condition_sql.compile_where`."""
    return {
        **{key: JsonFact(_values, "value", partial(_belongs, key)) for key in field_keys},
        **TICKET_FACTS,
    }


def _belongs(key: str, rows: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(rows.c.ticket_id == tickets.c.id, rows.c.field_key == key)
