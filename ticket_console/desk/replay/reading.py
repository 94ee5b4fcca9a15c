"""The tickets of a period and their histories, read in windows; nothing here writes."""

from array import array
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.clocks import calendars
from ticket_console.clocks.business_time import BusinessTime
from ticket_console.desk.rated_facts import RATED_COLUMNS, Surroundings, WorkTimes, rated_facts
from ticket_console.desk.rates import pinned_rules
from ticket_console.desk.replay.dwelling import Dwells
from ticket_console.desk.replay.playing import Course
from ticket_console.desk.replay.script import Script, read_script
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import SubflowUse
from ticket_console.flows.expansion import expand
from ticket_console.flows.graph import Graph
from ticket_console.flows.graph_json import InvalidGraph
from ticket_console.forms import reads as form_reads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.people import facts as people_facts
from ticket_console.settlement.facts import Facts, PartUsed
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.rating import rate
from ticket_console.settlement.rules import RuleSet
from ticket_console.settlement.settling import version_for
from ticket_console.stock import usage
from ticket_console.tickets.actions import Outcome
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.scoping import row_condition
from ticket_console.tickets.tables import Event, Ticket, TokenRow

_tickets, _tokens, _events = table(Ticket), table(TokenRow), table(Event)

WINDOW: Final = 250
_STREAM: Final = 5_000
# Said on a ticket without moving it or writing a field.
_ONLY_SAID: Final = ("ticket.commented", "ticket.attached", "ticket.corrected", "ticket.refunded")


@dataclass(frozen=True, slots=True)
class Period:
    """Half open: tickets opened from one instant up to, not including, another."""

    starts: datetime
    ends: datetime

    @property
    def seconds(self) -> int:
        return max(int((self.ends - self.starts).total_seconds()), 1)


def last_month(at: datetime, zone: ZoneInfo) -> Period:
    """The calendar month before the one that an instant lies in, on the wall clock of a zone."""
    first = at.astimezone(zone).date().replace(day=1)
    return Period(_midnight((first - timedelta(days=1)).replace(day=1), zone), _midnight(first, zone))


