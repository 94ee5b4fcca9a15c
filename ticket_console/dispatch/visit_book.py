"""The rows of visits: each statement that reads, writes, moves or ends one."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.dispatch.tables import Visit
from ticket_console.dispatch.visits import Place, Planned, Travel
from ticket_console.kernel import ids
from ticket_console.kernel.database import table
from ticket_console.kernel.settings import settings
from ticket_console.tickets.tables import Ticket

_visits = table(Visit)
_tickets = table(Ticket)

_PLANNED: Final = sa.select(
    _visits.c.id,
    _visits.c.ticket_id,
    _visits.c.token_id,
    _visits.c.technician_id,
    _visits.c.starts_at,
    _visits.c.ends_at,
    _visits.c.travel_seconds,
    _visits.c.version,
    _tickets.c.lat,
    _tickets.c.lon,
).join(_tickets, _tickets.c.id == _visits.c.ticket_id)
_OF_PEOPLE: Final = _PLANNED.where(
    _visits.c.technician_id.in_(sa.bindparam("people", expanding=True)),
    _visits.c.starts_at < sa.bindparam("until"),
    _visits.c.ends_at > sa.bindparam("since"),
).order_by(_visits.c.technician_id, _visits.c.starts_at)
_OF_ORG: Final = _PLANNED.where(
    _visits.c.org_id == sa.bindparam("org_id"),
    _visits.c.starts_at >= sa.bindparam("earliest"),
    _visits.c.starts_at < sa.bindparam("until"),
    _visits.c.ends_at > sa.bindparam("since"),
).order_by(_visits.c.technician_id, _visits.c.starts_at)
_OF_TOKEN: Final = _PLANNED.where(_visits.c.token_id == sa.bindparam("token"))
_INSERT: Final = sa.insert(_visits)
_TOKENS: Final = _visits.c.token_id.in_(sa.bindparam("tokens", expanding=True))
_DELETE: Final = sa.delete(_visits).where(_TOKENS)
_DELETE_COMING: Final = _DELETE.where(_visits.c.starts_at >= sa.bindparam("end_at"))
_CUT: Final = (
    sa.update(_visits)
    .where(_TOKENS, _visits.c.starts_at < sa.bindparam("end_at"), _visits.c.ends_at > sa.bindparam("end_at"))
    .values(ends_at=sa.bindparam("end_at"), version=_visits.c.version + 1)
)
_CARRY: Final = (
    sa.update(_visits)
    .where(
        _visits.c.token_id == sa.bindparam("from_token"),
        _visits.c.technician_id == sa.bindparam("technician"),
    )
    .values(token_id=sa.bindparam("to_token"))
)
# A visit is part of one shift; nobody plans one of more than a day.
LONGEST: Final = timedelta(hours=24)


def travel() -> Travel:
    """How ways are reckoned in this installation."""
    given = settings()
    return Travel(detour=given.travel_detour_percent / 100, speed_kmh=given.travel_speed_kmh)


def visits_of(
    connection: Connection, technician_ids: Iterable[int], since: datetime, until: datetime
) -> dict[int, tuple[Planned, ...]]:
    """Everybody's visits that touch [since, until), in their order; who has none is not mentioned."""
    people = sorted(set(technician_ids))
    if not people:
        return {}
    found: dict[int, list[Planned]] = defaultdict(list)
    window = {"people": people, "since": since, "until": until}
    for row in connection.execute(_OF_PEOPLE, window):
        found[row.technician_id].append(_planned(row))
    return {technician_id: tuple(visits) for technician_id, visits in found.items()}


def of_org(
    connection: Connection, org_id: int, since: datetime, until: datetime
) -> dict[int, tuple[Planned, ...]]:
    """The visits of a whole organisation that touch [since, until), by technician, in their order."""
    found: dict[int, list[Planned]] = defaultdict(list)
    window = {"org_id": org_id, "earliest": since - LONGEST, "since": since, "until": until}
    for row in connection.execute(_OF_ORG, window):
        found[row.technician_id].append(_planned(row))
    return {technician_id: tuple(visits) for technician_id, visits in found.items()}


def around(connection: Connection, technician_id: int, starts_at: datetime) -> tuple[Planned, ...]:
    """One person's visits near an instant: all that a visit of that time can clash with."""
    found = visits_of(connection, (technician_id,), starts_at - 2 * LONGEST, starts_at + 3 * LONGEST)
    return found.get(technician_id, ())


def visit_of_token(connection: Connection, token_id: int) -> Planned | None:
    row = connection.execute(_OF_TOKEN, {"token": token_id}).first()
    return None if row is None else _planned(row)


def write(
    connection: Connection,
    *,
    org_id: int,
    ticket_id: int,
    token_id: int,
    technician_id: int,
    starts_at: datetime,
    ends_at: datetime,
    travel_seconds: int,
    by: str,
) -> int:
    visit_id = ids.take("row")
    row = {
        "id": visit_id,
        "org_id": org_id,
        "ticket_id": ticket_id,
        "token_id": token_id,
        "technician_id": technician_id,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "travel_seconds": travel_seconds,
        "by": by,
        "version": 1,
    }
    connection.execute(_INSERT, row)
    return visit_id


def change(connection: Connection, visit_id: int, **columns: object) -> None:
    connection.execute(
        sa.update(_visits).where(_visits.c.id == visit_id).values(version=_visits.c.version + 1, **columns)
    )


def drop(connection: Connection, token_ids: Collection[int]) -> None:
    """Take the visits of these tokens off the plan."""
    connection.execute(_DELETE, {"tokens": sorted(token_ids)})


def end(connection: Connection, token_ids: Collection[int], *, is_done: bool, at: datetime) -> None:
    """The tasks of these tokens are over: what was done took until now, others are off the plan."""
    if not is_done:
        drop(connection, token_ids)
        return
    over = {"tokens": sorted(token_ids), "end_at": at}
    connection.execute(_DELETE_COMING, over)
    connection.execute(_CUT, over)


def carry(connection: Connection, from_token_id: int, to_token_id: int, *, technician_id: int) -> None:
    """The same person goes on with the next step within the same visit.

    To be called before the assignment on the first token ends, which would end the visit as well.
    """
    tokens = {"from_token": from_token_id, "to_token": to_token_id, "technician": technician_id}
    connection.execute(_CARRY, tokens)


def _planned(row: Any) -> Planned:
    entries = dict(row._asdict())
    lat, lon = entries.pop("lat"), entries.pop("lon")
    return Planned(**entries, place=None if lat is None or lon is None else Place(lat, lon))
