"""How long the steps of every flow take, as tokens stayed at them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.flows import reads as flows
from ticket_console.flows.tables import Flow, FlowVersion
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.reports.durations import seconds_between
from ticket_console.reports.metrics import EVERYTHING, Slice, narrowed
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.tables import Ticket, TokenRow

_tickets = table(Ticket)
_tokens = table(TokenRow)
_flows = table(Flow)
_versions = table(FlowVersion)

# Of the longest p90 of its flow: from these shares on a step is warm, and hot.
_WARM: Final = 0.25
_HOT: Final = 0.6


@dataclass(frozen=True, slots=True)
class StepTimes:
    """A step of a flow: `count` stays ended in the period, half of them within `p50_seconds`.

    `heat` is "cool", "warm" or "hot" beside the other steps of its flow, by the p90. Versions of a flow count
    together; names are those of the latest that was passed.
    """

    flow: LocalText
    flow_code: str
    node_key: str
    step: LocalText
    stage: str
    stage_name: LocalText
    count: int
    p50_seconds: float
    p90_seconds: float
    heat: str


def step_times(
    connection: Connection, *, viewer: Actor, since: datetime, until: datetime, slice: Slice = EVERYTHING
) -> tuple[StepTimes, ...]:
    """Of the stays that ended within [since, until) on tickets the viewer may see, the longest p90 first."""
    policy.require(viewer, "board.view")
    lasted = seconds_between(_tokens.c.entered_at, _tokens.c.left_at)
    of_step = (_versions.c.flow_id, _tokens.c.node_key)
    ranked = (
        sa.select(
            _versions.c.flow_id,
            _tokens.c.node_key,
            _tickets.c.flow_version_id,
            lasted.label("lasted"),
            sa.func.row_number().over(partition_by=of_step, order_by=lasted).label("place"),
            sa.func.count().over(partition_by=of_step).label("whole"),
        )
        .select_from(_tokens)
        .join(_tickets, _tickets.c.id == _tokens.c.ticket_id)
        .join(_versions, _versions.c.id == _tickets.c.flow_version_id)
        .where(
            _tokens.c.org_id == viewer.org_id,
            _tokens.c.left_at >= since,
            _tokens.c.left_at < until,
            _tokens.c.state == TokenState.DONE,
            narrowed(connection, viewer, slice),
        )
        .subquery()
    )

    def at_rank(percent: int) -> sa.ColumnElement[float]:
        # The least time that so many percent did not exceed: the first place at or above the share.
        reached = ranked.c.place * 100 >= ranked.c.whole * percent
        return sa.func.min(sa.case((reached, ranked.c.lasted)))

    rows = connection.execute(
        sa.select(
            _flows.c.code,
            _flows.c.name,
            ranked.c.node_key,
            sa.func.max(ranked.c.flow_version_id).label("version"),
            sa.func.count().label("stays"),
            at_rank(50).label("p50"),
            at_rank(90).label("p90"),
        )
        .join(_flows, _flows.c.id == ranked.c.flow_id)
        .group_by(_flows.c.code, _flows.c.name, ranked.c.node_key)
    ).all()
    longest: dict[str, float] = {}
    for row in rows:
        longest[row.code] = max(longest.get(row.code, 0.0), float(row.p90))
    found = []
    for row in rows:
        graph = flows.compiled(connection, row.version)
        node = graph.node_by_key.get(row.node_key)
        if node is None:
            continue
        names = {stage.key: stage.name for stage in graph.stages}
        p90 = max(float(row.p90), 0.0)
        found.append(
            StepTimes(
                flow=row.name,
                flow_code=row.code,
                node_key=row.node_key,
                step=node.name,
                stage=node.stage,
                stage_name=names.get(node.stage, {}),
                count=int(row.stays),
                p50_seconds=max(float(row.p50), 0.0),
                p90_seconds=p90,
                heat=heat_of(p90, longest[row.code]),
            )
        )
    return tuple(sorted(found, key=lambda each: (-each.p90_seconds, each.flow_code, each.node_key)))


def heat_of(seconds: float, longest: float) -> str:
    share = seconds / longest if longest > 0 else 0.0
    return "hot" if share >= _HOT else "warm" if share >= _WARM else "cool"
