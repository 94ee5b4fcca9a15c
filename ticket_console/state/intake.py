"""The inbox: every message that came in, by channel, with what became of it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import reflex as rx
from pydantic_core import to_json
from reflex.event import EventSpec

from ticket_console.intake import reads
from ticket_console.intake.reads import PAGE, Cursor, RawDetail
from ticket_console.intake.states import RawState
from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.ticket import plain

PATH: Final = "/intake"
# Opened tickets are announced; refusals and duplicates are not, so the log is looked at now and then.
_LOOK_SECONDS: Final = 4.0
_GATHER_SECONDS: Final = 0.5
# A message may be as long as a request may be; a screen shows its beginning.
_SHOWN_LENGTH: Final = 40_000

Plain = dict[str, Any]


class IntakeState(SessionState):
    status: str = "loading"
    channel: str = ""
    state: str = ""
    page: int = 1
    pages: int = 1
    total: int = 0
    rows: list[Plain] = []
    channels: list[Plain] = []
    counts: list[Plain] = []
    message: Plain = {}
    following: str = ""

    _trail: dict[str, str] = {}

    @handler(permission="intake.view")
    async def load(self) -> Reply:
        asked = _Asked(self.router.url.query_parameters)
        if (asked.channel, asked.state, asked.page) != (self.channel, self.state, self.page):
            self.status = "loading"
        self.message = {}
        self._put(await off_loop(_read, viewer=self._actor(), asked=asked), asked)
        if asked.message:
            self.message = await off_loop(_message, viewer=self._actor(), raw_id=asked.message)
        return None

    @handler(permission="intake.view", background=True)
    async def watch(self) -> Reply:
        """Show what comes in while the inbox is open."""
        asked = _Asked(self.router.url.query_parameters)
        subscription = feed.subscribe()
        shown: Plain = {}
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(
                        subscription.changes(gather_seconds=_GATHER_SECONDS), _LOOK_SECONDS
                    )
                found = await off_loop(_read, viewer=await self._resolve(), asked=asked)
                if found != shown:
                    shown = found
                    async with self:
                        self._put(found, asked)
        finally:
            feed.unsubscribe(subscription)

    @handler(permission="intake.view")
    async def newer(self) -> Reply:
        if self.page <= 2:
            return self._go()
        cursor = self._trail.get(str(self.page - 1), "")
        return self._go(page=self.page - 1, after=cursor) if cursor else self._go()

    @handler(permission="intake.view")
    async def older(self) -> Reply:
        if not self.following:
            return None
        here = self.router.url.query_parameters.get("after", "")
        self._trail = {**self._trail, str(self.page): here}
        return self._go(page=self.page + 1, after=self.following)

    @handler(permission="intake.view")
    async def close(self) -> Reply:
        """Shut the message; the list stays where it is."""
        self.message = {}
        kept = {key: value for key, value in self.router.url.query_parameters.items() if key != "message"}
        return rx.redirect(_address(**kept))

    def _go(self, **more: Any) -> EventSpec:
        return rx.redirect(_address(channel=self.channel, state=self.state, **more))

    def _put(self, found: Plain, asked: "_Asked") -> None:
        self.channel, self.state, self.page = asked.channel, asked.state, asked.page
        for part, value in found.items():
            setattr(self, part, value)
        self.status = "ready"


class _Asked:
    """What an address asks for; what makes no sense there asks for nothing."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self.channel = parameters.get("channel", "")[:32]
        state = parameters.get("state", "")
        self.state = state if state in set(RawState) else ""
        self.after = _cursor(parameters.get("after", ""))
        self.page = (_whole(parameters.get("page", "")) or 2) if self.after else 1
        self.message = _whole(parameters.get("message", ""))
        self.parameters = {key: value for key, value in parameters.items() if key != "message"}


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _cursor(text: str) -> Cursor | None:
    at, _, raw_id = text.partition("~")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, _whole(raw_id)) if moment.tzinfo is not None and _whole(raw_id) else None


def _address(**parameters: Any) -> str:
    chosen = {key: value for key, value in parameters.items() if value}
    return f"{PATH}?{urlencode(chosen)}" if chosen else PATH


def _read(*, viewer: Actor, asked: _Asked) -> Plain:
    chosen = RawState(asked.state) if asked.state else None
    with reading() as connection:
        found = reads.inbox(
            connection, viewer, channel=asked.channel or None, state=chosen, after=asked.after
        )
        counted = reads.counts(connection, viewer)
    here = {
        state: sum(each[state] for channel, each in counted.items() if asked.channel in ("", channel))
        for state in RawState
    }
    total = here[chosen] if chosen else sum(here.values())
    rows = [plain(entry) for entry in found.entries]
    for row in rows:
        row["href"] = _address(**{**asked.parameters, "message": row["raw_id"]})
    following = found.following
    return {
        "rows": rows,
        "total": total,
        "pages": max(1, -(-total // PAGE)),
        "following": f"{instant_text(following[0])}~{following[1]}" if following else "",
        "channels": [_tab("", sum(sum(each.values()) for each in counted.values()), asked)]
        + [_tab(channel, sum(each.values()), asked) for channel, each in counted.items()],
        "counts": [
            {
                "state": state,
                "count": sum(here.values()) if not state else here[RawState(state)],
                "href": _address(channel=asked.channel, state=state),
            }
            for state in ("", *_IN_ORDER)
        ],
    }


_IN_ORDER: Final = (RawState.TICKET, RawState.DUPLICATE, RawState.REJECTED, RawState.NEW)


def _tab(channel: str, count: int, asked: _Asked) -> Plain:
    source = channel if channel in reads.CHANNELS else "other"
    return {
        "channel": channel,
        "source": source if channel else "all",
        # A channel nobody has written yet is shown under the name its sender uses.
        "name": channel if source == "other" and channel != "other" else "",
        "count": count,
        "href": _address(channel=channel, state=asked.state),
    }


def _message(*, viewer: Actor, raw_id: int) -> Plain:
    with reading() as connection:
        detail: RawDetail = reads.raw_detail(connection, viewer, raw_id)
    text = to_json(detail.payload, indent=2, fallback=str).decode()
    whole = plain(detail)
    del whole["payload"]
    return {
        **whole,
        "text": text[:_SHOWN_LENGTH],
        "is_cut": len(text) > _SHOWN_LENGTH,
        "length": len(text),
    }
