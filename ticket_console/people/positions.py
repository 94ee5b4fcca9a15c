"""Where technicians are: told by their own devices, with their consent, only while they are on duty.

A device that lost its connection tells what it kept; what it tells twice is kept once. Consent that is
withdrawn takes everything along that was kept.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel import signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import retried, table, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, Forbidden, InvalidInput
from ticket_console.people import hiring
from ticket_console.people.tables import LastPosition, PositionFix, PositionSharing, Technician

# Clocks of phones are not those of servers.
CLOCK_SKEW: Final = timedelta(minutes=2)
# What a device could not tell for longer than this is of no use to anybody any more.
OLDEST: Final = timedelta(hours=12)
KEEP: Final = timedelta(days=30)
LEAST_ACCURATE_M: Final = 20_000.0
DEVICE_LENGTH: Final = 64
# After such a pause a track does not pretend to know the way between.
PAUSE: Final = timedelta(minutes=15)
LONGEST_TRACK: Final = timedelta(days=1, hours=2)
MOST_FIXES: Final = 20_000

_sharing = table(PositionSharing)
_last = table(LastPosition)
_fixes = table(PositionFix)
_technicians = table(Technician)


class NoConsent(Conflict):
    """The technician did not, or did not yet, allow anybody to know where they are."""

    code = "position.no_consent"


class NotOnDuty(Conflict):
    """Where somebody is off duty is nobody's business."""

    code = "position.off_duty"


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a technician allows right now."""

    technician_id: int
    consented_at: datetime | None
    is_on_duty: bool


@dataclass(frozen=True, slots=True)
class Reported:
    """`is_new` is false for what the device had told before."""

    technician_id: int
    taken_at: datetime
    is_new: bool


@dataclass(frozen=True, slots=True)
class Position:
    technician_id: int
    lat: float
    lon: float
    accuracy_m: float
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Track:
    """The way of a technician in a span of time, in parts between which nothing is known."""

    technician_id: int
    name: str
    parts: tuple[tuple[Position, ...], ...]


def topic_of(org_id: int) -> str:
    """The signal that says whose position changed: {"technician_id"}."""
    return f"position.{org_id}."


def sharing_of(connection: Connection, actor: Actor) -> Sharing:
    """What the asking technician allows; Forbidden for who is none."""
    technician_id = _own(actor)
    row = connection.execute(_STANDING, {"technician_id": technician_id, "org_id": actor.org_id}).one()
    return Sharing(technician_id, row.consented_at, row.is_on_duty)


@retried
def set_consent(*, actor: Actor, at: datetime, command_id: str, is_given: bool) -> Sharing:
    """Give or withdraw the own consent; nobody does that for somebody else.

    What was kept of a technician's ways is removed with the consent.
    """
    technician_id = _own(actor)
    with transaction() as connection:
        before = _standing(connection, actor.org_id, technician_id)
        if (before.consented_at is not None) == is_given:
            return Sharing(technician_id, before.consented_at, before.is_on_duty)
        consented_at = at if is_given else None
        _put_sharing(connection, technician_id, consented_at=consented_at)
        if not is_given:
            connection.execute(sa.delete(_fixes).where(_fixes.c.technician_id == technician_id))
            _forget_last(connection, actor.org_id, technician_id)
        audit.record(
            connection,
            at=at,
            actor=actor,
            action="position.consent_given" if is_given else "position.consent_withdrawn",
            subject=f"technician:{technician_id}",
            payload={},
            command_id=command_id,
        )
    return Sharing(technician_id, consented_at, before.is_on_duty)


def duty_changed(
    connection: Connection, *, org_id: int, technician_id: int, is_on_duty: bool, at: datetime
) -> None:
    """To be called within the transaction that turns a duty on or off, before it does."""
    if not is_on_duty:
        _forget_last(connection, org_id, technician_id)
    elif not _standing(connection, org_id, technician_id).is_on_duty:
        _put_sharing(connection, technician_id, duty_since=at)


@retried
def report_position(
    *, actor: Actor, at: datetime, device: str, lat: float, lon: float, accuracy_m: float, taken_at: datetime
) -> Reported:
    """Take down where the actor's own device says it was.

    Raises NoConsent and NotOnDuty for moments before the one or outside the other, and InvalidInput
    for what cannot be. What a device tells again changes nothing.
    """
    technician_id = _own(actor)
    _refuse_impossible(at, device.strip(), lat, lon, accuracy_m, taken_at)
    position = Position(technician_id, lat, lon, accuracy_m, taken_at)
    with transaction() as connection:
        standing = _standing(connection, actor.org_id, technician_id)
        if standing.consented_at is None or taken_at < standing.consented_at:
            raise NoConsent()
        if not standing.is_on_duty or (standing.duty_since is not None and taken_at < standing.duty_since):
            raise NotOnDuty()
        columns = {"lat": lat, "lon": lon, "accuracy_m": accuracy_m, "taken_at": taken_at}
        kept = connection.execute(
            _KEEP[connection.dialect.name],
            {"technician_id": technician_id, "device": device.strip(), "received_at": at, **columns},
        )
        is_new = kept.first() is not None
        if is_new:
            connection.execute(_STAND[connection.dialect.name], {"technician_id": technician_id, **columns})
            _announce(connection, actor.org_id, technician_id)
    return Reported(technician_id, position.taken_at, is_new)


def last_positions(connection: Connection, technician_ids: Collection[int]) -> Mapping[int, Position]:
    """Where each of these was last; who is off duty or does not consent is not among them."""
    if not technician_ids:
        return {}
    rows = connection.execute(
        sa.select(*_POSITION.values())
        .select_from(_last.join(_sharing, _sharing.c.technician_id == _last.c.technician_id))
        .join(_technicians, _technicians.c.id == _last.c.technician_id)
        .where(
            _last.c.technician_id.in_(sorted(technician_ids)),
            _sharing.c.consented_at.is_not(None),
            _technicians.c.is_on_duty,
        )
    )
    return {row.technician_id: Position(*row) for row in rows}


def track(
    connection: Connection, viewer: Actor, technician_id: int, *, since: datetime, until: datetime
) -> Track:
    """The way somebody went in [since, until): the own, or as one who may see positions in their region.

    Raises TechnicianNotFound, Forbidden, and InvalidInput for spans longer than a day.
    """
    region_id = hiring.region_of(connection, viewer.org_id, technician_id)
    if viewer.technician_id != technician_id:
        policy.require(viewer, "position.view", region_id=region_id)
    if not since < until <= since + LONGEST_TRACK:
        raise InvalidInput((FieldProblem("until", "position.span_too_long"),))
    name = connection.execute(
        sa.select(_technicians.c.name).where(_technicians.c.id == technician_id)
    ).scalar_one()
    rows = connection.execute(
        sa.select(_fixes.c.technician_id, _fixes.c.lat, _fixes.c.lon, _fixes.c.accuracy_m, _fixes.c.taken_at)
        .where(
            _fixes.c.technician_id == technician_id,
            _fixes.c.taken_at >= since,
            _fixes.c.taken_at < until,
        )
        .order_by(_fixes.c.taken_at, _fixes.c.device)
        .limit(MOST_FIXES)
    )
    return Track(technician_id, str(name), parts_of([Position(*row) for row in rows]))


def parts_of(positions: Collection[Position]) -> tuple[tuple[Position, ...], ...]:
    """The positions, in the order of time, cut where nothing was told for long."""
    parts: list[list[Position]] = []
    for position in positions:
        if not parts or position.taken_at - parts[-1][-1].taken_at > PAUSE:
            parts.append([])
        parts[-1].append(position)
    return tuple(map(tuple, parts))


def purge(connection: Connection, *, before: datetime) -> int:
    """Remove what was taken before a moment; how many points that were."""
    gone = connection.execute(sa.delete(_fixes).where(_fixes.c.taken_at < before)).rowcount
    connection.execute(sa.delete(_last).where(_last.c.taken_at < before))
    return int(gone)


_POSITION: Final = {name: _last.c[name] for name in ("technician_id", "lat", "lon", "accuracy_m", "taken_at")}
_STANDING: Final = (
    sa.select(_technicians.c.is_on_duty, _sharing.c.consented_at, _sharing.c.duty_since)
    .select_from(_technicians.outerjoin(_sharing, _sharing.c.technician_id == _technicians.c.id))
    .where(
        _technicians.c.id == sa.bindparam("technician_id"), _technicians.c.org_id == sa.bindparam("org_id")
    )
)


def _standing_newest(insert: Any) -> Any:
    """What a device tells late must not set the technician back."""
    return insert.on_conflict_do_update(
        index_elements=["technician_id"],
        set_={name: insert.excluded[name] for name in ("lat", "lon", "accuracy_m", "taken_at")},
        where=_last.c.taken_at < insert.excluded.taken_at,
    )


_KEEP: Final = {
    "sqlite": sqlite.insert(_fixes).on_conflict_do_nothing().returning(_fixes.c.technician_id),
    "postgresql": postgresql.insert(_fixes).on_conflict_do_nothing().returning(_fixes.c.technician_id),
}
_STAND: Final = {
    "sqlite": _standing_newest(sqlite.insert(_last)),
    "postgresql": _standing_newest(postgresql.insert(_last)),
}
_INSERT: Final[Mapping[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def _own(actor: Actor) -> int:
    policy.require(actor, "ticket.act")
    if actor.technician_id is None:
        raise Forbidden(permission="ticket.act")
    return actor.technician_id


def _standing(connection: Connection, org_id: int, technician_id: int) -> Any:
    """Consent and duty, which nobody else changes until the end of the transaction."""
    held = _STANDING.with_for_update(key_share=True, of=_technicians)
    return connection.execute(held, {"technician_id": technician_id, "org_id": org_id}).one()


def _put_sharing(connection: Connection, technician_id: int, **columns: datetime | None) -> None:
    insert = _INSERT[connection.dialect.name](_sharing).values(technician_id=technician_id, **columns)
    connection.execute(insert.on_conflict_do_update(index_elements=["technician_id"], set_=columns))


def _forget_last(connection: Connection, org_id: int, technician_id: int) -> None:
    if connection.execute(sa.delete(_last).where(_last.c.technician_id == technician_id)).rowcount:
        _announce(connection, org_id, technician_id)


def _announce(connection: Connection, org_id: int, technician_id: int) -> None:
    signals.announce(connection, topic_of(org_id) + str(technician_id), {"technician_id": technician_id})


def _refuse_impossible(
    at: datetime, device: str, lat: float, lon: float, accuracy_m: float, taken_at: datetime
) -> None:
    problems = []
    if not device:
        problems.append(FieldProblem("device", "field.required"))
    if len(device) > DEVICE_LENGTH:
        problems.append(FieldProblem("device", "field.too_long", {"limit": DEVICE_LENGTH}))
    for name, value, low, high in (
        ("lat", lat, -90.0, 90.0),
        ("lon", lon, -180.0, 180.0),
        ("accuracy_m", accuracy_m, 0.0, LEAST_ACCURATE_M),
    ):
        if not isfinite(value) or not low <= value <= high:
            problems.append(FieldProblem(name, "field.out_of_range", {"min": low, "max": high}))
    if taken_at.tzinfo is None:
        problems.append(FieldProblem("taken_at", "position.no_zone"))
    elif taken_at > at + CLOCK_SKEW:
        problems.append(
            FieldProblem("taken_at", "position.from_the_future", {"taken_at": instant_text(taken_at)})
        )
    elif taken_at < at - OLDEST:
        problems.append(FieldProblem("taken_at", "position.too_old", {"hours": OLDEST // timedelta(hours=1)}))
    if problems:
        raise InvalidInput(tuple(problems))
