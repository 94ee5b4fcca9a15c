"""What a customer sees and does by the link of their request; nobody logs in here."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from limits import RateLimitItemPerMinute

from ticket_console.access import throttle
from ticket_console.desk import customer
from ticket_console.desk.story import customer_story
from ticket_console.kernel import feed
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import InvalidInput, RateLimited
from ticket_console.notices.surveys import SurveyView
from ticket_console.state.feedback import done, refusal
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.steps import (
    SIGNATURE_FIELD,
    Plain,
    both,
    evidence_field,
    form_field,
    plain,
    problems_at_fields,
    taken,
    without_places,
)
from ticket_console.tickets.writing import TicketNotFound

# A link has 192 bits; whoever tries this many wrong ones in a minute is guessing.
WRONG_LINKS: Final = RateLimitItemPerMinute(20, namespace="tracking_link")
SIGNER_FIELD: Final = "signer_name"
# A change of another server process that was not heard shows after this long.
_LOOK_AGAIN_SECONDS: Final = 60.0


class TrackState(SessionState):
    status: str = "loading"
    job: Plain = {}
    milestones: list[Plain] = []
    entries: list[Plain] = []
    words: list[Plain] = []
    files: list[Plain] = []
    signatures: list[Plain] = []
    fields: list[Plain] = []
    actions: list[Plain] = []
    problems: dict[str, Any] = {}
    survey: Plain = {}
    survey_problems: dict[str, Any] = {}
    asking: bool = False
    busy: bool = False

    @handler(public=True)
    async def load(self) -> Reply:
        self.status, self.problems, self.asking = "loading", {}, False
        await self._show()
        return None

    @handler(public=True, background=True)
    async def watch(self) -> Reply:
        """Keep the page true while the customer looks at it."""
        link = self._link()
        try:
            _, tracked = await off_loop(customer.customer_of, link)
        except TicketNotFound:
            return None
        subscription = feed.subscribe()
        try:
            while True:
                try:
                    changed = await asyncio.wait_for(subscription.changes(), _LOOK_AGAIN_SECONDS)
                except TimeoutError:
                    changed = feed.EVERYTHING
                if changed == feed.EVERYTHING or tracked.ticket_id in changed:
                    shown = await off_loop(_read, link=link, address=self._address(), at=self._now())
                    async with self:
                        self._put(shown)
        finally:
            feed.unsubscribe(subscription)

    @handler(public=True)
    async def accept(self, answer: Plain) -> Reply:
        """The customer signs; `answer` is what the form gives."""
        self.problems = {}
        entered = dict(answer.get("values") or {})
        strokes = str(entered.pop(SIGNATURE_FIELD, None) or "")
        signer = str(entered.pop(SIGNER_FIELD, None) or "")
        self.busy = True
        try:
            await in_writer(
                customer.accept,
                token=self._link(),
                at=self._now(),
                command_id=str(uuid4()),
                signer_name=signer,
                strokes=strokes,
                values=taken(entered, self.fields),
            )
        except InvalidInput as refused:
            self.problems = problems_at_fields(refused)
            return refusal(without_places(refused, {each["key"] for each in self.fields}))
        finally:
            self.busy = False
        await self._show()
        return done("track.thanks")

    @handler(public=True)
    async def ask(self) -> Reply:
        self.asking = True
        return None

    @handler(public=True)
    async def stop_asking(self) -> Reply:
        self.asking = False
        return None

    @handler(public=True)
    async def refuse(self, reason: str) -> Reply:
        self.asking = False
        await in_writer(
            customer.refuse, token=self._link(), at=self._now(), command_id=str(uuid4()), reason=reason
        )
        await self._show()
        return done("track.refused")

    @handler(public=True)
    async def answer_survey(self, answer: Plain) -> Reply:
        """The customer says how it went; `answer` is what the form gives."""
        self.survey_problems = {}
        entered = dict(answer.get("values") or {})
        try:
            await in_writer(
                customer.answer_survey,
                token=self._link(),
                at=self._now(),
                command_id=str(uuid4()),
                survey_id=int(self.survey.get("id") or 0),
                answers=entered,
            )
        except InvalidInput as refused:
            self.survey_problems = problems_at_fields(refused)
            return refusal(without_places(refused, {each["key"] for each in self.survey["fields"]}))
        await self._show()
        return done("track.survey.thanks")

    @handler(public=True)
    async def write(self, form: Plain) -> Reply:
        await in_writer(
            customer.write,
            token=self._link(),
            at=self._now(),
            command_id=str(uuid4()),
            text=str(form.get("text", "")),
        )
        await self._show()
        return done("track.written")

    def _link(self) -> str:
        return self.router.url.path.rstrip("/").rsplit("/", 1)[-1][:200]

    def _address(self) -> str:
        return str(self.router.session.client_ip)

    async def _show(self) -> None:
        self._put(await off_loop(_read, link=self._link(), address=self._address(), at=self._now()))

    def _put(self, shown: Plain) -> None:
        for part, value in shown.items():
            if getattr(self, part) != value:
                setattr(self, part, value)


def _read(*, link: str, address: str, at: datetime) -> Plain:
    """What the page shows: nothing of the ticket goes to the browser that is not written here by name."""
    try:
        throttle.refuse_beyond(WRONG_LINKS, address)
        view = customer.track(token=link, at=at)
        actor, _ = customer.customer_of(link)
    except RateLimited:
        return {"status": "too_often"}
    except TicketNotFound:
        throttle.count(WRONG_LINKS, address)
        return {"status": "missing"}
    ticket = view.ticket
    with reading() as connection:
        story = customer_story(connection, viewer=actor, ticket_id=ticket.id)
    step = next((plain(each) for each in ticket.steps if each.can_act), None) if view.can_accept else None
    return {
        "status": "ready",
        "job": {
            "no": ticket.no,
            "title": ticket.title,
            "description": ticket.description,
            "template": dict(ticket.template),
            "org": dict(view.org),
            "now": story.now.value if story.now else "cancelled",
            "technician": story.technician or "",
            "tz": ticket.tz,
            "is_open": ticket.status == "open",
            "can_accept": view.can_accept,
            "can_refuse": view.can_refuse,
        },
        "milestones": [
            {"name": both(f"track.milestone.{each.key}"), "state": each.state, "category": each.key.value}
            for each in story.milestones
        ],
        "entries": [plain(each) for each in story.entries],
        "words": [plain(each) for each in story.words],
        "files": [
            {
                "url": f"/api/v1/track/{link}/attachments/{each.id}",
                "filename": each.filename,
                "content_type": each.content_type,
                "at": each.at.isoformat(),
                "who": "",
            }
            for each in ticket.attachments
        ],
        "signatures": [plain(each) for each in ticket.signatures],
        "survey": _survey(view.surveys),
        "fields": [] if step is None else _fields(step, ticket.contact_name),
        "actions": [] if step is None else [{"key": "", "label": both("track.accept"), "tone": "primary"}],
    }


def _fields(step: Plain, contact_name: str) -> list[Plain]:
    signer = {
        "key": SIGNER_FIELD,
        "kind": "text",
        "label": both("track.signer"),
        "help": {},
        "required": True,
        "writable": True,
        "value": contact_name,
        "options": [],
        "max_length": 120,
    }
    return [*(form_field(each) for each in step["fields"]), signer, evidence_field("signature")]


def _survey(asked: Sequence[SurveyView]) -> Plain:
    """The oldest survey that waits for its answer, as a form."""
    waiting = next((each for each in asked if each.answers is None), None)
    if waiting is None:
        return {}
    return {
        "id": waiting.id,
        "fields": [
            {
                "key": question["key"],
                "kind": "rating" if question["kind"] == "rating" else "long_text",
                "label": question["label"],
                "help": {},
                "required": question["kind"] == "rating",
                "writable": True,
                "value": None,
                "options": [],
            }
            for question in waiting.questions
        ],
        "actions": [{"key": "", "label": both("track.survey.send"), "tone": "primary"}],
    }
