"""The live plan of a region as a branch lies over it: open tasks of technicians, people, who has what."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.dispatch import booking, visit_book
from ticket_console.dispatch.sandbox_plan import Person, Plan, Put, Task
from ticket_console.dispatch.tables import DispatchDecision, Visit
from ticket_console.dispatch.visit_rules import joined
from ticket_console.dispatch.visits import Place
from ticket_console.flows import reads as flow_reads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.people import rosters
from ticket_console.people.candidate import Span
from ticket_console.people.presence import presences
from ticket_console.people.rosters import PersonView
from ticket_console.tickets import board_cards, reads
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.scoping import own_rows, row_condition
from ticket_console.tickets.tables import OwnerKind, Ticket, TokenRow

PERMISSION: Final = "ticket.assign"
# The most urgent tasks and people of a region that one plan is reckoned with.
MOST_TASKS: Final = 1_000
MOST_PEOPLE: Final = 300
# How far ahead shifts are read, beside the visits that are planned later.
AHEAD: Final = timedelta(days=3)
# As long as every need is expected to take.
WORK_MINUTES: Final = 60

_tickets = table(Ticket)
_tokens = table(TokenRow)
_visits = table(Visit)
_decisions = table(DispatchDecision)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a ticket's step stands: what a move is compared with. `steps` is how many are technicians'."""

    ticket_id: int
    no: str
    title: str
    version: int
    token_id: int
    holder: int | None
    visit: Span | None
    priority: int
    is_vip: bool
    due_at: datetime | None
    address: str
    steps: int = 1

    @property
    def starts_at(self) -> datetime | None:
        return None if self.visit is None else self.visit.starts_at


@dataclass(frozen=True, slots=True)
class Live:
    """The plan as it is; `total` counts the tasks beyond `MOST_TASKS` too."""

    plan: Plan
    standing: Mapping[int, Standing]
    people: Mapping[int, PersonView]
    total: int


_ROWS: Final = (
    _tickets.c.id,
    _tickets.c.no,
    _tickets.c.title,
    _tickets.c.version,
    _tickets.c.priority,
    _tickets.c.is_vip,
    _tickets.c.due_at,
    _tickets.c.address,
    _tickets.c.lat,
    _tickets.c.lon,
    _tickets.c.flow_version_id,
    _tokens.c.id.label("token_id"),
    _tokens.c.owner_kind,
    _tokens.c.owner_id,
    _visits.c.starts_at,
    _visits.c.ends_at,
)


def read_live(
    connection: Connection, *, viewer: Actor, region_id: int, at: datetime, puts: Iterable[Put] = ()
) -> Live:
    """The open tasks of the region that the viewer dispatches and the people who may do them.

    `puts` are moves whose times the shifts are to be read for as well.
    """
    wanted = _open_tasks(viewer, rosters.regions_below(connection, viewer.org_id, region_id))
    total = connection.execute(
        sa.select(sa.func.count()).select_from(_tickets.join(_tokens)).where(wanted)
    ).scalar_one()
    rows = _rows(connection, wanted)
    standing = _standings(rows)
    people = _people(connection, viewer, region_id, standing.values())
    visits = [each.visit for each in standing.values() if each.visit is not None]
    visits += [put.visit for put in puts if put.visit is not None]
    until = max((at + AHEAD, *(visit.ends_at + timedelta(days=1) for visit in visits)))
    parts = _parts(connection, viewer, rows)
    tasks = tuple(
        Task(
            token_id=row.token_id,
            ticket_id=row.id,
            priority=row.priority,
            due_at=row.due_at,
            place=None if row.lat is None or row.lon is None else Place(row.lat, row.lon),
            minutes=WORK_MINUTES,
            holder=_holder(row),
            visit=None if row.starts_at is None else Span(row.starts_at, row.ends_at),
            is_short_of_parts=parts.get(row.id) == "short",
        )
        for row in rows
    )
    plan = Plan(at, tasks, _persons(connection, people, tasks, at, until), visit_book.travel())
    return Live(plan, standing, people, total)


def standings_of(connection: Connection, viewer: Actor, ticket_ids: Collection[int]) -> dict[int, Standing]:
    """Where these tickets stand now, without those that are over or that the viewer does not dispatch."""
    return _standings(_rows(connection, sa.and_(_tickets.c.id.in_(sorted(ticket_ids)), _open_tasks(viewer))))


