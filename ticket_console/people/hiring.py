"""Who works for us: technicians come, are certified, serve territories, and leave.

Each command raises the technician's version, by which dispatch notices that its roster is old.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput, NotFound
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.people.candidate import Post
from ticket_console.people.tables import (
    Certificate,
    Crew,
    Skill,
    Technician,
    TechnicianTerritory,
    Territory,
    Vendor,
)

HIGHEST_LEVEL: Final = 5
HIGHEST_CAPACITY: Final = 1_000

_technicians = table(Technician)
_skills = table(Skill)
_certificates = table(Certificate)
_served = table(TechnicianTerritory)
_territories = table(Territory)
_crews = table(Crew)
_vendors = table(Vendor)


class TechnicianNotFound(NotFound):
    code = "people.technician_not_found"


class SkillExists(Conflict):
    code = "people.skill_exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTechnician:
    """Somebody to be sent to work; `lat` and `lon` are where they start from."""

    name: str
    region_id: int
    lat: float
    lon: float
    user_id: int | None = None
    phone: str = ""
    home_site_id: int | None = None
    level: int = 1
    capacity: int = 8
    is_on_duty: bool = True
    crew_id: int | None = None
    vendor_id: int | None = None
    post: Post = Post.TECHNICIAN


def add_skill(
    connection: Connection, *, actor: Actor, at: datetime, command_id: str, code: str, name: LocalText
) -> int:
    policy.require(actor, "user.manage")
    problems = [FieldProblem("code", "field.required")] if not code.strip() else []
    problems += [FieldProblem(f"name.{each}", "field.required") for each in LOCALES if not name.get(each)]
    if problems:
        raise InvalidInput(tuple(problems))
    known = sa.select(_skills.c.id).where(_skills.c.org_id == actor.org_id, _skills.c.code == code)
    if connection.execute(known).first() is not None:
        raise SkillExists(skill=code)
    skill_id = _inserted(connection, _skills, org_id=actor.org_id, code=code, name=name)
    _audit(connection, actor, at, command_id, "skill.added", f"skill:{skill_id}", code=code)
    return skill_id


def form_crew(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    code: str,
    name: LocalText,
    region_id: int,
) -> int:
    """A crew for technicians to be hired into; its id."""
    policy.require(actor, "user.manage", region_id=region_id)
    _refuse_unnamed(connection, _crews, actor, code, name)
    crew_id = _inserted(connection, _crews, org_id=actor.org_id, region_id=region_id, code=code, name=name)
    _audit(connection, actor, at, command_id, "crew.formed", f"crew:{crew_id}", code=code)
    return crew_id


def engage_vendor(
    connection: Connection, *, actor: Actor, at: datetime, command_id: str, code: str, name: LocalText
) -> int:
    """A service partner, whose people are hired with its id; that id."""
    policy.require_everywhere(actor, "user.manage")
    _refuse_unnamed(connection, _vendors, actor, code, name)
    vendor_id = _inserted(connection, _vendors, org_id=actor.org_id, code=code, name=name, is_active=True)
    _audit(connection, actor, at, command_id, "vendor.engaged", f"vendor:{vendor_id}", code=code)
    return vendor_id


def hire(connection: Connection, *, actor: Actor, at: datetime, command_id: str, new: NewTechnician) -> int:
    """The new technician's id; they may be sent to work from this moment on."""
    policy.require(actor, "user.manage", region_id=new.region_id)
    _refuse_unusable(connection, actor, new)
    technician_id = _inserted(
        connection,
        _technicians,
        org_id=actor.org_id,
        user_id=new.user_id,
        name=new.name.strip(),
        phone=new.phone.strip(),
        region_id=new.region_id,
        home_site_id=new.home_site_id,
        lat=new.lat,
        lon=new.lon,
        level=new.level,
        capacity=new.capacity,
        is_on_duty=new.is_on_duty,
        is_active=True,
        crew_id=new.crew_id,
        vendor_id=new.vendor_id,
        post=new.post,
        version=1,
    )
    subject = f"technician:{technician_id}"
    _audit(connection, actor, at, command_id, "technician.hired", subject, region_id=new.region_id)
    return technician_id


def certify(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    technician_id: int,
    skill: str,
    level: int,
    valid_from: date,
    valid_until: date | None = None,
) -> int:
    """Prove a skill for the days [valid_from, valid_until), or from a day on without end."""
    change_technician(connection, actor, technician_id)
    skill_id = connection.execute(
        sa.select(_skills.c.id).where(_skills.c.org_id == actor.org_id, _skills.c.code == skill)
    ).scalar()
    problems = []
    if skill_id is None:
        problems.append(FieldProblem("skill", "people.unknown_skill", {"skill": skill}))
    if not 1 <= level <= HIGHEST_LEVEL:
        problems.append(FieldProblem("level", "field.out_of_range", {"min": 1, "max": HIGHEST_LEVEL}))
    if valid_until is not None and valid_until <= valid_from:
        problems.append(FieldProblem("valid_until", "people.ends_before_it_starts"))
    if problems:
        raise InvalidInput(tuple(problems))
    certificate_id = _inserted(
        connection,
        _certificates,
        technician_id=technician_id,
        skill_id=skill_id,
        level=level,
        valid_from=valid_from,
        valid_until=valid_until,
    )
    subject = f"technician:{technician_id}"
    _audit(connection, actor, at, command_id, "technician.certified", subject, skill=skill, level=level)
    return certificate_id


