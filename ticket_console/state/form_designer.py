"""Drawing a form: the browser holds the document, this State hands gestures to the draft and answers."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, TypedDict

from reflex_base.event.context import EventContext

from ticket_console.access import policy
from ticket_console.desk import presence, publishing
from ticket_console.desk.presence import Person
from ticket_console.forms import drafts, ownership
from ticket_console.forms.draft_log import DraftMoved, DraftSummary, DraftView, GestureView, author_of
from ticket_console.forms.reads import TemplateNotFound
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import ConsoleError
from ticket_console.kernel.settings import settings
from ticket_console.state.asked import number_asked
from ticket_console.state.designer_choices import form_choices
from ticket_console.state.feedback import done, refusal
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

# A browser that was away for long sends what it has in one go.
_GESTURES: Final = 500


class _Where(TypedDict):
    kind: DraftKind
    code: str


class FormDesignerState(SessionState):
    missing: bool = False
    opened: Plain = {}
    saved: Plain = {}
    problems: list[Plain] = []
    choices: Plain = {}
    drafts: list[Plain] = []
    present: list[Plain] = []
    merging: Plain = {}
    log: Plain = {}

    @handler(permission="template.manage")
    async def load(self) -> Reply:
        """Open the asker's draft of the form in the address; the first look at a form makes one."""
        actor = self._actor()
        self.missing = False
        self.saved, self.merging, self.log = {}, {}, {}
        try:
            draft = await off_loop(drafts.open_draft, actor=actor, at=self._now(), code=self._code())
        except TemplateNotFound:
            self.missing = True
            return None
        self.choices = await off_loop(form_choices, viewer=actor)
        self.opened, self.problems = await off_loop(opened, actor=actor, draft=draft)
        self.drafts = await off_loop(_drafts_of_others, actor=actor, code=self._code())
        return None

    @handler(permission="template.manage", background=True)
    async def watch(self) -> Reply:
        """Tell this browser who else has the form open and draws on it, until it leaves the page.

        It runs from `on_load`, so Reflex ends it at the next navigation and when the websocket closes.
        """
        actor = self._actor()
        where = _Where(kind=DraftKind.FORM, code=self._code())
        tab = EventContext.get().token
        watching = presence.Watching(actor=actor, **where)
        try:
            while True:
                await off_loop(presence.enter, actor=actor, tab=tab, **where)
                with suppress(TimeoutError):
                    async with asyncio.timeout(presence.BEAT_SECONDS):
                        async for news in watching:
                            found = await off_loop(_drafts_of_others, actor=actor, code=where["code"])
                            async with self:
                                self.present = _others(news.people, actor)
                                self.drafts = found
                # Somebody who may draw no more is told nothing more.
                actor = await self._resolve()
                policy.require(actor, "template.manage")
        finally:
            watching.close()
            await off_loop(presence.leave, actor=actor, tab=tab, **where)

    @handler(permission="template.manage")
    async def taken(self) -> Reply:
        """The browser has the document; here it is needed no more."""
        self.opened = {}
        return None

    @handler(permission="template.manage")
    async def edit(self, sent: Plain) -> Reply:
        """Add gestures to the draft, one after the other; the answer says how far they came."""
        actor, at = self._actor(), self._now()
        draft_id, seq = number_asked(sent, "draft_id"), number_asked(sent, "if_match")
        gestures = [each for each in sent.get("gestures") or [] if isinstance(each, Mapping)][:_GESTURES]
        kept: list[str] = []
        told: Plain = {"kind": "saved", "draft": draft_id}
        reply: Reply = None
        for gesture in gestures:
            try:
                saved = await off_loop(
                    drafts.edit, actor=actor, at=at, draft_id=draft_id, if_match=seq, gesture=gesture
                )
            except DraftMoved as moved:
                if not moved.is_whole:
                    # Too much has happened elsewhere to be told: this tab begins anew with what is there.
                    draft = await off_loop(drafts.read, actor=actor, draft_id=draft_id)
                    self.opened, _ = await off_loop(opened, actor=actor, draft=draft)
                    told["kind"] = "refused"
                    reply = refusal(moved)
                    break
                told = {"kind": "moved", "draft": draft_id, "since": [_gesture(each) for each in moved.since]}
                seq = max([seq, *(each.seq for each in moved.since)])
                break
            except ConsoleError as refused:
                told["kind"] = "refused"
                reply = refusal(refused)
                break
            seq = saved.seq
            kept.append(str(gesture.get("id")))
        self.saved = {**told, "ids": kept, "seq": seq}
        self.problems = await off_loop(_problems_of, actor=actor, draft_id=draft_id)
        return reply

    @handler(permission="template.manage")
    async def recover(self, asked: Plain) -> Reply:
        draft = await off_loop(
            drafts.recover,
            actor=self._actor(),
            at=self._now(),
            draft_id=number_asked(asked, "draft_id"),
            if_match=number_asked(asked, "if_match"),
            seq=number_asked(asked, "seq"),
        )
        self.opened, self.problems = await off_loop(opened, actor=self._actor(), draft=draft)
        return done("form_designer.recovered", n=number_asked(asked, "seq"))

    @handler(permission="template.manage")
    async def show_history(self, asked: Plain) -> Reply:
        draft_id = number_asked(asked, "draft_id")
        found = await off_loop(drafts.history, actor=self._actor(), draft_id=draft_id)
        entries = [
            {
                "seq": each.seq,
                "label": each.label,
                "params": dict(each.label_params),
                "author": each.author_name,
                "at": instant_text(each.at),
            }
            for each in found
        ]
        self.log = {"draft_id": draft_id, "entries": entries}
        return None

    @handler(permission="template.manage")
    async def merge(self, asked: Plain) -> Reply:
        """Take in what was published meanwhile, or somebody else's draft; conflicts are shown first."""
        draft_id, other = number_asked(asked, "draft_id"), asked.get("other")
        outcome = await off_loop(
            drafts.merge,
            actor=self._actor(),
            at=self._now(),
            draft_id=draft_id,
            if_match=number_asked(asked, "if_match"),
            other_draft_id=None if other is None else number_asked(asked, "other"),
            choices=asked.get("choices") or (),
        )
        conflicts = [
            {"path": list(each.path), "sides": dict(each.sides), "is_order": each.is_order}
            for each in outcome.conflicts
        ]
        self.merging = {
            "draft_id": draft_id,
            "other": other,
            "conflicts": conflicts,
            "done": outcome.draft is not None,
        }
        if outcome.draft is None:
            return None
        self.opened, self.problems = await off_loop(opened, actor=self._actor(), draft=outcome.draft)
        return done("form_designer.merged")

    @handler(permission="template.manage")
    async def discard(self, asked: Plain) -> Reply:
        """Throw the draft away and begin again from what is published; what never was is gone."""
        await off_loop(
            drafts.discard,
            actor=self._actor(),
            at=self._now(),
            draft_id=number_asked(asked, "draft_id"),
            if_match=number_asked(asked, "if_match"),
        )
        return [FormDesignerState.load, done("form_designer.discarded")]

    def _code(self) -> str:
        return self.router.url.path.rstrip("/").rpartition("/")[2][:64]


