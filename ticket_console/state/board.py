"""The live board: this State tells the browser what it shows, and never holds a card itself."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from reflex_base.event.context import EventContext

from ticket_console.access import actors, places, sessions
from ticket_console.desk import moving
from ticket_console.forms import names as template_names
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.clock import SystemClock
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import ConsoleError, Unauthenticated
from ticket_console.people import reads as people
from ticket_console.state.board_hub import BoardHub, sight
from ticket_console.state.board_wire import SocketWire
from ticket_console.state.feedback import unexpected
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.tickets import board
from ticket_console.tickets.board import BoardFilters

# How long a board may stay open for somebody who was disabled or lost a grant meanwhile.
_RECHECK_SECONDS: Final = 15.0


class BoardState(SessionState):
    feed: dict[str, Any] = {}
    verdict: dict[str, Any] = {}
    choices: dict[str, list[dict[str, Any]]] = {}

    @handler(permission="board.view")
    async def load(self) -> Reply:
        self.choices = await off_loop(_choices, viewer=self._actor())
        return None

    @handler(permission="board.view", background=True)
    async def watch(self) -> Reply:
        """Keep this browser's board up to date until it leaves the page or loses its connection.

        It runs from `on_load`, so Reflex ends it at the next navigation and when the websocket closes.
        """
        watcher = EventContext.get().token
        viewer, filters = self._actor(), self._filters()
        seat = await _hub.join(watcher, viewer=viewer, filters=filters)
        try:
            await _wire.send_here(await _hub.snapshot(seat.group))
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(seat.ended.wait(), _RECHECK_SECONDS)
                # Watching is no use of the session: an open board must not keep it alive.
                viewer = await off_loop(_still, viewer=viewer, at=self._now())
                if sight(viewer, filters) != seat.group.key:
                    return BoardState.watch
        finally:
            await _hub.leave(seat)

    @handler(permission="board.view")
    async def refresh(self) -> Reply:
        """The whole board again, for a browser that noticed that it missed something."""
        group = _hub.group_of(self._actor(), self._filters())
        # Without a group the watch is just being taken up again, and sends the whole board itself.
        if group is not None:
            await _wire.send_here(await _hub.snapshot(group))
        return None

    @handler(permission="board.view")
    async def more(self, lane: str, after: list[Any], row: str) -> Reply:
        """The next window of a lane, or of its part in a row, after the card at [priority class, rank]."""
        viewer, filters = self._actor(), self._filters()
        position = (int(after[0]), str(after[1])) if len(after) == 2 else None
        cards = await off_loop(_page, viewer=viewer, filters=filters, lane=lane, row=row, after=position)
        group = _hub.group_of(viewer, filters)
        window = board.WINDOW if filters.rows is board.Rows.NONE else board.CELL_WINDOW
        page = {"kind": "page", "lane": lane, "row": row, "cards": cards, "more": len(cards) == window}
        await _wire.send_here({**page, "board": group.room if group else None})
        return None

    @handler(permission="ticket.act")
    async def drop(self, command_id: str, ticket_id: int, version: int, to_stage: str, reason: str) -> Reply:
        """Move a card; the browser has it there already and puts it back if the answer is no."""
        try:
            moved = await off_loop(
                moving.drop,
                actor=self._actor(),
                at=self._now(),
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=version,
                to_stage=to_stage,
                reason=reason,
            )
        except ConsoleError as error:
            self.verdict = {"command_id": command_id, "ok": False, "code": error.code, "params": error.params}
        except Exception as fault:
            # The browser waits for an answer with the card in the air, whatever went wrong.
            self.verdict = {"command_id": command_id, "ok": False, "code": "", "params": {}}
            return unexpected(fault)
        else:
            self.verdict = {"command_id": command_id, "ok": True, "version": moved.version}
        return None

    def _filters(self) -> BoardFilters:
        return filters_of(self.router.url.query_parameters)


def filters_of(asked: Mapping[str, str]) -> BoardFilters:
    """The filters an address asks for; what makes no sense there asks for nothing."""
    assignee = asked.get("assignee", "")
    return BoardFilters(
        region_id=_whole(asked.get("region", "")),
        template_id=_whole(asked.get("template", "")),
        priority=_whole(asked.get("priority", "")),
        assignee_id=_whole(assignee),
        is_unassigned=assignee == "none",
        is_overdue=asked.get("overdue") == "1",
        is_mine=asked.get("mine") == "1",
        search=asked.get("q", "")[: board.SEARCH_LENGTH].strip(),
    )


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _still(*, viewer: Actor, at: datetime) -> Actor:
    """The viewer with what is granted to them now; Unauthenticated once their session is over."""
    if viewer.user_id is None or viewer.session_id is None:
        raise Unauthenticated()
    with reading() as connection:
        if not sessions.live(connection, session_ids=(viewer.session_id,), at=at):
            raise Unauthenticated()
        return actors.load_actor(connection, viewer.user_id, session_id=viewer.session_id)


def _choices(*, viewer: Actor) -> dict[str, list[dict[str, Any]]]:
    with reading() as connection:
        return {
            "region": [
                {"value": str(region.id), "label": region.name}
                for region in places.regions(connection, viewer.org_id)
            ],
            "template": [
                {"value": str(template_id), "label": name}
                for template_id, name in template_names.names(connection, viewer.org_id).items()
            ],
            "assignee": [
                {"value": str(each.id), "label": each.name} for each in people.technicians(connection, viewer)
            ],
        }


def _page(
    *, viewer: Actor, filters: BoardFilters, lane: str, row: str, after: tuple[int, str] | None
) -> list[board.Card]:
    with reading() as connection:
        cards = board.lane_page(
            connection, viewer=viewer, filters=filters, at=_clock.now(), lane=lane, row=row, after=after
        )
    return list(cards)


_clock: Final = SystemClock()
_wire: Final = SocketWire(BoardState.get_full_name())
_hub: Final = BoardHub(_wire, now=_clock.now)
