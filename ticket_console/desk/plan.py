"""The plan of a region's people: who is where when, what is to be planned, and how full the hours are."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.desk.assigning import NothingToAssign
from ticket_console.desk.needs import needs_of
from ticket_console.desk.scheduling import candidates_at
from ticket_console.dispatch import booking, policies, visit_book
from ticket_console.dispatch.capacity import Load, PersonTime, hours_of, loads
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.tables import DispatchDecision, Visit
from ticket_console.dispatch.visit_rules import (
    LONGEST,
    Barred,
    Objection,
    barred_starts,
    cautious_starts,
    judge_person,
)
from ticket_console.dispatch.visits import Planned
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.people import names as people_names
from ticket_console.people import rosters
from ticket_console.people.candidate import Span
from ticket_console.people.presence import Presence, presences
from ticket_console.people.rosters import PersonView
from ticket_console.people.shift_times import days_window
from ticket_console.tickets import reads
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.tables import OwnerKind, Ticket, TokenRow

PERMISSION: Final = "ticket.assign"
MOST_DAYS: Final = 7
JOBS: Final = 60
# Work that is planned nowhere yet is counted for this many tickets, the most urgent ones.
_EXPECTED: Final = 200
_SEARCH_LENGTH: Final = 60

_tickets = table(Ticket)
_tokens = table(TokenRow)
_visits = table(Visit)
_decisions = table(DispatchDecision)


class RegionNotFound(NotFound):
    code = "plan.region_not_found"


@dataclass(frozen=True, slots=True)
class Window:
    """Some whole days of a region by its own clock."""

    region_id: int
    zone: ZoneInfo
    first: date
    days: int

    @property
    def span(self) -> Span:
        return days_window(self.first, self.days, self.zone)


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit with what the plan says of its ticket; `version` is the ticket's."""

    visit: Planned
    no: str
    title: str
    priority: int
    is_vip: bool
    version: int
    due_at: datetime | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One person's line of the plan."""

    person: PersonView
    presence: Presence
    open_count: int


