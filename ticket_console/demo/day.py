"""The day the demo is looked at: shifts, visits, positions, limits, a view everybody shares, a partner.

The day is always in its middle when the company is founded, whatever the hour, so that there is something to
see. In the first city nobody has shifts: who works by the duty switch alone is a way of working too.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from ticket_console.access import places
from ticket_console.demo.cast import Cast
from ticket_console.demo.places import CITIES
from ticket_console.demo.ruling import REPAIRS
from ticket_console.desk import limiting, plan, scheduling
from ticket_console.desk.scheduling import VisitRefused
from ticket_console.dispatch import rulebook
from ticket_console.kernel.actor import Role
from ticket_console.kernel.database import reading, transaction
from ticket_console.people import hiring, papers, planning, positions, roster
from ticket_console.people.candidate import Candidate, Span
from ticket_console.people.shift_times import instant
from ticket_console.tickets import board_views, limits
from ticket_console.tickets.tables import LimitScope

HOUR: Final = timedelta(hours=1)
# Early, usual and late: from how long before until how long after the moment of founding today, and on other
# days by the clock of the city.
_TODAY: Final = ((-6, 4), (-4, 6), (-3, 7), (-2, 8), (-1, 9))
_HOURS: Final = (
    (time(7), time(16)),
    (time(8), time(17)),
    (time(9), time(18)),
    (time(10), time(19)),
    (time(13), time(22)),
)
_DAYS: Final = 6
_VISIT: Final = timedelta(minutes=60)
_FIRST_VISIT: Final = timedelta(minutes=45)
_QUARTER: Final = timedelta(minutes=15)
_FIXES: Final = 8
_FIX_EVERY: Final = timedelta(minutes=5)
# Limits that leave room: a fresh company warns of nothing yet.
_ROOM: Final = 20
_LIMITED: Final = ("dispatch", "onsite")
_VIEW: Final = "VIP 工单"
_VIEW_QUERY: Final = "vip=1&by=stage"
_OFFERING: Final = "CD"
_OFFER: Final[dict[str, Any]] = {
    **REPAIRS,
    "mode": "offer",
    "offer": {"size": 3, "seconds": 600, "rounds": 2},
}
_PARTNER: Final = {"zh": "蓉城快修", "en": "Rongcheng Repairs"}


def furnish(cast: Cast, *, at: datetime) -> None:
    """To be called last: everything is done by the commands that people use, and changes no ticket's step."""
    with reading() as connection:
        people = roster.current(connection, cast.org_id, at=at).candidates
        regions = {each.code: each for each in places.regions(connection, cast.org_id)}
    crews = {
        city.code: [each for each in people if each.region_id == regions[city.code].id] for city in CITIES
    }
    for city in CITIES:
        if city is not CITIES[0]:
            _roster(cast, crews[city.code], ZoneInfo(regions[city.code].tz), at)
            _track(cast, crews[city.code], at)
        _visits(
            cast,
            regions[city.code].id,
            crews[city.code],
            ZoneInfo(regions[city.code].tz),
            at,
            # Where everybody is at hand, they are for some hours: whatever comes in finds somebody at once.
            after=4 * HOUR if city is CITIES[0] else _FIRST_VISIT,
            keeping=1 if city is CITIES[0] else 0,
        )
    _limit(cast, at)
    board_views.save_view(
        actor=cast.office[Role.MANAGER], at=at, view_id=0, name=_VIEW, is_shared=True, query=_VIEW_QUERY
    )
    _offer(cast, regions[_OFFERING].id, at)
    _engage(cast, at)


def _roster(cast: Cast, crew: Iterable[Candidate], zone: ZoneInfo, at: datetime) -> None:
    hour = at.replace(minute=0, second=0, microsecond=0)
    today = at.astimezone(zone).date()
    with transaction() as connection:
        for number, person in enumerate(crew):
            since, until = _TODAY[number % len(_TODAY)]
            shifts = [Span(hour + since * HOUR, hour + until * HOUR)]
            begins, ends = _HOURS[number % len(_HOURS)]
            for days in (*range(-_DAYS, 0), *range(1, _DAYS + 1)):
                day = today + timedelta(days=days)
                span = Span(instant(day, begins, zone), instant(day, ends, zone))
                # Everybody has a day of the week to themselves, and nobody two shifts at once.
                if day.weekday() != (number + 5) % 7 and not (
                    span.starts_at < shifts[0].ends_at and shifts[0].starts_at < span.ends_at
                ):
                    shifts.append(span)
            planning.plan_shifts(
                connection,
                actor=cast.office[Role.MANAGER],
                at=at,
                command_id=f"demo:shifts:{person.technician_id}",
                technician_id=person.technician_id,
                shifts=shifts,
            )


