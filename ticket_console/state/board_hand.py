"""A card in the hand: what every lane and person would say to it, and the drop."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from reflex_base.event.context import EventContext

from ticket_console.desk import board_presence, dropping
from ticket_console.desk.foretelling import Foretold, PersonVerdict, Verdict, reasons_of
from ticket_console.desk.work import MovedTicket, Reason
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import ConsoleError
from ticket_console.state import board_asked
from ticket_console.state.board import filters_of
from ticket_console.state.feedback import unexpected
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.tickets import seeing
from ticket_console.tickets.board import By
from ticket_console.tickets.marking import TicketStatus

Plain = dict[str, Any]

# Refusals that name who was faster, and when.
_BEATEN: Final = frozenset({"ticket.stale", "dispatch.already_claimed"})


class BoardHandState(SessionState):
    truth: dict[str, Any] = {}
    verdict: dict[str, Any] = {}

    @handler(permission="board.view")
    async def hold(self, ticket_id: int) -> Reply:
        """Say which card is held, and learn what every lane and person would say to it."""
        viewer = self._actor()
        by = filters_of(self.router.url.query_parameters).by
        try:
            held = board_asked.number(ticket_id, "ticket_id")
            self.truth = await off_loop(_truth, viewer=viewer, ticket_id=held, at=self._now(), by=by)
        except ConsoleError as error:
            self.truth = {"ticket_id": ticket_id, "version": 0, "lanes": {}, "people": {}, **_said(error)}
            return None
        await off_loop(board_presence.hold, actor=viewer, tab=EventContext.get().token, ticket_id=held)
        return None

    @handler(permission="board.view")
    async def let_go(self) -> Reply:
        tab = EventContext.get().token
        await off_loop(board_presence.hold, actor=self._actor(), tab=tab, ticket_id=None)
        self.truth = {}
        return None

    @handler(permission="board.view")
    async def drop(
        self,
        command_id: str,
        ticket_id: int,
        version: int,
        to: dict[str, Any],
        reason: str,
        override: bool,
    ) -> Reply:
        """Carry a drop out; the browser has the card there already and puts it back if the answer is no."""
        viewer, at = self._actor(), self._now()
        answer: Plain = {"command_id": command_id, "ticket_id": ticket_id}
        try:
            target = board_asked.target_asked(to)
            moved = await in_writer(
                dropping.drop_on,
                actor=viewer,
                at=at,
                command_id=board_asked.command(command_id),
                ticket_id=board_asked.number(ticket_id, "ticket_id"),
                expected_version=board_asked.number(version, "version"),
                by=target.by,
                key=target.key,
                before_id=target.before_id,
                after_id=target.after_id,
                reason=board_asked.text(reason, "reason"),
                override=override is True,
            )
        except ConsoleError as error:
            self.verdict = {**answer, "ok": False, **_said(error), "stale": _faster(error)}
            return None
        except Exception as fault:
            # The browser waits for an answer with the card in the air, whatever went wrong.
            self.verdict = {**answer, "ok": False, "code": "", "params": {}, "reasons": [], "stale": None}
            return unexpected(fault)
        self.verdict = {**answer, "ok": True, **_done(moved)}
        if viewer.user_id is not None:
            versions = {moved.ticket_id: moved.version}
            await in_writer(seeing.saw, user_id=viewer.user_id, at=at, versions=versions)
        return None


def _done(moved: MovedTicket) -> Plain:
    return {
        "version": moved.version,
        "warnings": _plain(moved.warnings),
        "undoable": moved.status == TicketStatus.OPEN,
    }


def _said(error: ConsoleError) -> Plain:
    return {"code": error.code, "params": error.params, "reasons": _plain(reasons_of(error))}


def _faster(error: ConsoleError) -> Plain | None:
    if error.code not in _BEATEN:
        return None
    return {key: error.params.get(key) for key in ("who", "what", "when")}


def _plain(reasons: Iterable[Reason]) -> list[Plain]:
    return [{"code": each.code, "params": dict(each.params)} for each in reasons]


def _truth(*, viewer: Actor, ticket_id: int, at: datetime, by: By) -> Plain:
    with reading() as connection:
        foretold = Foretold(connection, viewer, ticket_id, at)
        return {
            "ticket_id": ticket_id,
            "version": foretold.version,
            "at": instant_text(at),
            "by": by.value,
            "lanes": {key: _verdict(each) for key, each in foretold.lanes(by).items()},
            "people": {str(id): _person(each) for id, each in foretold.people().items()},
        }


def _verdict(verdict: Verdict) -> Plain:
    return {
        "tone": verdict.tone.value,
        "reasons": _plain(verdict.reasons),
        "needs": verdict.needs.value,
        "override": verdict.may_override,
    }


def _person(person: PersonVerdict) -> Plain:
    return {
        **_verdict(person.verdict),
        "name": person.name,
        "load": {"open": person.open_count, "capacity": person.capacity},
        "score": person.score,
        "distance_km": person.distance_km,
    }
