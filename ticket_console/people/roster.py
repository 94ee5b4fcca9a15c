"""Everybody who may be sent to work, with what makes them eligible, kept in memory while nothing changes."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ticket_console.access import places
from ticket_console.kernel.database import table
from ticket_console.people.candidate import Agreed, Candidate, Held, Span
from ticket_console.people.tables import (
    Absence,
    BrandCertificate,
    Certificate,
    Shift,
    Skill,
    Technician,
    TechnicianTerritory,
    Vendor,
)

Stamp = tuple[tuple[int, int], ...]

# Shifts and absences are held for these days around the moment asked for, not for all time.
_DAYS_BEFORE: Final = timedelta(days=1)
_DAYS_AFTER: Final = timedelta(days=3)

_technicians = table(Technician)
_shifts = table(Shift)
_absences = table(Absence)
_certificates = table(Certificate)
_skills = table(Skill)
_brands = table(BrandCertificate)
_vendors = table(Vendor)
_territories = table(TechnicianTerritory)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Roster:
    """The candidates of one organisation, in the order of their ids, for the instants [since, until)."""

    stamp: Stamp
    since: datetime
    until: datetime
    candidates: tuple[Candidate, ...]
    by_id: Mapping[int, Candidate]
    zone: ZoneInfo
    zones: Mapping[int, ZoneInfo]
    turns: tuple[datetime, ...]

    def local_day(self, at: datetime, region_id: int | None) -> date:
        """The calendar day of an instant where the work is, or at the organisation's seat."""
        zone = self.zone if region_id is None else self.zones.get(region_id, self.zone)
        return at.astimezone(zone).date()

    def turn(self, at: datetime) -> int:
        """Two instants with the same number have the same people on shift and absent."""
        return bisect_right(self.turns, at)

    def only(self, candidate: Candidate) -> "Roster":
        """A roster of one of these people, for the same time."""
        return replace(self, candidates=(candidate,), by_id={candidate.technician_id: candidate})

    def turn_before(self, at: datetime) -> int:
        """As `turn`, for what lasts up to an instant: a shift that ends then is long enough."""
        return bisect_left(self.turns, at)


# Every command that changes the roster raises `technician.version`, so the versions of all
# technicians are the stamp of the whole. Dispatch joins its loads to this and reads both at once.
STANDING: Final = (
    sa.select(_technicians.c.id, _technicians.c.version)
    .where(_technicians.c.org_id == sa.bindparam("org_id"))
    .subquery("standing")
)
_STAMP: Final = sa.select(STANDING.c.id, STANDING.c.version).order_by(STANDING.c.id)

_held: WeakKeyDictionary[Engine, dict[int, Roster]] = WeakKeyDictionary()


def current(connection: Connection, org_id: int, *, at: datetime) -> Roster:
    """The roster as this transaction sees it."""
    stamp = tuple((row[0], row[1]) for row in connection.execute(_STAMP, {"org_id": org_id}))
    return matching(connection, org_id, at=at, stamp=stamp)


def matching(connection: Connection, org_id: int, *, at: datetime, stamp: Stamp) -> Roster:
    """The roster that belongs to a stamp just read (ids and versions in the order of the ids)."""
    held = _held.setdefault(connection.engine, {})
    roster = held.get(org_id)
    if roster is None or roster.stamp != stamp or not roster.since <= at < roster.until:
        roster = held[org_id] = _load(connection, org_id, at=at, stamp=stamp)
    return roster


def forget() -> None:
    """Drop everything held: regions were re-hung or their zones changed, which no stamp shows."""
    _held.clear()


_PEOPLE: Final = (
    sa.select(
        _technicians,
        sa.exists().where(_shifts.c.technician_id == _technicians.c.id).label("has_shifts"),
    )
    .where(_technicians.c.org_id == sa.bindparam("org_id"))
    .order_by(_technicians.c.id)
)
_CERTIFICATES: Final = (
    sa.select(
        _certificates.c.technician_id,
        _skills.c.code,
        _certificates.c.level,
        _certificates.c.valid_from,
        _certificates.c.valid_until,
    )
    .join(_skills, _skills.c.id == _certificates.c.skill_id)
    .where(_skills.c.org_id == sa.bindparam("org_id"))
    .order_by(_certificates.c.id)
)
_MAKES: Final = (
    sa.select(
        _brands.c.technician_id, _brands.c.brand, _brands.c.level, _brands.c.valid_from, _brands.c.valid_until
    )
    .join(_technicians, _technicians.c.id == _brands.c.technician_id)
    .where(_technicians.c.org_id == sa.bindparam("org_id"))
    .order_by(_brands.c.id)
)
_AGREED: Final = sa.select(
    _vendors.c.id,
    _vendors.c.agreed_from,
    _vendors.c.agreed_until,
    _vendors.c.ticket_classes,
    _vendors.c.is_active,
    _vendors.c.is_standby,
).where(_vendors.c.org_id == sa.bindparam("org_id"))
_AREAS: Final = (
    sa.select(_territories.c.technician_id, _territories.c.territory_id)
    .join(_technicians, _technicians.c.id == _territories.c.technician_id)
    .where(_technicians.c.org_id == sa.bindparam("org_id"))
)


