"""The places of the demo company: regions, service territories and sites, all invented on real ground."""

from dataclasses import dataclass
from random import Random
from typing import Final

from ticket_console.access.tables import SiteKind
from ticket_console.demo import material
from ticket_console.kernel.text import LocalText

CHINA_TZ: Final = "Asia/Shanghai"
BOSTON_TZ: Final = "America/New_York"

Ring = list[list[float]]


@dataclass(frozen=True, slots=True)
class Area:
    """A region that groups others, or a service territory without an outline of its own."""

    code: str
    name: LocalText


@dataclass(frozen=True, slots=True)
class District:
    """A service territory: the box between two corners."""

    code: str
    name: LocalText
    south: float
    west: float
    north: float
    east: float

    @property
    def outline(self) -> Ring:
        return [
            [self.west, self.south],
            [self.east, self.south],
            [self.east, self.north],
            [self.west, self.north],
            [self.west, self.south],
        ]


@dataclass(frozen=True, slots=True)
class City:
    code: str
    area: str
    name: LocalText
    lat: float
    lon: float
    districts: tuple[District, ...]
    roads: tuple[str, ...]
    sites: int

    def district_at(self, lon: float) -> str:
        return next((each.code for each in self.districts if each.west <= lon < each.east), "")


@dataclass(frozen=True, slots=True)
class PlannedSite:
    code: str
    name: LocalText
    kind: SiteKind
    city: str
    territory: str
    address: str
    lat: float
    lon: float


def _districts(code: str, lat: float, lon: float, west: LocalText, east: LocalText) -> tuple[District, ...]:
    """Two neighbouring territories that meet at the city's middle and reach half a degree around it."""
    return (
        District(f"{code}-W", west, lat - 0.4, lon - 0.5, lat + 0.4, lon),
        District(f"{code}-E", east, lat - 0.4, lon, lat + 0.4, lon + 0.5),
    )


_plan = material.places()
_boston = _plan["boston"]

AREAS: Final = tuple(Area(area["code"], area["name"]) for area in _plan["areas"])
CITIES: Final = tuple(
    City(
        code=city["code"],
        area=city["area"],
        name=city["name"],
        lat=city["lat"],
        lon=city["lon"],
        districts=_districts(city["code"], city["lat"], city["lon"], city["west"], city["east"]),
        roads=tuple(city["roads"]),
        sites=city["sites"],
    )
    for city in _plan["cities"]
)
BOSTON: Final = City(
    _boston["code"], "", _boston["name"], _boston["lat"], _boston["lon"], (), tuple(_boston["roads"]), 0
)
# A city that answers its residents works by department, not by district. The codes are those that the
# city's service-request files carry in their column `department`.
DEPARTMENTS: Final = tuple(Area(each["code"], each["name"]) for each in _boston["departments"])


def planned_sites(chance: Random) -> tuple[PlannedSite, ...]:
    """The company's sites and the premises of its larger customers, some kilometres around each city."""
    sites = [site for city in CITIES for site in _sites_of(city, chance)]
    sites += [
        PlannedSite(
            code=yard["code"],
            name=yard["name"],
            kind=SiteKind(yard["kind"]),
            city=BOSTON.code,
            territory="",
            address=f"{chance.randint(10, 480)} {chance.choice(BOSTON.roads)}",
            lat=yard["lat"],
            lon=yard["lon"],
        )
        for yard in _boston["yards"]
    ]
    return tuple(sites)


def _sites_of(city: City, chance: Random) -> list[PlannedSite]:
    made = []
    for number in range(1, city.sites + 1):
        lat, lon = point_near(city, chance)
        road = chance.choice(city.roads)
        kind, name = _kind_and_name(city, number, road)
        made.append(
            PlannedSite(
                code=f"{city.code}-{number:02}",
                name=name,
                kind=kind,
                city=city.code,
                territory=city.district_at(lon),
                address=f"{city.name['zh']}市{road}{chance.randint(8, 1200)}号",
                lat=lat,
                lon=lon,
            )
        )
    return made


def _kind_and_name(city: City, number: int, road: str) -> tuple[SiteKind, LocalText]:
    zh, en = city.name["zh"], city.name["en"]
    if number == 1:
        if city is CITIES[0]:
            return SiteKind.HQ, {"zh": "晴川服务总部", "en": "Clearbrook headquarters"}
        return SiteKind.BRANCH, {"zh": f"{zh}分公司", "en": f"{en} branch"}
    if number == 2:
        return SiteKind.WAREHOUSE, {"zh": f"{zh}备件仓", "en": f"{en} parts warehouse"}
    if number in (3, 4):
        return SiteKind.OUTLET, {"zh": f"{zh}{road}服务网点", "en": f"{en} service outlet {number - 2}"}
    if number == 5:
        return SiteKind.STORE, {"zh": f"{zh}{road}门店", "en": f"{en} store"}
    kinds = _plan["customer_places"]
    place = kinds[number % len(kinds)]
    return SiteKind.CUSTOMER_SITE, {
        "zh": place["zh"].format(city=zh, road=road),
        "en": place["en"].format(city=en, n=number),
    }


def point_near(city: City, chance: Random, *, spread: float = 0.06) -> tuple[float, float]:
    """A point around a city's middle, most of them within some kilometres."""
    lat = city.lat + max(-3 * spread, min(3 * spread, chance.gauss(0, spread)))
    lon = city.lon + max(-3 * spread, min(3 * spread, chance.gauss(0, spread * 1.15)))
    return round(lat, 5), round(lon, 5)
