"""The flow designer: a draft goes to the browser once, its gestures come back, and nothing stays here."""

from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from ticket_console.flows import drafts
from ticket_console.forms.draft_log import DraftMoved, topic
from ticket_console.forms.tables import DraftKind
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import ConsoleError
from ticket_console.kernel.signals import Listening
from ticket_console.state import flow_views
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

    @handler(permission="flow.manage")
    async def load(self) -> Reply:
        code = self._code()
        self.words = await off_loop(_words, viewer=self._actor(), code=code)
        self.preview, self.merging, self.verdict, self.news, self.report = {}, {}, {}, {}, {}
        return FlowDesignerState.open_again

    @handler(permission="flow.manage")
    async def open_again(self) -> Reply:
        """Send the whole draft: at first, and whenever it has moved elsewhere."""
        try:
            opened = await in_writer(_opened, actor=self._actor(), at=self._now(), code=self._code())
        except ConsoleError as error:
            await _wire.send_here({"failed": True})
            return refusal(error)
        await _wire.send_here(opened)
        return None

    @handler(permission="flow.manage", background=True)
    async def watch(self) -> Reply:
        """Tell this browser that its draft, or a colleague's of the same flow, has moved."""
        listening = Listening(topic(DraftKind.FLOW, self._code()))
        try:
            async for signal in listening:
                async with self:
                    self.news = {"draft_id": signal.body["draft"], "seq": signal.body["seq"]}
        finally:
            listening.close()
        return None

    @handler(permission="flow.manage")
    async def save(self, draft_id: int, seq: int, gestures: list[Plain]) -> Reply:
        """Add finished gestures to the log; the browser shows them already and waits for the answer."""
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
        problems = await off_loop(_checked, actor=self._actor(), draft_id=draft_id)
        self.report = {"draft_id": draft_id, "seq": seq, "problems": problems}
        return None

    @handler(permission="flow.manage")
    async def recover(self, draft_id: int, seq: int, to_seq: int) -> Reply:
        await in_writer(
            drafts.recover, actor=self._actor(), at=self._now(), draft_id=draft_id, if_match=seq, seq=to_seq
        )
        return [FlowDesignerState.open_again, done("flow_designer.recovered")]

    @handler(permission="flow.manage")
    async def look(self, draft_id: int, node: str, role: str, template: str) -> Reply:
        """A step of the draft as a role would see it."""
        self.preview = await off_loop(
            _looked, actor=self._actor(), draft_id=draft_id, node=node, role=role, template=template
        )
        return None

    @handler(permission="flow.manage")
    async def compare(self, draft_id: int, other_id: int) -> Reply:
        """What taking a colleague's draft would disagree on; other number 0 puts the question away."""
        if other_id == 0:
            self.merging = {}
            return None
        self.merging = await in_writer(
            _compared, actor=self._actor(), at=self._now(), draft_id=draft_id, other_id=other_id
        )
        if "conflicts" not in self.merging:
            return [FlowDesignerState.open_again, done("flow_designer.merged")]
        return None

    @handler(permission="flow.manage")
    async def merge(self, draft_id: int, seq: int, other_id: int, choices: list[Plain]) -> Reply:
        outcome = await in_writer(
            drafts.merge,
            actor=self._actor(),
            at=self._now(),
            draft_id=draft_id,
            if_match=seq,
            other_draft_id=other_id,
            choices=choices,
        )
        self.merging = {} if outcome.draft else self.merging
        return [FlowDesignerState.open_again, done("flow_designer.merged")]

    def _code(self) -> str:
        return self.router.url.path.rstrip("/").rsplit("/", 1)[-1][:64]


def _words(*, viewer: Actor, code: str) -> Plain:
    with reading() as connection:
        return flow_views.words(connection, viewer=viewer, code=code)


def _opened(*, actor: Actor, at: datetime, code: str) -> Plain:
    draft = drafts.open_draft(actor=actor, at=at, code=code)
    return {**flow_views.opened(draft, drafts.drafts_of(actor=actor, code=code)), "opened": str(uuid4())}


def _save(*, actor: Actor, at: datetime, draft_id: int, seq: int, gestures: list[Plain]) -> int:
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


def _compared(*, actor: Actor, at: datetime, draft_id: int, other_id: int) -> Plain:
    mine = drafts.read(actor=actor, draft_id=draft_id)
    other = drafts.read(actor=actor, draft_id=other_id)
    outcome = drafts.merge(actor=actor, at=at, draft_id=draft_id, if_match=mine.seq, other_draft_id=other_id)
    if outcome.draft is not None:
        return {}
    return {
        "with": other_id,
        "who": other.author_name,
        "conflicts": [
            {"path": list(each.path), "is_order": each.is_order, **each.sides} for each in outcome.conflicts
        ],
    }


_wire: Final = SocketWire(FlowDesignerState.get_full_name())
