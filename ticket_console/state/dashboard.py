"""The dashboard on screen: its figures with the address of the list behind each, kept up to date."""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from ticket_console.kernel import feed
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.reports import metrics
from ticket_console.reports.metrics import Bar, Dashboard, Day, Metric, Slice, Tile
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.tickets import address_of, choices_of, slice_of, span_text

Plain = dict[str, Any]

# However much happens, the figures change no more often than one can read them.
_PAUSE_SECONDS: Final = 2.0
# Without any change tickets still become overdue, days end, and somebody may lose their right to look.
_RECHECK_SECONDS: Final = 30.0

# Fewer than none is good news, more of these is not.
_TONES: Final = {Metric.OVERDUE: "danger", Metric.UNASSIGNED: "warn"}


class DashboardState(SessionState):
    status: str = "loading"
    counts: list[Plain] = []
    times: list[Plain] = []
    days: list[Plain] = []
    by_region: list[Plain] = []
    by_template: list[Plain] = []
    responses: list[Plain] = []
    tz: str = ""
    as_of: str = ""
    choices: dict[str, list[Plain]] = {"region": [], "template": []}

    @handler(permission="dashboard.view")
    async def load(self) -> Reply:
        try:
            choices = await off_loop(choices_of, viewer=self._actor())
            at, slice = self._now(), self._slice()
            self._put(await off_loop(_look, viewer=self._actor(), at=at, slice=slice), at, slice)
        except Exception:
            self.status = "failed"
            raise
        if choices != self.choices:
            self.choices = choices
        return None

    @handler(permission="dashboard.view", background=True)
    async def watch(self) -> Reply:
        """Follow what happens until the page is left."""
        slice = self._slice()
        subscription = feed.subscribe()
        try:
            while True:
                with suppress(TimeoutError):
                    await asyncio.wait_for(subscription.changes(), _RECHECK_SECONDS)
                viewer, at = await self._resolve(), self._now()
                found = await off_loop(_look, viewer=viewer, at=at, slice=slice)
                async with self:
                    self._put(found, at, slice)
                await asyncio.sleep(_PAUSE_SECONDS)
        except Exception:
            # Figures that no longer follow would be taken for those of now.
            async with self:
                self.status = "failed"
            raise
        finally:
            feed.unsubscribe(subscription)

    def _slice(self) -> Slice:
        return slice_of(self.router.url.query_parameters)

    def _put(self, found: Dashboard, at: datetime, slice: Slice) -> None:
        shown = {
            "counts": [_count(tile, slice) for tile in found.tiles if tile.metric not in _TIMED],
            "times": [_time(tile, slice) for tile in found.tiles if tile.metric in _TIMED],
            "days": [_day(day, slice) for day in found.days],
            "by_region": [_bar(bar) for bar in found.by_region if bar.open],
            "by_template": [_bar(bar) for bar in found.by_template if bar.open],
            "responses": [_response(bar) for bar in found.by_region if bar.responded],
            "tz": found.tz,
            "status": "ready",
        }
        # What has not changed is not sent again, so charts that stayed the same are not drawn again.
        for name, value in shown.items():
            if getattr(self, name) != value:
                setattr(self, name, value)
        self.as_of = instant_text(at)


_TIMED: Final = frozenset({Metric.RESPONDED, Metric.RESOLVED})


def _count(tile: Tile, slice: Slice) -> Plain:
    return {
        "metric": tile.metric.value,
        "count": tile.count,
        "tone": _TONES.get(tile.metric, "plain") if tile.count else "plain",
        "href": address_of(tile.metric, slice),
    }


def _time(tile: Tile, slice: Slice) -> Plain:
    return {
        "metric": tile.metric.value,
        "count": tile.count,
        "median": None if tile.median_seconds is None else span_text(tile.median_seconds),
        "p90": None if tile.p90_seconds is None else span_text(tile.p90_seconds),
        "href": address_of(tile.metric, slice),
    }


def _day(day: Day, slice: Slice) -> Plain:
    return {
        "day": day.on.isoformat(),
        "opened": day.opened,
        "closed": day.closed,
        "hrefs": {
            "opened": address_of(Metric.OPENED, slice, on=day.on),
            "closed": address_of(Metric.CLOSED, slice, on=day.on),
        },
    }


def _bar(bar: Bar) -> Plain:
    return {
        "name": bar.name,
        "in_time": bar.in_time,
        "overdue": bar.overdue,
        "hrefs": {
            "in_time": address_of(Metric.IN_TIME, bar.slice),
            "overdue": address_of(Metric.OVERDUE, bar.slice),
        },
    }


def _response(bar: Bar) -> Plain:
    return {
        "name": bar.name,
        "median": bar.median_response_seconds,
        "count": bar.responded,
        "hrefs": {"median": address_of(Metric.RESPONDED, bar.slice)},
    }


def _look(*, viewer: Actor, at: datetime, slice: Slice) -> Dashboard:
    with reading() as connection:
        return metrics.dashboard(connection, viewer=viewer, at=at, slice=slice)
