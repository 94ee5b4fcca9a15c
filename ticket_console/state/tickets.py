"""The list behind every figure: the address says which one, and the State answers with one page of it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import urlencode

import reflex as rx
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.forms import names as template_names
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import NotFound
from ticket_console.reports import metrics
from ticket_console.reports.metrics import ListedTicket, Metric, Order, Slice, Sorting, TicketList
from ticket_console.reports.returned import Returned, parse_returned
from ticket_console.reports.returns import step_name
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.steps import Plain, both
from ticket_console.tickets import reads

_SEARCH_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for; what makes no sense there asks for nothing."""

    metric: Metric | None = None
    slice: Slice = field(default_factory=Slice)
    on: date | None = None
    search: str = ""
    sorting: Sorting | None = None
    page: int = 1


class TicketsState(SessionState):
    status: str = "loading"
    rows: list[Plain] = []
    count: int = 0
    page: int = 1
    pages: int = 1
    sort: str = ""
    descending: bool = False
    metric: str = ""
    day: str = ""
    search: str = ""
    returned: Plain = {}
    site: Plain = {}
    tz: str = ""
    exports: list[Plain] = []
    choices: dict[str, list[Plain]] = {"region": [], "template": []}

    @handler(permission="ticket.view")
    async def load(self) -> Reply:
        asked = asked_of(self.router.url.query_parameters)
        try:
            found, choices, returned, site = await off_loop(
                _read, viewer=self._actor(), at=self._now(), asked=asked
            )
        except Exception:
            self.status = "failed"
            raise
        self.rows = [_row(each) for each in found.rows]
        self.count, self.page, self.pages = found.count, found.page, found.pages
        self.sort, self.descending = found.sorting.by.value, found.sorting.descending
        self.metric = asked.metric.value if asked.metric else ""
        self.day = asked.on.isoformat() if asked.on else ""
        self.search = asked.search
        self.returned, self.site = returned, site
        self.tz = found.tz
        self.exports = exports_of(asked) if found.count else []
        if choices != self.choices:
            self.choices = choices
        self.status = "ready"
        return None

    @handler(permission="ticket.view")
    async def open_number(self, typed: str) -> Reply:
        """Open the ticket of that number; anything else is only searched for."""
        with suppress(NotFound):
            number = typed.strip().upper()[:_SEARCH_LENGTH]
            ticket_id = await off_loop(_ticket_id, viewer=self._actor(), no=number)
            return rx.redirect(f"/tickets/{ticket_id}")
        return None


def address_of(
    metric: Metric | None = None, slice: Slice = metrics.EVERYTHING, *, on: date | None = None
) -> str:
    """Where the list behind a figure is."""
    asked = {
        "metric": metric.value if metric else None,
        "day": on.isoformat() if on else None,
        **narrowing(slice),
    }
    return f"/tickets?{urlencode({name: value for name, value in asked.items() if value is not None})}"


def exports_of(asked: Asked) -> list[Plain]:
    """The files a list can be had as, for a menu."""
    narrowed = {
        "metric": asked.metric.value if asked.metric else None,
        "day": asked.on.isoformat() if asked.on else None,
        "q": asked.search or None,
        **narrowing(asked.slice),
    }
    given = {name: value for name, value in narrowed.items() if value is not None}
    forms = {"xlsx": {"format": "xlsx"}, "csv": {"format": "csv"}, "history": {"history": "true"}}
    return [
        {
            "key": key,
            "label": both(f"tickets.export.{key}"),
            "href": f"/api/v1/tickets/export?{urlencode({**given, **form})}",
            "download": True,
        }
        for key, form in forms.items()
    ]


def narrowing(slice: Slice) -> dict[str, str]:
    """A slice as parameters of an address."""
    asked: dict[str, str] = {}
    if slice.region_id is not None:
        asked["region"] = str(slice.region_id)
    if slice.template_id is not None:
        asked["template"] = str(slice.template_id)
    if slice.is_region_alone:
        asked["alone"] = "1"
    if slice.returned is not None:
        asked["returned"] = str(slice.returned)
    if slice.site_id is not None:
        asked["site"] = str(slice.site_id)
    return asked