def serve(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    technician_id: int,
    territory_ids: Collection[int],
) -> None:
    """Let a technician serve exactly these territories; with none, the whole of their region."""
    change_technician(connection, actor, technician_id)
    wanted = sorted(set(territory_ids))
    known = set(
        connection.execute(
            sa.select(_territories.c.id).where(
                _territories.c.org_id == actor.org_id, _territories.c.id.in_(wanted)
            )
        ).scalars()
    )
    unknown = [each for each in wanted if each not in known]
    if unknown:
        raise InvalidInput(
            tuple(FieldProblem("territory_ids", "people.unknown_territory", {"id": each}) for each in unknown)
        )
    connection.execute(sa.delete(_served).where(_served.c.technician_id == technician_id))
    if wanted:
        rows = [{"technician_id": technician_id, "territory_id": each} for each in wanted]
        connection.execute(sa.insert(_served), rows)
    subject = f"technician:{technician_id}"
    _audit(connection, actor, at, command_id, "technician.serves", subject, territory_ids=wanted)


def let_go(
    connection: Connection, *, actor: Actor, at: datetime, command_id: str, technician_id: int
) -> None:
    """Send somebody to no new work; what they hold stays theirs until a dispatcher moves it."""
    change_technician(connection, actor, technician_id, is_active=False, is_on_duty=False)
    _audit(connection, actor, at, command_id, "technician.let_go", f"technician:{technician_id}")


def change_technician(connection: Connection, actor: Actor, technician_id: int, **columns: object) -> None:
    """Change a technician's row, or only its version where what changed stands in other tables.

    Refuses with TechnicianNotFound whom the organisation does not know and with Forbidden who lacks
    `user.manage` over the technician's region.
    """
    policy.require(actor, "user.manage", region_id=region_of(connection, actor.org_id, technician_id))
    write_technician(connection, technician_id, **columns)


def write_technician(connection: Connection, technician_id: int, **columns: object) -> None:
    connection.execute(
        sa.update(_technicians)
        .where(_technicians.c.id == technician_id)
        .values(version=_technicians.c.version + 1, **columns)
    )


def region_of(connection: Connection, org_id: int, technician_id: int) -> int:
    region_id = connection.execute(
        sa.select(_technicians.c.region_id).where(
            _technicians.c.id == technician_id, _technicians.c.org_id == org_id
        )
    ).scalar()
    if region_id is None:
        raise TechnicianNotFound(technician_id=technician_id)
    return int(region_id)


def _refuse_unusable(connection: Connection, actor: Actor, new: NewTechnician) -> None:
    problems = []
    if not new.name.strip():
        problems.append(FieldProblem("name", "field.required"))
    if len(new.name) > 80:
        problems.append(FieldProblem("name", "field.too_long", {"limit": 80}))
    if all(region.id != new.region_id for region in places.regions(connection, actor.org_id)):
        problems.append(FieldProblem("region_id", "people.unknown_region", {"id": new.region_id}))
    for name, value, low, high in (
        ("lat", new.lat, -90, 90),
        ("lon", new.lon, -180, 180),
        ("level", new.level, 1, HIGHEST_LEVEL),
        ("capacity", new.capacity, 0, HIGHEST_CAPACITY),
    ):
        if not low <= value <= high:
            problems.append(FieldProblem(name, "field.out_of_range", {"min": low, "max": high}))
    if problems:
        raise InvalidInput(tuple(problems))


def _refuse_unnamed(connection: Connection, kind: sa.Table, actor: Actor, code: str, name: LocalText) -> None:
    problems = [] if code.strip() else [FieldProblem("code", "field.required")]
    problems += [FieldProblem(f"name.{each}", "field.required") for each in LOCALES if not name.get(each)]
    known = sa.select(kind.c.id).where(kind.c.org_id == actor.org_id, kind.c.code == code)
    if not problems and connection.execute(known).first() is not None:
        problems.append(FieldProblem("code", "people.code_taken", {"code": code}))
    if problems:
        raise InvalidInput(tuple(problems))


def _inserted(connection: Connection, into: sa.Table, **columns: object) -> int:
    key: Any = connection.execute(sa.insert(into).values(**columns)).inserted_primary_key
    return int(key[0])


def _audit(
    connection: Connection,
    actor: Actor,
    at: datetime,
    command_id: str,
    action: str,
    subject: str,
    **payload: object,
) -> None:
    audit.record(
        connection,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        payload=payload,
        command_id=command_id,
    )
