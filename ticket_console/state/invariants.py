"""The checks on screen: what holds, what does not, and the row that shows it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ticket_console.access import places
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import Forbidden
from ticket_console.reports import invariants
from ticket_console.reports.invariants import CheckedLaw
from ticket_console.reports.laws import MOST_EXAMPLES, LawState
from ticket_console.state.feedback import done, told
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_LOOK_SECONDS: Final = 30.0
# Whoever asks again and again does not keep the database busy.
PAUSE: Final = timedelta(seconds=10)
# The organisations that are being checked by this process now.
_checking: Final[set[int]] = set()
_TONES: Final = {LawState.HOLDS: "ok", LawState.BROKEN: "danger", LawState.FAILED: "warn"}


class InvariantsState(SessionState):
    status: str = "loading"
    view: Plain = {}
    busy: bool = False

    @handler(permission=invariants.PERMISSION)
    async def load(self) -> Reply:
        self.busy = False
        try:
            await self._show()
        except Forbidden:
            self.status = "closed"
        except Exception:
            self.status = "failed"
            raise
        return None

    @handler(permission=invariants.PERMISSION, background=True)
    async def watch(self) -> Reply:
        """Look at what the worker found until the page is left."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                found = await off_loop(look, viewer=await self._resolve())
            except Forbidden:
                return None
            async with self:
                if self.view != found:
                    self.view = found

    @handler(permission=invariants.PERMISSION)
    async def check_now(self) -> AsyncIterator[Any]:
        """Check everything at once; the button rests meanwhile."""
        at, org_id = self._now(), self._actor().org_id
        if org_id in _checking or await off_loop(_is_recent, viewer=self._actor(), at=at):
            await self._show()
            yield told("invariants.just_checked")
            return
        _checking.add(org_id)
        self.busy = True
        yield
        try:
            await off_loop(invariants.check, viewer=self._actor(), at=at)
        finally:
            _checking.discard(org_id)
            self.busy = False
        await self._show()
        yield done("invariants.checked_now")

    async def _show(self) -> None:
        self.view = await off_loop(look, viewer=self._actor())
        self.status = "ready"


def look(*, viewer: Actor) -> Plain:
    """Every law with its latest check, the broken ones first."""
    with reading() as connection:
        found = invariants.results(connection, viewer=viewer)
        tz = places.org(connection, viewer.org_id).tz
    latest = max((each.checked_at for each in found if each.checked_at), default=None)
    return {
        "tz": tz,
        "checked_at": "" if latest is None else instant_text(latest),
        "seconds": round(sum(each.took_ms for each in found) / 1_000, 1),
        "laws": len(found),
        "broken": _count(found, LawState.BROKEN),
        "failed": _count(found, LawState.FAILED),
        "unchecked": _count(found, None),
        "money": [_law(each) for each in _ordered(found) if each.is_about_money],
        "work": [_law(each) for each in _ordered(found) if not each.is_about_money],
    }


def _is_recent(*, viewer: Actor, at: datetime) -> bool:
    with reading() as connection:
        found = invariants.results(connection, viewer=viewer)
    return any(each.checked_at is not None and each.checked_at > at - PAUSE for each in found)


def _count(found: Sequence[CheckedLaw], state: LawState | None) -> int:
    return sum(each.state is state for each in found)


def _ordered(found: Sequence[CheckedLaw]) -> list[CheckedLaw]:
    """Those that hold stand last, each as the laws are listed."""
    return sorted(found, key=lambda each: each.state is LawState.HOLDS)


def _law(each: CheckedLaw) -> Plain:
    return {
        "code": each.code,
        "state": "never" if each.state is None else each.state.value,
        "tone": "plain" if each.state is None else _TONES[each.state],
        "checked_at": "" if each.checked_at is None else instant_text(each.checked_at),
        "since": "" if each.since is None or each.state is LawState.HOLDS else instant_text(each.since),
        "took_ms": each.took_ms,
        "rows": each.rows,
        "in_turns": each.in_turns,
        "is_cut": each.broken >= MOST_EXAMPLES,
        "examples": [
            {
                "row": f"{example.table} {example.row_id}",
                "expected": example.expected,
                "found": example.found,
            }
            for example in each.examples
        ],
    }
