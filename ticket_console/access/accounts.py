"""People by name and number, for forms that point at them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access.tables import UserAccount
from ticket_console.kernel.database import table

_users = table(UserAccount)


@dataclass(frozen=True, slots=True)
class AccountLine:
    id: int
    name: str
    login: str


def search(connection: Connection, org_id: int, text: str, *, limit: int) -> tuple[AccountLine, ...]:
    """Enabled people by a part of their name or the beginning of their log-in."""
    like = sa.or_(
        _users.c.display_name.icontains(text, autoescape=True),
        _users.c.login.startswith(text.lower(), autoescape=True),
    )
    rows = connection.execute(
        sa.select(_users.c.id, _users.c.display_name, _users.c.login)
        .where(_users.c.org_id == org_id, _users.c.is_enabled, like)
        .order_by(_users.c.display_name, _users.c.id)
        .limit(limit)
    )
    return tuple(AccountLine(*row) for row in rows)


def names(connection: Connection, org_id: int, user_ids: Collection[int]) -> Mapping[int, str]:
    """The names of those of the organisation; others are left out."""
    rows = connection.execute(
        sa.select(_users.c.id, _users.c.display_name).where(
            _users.c.org_id == org_id, _users.c.id.in_(sorted(user_ids))
        )
    )
    return {row.id: row.display_name for row in rows}