def _spans_of(presences: sa.Table) -> sa.Select[Any]:
    return (
        sa.select(presences.c.technician_id, presences.c.starts_at, presences.c.ends_at)
        .join(_technicians, _technicians.c.id == presences.c.technician_id)
        .where(
            _technicians.c.org_id == sa.bindparam("org_id"),
            presences.c.ends_at > sa.bindparam("since"),
            presences.c.starts_at < sa.bindparam("until"),
        )
        .order_by(presences.c.technician_id, presences.c.starts_at)
    )


_SHIFTS: Final = _spans_of(_shifts)
_ABSENCES: Final = _spans_of(_absences)


def _load(connection: Connection, org_id: int, *, at: datetime, stamp: Stamp) -> Roster:
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    since, until = midnight - _DAYS_BEFORE, midnight + _DAYS_AFTER
    whose = {"org_id": org_id}
    window = {**whose, "since": since, "until": until}
    shifts = _by_technician(connection.execute(_SHIFTS, window))
    absences = _by_technician(connection.execute(_ABSENCES, window))
    certificates = _held_by(connection.execute(_CERTIFICATES, whose))
    makes = _held_by(connection.execute(_MAKES, whose))
    agreed = {
        row.id: Agreed(
            since=row.agreed_from,
            until=row.agreed_until,
            ticket_classes=None if row.ticket_classes is None else frozenset(row.ticket_classes),
            is_active=row.is_active,
            is_standby=row.is_standby,
        )
        for row in connection.execute(_AGREED, whose)
    }
    areas: dict[int, set[int]] = defaultdict(set)
    for technician_id, territory_id in connection.execute(_AREAS, whose):
        areas[technician_id].add(territory_id)
    zones, below = _regions_of(connection, org_id)
    candidates = tuple(
        Candidate(
            technician_id=row.id,
            name=row.name,
            region_id=row.region_id,
            region_ids=below.get(row.region_id, frozenset((row.region_id,))),
            territory_ids=frozenset(areas.get(row.id, ())),
            lat=row.lat,
            lon=row.lon,
            level=row.level,
            capacity=row.capacity,
            is_on_duty=row.is_on_duty,
            is_active=row.is_active,
            certificates=certificates.get(row.id, {}),
            shifts=shifts.get(row.id, ()) if row.has_shifts else None,
            absences=absences.get(row.id, ()),
            crew_id=row.crew_id,
            vendor_id=row.vendor_id,
            post=row.post,
            agreed=agreed.get(row.vendor_id),
            brands=makes.get(row.id, {}),
        )
        for row in connection.execute(_PEOPLE, whose)
    )
    edges = {
        edge
        for spans in (*shifts.values(), *absences.values())
        for span in spans
        for edge in (span.starts_at, span.ends_at)
    }
    return Roster(
        stamp=stamp,
        since=since,
        until=until,
        candidates=candidates,
        by_id={candidate.technician_id: candidate for candidate in candidates},
        zone=ZoneInfo(places.org(connection, org_id).tz),
        zones=zones,
        turns=tuple(sorted(edges)),
    )


def _held_by(rows: Iterable[Any]) -> dict[int, dict[str, tuple[Held, ...]]]:
    """Certificates by technician and by what they are for."""
    found: dict[int, dict[str, tuple[Held, ...]]] = defaultdict(dict)
    for technician_id, what, level, valid_from, valid_until in rows:
        earlier = found[technician_id].get(what, ())
        found[technician_id][what] = (*earlier, Held(level, valid_from, valid_until))
    return found


def _by_technician(rows: Iterable[Any]) -> dict[int, tuple[Span, ...]]:
    spans: dict[int, list[Span]] = defaultdict(list)
    for technician_id, starts_at, ends_at in rows:
        spans[technician_id].append(Span(starts_at, ends_at))
    return {technician_id: tuple(listed) for technician_id, listed in spans.items()}


def _regions_of(connection: Connection, org_id: int) -> tuple[dict[int, ZoneInfo], dict[int, frozenset[int]]]:
    """The zone of each region, and each region with all below it."""
    regions = places.regions(connection, org_id)
    parents = {region.id: region.parent_id for region in regions}
    below: dict[int, set[int]] = defaultdict(set)
    for region in regions:
        above: int | None = region.id
        # A region met twice closes a ring, which would otherwise have no end.
        while above is not None and region.id not in below[above]:
            below[above].add(region.id)
            above = parents.get(above)
    zones = {region.id: ZoneInfo(region.tz) for region in regions}
    return zones, {region_id: frozenset(ids) for region_id, ids in below.items()}
