"""A company that can receive requests: one region, one site, and the field service pack."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from ticket_console.access.tables import Org, Region, Site, SiteKind
from ticket_console.intake.states import RawState
from ticket_console.intake.tables import RawIntake
from ticket_console.kernel.actor import Actor, ActorKind, Grant, Role, Scope, system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.packs.contents import read_pack
from ticket_console.packs.installing import install
from ticket_console.people.tables import Territory
from ticket_console.tickets.tables import Ticket

RAW = table(RawIntake)
TICKETS = table(Ticket)


@dataclass(frozen=True, slots=True)
class Company:
    org_id: int
    region_id: int

    @property
    def channel(self) -> Actor:
        """A program with a token that may open tickets and nothing else."""
        return Actor(
            kind=ActorKind.CHANNEL,
            org_id=self.org_id,
            display="gateway",
            permissions=frozenset({"ticket.open"}),
        )

    def user(self, role: Role) -> Actor:
        return Actor(
            kind=ActorKind.USER,
            org_id=self.org_id,
            display=role.value,
            user_id=1,
            grants=(Grant(role, Scope.ORG),),
        )


def make_company(at: datetime) -> Company:
    """Found a company in the database in use."""
    with transaction() as connection:
        org_id = _insert(
            connection,
            Org,
            code="house",
            name={"zh": "晴川", "en": "Clearbrook"},
            tz="Asia/Shanghai",
            currency="CNY",
            version=1,
        )
        region_id = _insert(
            connection,
            Region,
            org_id=org_id,
            parent_id=None,
            code="SH",
            name={"zh": "上海", "en": "Shanghai"},
            tz="Asia/Shanghai",
            version=1,
        )
        _insert(
            connection,
            Territory,
            org_id=org_id,
            region_id=region_id,
            code="PWDx",
            name={"zh": "市政工程", "en": "Public works"},
            outline=None,
            version=1,
        )
        _insert(
            connection,
            Site,
            org_id=org_id,
            region_id=region_id,
            territory_id=None,
            kind=SiteKind.OUTLET,
            code="SH-01",
            name={"zh": "虹桥网点", "en": "Hongqiao outlet"},
            address="上海市虹桥路1号",
            lat=31.2,
            lon=121.4,
            tz="Asia/Shanghai",
            version=1,
        )
        install(
            connection,
            actor=system_actor(org_id),
            at=at,
            command_id="pack",
            pack=read_pack("field_service"),
        )
    return Company(org_id, region_id)


def _insert(connection: sa.Connection, model: Any, **values: Any) -> int:
    inserted = table(model)
    made: int = connection.execute(sa.insert(inserted).values(**values).returning(inserted.c.id)).scalar_one()
    return made


def raw_states() -> Counter[RawState]:
    """How many messages stand in which state."""
    with reading() as connection:
        return Counter(connection.execute(sa.select(RAW.c.state)).scalars())


def ticket_count() -> int:
    with reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(TICKETS)).scalar_one()


def ticket_row(ticket_id: int) -> dict[str, Any]:
    with reading() as connection:
        return connection.execute(sa.select(TICKETS).where(TICKETS.c.id == ticket_id)).one()._asdict()


def raw_row(raw_id: int) -> dict[str, Any]:
    with reading() as connection:
        return connection.execute(sa.select(RAW).where(RAW.c.id == raw_id)).one()._asdict()
