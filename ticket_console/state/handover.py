"""The change of shift: what is put down, what is taken over, and what nobody has taken yet."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from ticket_console.desk import handing_over
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.state.feedback import done, told
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.ticket import plain

_LOOK_SECONDS: Final = 20.0
_GATHER_SECONDS: Final = 0.5

Plain = dict[str, Any]


class HandoverState(SessionState):
    status: str = "loading"
    handovers: list[Plain] = []
    beginnings: list[Plain] = []
    starting: Plain = {}
    returning: Plain = {}
    busy: int = 0

    @handler(permission="shift.hand_over")
    async def load(self) -> Reply:
        await self._show(self._actor())
        return None

    @handler(permission="shift.hand_over", background=True)
    async def watch(self) -> Reply:
        """Show what others take over while somebody looks at it."""
        subscription = feed.subscribe()
        shown: Plain = {}
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(
                        subscription.changes(gather_seconds=_GATHER_SECONDS), _LOOK_SECONDS
                    )
                found = await off_loop(_read, viewer=await self._resolve(), at=self._now())
                if found != shown:
                    shown = found
                    async with self:
                        self._put(found)
        finally:
            feed.unsubscribe(subscription)

    @handler(permission="shift.hand_over")
    async def start(self, which: int) -> Reply:
        """Open the dialog for handing over one of the shifts that are listed."""
        if 0 <= which < len(self.beginnings):
            self.starting = self.beginnings[which]
        return None

    @handler(permission="shift.hand_over")
    async def stop_starting(self) -> Reply:
        self.starting = {}
        return None

    @handler(permission="shift.hand_over")
    async def begin(self, form: Plain) -> Reply:
        starting, self.starting = self.starting, {}
        if not starting:
            return None
        await in_writer(
            handing_over.begin,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            crew_id=starting["crew_id"],
            technician_id=starting["technician_id"],
            note=str(form.get("note") or ""),
        )
        await self._show(self._actor())
        return done("handover.begun")

    @handler(permission="shift.hand_over")
    async def accept(self, item_id: int) -> Reply:
        """Take one thing over; whoever comes second is told who was first and when."""
        self.busy = item_id
        try:
            moved = await in_writer(
                handing_over.accept,
                actor=self._actor(),
                at=self._now(),
                command_id=str(uuid4()),
                item_id=item_id,
            )
        finally:
            self.busy = 0
            await self._show(self._actor())
        return done("my.taken", no=moved.no)

    @handler(permission="shift.hand_over")
    async def accept_all(self, handover_id: int) -> Any:
        self.busy = handover_id
        yield
        try:
            outcomes = await in_writer(
                handing_over.accept_all,
                actor=self._actor(),
                at=self._now(),
                command_id=str(uuid4()),
                handover_id=handover_id,
            )
        finally:
            self.busy = 0
            await self._show(self._actor())
        refused = [each for each in outcomes if not each.ok]
        yield done("handover.all_taken", n=len(outcomes) - len(refused))
        if refused:
            yield told("handover.not_all_taken", n=len(refused))

    @handler(permission="shift.hand_over")
    async def ask_why(self, item_id: int, no: str) -> Reply:
        self.returning = {"item_id": item_id, "no": no}
        return None

    @handler(permission="shift.hand_over")
    async def stop_asking(self) -> Reply:
        self.returning = {}
        return None

    @handler(permission="shift.hand_over")
    async def give_back(self, reason: str) -> Reply:
        returning, self.returning = self.returning, {}
        if not returning:
            return None
        try:
            await in_writer(
                handing_over.give_back,
                actor=self._actor(),
                at=self._now(),
                command_id=str(uuid4()),
                item_id=int(returning["item_id"]),
                reason=reason,
            )
        finally:
            await self._show(self._actor())
        return done("handover.given_back", no=str(returning["no"]))

    @handler(permission="shift.hand_over")
    async def close(self, handover_id: int) -> Reply:
        await in_writer(handing_over.close, actor=self._actor(), at=self._now(), handover_id=handover_id)
        await self._show(self._actor())
        return done("handover.closed")

    async def _show(self, viewer: Actor) -> None:
        self._put(await off_loop(_read, viewer=viewer, at=self._now()))

    def _put(self, found: Plain) -> None:
        for part, value in {"status": "ready", **found}.items():
            if getattr(self, part) != value:
                setattr(self, part, value)


def _read(*, viewer: Actor, at: datetime) -> Plain:
    with reading() as connection:
        shown = handing_over.all_shown(connection, viewer, at=at)
        beginnings = handing_over.beginnings(connection, viewer, at=at)
    return {
        "handovers": [plain(each) for each in shown],
        "beginnings": [plain(each) for each in beginnings],
    }
