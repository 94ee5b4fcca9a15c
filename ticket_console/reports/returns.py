"""How often work is sent back, step by step: how many times, by whom, and for which reasons."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.flows import reads as flows
from ticket_console.flows.tables import Flow, FlowVersion
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.reports.metrics import Slice, narrowed
from ticket_console.reports.returned import DECIDED, SENT_BACK, Days, Returned, opened_on, tickets, tokens
from ticket_console.tickets.actions import Outcome
from ticket_console.tickets.tables import Event, OwnerKind

_events = table(Event)
_flows = table(Flow)
_versions = table(FlowVersion)

MOST_REASONS: Final = 3
_EVENT_OF: Final = {Outcome.RETURNED.value: "ticket.returned", Outcome.REJECTED.value: "ticket.rejected"}


@dataclass(frozen=True, slots=True)
class StepReturns:
    """A step of a flow. `passed` counts the visits at which somebody decided, `returns` those that went back.

    `tickets` is how many tickets these were: the length of the list that `slice` asks for. `by` says whose
    step it was at those visits ("technician", "customer", or the role whose queue), the most first; so do
    `reasons`, of which only the most frequent are kept.
    """

    flow: str
    flow_name: LocalText
    node: str
    name: LocalText
    passed: int
    returns: int
    tickets: int
    by: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]
    slice: Slice

    @property
    def rate_bp(self) -> int:
        return (self.returns * 10_000 + self.passed // 2) // self.passed


Step = tuple[str, str]


@dataclass(slots=True)
class _Counted:
    version_id: int
    passed: int = 0
    by: Counter[str] = field(default_factory=Counter)


def last_days(connection: Connection, *, org_id: int, at: datetime, count: int) -> Days:
    """So many days of the organisation up to and including the one that an instant lies in."""
    today: date = at.astimezone(ZoneInfo(places.org(connection, org_id).tz)).date()
    return Days(today - timedelta(days=count - 1), today)


def returns_by_step(
    connection: Connection, *, viewer: Actor, slice: Slice, days: Days
) -> tuple[StepReturns, ...]:
    """Every step at which work of tickets opened on these days went back, the most returns first."""
    policy.require(viewer, "dashboard.view")
    zone = ZoneInfo(places.org(connection, viewer.org_id).tz)
    asked = sa.and_(narrowed(connection, viewer, slice), opened_on(days, zone))
    counted = {step: each for step, each in _counted(connection, asked).items() if each.by}
    if not counted:
        return ()
    lengths = _tickets(connection, asked)
    reasons = _reasons(connection, asked)
    names = _flow_names(connection, viewer.org_id, {flow for flow, _ in counted})
    found = [
        StepReturns(
            flow=flow,
            flow_name=names[flow],
            node=node,
            name=flows.compiled(connection, each.version_id).node_by_key[node].name,
            passed=each.passed,
            returns=each.by.total(),
            tickets=lengths[flow, node],
            by=_most(each.by),
            reasons=_most(reasons[flow, node])[:MOST_REASONS],
            slice=replace(slice, returned=Returned(flow, node, days)),
        )
        for (flow, node), each in counted.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.returns, -each.rate_bp, each.flow, each.node)))


def _most(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _visits(asked: sa.ColumnElement[bool], outcomes: Collection[str], *columns: Any) -> sa.Select[Any]:
    """Visits of the tickets asked for, with the flow each ticket is on."""
    return (
        sa.select(_flows.c.code, tokens.c.node_key, *columns)
        .select_from(tickets)
        .join(tokens, tokens.c.ticket_id == tickets.c.id)
        .join(_versions, _versions.c.id == tickets.c.flow_version_id)
        .join(_flows, _flows.c.id == _versions.c.flow_id)
        .where(asked, tokens.c.outcome.in_(outcomes))
    )


def _counted(connection: Connection, asked: sa.ColumnElement[bool]) -> dict[Step, _Counted]:
    went_back = sa.func.sum(sa.case((tokens.c.outcome.in_(SENT_BACK), 1), else_=0))
    rows = connection.execute(
        _visits(
            asked,
            DECIDED,
            tokens.c.owner_kind,
            tokens.c.queue_role,
            sa.func.count().label("passed"),
            went_back.label("returns"),
            sa.func.max(_versions.c.id).label("version_id"),
        ).group_by(_flows.c.code, tokens.c.node_key, tokens.c.owner_kind, tokens.c.queue_role)
    )
    found: dict[Step, _Counted] = {}
    for row in rows:
        each = found.setdefault((row.code, row.node_key), _Counted(row.version_id))
        each.version_id = max(each.version_id, row.version_id)
        each.passed += row.passed
        if row.returns:
            whose = row.queue_role if row.owner_kind is OwnerKind.QUEUE else row.owner_kind.value
            each.by[whose] += int(row.returns)
    return found


def _tickets(connection: Connection, asked: sa.ColumnElement[bool]) -> dict[Step, int]:
    number = sa.func.count(sa.distinct(tokens.c.ticket_id)).label("number")
    rows = connection.execute(_visits(asked, SENT_BACK, number).group_by(_flows.c.code, tokens.c.node_key))
    return {(row.code, row.node_key): row.number for row in rows}


def _reasons(connection: Connection, asked: sa.ColumnElement[bool]) -> dict[Step, Counter[str]]:
    """What was said on sending back; the event of a visit is the one of the moment at which it ended."""
    reason, node = (_said(connection, key) for key in ("reason", "node"))
    number = sa.func.count(sa.distinct(_events.c.seq)).label("number")
    visits = _visits(asked, SENT_BACK, reason.label("reason"), number)
    rows = connection.execute(
        visits.join(
            _events,
            sa.and_(
                _events.c.ticket_id == tokens.c.ticket_id,
                _events.c.at == tokens.c.left_at,
                _events.c.type == sa.case(_EVENT_OF, value=tokens.c.outcome),
                node == tokens.c.node_key,
            ),
        ).group_by(_flows.c.code, tokens.c.node_key, reason)
    )
    found: dict[Step, Counter[str]] = defaultdict(Counter)
    for row in rows:
        if row.reason:
            found[row.code, row.node_key][row.reason] += row.number
    return found


def _said(connection: Connection, key: str) -> sa.ColumnElement[str]:
    """A text of an event's payload."""
    text = sa.type_coerce(_events.c.payload, sa.Text)
    if connection.dialect.name == "postgresql":
        opened: sa.ColumnElement[Any] = sa.cast(text, JSONB)
        return sa.func.jsonb_extract_path_text(opened, sa.literal_column(f"'{key}'"), type_=sa.Text)
    return sa.func.json_extract(text, sa.literal_column(f"'$.{key}'"), type_=sa.Text)


def _flow_names(connection: Connection, org_id: int, codes: Collection[str]) -> dict[str, LocalText]:
    query = sa.select(_flows.c.code, _flows.c.name).where(
        _flows.c.org_id == org_id, _flows.c.code.in_(sorted(codes))
    )
    return {row.code: row.name for row in connection.execute(query)}


def step_name(connection: Connection, *, org_id: int, returned: Returned) -> LocalText | None:
    """What a step is called in the newest version of its flow that has it; None where none does."""
    for version in flows.versions_of(connection, org_id, returned.flow):
        node = flows.compiled(connection, version.id).node_by_key.get(returned.node)
        if node is not None:
            return node.name
    return None
