"""A technician's own day: the jobs in hand, those anybody may take, those done, and whether more may come."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from ticket_console.desk import assigning, offering
from ticket_console.desk.my_work import NotATechnician, my_work
from ticket_console.dispatch import visit_book
from ticket_console.dispatch.visits import Planned
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import ConsoleError
from ticket_console.people import duty
from ticket_console.people import reads as people
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.steps import Plain, plain

# Somebody who has lost their right to the page meanwhile loses sight of it after this long.
_RECHECK_SECONDS: Final = 30.0
# Changes of a busy moment are shown together: every change anywhere may put a job up for claim.
_GATHER_SECONDS: Final = 0.5


# Visits of these days are shown with the jobs they are for.
_LAST_VISITS: Final = timedelta(days=1)
_NEXT_VISITS: Final = timedelta(days=14)


class MyState(SessionState):
    status: str = "loading"
    jobs: list[Plain] = []
    up_for_claim: list[Plain] = []
    finished: list[Plain] = []
    asked: list[Plain] = []
    lost: list[Plain] = []
    declining: Plain = {}
    tab: str = "jobs"
    is_on_duty: bool = False
    taking: int = 0

    @handler(permission="ticket.act")
    async def load(self) -> Reply:
        self.status = "loading"
        try:
            await self._show(self._actor())
        except NotATechnician:
            self.status = "stranger"
        return None

    @handler(permission="ticket.act", background=True)
    async def watch(self) -> Reply:
        """Show what others do with the technician's day while they look at it."""
        if self._actor().technician_id is None:
            return None
        subscription = feed.subscribe()
        try:
            while True:
                changes = subscription.changes(gather_seconds=_GATHER_SECONDS)
                try:
                    await asyncio.wait_for(changes, _RECHECK_SECONDS)
                except TimeoutError:
                    await self._resolve()
                    continue
                shown = await off_loop(_read, viewer=await self._resolve(), at=self._now())
                async with self:
                    self._put(shown)
        finally:
            feed.unsubscribe(subscription)

    @handler(permission="ticket.act")
    async def take(self, ticket_id: int, version: int) -> Reply:
        """Claim a waiting job; whoever comes second is told who was first."""
        self.taking = ticket_id
        try:
            moved = await in_writer(
                assigning.claim,
                actor=self._actor(),
                at=self._now(),
                command_id=str(uuid4()),
                ticket_id=ticket_id,
                expected_version=version,
            )
        except ConsoleError:
            await self._show(self._actor())
            raise
        finally:
            self.taking = 0
        self.tab = "jobs"
        await self._show(self._actor())
        return done("my.taken", no=moved.no)

    @handler(permission="ticket.act")
    async def accept(self, ticket_id: int) -> Reply:
        """Take what one was asked for; whoever comes second is told who was first and when."""
        self.taking = ticket_id
        try:
            moved = await in_writer(
                offering.accept_offer,
                actor=self._actor(),
                at=self._now(),
                command_id=str(uuid4()),
                ticket_id=ticket_id,
            )
        finally:
            self.taking = 0
            await self._show(self._actor())
        self.tab = "jobs"
        return done("my.taken", no=moved.no)

    @handler(permission="ticket.act")
    async def ask_why_not(self, ticket_id: int, no: str) -> Reply:
        self.declining = {"ticket_id": ticket_id, "no": no}
        return None

    @handler(permission="ticket.act")
    async def keep_thinking(self) -> Reply:
        self.declining = {}
        return None

    @handler(permission="ticket.act")
    async def decline(self, reason: str) -> Reply:
        """Say no to what one was asked for; the next one is asked."""
        declining, self.declining = self.declining, {}
        if not declining:
            return None
        try:
            await in_writer(
                offering.decline_offer,
                actor=self._actor(),
                at=self._now(),
                command_id=str(uuid4()),
                ticket_id=int(declining["ticket_id"]),
                reason=reason,
            )
        finally:
            await self._show(self._actor())
        return done("my.declined", no=str(declining["no"]))

    @handler(permission="ticket.act")
    async def set_duty(self, is_on_duty: bool) -> Reply:
        actor = self._actor()
        if actor.technician_id is None:
            raise NotATechnician()
        await in_writer(
            duty.set_on_duty,
            actor=actor,
            at=self._now(),
            command_id=str(uuid4()),
            technician_id=actor.technician_id,
            is_on_duty=is_on_duty,
        )
        self.is_on_duty = is_on_duty
        return done("my.now_on_duty" if is_on_duty else "my.now_off_duty")

    @handler(permission="ticket.act")
    async def show_tab(self, tab: str) -> Reply:
        self.tab = tab
        return None

    async def _show(self, viewer: Actor) -> None:
        self._put(await off_loop(_read, viewer=viewer, at=self._now()))

    def _put(self, shown: dict[str, Any]) -> None:
        for part, value in {"status": "ready", **shown}.items():
            if getattr(self, part) != value:
                setattr(self, part, value)


def _read(*, viewer: Actor, at: datetime) -> dict[str, Any]:
    with reading() as connection:
        work = my_work(connection, viewer=viewer, at=at)
        me = next(
            each
            for each in people.technicians(connection, viewer, permission="ticket.act")
            if each.id == viewer.technician_id
        )
        asked = offering.asked_jobs(connection, viewer, at=at)
        against = offering.obstacles(
            connection, viewer=viewer, ticket_ids=[each.ticket_id for each in work.up_for_claim], at=at
        )
        visits = visit_book.visits_of(connection, (me.id,), at - _LAST_VISITS, at + _NEXT_VISITS).get(
            me.id, ()
        )
    planned = {visit.ticket_id: visit for visit in visits}
    # What can be taken stands first; the rest says why not.
    offers = sorted(
        (each for each in work.up_for_claim if each.ticket_id in against),
        key=lambda each: bool(against[each.ticket_id]),
    )
    return {
        "jobs": [{**plain(each), "visit": _visit(planned.get(each.ticket_id))} for each in work.jobs],
        "up_for_claim": [
            {**plain(each), "against": [plain(reason) for reason in against[each.ticket_id]]}
            for each in offers
        ],
        "finished": [plain(each) for each in work.done],
        "asked": [plain(each) for each in asked if each.asked.is_open],
        "lost": [plain(each) for each in asked if not each.asked.is_open],
        "is_on_duty": me.is_on_duty,
    }


def _visit(planned: Planned | None) -> Plain | None:
    if planned is None:
        return None
    return {"starts_at": instant_text(planned.starts_at), "ends_at": instant_text(planned.ends_at)}
