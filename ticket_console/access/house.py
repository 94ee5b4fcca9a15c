"""The organisation whose console this is: the one strangers speak to before anybody has logged in."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places
from ticket_console.access.places import OrgView
from ticket_console.access.tables import Org
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound

_orgs = table(Org)
_FIRST: Final = sa.select(sa.func.min(_orgs.c.id))


class NotFounded(NotFound):
    """The database is empty: nobody has set a company up yet."""

    code = "access.not_founded"


def house(connection: Connection) -> OrgView:
    """The first organisation; others share the installation but have no public pages."""
    org_id = connection.execute(_FIRST).scalar_one()
    if org_id is None:
        raise NotFounded()
    return places.org(connection, org_id)
