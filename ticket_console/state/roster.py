"""The roster of a region's people by weeks: shifts and absences, and what a change did to the response."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from ticket_console.access import places
from ticket_console.desk import plan, roster_week, rostering
from ticket_console.desk.roster_week import RosterWeek
from ticket_console.desk.rostering import VisitsInTheWay
from ticket_console.dispatch.visits import Planned
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.signals import Listening
from ticket_console.people import rosters
from ticket_console.people.candidate import Span
from ticket_console.people.planning import PERMISSION, AbsencePlan, RosterChange
from ticket_console.people.shift_times import STANDARD, Hours, on_day, week_of
from ticket_console.reports.response import Answered, compare_response
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.tickets import reads

_SEARCH_LENGTH: Final = 60
# What a pasted week of a page of people can be at most.
_MOST_CHANGES: Final = 200
_MOST_SPANS: Final = 40
DAYS_OF_WEEK: Final = 7
_CHANGES_SHOWN: Final = timedelta(days=120)

Plain = dict[str, Any]


class RosterState(SessionState):
    status: str = "loading"
    choices: list[Plain] = []
    week: Plain = {}
    in_the_way: Plain = {}
    changes: list[Plain] = []
    response: Plain = {}
    response_rows: list[Plain] = []

    @handler(permission="roster.manage")
    async def load(self) -> Reply:
        self.in_the_way = {}
        self._put(await off_loop(_read, viewer=self._actor(), **self._asked()))
        self._put(
            await off_loop(_response, viewer=self._actor(), at=self._now(), **self._region(), changed="")
        )
        return None

    @handler(permission="roster.manage", background=True)
    async def watch(self) -> Reply:
        """Show what others change while the week is open here."""
        told = Listening(rostering.topic_of(self._actor().org_id))
        try:
            async for _ in told:
                viewer = await self._resolve()
                found = await off_loop(_read, viewer=viewer, **self._asked())
                async with self:
                    self._put(found)
        finally:
            told.close()
        return None

    @handler(permission="roster.manage")
    async def change(self, command_id: str, changes: list[Plain], accepted: list[int]) -> Reply:
        """Carry out changes of the grid; where visits are in the way these are shown, and nothing changes."""
        zone = ZoneInfo(str(self.week.get("zone", "UTC")))
        return await self._carry_out(command_id, _wanted(changes, zone), accepted, zone, {"changes": changes})

    @handler(permission="roster.manage")
    async def plan_weeks(self, command_id: str, weeks: Plain, accepted: list[int]) -> Reply:
        """Put somebody's weekly pattern in force from one day to another, instead of the shifts there."""
        zone = ZoneInfo(str(self.week.get("zone", "UTC")))
        wanted = await off_loop(_weekly, viewer=self._actor(), asked=_weeks(weeks), zone=zone, at=self._now())
        return await self._carry_out(command_id, [wanted], accepted, zone, {"weeks": weeks})

    async def _carry_out(
        self,
        command_id: str,
        wanted: list[RosterChange],
        accepted: list[int],
        zone: ZoneInfo,
        asked: Plain,
    ) -> Reply:
        try:
            changed = await in_writer(
                rostering.change_rosters,
                actor=self._actor(),
                at=self._now(),
                command_id=command_id,
                changes=wanted,
                accepted=frozenset(accepted),
            )
        except VisitsInTheWay as refused:
            shown = await off_loop(_in_the_way, viewer=self._actor(), visits=refused.visits, zone=zone)
            self.in_the_way = shown | asked
            return None
        self.in_the_way = {}
        self._put(await off_loop(_read, viewer=self._actor(), **self._asked()))
        self._put(
            await off_loop(_response, viewer=self._actor(), at=self._now(), **self._region(), changed="")
        )
        return done("roster.changed", n=changed.people)

    @handler(permission="roster.manage")
    async def leave_it(self) -> Reply:
        """Keep the visits, and the roster as it is."""
        self.in_the_way = {}
        return None

    @handler(permission="roster.manage")
    async def compare(self, changed: str) -> Reply:
        self._put(
            await off_loop(_response, viewer=self._actor(), at=self._now(), **self._region(), changed=changed)
        )
        return None

    def _region(self) -> Plain:
        return {"region_id": int(self.week.get("region", 0))}

    def _asked(self) -> Plain:
        asked = self.router.url.query_parameters
        return {
            "region_id": _whole(asked.get("region", "")),
            "day": asked.get("day", "")[:10],
            "search": asked.get("q", "")[:_SEARCH_LENGTH],
            "page": _whole(asked.get("page", "")) or 1,
            "at": self._now(),
        }

    def _put(self, found: Plain) -> None:
        for part, value in found.items():
            setattr(self, part, value)
        self.status = "ready"


