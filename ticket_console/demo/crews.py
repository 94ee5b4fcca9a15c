"""The technicians of the demo company: a crew in every city, and crews for the departments of one."""

from datetime import timedelta
from typing import Final

from ticket_console.access.tables import SiteKind
from ticket_console.demo import material, places
from ticket_console.demo.founding import Founding, add_user, grant, person_name, phone_number
from ticket_console.demo.places import BOSTON, CITIES, City
from ticket_console.kernel.actor import Role, Scope
from ticket_console.people import hiring, planning
from ticket_console.people.candidate import Span
from ticket_console.people.hiring import NewTechnician

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
    (("PWDx",), 5, 1000),
    (("ISD",), 3, 1000),
    (("BTDT",), 2, 1000),
    (("PARK",), 2, 800),
    (("INFO", "GEN_", "CHT_"), 1, 1000),
    (("PROP",), 1, 900),
    (("HS_O", "HS_D", "DISB", "BPS_"), 1, 900),
    (("BWSC",), 1, 400),
    (("ANML",), 1, 300),
)


def technicians() -> int:
    """How many technicians there are, and so how many log-ins of theirs."""
    return len(CITIES) * len(_CITY_CREW) + sum(crews for _, crews, _ in _DEPARTMENT_CREWS)


def add_crews(founding: Founding) -> None:
    for city in CITIES:
        _add_city_crew(founding, city)
    _add_department_crews(founding)


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
    user_id = add_user(founding, login=f"tech{founding.technicians:02}", name=name, locale=locale)
    grant(founding, user_id, Role.TECHNICIAN, Scope.OWN)
    lat, lon = places.point_near(city, founding.chance, spread=0.04)
    outlets = [site for site in founding.sites if site["kind"] is SiteKind.OUTLET]
    homes = [site["id"] for site in outlets if site["city"] == city.code]
    new = NewTechnician(
        name=name,
        region_id=founding.regions[city.code],
        lat=lat,
        lon=lon,
        user_id=user_id,
        phone=phone_number(founding.technicians + 500),
        home_site_id=founding.chance.choice(homes),
        level=max(skills.values()),
        capacity=capacity,
    )
    technician_id = hiring.hire(founding.connection, **founding.command("hire"), new=new)
    for code, level in skills.items():
        # Every so often a certificate is about to run out.
        days = 20 if founding.chance.random() < 0.05 else founding.chance.randint(200, 900)
        _certify(founding, technician_id, code, level, since=founding.chance.randint(120, 900), until=days)
    hiring.serve(
        founding.connection,
        **founding.command("serve"),
        technician_id=technician_id,
        territory_ids=[founding.territories[territory] for territory in territories],
    )
    return technician_id


def _certify(
    founding: Founding, technician_id: int, skill: str, level: int, *, since: int, until: int
) -> None:
    """A certificate from so many days ago until so many days from now."""
    hiring.certify(
        founding.connection,
        **founding.command("certify"),
        technician_id=technician_id,
        skill=skill,
        level=level,
        valid_from=founding.today - timedelta(days=since),
        valid_until=founding.today + timedelta(days=until),
    )


def _add_city_crew(founding: Founding, city: City) -> None:
    crew = [
        _add_technician(
            founding,
            name=person_name(founding.chance),
            city=city,
            skills=skills,
            territories=(f"{city.code}-{half}",) if half else (),
            capacity=founding.chance.choice((8, 9, 10)),
        )
        for skills, half in _CITY_CREW
    ]
    if city.code == "NJ":
        # Somebody whose certificate has run out and somebody on leave: dispatch has to say so.
        _certify(founding, crew[3], "lift", 2, since=800, until=-12)
        planning.record_absence(
            founding.connection,
            **founding.command("absence"),
            technician_id=crew[1],
            absence=Span(founding.at - timedelta(hours=20), founding.at + timedelta(days=3)),
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
