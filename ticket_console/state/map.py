"""The dispatcher's map: the browser holds what stands where; this State tells what changed and gives away."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from ticket_console.desk import assigning, on_map
from ticket_console.desk.my_work import NotATechnician, my_work
from ticket_console.kernel import feed, signals
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.datums import shown_at
from ticket_console.kernel.errors import ConsoleError
from ticket_console.kernel.settings import settings
from ticket_console.kernel.signals import Signal
from ticket_console.people import positions
from ticket_console.people.positions import topic_of
from ticket_console.state.board_wire import SocketWire
from ticket_console.state.feedback import done, unexpected
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.steps import Plain, plain

# Duty switches and lost rights show after this long at the latest.
_RECHECK_SECONDS: Final = 15.0
_GATHER_SECONDS: Final = 0.3
# More changed tickets than this at once are cheaper to read as a whole window.
_PATCH_LIMIT: Final = 400


class MapState(SessionState):
    feed: Plain = {}
    chosen: Plain = {}
    verdict: Plain = {}

    @handler(permission="board.view")
    async def load(self) -> Reply:
        self.chosen = {}
        return None

    @handler(permission="board.view", background=True)
    async def watch(self) -> Reply:
        """Tell this browser which tickets and people moved, until it leaves the page."""
        ear = _Ear(self._actor().org_id)
        shown: dict[int, on_map.Feature] = {}
        number = 0
        try:
            while True:
                changed = await ear.changes()
                viewer = await self._resolve()
                patch = await off_loop(_patch, viewer=viewer, ticket_ids=changed, shown=shown, at=self._now())
                if patch["kind"] == "again" or patch["tickets"] or patch["gone"] or patch["people"]:
                    number += 1
                    await _wire.send_here({**patch, "seq": number})
        finally:
            ear.close()

    @handler(permission="board.view")
    async def choose(self, ticket_id: int) -> Reply:
        """Who could do this ticket, and how far they are from it."""
        self.chosen = await off_loop(_choose, viewer=self._actor(), ticket_id=ticket_id, at=self._now())
        return None

    @handler(permission="board.view")
    async def let_go(self) -> Reply:
        self.chosen = {}
        return None

    @handler(permission="ticket.assign")
    async def assign(
        self, command_id: str, ticket_id: int, version: int, technician_id: int, reason: str, override: bool
    ) -> Reply:
        """Give the chosen ticket to somebody; whoever comes second learns who was first, and when."""
        answer: Plain = {"command_id": command_id, "ticket_id": ticket_id, "code": "", "params": {}}
        try:
            moved = await in_writer(
                assigning.assign,
                actor=self._actor(),
                at=self._now(),
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=version,
                technician_id=technician_id,
                reason=reason,
                override=override,
            )
        except ConsoleError as error:
            self.verdict = {**answer, "ok": False, "code": error.code, "params": error.params}
        except Exception as fault:
            # The browser waits for an answer, whatever went wrong.
            self.verdict = {**answer, "ok": False}
            return unexpected(fault)
        else:
            self.verdict = {**answer, "ok": True, "version": moved.version}
        self.chosen = await off_loop(_choose, viewer=self._actor(), ticket_id=ticket_id, at=self._now())
        return None


class MyMapState(SessionState):
    """A technician's own map: the jobs in hand, and what they allow to be known of them."""

    status: str = "loading"
    jobs: list[Plain] = []
    technician_id: int = 0
    consents: bool = False
    is_on_duty: bool = False

    @handler(permission="ticket.act")
    async def load(self) -> Reply:
        try:
            found = await off_loop(_mine, viewer=self._actor(), at=self._now())
        except NotATechnician:
            self.status = "stranger"
            return None
        for part, value in found.items():
            setattr(self, part, value)
        self.status = "ready"
        return None

    @handler(permission="ticket.act")
    async def set_consent(self, is_given: bool) -> Reply:
        """Allow the others to know where one is while on duty, or no longer; what was kept goes then."""
        sharing = await in_writer(
            positions.set_consent,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            is_given=is_given,
        )
        self.consents = sharing.consented_at is not None
        self.is_on_duty = sharing.is_on_duty
        return done("position.now_shared" if self.consents else "position.shared_no_more")


class _Ear:
    """Hears which tickets changed and that somebody moved."""

    def __init__(self, org_id: int) -> None:
        loop = asyncio.get_running_loop()
        self._moved = asyncio.Event()
        self._subscription = feed.subscribe()

        def hear(_: Signal) -> None:
            # The loop may have been closed meanwhile; its watcher is gone then.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._moved.set)

        self._end = signals.listen(topic_of(org_id), hear)
        self._changes: asyncio.Task[frozenset[int]] | None = None

    async def changes(self) -> frozenset[int] | None:
        """The tickets that changed since the last time, perhaps none; None where nobody knows which."""
        self._changes = self._changes or asyncio.create_task(
            self._subscription.changes(gather_seconds=_GATHER_SECONDS)
        )
        moved = asyncio.create_task(self._moved.wait())
        either: set[asyncio.Task[Any]] = {self._changes, moved}
        try:
            await asyncio.wait(either, timeout=_RECHECK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            moved.cancel()
        if self._moved.is_set():
            # Others may be about to tell as well.
            await asyncio.sleep(_GATHER_SECONDS)
            self._moved.clear()
        if not self._changes.done():
            return frozenset()
        heard, self._changes = self._changes.result(), None
        return None if heard == feed.EVERYTHING or len(heard) > _PATCH_LIMIT else heard

    def close(self) -> None:
        feed.unsubscribe(self._subscription)
        self._end()
        if self._changes is not None:
            self._changes.cancel()


def _patch(
    *, viewer: Actor, ticket_ids: Collection[int] | None, shown: dict[int, on_map.Feature], at: datetime
) -> Plain:
    """What is different from what the browser was told; `shown` keeps the people it was told of."""
    datum = settings().map_datum
    with reading() as connection:
        features, gone = on_map.changed_tickets(connection, viewer, ticket_ids or (), datum=datum)
        people = on_map.people(connection, viewer, datum=datum)
    different = [each for each in people if shown.get(each["id"]) != each]
    shown.update({each["id"]: each for each in different})
    return {
        "kind": "again" if ticket_ids is None else "patch",
        "at": instant_text(at),
        "tickets": features,
        "gone": gone,
        "people": different,
    }


def _choose(*, viewer: Actor, ticket_id: int, at: datetime) -> Plain:
    with reading() as connection:
        found = on_map.choose(connection, viewer, ticket_id, at=at, datum=settings().map_datum)
    whole: Plain = plain(found)
    return whole


def _mine(*, viewer: Actor, at: datetime) -> Plain:
    with reading() as connection:
        work = my_work(connection, viewer=viewer, at=at)
        sharing = positions.sharing_of(connection, viewer)
    datum = settings().map_datum
    jobs = []
    for job in work.jobs:
        shown: Plain = plain(job)
        if job.lat is not None and job.lon is not None:
            lat, lon = shown_at(datum, job.lat, job.lon)
            shown["point"] = [round(lon, 6), round(lat, 6)]
        jobs.append(shown)
    return {
        "jobs": jobs,
        "technician_id": sharing.technician_id,
        "consents": sharing.consented_at is not None,
        "is_on_duty": sharing.is_on_duty,
    }


_wire: Final = SocketWire(MapState.get_full_name())