def _read(*, viewer: Actor, region_id: int | None, day: str, search: str, page: int, at: datetime) -> Plain:
    with reading() as connection:
        regions = plan.regions_for(connection, viewer, PERMISSION)
        choices = [{"value": str(each.id), "label": each.name} for each in regions]
        if not regions:
            return {"choices": choices, "week": {}}
        staffed = rosters.staffed_regions(connection, viewer=viewer, permission=PERMISSION)
        region = next((each for each in regions if each.id == region_id), None) or next(
            (each for each in regions if each.id in staffed), regions[0]
        )
        today = at.astimezone(ZoneInfo(region.tz)).date()
        window = plan.window_of(
            connection,
            viewer=viewer,
            region_id=region.id,
            first=week_of(_day(day) or today),
            days=plan.MOST_DAYS,
            permission=PERMISSION,
        )
        found = roster_week.read_week(connection, viewer=viewer, window=window, search=search, page=page)
    return {"choices": choices, "week": _week_wire(found, regions, today)}


def _week_wire(found: RosterWeek, regions: Sequence[places.RegionView], today: date) -> Plain:
    window = found.window
    names = {each.id: each.name for each in regions}

    def wall(at: datetime) -> str:
        return at.astimezone(window.zone).strftime("%Y-%m-%dT%H:%M")

    return {
        "region": window.region_id,
        "zone": window.zone.key,
        "first": window.first.isoformat(),
        "today": today.isoformat(),
        "days": [(window.first + timedelta(days=each)).isoformat() for each in range(window.days)],
        "total": found.total,
        "page": found.page,
        "pages": -(-found.total // rosters.PAGE) or 1,
        "patterns": [
            {
                "code": each.code,
                "name": each.name,
                "starts": each.starts.strftime("%H:%M"),
                "ends": each.ends.strftime("%H:%M"),
            }
            for each in STANDARD
        ],
        "people": [
            {
                "id": row.person.id,
                "name": row.person.name,
                "group": row.person.crew or names.get(row.person.region_id),
                "rostered": row.presence.shifts is not None,
                "minutes": sum(
                    int((each.span.ends_at - each.span.starts_at).total_seconds() // 60)
                    for each in row.presence.shifts or ()
                ),
                "shifts": [
                    {"id": each.id, "start": wall(each.span.starts_at), "end": wall(each.span.ends_at)}
                    for each in row.presence.shifts or ()
                ],
                "absences": [
                    {
                        "id": each.id,
                        "start": wall(each.span.starts_at),
                        "end": wall(each.span.ends_at),
                        "reason": each.reason,
                    }
                    for each in row.presence.absences
                ],
                "visits": [wall(each.starts_at) for each in row.visits],
            }
            for row in found.rows
        ],
    }


def _in_the_way(*, viewer: Actor, visits: Sequence[Planned], zone: ZoneInfo) -> Plain:
    with reading() as connection:
        tickets = reads.jobs_by_id(connection, [each.ticket_id for each in visits])
    return {
        "visits": [
            {
                "id": each.id,
                "ticket": each.ticket_id,
                "no": tickets[each.ticket_id]["no"],
                "title": tickets[each.ticket_id]["title"],
                "start": each.starts_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
                "end": each.ends_at.astimezone(zone).strftime("%H:%M"),
            }
            for each in visits
        ]
    }


def _response(*, viewer: Actor, region_id: int, at: datetime, changed: str) -> Plain:
    """The response before and after one change of the region's rosters, the latest unless one is named."""
    if not region_id:
        return {"changes": [], "response": {}, "response_rows": []}
    with reading() as connection:
        moments = rosters.latest_changes(
            connection, viewer=viewer, region_id=region_id, since=at - _CHANGES_SHOWN
        )
        if not moments:
            return {"changes": [], "response": {}, "response_rows": []}
        chosen = next((each for each in moments if each.isoformat() == changed), moments[0])
        found = compare_response(connection, viewer=viewer, region_id=region_id, changed_at=chosen, at=at)
    return {
        "changes": [{"value": each.isoformat()} for each in moments],
        "response": {
            "changed": chosen.isoformat(),
            "since": found.since.isoformat(),
            "until": found.until.isoformat(),
            "before": _answered(found.before),
            "after": _answered(found.after),
        },
        "response_rows": [
            {
                "name": {"zh": f"{hour:02}", "en": f"{hour:02}"},
                "before": before.median_seconds or 0,
                "after": after.median_seconds or 0,
                "hrefs": {},
            }
            for hour, (before, after) in enumerate(found.hours)
        ],
    }


def _answered(answered: Answered) -> Plain:
    return {
        "opened": answered.opened,
        "answered": answered.answered,
        "seconds": answered.median_seconds,
    }


def _wanted(changes: Sequence[Plain], zone: ZoneInfo) -> list[RosterChange]:
    """The changes as the browser tells them, by the clock of the region."""
    if not 0 < len(changes) <= _MOST_CHANGES:
        raise _bad()
    try:
        return [_one_wanted(each, zone) for each in changes]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise _bad() from None


@dataclass(frozen=True, slots=True)
class _Weeks:
    technician_id: int
    first: date
    last: date
    hours: dict[int, Hours]


def _weeks(weeks: Mapping[str, Any]) -> _Weeks:
    """A weekly pattern as the browser tells it: seven days from Monday on, each [starts, ends] or None."""
    try:
        days = list(weeks["hours"])
        if len(days) != DAYS_OF_WEEK:
            raise _bad()
        return _Weeks(
            int(weeks["person"]),
            date.fromisoformat(weeks["first"]),
            date.fromisoformat(weeks["last"]),
            {
                day: (time.fromisoformat(each[0]), time.fromisoformat(each[1]))
                for day, each in enumerate(days)
                if each is not None
            },
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError):
        raise _bad() from None


def _weekly(*, viewer: Actor, asked: _Weeks, zone: ZoneInfo, at: datetime) -> RosterChange:
    with reading() as connection:
        return rostering.weekly_change(
            connection,
            viewer=viewer,
            technician_id=asked.technician_id,
            first=asked.first,
            last=asked.last,
            hours=asked.hours,
            zone=zone,
            at=at,
        )


def _one_wanted(change: Mapping[str, Any], zone: ZoneInfo) -> RosterChange:
    shifts = tuple(
        on_day(
            date.fromisoformat(each["day"]),
            time.fromisoformat(each["starts"]),
            time.fromisoformat(each["ends"]),
            zone,
        )
        for each in change.get("add", ())
    )
    absences = tuple(
        AbsencePlan(Span(_instant(each["start"], zone), _instant(each["end"], zone)), str(each["reason"]))
        for each in change.get("away", ())
    )
    if len(shifts) + len(absences) > _MOST_SPANS:
        raise _bad()
    return RosterChange(
        int(change["person"]),
        shifts=shifts,
        absences=absences,
        drop_shifts=frozenset(int(each) for each in change.get("drop", ())),
        drop_absences=frozenset(int(each) for each in change.get("drop_away", ())),
    )


def _instant(wall: str, zone: ZoneInfo) -> datetime:
    return datetime.fromisoformat(wall[:16]).replace(tzinfo=zone).astimezone(UTC)


def _bad() -> InvalidInput:
    return InvalidInput((FieldProblem("changes", "roster.not_understood"),))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
