"""A technician's working day: the jobs in hand, those up for claim, those done today."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.flows import reads as flow_reads
from ticket_console.forms import names as template_names
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import Forbidden
from ticket_console.kernel.geo import distance_km
from ticket_console.kernel.text import LocalText
from ticket_console.people import facts as people_facts
from ticket_console.tickets import reads

DONE_WITHIN = timedelta(hours=24)


class NotATechnician(Forbidden):
    code = "dispatch.not_a_technician"


@dataclass(frozen=True, slots=True)
class JobView:
    """One job on the phone; `step` is what is to be done next, None once it is over."""

    ticket_id: int
    no: str
    version: int
    title: str
    template: LocalText
    step: LocalText | None
    stage: str
    priority: int
    is_vip: bool
    contact_name: str
    contact_phone: str
    address: str
    site: LocalText | None
    lat: float | None
    lon: float | None
    distance_km: float | None
    opened_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    progress_bp: int


@dataclass(frozen=True, slots=True)
class MyWork:
    name: str
    jobs: tuple[JobView, ...]
    up_for_claim: tuple[JobView, ...]
    done: tuple[JobView, ...]


def my_work(connection: Connection, *, viewer: Actor, at: datetime) -> MyWork:
    """The viewer's own jobs; NotATechnician for everybody who has none by nature."""
    policy.require(viewer, "ticket.act")
    if viewer.technician_id is None:
        raise NotATechnician()
    me = people_facts.technician(connection, viewer.technician_id)
    in_hand = reads.jobs_of(connection, technician_id=me.id)
    waiting = reads.jobs_up_for_claim(
        connection, org_id=viewer.org_id, region_id=me.region_id, vendor_id=viewer.vendor_id
    )
    done = reads.jobs_finished_since(connection, technician_id=me.id, since=at - DONE_WITHIN)
    sites = places.site_names(
        connection, {row["site_id"] for row in (*in_hand, *waiting, *done) if row["site_id"]}
    )
    templates = template_names.names(connection, viewer.org_id)

    def views(rows: Sequence[Mapping[str, Any]], *, may_call: bool) -> tuple[JobView, ...]:
        return tuple(_view(connection, row, me, sites, templates, may_call=may_call) for row in rows)

    return MyWork(
        name=me.name,
        jobs=views(in_hand, may_call=True),
        # Whoever has not taken a job yet needs its place, not the customer's number.
        up_for_claim=views(waiting, may_call=False),
        done=views(done, may_call=False),
    )


def job_cards(connection: Connection, viewer: Actor, ticket_ids: Collection[int]) -> Mapping[int, JobView]:
    """Tickets as somebody who has not taken them yet may see them, by id: the place, not the number."""
    if viewer.technician_id is None:
        raise NotATechnician()
    me = people_facts.technician(connection, viewer.technician_id)
    rows = reads.jobs_by_id(connection, ticket_ids)
    sites = places.site_names(connection, {row["site_id"] for row in rows.values() if row["site_id"]})
    templates = template_names.names(connection, viewer.org_id)
    return {
        ticket_id: _view(connection, row, me, sites, templates, may_call=False)
        for ticket_id, row in rows.items()
    }


def _view(
    connection: Connection,
    row: Mapping[str, Any],
    me: people_facts.TechnicianFacts,
    sites: Mapping[int, LocalText],
    templates: Mapping[int, LocalText],
    *,
    may_call: bool,
) -> JobView:
    node_key = row.get("node_key")
    graph = flow_reads.compiled(connection, row["flow_version_id"])
    has_place = row["lat"] is not None and row["lon"] is not None
    return JobView(
        ticket_id=row["id"],
        no=row["no"],
        version=row["version"],
        title=row["title"],
        template=templates[row["template_id"]],
        step=None if node_key is None else graph.node_by_key[node_key].name,
        stage=row["stage"],
        priority=row["priority"],
        is_vip=row["is_vip"],
        contact_name=row["contact_name"],
        contact_phone=row["contact_phone"] if may_call else "",
        address=row["address"],
        site=sites.get(row["site_id"]),
        lat=row["lat"],
        lon=row["lon"],
        distance_km=round(distance_km(me.lat, me.lon, row["lat"], row["lon"]), 1) if has_place else None,
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        closed_at=row["closed_at"],
        progress_bp=row["progress_bp"],
    )