def days(first: date, last: date, zone: ZoneInfo) -> Period:
    """From the start of one day to the end of another."""
    return Period(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def ticket_ids(
    connection: Connection, *, viewer: Actor, version_ids: Collection[int], period: Period
) -> "array[int]":
    """The tickets of a flow opened in the period that the viewer may see, oldest first."""
    query = (
        sa.select(_tickets.c.id)
        .where(_opened_in(viewer, version_ids, period))
        .order_by(_tickets.c.opened_at, _tickets.c.id)
    )
    return array("q", _streamed(connection, query).scalars())


def gather_dwells(
    connection: Connection, *, viewer: Actor, version_ids: Collection[int], period: Period, as_of: datetime
) -> Dwells:
    """How long the finished steps of those tickets took."""
    query = (
        sa.select(_tickets.c.flow_version_id, _tokens.c.node_key, _tokens.c.entered_at, _tokens.c.left_at)
        .join(_tickets, _tickets.c.id == _tokens.c.ticket_id)
        .where(
            _opened_in(viewer, version_ids, period),
            _tokens.c.state == TokenState.DONE,
            _tokens.c.outcome.in_([Outcome.DONE, Outcome.RETURNED, Outcome.REJECTED]),
            _tokens.c.left_at <= as_of,
        )
    )
    graphs = {version_id: flow_reads.compiled(connection, version_id) for version_id in version_ids}
    dwells = Dwells()
    for version_id, node_key, entered_at, left_at in _streamed(connection, query):
        node = graphs[version_id].node_by_key.get(node_key)
        if node is not None and node.join is None:
            dwells.add(node, round((left_at - entered_at).total_seconds()))
    return dwells


def _streamed(
    connection: Connection, query: sa.Select[*tuple[Any, ...]]
) -> sa.CursorResult[*tuple[Any, ...]]:
    return connection.execution_options(stream_results=True, yield_per=_STREAM).execute(query)


def _opened_in(viewer: Actor, version_ids: Collection[int], period: Period) -> sa.ColumnElement[bool]:
    return sa.and_(
        _tickets.c.org_id == viewer.org_id,
        _tickets.c.flow_version_id.in_(sorted(version_ids)),
        _tickets.c.opened_at >= period.starts,
        _tickets.c.opened_at < period.ends,
        visible_to(viewer),
    )


def visible_to(viewer: Actor) -> sa.ColumnElement[bool]:
    """The tickets a viewer of the designer may see."""
    own = sa.false() if viewer.technician_id is None else _tickets.c.assignee_id == viewer.technician_id
    return row_condition(
        policy.row_scope(viewer, "ticket.view"),
        region=_tickets.c.region_id,
        ticket_class=_tickets.c.ticket_class,
        own=own,
    )


@dataclass(frozen=True, slots=True)
class Story:
    """A ticket as it is now, and the script of its history."""

    ticket: Mapping[str, Any]
    script: Script


_COLUMNS: Final = (
    *(_tickets.c[name] for name in RATED_COLUMNS),
    _tickets.c.priority,
    _tickets.c.assignee_id,
    _tickets.c.site_id,
    _tickets.c.template_version_id,
    _tickets.c.flow_version_id,
)
_OF_WINDOW: Final = sa.select(*_COLUMNS).where(
    _tickets.c.org_id == sa.bindparam("org_id"), _tickets.c.id.in_(sa.bindparam("ids", expanding=True))
)
_HISTORIES: Final = (
    sa.select(
        _events.c.ticket_id,
        _events.c.type,
        _events.c.payload,
        _events.c.actor,
        _events.c.actor_name,
        _events.c.at,
    )
    .where(
        _events.c.ticket_id.in_(sa.bindparam("ids", expanding=True)),
        _events.c.ordinal == 0,
        _events.c.at <= sa.bindparam("as_of"),
        _events.c.type.not_in(_ONLY_SAID),
    )
    .order_by(_events.c.ticket_id, _events.c.seq)
)


def stories(
    connection: Connection, *, org_id: int, ticket_ids: Sequence[int], as_of: datetime
) -> Iterator[Story]:
    """The stories of a window of tickets, by number, in two statements."""
    rows = connection.execute(_OF_WINDOW, {"org_id": org_id, "ids": list(ticket_ids)})
    found = {row.id: row._asdict() for row in rows}
    events = connection.execute(_HISTORIES, {"ids": sorted(found), "as_of": as_of})
    for ticket_id, history in groupby(events, key=attrgetter("ticket_id")):
        yield Story(found[ticket_id], read_script(row._asdict() for row in history))


class Prices:
    """What courses cost, by the rules in force; what has to be known is read once."""

    def __init__(self, connection: Connection, org_id: int) -> None:
        self._connection = connection
        self._org_id = org_id
        self._org_zone = places.org(connection, org_id).tz
        self._regions = {region.id: region for region in places.regions(connection, org_id)}
        self._sites = places.site_zones(connection, org_id)
        self._technicians = people_facts.technicians(connection, org_id)
        self._rules: dict[date | str, RuleSet] = {}

    def window(self, ticket_ids: Sequence[int], *, as_of: datetime) -> "WindowPrices":
        return WindowPrices(self, usage.parts_used_on(self._connection, ticket_ids, as_of=as_of))

    def surroundings(self, ticket: Mapping[str, Any], parts: Sequence[usage.PartLine]) -> Surroundings | None:
        """None for a ticket that nobody worked on, which costs nothing."""
        technician = self._technicians.get(ticket["assignee_id"])
        if technician is None:
            return None
        region = self._regions.get(ticket["region_id"])
        template = form_reads.template_version(self._connection, ticket["template_version_id"])
        return Surroundings(
            technician=technician,
            site_tz=self.zone(ticket),
            region_code="" if region is None else region.code,
            template_code=template.code,
            parts=[PartUsed(line.sku, line.quantity, line.unit_cost_minor) for line in parts],
        )

    def zone(self, ticket: Mapping[str, Any]) -> str:
        """Where the clock hangs by which the ticket's work is done."""
        region = self._regions.get(ticket["region_id"])
        return self._sites.get(ticket["site_id"]) or (self._org_zone if region is None else region.tz)

    def rules(self, facts: Facts) -> RuleSet:
        key = facts.pinned_rules or facts.service_on
        known = self._rules.get(key)
        if known is None:
            version = version_for(
                self._connection, org_id=self._org_id, purpose=Purpose.WORKER_PAY, facts=facts
            )
            known = self._rules[key] = version.rules
        return known

    def pinned_rules(self, ticket: Mapping[str, Any], values: Mapping[str, Any]) -> str | None:
        template = form_reads.template_version(self._connection, ticket["template_version_id"])
        return pinned_rules(template.definition, values)


@dataclass(frozen=True, slots=True)
class WindowPrices:
    prices: Prices
    parts: Mapping[int, Sequence[usage.PartLine]]

    def of(self, ticket: Mapping[str, Any], course: Course) -> int:
        """What settling pays on this course: every segment as it was last passed."""
        around = self.prices.surroundings(ticket, self.parts.get(ticket["id"], ()))
        if around is None:
            return 0
        total = 0
        for settled in {each.segment: each for each in course.settled}.values():
            times = WorkTimes(
                at=settled.at,
                started_at=settled.started_at,
                resolved_at=settled.resolved_at,
                responded_at=settled.responded_at,
            )
            facts = rated_facts(
                ticket,
                settled.values,
                surroundings=replace(around, pinned_rules=self.prices.pinned_rules(ticket, settled.values)),
                times=times,
                segment=settled.segment,
            )
            total += rate(facts, self.prices.rules(facts)).total_minor
        return total


class Calendars:
    """The business calendars of an organisation as they are now, each looked up once."""

    def __init__(self, connection: Connection, org_id: int) -> None:
        self._connection = connection
        self._org_id = org_id
        self._known: dict[str, BusinessTime] = {}

    def of(self, code: str) -> BusinessTime:
        known = self._known.get(code)
        if known is None:
            known = self._known[code] = calendars.business_time(self._connection, self._org_id, code)
        return known


@dataclass(frozen=True, slots=True)
class TicketWaits:
    """`playing.Waits` of a ticket whose work happens in a zone."""

    calendars: Calendars
    zone: str

    def after(self, at: datetime, seconds: int, calendar: str | None) -> datetime:
        wait = timedelta(seconds=seconds)
        return at + wait if calendar is None else self.calendars.of(calendar).add(at, wait)

    def until(self, value: object, calendar: str | None) -> datetime | None:
        instant = _instant(value, self.zone)
        if instant is None or calendar is None:
            return instant
        hours = self.calendars.of(calendar)
        return instant if hours.is_open(instant) else hours.add(instant, _MOMENT) - _MOMENT


_MOMENT: Final = timedelta(seconds=1)


def _instant(value: object, zone: str) -> datetime | None:
    """An instant as a field holds it; without an offset it is meant where the work happens."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=ZoneInfo(zone))


def runnable(connection: Connection, org_id: int, code: str, drawn: Graph) -> Graph:
    """A drawn flow as it would run: every sub-flow in its place, in the version it would be pinned to."""

    def load(use: SubflowUse) -> Graph | None:
        version = flow_reads.follow_current(connection, org_id, use)
        return None if version is None else flow_reads.pinned(connection, version)

    expansion = expand(drawn, load, code=code)
    if expansion.problems:
        raise InvalidGraph(expansion.problems)
    return expansion.graph
