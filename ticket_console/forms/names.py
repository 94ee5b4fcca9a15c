"""Names of templates by id, for lists that show nothing else of them."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.forms.tables import Template
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText

_templates = table(Template)


def names(connection: Connection, org_id: int) -> Mapping[int, LocalText]:
    rows = connection.execute(
        sa.select(_templates.c.id, _templates.c.name).where(_templates.c.org_id == org_id)
    )
    return {row.id: row.name for row in rows}
