"""What is changed about dispatch at present, for the line on top of the dispatcher's pages."""

import asyncio
from datetime import datetime
from typing import Any, Final

from ticket_console.access import places
from ticket_console.dispatch import strategies
from ticket_console.dispatch.strategies import StrategyView
from ticket_console.dispatch.tables import StrategyKind
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.text import LocalText
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_LOOK_SECONDS: Final = 20.0


class SurgeState(SessionState):
    banner: list[Plain] = []

    @handler(permission="board.view", background=True)
    async def watch_surges(self) -> Reply:
        """Say what holds, and say it again when something began or ended, until the page is left."""
        while True:
            found = await off_loop(_active, viewer=await self._resolve(), at=self._now())
            async with self:
                if found != self.banner:
                    self.banner = found
            await asyncio.sleep(_LOOK_SECONDS)


def _active(*, viewer: Actor, at: datetime) -> list[Plain]:
    with reading() as connection:
        found = strategies.active(connection, viewer, at=at)
        names = region_names(connection, viewer.org_id) if found else {}
    return [shown(each, names, at=at) for each in found]


def region_names(connection: Any, org_id: int) -> dict[int, LocalText]:
    return {region.id: region.name for region in places.regions(connection, org_id)}


def shown(each: StrategyView, names: dict[int, LocalText], *, at: datetime) -> Plain:
    """A strategy as banner and log draw it; `why` says the figures a rule began by."""
    return {
        "id": each.id,
        "version": each.version,
        "opens_standby": each.opens_standby,
        "region": None if each.region_id is None else names.get(each.region_id),
        "since": instant_text(each.starts_at),
        "until": instant_text(each.ends_at),
        "is_active": each.is_active(at),
        "by_rule": each.kind is not StrategyKind.PERSON,
        "by": each.by,
        "ended_by": each.ended_by,
        "reason": each.reason,
        "why": _why(each),
    }


def _why(each: StrategyView) -> Plain | None:
    if each.kind is StrategyKind.PERSON:
        return None
    figures = {"value": round(each.facts["value"]), "opens_at": round(each.facts["opens_at"])}
    key = "surge.why.backlog" if each.kind is StrategyKind.BACKLOG else "surge.why.complaints"
    return {"key": key, "params": figures}
