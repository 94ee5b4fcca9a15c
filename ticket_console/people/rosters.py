"""The people of a region as plans and rosters list them: by crew and name, a page at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places
from ticket_console.access.tables import AuditEntry
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people.reads import in_scope
from ticket_console.people.tables import Certificate, Crew, Skill, Technician

PAGE: Final = 40
_SEARCH_LENGTH: Final = 60

_people = table(Technician)
_crews = table(Crew)
_certificates = table(Certificate)
_skills = table(Skill)
_entries = table(AuditEntry)


@dataclass(frozen=True, slots=True)
class PersonView:
    id: int
    name: str
    region_id: int
    crew: LocalText | None
    lat: float
    lon: float
    capacity: int
    is_on_duty: bool
    version: int


@dataclass(frozen=True, slots=True)
class People:
    """One page of people; `total` is how many there are on all pages."""

    total: int
    page: int
    people: tuple[PersonView, ...]


_SHOWN: Final = (
    _people.c.id,
    _people.c.name,
    _people.c.region_id,
    _crews.c.name.label("crew"),
    _people.c.lat,
    _people.c.lon,
    _people.c.capacity,
    _people.c.is_on_duty,
    _people.c.version,
)


def people_of(
    connection: Connection,
    *,
    viewer: Actor,
    permission: str,
    region_id: int,
    search: str = "",
    page: int = 1,
    size: int = PAGE,
) -> People:
    """The working people of a region and all below it, within the viewer's scope."""
    wanted = sa.and_(
        _people.c.org_id == viewer.org_id,
        _people.c.is_active,
        _people.c.region_id.in_(sorted(regions_below(connection, viewer.org_id, region_id))),
        in_scope(viewer, permission),
    )
    if needle := search.strip()[:_SEARCH_LENGTH]:
        wanted = sa.and_(
            wanted,
            sa.or_(
                _people.c.name.icontains(needle, autoescape=True),
                _crews.c.name.icontains(needle, autoescape=True),
            ),
        )
    source = _people.outerjoin(_crews, _crews.c.id == _people.c.crew_id)
    total = connection.execute(sa.select(sa.func.count()).select_from(source).where(wanted)).scalar_one()
    page = max(1, min(page, -(-total // size)))
    rows = connection.execute(
        sa.select(*_SHOWN)
        .select_from(source)
        .where(wanted)
        .order_by(
            _people.c.region_id, _people.c.crew_id.is_(None), _people.c.crew_id, _people.c.name, _people.c.id
        )
        .limit(size)
        .offset((page - 1) * size)
    )
    return People(total, page, tuple(PersonView(*row) for row in rows))


def named(connection: Connection, org_id: int, technician_ids: Collection[int]) -> tuple[PersonView, ...]:
    """These people, whatever region they are of, by their numbers."""
    if not technician_ids:
        return ()
    rows = connection.execute(
        sa.select(*_SHOWN)
        .select_from(_people.outerjoin(_crews, _crews.c.id == _people.c.crew_id))
        .where(_people.c.org_id == org_id, _people.c.id.in_(sorted(technician_ids)))
        .order_by(_people.c.id)
    )
    return tuple(PersonView(*row) for row in rows)


def skills_of(
    connection: Connection, technician_ids: Sequence[int], on: datetime
) -> dict[str, frozenset[int]]:
    """Who of these people holds which skill on a day, by the skill's code."""
    if not technician_ids:
        return {}
    day = on.date()
    rows: Any = connection.execute(
        sa.select(_skills.c.code, _certificates.c.technician_id)
        .join(_skills, _skills.c.id == _certificates.c.skill_id)
        .where(
            _certificates.c.technician_id.in_(sorted(technician_ids)),
            _certificates.c.valid_from <= day,
            sa.or_(_certificates.c.valid_until.is_(None), _certificates.c.valid_until > day),
        )
    )
    held: dict[str, set[int]] = {}
    for code, technician_id in rows:
        held.setdefault(code, set()).add(technician_id)
    return {code: frozenset(ids) for code, ids in sorted(held.items())}


def regions_below(connection: Connection, org_id: int, region_id: int) -> frozenset[int]:
    """A region and all below it."""
    regions = places.regions(connection, org_id)
    found = {each.id for each in regions if each.id == region_id}
    while more := {each.id for each in regions if each.parent_id in found} - found:
        found |= more
    return frozenset(found)


def staffed_regions(connection: Connection, *, viewer: Actor, permission: str) -> frozenset[int]:
    """The regions that have working people of their own, within the viewer's scope."""
    rows = connection.execute(
        sa.select(_people.c.region_id)
        .where(_people.c.org_id == viewer.org_id, _people.c.is_active, in_scope(viewer, permission))
        .distinct()
    )
    return frozenset(rows.scalars())


def latest_changes(
    connection: Connection, *, viewer: Actor, region_id: int, since: datetime, limit: int = 20
) -> tuple[datetime, ...]:
    """When the rosters of a region were changed, the latest first: the commands, not every line of them."""
    people = sa.select(sa.literal("technician:") + sa.cast(_people.c.id, sa.String)).where(
        _people.c.org_id == viewer.org_id,
        _people.c.region_id.in_(sorted(regions_below(connection, viewer.org_id, region_id))),
        in_scope(viewer, "roster.manage"),
    )
    rows = connection.execute(
        sa.select(_entries.c.at)
        .where(
            _entries.c.org_id == viewer.org_id,
            _entries.c.at >= since,
            _entries.c.action.in_(_CHANGES),
            _entries.c.subject.in_(people),
        )
        .group_by(_entries.c.command_id, _entries.c.at)
        .order_by(_entries.c.at.desc())
        .limit(limit)
    )
    return tuple(rows.scalars())


_CHANGES: Final = (
    "technician.shifts_planned",
    "technician.shifts_dropped",
    "technician.absent",
    "technician.absence_dropped",
)
