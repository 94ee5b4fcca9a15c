"""Every site at a glance: how much is open there, how much of it late, and how fast work begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.text import LocalText
from ticket_console.reports.durations import seconds_between
from ticket_console.reports.metrics import EVERYTHING, narrowed, tickets

# Opened tickets and the time until somebody took them up are of these last days.
RECENT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """A site with its figures; `response_seconds` is the mean over `responded` recent tickets, or None."""

    id: int
    code: str
    name: LocalText
    kind: str
    region_id: int
    region: LocalText
    address: str
    lat: float
    lon: float
    open: int
    overdue: int
    unassigned: int
    recent: int
    responded: int
    response_seconds: float | None


@dataclass(frozen=True, slots=True)
class SiteOverview:
    """`elsewhere` counts open tickets of the viewer's that belong to none of the sites."""

    at: datetime
    sites: tuple[SiteFigures, ...]
    elsewhere: int


def site_overview(connection: Connection, viewer: Actor, *, at: datetime) -> SiteOverview:
    """The sites in the viewer's regions by code, those of customers as well."""
    policy.require(viewer, "dashboard.view")
    mine = narrowed(connection, viewer, EVERYTHING)
    now = _by_site(connection, sa.and_(mine, tickets.c.closed_at.is_(None)), *_OF_OPEN, at=at)
    lately = _by_site(connection, sa.and_(mine, tickets.c.opened_at >= at - RECENT), *_OF_RECENT, at=at)
    regions = {region.id: region.name for region in places.regions(connection, viewer.org_id)}
    shown = [
        site
        for site in places.sites(connection, viewer.org_id, with_customers=True)
        if policy.allows(viewer, "dashboard.view", region_id=site.region_id)
    ]
    figures = []
    for site in shown:
        of_now, of_late = now.get(site.id), lately.get(site.id)
        figures.append(
            SiteFigures(
                id=site.id,
                code=site.code,
                name=site.name,
                kind=site.kind.value,
                region_id=site.region_id,
                region=regions[site.region_id],
                address=site.address,
                lat=site.lat,
                lon=site.lon,
                open=0 if of_now is None else int(of_now.open),
                overdue=0 if of_now is None else int(of_now.overdue),
                unassigned=0 if of_now is None else int(of_now.unassigned),
                recent=0 if of_late is None else int(of_late.recent),
                responded=0 if of_late is None else int(of_late.responded),
                response_seconds=None
                if of_late is None or of_late.response is None
                else round(float(of_late.response), 1),
            )
        )
    known = {site.id for site in shown}
    elsewhere = sum(int(row.open) for site_id, row in now.items() if site_id not in known)
    return SiteOverview(at, tuple(figures), elsewhere)


def _is(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    return sa.func.sum(sa.case((condition, 1), else_=0))


_OF_OPEN: Final = (
    sa.func.count().label("open"),
    _is(tickets.c.due_at < sa.bindparam("now", type_=tickets.c.due_at.type)).label("overdue"),
    _is(tickets.c.assignee_id.is_(None)).label("unassigned"),
)
_OF_RECENT: Final = (
    sa.func.count().label("recent"),
    sa.func.count(tickets.c.responded_at).label("responded"),
    sa.func.avg(seconds_between(tickets.c.opened_at, tickets.c.responded_at)).label("response"),
)


def _by_site(
    connection: Connection, condition: sa.ColumnElement[bool], *figures: sa.ColumnElement[Any], at: datetime
) -> Mapping[int | None, Any]:
    query = sa.select(tickets.c.site_id, *figures).where(condition).group_by(tickets.c.site_id)
    return {row.site_id: row for row in connection.execute(query, {"now": at})}