def numbers_of(connection: Connection, viewer: Actor, ticket_ids: Collection[int]) -> dict[int, str]:
    """What tickets are called, whatever became of them, without those that the viewer may not see."""
    rows = connection.execute(
        sa.select(_tickets.c.id, _tickets.c.no).where(
            _tickets.c.org_id == viewer.org_id,
            _tickets.c.id.in_(sorted(ticket_ids)),
            reads.visible_to(viewer),
        )
    )
    return {row.id: row.no for row in rows}


def _open_tasks(viewer: Actor, region_ids: Collection[int] | None = None) -> sa.ColumnElement[bool]:
    # A step that waits for a technician has a decision that says why it has none.
    waits = sa.and_(
        _tokens.c.owner_kind == OwnerKind.QUEUE, sa.exists().where(_decisions.c.token_id == _tokens.c.id)
    )
    dispatched = row_condition(
        policy.row_scope(viewer, PERMISSION),
        region=_tickets.c.region_id,
        ticket_class=_tickets.c.ticket_class,
        own=own_rows(viewer),
    )
    return sa.and_(
        _tickets.c.org_id == viewer.org_id,
        _tickets.c.status == TicketStatus.OPEN,
        sa.true() if region_ids is None else _tickets.c.region_id.in_(sorted(region_ids)),
        reads.visible_to(viewer),
        dispatched,
        _tokens.c.state == TokenState.ACTIVE,
        sa.or_(_tokens.c.owner_kind == OwnerKind.TECHNICIAN, waits),
    )


def _rows(connection: Connection, wanted: sa.ColumnElement[bool]) -> list[Any]:
    source = _tickets.join(_tokens, _tokens.c.ticket_id == _tickets.c.id).outerjoin(
        _visits, _visits.c.token_id == _tokens.c.id
    )
    return list(
        connection.execute(
            sa.select(*_ROWS)
            .select_from(source)
            .where(wanted)
            .order_by(
                _tickets.c.priority,
                _tickets.c.due_at.is_(None),
                _tickets.c.due_at,
                _tickets.c.id,
                _tokens.c.id,
            )
            .limit(MOST_TASKS)
        )
    )


def _standings(rows: Iterable[Any]) -> dict[int, Standing]:
    found = list(rows)
    steps = Counter(row.id for row in found)
    return {
        row.id: Standing(
            ticket_id=row.id,
            no=row.no,
            title=row.title,
            version=row.version,
            token_id=row.token_id,
            holder=_holder(row),
            visit=None if row.starts_at is None else Span(row.starts_at, row.ends_at),
            priority=row.priority,
            is_vip=row.is_vip,
            due_at=row.due_at,
            address=row.address,
            steps=steps[row.id],
        )
        for row in reversed(found)
    }


def _holder(row: Any) -> int | None:
    return row.owner_id if row.owner_kind is OwnerKind.TECHNICIAN else None


def _people(
    connection: Connection, viewer: Actor, region_id: int, standing: Iterable[Standing]
) -> dict[int, PersonView]:
    """The region's people, and those from elsewhere who have work in it."""
    own = rosters.people_of(
        connection, viewer=viewer, permission=PERMISSION, region_id=region_id, size=MOST_PEOPLE
    ).people
    found = {each.id: each for each in own}
    strangers = {each.holder for each in standing if each.holder is not None} - found.keys()
    found |= {each.id: each for each in rosters.named(connection, viewer.org_id, strangers)}
    return found


def _persons(
    connection: Connection,
    people: Mapping[int, PersonView],
    tasks: Collection[Task],
    at: datetime,
    until: datetime,
) -> tuple[Person, ...]:
    there = presences(connection, people, at - timedelta(days=1), until)
    counts = booking.open_counts(connection, people)
    held = Counter(task.holder for task in tasks)
    return tuple(
        Person(
            id=each.id,
            home=Place(each.lat, each.lon),
            capacity=each.capacity,
            elsewhere=max(0, counts.get(each.id, 0) - held[each.id]),
            shifts=None if (spans := there[each.id].shift_spans) is None else tuple(joined(spans)),
            absences=there[each.id].absence_spans,
            is_there=each.is_on_duty or bool(spans),
        )
        for each in people.values()
    )


def _parts(connection: Connection, viewer: Actor, rows: Iterable[Any]) -> dict[int, str | None]:
    flows = {row.id: row.flow_version_id for row in rows}
    if not flows:
        return {}
    graphs = {each: flow_reads.compiled(connection, each) for each in set(flows.values())}
    found = board_cards.blocked_of(connection, viewer, {id: graphs[flow] for id, flow in flows.items()})
    return {id: parts for id, (_, parts) in found.items()}
