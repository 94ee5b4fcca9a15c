"""People to be sent to work, on paper and in a company's books."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from tests.builders.access import Company
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.database import reading, transaction
from ticket_console.people import hiring, reads
from ticket_console.people.candidate import Candidate, Held
from ticket_console.people.hiring import NewTechnician

# Ten in the morning in Shanghai, and that day there.
AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 21)
BUND = (31.24, 121.49)
NORTH, TERRITORY = 3, 30

_LI = Candidate(
    technician_id=1,
    name="Li",
    region_id=NORTH,
    region_ids=frozenset({NORTH}),
    territory_ids=frozenset(),
    lat=BUND[0],
    lon=BUND[1],
    level=2,
    capacity=8,
    is_on_duty=True,
    is_active=True,
    certificates={"hvac": (Held(3, date(2025, 1, 1), None),)},
    shifts=None,
    absences=(),
)


def a_candidate(**changes: Any) -> Candidate:
    """Li of region 3, certified for air conditioning, on duty with nothing to do."""
    return replace(_LI, **changes)


def hire(
    company: Company,
    name: str = "Li",
    *,
    skills: Mapping[str, int] | None = None,
    at: datetime = AT,
    **wish: Any,
) -> int:
    """A technician of the company's North, certified since last year; skills are added as needed."""
    by: dict[str, Any] = {"actor": system_actor(company.org_id), "at": at, "command_id": f"hire-{name}"}
    with transaction() as connection:
        plain = {"region_id": company.north, "lat": BUND[0], "lon": BUND[1]}
        new = NewTechnician(**{"name": name, **plain, **wish})
        technician_id = hiring.hire(connection, **by, new=new)
        known = {skill.code for skill in reads.skills(connection, company.org_id)}
        for code, level in ({"hvac": 3} if skills is None else skills).items():
            if code not in known:
                hiring.add_skill(connection, **by, code=code, name={"zh": code, "en": code})
            hiring.certify(
                connection,
                **by,
                technician_id=technician_id,
                skill=code,
                level=level,
                valid_from=date(2025, 1, 1),
            )
    return technician_id


def names_of(technician_ids: list[int]) -> list[str]:
    with reading() as connection:
        known = reads.names(connection, technician_ids)
    return [known[each] for each in technician_ids]
