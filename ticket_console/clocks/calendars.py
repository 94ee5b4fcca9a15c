"""Business calendars: definitions with immutable versions, each compiled once per process."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ticket_console.access import policy
from ticket_console.clocks.business_time import DAY_MINUTES, BusinessTime, Hours
from ticket_console.clocks.tables import Calendar, CalendarVersion
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import content_hash
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import FieldProblem, InvalidInput, NotFound
from ticket_console.kernel.text import LocalText

_calendars = table(Calendar)
_versions = table(CalendarVersion)

_compiled: WeakKeyDictionary[Engine, dict[int, BusinessTime]] = WeakKeyDictionary()


class CalendarNotFound(NotFound):
    code = "calendar.not_found"


@dataclass(frozen=True, slots=True)
class CalendarView:
    code: str
    name: LocalText
    tz: str


def publish_calendar(
    connection: Connection, *, actor: Actor, at: datetime, code: str, name: LocalText, hours: BusinessTime
) -> int:
    """Let a calendar count by these hours from now on; timers that are armed keep their moment.

    The same hours again are the same version. Raises InvalidInput naming each day that makes no sense.
    """
    policy.require(actor, "flow.manage")
    if problems := _problems(hours):
        raise InvalidInput(problems)
    content = {
        "tz": hours.tz,
        "week": {str(day): _listed(each) for day, each in sorted(hours.week.items()) if each},
        "days": {day.isoformat(): _listed(each) for day, each in sorted(hours.days.items())},
    }
    digest = content_hash(content)
    calendar_id = _calendar(connection, actor.org_id, code, name)
    known = connection.execute(
        sa.select(_versions.c.id, _versions.c.number, _versions.c.content_hash).where(
            _versions.c.calendar_id == calendar_id
        )
    ).all()
    version_id = next((row.id for row in known if row.content_hash == digest), None)
    if version_id is None:
        version_id = connection.execute(
            sa.insert(_versions)
            .values(
                calendar_id=calendar_id,
                number=1 + max((row.number for row in known), default=0),
                content_hash=digest,
                published_at=at,
                published_by=actor.label,
                **content,
            )
            .returning(_versions.c.id)
        ).scalar_one()
        # A rolled back id may be given out again.
        _compiled.get(connection.engine, {}).pop(version_id, None)
    connection.execute(
        sa.update(_calendars)
        .where(_calendars.c.id == calendar_id)
        .values(current_version_id=version_id, name=name)
    )
    return int(version_id)


def _calendar(connection: Connection, org_id: int, code: str, name: LocalText) -> int:
    query = (
        sa.select(_calendars.c.id)
        .where(_calendars.c.org_id == org_id, _calendars.c.code == code)
        .with_for_update()
    )
    found = connection.execute(query).scalar()
    if found is None:
        connection.execute(sa.insert(_calendars).values(org_id=org_id, code=code, name=name))
        found = connection.execute(query).scalar_one()
    return int(found)


def _problems(hours: BusinessTime) -> tuple[FieldProblem, ...]:
    named = {**{str(day): each for day, each in hours.week.items()}}
    named |= {day.isoformat(): each for day, each in hours.days.items()}
    return tuple(
        FieldProblem(f"days.{day}", "calendar.bad_hours") for day, each in named.items() if not _is_day(each)
    )


def _is_day(hours: Hours) -> bool:
    edges = [minute for opening in hours for minute in opening]
    return edges == sorted(set(edges)) and all(0 <= minute <= DAY_MINUTES for minute in edges)


def _listed(hours: Hours) -> list[list[int]]:
    return [list(opening) for opening in hours]


def business_time(connection: Connection, org_id: int, code: str) -> BusinessTime:
    """The hours a calendar counts by now; raises CalendarNotFound."""
    query = sa.select(_calendars.c.current_version_id).where(
        _calendars.c.org_id == org_id, _calendars.c.code == code
    )
    version_id = connection.execute(query).scalar()
    if version_id is None:
        raise CalendarNotFound(code=code)
    known = _compiled.setdefault(connection.engine, {})
    hours = known.get(version_id)
    if hours is None:
        row = connection.execute(sa.select(_versions).where(_versions.c.id == version_id)).one()
        hours = known[version_id] = BusinessTime(
            row.tz,
            {int(day): _hours(each) for day, each in row.week.items()},
            {date.fromisoformat(day): _hours(each) for day, each in row.days.items()},
        )
    return hours


def _hours(listed: Any) -> Hours:
    return tuple((int(start), int(end)) for start, end in listed)


def calendars_of(connection: Connection, org_id: int) -> Mapping[str, CalendarView]:
    """The calendars of an organisation that can be counted on, by code."""
    query = (
        sa.select(_calendars.c.code, _calendars.c.name, _versions.c.tz)
        .join(_versions, _versions.c.id == _calendars.c.current_version_id)
        .where(_calendars.c.org_id == org_id)
        .order_by(_calendars.c.code)
    )
    return {row.code: CalendarView(row.code, row.name, row.tz) for row in connection.execute(query)}
