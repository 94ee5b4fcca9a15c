"""One ticket on screen: what it shows of it, and what its viewer does with it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import uuid4

import reflex as rx
from reflex.event import EventSpec

from ticket_console.desk import adjusting, assigning, golden, moving, offering, settling, talking
from ticket_console.desk.page import ticket_page
from ticket_console.desk.signing import SignatureInput
from ticket_console.dispatch.choosing import NotEligible
from ticket_console.intake.channels import CHANNELS
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import InvalidInput
from ticket_console.state.feedback import done, refusal, told
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.steps import (
    CHECKLIST_FIELD,
    PHOTO_FIELD,
    SIGNATURE_FIELD,
    Plain,
    plain,
    problems_at_fields,
    step_form,
    taken,
    without_places,
)
from ticket_console.state.ticket_path import read_path
from ticket_console.stock import reads as stock
from ticket_console.tickets import reads, seeing
from ticket_console.tickets.tables import Visibility
from ticket_console.tickets.writing import StaleTicket, TicketNotFound

# How long a page may stay open for somebody who lost their right to it meanwhile.
_RECHECK_SECONDS: Final = 30.0
# What is added to a ticket without moving it.
_ASIDE: Final = frozenset({"ticket.attached", "ticket.commented", "ticket.looked_up"})


class TicketState(SessionState):
    status: str = "loading"
    ticket: Plain = {}
    steps: list[Plain] = []
    fields: list[Plain] = []
    events: list[Plain] = []
    comments: list[Plain] = []
    attachments: list[Plain] = []
    signatures: list[Plain] = []
    links: list[Plain] = []
    decisions: list[Plain] = []
    context: Plain = {}
    money: list[Plain] = []
    path_open: bool = False
    path: Plain = {}
    path_flow: Plain = {}
    offers: list[Plain] = []
    problems: dict[str, Any] = {}
    problem_step: int = 0
    tab: str = "timeline"
    asking: str = ""
    asked_step: Plain = {}
    busy: bool = False

    @handler(permission="ticket.view")
    async def load(self) -> Reply:
        self.status = "loading"
        self.problems, self.tab, self.asking = {}, "timeline", ""
        self.path_open, self.path, self.path_flow = False, {}, {}
        try:
            await self._show()
        except TicketNotFound:
            self.status = "missing"
        return None

    @handler(permission="ticket.view", background=True)
    async def watch(self) -> Reply:
        """Show what others do with this ticket while it is open here."""
        ticket_id = self._ticket_id()
        subscription = feed.subscribe()
        try:
            while True:
                try:
                    changed = await asyncio.wait_for(subscription.changes(), _RECHECK_SECONDS)
                except TimeoutError:
                    await self._resolve()
                    continue
                if changed == feed.EVERYTHING or ticket_id in changed:
                    viewer = await self._resolve()
                    try:
                        shown = await self._look(viewer)
                    except TicketNotFound:
                        shown = {"status": "missing"}
                    async with self:
                        self._put(shown)
        finally:
            feed.unsubscribe(subscription)

    @handler(permission="ticket.act")
    async def finish_step(self, token_id: int, answer: Plain) -> AsyncIterator[Reply]:
        """Finish a step with what was filled in; `answer` is {"action": edge key, "values": {...}}."""
        self.problems, self.problem_step = {}, token_id
        self.busy = True
        yield None
        entered = dict(answer.get("values") or {})
        strokes = entered.pop(SIGNATURE_FIELD, None)
        entered.pop(PHOTO_FIELD, None)
        checklist = entered.pop(CHECKLIST_FIELD, None)
        nothing: Plain = {"fields": []}
        step = next((each for each in self.steps if each["token_id"] == token_id), nothing)
        signer = str(self.ticket.get("contact_name") or self.user_name)
        finish = partial(
            moving.act,
            token_id=token_id,
            edge_key=str(answer.get("action") or "") or None,
            values=taken(entered, step["fields"]),
            signature=SignatureInput(signer, str(strokes)) if strokes else None,
            checklist=checklist,
        )
        try:
            try:
                moved = await in_writer(finish, **self._change())
            except StaleTicket as stale:
                self._overlook(stale)
                moved = await in_writer(finish, **self._change())
        except InvalidInput as refused:
            self.problems = problems_at_fields(refused)
            shown = {each["key"] for each in step["fields"]}
            yield refusal(without_places(refused, shown))
            return
        finally:
            self.busy = False
        yield await self._after(done("ticket.moved", no=moved.no))
        for warning in moved.warnings:
            yield told(warning.code, **warning.params)

    @handler(permission="ticket.act")
    async def ask_return(self, token_id: int, edge_key: str, kind: str) -> Reply:
        self.asking = "return"
        self.asked_step = {"token_id": token_id, "edge_key": edge_key, "kind": kind}
        return None

    @handler(permission="ticket.view")
    async def ask(self, what: str) -> Reply:
        """Open one of the page's dialogs: cancel, assign, release, correct."""
        if what == "assign":
            self.offers = await off_loop(
                _offers, viewer=self._actor(), ticket_id=self._ticket_id(), at=self._now()
            )
        self.asking = what
        return None

    @handler(permission="ticket.view")
    async def stop_asking(self) -> Reply:
        self.asking = ""
        return None

    @handler(permission="ticket.act")
    async def send_back(self, reason: str) -> Reply:
        step = dict(self.asked_step)
        self.asking = ""
        command = moving.reject if step.get("kind") == "reject" else moving.send_back
        moved = await in_writer(
            command,
            **self._change(),
            reason=reason,
            token_id=int(step["token_id"]),
            edge_key=str(step["edge_key"]),
        )
        return await self._after(done("ticket.sent_back", no=moved.no))

    @handler(permission="ticket.cancel")
    async def cancel(self, reason: str) -> Reply:
        self.asking = ""
        moved = await in_writer(moving.cancel, **self._change(), reason=reason)
        await self._show()
        return done("ticket.given_up", no=moved.no)

    @handler(permission="ticket.assign")
    async def assign(self, form: Plain) -> Reply:
        chosen = str(form.get("technician") or "")
        try:
            moved = await in_writer(
                assigning.assign,
                **self._change(),
                technician_id=int(chosen) if chosen.isdecimal() else 0,
                reason=str(form.get("reason") or ""),
                override=bool(form.get("override")),
            )
        except NotEligible as refused:
            # There is one field only; its name would tell nobody anything.
            refused.problems = tuple(replace(each, path="") for each in refused.problems)
            raise
        self.asking = ""
        await self._show()
        return done("ticket.given_to", no=moved.no, who=moved.assignee_name or "")

    @handler(permission="ticket.act")
    async def claim(self) -> Reply:
        moved = await in_writer(assigning.claim, **self._change())
        return await self._after(done("ticket.taken", no=moved.no))

    @handler(permission="ticket.act")
    async def release(self, reason: str) -> Reply:
        self.asking = ""
        moved = await in_writer(assigning.release, **self._change(), reason=reason)
        return await self._after(done("ticket.let_go", no=moved.no))

    @handler(permission="flow.manage")
    async def save_as_test(self, name: str) -> Reply:
        """Let the flow keep this ticket's way as a test that every new version has to pass."""
        self.asking = ""
        kept = await in_writer(
            golden.save_as_test,
            actor=self._actor(),
            at=self._now(),
            ticket_id=self._ticket_id(),
            name=name,
        )
        return done("ticket.saved_as_test", name=kept.name)

    @handler(permission="ticket.adjust")
    async def ask_otherwise(self, token_id: int, node_key: str) -> Reply:
        """Ask why a step is to be skipped, or another one done in its place."""
        self.asked_step = {"token_id": token_id, "node_key": node_key}
        self.asking = "otherwise" if node_key else "skip"
        return None

    @handler(permission="ticket.adjust")
    async def skip(self, reason: str) -> Reply:
        self.asking = ""
        moved = await in_writer(
            adjusting.skip, **self._change(), token_id=int(self.asked_step["token_id"]), reason=reason
        )
        return await self._after(done("ticket.moved", no=moved.no))

    @handler(permission="ticket.adjust")
    async def insert_step(self, reason: str) -> Reply:
        self.asking = ""
        moved = await in_writer(
            adjusting.insert_step,
            **self._change(),
            token_id=int(self.asked_step["token_id"]),
            node_key=str(self.asked_step["node_key"]),
            reason=reason,
        )
        return await self._after(done("ticket.moved", no=moved.no))

    @handler(permission="ticket.comment")
    async def comment(self, form: Plain) -> Reply:
        await in_writer(
            talking.comment,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            ticket_id=self._ticket_id(),
            text=str(form.get("text", "")),
            visibility=Visibility.CUSTOMER if form.get("for_customer") else Visibility.INTERNAL,
        )
        await self._show()
        return done("ticket.said")

    @handler(permission="settlement.correct")
    async def correct(self, reason: str) -> Reply:
        self.asking = ""
        moved = await in_writer(settling.correct, **self._change(), reason=reason)
        await self._show()
        return done("ticket.pay_corrected", no=moved.no)

    @handler(permission="ticket.view")
    async def show_tab(self, tab: str) -> Reply:
        self.tab = tab
        return None

    @handler(permission="ticket.view")
    async def show_path(self, is_open: bool) -> Reply:
        """Show the way the ticket took, and keep it up to date while it is shown."""
        self.path_open = is_open
        if is_open:
            self._put(await off_loop(_way, viewer=self._actor(), ticket_id=self._ticket_id()))
        return None

    def _ticket_id(self) -> int:
        last = self.router.url.path.rstrip("/").rsplit("/", 1)[-1]
        return int(last) if last.isascii() and last.isdecimal() and len(last) < 19 else 0

    def _change(self) -> dict[str, Any]:
        return {
            "actor": self._actor(),
            "at": self._now(),
            "command_id": str(uuid4()),
            "ticket_id": self._ticket_id(),
            "expected_version": int(self.ticket.get("version", 0)),
        }

    def _overlook(self, stale: StaleTicket) -> None:
        """Go on where one word, one file or one live value came in meanwhile, such as one's own photo."""
        seen, now = int(self.ticket.get("version", 0)), int(str(stale.params["version"] or 0))
        if now != seen + 1 or stale.params["what"] not in _ASIDE:
            raise stale
        self.ticket = {**self.ticket, "version": now}

    async def _after(self, notice: EventSpec) -> Reply:
        """Show the ticket as it is now; who gave it away is led back to their own work."""
        try:
            await self._show()
        except TicketNotFound:
            return [notice, rx.redirect("/my")]
        return notice

    async def _show(self) -> None:
        viewer = self._actor()
        self._put(await self._look(viewer))
        if viewer.user_id is not None:
            versions = {self._ticket_id(): int(self.ticket["version"])}
            await in_writer(seeing.saw, user_id=viewer.user_id, at=self._now(), versions=versions)

    async def _look(self, viewer: Actor) -> Plain:
        ticket_id = self._ticket_id()
        shown = await off_loop(_read, viewer=viewer, ticket_id=ticket_id, at=self._now())
        way = await off_loop(_way, viewer=viewer, ticket_id=ticket_id) if self.path_open else {}
        return {**shown, **way}

    def _put(self, shown: Plain) -> None:
        for part, value in {"status": "ready", **shown}.items():
            if getattr(self, part) != value:
                setattr(self, part, value)


