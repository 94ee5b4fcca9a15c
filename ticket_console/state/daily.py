"""The income of a day on screen: of everybody for finance, of themselves for technicians."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from ticket_console.access import places
from ticket_console.jobs import daily_reports, local_days
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.text import LocalText
from ticket_console.reports import metrics
from ticket_console.settlement import daily, wording
from ticket_console.settlement.daily import DayIncome, Earned
from ticket_console.settlement.kinds import Dimension
from ticket_console.state.session import Reply, SessionState, handler

Plain = dict[str, Any]

_FILE = "/api/v1/daily-income/file"
# What is later than this was not taken when its hour came.
_LATE_SECONDS = 120
_FULL = 10_000
PAGE = 50


class DailyState(SessionState):
    """What everybody earned on a day up to five in the afternoon of each zone."""

    status: str = "loading"
    view: Plain = {"days": [], "regions": [], "day": None}

    @handler(permission="settlement.view")
    async def load(self) -> Reply:
        asked = self.router.url.query_parameters
        try:
            self.view = await off_loop(
                look,
                viewer=self._actor(),
                day=day_of(asked),
                region_id=number_of(asked, "region"),
                page=number_of(asked, "page") or 1,
                at=self._now(),
            )
            self.status = "ready"
        except NotFound:
            self.status = "missing"
        except Exception:
            self.status = "failed"
            raise
        return None


class PayDayState(SessionState):
    """What a technician earned on a day, ticket by ticket."""

    status: str = "loading"
    view: Plain = {"days": [], "tickets": [], "day": None}

    @handler(permission="settlement.view_own")
    async def load(self) -> Reply:
        asked = self.router.url.query_parameters
        try:
            self.view = await off_loop(look_at_own, viewer=self._actor(), day_id=number_of(asked, "day"))
            self.status = "ready"
        except NotFound:
            self.status = "missing"
        except Exception:
            self.status = "failed"
            raise
        return None


def day_of(asked: Mapping[str, str]) -> date | None:
    """The day an address names; None for the latest, also where it names no day."""
    try:
        return date.fromisoformat(asked.get("day", ""))
    except ValueError:
        return None


def number_of(asked: Mapping[str, str], name: str) -> int | None:
    text = asked.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 18 else None


def look(
    *, viewer: Actor, day: date | None, region_id: int | None = None, page: int = 1, at: datetime
) -> Plain:
    """A day, the latest where none is named; `region_id` takes in what lies below it. Raises DayNotFound."""
    with reading() as connection:
        every = daily.local_days(connection, viewer=viewer)
        regions = places.regions(connection, viewer.org_id)
        view: Plain = {
            "days": [{"value": each.isoformat(), "label": each.isoformat()} for each in every],
            "regions": [{"value": str(each.id), "label": each.name} for each in regions],
            "day": None,
            "next_at": _next(daily.zones_of_work(connection, viewer.org_id), at),
        }
        if not every and day is None:
            return view
        shown = daily.national(connection, viewer=viewer, local_day=day or every[0])
    within = None if region_id is None else frozenset(metrics.with_below(region_id, regions))
    lines = [
        (zone, line)
        for zone in shown.zones
        for line in zone.lines
        if within is None or line.region_id in within
    ]
    view["day"] = {
        "date": shown.local_day.isoformat(),
        "currency": shown.currency,
        "total_minor": sum(line.total_minor for _, line in lines),
        "tickets": shown.tickets if within is None else sum(line.tickets for _, line in lines),
        "people": len({line.payee for _, line in lines}),
        "is_whole": shown.is_whole,
        "zones": [_zone(each) for each in shown.zones],
        "dimensions": _dimensions([line for _, line in lines]),
        "regions": _regions([line for _, line in lines]),
        "lines": [_line(zone, line) for zone, line in lines[(page - 1) * PAGE : page * PAGE]],
        "count": len(lines),
        "page": page,
        "pages": max(-(-len(lines) // PAGE), 1),
        "files": {
            form: f"{_FILE}?{urlencode({'day': shown.local_day.isoformat(), 'format': form})}"
            for form in ("xlsx", "csv")
        },
    }
    return view


def _next(zones: tuple[str, ...], at: datetime) -> Plain | None:
    """When the next zone's income is taken."""
    coming = [(local_days.next_due(at, daily_reports.AFTERNOON, zone), zone) for zone in zones]
    if not coming:
        return None
    due_at, zone = min(coming)
    return {"at": due_at.isoformat(), "zone": zone}


