"""What waits for an answer of those who were asked or of service partners, and how much is given by hand."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from ticket_console.access import places
from ticket_console.desk import assigning
from ticket_console.dispatch import queues
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.people import crews
from ticket_console.reports.dispatching import dispatch_figures
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.ticket import plain

_LOOK_SECONDS: Final = 30.0
_GATHER_SECONDS: Final = 0.7
_TABS: Final = frozenset({"nobody", "offered", "vendors"})

Plain = dict[str, Any]


class WaitingQueuesState(SessionState):
    tab: str = "nobody"
    offered: list[Plain] = []
    at_vendors: list[Plain] = []
    vendors: list[Plain] = []
    figures: Plain = {}
    returning: Plain = {}

    @handler(permission="ticket.assign")
    async def load_queues(self) -> Reply:
        self._put(await off_loop(_read, viewer=self._actor(), at=self._now()))
        return None

    @handler(permission="ticket.assign", background=True)
    async def watch_queues(self) -> Reply:
        """Keep both queues as they are while they are open here."""
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

    @handler(permission="ticket.assign")
    async def show_queue(self, tab: str) -> Reply:
        self.tab = tab if tab in _TABS else "nobody"
        return None

    @handler(permission="ticket.assign")
    async def to_vendor(self, ticket_id: int, version: int, vendor_id: int) -> Reply:
        """Put a step into a service partner's queue."""
        moved = await in_writer(
            assigning.give_to_vendor,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            ticket_id=ticket_id,
            expected_version=version,
            vendor_id=vendor_id,
        )
        self._put(await off_loop(_read, viewer=self._actor(), at=self._now()))
        return done("waiting.at_vendor", no=moved.no)

    @handler(permission="ticket.assign")
    async def ask_why_back(self, ticket_id: int, no: str, version: int) -> Reply:
        self.returning = {"ticket_id": ticket_id, "no": no, "version": version}
        return None

    @handler(permission="ticket.assign")
    async def keep_it(self) -> Reply:
        self.returning = {}
        return None

    @handler(permission="ticket.assign")
    async def give_back(self, reason: str) -> Reply:
        """A service partner's dispatcher gives a step back to ours."""
        returning, self.returning = self.returning, {}
        if not returning:
            return None
        moved = await in_writer(
            assigning.return_from_vendor,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            ticket_id=int(returning["ticket_id"]),
            expected_version=int(returning["version"]),
            reason=reason,
        )
        self._put(await off_loop(_read, viewer=self._actor(), at=self._now()))
        return done("waiting.given_back", no=moved.no)

    def _put(self, found: Plain) -> None:
        for part, value in found.items():
            if getattr(self, part) != value:
                setattr(self, part, value)


def _read(*, viewer: Actor, at: datetime) -> Plain:
    with reading() as connection:
        offered = queues.offered(connection, viewer)
        at_vendors = queues.vendor_queue(connection, viewer)
        figures = dispatch_figures(connection, viewer=viewer, since=at - timedelta(days=7), until=at)
        regions = {each.id: each.name for each in places.regions(connection, viewer.org_id)}
        # Where work goes is for our own dispatchers to say, not for those of a partner.
        vendors = {} if viewer.vendor_id is not None else crews.vendor_names(connection, viewer.org_id)
    return {
        "offered": [{**plain(each), "region": regions.get(each.region_id or 0)} for each in offered],
        "at_vendors": [
            {
                **plain(each),
                "region": regions.get(each.region_id or 0),
                "is_ours": each.vendor_id == viewer.vendor_id,
            }
            for each in at_vendors
        ],
        "vendors": [{"id": id, "name": name} for id, name in vendors.items()],
        "figures": {
            **plain(figures),
            "automatic_percent": None if figures.automatic_bp is None else figures.automatic_bp // 100,
        },
    }