# Channels and the console itself have a word in each language where people have a name.
_NOT_PEOPLE: Final = {
    "system": "ticket.by_system",
    **{name: f"intake.source.{name}" for name in CHANNELS},
}
# What the console does in consequence of somebody's command is not said to be their doing.
_BY_ITSELF: Final = frozenset(
    {
        "ticket.unassigned",
        "ticket.settled",
        "ticket.closed",
        "ticket.timer_fired",
        "ticket.webhook_due",
        "ticket.linked_due",
        "ticket.survey_asked",
        "ticket.notice_due",
        "ticket.notice_without_address",
        "ticket.step_late",
        "ticket.timed_out",
        "ticket.offered",
        "ticket.offer_over",
        "ticket.nobody_has_it",
        "ticket.handed_around",
        "ticket.handover_late",
    }
)
_PARTS_OF_PAGE: Final = ("fields", "events", "comments", "attachments", "signatures", "links")


def _read(*, viewer: Actor, ticket_id: int, at: datetime) -> Plain:
    """Everything of a ticket that its page shows, as the vars of the State."""
    with reading() as connection:
        view = ticket_page(connection, viewer=viewer, ticket_id=ticket_id, at=at)
        whole = plain(view)
        has_parts = any(
            field["kind"] == "parts" for each in (whole, *whole["steps"]) for field in each["fields"]
        )
        parts = [[part.sku, dict(part.name)] for part in stock.parts(connection, viewer)] if has_parts else []
        proofs = _proofs(reads.attachments_of(connection, ticket_id)) if view.steps else {}
    for each in (whole, *whole["steps"]):
        for field in each["fields"]:
            if field["kind"] == "parts":
                field["options"] = parts
    shown: Plain = {part: whole.pop(part) for part in _PARTS_OF_PAGE}
    for each in shown["attachments"]:
        each["url"] = f"/api/v1/attachments/{each['id']}"
    for each in shown["events"]:
        by_itself = each["type"] in _BY_ITSELF or each["details"].get("mode") in ("auto", "sticky")
        each["who_key"] = _NOT_PEOPLE.get("system" if by_itself else each["who"], "")
    shown["steps"] = [step_form(step, ticket_id, proofs) for step in whole.pop("steps")]
    shown["decisions"] = _unfolded(whole.pop("decisions") or [])
    shown["context"] = whole.pop("context") or {}
    shown["money"] = whole.pop("money") or []
    return {**shown, "ticket": whole}


def _way(*, viewer: Actor, ticket_id: int) -> Plain:
    found = read_path(viewer=viewer, ticket_id=ticket_id)
    return {"path_flow": found.pop("flow", {}), "path": found}


def _unfolded(decisions: list[Plain]) -> list[Plain]:
    """The decisions, of which the latest that says something stands open."""
    telling = next(
        (each for each in decisions if each["candidates"] or each["failed"] or each["chosen"]), None
    )
    return [{**each, "is_open": each is telling} for each in decisions]


def _proofs(attachments: Sequence[Mapping[str, Any]]) -> dict[int, list[Plain]]:
    """The photos that are there already, by the step they prove."""
    found: dict[int, list[Plain]] = {}
    for each in attachments:
        if each["token_id"] is not None and each["content_type"].startswith("image/"):
            url = f"/api/v1/attachments/{each['id']}"
            kept = {"id": each["id"], "name": each["filename"], "url": url}
            found.setdefault(each["token_id"], []).append(kept)
    return found


def _offers(*, viewer: Actor, ticket_id: int, at: datetime) -> list[Plain]:
    with reading() as connection:
        found = offering.offers_for(connection, viewer=viewer, ticket_id=ticket_id, at=at)
    return [plain(each) for each in found.offers]
