"""Everything that waits, planned as a whole: looked at, chosen from, and carried out row by row."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from ticket_console.desk import planning
from ticket_console.desk.planning import DispatchPlan, Outcome, PlanTotals
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import InvalidInput
from ticket_console.state.feedback import done, told
from ticket_console.state.picking import all_repicked, refused_first, repicked
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.ticket import plain

_LOOK_SECONDS: Final = 30.0
_GATHER_SECONDS: Final = 0.7
# Rows carried out between two looks at how far it is.
_AT_ONCE: Final = 10
# Nobody earns all there is to earn: that would be somebody idle and next door who knows the device.
_FITS: Final = ((7_000, "great"), (5_000, "good"), (3_000, "fair"), (0, "poor"))
_SAID: Final = frozenset({"is_done", "code", "params", "problems"})

Plain = dict[str, Any]


class NotInPlan(InvalidInput):
    """A ticket that the plan on the screen has no row for."""

    code = "planning.not_in_plan"


class PlanningState(SessionState):
    """`phase` is empty while the dialog is closed, then planning, ready or failed, applying and done."""

    phase: str = ""
    rows: list[Plain] = []
    unpicked: list[int] = []
    totals: Plain = {}
    gains: list[Plain] = []
    outcomes: list[Plain] = []
    given: int = 0
    progress_bp: int = 0
    has_moved: bool = False
    _plan_id: str = ""
    _seen: list[int] = []

    @handler(permission="ticket.assign")
    async def arrive(self) -> Reply:
        """Nothing is planned yet on a page that was just opened."""
        self.phase = ""
        return None

    @handler(permission="ticket.assign", background=True)
    async def watch_plan(self) -> Reply:
        """Say so once what waits is not what the plan on the screen was made for."""
        subscription = feed.subscribe()
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(
                        subscription.changes(gather_seconds=_GATHER_SECONDS), _LOOK_SECONDS
                    )
                async with self:
                    plan_id, seen, is_shown = self._plan_id, list(self._seen), self.phase == "ready"
                if not is_shown:
                    continue
                has_moved = await off_loop(_waiting, viewer=await self._resolve()) != seen
                async with self:
                    if self._plan_id == plan_id and self.has_moved != has_moved:
                        self.has_moved = has_moved
        finally:
            feed.unsubscribe(subscription)

    @handler(permission="ticket.assign")
    async def plan(self) -> Any:
        """Plan what waits now; what was planned before is forgotten."""
        self.phase, self.has_moved = "planning", False
        self.rows, self.unpicked, self.outcomes, self.gains = [], [], [], []
        yield
        try:
            seen, made = await off_loop(_make, viewer=self._actor(), at=self._now())
            self._plan_id, self._seen = uuid4().hex, seen
            self.rows = [plain(each) for each in made.rows]
            self.totals, self.gains = _totals(made), list(_gains(made.whole, made.one_by_one))
            self.phase = "ready"
        finally:
            if self.phase == "planning":
                self.phase = "failed"

    @handler(permission="ticket.assign")
    async def pick(self, ticket_id: int, is_picked: bool) -> Reply:
        """Take a row into what will be carried out, or leave it out."""
        self.unpicked = repicked(self.unpicked, self.rows, ticket_id, is_picked, missing=NotInPlan)
        return None

    @handler(permission="ticket.assign")
    async def pick_all(self, is_picked: bool) -> Reply:
        self.unpicked = all_repicked(self.rows, is_picked)
        return None

    @handler(permission="ticket.assign")
    async def apply(self) -> Any:
        """Carry out the rows that are picked; a plan is carried out once."""
        left_out = frozenset(self.unpicked)
        chosen = [row for row in self.rows if row["ticket_id"] not in left_out]
        if self.phase != "ready" or not chosen:
            return
        self.phase, self.outcomes, self.given, self.progress_bp = "applying", [], 0, 0
        yield
        told_of: list[Plain] = []
        try:
            for start in range(0, len(chosen), _AT_ONCE):
                some = chosen[start : start + _AT_ONCE]
                outcomes = await in_writer(
                    planning.carry_out,
                    actor=self._actor(),
                    at=self._now(),
                    command_id=self._plan_id,
                    rows=[(row["ticket_id"], row["version"], row["technician_id"]) for row in some],
                )
                told_of += [_outcome(row, each) for row, each in zip(some, outcomes, strict=True)]
                self.progress_bp = len(told_of) * 10_000 // len(chosen)
                yield
        finally:
            self.outcomes = refused_first(told_of)
            self.given = sum(each["is_done"] for each in told_of)
            self.phase = "done"
        refused = len(told_of) - self.given
        if refused:
            yield told("planning.some_given", n=self.given, refused=refused)
        else:
            yield done("planning.all_given", n=self.given)

    @handler(permission="ticket.assign")
    async def close(self) -> Reply:
        self.phase = ""
        self.rows, self.unpicked, self.outcomes, self.gains = [], [], [], []
        return None


def _make(*, viewer: Actor, at: datetime) -> tuple[list[int], DispatchPlan]:
    # What waits is read first: what comes between the two makes the plan look older than it is, never newer.
    return _waiting(viewer=viewer), planning.make_plan(actor=viewer, at=at)


def _waiting(*, viewer: Actor) -> list[int]:
    with reading() as connection:
        return list(planning.waiting_ids(connection, viewer))


def _totals(made: DispatchPlan) -> Plain:
    return {
        "waiting": made.waiting,
        "left": made.waiting - made.whole.placed,
        "is_cut": made.is_cut,
        "whole": _told(made.whole),
        "one_by_one": _told(made.one_by_one),
    }


def _told(totals: PlanTotals) -> Plain:
    fit = next(name for least, name in _FITS if totals.score_bp >= least)
    return {**plain(totals), "percent": totals.score_bp // 100, "fit": fit}


def _gains(whole: PlanTotals, singly: PlanTotals) -> Iterator[Plain]:
    """In words what the whole plan has over deciding one by one, and what that costs."""
    if more := whole.placed - singly.placed:
        yield {"key": "planning.gain.placed", "params": {"n": more}, "is_good": True}
    if kilometres := round(singly.kilometres - whole.kilometres, 1):
        key = "planning.gain.shorter" if kilometres > 0 else "planning.gain.longer"
        yield {"key": key, "params": {"km": abs(kilometres)}, "is_good": kilometres > 0}
    if points := whole.score_bp // 100 - singly.score_bp // 100:
        key = "planning.gain.fitter" if points > 0 else "planning.gain.less_fit"
        yield {"key": key, "params": {"n": abs(points)}, "is_good": points > 0}


def _outcome(row: Plain, outcome: Outcome) -> Plain:
    return {
        "ticket_id": row["ticket_id"],
        "no": row["no"],
        "title": row["title"],
        "technician": row["technician"],
        **{key: value for key, value in plain(outcome).items() if key in _SAID},
    }
