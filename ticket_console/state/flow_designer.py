"""The flow designer: a draft goes to the browser once, its gestures come back, and nothing stays here."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import reflex as rx
from reflex_base.event.context import EventContext

from ticket_console.access import policy
from ticket_console.desk import presence, publishing
from ticket_console.flows import drafts, in_use
from ticket_console.flows.diff import GraphDiff
from ticket_console.flows.graph_json import parse_graph
from ticket_console.flows.reads import FlowNotFound
from ticket_console.forms import publications
from ticket_console.forms.draft_log import DraftMoved, author_of
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.kernel.text import LOCALES, LocalText
from ticket_console.state import flow_views
from ticket_console.state.asked import number_asked, text_asked
from ticket_console.state.board_wire import SocketWire
from ticket_console.state.feedback import done, refusal, unexpected
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_MOST_AT_ONCE: Final = 50


class FlowDesignerState(SessionState):
    feed: Plain = {}
    verdict: Plain = {}
    news: Plain = {}
    report: Plain = {}
    words: Plain = {}
    preview: Plain = {}
    merging: Plain = {}
    publication: Plain = {}
    people: list[Plain] = []
    me: str = ""

    @handler(permission="flow.manage")
    async def load(self) -> Reply:
        code = self._code()
        self.words = await off_loop(_words, viewer=self._actor(), code=code)
        self.preview, self.merging, self.publication = {}, {}, {}
        self.verdict, self.news, self.report = {}, {}, {}
        return FlowDesignerState.open_again

    @handler(permission="flow.manage")
    async def open_again(self) -> Reply:
        """Send the whole draft: at first, and whenever it has moved elsewhere."""
        try:
            opened = await in_writer(_opened, actor=self._actor(), at=self._now(), code=self._code())
        except FlowNotFound:
            await _wire.send_here({"missing": True})
            return None
        except ConsoleError as error:
            await _wire.send_here({"failed": True})
            return refusal(error)
        await _wire.send_here(opened)
        return None

    @handler(permission="flow.manage", background=True)
    async def watch(self) -> Reply:
        """Tell this browser who else has the flow open, and that a draft of it has moved.

        It runs from `on_load`, so Reflex ends it at the next navigation and when the websocket closes.
        """
        code, tab, actor = self._code(), EventContext.get().token, self._actor()
        watching = presence.Watching(actor=actor, kind=DraftKind.FLOW, code=code)
        try:
            while True:
                await off_loop(presence.enter, actor=actor, kind=DraftKind.FLOW, code=code, tab=tab)
                with suppress(TimeoutError):
                    async with asyncio.timeout(presence.BEAT_SECONDS):
                        async for news in watching:
                            newest, _ = await off_loop(_newest, org_id=actor.org_id, code=code)
                            async with self:
                                self._hear(actor, news, newest)
                # Somebody who may draw no more is told nothing more.
                actor = await self._resolve()
                policy.require(actor, "flow.manage")
        finally:
            watching.close()
            await off_loop(presence.leave, actor=actor, kind=DraftKind.FLOW, code=code, tab=tab)

    def _hear(self, actor: Actor, news: presence.News, newest: int | None) -> None:
        self.me = author_of(actor)
        self.people = [{"id": each.author, "name": each.name} for each in news.people]
        if news.draft is not None:
            moved = {"draft_id": news.draft.get("draft", 0), "seq": news.draft.get("seq", 0)}
            self.news = {**moved, "newest": newest}

    @handler(permission="flow.manage")
    async def save(self, draft_id: int, seq: int, gestures: list[Any]) -> Reply:
        """Add finished gestures to the log; the browser shows them already and waits for the answer."""
        _refuse_wrong(numbers={"draft_id": draft_id, "seq": seq}, lists={"gestures": gestures})
        ids = [str(each.get("id", "")) for each in gestures[:_MOST_AT_ONCE] if isinstance(each, dict)]
        answer: Plain = {"draft_id": draft_id, "ids": ids, "seq": seq, "ok": False}
        try:
            self.verdict = {
                **answer,
                "ok": True,
                "seq": await in_writer(
                    _save,
                    actor=self._actor(),
                    at=self._now(),
                    draft_id=draft_id,
                    seq=seq,
                    gestures=gestures[:_MOST_AT_ONCE],
                ),
            }
        except DraftMoved as moved:
            self.verdict = {**answer, "moved": True, "params": moved.params}
        except ConsoleError as error:
            self.verdict = answer
            return refusal(error)
        except Exception as fault:
            self.verdict = answer
            return unexpected(fault)
        return None

    @handler(permission="flow.manage")
    async def check(self, draft_id: int, seq: int) -> Reply:
        """What is wrong with the draft as it is now; `seq` says which state was meant."""
        _refuse_wrong(numbers={"draft_id": draft_id, "seq": seq})
        problems = await off_loop(_checked, actor=self._actor(), draft_id=draft_id)
        self.report = {"draft_id": draft_id, "seq": seq, "problems": problems}
        return None

    @handler(permission="flow.manage")
    async def recover(self, draft_id: int, seq: int, to_seq: int) -> Reply:
        _refuse_wrong(numbers={"draft_id": draft_id, "seq": seq, "to_seq": to_seq})
        await in_writer(
            drafts.recover, actor=self._actor(), at=self._now(), draft_id=draft_id, if_match=seq, seq=to_seq
        )
        return [FlowDesignerState.open_again, done("flow_designer.recovered")]

    @handler(permission="flow.manage")
    async def look(self, draft_id: int, node: str, role: str, template: str) -> Reply:
        """A step of the draft as a role would see it."""
        texts = {"node": node, "role": role, "template": template}
        _refuse_wrong(numbers={"draft_id": draft_id}, texts=texts)
        self.preview = await off_loop(
            _looked, actor=self._actor(), draft_id=draft_id, node=node, role=role, template=template
        )
        return None

    @handler(permission="flow.manage")
    async def compare(self, draft_id: int, other_id: int) -> Reply:
        """Take in a colleague's draft, or the version in use (-1); what both sides changed is asked first.

        0 puts the question away.
        """
        _refuse_wrong(numbers={"draft_id": draft_id, "other_id": other_id})
        self.merging = {}
        if other_id == 0:
            return None
        self.merging = await in_writer(
            _compared, actor=self._actor(), at=self._now(), draft_id=draft_id, other_id=other_id
        )
        return None if self.merging else _merged()

    @handler(permission="flow.manage")
    async def merge(self, draft_id: int, seq: int, other_id: int, choices: list[Plain]) -> Reply:
        numbers = {"draft_id": draft_id, "seq": seq, "other_id": other_id}
        _refuse_wrong(numbers=numbers, lists={"choices": choices})
        await in_writer(
            drafts.merge,
            actor=self._actor(),
            at=self._now(),
            draft_id=draft_id,
            if_match=seq,
            other_draft_id=_other(other_id),
            choices=choices,
        )
        self.merging = {}
        return _merged()

    @handler(permission="flow.manage")
    async def look_at_changes(self, draft_id: int) -> Reply:
        """What publishing the draft would do."""
        _refuse_wrong(numbers={"draft_id": draft_id})
        self.publication = await off_loop(_publication, actor=self._actor(), draft_id=draft_id)
        return None

    @handler(permission="flow.manage")
    async def publish(self, draft_id: int, seq: int, note: str, accepted: dict[str, str]) -> Reply:
        """Put the draft in use; `accepted` says of tests that fail why they may."""
        # What a browser sends need not be what the annotation says.
        sent: Any = accepted
        reasons = sent if isinstance(sent, dict) else {"accepted": sent}
        _refuse_wrong(numbers={"draft_id": draft_id, "seq": seq}, texts={"note": note, **reasons})
        published = await off_loop(
            publishing.publish,
            actor=self._actor(),
            at=self._now(),
            command_id=str(uuid4()),
            kind=DraftKind.FLOW,
            draft_id=draft_id,
            if_match=seq,
            note=note,
            accepted=accepted,
        )
        self.publication = {"published": published.number}
        return [FlowDesignerState.open_again, done("flow_designer.published", number=published.number)]

    @handler(permission="flow.manage")
    async def begin(self, entered: Plain) -> Reply:
        """The first draft of a new flow, from the smallest there is or from a copy of another."""
        code = str(entered.get("code", "")).strip()
        await in_writer(
            _begun,
            actor=self._actor(),
            at=self._now(),
            code=code,
            name={locale: str(entered.get(locale, "")).strip() for locale in LOCALES},
            copy_of=str(entered.get("copy_of", "")),
        )
        return rx.redirect(f"/designer/flows/{code}")

    @handler(permission="flow.manage")
    async def offer(self) -> Reply:
        """What a new flow can be a copy of."""
        self.words = await off_loop(_words, viewer=self._actor(), code="")
        return None

    def _code(self) -> str:
        return self.router.url.path.rstrip("/").rsplit("/", 1)[-1][:64]


def _refuse_wrong(
    *, numbers: Plain, texts: Plain | None = None, lists: Mapping[str, object] | None = None
) -> None:
    """Refuse what no page of ours sends, before any of it is used."""
    for name in numbers:
        number_asked(numbers, name)
    for name in texts or {}:
        text_asked(texts or {}, name)
    for name, value in (lists or {}).items():
        if not isinstance(value, list):
            raise InvalidInput((FieldProblem(name, "input.wrong_type"),))


def _words(*, viewer: Actor, code: str) -> Plain:
    with reading() as connection:
        return flow_views.words(connection, viewer=viewer, code=code)


def _opened(*, actor: Actor, at: datetime, code: str) -> Plain:
    draft = drafts.open_draft(actor=actor, at=at, code=code)
    number, by = _newest(org_id=actor.org_id, code=code)
    return {
        **flow_views.opened(draft, drafts.drafts_of(actor=actor, code=code)),
        "newest_number": number,
        "newest_by": by,
        "opened": str(uuid4()),
    }


def _newest(*, org_id: int, code: str) -> tuple[int | None, str]:
    """The number of the version in use, and who put it there."""
    with reading() as connection:
        newest = drafts.SUBJECT.newest(connection, org_id, code)
        book = publications.of_subject(connection, org_id=org_id, kind=DraftKind.FLOW, code=code)
    if newest is None:
        return None, ""
    return newest.number, book[0].actor_name if book else newest.published_by or ""


def _begun(*, actor: Actor, at: datetime, code: str, name: LocalText, copy_of: str) -> None:
    document = drafts.EMPTY
    if copy_of:
        with reading() as connection:
            graph = in_use.drawn(connection, actor.org_id, copy_of).graph
        document = drafts.document_of(parse_graph(graph), name)
    said = {locale: text for locale, text in name.items() if text}
    drafts.start(actor=actor, at=at, code=code, document={**document, "name": said})


def _save(*, actor: Actor, at: datetime, draft_id: int, seq: int, gestures: list[Any]) -> int:
    for gesture in gestures:
        seq = drafts.edit(actor=actor, at=at, draft_id=draft_id, if_match=seq, gesture=gesture).seq
    return seq


def _checked(*, actor: Actor, draft_id: int) -> list[Plain]:
    draft = drafts.read(actor=actor, draft_id=draft_id)
    with reading() as connection:
        return flow_views.checked(connection, viewer=actor, code=draft.code, document=draft.document)


def _looked(*, actor: Actor, draft_id: int, node: str, role: str, template: str) -> Plain:
    draft = drafts.read(actor=actor, draft_id=draft_id)
    with reading() as connection:
        return flow_views.step_as(
            connection,
            viewer=actor,
            code=draft.code,
            document=draft.document,
            node_key=node,
            role=role,
            template=template,
        )


def _merged() -> Reply:
    return [FlowDesignerState.open_again, done("flow_designer.merged")]


def _other(other_id: int) -> int | None:
    return other_id if other_id > 0 else None


def _compared(*, actor: Actor, at: datetime, draft_id: int, other_id: int) -> Plain:
    mine = drafts.read(actor=actor, draft_id=draft_id)
    outcome = drafts.merge(
        actor=actor, at=at, draft_id=draft_id, if_match=mine.seq, other_draft_id=_other(other_id)
    )
    if outcome.draft is not None:
        return {}
    return {
        "with": other_id,
        "who": drafts.read(actor=actor, draft_id=other_id).author_name if other_id > 0 else "",
        "conflicts": [
            {"path": list(each.path), "is_order": each.is_order, **each.sides} for each in outcome.conflicts
        ],
    }


def _publication(*, actor: Actor, draft_id: int) -> Plain:
    preview = publishing.preview(actor=actor, kind=DraftKind.FLOW, draft_id=draft_id)
    draft = preview.draft
    return {
        "draft_id": draft.id,
        "seq": draft.seq,
        "number": draft.newest_number,
        "is_behind": draft.is_behind,
        "changes": [
            {"code": line.sentence, "params": dict(line.params), "tone": line.kind.value, "key": line.key}
            for line in preview.lines
        ],
        "marks": {key: {"tone": kind.value} for key, kind in GraphDiff(preview.lines).marks.items()},
        "authors": list(preview.authors.values()),
        "running": preview.running,
        "problems": [flow_views.problem(each, "danger") for each in preview.problems],
        "tests": [
            {"name": each.name, "ticket_no": each.ticket_no, "passed": each.passed} for each in preview.tests
        ],
    }


_wire: Final = SocketWire(FlowDesignerState.get_full_name())
