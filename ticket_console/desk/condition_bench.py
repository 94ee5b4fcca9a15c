"""The test bench of conditions: what one says of a real ticket, and of how many tickets it holds.

Nobody learns by a condition what they may not read: a fact hidden from the viewer is refused, not evaluated.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import places, policy, projection
from ticket_console.desk.page import field_table
from ticket_console.desk.work import owns_token, ticket_facts
from ticket_console.flows import reads as flow_reads
from ticket_console.forms import reads as form_reads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.condition_sql import compile_where
from ticket_console.kernel.conditions import BadCondition, compile_condition, condition_problems, fields_of
from ticket_console.kernel.errors import Forbidden
from ticket_console.tickets import reads
from ticket_console.tickets.condition_facts import TICKET_FACTS, fact_columns

EXAMPLES: Final = 20


class FactHidden(Forbidden):
    """The condition asks for facts that the viewer may not read; `fields` names them."""

    code = "condition.fact_hidden"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule or a group says of the facts; `path` is its place in the tree, empty for the whole."""

    path: str
    holds: bool
    field: str | None
    operator: str | None
    value: Any
    fact: Any


@dataclass(frozen=True, slots=True)
class Matches:
    """How many tickets a condition holds for, of how many looked at, and a page of them, the newest first.

    `before` is where the next page begins; None where there is none.
    """

    count: int
    of: int
    examples: tuple[tuple[int, str, str], ...]
    before: int | None = None


def judge(
    connection: Connection, *, viewer: Actor, ticket_id: int, tree: Mapping[str, Any]
) -> tuple[Verdict, ...]:
    """What every part of a condition says of a ticket, the whole first.

    Raises TicketNotFound for a ticket that is not the viewer's to see, BadCondition and FactHidden.
    """
    _refuse_malformed(tree)
    row = reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    graph = flow_reads.compiled(connection, row["flow_version_id"])
    definition = form_reads.template_version(connection, row["template_version_id"]).definition
    tokens = reads.live_tokens(connection, ticket_id)
    is_own = (viewer.technician_id is not None and row["assignee_id"] == viewer.technician_id) or any(
        owns_token(viewer, token) for token in tokens
    )
    reader = policy.over_row(
        viewer, region_id=row["region_id"], ticket_class=row["ticket_class"], is_own=is_own
    )
    access = projection.visible_fields(
        reader,
        [(key, spec.sensitivity) for key, spec in definition.field_by_key.items()],
        projection.merged_grants(field_table(graph.node_by_key[token["node_key"]]) for token in tokens),
    )
    _refuse_hidden(
        key for key in fields_of(tree) if key in definition.field_by_key and key not in access.read
    )
    stored = reads.field_values(connection, ticket_id)
    # A value of a field that the ticket's form does not have is of an older one: nobody says who may read it.
    _refuse_hidden(key for key in fields_of(tree) if key in stored and key not in definition.field_by_key)
    facts = {**{key: value for key, (value, _) in stored.items()}, **ticket_facts(row)}
    return tuple(verdicts(tree, facts))


def verdicts(tree: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Verdict]:
    """What every part of a well-formed condition says of facts, the whole first."""
    return _verdicts(tree, facts, "")


def _verdicts(tree: Mapping[str, Any], facts: Mapping[str, Any], path: str) -> list[Verdict]:
    holds = compile_condition(tree)(facts)
    if "rules" not in tree:
        field = tree["field"]
        return [Verdict(path, holds, field, tree["operator"], tree.get("value"), facts.get(field))]
    found = [Verdict(path, holds, None, None, None, None)]
    for index, rule in enumerate(tree["rules"]):
        found += _verdicts(rule, facts, f"{path}.rules[{index}]")
    return found


def matching(
    connection: Connection,
    *,
    viewer: Actor,
    tree: Mapping[str, Any],
    at: datetime,
    last_month: bool = False,
    before: int | None = None,
) -> Matches:
    """For how many tickets that the viewer sees a condition holds: of those open now, or opened last month.

    `before` asks for the page of examples that begins there. Raises BadCondition, FactHidden and
    ConditionNotInSql.
    """
    policy.require(viewer, "ticket.view")
    _refuse_malformed(tree)
    kinds = form_reads.field_kinds(connection, viewer.org_id)
    tickets = reads.tickets
    seen = [tickets.c.org_id == viewer.org_id, reads.visible_to(viewer)]
    if last_month:
        since, until = _last_month(at, places.org(connection, viewer.org_id).tz)
        seen += [tickets.c.opened_at >= since, tickets.c.opened_at < until]
    else:
        seen.append(tickets.c.closed_at.is_(None))
    _refuse_hidden(fields_of(tree) & _anywhere_hidden(connection, viewer, seen))
    held = compile_where(tree, fact_columns(kinds), dialect=connection.dialect.name)
    of, count = connection.execute(
        sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sa.case((held, 1), else_=0)), 0)).where(*seen)
    ).one()
    page = seen if before is None else [*seen, tickets.c.id < before]
    examples = connection.execute(
        sa.select(tickets.c.id, tickets.c.no, tickets.c.title)
        .where(*page, held)
        .order_by(tickets.c.id.desc())
        .limit(EXAMPLES + 1)
    ).all()
    shown = examples[:EXAMPLES]
    return Matches(
        int(count),
        of,
        tuple((row.id, row.no, row.title) for row in shown),
        shown[-1].id if len(examples) > EXAMPLES else None,
    )


def _anywhere_hidden(
    connection: Connection, viewer: Actor, seen: Sequence[sa.ColumnElement[bool]]
) -> frozenset[str]:
    """Fields kept from the viewer at any step by a form in use, or by that of a ticket looked at."""
    tickets = reads.tickets
    published = form_reads.published_templates(connection, viewer.org_id)
    pairs = {(template.template_version_id, template.flow_version_id) for template in published}
    used = sa.select(tickets.c.template_version_id, tickets.c.flow_version_id).where(*seen).distinct()
    pairs |= {(template_id, flow_id) for template_id, flow_id in connection.execute(used)}
    hidden: set[str] = set()
    for template_version_id, flow_version_id in pairs:
        definition = form_reads.template_version(connection, template_version_id).definition
        fields = [(key, spec.sensitivity) for key, spec in definition.field_by_key.items()]
        for node in flow_reads.compiled(connection, flow_version_id).nodes:
            access = projection.visible_fields(viewer, fields, field_table(node))
            hidden |= {key for key, _ in fields if key not in access.read}
    return frozenset(hidden)


def _last_month(at: datetime, zone: str) -> tuple[datetime, datetime]:
    first = at.astimezone(ZoneInfo(zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first - timedelta(days=1)).replace(day=1), first


def _refuse_malformed(tree: object) -> None:
    if problems := condition_problems(tree):
        raise BadCondition(problems)


def _refuse_hidden(keys: Iterable[str]) -> None:
    if hidden := sorted(set(keys) - TICKET_FACTS.keys()):
        raise FactHidden(fields=", ".join(hidden))
