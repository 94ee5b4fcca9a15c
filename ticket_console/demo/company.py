"""The demo company as a new installation would enter it: places, people, customers, what they own, parts.

Everything is generated from a seed, with dates relative to the day of founding.
"""

from datetime import datetime
from random import Random
from typing import Final

from sqlalchemy.engine import Connection

from ticket_console.access.tables import Org, Region
from ticket_console.demo import material, places
from ticket_console.demo.clients import add_clients
from ticket_console.demo.crews import add_crews
from ticket_console.demo.founding import (
    CURRENCY,
    ORG_CODE,
    ORG_NAME,
    Founding,
    add_site,
    add_user,
    grant,
)
from ticket_console.demo.hours import on_office_hours, open_office
from ticket_console.demo.places import BOSTON, BOSTON_TZ, CHINA_TZ, CITIES
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.text import LocalText
from ticket_console.packs import installing
from ticket_console.packs.contents import read_pack
from ticket_console.people import drawing, hiring
from ticket_console.stock import cataloguing

PACK: Final = "field_service"
MUNICIPAL: Final = "municipal"
MUNICIPAL_NAME: Final[LocalText] = {"zh": "市政养护", "en": "Municipal maintenance"}

# Log-in, display name, role, region (none: the whole company), classes of tickets (none: all).
OFFICE: Final[tuple[tuple[str, str, Role, str | None, tuple[str, ...]], ...]] = (
    ("manager", "林知夏", Role.MANAGER, None, ()),
    ("dispatcher", "周明远", Role.DISPATCHER, None, ()),
    ("dispatcher-south", "何嘉怡", Role.DISPATCHER, "SOUTH", ()),
    ("agent", "苏晓晴", Role.AGENT, None, ()),
    ("marketing", "唐一诺", Role.AGENT, None, ("consult",)),
    ("finance", "顾清秋", Role.FINANCE, None, ()),
    ("auditor", "严正平", Role.AUDITOR, None, ()),
    ("account", "叶承欢", Role.ACCOUNT_MANAGER, None, ()),
)
# Who works for a department that answers for sections of forms.
DEPARTMENT_OF: Final = {"marketing": "marketing", "agent": "technical_support"}


def found(connection: Connection, *, at: datetime, since: datetime, seed: int, password_hash: str) -> int:
    """Enter the company into an empty database; returns the id of the organisation.

    It opened at `since`; certificates, warranties and leave are what they are at `at`.
    `password_hash` becomes everybody's: the log-ins of a demo are printed for everybody anyway.
    """
    founding = Founding(connection, at, since, password_hash, Random(seed))
    founding.org_id = founding.add(
        Org, code=ORG_CODE, name=ORG_NAME, tz=CHINA_TZ, currency=CURRENCY, version=1
    )
    _install_pack(founding)
    _add_regions(founding)
    _add_sites(founding)
    _add_office(founding)
    _add_parts(founding)
    add_crews(founding)
    add_clients(founding)
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
    founding.territories[code] = drawing.draw_territory(
        founding.connection,
        **founding.command("territory"),
        code=code,
        name=name,
        region_id=founding.regions[region],
        outline=outline,
    )


def _add_sites(founding: Founding) -> None:
    for planned in places.planned_sites(founding.chance):
        add_site(
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


def _add_office(founding: Founding) -> None:
    for login, name, role, region, classes in OFFICE:
        user_id = add_user(founding, login=login, name=name, department=DEPARTMENT_OF.get(login, ""))
        scope = Scope.ORG if region is None else Scope.REGION
        grant(founding, user_id, role, scope, region=region, classes=classes)


def _install_pack(founding: Founding) -> None:
    """The business itself comes from the pack; the city adds one skill of its own."""
    connection = founding.connection
    open_office(founding)
    pack = on_office_hours(read_pack(PACK))
    installing.install(connection, actor=founding.actor, at=founding.since, command_id="demo:pack", pack=pack)
    hiring.add_skill(connection, **founding.command("skill"), code=MUNICIPAL, name=MUNICIPAL_NAME)


def _add_parts(founding: Founding) -> None:
    for part in material.parts():
        cataloguing.add_part(founding.connection, **founding.command("part"), **part)