def slice_of(asked: Mapping[str, str]) -> Slice:
    return Slice(
        region_id=_whole(asked.get("region", "")),
        template_id=_whole(asked.get("template", "")),
        is_region_alone=asked.get("alone") == "1",
        returned=parse_returned(asked.get("returned", "")),
        site_id=_whole(asked.get("site", "")),
    )


def asked_of(asked: Mapping[str, str]) -> Asked:
    metric, sort, day = asked.get("metric", ""), asked.get("sort", ""), asked.get("day", "")
    order = sort.removeprefix("-")
    return Asked(
        metric=Metric(metric) if metric in set(Metric) else None,
        slice=slice_of(asked),
        on=_day(day),
        search=asked.get("q", "")[:_SEARCH_LENGTH].strip(),
        sorting=Sorting(Order(order), sort.startswith("-")) if order in set(Order) else None,
        page=_whole(asked.get("page", "")) or 1,
    )


def choices_of(*, viewer: Actor) -> dict[str, list[Plain]]:
    """The regions and templates a viewer can narrow figures to."""
    with reading() as connection:
        regions = places.regions(connection, viewer.org_id)
        templates = template_names.names(connection, viewer.org_id)
    scope = policy.row_scope(viewer, "ticket.view")
    everywhere = any(part.region_ids is None for part in scope.parts)
    return {
        "region": [
            {"value": str(region.id), "label": region.name}
            for region in regions
            if everywhere or region.id in scope.region_ids
        ],
        "template": [{"value": str(key), "label": name} for key, name in templates.items()],
    }


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _day(text: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(text) if len(text) == 10 else None
    return None


def _read(
    *, viewer: Actor, at: datetime, asked: Asked
) -> tuple[TicketList, dict[str, list[Plain]], Plain, Plain]:
    with reading() as connection:
        found = metrics.ticket_list(
            connection,
            viewer=viewer,
            at=at,
            slice=asked.slice,
            metric=asked.metric,
            on=asked.on,
            search=asked.search,
            sorting=asked.sorting,
            page=asked.page,
        )
        returned = {} if asked.slice.returned is None else _step(connection, viewer, asked.slice.returned)
        site = {} if asked.slice.site_id is None else _site(connection, viewer, asked.slice.site_id)
    return found, choices_of(viewer=viewer), returned, site


def _step(connection: Connection, viewer: Actor, returned: Returned) -> Plain:
    """At which step and when the tickets of the list were sent back."""
    days = {"first": returned.days.first.isoformat(), "last": returned.days.last.isoformat()}
    name = step_name(connection, org_id=viewer.org_id, returned=returned)
    return {"step": name or both("tickets.step_gone"), **days}


def _site(connection: Connection, viewer: Actor, site_id: int) -> Plain:
    """The site the list is narrowed to; one that is not the viewer's to know is unknown."""
    known = {
        site.id: site.name
        for site in places.sites(connection, viewer.org_id, with_customers=True)
        if policy.allows(viewer, "ticket.view", region_id=site.region_id)
    }
    return {"name": known.get(site_id) or both("tickets.site_unknown")}


def _ticket_id(*, viewer: Actor, no: str) -> int:
    with reading() as connection:
        return reads.ticket_id_by_no(connection, viewer=viewer, no=no)


def _row(ticket: ListedTicket) -> Plain:
    return {
        "href": f"/tickets/{ticket.id}",
        "no": ticket.no,
        "title": ticket.title,
        "stage": ticket.stage,
        "category": ticket.stage_category,
        "priority": ticket.priority,
        "template": ticket.template,
        "region": ticket.region,
        "customer": ticket.customer,
        "assignee": ticket.assignee,
        "opened_at": instant_text(ticket.opened_at),
        "due_at": instant_text(ticket.due_at) if ticket.due_at else None,
        "closed_at": instant_text(ticket.closed_at) if ticket.closed_at else None,
        "took": None if ticket.seconds is None else span_text(ticket.seconds),
    }


def span_text(seconds: float) -> Plain:
    """A length of time as a key and its figures, for the browser to say."""
    minutes = int(seconds) // 60
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return {"key": "time.span.days", "params": {"days": days, "hours": hours}}
    if hours:
        return {"key": "time.span.hours", "params": {"hours": hours, "minutes": rest}}
    key = "time.span.minutes" if minutes else "time.span.moment"
    return {"key": key, "params": {"minutes": rest}}
