"""One founding of the demo company at work: the moment, the dice, and the rows made so far."""

from dataclasses import dataclass, field
from datetime import date, datetime
from random import Random
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from ticket_console.access.tables import RoleGrant, Site, UserAccount
from ticket_console.demo import material
from ticket_console.demo.places import BOSTON, BOSTON_TZ, CHINA_TZ
from ticket_console.kernel.actor import Actor, Role, Scope, system_actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText

ORG_CODE: Final = "clearbrook"
ORG_NAME: Final[LocalText] = {"zh": "晴川服务", "en": "Clearbrook Services"}
CURRENCY: Final = "CNY"


@dataclass(slots=True)
class Founding:
    """One founding at work; the maps lead from the codes of the plan to the rows that were made.

    `at` is the day at which the company is looked at, `since` the day it opened.
    """

    connection: Connection
    at: datetime
    since: datetime
    password_hash: str
    chance: Random
    org_id: int = 0
    regions: dict[str, int] = field(default_factory=dict)
    territories: dict[str, int] = field(default_factory=dict)
    sites: list[dict[str, Any]] = field(default_factory=list)
    technicians: int = 0
    orders: int = 0
    commands: int = 0

    @property
    def today(self) -> date:
        return self.at.date()

    def add(self, model: type[SQLModel], **columns: Any) -> int:
        """Insert one row and return its id."""
        made = table(model)
        statement = sa.insert(made).values(**columns).returning(made.c.id)
        return int(self.connection.execute(statement).scalar_one())

    @property
    def actor(self) -> Actor:
        return system_actor(self.org_id)

    def command(self, name: str) -> dict[str, Any]:
        """Who asks, when, and under which id, for the commands of the other rooms."""
        self.commands += 1
        return {"actor": self.actor, "at": self.since, "command_id": f"demo:{name}:{self.commands}"}

    def in_org(self, model: type[SQLModel], **columns: Any) -> int:
        return self.add(model, org_id=self.org_id, **columns)


def add_site(founding: Founding, *, city: str, **columns: Any) -> dict[str, Any]:
    site_id = founding.in_org(
        Site,
        region_id=founding.regions[city],
        tz=BOSTON_TZ if city == BOSTON.code else CHINA_TZ,
        version=1,
        **columns,
    )
    site = {**columns, "id": site_id, "city": city}
    founding.sites.append(site)
    return site


def add_user(founding: Founding, *, login: str, name: str, locale: str = "zh", department: str = "") -> int:
    return founding.in_org(
        UserAccount,
        login=login,
        display_name=name,
        password_hash=founding.password_hash,
        locale=locale,
        department=department,
        is_enabled=True,
        failed_logins=0,
        created_at=founding.since,
        version=1,
    )


def grant(
    founding: Founding,
    user_id: int,
    role: Role,
    scope: Scope,
    *,
    region: str | None = None,
    classes: tuple[str, ...] = (),
) -> None:
    founding.add(
        RoleGrant,
        user_id=user_id,
        role=role,
        scope=scope,
        region_id=None if region is None else founding.regions[region],
        ticket_classes=list(classes),
    )


def person_name(chance: Random) -> str:
    names = material.names()
    return f"{chance.choice(names['family'])}{chance.choice(names['given'])}"


def phone_number(number: int) -> str:
    """A number in a block that is not given out, so that no demo message ever reaches anybody."""
    return f"1990000{number:04}"
