"""The live board: this State tells the browser what it shows, and never holds a card itself."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import reflex as rx
from reflex_base.event.context import EventContext

from ticket_console.access import actors, places, sessions
from ticket_console.desk import board_presence, boarding
from ticket_console.forms import names as template_names
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.clock import SystemClock
from ticket_console.kernel.database import in_writer, off_loop, reading
from ticket_console.kernel.errors import Unauthenticated
from ticket_console.people import areas
from ticket_console.people import reads as people
from ticket_console.state.board_asked import place_asked
from ticket_console.state.board_hub import BoardHub, people_told, sight
from ticket_console.state.board_wire import SocketWire
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.tickets import board, board_views, seeing
from ticket_console.tickets.board import BoardFilters, By, Rows
from ticket_console.tickets.seeing import Seen

# How long a board may stay open for somebody who was disabled or lost a grant meanwhile.
_RECHECK_SECONDS: Final = 15.0


class BoardState(SessionState):
    feed: dict[str, Any] = {}
    presence: dict[str, Any] = {}
    seen: dict[str, Any] = {}
    me: str = ""
    choices: dict[str, list[dict[str, Any]]] = {}

    @handler(permission="board.view")
    async def load(self) -> Reply:
        """What the board needs besides its cards; an address that names a view alone becomes that view's."""
        viewer, asked = self._actor(), self.router.url.query_parameters
        view_id = _whole(asked.get("view", ""))
        if view_id is not None and not any(asked.get(key) for key in board_views.ASKED):
            query = await off_loop(_query_of, viewer=viewer, view_id=view_id)
            if query:
                return rx.redirect(
                    f"/board?{urlencode([('view', view_id), *parse_qsl(query)])}", replace=True
                )
        self.me = viewer.label
        self.choices = await off_loop(_choices, viewer=viewer)
        if viewer.user_id is not None:
            self.seen = _plain(await in_writer(seeing.seen_by, user_id=viewer.user_id, at=self._now()))
        return None

    @handler(permission="board.view", background=True)
    async def watch(self) -> Reply:
        """Keep this browser's board up to date until it leaves the page or loses its connection.

        It runs from `on_load`, so Reflex ends it at the next navigation and when the websocket closes.
        """
        watcher = EventContext.get().token
        viewer = self._actor()
        filters = self._filters(viewer)
        seat = await _hub.join(watcher, viewer=viewer, filters=filters)
        try:
            await _wire.send_here(await _hub.snapshot(seat.group))
            while True:
                await off_loop(board_presence.enter, actor=viewer, tab=watcher)
                await _wire.show_people_here(people_told(board_presence.onlookers(viewer.org_id)))
                with suppress(TimeoutError):
                    await asyncio.wait_for(seat.ended.wait(), _RECHECK_SECONDS)
                # Watching is no use of the session: an open board must not keep it alive.
                viewer = await off_loop(_still, viewer=viewer, at=self._now())
                if sight(viewer, filters) != seat.group.key:
                    return BoardState.watch
        finally:
            await _hub.leave(seat)
            await off_loop(board_presence.leave, tab=watcher)

    @handler(permission="board.view")
    async def refresh(self) -> Reply:
        """The whole board again, for a browser that noticed that it missed something."""
        viewer = self._actor()
        group = _hub.group_of(viewer, self._filters(viewer))
        # Without a group the watch is just being taken up again, and sends the whole board itself.
        if group is not None:
            await _wire.send_here(await _hub.snapshot(group))
        return None

    @handler(permission="board.view")
    async def more(self, lane: str, after: list[Any], row: str) -> Reply:
        """The next window of a lane, or of its part in a row, after the card at [priority class, rank]."""
        viewer = self._actor()
        filters = self._filters(viewer)
        position = place_asked(after)
        cards = await off_loop(
            _page, viewer=viewer, filters=filters, lane=str(lane), row=str(row), after=position
        )
        group = _hub.group_of(viewer, filters)
        window = board.WINDOW if filters.rows is Rows.NONE else board.CELL_WINDOW
        page = {"kind": "page", "lane": lane, "row": row, "cards": cards, "more": len(cards) == window}
        await _wire.send_here({**page, "board": group.room if group else None})
        return None

    @handler(permission="board.view")
    async def all_seen(self) -> Reply:
        """Everything up to now is read."""
        viewer = self._actor()
        if viewer.user_id is not None:
            self.seen = _plain(await in_writer(seeing.saw_everything, user_id=viewer.user_id, at=self._now()))
        return None

    def _filters(self, viewer: Actor) -> BoardFilters:
        return filters_of(self.router.url.query_parameters, user_id=viewer.user_id)


def filters_of(asked: Mapping[str, str], *, user_id: int | None = None) -> BoardFilters:
    """The board an address asks for; what makes no sense there asks for nothing."""
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
        is_vip=asked.get("vip") == "1",
        is_late=asked.get("late") == "1",
        unread_of=user_id if asked.get("unread") == "1" else None,
        by=By(asked["by"]) if asked.get("by") in {each.value for each in By} else By.STAGE,
        rows=Rows(asked["rows"]) if asked.get("rows") in {each.value for each in Rows} else Rows.NONE,
    )


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _plain(seen: Seen) -> dict[str, Any]:
    return {
        "since": instant_text(seen.since),
        "versions": {str(ticket_id): version for ticket_id, version in seen.versions.items()},
    }


def _still(*, viewer: Actor, at: datetime) -> Actor:
    """The viewer with what is granted to them now; Unauthenticated once their session is over."""
    if viewer.user_id is None or viewer.session_id is None:
        raise Unauthenticated()
    with reading() as connection:
        if not sessions.live(connection, session_ids=(viewer.session_id,), at=at):
            raise Unauthenticated()
        return actors.load_actor(connection, viewer.user_id, session_id=viewer.session_id)


def _query_of(*, viewer: Actor, view_id: int) -> str:
    with reading() as connection:
        return board_views.view(connection, viewer, view_id).query


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
            "territory": [
                {"value": str(each.id), "label": each.name} for each in areas.areas(connection, viewer)
            ],
        }


def _page(
    *, viewer: Actor, filters: BoardFilters, lane: str, row: str, after: tuple[int, str] | None
) -> list[board.Card]:
    with reading() as connection:
        at = _clock.now()
        cards = board.lane_page(
            connection, viewer=viewer, filters=filters, at=at, lane=lane, row=row, after=after
        )
        boarding.flag_handed_around(connection, viewer, cards, at)
    return list(cards)


_clock: Final = SystemClock()
_wire: Final = SocketWire(BoardState.get_full_name())
_hub: Final = BoardHub(_wire, now=_clock.now)