def _zone(day: DayIncome) -> Plain:
    head = day.head
    return {
        "zone": head.zone,
        "until": head.until.isoformat(),
        "clock": f"{head.until.astimezone(ZoneInfo(head.zone)):%H:%M}",
        "taken_at": head.taken_at.isoformat(),
        "is_late": (head.taken_at - head.until).total_seconds() > _LATE_SECONDS,
        "as_of_seq": head.as_of_seq,
        "hash": head.content_hash[:12],
        "total_minor": day.total_minor,
    }


def _dimensions(lines: list[Earned]) -> list[Plain]:
    """What each dimension came to, the largest first."""
    totals = {dimension: sum(line.amounts.get(dimension, 0) for line in lines) for dimension in Dimension}
    return _bars((wording.DIMENSIONS[dimension], amount) for dimension, amount in totals.items())


def _regions(lines: list[Earned]) -> list[Plain]:
    """What each region came to, the largest first."""
    names = {line.region_id: line.region_name for line in lines}
    return _bars(
        (name, sum(line.total_minor for line in lines if line.region_id == region_id))
        for region_id, name in names.items()
    )


def _bars(amounts: Iterable[tuple[LocalText, int]]) -> list[Plain]:
    """Amounts that are any, each with its share of the largest in basis points."""
    some = sorted((each for each in amounts if each[1]), key=lambda each: -each[1])
    most = max((abs(amount) for _, amount in some), default=0)
    return [
        {"name": name, "amount_minor": amount, "share": abs(amount) * _FULL // most, "is_less": amount < 0}
        for name, amount in some
    ]


def _line(zone: DayIncome, line: Earned) -> Plain:
    return {
        "key": f"{zone.head.id}:{line.payee.kind.value}:{line.payee.id}:{line.region_id}",
        "name": line.payee_name,
        "kind": line.payee.kind.value,
        "href": f"/settlement?{urlencode({'payee': f'{line.payee.kind.value}:{line.payee.id}'})}",
        "region": line.region_name,
        "zone": zone.head.zone,
        "tickets": line.tickets,
        "parts": [
            {"name": wording.DIMENSIONS[dimension], "amount_minor": amount}
            for dimension, amount in sorted(line.amounts.items(), key=lambda each: -abs(each[1]))
        ],
        "total_minor": line.total_minor,
    }


def look_at_own(*, viewer: Actor, day_id: int | None) -> Plain:
    """The viewer's list of a day, the latest where none is named. Raises DayNotFound."""
    with reading() as connection:
        every = daily.own_days(connection, viewer=viewer)
        chosen = next((each for each in every if day_id is None or each.day_id == day_id), None)
        if chosen is None:
            if day_id is None:
                return {"day": None, "days": [], "tickets": []}
            raise daily.DayNotFound()
        tickets = daily.own_tickets(connection, viewer=viewer, day_id=chosen.day_id)
    return {
        "day": {
            "date": chosen.local_day.isoformat(),
            "zone": chosen.zone,
            "currency": chosen.currency,
            "total_minor": chosen.total_minor,
            "tickets": len(tickets),
        },
        "days": [
            {
                "date": each.local_day.isoformat(),
                "href": f"/pay/day?day={each.day_id}",
                "is_here": each.day_id == chosen.day_id,
            }
            for each in every[:14]
        ],
        "tickets": [
            {
                "no": each.ticket_no,
                "href": f"/pay?ticket={each.ticket_id}",
                "service_at": each.service_at.isoformat(),
                "entries": each.entries,
                "amount_minor": each.amount_minor,
            }
            for each in tickets
        ],
    }
