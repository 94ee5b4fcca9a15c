"""The plan of a region's people by hours: who is where when, and giving tasks a time."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from ticket_console.access import places, policy
from ticket_console.desk import plan, rostering, scheduling
from ticket_console.desk.plan import Foretold, Heat, Plan, Window
from ticket_console.desk.scheduling import OVERRIDE, VisitRefused
from ticket_console.dispatch.visit_rules import FIRM, Barred, Objection
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.kernel.signals import Listening
from ticket_console.people import reads as people
from ticket_console.people import rosters
from ticket_console.people.shift_times import week_of
from ticket_console.state.feedback import done, unexpected
from ticket_console.state.session import Reply, SessionState, handler

# How long an open plan stays for somebody who lost a right meanwhile, and how often it is read at most.
_LOOK_SECONDS: Final = 15.0
_GATHER_SECONDS: Final = 0.3
_SEARCH_LENGTH: Final = 60

Plain = dict[str, Any]
Skills = Mapping[str, Mapping[str, str]]


class TimelineState(SessionState):
    status: str = "loading"
    choices: list[Plain] = []
    plan: Plain = {}
    jobs: list[Plain] = []
    truth: Plain = {}
    verdict: Plain = {}
    heat: Plain = {}
    job_search: str = ""

    @handler(permission="ticket.assign")
    async def load(self) -> Reply:
        self.truth, self.verdict = {}, {}
        self._put(await off_loop(_read, viewer=self._actor(), **self._asked()))
        return None

    @handler(permission="ticket.assign", background=True)
    async def watch(self) -> Reply:
        """Keep the plan true while it is open here, whoever changes tickets, visits or rosters."""
        asked = self._asked()
        shown: Plain = {}
        subscription = feed.subscribe()
        told = Listening(rostering.topic_of(self._actor().org_id))
        changed = asyncio.Event()

        async def hear_rosters() -> None:
            async for _ in told:
                changed.set()

        async def hear_tickets() -> None:
            while True:
                await subscription.changes(gather_seconds=_GATHER_SECONDS)
                changed.set()

        hearing = [asyncio.create_task(hear_rosters()), asyncio.create_task(hear_tickets())]
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), _LOOK_SECONDS)
                changed.clear()
                viewer = await self._resolve()
                async with self:
                    asked |= {"job_search": self.job_search, "at": self._now()}
                found = await off_loop(_read, viewer=viewer, **asked)
                if found != shown:
                    shown = found
                    async with self:
                        self._put(found)
        finally:
            for each in hearing:
                each.cancel()
            told.close()
            feed.unsubscribe(subscription)

    @handler(permission="ticket.assign")
    async def hold(self, ticket_id: int, minutes: int) -> Reply:
        """A task is held over the plan: tell for each person shown where it may not be put, and why."""
        self.truth = await off_loop(
            _truth,
            viewer=self._actor(),
            ticket_id=ticket_id,
            minutes=minutes if 0 < minutes <= 24 * 60 else None,
            people=[int(each["id"]) for each in self.plan.get("people", ())],
            at=self._now(),
            **self._window(),
        )
        return None

    @handler(permission="ticket.assign")
    async def let_go(self) -> Reply:
        self.truth = {}
        return None

    @handler(permission="ticket.assign")
    async def put(
        self,
        command_id: str,
        ticket_id: int,
        version: int,
        technician_id: int,
        start: str,
        minutes: int,
        reason: str,
        override: bool,
    ) -> Reply:
        """Plan a task for somebody at a time of the region's clock; the browser shows it there already."""
        try:
            zone = ZoneInfo(str(self.plan.get("zone", "UTC")))
            starts_at = _instant(start, zone)
            moved = await in_writer(
                scheduling.schedule,
                actor=self._actor(),
                at=self._now(),
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=version,
                technician_id=technician_id,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=max(0, min(minutes, 10_000))),
                reason=reason,
                override=override,
            )
        except ConsoleError as error:
            self.verdict = await off_loop(_refused, error=error, command_id=command_id, viewer=self._actor())
            return None
        except Exception as fault:
            # The browser waits for an answer with the task in the air, whatever went wrong.
            self.verdict = {"command_id": command_id, "ok": False, "code": "", "params": {}, "against": []}
            return unexpected(fault)
        self.truth = {}
        self.verdict = {"command_id": command_id, "ok": True, "version": moved.version}
        self._put(await off_loop(_read, viewer=self._actor(), **self._asked()))
        return done("plan.scheduled", no=moved.no, who=moved.assignee_name or _name(self.plan, technician_id))

    @handler(permission="ticket.assign")
    async def take_off(self, command_id: str, ticket_id: int, version: int, reason: str) -> Reply:
        left = await in_writer(
            scheduling.unschedule,
            actor=self._actor(),
            at=self._now(),
            command_id=command_id,
            ticket_id=ticket_id,
            expected_version=version,
            reason=reason,
        )
        self._put(await off_loop(_read, viewer=self._actor(), **self._asked()))
        return done("plan.taken_off", no=left.no)

    @handler(permission="ticket.assign")
    async def search_jobs(self, text: str) -> Reply:
        self.job_search = text[:_SEARCH_LENGTH]
        self._put(await off_loop(_read, viewer=self._actor(), **self._asked()))
        return None

    @handler(permission="ticket.assign")
    async def look_at_heat(self) -> Reply:
        self.heat = await off_loop(_heat, viewer=self._actor(), at=self._now(), **self._window())
        return None

    @handler(permission="ticket.assign")
    async def hide_heat(self) -> Reply:
        self.heat = {}
        return None

    def _window(self) -> Plain:
        asked = self.router.url.query_parameters
        return {
            "region_id": whole(asked.get("region", "")),
            "day": asked.get("day", "")[:10],
            "days": plan.MOST_DAYS if asked.get("view") == "week" else 1,
        }

    def _asked(self) -> Plain:
        asked = self.router.url.query_parameters
        return {
            **self._window(),
            "search": asked.get("q", "")[:_SEARCH_LENGTH],
            "page": whole(asked.get("page", "")) or 1,
            "job_search": self.job_search,
            "at": self._now(),
        }

    def _put(self, found: Plain) -> None:
        for part, value in found.items():
            setattr(self, part, value)
        self.status = "ready"


