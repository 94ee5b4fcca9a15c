"""An organisation with a few regions, its users, and actors that need no database."""

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from ticket_console.access import administration, tokens
from ticket_console.access.administration import NewGrant, NewUser
from ticket_console.access.tables import ApiToken, AuditEntry, Org, Region
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope, system_actor
from ticket_console.kernel.database import reading, table, transaction

FOUNDED = datetime(2026, 1, 1, tzinfo=UTC)
PASSWORD = "correct horse"


@dataclass(frozen=True, slots=True)
class Company:
    """China over North and South, the Harbour within the North."""

    org_id: int
    china: int
    north: int
    south: int
    harbour: int


def make_company(code: str = "clearbrook") -> Company:
    with transaction() as connection:
        org_id = connection.execute(
            sa.insert(table(Org))
            .values(
                code=code,
                name={"zh": "晴川", "en": "Clearbrook"},
                tz="Asia/Shanghai",
                currency="CNY",
                version=1,
            )
            .returning(table(Org).c.id)
        ).scalar_one()

        def region(code: str, parent_id: int | None) -> int:
            added = sa.insert(table(Region)).values(
                org_id=org_id,
                parent_id=parent_id,
                code=code,
                name={"zh": code, "en": code},
                tz="Asia/Shanghai",
                version=1,
            )
            return int(connection.execute(added.returning(table(Region).c.id)).scalar_one())

        china = region("CHINA", None)
        north, south = region("NORTH", china), region("SOUTH", china)
        return Company(org_id, china, north, south, region("HARBOUR", north))


def make_user(
    company: Company, login: str = "li", *grants: NewGrant, password: str = PASSWORD, locale: str = "zh"
) -> int:
    return administration.create_user(
        actor=system_actor(company.org_id),
        at=FOUNDED,
        command_id=f"make-{login}",
        user=NewUser(login, login.title(), password, locale, grants or (NewGrant(Role.DISPATCHER),)),
    )


def make_token(company: Company, *permissions: str, user_id: int | None = None) -> str:
    """The secret of a new API token; without permissions it may open tickets."""
    return tokens.create_token(
        actor=system_actor(company.org_id),
        at=FOUNDED,
        command_id="make-token",
        name="shop",
        permissions=permissions or ("ticket.open",),
        user_id=user_id,
    ).token


def audit_actions() -> list[str]:
    """What the trail holds, oldest first."""
    entries = table(AuditEntry)
    with reading() as connection:
        return list(connection.execute(sa.select(entries.c.action).order_by(entries.c.id)).scalars())


def token_id(secret: str) -> int:
    kept = table(ApiToken)
    with reading() as connection:
        found = sa.select(kept.c.id).where(kept.c.prefix == secret[:10])
        return int(connection.execute(found).scalar_one())


def actor(*grants: Grant | Role, locale: str = "zh", technician_id: int | None = None) -> Actor:
    """A user who exists on paper only; a bare role reaches the whole organisation."""
    return Actor(
        kind=ActorKind.USER,
        org_id=1,
        display="Li",
        user_id=7,
        technician_id=technician_id,
        grants=tuple(Grant(each, Scope.ORG) if isinstance(each, Role) else each for each in grants),
        locale=locale,
    )


def channel(*permissions: str, user_id: int | None = None, grants: tuple[Grant | Role, ...] = ()) -> Actor:
    return Actor(
        kind=ActorKind.CHANNEL,
        org_id=1,
        display="shop",
        user_id=user_id,
        grants=actor(*grants).grants,
        permissions=frozenset(permissions),
    )


def customer(ticket_id: int | None = 40) -> Actor:
    return Actor(kind=ActorKind.CUSTOMER, org_id=1, display="Wang", ticket_id=ticket_id)
