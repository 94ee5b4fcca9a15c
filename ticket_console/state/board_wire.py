"""Reaches all browsers of a board with one message, encoded once.

Setting a var on each watcher's State would lock, diff and encode two hundred times what is the same
for all; a room of the same websocket sends it as the very delta that setting the var would make.
"""

from typing import Any

from reflex.state import StateUpdate
from reflex_base.constants.state import FIELD_MARKER
from reflex_base.event.context import EventContext
from reflex_base.registry import RegistrationContext


class SocketWire:
    """A wire to the vars `feed` and `presence` of one State class; a watcher is a browser tab's token."""

    def __init__(self, state_name: str) -> None:
        self._state_name = state_name

    async def enter(self, room: str, watcher: str) -> None:
        sid = _sockets().token_to_sid.get(watcher)
        if sid is not None:
            await _sockets().enter_room(sid, room)

    async def leave(self, room: str, watcher: str) -> None:
        # A tab that closed its websocket has left its rooms already.
        sid = _sockets().token_to_sid.get(watcher)
        if sid is not None:
            await _sockets().leave_room(sid, room)

    async def send(self, room: str, feed: dict[str, Any]) -> None:
        await _sockets().emit("event", StateUpdate(delta=self._delta(feed)), room=room)

    async def send_here(self, feed: dict[str, Any]) -> None:
        """To the browser whose event is running, and to no other."""
        await EventContext.get().emit_delta(self._delta(feed))

    async def show_people(self, room: str, people: dict[str, Any]) -> None:
        """A var of its own: of two values of one var that come close together React shows the later only."""
        await _sockets().emit("event", StateUpdate(delta=self._delta(people, "presence")), room=room)

    async def show_people_here(self, people: dict[str, Any]) -> None:
        await EventContext.get().emit_delta(self._delta(people, "presence"))

    def _delta(self, value: dict[str, Any], var: str = "feed") -> dict[str, dict[str, Any]]:
        return {self._state_name: {f"{var}{FIELD_MARKER}": value}}


def _sockets() -> Any:
    return RegistrationContext.get().app.event_namespace
