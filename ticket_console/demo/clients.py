"""Whom the demo company serves: persons at home and companies on their premises, and what they own."""

from datetime import date, timedelta
from typing import Any, Final

from ticket_console.access.tables import SiteKind
from ticket_console.customers import registering
from ticket_console.customers.registering import NewAsset, NewCustomer, NewOrder, NewOrderLine
from ticket_console.customers.tables import CustomerKind
from ticket_console.demo import material, places
from ticket_console.demo.founding import CURRENCY, ORG_CODE, Founding, add_site, person_name, phone_number
from ticket_console.demo.places import CITIES, City

PERSONS: Final = 56
HOME_PREFIX: Final = "HOME-"
_AT_HOME: Final = frozenset({"hvac", "appliance", "plumbing"})
_WITHOUT_LIFTS: Final = _AT_HOME | {"electrical", "it_network"}
_WITH_LIFTS: Final = _WITHOUT_LIFTS | {"lift"}
_TALL: Final = frozenset({"property", "hotel", "mall", "office", "park", "care"})
_ROUND_THE_CLOCK: Final = frozenset({"hotel", "mall", "datacenter", "clinic"})


def add_clients(founding: Founding) -> None:
    for model in material.models():
        registering.add_model(founding.connection, **founding.command("model"), **model)
    _add_persons(founding)
    _add_companies(founding)


def _add_persons(founding: Founding) -> None:
    chance = founding.chance
    weighted = [city for city in CITIES for _ in range(city.sites)]
    for number in range(1, PERSONS + 1):
        name, city = person_name(chance), chance.choice(weighted)
        new = NewCustomer(
            name=name,
            phone=phone_number(number),
            is_vip=chance.random() < 0.08,
            region_id=founding.regions[city.code],
        )
        customer_id = registering.register_customer(
            founding.connection, **founding.command("customer"), new=new
        )
        _identify(founding, customer_id, new.phone, f"wx_{ORG_CODE}_{number:04}")
        home = _add_home(founding, number, name, city)
        _equip(founding, customer_id, home, count=chance.choice((1, 1, 2, 3)), families=_AT_HOME)


def _add_home(founding: Founding, number: int, name: str, city: City) -> dict[str, Any]:
    lat, lon = places.point_near(city, founding.chance)
    address = (
        f"{city.name['zh']}市{founding.chance.choice(city.roads)}{founding.chance.randint(8, 999)}弄"
        f"{founding.chance.randint(1, 30)}号{founding.chance.randint(101, 2602)}室"
    )
    return add_site(
        founding,
        city=city.code,
        code=f"{HOME_PREFIX}{number:03}",
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
        if site["kind"] is SiteKind.CUSTOMER_SITE and not site["code"].startswith(HOME_PREFIX)
    ]
    for number, (name, trade) in enumerate(material.names()["companies"], start=1):
        site = premises[(number - 1) % len(premises)]
        new = NewCustomer(
            name=name,
            kind=CustomerKind.COMPANY,
            phone=phone_number(2000 + number),
            is_vip=chance.random() < 0.3,
            region_id=founding.regions[site["city"]],
        )
        customer_id = registering.register_customer(
            founding.connection, **founding.command("customer"), new=new
        )
        for contact in range(chance.choice((1, 2))):
            registering.add_contact(
                founding.connection,
                **founding.command("contact"),
                customer_id=customer_id,
                name=person_name(chance),
                phone=phone_number(3000 + number * 2 + contact),
                email=f"contact{number}.{contact + 1}@example.com",
            )
        _identify(founding, customer_id, new.phone, f"wx_{ORG_CODE}_c{number:03}")
        families = _WITH_LIFTS if trade in _TALL else _WITHOUT_LIFTS
        _equip(founding, customer_id, site, count=chance.choice((3, 4, 5)), families=families)
        if chance.random() < 0.7:
            _agree(founding, customer_id, trade)


def _identify(founding: Founding, customer_id: int, phone: str, wechat: str) -> None:
    for channel, external_id in (("phone", phone), ("wechat", wechat)):
        registering.identify(
            founding.connection,
            **founding.command("identity"),
            customer_id=customer_id,
            channel=channel,
            external_id=external_id,
        )


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
    fitting = [model for model in material.models() if model["family"] in families]
    for model in chance.sample(fitting, min(count, len(fitting))):
        bought = founding.today - timedelta(days=chance.randint(20, 1500))
        asset = NewAsset(
            serial=f"{model['code']}-{chance.randint(10**7, 10**8 - 1)}",
            model_code=model["code"],
            site_id=site["id"],
            purchased_on=bought,
            warranty_until=bought + timedelta(days=730),
        )
        registering.register_asset(
            founding.connection, **founding.command("asset"), customer_id=customer_id, new=asset
        )
        _order(founding, customer_id, model, bought)


def _order(founding: Founding, customer_id: int, model: dict[str, Any], on: date) -> None:
    founding.orders += 1
    line = NewOrderLine(
        description=model["name"]["zh"],
        quantity=1,
        amount_minor=founding.chance.randint(8, 600) * 10_000,
        model_code=model["code"],
    )
    new = NewOrder(no=f"SO-{on:%y%m}-{founding.orders:05}", ordered_on=on, currency=CURRENCY, lines=(line,))
    registering.record_order(
        founding.connection, **founding.command("order"), customer_id=customer_id, new=new
    )


def _agree(founding: Founding, customer_id: int, trade: str) -> None:
    starts = founding.today - timedelta(days=founding.chance.randint(30, 330))
    if trade in _ROUND_THE_CLOCK:
        kind = "full_service"
        coverage = {"zh": "7×24 小时响应，含配件", "en": "Round the clock, parts included"}
    else:
        kind = "maintenance"
        coverage = {
            "zh": "工作日 4 小时上门，不含配件",
            "en": "On site within 4 working hours, parts excluded",
        }
    registering.agree(
        founding.connection,
        **founding.command("agreement"),
        customer_id=customer_id,
        kind=kind,
        coverage=coverage,
        starts_on=starts,
        ends_on=starts + timedelta(days=365),
    )
