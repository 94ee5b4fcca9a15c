"""The demo company as a new installation would enter it: places, people, customers, what they own, parts.

Everything is generated from a seed, with dates relative to the day of founding.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from ticket_console.access.tables import Org, Region, RoleGrant, Site, SiteKind, UserAccount
from ticket_console.customers.tables import (
    Agreement,
    Asset,
    Contact,
    Customer,
    CustomerIdentity,
    CustomerKind,
    CustomerOrder,
    OrderLine,
    ProductModel,
)
from ticket_console.demo import material, places
from ticket_console.demo.places import BOSTON, BOSTON_TZ, CHINA_TZ, CITIES, City
from ticket_console.kernel.actor import Role, Scope, system_actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.packs import installing
from ticket_console.packs.contents import PackSkill, read_pack
from ticket_console.people.tables import Absence, Certificate, Technician, TechnicianTerritory, Territory
from ticket_console.stock.tables import Part

ORG_CODE: Final = "clearbrook"
ORG_NAME: Final[LocalText] = {"zh": "晴川服务", "en": "Clearbrook Services"}
CURRENCY: Final = "CNY"
PACK: Final = "field_service"
MUNICIPAL: Final = PackSkill("municipal", {"zh": "市政养护", "en": "Municipal maintenance"})
PERSONS: Final = 56

# Log-in, display name, role, region (none: the whole company), classes of tickets (none: all).
OFFICE: Final[tuple[tuple[str, str, Role, str | None, tuple[str, ...]], ...]] = (
    ("manager", "林知夏", Role.MANAGER, None, ()),
    ("dispatcher", "周明远", Role.DISPATCHER, None, ()),
    ("dispatcher-south", "何嘉怡", Role.DISPATCHER, "SOUTH", ()),
    ("agent", "苏晓晴", Role.AGENT, None, ()),
    ("marketing", "唐一诺", Role.AGENT, None, ("consult",)),
    ("finance", "顾清秋", Role.FINANCE, None, ()),
    ("auditor", "严正平", Role.AUDITOR, None, ()),
)

# What the technicians of a city are certified for, with levels; and the half of the city they serve.
_CITY_CREW: Final[tuple[tuple[dict[str, int], str], ...]] = (
    ({"hvac": 3, "appliance": 2}, "W"),
    ({"hvac": 2, "electrical": 3}, "E"),
    ({"appliance": 3, "plumbing": 3, "hvac": 1}, ""),
    ({"it_network": 3, "electrical": 2}, ""),
    ({"lift": 3, "electrical": 2, "plumbing": 2}, ""),
)
# How many crews a department has, and how many requests one of them keeps open.
_DEPARTMENT_CREWS: Final[tuple[tuple[tuple[str, ...], int, int], ...]] = (
    (("PWDx",), 4, 1500),
    (("ISD",), 3, 1200),
    (("BTDT",), 2, 1000),
    (("PARK",), 2, 800),
    (("INFO", "GEN_", "CHT_"), 1, 1200),
    (("PROP",), 1, 900),
    (("HS_O", "HS_D", "DISB", "BPS_"), 1, 900),
    (("BWSC",), 1, 400),
    (("ANML",), 1, 300),
)
_AT_HOME: Final = frozenset({"hvac", "appliance", "plumbing"})
_WITHOUT_LIFTS: Final = _AT_HOME | {"electrical", "it_network"}
_WITH_LIFTS: Final = _WITHOUT_LIFTS | {"lift"}
_TALL: Final = frozenset({"property", "hotel", "mall", "office", "park", "care"})


@dataclass(slots=True)
class Founding:
    """One founding at work; the maps lead from the codes of the plan to the rows that were made."""

    connection: Connection
    at: datetime
    password_hash: str
    chance: Random
    org_id: int = 0
    regions: dict[str, int] = field(default_factory=dict)
    territories: dict[str, int] = field(default_factory=dict)
    sites: list[dict[str, Any]] = field(default_factory=list)
    skills: dict[str, int] = field(default_factory=dict)
    models: list[dict[str, Any]] = field(default_factory=list)
    technicians: int = 0
    orders: int = 0

    @property
    def today(self) -> date:
        return self.at.date()

    def add(self, model: type[SQLModel], **columns: Any) -> int:
        """Insert one row and return its id."""
        made = table(model)
        statement = sa.insert(made).values(**columns).returning(made.c.id)
        return int(self.connection.execute(statement).scalar_one())

    def place(self, model: type[SQLModel], **columns: Any) -> None:
        """Insert one row that has no id of its own."""
        self.connection.execute(sa.insert(table(model)).values(**columns))

    def in_org(self, model: type[SQLModel], **columns: Any) -> int:
        return self.add(model, org_id=self.org_id, **columns)


def found(connection: Connection, *, at: datetime, seed: int, password_hash: str) -> int:
    """Enter the company into an empty database; returns the id of the organisation.

    `password_hash` becomes everybody's: the log-ins of a demo are printed for everybody anyway.
    """
    founding = Founding(connection, at, password_hash, Random(seed))
    founding.org_id = founding.add(
        Org, code=ORG_CODE, name=ORG_NAME, tz=CHINA_TZ, currency=CURRENCY, version=1
    )
    _install_pack(founding)
    _add_regions(founding)
    _add_sites(founding)
    _add_office(founding)
    _add_parts(founding)
    for city in CITIES:
        _add_city_crew(founding, city)
    _add_department_crews(founding)
    _add_models(founding)
    _add_persons(founding)
    _add_companies(founding)
    return founding.org_id


def _add_regions(founding: Founding) -> None:
    def add(code: str, name: LocalText, parent: str | None, tz: str) -> None:
        founding.regions[code] = founding.in_org(
            Region,
            code=code,
            name=name,
            parent_id=None if parent is None else founding.regions[parent],
            tz=tz,
            version=1,
        )

    for area in places.AREAS:
        add(area.code, area.name, None, CHINA_TZ)
    for city in CITIES:
        add(city.code, city.name, city.area, CHINA_TZ)
        for district in city.districts:
            _add_territory(founding, district.code, district.name, city.code, district.outline)
    add(BOSTON.code, BOSTON.name, None, BOSTON_TZ)
    for department in places.DEPARTMENTS:
        _add_territory(founding, department.code, department.name, BOSTON.code, None)


def _add_territory(
    founding: Founding, code: str, name: LocalText, region: str, outline: places.Ring | None
) -> None:
    founding.territories[code] = founding.in_org(
        Territory, code=code, name=name, region_id=founding.regions[region], outline=outline, version=1
    )


def _add_sites(founding: Founding) -> None:
    for planned in places.planned_sites(founding.chance):
        _add_site(
            founding,
            city=planned.city,
            code=planned.code,
            name=planned.name,
            kind=planned.kind,
            territory_id=founding.territories.get(planned.territory),
            address=planned.address,
            lat=planned.lat,
            lon=planned.lon,
        )


def _add_site(founding: Founding, *, city: str, **columns: Any) -> dict[str, Any]:
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


def _add_user(founding: Founding, *, login: str, name: str, locale: str = "zh") -> int:
    return founding.in_org(
        UserAccount,
        login=login,
        display_name=name,
        password_hash=founding.password_hash,
        locale=locale,
        is_enabled=True,
        failed_logins=0,
        created_at=founding.at,
        version=1,
    )


def _grant(
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


def _add_office(founding: Founding) -> None:
    for login, name, role, region, classes in OFFICE:
        user_id = _add_user(founding, login=login, name=name)
        scope = Scope.ORG if region is None else Scope.REGION
        _grant(founding, user_id, role, scope, region=region, classes=classes)


def _install_pack(founding: Founding) -> None:
    """The business itself comes from the pack; the city adds one skill of its own."""
    connection, org_id = founding.connection, founding.org_id
    installing.install(connection, actor=system_actor(org_id), at=founding.at, pack=read_pack(PACK))
    founding.skills = installing.learn_skills(connection, org_id=org_id, skills=[MUNICIPAL])


def _add_parts(founding: Founding) -> None:
    for part in material.parts():
        founding.in_org(Part, currency=CURRENCY, **part)


def _add_technician(
    founding: Founding,
    *,
    name: str,
    city: City,
    skills: dict[str, int],
    territories: tuple[str, ...],
    capacity: int,
    locale: str = "zh",
) -> int:
    """A technician with a log-in of their own, at home near the middle of their city."""
    founding.technicians += 1
    user_id = _add_user(founding, login=f"tech{founding.technicians:02}", name=name, locale=locale)
    _grant(founding, user_id, Role.TECHNICIAN, Scope.OWN)
    lat, lon = places.point_near(city, founding.chance, spread=0.04)
    outlets = [site for site in founding.sites if site["kind"] is SiteKind.OUTLET]
    homes = [site["id"] for site in outlets if site["city"] == city.code]
    technician_id = founding.in_org(
        Technician,
        user_id=user_id,
        name=name,
        phone=_phone(founding.technicians + 500),
        region_id=founding.regions[city.code],
        home_site_id=founding.chance.choice(homes),
        lat=lat,
        lon=lon,
        level=max(skills.values()),
        capacity=capacity,
        is_on_duty=True,
        is_active=True,
        version=1,
    )
    for code, level in skills.items():
        _certify(founding, technician_id, code, level)
    for territory in territories:
        founding.place(
            TechnicianTerritory,
            technician_id=technician_id,
            territory_id=founding.territories[territory],
        )
    return technician_id


def _certify(founding: Founding, technician_id: int, skill: str, level: int) -> None:
    """A certificate of some years, which every so often is about to run out."""
    days = 20 if founding.chance.random() < 0.05 else founding.chance.randint(200, 900)
    founding.add(
        Certificate,
        technician_id=technician_id,
        skill_id=founding.skills[skill],
        level=level,
        valid_from=founding.today - timedelta(days=founding.chance.randint(120, 900)),
        valid_until=founding.today + timedelta(days=days),
    )


def _add_city_crew(founding: Founding, city: City) -> None:
    crew = [
        _add_technician(
            founding,
            name=_person_name(founding.chance),
            city=city,
            skills=skills,
            territories=(f"{city.code}-{half}",) if half else (),
            capacity=founding.chance.choice((8, 9, 10)),
        )
        for skills, half in _CITY_CREW
    ]
    if city.code == "NJ":
        # Somebody whose certificate has run out and somebody on leave: dispatch has to say so.
        founding.add(
            Certificate,
            technician_id=crew[3],
            skill_id=founding.skills["lift"],
            level=2,
            valid_from=founding.today - timedelta(days=800),
            valid_until=founding.today - timedelta(days=12),
        )
        founding.add(
            Absence,
            technician_id=crew[1],
            starts_at=founding.at - timedelta(hours=20),
            ends_at=founding.at + timedelta(days=3),
            reason="年假",
        )


def _add_department_crews(founding: Founding) -> None:
    names = material.names()
    for departments, crews, capacity in _DEPARTMENT_CREWS:
        for _ in range(crews):
            first = founding.chance.choice(names["boston_first"])
            _add_technician(
                founding,
                name=f"{first} {founding.chance.choice(names['boston_last'])}",
                city=BOSTON,
                skills={"municipal": founding.chance.choice((1, 2, 3))},
                territories=departments,
                capacity=capacity,
                locale="en",
            )


def _add_models(founding: Founding) -> None:
    for model in material.models():
        founding.models.append({**model, "id": founding.in_org(ProductModel, **model)})


def _person_name(chance: Random) -> str:
    names = material.names()
    return f"{chance.choice(names['family'])}{chance.choice(names['given'])}"


def _phone(number: int) -> str:
    """A number in a block that is not given out, so that no demo message ever reaches anybody."""
    return f"1990000{number:04}"


def _add_customer(
    founding: Founding, *, kind: CustomerKind, name: str, phone: str, city: str, is_vip: bool
) -> int:
    return founding.in_org(
        Customer,
        kind=kind,
        name=name,
        phone=phone,
        is_vip=is_vip,
        region_id=founding.regions[city],
        version=1,
    )


def _identify(founding: Founding, customer_id: int, phone: str, wechat: str) -> None:
    for channel, external_id in (("phone", phone), ("wechat", wechat)):
        founding.in_org(CustomerIdentity, channel=channel, external_id=external_id, customer_id=customer_id)


def _add_persons(founding: Founding) -> None:
    chance = founding.chance
    weighted = [city for city in CITIES for _ in range(city.sites)]
    for number in range(1, PERSONS + 1):
        name, city, phone = _person_name(chance), chance.choice(weighted), _phone(number)
        customer_id = _add_customer(
            founding,
            kind=CustomerKind.PERSON,
            name=name,
            phone=phone,
            city=city.code,
            is_vip=chance.random() < 0.08,
        )
        founding.add(Contact, customer_id=customer_id, name=name, phone=phone, email="")
        _identify(founding, customer_id, phone, f"wx_{ORG_CODE}_{number:04}")
        home = _add_home(founding, number, name, city)
        _equip(founding, customer_id, home, count=chance.choice((1, 1, 2, 3)), families=_AT_HOME)


def _add_home(founding: Founding, number: int, name: str, city: City) -> dict[str, Any]:
    lat, lon = places.point_near(city, founding.chance)
    address = (
        f"{city.name['zh']}市{founding.chance.choice(city.roads)}{founding.chance.randint(8, 999)}弄"
        f"{founding.chance.randint(1, 30)}号{founding.chance.randint(101, 2602)}室"
    )
    return _add_site(
        founding,
        city=city.code,
        code=f"HOME-{number:03}",
        name={"zh": f"{name}家", "en": f"Home of customer {number}"},
        kind=SiteKind.CUSTOMER_SITE,
        territory_id=founding.territories.get(city.district_at(lon)),
        address=address,
        lat=lat,
        lon=lon,
    )


def _add_companies(founding: Founding) -> None:
    chance = founding.chance
    premises = [
        site
        for site in founding.sites
        if site["kind"] is SiteKind.CUSTOMER_SITE and not site["code"].startswith("HOME-")
    ]
    for number, (name, trade) in enumerate(material.names()["companies"], start=1):
        site = premises[(number - 1) % len(premises)]
        phone = _phone(2000 + number)
        customer_id = _add_customer(
            founding,
            kind=CustomerKind.COMPANY,
            name=name,
            phone=phone,
            city=site["city"],
            is_vip=chance.random() < 0.3,
        )
        for contact in range(chance.choice((1, 2))):
            founding.add(
                Contact,
                customer_id=customer_id,
                name=_person_name(chance),
                phone=_phone(3000 + number * 2 + contact),
                email=f"contact{number}.{contact + 1}@example.com",
            )
        _identify(founding, customer_id, phone, f"wx_{ORG_CODE}_c{number:03}")
        families = _WITH_LIFTS if trade in _TALL else _WITHOUT_LIFTS
        _equip(founding, customer_id, site, count=chance.choice((3, 4, 5)), families=families)
        _agree(founding, customer_id, trade)


def _equip(
    founding: Founding,
    customer_id: int,
    site: dict[str, Any],
    *,
    count: int,
    families: frozenset[str],
) -> None:
    """Give a customer equipment, each piece with the order it was bought by."""
    chance = founding.chance
    fitting = [model for model in founding.models if model["family"] in families]
    for model in chance.sample(fitting, min(count, len(fitting))):
        bought = founding.today - timedelta(days=chance.randint(20, 1500))
        founding.in_org(
            Asset,
            serial=f"{model['code']}-{chance.randint(10**7, 10**8 - 1)}",
            model_id=model["id"],
            customer_id=customer_id,
            site_id=site["id"],
            purchased_on=bought,
            warranty_until=bought + timedelta(days=730),
            version=1,
        )
        _order(founding, customer_id, model, bought)


def _order(founding: Founding, customer_id: int, model: dict[str, Any], on: date) -> None:
    founding.orders += 1
    amount = founding.chance.randint(8, 600) * 10_000
    order_id = founding.in_org(
        CustomerOrder,
        no=f"SO-{on:%y%m}-{founding.orders:05}",
        customer_id=customer_id,
        ordered_on=on,
        total_minor=amount,
        currency=CURRENCY,
    )
    founding.add(
        OrderLine,
        order_id=order_id,
        model_id=model["id"],
        description=model["name"]["zh"],
        quantity=1,
        amount_minor=amount,
    )


def _agree(founding: Founding, customer_id: int, trade: str) -> None:
    if founding.chance.random() > 0.7:
        return
    starts = founding.today - timedelta(days=founding.chance.randint(30, 330))
    gold = trade in {"hotel", "mall", "datacenter", "clinic"}
    coverage = (
        {"zh": "7×24 小时响应，含配件", "en": "Round the clock, parts included"}
        if gold
        else {"zh": "工作日 4 小时上门，不含配件", "en": "On site within 4 working hours, parts excluded"}
    )
    founding.in_org(
        Agreement,
        customer_id=customer_id,
        kind="full_service" if gold else "maintenance",
        coverage=coverage,
        starts_on=starts,
        ends_on=starts + timedelta(days=365),
    )
