"""What others may know of the people: by scope, for menus and cards."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy, projection
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people import crews
from ticket_console.people.names import names
from ticket_console.people.tables import Skill, Technician

__all__ = ["SkillView", "TechnicianView", "in_scope", "names", "skills", "technicians"]

_technicians = table(Technician)
_skills = table(Skill)


@dataclass(frozen=True, slots=True)
class TechnicianView:
    """A line of a menu. The number is whole only for those who may send the technician to work."""

    id: int
    name: str
    phone: str
    region_id: int
    level: int
    capacity: int
    is_on_duty: bool


@dataclass(frozen=True, slots=True)
class SkillView:
    code: str
    name: LocalText


def technicians(
    connection: Connection, viewer: Actor, *, permission: str = "board.view"
) -> tuple[TechnicianView, ...]:
    """The working technicians of the viewer's regions, by name."""
    rows = connection.execute(
        sa.select(_technicians)
        .where(
            _technicians.c.org_id == viewer.org_id,
            _technicians.c.is_active,
            in_scope(viewer, permission),
        )
        .order_by(_technicians.c.name, _technicians.c.id)
    )
    return tuple(_view(row, viewer) for row in rows)


def in_scope(viewer: Actor, permission: str) -> sa.ColumnElement[bool]:
    """The technicians whose regions the permission reaches, and where it reaches their own the viewer and
    the people of the service partner they dispatch for."""
    conditions: list[sa.ColumnElement[bool]] = []
    for part in policy.row_scope(viewer, permission).parts:
        if part.own:
            conditions.append(_technicians.c.id == viewer.technician_id)
            if crews.dispatches_for_vendor(viewer):
                conditions.append(_technicians.c.vendor_id == viewer.vendor_id)
        elif part.region_ids is None:
            return sa.true()
        else:
            conditions.append(_technicians.c.region_id.in_(sorted(part.region_ids)))
    return sa.or_(sa.false(), *conditions)


def skills(connection: Connection, org_id: int) -> tuple[SkillView, ...]:
    rows = connection.execute(
        sa.select(_skills.c.code, _skills.c.name).where(_skills.c.org_id == org_id).order_by(_skills.c.code)
    )
    return tuple(SkillView(*row) for row in rows)


def _view(row: Any, viewer: Actor) -> TechnicianView:
    may_call = row.id == viewer.technician_id or policy.allows(
        viewer, "ticket.assign", region_id=row.region_id
    )
    return TechnicianView(
        id=row.id,
        name=row.name,
        phone=row.phone if may_call else projection.mask_phone(row.phone),
        region_id=row.region_id,
        level=row.level,
        capacity=row.capacity,
        is_on_duty=row.is_on_duty,
    )
