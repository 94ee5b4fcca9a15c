"""A small company with the field service pack: two regions, a few technicians, one of each role."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from ticket_console.access import actors
from ticket_console.access.tables import Org, Region, RoleGrant, Site, SiteKind, UserAccount
from ticket_console.customers.tables import Customer, CustomerIdentity, CustomerKind
from ticket_console.desk.moving import act
from ticket_console.desk.opening import NewTicket, OpenedTicket, open_ticket
from ticket_console.desk.work import MovedTicket
from ticket_console.kernel.actor import Actor, Role, Scope, system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.packs.contents import read_pack
from ticket_console.packs.installing import install
from ticket_console.people.tables import Certificate, Skill, Technician
from ticket_console.stock.tables import Part

SHANGHAI = (31.23, 121.47)
CHENGDU = (30.66, 104.06)


@dataclass(slots=True)
class Company:
    """`technicians` by login: ids; `actors` by login."""

    org_id: int
    at: datetime
    regions: dict[str, int]
    technicians: dict[str, int]
    customers: dict[str, int]
    sites: dict[str, int]
    commands: int = 0
    _actors: dict[str, Actor] = field(default_factory=dict)

    def actor(self, login: str) -> Actor:
        if login not in self._actors:
            with reading() as connection:
                user = table(UserAccount)
                user_id = connection.execute(sa.select(user.c.id).where(user.c.login == login)).scalar_one()
                self._actors[login] = actors.load_actor(connection, user_id)
        return self._actors[login]

    @property
    def system(self) -> Actor:
        return system_actor(self.org_id)

    def command_id(self) -> str:
        self.commands += 1
        return f"test:{self.commands}"

    def open(
        self, *, by: str = "agent", template: str = "repair", at: datetime | None = None, **wish: Any
    ) -> OpenedTicket:
        request = NewTicket(
            **{
                "template_code": template,
                "title": "空调不制冷",
                "values": {"category": "hvac"} if template == "repair" else {},
                "lat": SHANGHAI[0],
                "lon": SHANGHAI[1],
                **wish,
            }
        )
        return open_ticket(
            actor=self.actor(by), at=at or self.at, command_id=self.command_id(), request=request
        )

    def act(
        self, ticket_id: int, version: int, *, by: str, at: datetime | None = None, **wish: Any
    ) -> MovedTicket:
        return act(
            actor=self.actor(by),
            at=at or self.at,
            command_id=self.command_id(),
            ticket_id=ticket_id,
            expected_version=version,
            **wish,
        )


def _add(connection: Connection, model: type[SQLModel], **columns: Any) -> int:
    made = table(model)
    return int(connection.execute(sa.insert(made).values(**columns).returning(made.c.id)).scalar_one())


def found_company(at: datetime) -> Company:
    """Found the company as of a moment; it has had its certificates for a year."""
    with transaction() as connection:
        org_id = _add(
            connection,
            Org,
            code="acme",
            name={"zh": "示例服务", "en": "Sample Services"},
            tz="Asia/Shanghai",
            currency="CNY",
            version=1,
        )
        regions = {
            code: _add(
                connection,
                Region,
                org_id=org_id,
                parent_id=None,
                code=code,
                name={"zh": zh, "en": en},
                tz="Asia/Shanghai",
                version=1,
            )
            for code, zh, en in (("sh", "上海", "Shanghai"), ("cd", "成都", "Chengdu"))
        }
        sites = {
            code: _add(
                connection,
                Site,
                org_id=org_id,
                region_id=regions[code],
                territory_id=None,
                kind=SiteKind.OUTLET,
                code=f"{code}-1",
                name={"zh": f"{code} 网点", "en": f"{code} outlet"},
                address="",
                lat=lat,
                lon=lon,
                tz="Asia/Shanghai",
                version=1,
            )
            for code, (lat, lon) in (("sh", SHANGHAI), ("cd", CHENGDU))
        }
        install(
            connection,
            actor=system_actor(org_id),
            at=at - timedelta(days=60),
            command_id="pack",
            pack=read_pack("field_service"),
        )
        for login, role, scope, region in (
            ("manager", Role.MANAGER, Scope.ORG, None),
            ("dispatcher", Role.DISPATCHER, Scope.ORG, None),
            ("dispatcher_cd", Role.DISPATCHER, Scope.REGION, "cd"),
            ("agent", Role.AGENT, Scope.ORG, None),
            ("finance", Role.FINANCE, Scope.ORG, None),
            ("auditor", Role.AUDITOR, Scope.ORG, None),
        ):
            _user(connection, org_id, at, login, role, scope, regions.get(region or ""))
        skill = table(Skill)
        skills = list(connection.execute(sa.select(skill.c.id).where(skill.c.org_id == org_id)).scalars())
        technicians = {}
        for login, region, (lat, lon), level in (
            ("tech_near", "sh", (SHANGHAI[0] + 0.01, SHANGHAI[1]), 3),
            ("tech_far", "sh", (SHANGHAI[0] + 0.2, SHANGHAI[1]), 2),
            ("tech_cd", "cd", CHENGDU, 2),
        ):
            user_id = _user(connection, org_id, at, login, Role.TECHNICIAN, Scope.OWN, None)
            technicians[login] = _add(
                connection,
                Technician,
                org_id=org_id,
                user_id=user_id,
                name=login,
                phone="",
                region_id=regions[region],
                home_site_id=sites[region],
                lat=lat,
                lon=lon,
                level=level,
                capacity=50,
                is_on_duty=True,
                is_active=True,
                version=1,
            )
            for skill_id in skills:
                _add(
                    connection,
                    Certificate,
                    technician_id=technicians[login],
                    skill_id=skill_id,
                    level=level,
                    valid_from=date(2025, 1, 1),
                    valid_until=None,
                )
        customers = {}
        for name, phone, is_vip in (("王芳", "19900000001", False), ("贵宾", "19900000002", True)):
            customers[name] = _add(
                connection,
                Customer,
                org_id=org_id,
                kind=CustomerKind.PERSON,
                name=name,
                phone=phone,
                is_vip=is_vip,
                region_id=regions["sh"],
                version=1,
            )
            _add(
                connection,
                CustomerIdentity,
                org_id=org_id,
                channel="wechat",
                external_id=f"wx-{phone}",
                customer_id=customers[name],
            )
        part = table(Part)
        if connection.execute(sa.select(part.c.id).limit(1)).first() is None:
            _add(
                connection,
                Part,
                org_id=org_id,
                sku="CAP-35",
                name={"zh": "电容", "en": "Capacitor"},
                uom="pcs",
                unit_cost_minor=3550,
                currency="CNY",
            )
    return Company(org_id, at, regions, technicians, customers, sites)


def _user(
    connection: Connection,
    org_id: int,
    at: datetime,
    login: str,
    role: Role,
    scope: Scope,
    region_id: int | None,
) -> int:
    user_id = _add(
        connection,
        UserAccount,
        org_id=org_id,
        login=login,
        display_name=login,
        password_hash="",
        locale="zh",
        is_enabled=True,
        failed_logins=0,
        created_at=at,
        version=1,
    )
    _add(
        connection, RoleGrant, user_id=user_id, role=role, scope=scope, region_id=region_id, ticket_classes=[]
    )
    return user_id
