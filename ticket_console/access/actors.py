"""Who a user is right now: the actor with everything granted to them, regions with all that lies below."""

from collections import defaultdict
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access.tables import Region, RoleGrant, UserAccount
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Scope
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound

_users = table(UserAccount)
_grants = table(RoleGrant)
_regions = table(Region)
# The room of the people lies above this one; all that is needed of it is whose row is whose.
_technicians = sa.table(
    "technician",
    sa.column("id", sa.Integer),
    sa.column("user_id", sa.Integer),
    sa.column("vendor_id", sa.Integer),
)

_covered = (
    sa.select(_grants.c.id.label("grant_id"), _grants.c.region_id)
    .where(_grants.c.user_id == sa.bindparam("user_id"), _grants.c.region_id.is_not(None))
    .cte("covered", recursive=True)
)
# UNION, not UNION ALL: a ring of regions then ends instead of running for ever.
_covered = _covered.union(
    sa.select(_covered.c.grant_id, _regions.c.id).where(_regions.c.parent_id == _covered.c.region_id)
)

_GRANTS: Final = (
    sa.select(_grants.c.id, _grants.c.role, _grants.c.scope, _grants.c.ticket_classes, _covered.c.region_id)
    .select_from(_grants.outerjoin(_covered, _covered.c.grant_id == _grants.c.id))
    .where(_grants.c.user_id == sa.bindparam("user_id"))
    .order_by(_grants.c.id)
)

USER_COLUMNS: Final = (
    _users.c.id.label("user_id"),
    _users.c.org_id,
    _users.c.display_name,
    _users.c.locale,
    _users.c.department,
    _users.c.is_enabled,
    _technicians.c.id.label("technician_id"),
    _technicians.c.vendor_id,
)
USERS: Final = _users.outerjoin(_technicians, _technicians.c.user_id == _users.c.id)

_BY_ID: Final = sa.select(*USER_COLUMNS).select_from(USERS).where(_users.c.id == sa.bindparam("user_id"))
_BY_LOGIN: Final = sa.select(*USER_COLUMNS).select_from(USERS).where(_users.c.login == sa.bindparam("login"))


class UserNotFound(NotFound):
    code = "user.not_found"


def grants_of(connection: Connection, user_id: int) -> tuple[Grant, ...]:
    """What was granted to a user, in the order it was granted."""
    kinds: dict[int, Any] = {}
    regions: defaultdict[int, set[int]] = defaultdict(set)
    for row in connection.execute(_GRANTS, {"user_id": user_id}):
        kinds[row.id] = row
        if row.region_id is not None:
            regions[row.id].add(row.region_id)
    return tuple(
        Grant(
            role=row.role,
            scope=row.scope,
            region_ids=frozenset(regions[grant_id]) if row.scope is Scope.REGION else frozenset(),
            ticket_classes=frozenset(row.ticket_classes),
        )
        for grant_id, row in kinds.items()
    )


def actor_of(connection: Connection, row: Any, *, session_id: int | None = None) -> Actor:
    """The actor behind a row of `USER_COLUMNS`."""
    return Actor(
        kind=ActorKind.USER,
        org_id=row.org_id,
        display=row.display_name,
        user_id=row.user_id,
        technician_id=row.technician_id,
        vendor_id=row.vendor_id,
        grants=grants_of(connection, row.user_id),
        locale=row.locale,
        department=row.department,
        session_id=session_id,
    )


def load_actor(connection: Connection, user_id: int, *, session_id: int | None = None) -> Actor:
    """The actor of an enabled user; one who is disabled is as good as gone."""
    row = connection.execute(_BY_ID, {"user_id": user_id}).first()
    return _enabled(connection, row, session_id=session_id)


def actor_by_login(connection: Connection, login: str) -> Actor:
    """The actor of an enabled user by log-in name, for tools and the demo; it is no log-in."""
    return _enabled(connection, connection.execute(_BY_LOGIN, {"login": login}).first())


def _enabled(connection: Connection, row: Any, *, session_id: int | None = None) -> Actor:
    if row is None or not row.is_enabled:
        raise UserNotFound()
    return actor_of(connection, row, session_id=session_id)