def _read(
    *,
    viewer: Actor,
    region_id: int | None,
    day: str,
    days: int,
    search: str,
    page: int,
    job_search: str,
    at: datetime,
) -> Plain:
    with reading() as connection:
        regions = plan.regions_for(connection, viewer, plan.PERMISSION)
        choices = [{"value": str(each.id), "label": each.name} for each in regions]
        chosen = window_in(regions, viewer, region_id, day, days, at, connection)
        if chosen is None:
            return {"choices": choices, "plan": {}, "jobs": []}
        found = plan.read_plan(connection, viewer=viewer, window=chosen, search=search, page=page)
        jobs = plan.unplanned(connection, viewer=viewer, region_id=chosen.region_id, search=job_search)
        names = {each.id: each.name for each in regions}
    return {
        "choices": choices,
        "plan": _plan_wire(found, names, at),
        "jobs": [
            {
                "id": each.ticket_id,
                "no": each.no,
                "title": each.title,
                "version": each.version,
                "priority": each.priority,
                "vip": each.is_vip,
                "due": None if each.due_at is None else each.due_at.isoformat(),
                "address": each.address,
                "holder": each.holder,
            }
            for each in jobs
        ],
    }


def window_in(
    regions: tuple[places.RegionView, ...],
    viewer: Actor,
    region_id: int | None,
    day: str,
    days: int,
    at: datetime,
    connection: Any,
) -> Window | None:
    """The days that are asked for; without a region the first one that has people of its own."""
    if not regions:
        return None
    known = {each.id: each for each in regions}
    staffed = rosters.staffed_regions(connection, viewer=viewer, permission=plan.PERMISSION)
    first = next((each for each in regions if each.id in staffed), regions[0])
    region = known.get(region_id or 0, first)
    today = at.astimezone(ZoneInfo(region.tz)).date()
    wanted = day_of(day) or today
    begins = week_of(wanted) if days > 1 else wanted
    return plan.window_of(connection, viewer=viewer, region_id=region.id, first=begins, days=days)


