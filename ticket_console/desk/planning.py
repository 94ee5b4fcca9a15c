"""Finding people for everything that waits at once: a plan to look at, then ordinary assignments."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk import assigning
from ticket_console.desk.needs import steps_of_many
from ticket_console.dispatch import batch, choosing, circumstances, policies, scoring, visit_book
from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.dispatch.batch import Assignment, Given
from ticket_console.dispatch.deciding import Circumstances
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.rules import DispatchPolicy, Mode
from ticket_console.kernel.actor import Actor, system_actor
from ticket_console.kernel.database import reading, table
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.people.roster import Roster
from ticket_console.tickets.tables import Ticket

MOST_TASKS: Final = 500
_AT_ONCE: Final = 500
# Visits this long before or after now may still keep somebody from what is done now.
_AROUND: Final = timedelta(hours=12)
# What is given to the best at once, which a plan may do without anybody looking.
_AT_ONCE_MODES: Final = frozenset({Mode.ASSIGN})

_tickets = table(Ticket)


class TooManyRows(InvalidInput):
    """More rows to be carried out than a plan can have."""

    code = "planning.too_many"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A ticket and who would do it; `version` is what the plan was made on."""

    ticket_id: int
    no: str
    title: str
    priority: int
    version: int
    technician_id: int
    technician: str
    distance_km: float | None
    open_count: int
    capacity: int


@dataclass(frozen=True, slots=True)
class PlanTotals:
    """What a plan comes to. `score_bp` is the mean score in basis points of the most a decision can earn."""

    placed: int
    kilometres: float
    score_bp: int