@dataclass(frozen=True, slots=True)
class Plan:
    window: Window
    total: int
    page: int
    rows: tuple[Row, ...]
    visits: tuple[PlannedVisit, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """A task of a technician that has no time yet; `holder` has it already."""

    ticket_id: int
    no: str
    title: str
    version: int
    priority: int
    is_vip: bool
    due_at: datetime | None
    address: str
    holder: str | None


@dataclass(frozen=True, slots=True)
class PersonForetold:
    """`against` holds at any time of the window; `barred` are the starts at which a visit cannot begin,
    `warned` those at which it can and something is to be thought of."""

    against: tuple[Objection, ...]
    barred: tuple[Barred, ...]
    warned: tuple[Barred, ...]


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a visit of a task would be told with each person, before it is dropped there."""

    ticket_id: int
    minutes: int
    people: Mapping[int, PersonForetold]


@dataclass(frozen=True, slots=True)
class HeatRow:
    """How full each span is for everybody, or for those with one skill."""

    skill: str | None
    people: int
    loads: tuple[Load, ...]


@dataclass(frozen=True, slots=True)
class Heat:
    spans: tuple[Span, ...]
    rows: tuple[HeatRow, ...]


def regions_for(connection: Connection, viewer: Actor, permission: str) -> tuple[places.RegionView, ...]:
    """The regions whose people the viewer plans."""
    return tuple(
        each
        for each in places.regions(connection, viewer.org_id)
        if policy.allows(viewer, permission, region_id=each.id)
    )


def window_of(
    connection: Connection,
    *,
    viewer: Actor,
    region_id: int,
    first: date,
    days: int,
    permission: str = PERMISSION,
) -> Window:
    """A region's days, at most a week; RegionNotFound for what the viewer does not plan."""
    region = next(
        (each for each in regions_for(connection, viewer, permission) if each.id == region_id), None
    )
    if region is None:
        raise RegionNotFound(region_id=region_id)
    return Window(region_id, ZoneInfo(region.tz), first, max(1, min(days, MOST_DAYS)))


def read_plan(
    connection: Connection, *, viewer: Actor, window: Window, search: str = "", page: int = 1
) -> Plan:
    """A page of the region's people with their shifts, absences and visits in the window."""
    found = rosters.people_of(
        connection, viewer=viewer, permission=PERMISSION, region_id=window.region_id, search=search, page=page
    )
    ids = [each.id for each in found.people]
    span = window.span
    there = presences(connection, ids, span.starts_at, span.ends_at)
    counts = booking.open_counts(connection, ids)
    booked = [
        visit
        for each in visit_book.visits_of(connection, ids, span.starts_at, span.ends_at).values()
        for visit in each
    ]
    rows = tuple(Row(each, there[each.id], counts.get(each.id, 0)) for each in found.people)
    return Plan(window, found.total, found.page, rows, _with_tickets(connection, viewer, booked))


def unplanned(connection: Connection, *, viewer: Actor, region_id: int, search: str = "") -> tuple[Job, ...]:
    """Tasks of technicians in the region that have no time yet, the most urgent first."""
    query = _unplanned(connection, viewer, region_id)
    if needle := search.strip()[:_SEARCH_LENGTH]:
        query = query.where(
            sa.or_(
                _tickets.c.no.icontains(needle, autoescape=True),
                _tickets.c.title.icontains(needle, autoescape=True),
                _tickets.c.address.icontains(needle, autoescape=True),
            )
        )
    rows = connection.execute(query.limit(JOBS)).all()
    names = people_names.names(connection, (row.owner_id for row in rows if _is_held(row)))
    return tuple(
        Job(
            ticket_id=row.id,
            no=row.no,
            title=row.title,
            version=row.version,
            priority=row.priority,
            is_vip=row.is_vip,
            due_at=row.due_at,
            address=row.address,
            holder=names.get(row.owner_id) if _is_held(row) else None,
        )
        for row in rows
    )


def foretell(
    connection: Connection,
    *,
    viewer: Actor,
    ticket_id: int,
    technician_ids: Collection[int],
    window: Window,
    minutes: int | None,
    at: datetime,
) -> Foretold:
    """For one task, what speaks against each person and against each start within the window.

    It is what `scheduling.schedule` would say. Without `minutes` the task takes as long as expected.
    """
    row = reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    needs = needs_of(connection, row)
    if not needs:
        raise NothingToAssign(ticket_no=row["no"])
    need = needs[0]
    length = min(timedelta(minutes=minutes or need.work_minutes), LONGEST)
    span = window.span
    around = Span(span.starts_at - visit_book.LONGEST, span.ends_at + visit_book.LONGEST)
    people = candidates_at(connection, viewer.org_id, technician_ids, around, at=at)
    booked = visit_book.visits_of(connection, people, around.starts_at, around.ends_at)
    counts = booking.open_counts(connection, people)
    holder = booking.holder(connection, need.token_id)
    travel = visit_book.travel()
    filters = policies.policy_for(connection, need, at).filters
    told = {}
    for technician_id, candidate in people.items():
        against = judge_person(
            candidate,
            need,
            at=span.starts_at,
            on=window.first,
            open_count=counts.get(technician_id, 0),
            holds_it=holder is not None and holder.technician_id == technician_id,
            filters=filters,
        )
        barred = barred_starts(
            candidate,
            need,
            length,
            booked.get(technician_id, ()),
            since=span.starts_at,
            until=span.ends_at,
            travel=travel,
        )
        warned = cautious_starts(
            need,
            length,
            booked.get(technician_id, ()),
            since=span.starts_at,
            until=span.ends_at,
            travel=travel,
        )
        told[technician_id] = PersonForetold(against, barred, warned)
    return Foretold(ticket_id, int(length.total_seconds() // 60), told)


def read_heat(connection: Connection, *, viewer: Actor, window: Window) -> Heat:
    """Booked and expected work against capacity: for everybody, then for those with each skill."""
    found = rosters.people_of(
        connection, viewer=viewer, permission=PERMISSION, region_id=window.region_id, size=1_000
    )
    ids = [each.id for each in found.people]
    span = window.span
    there = presences(connection, ids, span.starts_at, span.ends_at)
    booked = visit_book.visits_of(connection, ids, span.starts_at, span.ends_at)
    times = {
        each.id: PersonTime(
            there[each.id].shift_spans,
            there[each.id].absence_spans,
            tuple(
                Span(visit.starts_at - timedelta(seconds=visit.travel_seconds), visit.ends_at)
                for visit in booked.get(each.id, ())
            ),
            each.is_on_duty,
        )
        for each in found.people
    }
    needs = _expected(connection, viewer, window)
    spans = hours_of(span, step=timedelta(hours=1 if window.days == 1 else 4))
    rows = [HeatRow(None, len(ids), loads(list(times.values()), spans, _due(needs)))]
    for skill, holders in rosters.skills_of(connection, ids, span.starts_at).items():
        wanted = [need for need in needs if need.skill == skill]
        rows.append(
            HeatRow(
                skill, len(holders), loads([times[each] for each in sorted(holders)], spans, _due(wanted))
            )
        )
    return Heat(spans, tuple(rows))


def _expected(connection: Connection, viewer: Actor, window: Window) -> list[Need]:
    rows = connection.execute(
        _unplanned(connection, viewer, window.region_id)
        .where(_tickets.c.due_at.is_not(None))
        .limit(_EXPECTED)
    ).all()
    tickets = connection.execute(sa.select(_tickets).where(_tickets.c.id.in_([row.id for row in rows])))
    return [need for each in tickets for need in needs_of(connection, each._asdict())]


def _due(needs: Iterable[Need]) -> list[tuple[datetime, int]]:
    return [(need.due_at, need.work_minutes) for need in needs if need.due_at is not None]


def _unplanned(connection: Connection, viewer: Actor, region_id: int) -> sa.Select[Any]:
    is_planned = sa.exists().where(_visits.c.token_id == _tokens.c.id)
    # A step that waits for a technician has a decision that says why it has none.
    waits = sa.and_(
        _tokens.c.owner_kind == OwnerKind.QUEUE, sa.exists().where(_decisions.c.token_id == _tokens.c.id)
    )
    return (
        sa.select(
            _tickets.c.id,
            _tickets.c.no,
            _tickets.c.title,
            _tickets.c.version,
            _tickets.c.priority,
            _tickets.c.is_vip,
            _tickets.c.due_at,
            _tickets.c.address,
            _tokens.c.owner_kind,
            _tokens.c.owner_id,
        )
        .join(_tokens, _tokens.c.ticket_id == _tickets.c.id)
        .where(
            _tickets.c.org_id == viewer.org_id,
            _tickets.c.status == TicketStatus.OPEN,
            _tickets.c.region_id.in_(sorted(rosters.regions_below(connection, viewer.org_id, region_id))),
            reads.visible_to(viewer),
            _tokens.c.state == TokenState.ACTIVE,
            sa.or_(_tokens.c.owner_kind == OwnerKind.TECHNICIAN, waits),
            ~is_planned,
        )
        .order_by(_tickets.c.priority, _tickets.c.due_at.is_(None), _tickets.c.due_at, _tickets.c.id)
    )


def _is_held(row: Any) -> bool:
    return bool(row.owner_kind is OwnerKind.TECHNICIAN)


def _with_tickets(
    connection: Connection, viewer: Actor, booked: Collection[Planned]
) -> tuple[PlannedVisit, ...]:
    """Visits with their tickets; of a ticket the viewer may not see only the time is told."""
    rows = connection.execute(
        sa.select(
            _tickets.c.id,
            _tickets.c.no,
            _tickets.c.title,
            _tickets.c.priority,
            _tickets.c.is_vip,
            _tickets.c.version,
            _tickets.c.due_at,
            _tokens.c.id.label("token_id"),
            _tokens.c.state,
        )
        .join(_tokens, _tokens.c.ticket_id == _tickets.c.id)
        .where(_tokens.c.id.in_(sorted(each.token_id for each in booked)), reads.visible_to(viewer))
    )
    seen = {row.token_id: row for row in rows}
    told = []
    for visit in booked:
        row = seen.get(visit.token_id)
        if row is None:
            told.append(PlannedVisit(visit, "", "", 4, False, 0, None, False))
            continue
        told.append(
            PlannedVisit(
                visit,
                row.no,
                row.title,
                row.priority,
                row.is_vip,
                row.version,
                row.due_at,
                row.state is TokenState.ACTIVE,
            )
        )
    return tuple(told)