def _track(cast: Cast, crew: Iterable[Candidate], at: datetime) -> None:
    """Half an hour's way of those who let themselves be seen; every third does not."""
    began = at - _FIXES * _FIX_EVERY
    for number, person in enumerate(crew):
        actor = cast.technicians.get(person.technician_id)
        if actor is None or not person.is_on_duty or number % 3 == 2:
            continue
        positions.set_consent(
            actor=actor, at=began, command_id=f"demo:consent:{person.technician_id}", is_given=True
        )
        for fix in range(_FIXES):
            north, east = (_FIXES - 1 - fix) * 0.0021 * (1 - number % 2 * 2), (_FIXES - 1 - fix) * 0.0017
            positions.report_position(
                actor=actor,
                at=at,
                device="demo",
                lat=person.lat + north,
                lon=person.lon + east,
                accuracy_m=12.0,
                taken_at=began + (fix + 1) * _FIX_EVERY,
            )


def _visits(
    cast: Cast,
    region_id: int,
    crew: Iterable[Candidate],
    zone: ZoneInfo,
    at: datetime,
    *,
    after: timedelta,
    keeping: int,
) -> None:
    """The next visit of whoever has work, while it is still today; the rest is left to be planned.

    Everybody keeps so many tasks without a time.
    """
    manager = cast.office[Role.MANAGER]
    with reading() as connection:
        jobs = plan.unplanned(connection, viewer=manager, region_id=region_id)
    held: dict[str, list[plan.Job]] = {}
    for job in jobs:
        if job.holder is not None:
            held.setdefault(job.holder, []).append(job)
    for number, person in enumerate(crew):
        starts_at = _quarter(at + after + number % 3 * _QUARTER * 2)
        ends_at = starts_at + _VISIT
        mine = held.get(person.name, [])
        if len(mine) <= keeping or ends_at.astimezone(zone).date() != at.astimezone(zone).date():
            continue
        # Whoever is on leave or has no hour left goes without: a dispatcher would wait for another day too.
        with suppress(VisitRefused):
            scheduling.schedule(
                actor=manager,
                at=at,
                command_id=f"demo:visit:{mine[0].ticket_id}",
                ticket_id=mine[0].ticket_id,
                expected_version=mine[0].version,
                technician_id=person.technician_id,
                starts_at=starts_at,
                ends_at=ends_at,
            )


def _quarter(at: datetime) -> datetime:
    """The next quarter of an hour."""
    return at + (-(at - datetime.min.replace(tzinfo=at.tzinfo)) % _QUARTER)


def _limit(cast: Cast, at: datetime) -> None:
    with reading() as connection:
        standing: Mapping[str, int] = limits.standing_by_stage(connection, cast.org_id)
    for stage in _LIMITED:
        limiting.set_limit(
            actor=cast.office[Role.MANAGER],
            at=at,
            command_id=f"demo:limit:{stage}",
            scope=LimitScope.STAGE,
            key=stage,
            soft=standing.get(stage, 0) + _ROOM,
            hard=None,
        )


def _offer(cast: Cast, region_id: int, at: datetime) -> None:
    """In one region work is offered to several, and the first to accept has it."""
    manager = cast.office[Role.MANAGER]
    policy_id = rulebook.create(
        actor=manager,
        at=at,
        command_id="demo:offers",
        name={"zh": "成都抢单", "en": "Offers in Chengdu"},
        ticket_class="repair",
        region_id=region_id,
    )
    draft = rulebook.save_draft(actor=manager, policy_id=policy_id, version=1, terms=_OFFER)
    rulebook.publish(
        actor=manager,
        at=at,
        command_id="demo:offers:1",
        policy_id=policy_id,
        version=draft.version,
        note="同时问三人，先接先得。",
    )


def _engage(cast: Cast, at: datetime) -> None:
    """A partner in standby: a surge of work opens it."""
    manager = cast.office[Role.MANAGER]
    with transaction() as connection:
        vendor_id = hiring.engage_vendor(
            connection, actor=manager, at=at, command_id="demo:partner", code="rongcheng", name=_PARTNER
        )
        papers.agree(
            connection,
            actor=manager,
            at=at,
            command_id="demo:partner:agreed",
            vendor_id=vendor_id,
            agreed_from=at.date() - timedelta(days=90),
            agreed_until=at.date() + timedelta(days=275),
            ticket_classes=["repair", "install"],
            is_standby=True,
        )
