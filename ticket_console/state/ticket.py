"""One ticket on screen: what it shows of it, and what its viewer does with it."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from ticket_console.desk import assigning, moving, settling, talking
from ticket_console.desk.page import TicketView, ticket_page
from ticket_console.desk.signing import SignatureInput
from ticket_console.i18n import translate
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import InvalidInput
from ticket_console.kernel.text import LOCALES
from ticket_console.people import reads as people
from ticket_console.state.feedback import done
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.tickets.tables import Visibility

# How long a page may stay open for somebody who lost their right to it meanwhile.
_RECHECK_SECONDS: Final = 30.0

Plain = dict[str, Any]

# Evidence stands in the form like a field; its key cannot be one of a template's.
PHOTO_FIELD: Final = "evidence:photo"
SIGNATURE_FIELD: Final = "evidence:signature"
_EVIDENCE: Final = {"photo": PHOTO_FIELD, "signature": SIGNATURE_FIELD}


class TicketState(SessionState):
    status: str = "loading"
    ticket: Plain = {}
    steps: list[Plain] = []
    fields: list[Plain] = []
    events: list[Plain] = []
    comments: list[Plain] = []
    attachments: list[Plain] = []
    signatures: list[Plain] = []
    decisions: list[Plain] = []
    context: Plain = {}
    money: list[Plain] = []
    technicians: list[Plain] = []
    problems: dict[str, Any] = {}
    tab: str = "timeline"
    asking: str = ""
    asked_step: Plain = {}
    busy: bool = False

    @handler(permission="ticket.view")
    async def load(self) -> Reply:
        self.status = "loading"
        await self._show()
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
                    view = await off_loop(_read, viewer=viewer, ticket_id=ticket_id, at=self._now())
                    async with self:
                        self._put(view)
        finally:
            feed.unsubscribe(subscription)

    @handler(permission="ticket.act")
    async def finish_step(self, token_id: int, answer: Plain) -> Reply:
        """Finish a step with what was filled in; `answer` is {"action": edge key, "values": {...}}."""
        self.problems = {}
        self.busy = True
        entered = dict(answer.get("values") or {})
        strokes = entered.pop(SIGNATURE_FIELD, None)
        entered.pop(PHOTO_FIELD, None)
        signer = str(self.ticket.get("contact_name") or self.user_name)
        try:
            moved = await in_writer(
                moving.act,
                **self._change(),
                token_id=token_id,
                edge_key=str(answer.get("action") or "") or None,
                values={key: value for key, value in entered.items() if value not in (None, "", [])},
                signature=SignatureInput(signer, str(strokes)) if strokes else None,
            )
        except InvalidInput as refused:
            self.problems = {
                _EVIDENCE.get(each.path, each.path): {"code": each.code, "params": dict(each.params)}
                for each in refused.problems
            }
            raise
        finally:
            self.busy = False
        await self._show()
        return done("ticket.moved", no=moved.no)

    @handler(permission="ticket.act")
    async def ask_return(self, token_id: int, edge_key: str, kind: str) -> Reply:
        self.asking = "return"
        self.asked_step = {"token_id": token_id, "edge_key": edge_key, "kind": kind}
        return None

    @handler(permission="ticket.view")
    async def ask(self, what: str) -> Reply:
        """Open one of the page's dialogs: cancel, assign, release, correct."""
        if what == "assign":
            self.technicians = await off_loop(_technicians, viewer=self._actor())
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
        await self._show()
        return done("ticket.sent_back", no=moved.no)

    @handler(permission="ticket.cancel")
    async def cancel(self, reason: str) -> Reply:
        self.asking = ""
        moved = await in_writer(moving.cancel, **self._change(), reason=reason)
        await self._show()
        return done("ticket.given_up", no=moved.no)

    @handler(permission="ticket.assign")
    async def assign(self, form: Plain) -> Reply:
        chosen = str(form.get("technician") or "")
        moved = await in_writer(
            assigning.assign,
            **self._change(),
            technician_id=int(chosen) if chosen.isdecimal() else 0,
            reason=str(form.get("reason") or ""),
            override=bool(form.get("override")),
        )
        self.asking = ""
        await self._show()
        return done("ticket.given_to", no=moved.no, who=moved.assignee_name or "")

    @handler(permission="ticket.act")
    async def claim(self) -> Reply:
        moved = await in_writer(assigning.claim, **self._change())
        await self._show()
        return done("ticket.taken", no=moved.no)

    @handler(permission="ticket.act")
    async def release(self, reason: str) -> Reply:
        self.asking = ""
        moved = await in_writer(assigning.release, **self._change(), reason=reason)
        await self._show()
        return done("ticket.let_go", no=moved.no)

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

    async def _show(self) -> None:
        view = await off_loop(_read, viewer=self._actor(), ticket_id=self._ticket_id(), at=self._now())
        self._put(view)

    def _put(self, view: TicketView) -> None:
        whole = plain(view)
        self.steps = [_step(step, view.id) for step in whole.pop("steps")]
        for part in ("fields", "events", "comments", "attachments", "signatures"):
            setattr(self, part, whole.pop(part))
        self.decisions = whole.pop("decisions") or []
        self.context = whole.pop("context") or {}
        self.money = whole.pop("money") or []
        self.ticket = whole
        self.status = "ready"


def _step(step: Plain, ticket_id: int) -> Plain:
    """A step with its form: the ways on as buttons, and the evidence as fields of its own."""
    ways = [edge for edge in step["edges"] if not edge["needs_reason"]]
    fields = [
        {**each, "options": [{"value": value, "label": label} for value, label in each["options"]]}
        for each in step["fields"]
    ]
    if step["can_act"]:
        fields += [_evidence_field(kind) for kind in step["evidence"]]
    return {
        **step,
        "fields": fields,
        "actions": [
            {
                "key": edge["key"],
                "label": edge["name"] if any(edge["name"].values()) else _both("ticket.finish_step"),
                "tone": "primary" if position == 0 else "plain",
            }
            for position, edge in enumerate(ways)
        ],
        "ways_back": [
            {**edge, "name": edge["name"] if any(edge["name"].values()) else _both("ticket.send_back")}
            for edge in step["edges"]
            if edge["needs_reason"]
        ],
        "upload_url": f"/api/v1/tickets/{ticket_id}/attachments?token_id={step['token_id']}",
    }


def _evidence_field(kind: str) -> Plain:
    key = _EVIDENCE[kind]
    return {
        "key": key,
        "kind": kind,
        "label": _both(f"ticket.evidence.{kind}"),
        "help": {},
        "required": True,
        "writable": True,
        "value": None,
        "options": [],
    }


def _both(key: str) -> dict[str, str]:
    return {locale: translate(key, locale) for locale in LOCALES}


def plain(view: Any) -> Any:
    """A view as the browser takes it: maps, lists, and moments as text."""
    return _plain(asdict(view))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _read(*, viewer: Actor, ticket_id: int, at: datetime) -> TicketView:
    with reading() as connection:
        return ticket_page(connection, viewer=viewer, ticket_id=ticket_id, at=at)


def _technicians(*, viewer: Actor) -> list[Plain]:
    with reading() as connection:
        return [plain(each) for each in people.technicians(connection, viewer)]