def _problems_of(*, actor: Actor, draft_id: int) -> list[Plain]:
    return _problems(actor, drafts.read(actor=actor, draft_id=draft_id))


def _problems(actor: Actor, draft: DraftView) -> list[Plain]:
    """What keeps a form from being published."""
    with reading() as connection:
        found = publishing.problems_of(connection, actor, DraftKind.FORM, draft.code, draft.document)
    return [{"path": each.path, "code": each.code, "params": dict(each.params)} for each in found]


def opened(*, actor: Actor, draft: DraftView) -> tuple[Plain, list[Plain]]:
    """A draft as the browser takes it, once, and what keeps it from being published."""
    published = draft.base.get("definition", {}).get("sections", []) if draft.base_version_id else []
    told = {
        "draft": {
            "id": draft.id,
            "code": draft.code,
            "base_number": draft.base_number,
            "newest_number": draft.newest_number,
            "published_keys": [spec["key"] for section in published for spec in section["fields"]],
            "address": f"{settings().public_url}/request/{draft.code}",
            "department": actor.department if ownership.is_bound(actor) else "",
        },
        "seq": draft.seq,
        "document": draft.document,
        "gestures": [_gesture(each) for each in draft.gestures],
    }
    return told, _problems(actor, draft)


def _gesture(each: GestureView) -> Plain:
    return {
        "id": each.id,
        "seq": each.seq,
        "label": each.label,
        "ops": list(each.ops),
        "inverse": list(each.inverse),
    }


def _others(people: tuple[Person, ...], actor: Actor) -> list[Plain]:
    me = author_of(actor)
    return [{"id": each.author, "name": each.name} for each in people if each.author != me]


def _drafts_of_others(*, actor: Actor, code: str) -> list[Plain]:
    return [
        _summary(each)
        for each in drafts.drafts_of(actor=actor, code=code)
        if not each.is_mine and each.has_changes
    ]


def _summary(draft: DraftSummary) -> Plain:
    return {
        "draft_id": draft.id,
        "author_id": draft.author,
        "author": draft.author_name,
        "updated_at": instant_text(draft.updated_at),
    }
