"""How the demo company dispatches today: certificates of makers, and rules for its repairs."""

from datetime import datetime, timedelta
from typing import Any, Final

from ticket_console.demo import material
from ticket_console.demo.cast import Cast
from ticket_console.desk import months
from ticket_console.dispatch import rulebook
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, transaction
from ticket_console.people import papers, roster

# "Certified and within 3 km first, then 10 km, then the region."
REPAIRS: Final[dict[str, Any]] = {
    "bands": [
        {"within_m": 3_000, "certified": True},
        {"within_m": 10_000, "certified": True},
        {"within_m": 10_000, "certified": False},
        {"within_m": None, "certified": False},
    ],
    "weights": {
        "distance": 35,
        "near": 5,
        "load": 25,
        "level": 10,
        "hard": 5,
        "income": 5,
        "continuity": 10,
        "slack": 5,
    },
    "vip_weights": {
        "distance": 25,
        "load": 20,
        "level": 30,
        "hard": 0,
        "income": 0,
        "continuity": 15,
        "slack": 10,
    },
    "filters": {"shift_end": "warn"},
}
_NAME: Final = {"zh": "维修派单", "en": "Repairs"}
_NOTE: Final = "持品牌认证且 3 公里内优先，其次 10 公里，最后全区。"
_YEAR: Final = timedelta(days=365)


def put_in_force(cast: Cast, *, at: datetime) -> None:
    """After the weeks that were lived through by the built-in rules: those, and what they are weighed by."""
    manager = cast.office[Role.MANAGER]
    with reading() as connection:
        people = roster.current(connection, cast.org_id, at=at).candidates
    makes: dict[str, set[str]] = {}
    for model in material.models():
        makes.setdefault(model["family"], set()).add(model["brand"])
    today = at.date()
    with transaction() as connection:
        for place, person in enumerate(people):
            brands = sorted(brand for skill in person.certificates for brand in makes.get(skill, ()))
            # Two of three have the papers of a maker; of those every fourth have run out by now.
            for number, brand in enumerate(dict.fromkeys(brands)):
                if (place + number) % 3:
                    papers.certify_brand(
                        connection,
                        actor=manager,
                        at=at,
                        command_id=f"demo:brand:{person.technician_id}:{number}",
                        technician_id=person.technician_id,
                        brand=brand,
                        level=person.level,
                        valid_from=today - 2 * _YEAR,
                        valid_until=today if (place + number) % 4 == 0 else today + _YEAR,
                    )
        months.recount(connection, cast.org_id, at=at)
    policy_id = rulebook.create(
        actor=manager,
        at=at,
        command_id="demo:policy",
        name=_NAME,
        ticket_class="repair",
        region_id=None,
    )
    draft = rulebook.save_draft(actor=manager, policy_id=policy_id, version=1, terms=REPAIRS)
    rulebook.publish(
        actor=manager,
        at=at,
        command_id="demo:policy:1",
        policy_id=policy_id,
        version=draft.version,
        note=_NOTE,
    )
