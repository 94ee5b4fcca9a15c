"""Work that nobody has: why, since when, and who could take it."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from ticket_console.access import places
from ticket_console.desk import assigning, offering, waiting
from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.dispatch.eligibility import Filter
from ticket_console.dispatch.panel import OfferView
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import ConsoleError
from ticket_console.state.feedback import done, refusal, told
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.ticket import plain

PATH: Final = "/waiting"
_LOOK_SECONDS: Final = 30.0
_GATHER_SECONDS: Final = 0.7
_SHOWN: Final = 200
_GIVEN_UP: Final = "given_up"
# What keeps somebody out today only, and what is not known of the ticket; everything else says that it
# is not their kind of work.
_PASSING: Final = frozenset(
    f"dispatch.failed.{each}" for each in (Filter.OFF_DUTY, Filter.ABSENT, Filter.OFF_SHIFT, Filter.FULL)
)
_UNKNOWN: Final = frozenset({f"dispatch.failed.{Filter.PLACE_UNKNOWN}"})
_FITS: Final = ("yes", "unsure", "later", "no")

Plain = dict[str, Any]


class WaitingState(SessionState):
    status: str = "loading"
    why: str = ""
    total: int = 0
    listed: int = 0
    rows: list[Plain] = []
    reasons: list[Plain] = []
    looking: str = ""
    offered: Plain = {}
    offers: list[Plain] = []
    search: str = ""
    picked: Plain = {}
    busy: bool = False

    @handler(permission="ticket.assign")
    async def load(self) -> Reply:
        self.offered, self.looking = {}, ""
        self._put(await off_loop(_read, viewer=self._actor(), why=self._why()))
        return None

    @handler(permission="ticket.assign", background=True)
    async def watch(self) -> Reply:
        """Keep the queue as it is while it is open here."""
        why = self._why()
        subscription = feed.subscribe()
        shown: Plain = {}
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(
                        subscription.changes(gather_seconds=_GATHER_SECONDS), _LOOK_SECONDS
                    )
                found = await off_loop(_read, viewer=await self._resolve(), why=why)
                if found != shown:
                    shown = found
                    async with self:
                        self._put(found)
        finally:
            feed.unsubscribe(subscription)

    @handler(permission="ticket.assign")
    async def look_again(self, ticket_id: int, no: str) -> Any:
        self.looking = str(ticket_id)
        yield
        try:
            found = await in_writer(
                waiting.look_again,
                actor=self._actor(),
                at=self._now(),
                command_id=str(uuid4()),
                ticket_id=ticket_id,
            )
            await self._show()
        finally:
            self.looking = ""
        yield done("waiting.found", no=no) if found else told("waiting.nobody_yet", no=no)

    @handler(permission="ticket.assign")
    async def look_at_all(self) -> Any:
        self.looking = "all"
        yield
        try:
            looked = await off_loop(
                waiting.look_again_at_all, actor=self._actor(), at=self._now(), command_id=str(uuid4())
            )
            await self._show()
        finally:
            self.looking = ""
        said = done if looked.found else told
        yield said("waiting.looked", n=looked.tried, found=looked.found)

    @handler(permission="ticket.assign")
    async def ask(self, ticket_id: int) -> Reply:
        """Open the dialog: who could do this ticket."""
        self.picked, self.search, self.offers = {}, "", []
        found = await off_loop(_offers, viewer=self._actor(), ticket_id=ticket_id, at=self._now())
        self.offers = found.pop("offers")
        self.offered = found
        return None

    @handler(permission="ticket.assign")
    async def stop_asking(self) -> Reply:
        self.offered, self.picked, self.offers = {}, {}, []
        return None

    @handler(permission="ticket.assign")
    async def narrow(self, search: str) -> Reply:
        self.search = search[:60]
        return None

    @handler(permission="ticket.assign")
    async def pick(self, technician_id: int) -> Reply:
        self.picked = next((each for each in self.offers if each["technician_id"] == technician_id), {})
        return None

    @handler(permission="ticket.assign")
    async def assign(self, form: Plain) -> Any:
        if not self.offered or not self.picked:
            return
        self.busy = True
        yield
        try:
            moved = await in_writer(
                assigning.assign,
                actor=self._actor(),
                at=self._now(),
                command_id=str(uuid4()),
                ticket_id=int(self.offered["ticket_id"]),
                expected_version=int(self.offered["version"]),
                technician_id=int(self.picked["technician_id"]),
                reason=str(form.get("reason") or ""),
                override=self.picked["fit"] != "yes",
            )
        except ConsoleError as refused:
            # What the dialog shows may be out of date by now: show what is true, and why it was refused.
            yield refusal(refused)
            if refused.code == "ticket.stale":
                await self._offer_anew()
            return
        finally:
            self.busy = False
        self.offered, self.picked = {}, {}
        await self._show()
        yield done("ticket.given_to", no=moved.no, who=moved.assignee_name or "")

    async def _offer_anew(self) -> None:
        try:
            found = await off_loop(
                _offers, viewer=self._actor(), ticket_id=int(self.offered["ticket_id"]), at=self._now()
            )
        except ConsoleError:
            # Somebody has it by now.
            self.offered, self.picked = {}, {}
            await self._show()
            return
        self.offers = found.pop("offers")
        self.offered = found
        picked = self.picked.get("technician_id")
        self.picked = next((each for each in self.offers if each["technician_id"] == picked), {})

    async def _show(self) -> None:
        self._put(await off_loop(_read, viewer=self._actor(), why=self._why()))

    def _why(self) -> str:
        asked = self.router.url.query_parameters.get("why", "")
        return asked if asked in {*Filter, _GIVEN_UP} else ""

    def _put(self, found: Plain) -> None:
        for part, value in found.items():
            setattr(self, part, value)
        self.status = "ready"


def _read(*, viewer: Actor, why: str) -> Plain:
    with reading() as connection:
        queue = dispatch_reads.unassigned_queue(connection, viewer, limit=_SHOWN)
        regions = {each.id: each.name for each in places.regions(connection, viewer.org_id)}
    rows = [{**plain(each), "region": regions.get(each.region_id or 0)} for each in queue.waiting]
    reasons = [
        {"code": each.code, "key": each.key, "count": each.count, "href": _address(each.code)}
        for each in queue.failed
    ]
    given_up = sum(row["was_given_up"] for row in rows)
    if given_up:
        reasons.append(
            {"code": _GIVEN_UP, "key": "waiting.given_up", "count": given_up, "href": _address(_GIVEN_UP)}
        )
    return {
        "why": why,
        "total": queue.total,
        "listed": len(rows),
        "rows": [row for row in rows if not why or why in _codes(row)],
        "reasons": reasons,
    }


def _codes(row: Plain) -> set[str]:
    return {_GIVEN_UP} if row["was_given_up"] else {each["code"] for each in row["failed"]}


def _address(why: str) -> str:
    return f"{PATH}?{urlencode({'why': why})}"


def _offers(*, viewer: Actor, ticket_id: int, at: datetime) -> Plain:
    with reading() as connection:
        found = offering.offers_for(connection, viewer=viewer, ticket_id=ticket_id, at=at)
    whole: Plain = plain(found)
    whole["offers"] = [{**plain(each), "fit": _fit(each)} for each in found.offers]
    # Those who are only not free right now come before those whose work it is not.
    whole["offers"].sort(key=lambda each: _FITS.index(each["fit"]))
    return whole


def _fit(offer: OfferView) -> str:
    if offer.is_eligible:
        return "yes"
    against = {each.key for each in offer.failures}
    if against <= _UNKNOWN:
        return "unsure"
    return "later" if against <= _PASSING | _UNKNOWN else "no"