def _plan_wire(found: Plan, regions: Mapping[int, Any], at: datetime) -> Plain:
    window = found.window
    zone = window.zone

    def wall(moment: datetime) -> str:
        return moment.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S")

    span = window.span
    return {
        "region": window.region_id,
        "zone": zone.key,
        "first": window.first.isoformat(),
        "days": window.days,
        "now": wall(at.replace(second=0, microsecond=0)),
        "today": at.astimezone(zone).date().isoformat(),
        "total": found.total,
        "page": found.page,
        "pages": -(-found.total // rosters.PAGE) or 1,
        "people": [
            {
                "id": row.person.id,
                "name": row.person.name,
                "crew": row.person.crew,
                "region": regions.get(row.person.region_id),
                "open": row.open_count,
                "of": row.person.capacity,
                "duty": row.person.is_on_duty,
                "shifts": None
                if row.presence.shifts is None
                else [[wall(each.span.starts_at), wall(each.span.ends_at)] for each in row.presence.shifts],
                "absences": [
                    [
                        wall(max(each.span.starts_at, span.starts_at)),
                        wall(min(each.span.ends_at, span.ends_at)),
                        each.reason,
                    ]
                    for each in row.presence.absences
                ],
            }
            for row in found.rows
        ],
        "visits": [
            {
                "id": each.visit.ticket_id,
                "visit": each.visit.id,
                "person": each.visit.technician_id,
                "start": wall(each.visit.starts_at),
                "end": wall(each.visit.ends_at),
                "minutes": int((each.visit.ends_at - each.visit.starts_at).total_seconds() // 60),
                "leave": wall(each.visit.starts_at - timedelta(seconds=each.visit.travel_seconds)),
                "travel": -(-each.visit.travel_seconds // 60),
                "no": each.no,
                "title": each.title,
                "priority": each.priority,
                "vip": each.is_vip,
                "version": each.version,
                "late": each.due_at is not None and each.visit.ends_at > each.due_at,
                "open": each.is_open,
            }
            for each in found.visits
        ],
    }


def _truth(
    *,
    viewer: Actor,
    ticket_id: int,
    minutes: int | None,
    people: list[int],
    at: datetime,
    region_id: int | None,
    day: str,
    days: int,
) -> Plain:
    with reading() as connection:
        regions = plan.regions_for(connection, viewer, plan.PERMISSION)
        window = window_in(regions, viewer, region_id, day, days, at, connection)
        if window is None:
            return {}
        found = plan.foretell(
            connection,
            viewer=viewer,
            ticket_id=ticket_id,
            technician_ids=people,
            window=window,
            minutes=minutes,
            at=at,
        )
        skills = _skills(connection, viewer)
    return _truth_wire(found, window, skills)


def _truth_wire(found: Foretold, window: Window, skills: Skills) -> Plain:
    def wall(moment: datetime) -> str:
        # A start that is barred to a hair's breadth past the minute is barred from the next minute on.
        exact = moment.astimezone(window.zone)
        whole = exact.replace(second=0, microsecond=0)
        return (whole if whole == exact else whole + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")

    def spans(barred: Sequence[Barred]) -> list[Plain]:
        return [
            {"since": wall(each.since), "until": wall(each.until), **_objection(each.objection, skills)}
            for each in barred
        ]

    return {
        "ticket": found.ticket_id,
        "minutes": found.minutes,
        "people": {
            str(technician_id): {
                "against": [_objection(each, skills) for each in told.against],
                "barred": spans(told.barred),
                "warned": spans(told.warned),
            }
            for technician_id, told in found.people.items()
        },
    }


def _objection(objection: Objection | FieldProblem, skills: Skills) -> Plain:
    key = objection.key if isinstance(objection, Objection) else objection.code
    params = {
        name: skills.get(str(value), value) if name == "skill" else value
        for name, value in objection.params.items()
    }
    return {"key": key, "params": params, "firm": key in FIRM}


def _skills(connection: Any, viewer: Actor) -> Skills:
    return {each.code: each.name for each in people.skills(connection, viewer.org_id)}


def _refused(*, error: ConsoleError, command_id: str, viewer: Actor) -> Plain:
    against: list[Plain] = []
    if isinstance(error, InvalidInput):
        with reading() as connection:
            skills = _skills(connection, viewer)
        against = [_objection(each, skills) for each in error.problems]
    may_override = (
        isinstance(error, VisitRefused)
        and not error.judged.is_firm
        and OVERRIDE in policy.permissions_of(viewer)
    )
    return {
        "command_id": command_id,
        "ok": False,
        "code": error.code,
        "params": dict(error.params),
        "against": against,
        "may_override": may_override,
    }


def _heat(*, viewer: Actor, at: datetime, region_id: int | None, day: str, days: int) -> Plain:
    with reading() as connection:
        regions = plan.regions_for(connection, viewer, plan.PERMISSION)
        window = window_in(regions, viewer, region_id, day, days, at, connection)
        if window is None:
            return {}
        found = plan.read_heat(connection, viewer=viewer, window=window)
        skills = _skills(connection, viewer)
    return _heat_wire(found, window, skills)


def _heat_wire(found: Heat, window: Window, skills: Skills) -> Plain:
    return {
        "spans": [
            each.starts_at.astimezone(window.zone).strftime("%Y-%m-%dT%H:%M:%S") for each in found.spans
        ],
        "rows": [
            {
                "skill": None if row.skill is None else skills.get(row.skill, row.skill),
                "people": row.people,
                "loads": [[each.capacity, each.booked, each.expected, each.percent] for each in row.loads],
            }
            for row in found.rows
        ],
    }


def _instant(wall: str, zone: ZoneInfo) -> datetime:
    """A time as the region's clock shows it."""
    try:
        return datetime.fromisoformat(wall[:19]).replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        raise InvalidInput((FieldProblem("starts_at", "field.bad_datetime"),)) from None


def day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _name(shown: Plain, technician_id: int) -> str:
    return next((each["name"] for each in shown.get("people", ()) if each["id"] == technician_id), "")