@dataclass(frozen=True, slots=True)
class DispatchPlan:
    """The best assignment of what waits, beside what deciding one by one would have given.

    `is_cut` says that more waits than was planned, the most urgent first.
    """

    rows: tuple[PlannedRow, ...]
    waiting: int
    is_cut: bool
    whole: PlanTotals
    one_by_one: PlanTotals


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row of a plan: `code` and `params` say why it was not carried out, `problems` what
    speaks against the technician."""

    ticket_id: int
    no: str
    technician: str
    is_done: bool
    code: str = ""
    params: Mapping[str, Any] | None = None
    problems: tuple[FieldProblem, ...] = ()


def make_plan(*, actor: Actor, at: datetime) -> DispatchPlan:
    """Plan everything that waits in the actor's regions, up to `MOST_TASKS`. Writes nothing.

    Who dispatches for a service partner plans with that partner's people only.
    """
    policy.require(actor, "ticket.assign")
    return _plan(actor, at, frozenset(Mode))


def carry_out(
    *, actor: Actor, at: datetime, command_id: str, rows: Sequence[tuple[int, int, int]]
) -> tuple[Outcome, ...]:
    """Assign row by row, (ticket, version, technician): each is an ordinary assignment that may be refused,
    because somebody was faster or the technician is full by now; the others go on.
    """
    policy.require(actor, "ticket.assign")
    if len(rows) > MOST_TASKS:
        raise TooManyRows((), limit=MOST_TASKS)
    return tuple(_assign(actor, at, f"{command_id}:{row[0]}", *row) for row in rows)


def plan_and_carry_out(*, org_id: int, at: datetime, command_id: str) -> int:
    """Give what waits to the best people as a whole, as the worker does every few minutes; how many were.

    What rules offer around, leave to a dispatcher or send to partners stays where it is.
    """
    actor = system_actor(org_id)
    plan = _plan(actor, at, _AT_ONCE_MODES)
    outcomes = carry_out(
        actor=actor,
        at=at,
        command_id=command_id,
        rows=[(row.ticket_id, row.version, row.technician_id) for row in plan.rows],
    )
    return sum(each.is_done for each in outcomes)


def left_to_plan(
    connection: Connection, org_id: int, ticket_ids: Sequence[int], *, at: datetime
) -> frozenset[int]:
    """Which of these tickets `plan_and_carry_out` would give away, if somebody is free for them."""
    rows = _rows(connection, system_actor(org_id), ticket_ids)
    policy_of = policies.policies_now(connection, org_id, at=at)
    return frozenset(need.ticket_id for need in _needs(connection, rows, policy_of, _AT_ONCE_MODES))


def waiting_ids(connection: Connection, actor: Actor) -> tuple[int, ...]:
    """The tickets a plan of this actor would look at now, the most urgent first."""
    queue = dispatch_reads.unassigned_queue(connection, actor, limit=MOST_TASKS)
    return tuple(dict.fromkeys(each.ticket_id for each in queue.waiting))


def _plan(actor: Actor, at: datetime, modes: frozenset[Mode]) -> DispatchPlan:
    with reading() as connection:
        queue = dispatch_reads.unassigned_queue(connection, actor, limit=MOST_TASKS)
        rows = _rows(connection, actor, [each.ticket_id for each in queue.waiting])
        policy_of = policies.policies_now(connection, actor.org_id, at=at)
        needs = _needs(connection, rows, policy_of, modes)[: batch.MOST_TASKS]
        people, loads = choosing.read_standing(connection, actor.org_id, at=at)
        if actor.vendor_id is not None:
            people = _of_vendor(people, actor.vendor_id)
        matrix = batch.weigh(
            people,
            loads,
            needs,
            at=at,
            policy_of=policy_of,
            known=_known(connection, actor.org_id, needs, at),
        )
    whole, singly = batch.best(matrix), batch.greedy(matrix)
    told = {row["id"]: row for row in rows}
    return DispatchPlan(
        rows=tuple(_planned(each, told[each.need.ticket_id], people) for each in whole.given),
        waiting=len(needs),
        is_cut=queue.total > len(queue.waiting),
        whole=_totals(whole, policy_of),
        one_by_one=_totals(singly, policy_of),
    )


def _needs(
    connection: Connection,
    rows: Sequence[Mapping[str, Any]],
    policy_of: Callable[[Need], DispatchPolicy],
    modes: frozenset[Mode],
) -> list[Need]:
    """The open steps nobody holds and for which a policy of one of these modes holds."""
    return [
        step.need
        for step in steps_of_many(connection, rows)
        if step.holder_id is None and policy_of(step.need).mode in modes
    ]


def _of_vendor(people: Roster, vendor_id: int) -> Roster:
    own = tuple(each for each in people.candidates if each.vendor_id == vendor_id)
    return replace(people, candidates=own, by_id={each.technician_id: each for each in own})


def _assign(
    actor: Actor, at: datetime, command_id: str, ticket_id: int, version: int, technician_id: int
) -> Outcome:
    try:
        moved = assigning.assign(
            actor=actor,
            at=at,
            command_id=command_id,
            ticket_id=ticket_id,
            expected_version=version,
            technician_id=technician_id,
        )
    except ConsoleError as refusal:
        problems = refusal.problems if isinstance(refusal, InvalidInput) else ()
        return Outcome(ticket_id, "", "", False, refusal.code, dict(refusal.params), tuple(problems))
    return Outcome(ticket_id, moved.no, moved.assignee_name or "", True)


def _planned(given: Given, row: Mapping[str, Any], people: Roster) -> PlannedRow:
    return PlannedRow(
        ticket_id=row["id"],
        no=row["no"],
        title=row["title"],
        priority=row["priority"],
        version=row["version"],
        technician_id=given.technician_id,
        technician=people.by_id[given.technician_id].name,
        distance_km=None if given.metres is None else round(given.metres / 1000, 1),
        open_count=given.open_count,
        capacity=given.capacity,
    )


def _totals(assignment: Assignment, policy_of: Callable[[Need], DispatchPolicy]) -> PlanTotals:
    placed = len(assignment.given)
    most = sum(
        scoring.most(policy_of(each.need).weights_for(is_vip=each.need.is_vip)) for each in assignment.given
    )
    return PlanTotals(
        placed,
        round(assignment.metres / 1000, 1),
        0 if not most else assignment.score * 10_000 // most,
    )


def _known(
    connection: Connection, org_id: int, needs: Sequence[Need], at: datetime
) -> Callable[[Need], Circumstances]:
    """What is known for each task, with the visits that are planned around now."""
    of = circumstances.circumstances_of_many(connection, org_id, needs)
    visits = visit_book.of_org(connection, org_id, at - _AROUND, at + _AROUND)
    travel = visit_book.travel()

    def known(need: Need) -> Circumstances:
        return replace(of(need), visits=visits, travel=travel)

    return known


def _rows(connection: Connection, actor: Actor, ticket_ids: Sequence[int]) -> list[Mapping[str, Any]]:
    """The tickets that are the actor's to give, in the order of the queue."""
    found: dict[int, Mapping[str, Any]] = {}
    for start in range(0, len(ticket_ids), _AT_ONCE):
        query = sa.select(_tickets).where(
            _tickets.c.org_id == actor.org_id, _tickets.c.id.in_(ticket_ids[start : start + _AT_ONCE])
        )
        found |= {row.id: row._asdict() for row in connection.execute(query)}
    return [
        found[ticket_id]
        for ticket_id in dict.fromkeys(ticket_ids)
        if ticket_id in found and _may_give(actor, found[ticket_id])
    ]


def _may_give(actor: Actor, row: Mapping[str, Any]) -> bool:
    return policy.allows(actor, "ticket.assign", region_id=row["region_id"], ticket_class=row["ticket_class"])
