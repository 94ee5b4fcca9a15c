"""The routes of a region's day: proposed beside what one by one comes to, chosen from, and carried out."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from ticket_console.desk import plan as plans
from ticket_console.desk import routing
from ticket_console.desk.planning import Outcome
from ticket_console.desk.routing import DayRoutes, PersonRoute, RoutedVisit, RouteTotals, WantedVisit
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import InvalidInput
from ticket_console.state.feedback import done, told
from ticket_console.state.picking import all_repicked, refused_first, repicked
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.ticket import plain
from ticket_console.state.timeline import whole, window_in

# Rows carried out between two looks at how far it is.
_AT_ONCE: Final = 5
_MINUTE: Final = timedelta(minutes=1)

Plain = dict[str, Any]


class NotInRoutes(InvalidInput):
    """A ticket that the routes on the screen do not go to."""

    code = "routes.not_in_plan"


class DayRoutesState(SessionState):
    """`phase` is empty while the dialog is closed, then planning, ready or failed, applying and done.

    `rows` are the visits in the order in which people make them, person after person.
    """

    phase: str = ""
    rows: list[Plain] = []
    unpicked: list[int] = []
    left: list[Plain] = []
    totals: Plain = {}
    gains: list[Plain] = []
    outcomes: list[Plain] = []
    given: int = 0
    progress_bp: int = 0
    _plan_id: str = ""

    @handler(permission="ticket.assign")
    async def arrive(self) -> Reply:
        """Nothing is planned yet on a page that was just opened."""
        self.phase = ""
        return None

    @handler(permission="ticket.assign")
    async def plan(self) -> Any:
        """Propose routes for the region and day the plan shows; what was proposed before is forgotten."""
        self.phase = "planning"
        self.rows, self.unpicked, self.left, self.outcomes, self.gains = [], [], [], [], []
        yield
        try:
            asked = self.router.url.query_parameters
            made = await off_loop(
                _make,
                viewer=self._actor(),
                at=self._now(),
                region_id=whole(asked.get("region", "")),
                day=asked.get("day", "")[:10],
            )
            if made is not None:
                self._plan_id = uuid4().hex
                self.rows = [_row(route, each, made.zone) for route in made.routes for each in route.visits]
                self.left = [
                    {"ticket_id": each.ticket_id, "no": each.no, "title": each.title, "why": each.why.value}
                    for each in made.left
                ]
                self.totals = {
                    "day": made.day.isoformat(),
                    "whole": _told(made.totals),
                    "one_by_one": _told(made.one_by_one),
                }
                self.gains = list(_gains(made.totals, made.one_by_one))
            self.phase = "ready"
        finally:
            if self.phase == "planning":
                self.phase = "failed"

    @handler(permission="ticket.assign")
    async def pick(self, ticket_id: int, is_picked: bool) -> Reply:
        """Take a visit into what will be carried out, or leave it out; the others keep their times."""
        self.unpicked = repicked(self.unpicked, self.rows, ticket_id, is_picked, missing=NotInRoutes)
        return None

    @handler(permission="ticket.assign")
    async def pick_all(self, is_picked: bool) -> Reply:
        self.unpicked = all_repicked(self.rows, is_picked)
        return None

    @handler(permission="ticket.assign")
    async def apply(self) -> Any:
        """Plan the visits that are picked; routes are carried out once."""
        left_out = frozenset(self.unpicked)
        chosen = sorted(
            (row for row in self.rows if row["ticket_id"] not in left_out),
            key=lambda row: (row["starts_at"], row["ticket_id"]),
        )
        if self.phase != "ready" or not chosen:
            return
        self.phase, self.outcomes, self.given, self.progress_bp = "applying", [], 0, 0
        yield
        told_of: list[Plain] = []
        try:
            for start in range(0, len(chosen), _AT_ONCE):
                some = chosen[start : start + _AT_ONCE]
                outcomes = await in_writer(
                    routing.carry_out,
                    actor=self._actor(),
                    at=self._now(),
                    command_id=self._plan_id,
                    visits=[_wanted(row) for row in some],
                )
                found = {each.ticket_id: each for each in outcomes}
                told_of += [_outcome(row, found[row["ticket_id"]]) for row in some]
                self.progress_bp = len(told_of) * 10_000 // len(chosen)
                yield
        finally:
            self.outcomes = refused_first(told_of)
            self.given = sum(each["is_done"] for each in told_of)
            self.phase = "done"
        refused = len(told_of) - self.given
        if refused:
            yield told("routes.some_planned", n=self.given, refused=refused)
        else:
            yield done("routes.all_planned", n=self.given)

    @handler(permission="ticket.assign")
    async def close(self) -> Reply:
        self.phase = ""
        self.rows, self.unpicked, self.left, self.outcomes, self.gains = [], [], [], [], []
        return None


def _make(*, viewer: Actor, at: datetime, region_id: int | None, day: str) -> DayRoutes | None:
    """None for somebody who plans no region."""
    with reading() as connection:
        regions = plans.regions_for(connection, viewer, plans.PERMISSION)
        window = window_in(regions, viewer, region_id, day, 1, at, connection)
    if window is None:
        return None
    return routing.propose(actor=viewer, at=at, region_id=window.region_id, day=window.first)


def _row(route: PersonRoute, visit: RoutedVisit, zone: ZoneInfo) -> Plain:
    return {
        "ticket_id": visit.ticket_id,
        "no": visit.no,
        "title": visit.title,
        "version": visit.version,
        "technician_id": route.technician_id,
        "technician": route.technician,
        "starts_at": visit.starts_at.isoformat(),
        "ends_at": visit.ends_at.isoformat(),
        "hours": f"{visit.starts_at.astimezone(zone):%H:%M}–{visit.ends_at.astimezone(zone):%H:%M}",
        "way": _minutes(visit.way),
        "is_late": visit.is_late,
    }


def _wanted(row: Plain) -> WantedVisit:
    return WantedVisit(
        row["ticket_id"],
        row["version"],
        row["technician_id"],
        datetime.fromisoformat(row["starts_at"]),
        datetime.fromisoformat(row["ends_at"]),
    )


def _told(totals: RouteTotals) -> Plain:
    return {
        "placed": totals.placed,
        "travel": _minutes(totals.travel),
        "late": totals.late,
        "late_by": _minutes(totals.late_by),
    }


def _gains(whole: RouteTotals, singly: RouteTotals) -> Iterator[Plain]:
    """In words what the routes have over giving jobs away one by one, and what that costs."""
    if more := whole.placed - singly.placed:
        key = "routes.gain.more" if more > 0 else "routes.gain.fewer"
        yield {"key": key, "params": {"n": abs(more)}, "is_good": more > 0}
    if minutes := _minutes(singly.travel) - _minutes(whole.travel):
        key = "routes.gain.shorter" if minutes > 0 else "routes.gain.longer"
        yield {"key": key, "params": {"n": abs(minutes)}, "is_good": minutes > 0}
    if late := singly.late - whole.late:
        key = "routes.gain.in_time" if late > 0 else "routes.gain.late"
        yield {"key": key, "params": {"n": abs(late)}, "is_good": late > 0}


def _outcome(row: Plain, outcome: Outcome) -> Plain:
    shown = plain(outcome)
    return {
        **{key: row[key] for key in ("ticket_id", "no", "title", "technician", "hours")},
        **{key: shown[key] for key in ("is_done", "code", "params", "problems")},
    }


def _minutes(duration: timedelta) -> int:
    return -(-duration // _MINUTE)
