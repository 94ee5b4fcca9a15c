"""Why this person, why not the others, and what waits for somebody: dispatch as screens show it.

Reasons and terms are translation keys with their figures; the screen turns them into sentences.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.dispatch import choosing, panel
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.panel import DecisionView, FailureCount, OfferView, Skills, failure_counts
from ticket_console.dispatch.tables import (
    Assignment,
    AssignmentState,
    DecisionMode,
    DispatchDecision,
    TechnicianLoad,
)
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.people import reads as people_reads
from ticket_console.people.tables import Technician
from ticket_console.tickets.marking import TokenState
from ticket_console.tickets.scoping import own_rows, row_condition
from ticket_console.tickets.tables import OFFERED, OwnerKind, Ticket, TokenRow

_decisions = table(DispatchDecision)
_assignments = table(Assignment)
_loads = table(TechnicianLoad)
_technicians = table(Technician)
_tickets = table(Ticket)
_tokens = table(TokenRow)


@dataclass(frozen=True, slots=True)
class WaitingView:
    """A task that has nobody: it was given up, or no one could be sent to it when it was last tried.

    Then `failed` says how many people each filter kept out; `is_by_rule` that a dispatcher is to decide.
    """

    ticket_id: int
    no: str
    title: str
    token_id: int
    priority: int
    region_id: int | None
    opened_at: datetime
    due_at: datetime | None
    tried_at: datetime
    was_given_up: bool
    is_by_rule: bool
    failed: tuple[FailureCount, ...]


@dataclass(frozen=True, slots=True)
class UnassignedQueue:
    """Tasks that wait for somebody, most urgent first.

    `total` is exact; `failed` counts for each filter the listed tasks in whose way it stands.
    """

    total: int
    waiting: tuple[WaitingView, ...]
    failed: tuple[FailureCount, ...]


@dataclass(frozen=True, slots=True)
class LoadView:
    technician_id: int
    name: str
    region_id: int
    open_count: int
    capacity: int
    is_on_duty: bool


def decision_panel(connection: Connection, ticket_id: int, *, viewer: Actor) -> tuple[DecisionView, ...]:
    """The decisions on a ticket, the latest first; none for a ticket the viewer may not see."""
    ticket = connection.execute(
        sa.select(_tickets.c.region_id, _tickets.c.ticket_class).where(
            _tickets.c.id == ticket_id, _tickets.c.org_id == viewer.org_id, _visible(viewer, "ticket.view")
        )
    ).first()
    if ticket is None:
        return ()
    is_whole = any(
        policy.allows(viewer, permission, region_id=ticket.region_id, ticket_class=ticket.ticket_class)
        for permission in ("ticket.assign", "audit.view")
    )
    rows = connection.execute(
        sa.select(_decisions)
        .where(_decisions.c.ticket_id == ticket_id)
        .order_by(_decisions.c.at.desc(), _decisions.c.id.desc())
    ).all()
    names = people_reads.names(connection, panel.people_in(rows))
    skills = _skills(connection, viewer.org_id)
    return tuple(panel.decision_view(row, names, skills, is_whole=is_whole) for row in rows)


def unassigned_queue(connection: Connection, viewer: Actor, *, limit: int = 100) -> UnassignedQueue:
    """Tasks of technicians that have nobody, within the viewer's scope."""
    latest = _decisions.alias("latest")
    is_latest = ~sa.exists().where(
        latest.c.ticket_id == _decisions.c.ticket_id,
        latest.c.token_id == _decisions.c.token_id,
        sa.or_(
            latest.c.at > _decisions.c.at,
            sa.and_(latest.c.at == _decisions.c.at, latest.c.id > _decisions.c.id),
        ),
    )
    # From the tokens without an owner, of which there are few, not from all decisions ever made.
    waiting = (
        sa.select(
            _tickets.c.id,
            _tickets.c.no,
            _tickets.c.title,
            _tokens.c.id.label("token_id"),
            _tickets.c.priority,
            _tickets.c.region_id,
            _tickets.c.opened_at,
            _tickets.c.due_at,
            _decisions.c.at.label("tried_at"),
            _decisions.c.chosen_id,
            _decisions.c.mode,
            _decisions.c.failed,
        )
        .select_from(_tokens)
        .join(_tickets, _tickets.c.id == _tokens.c.ticket_id)
        .join(
            _decisions,
            sa.and_(_decisions.c.ticket_id == _tokens.c.ticket_id, _decisions.c.token_id == _tokens.c.id),
        )
        .where(
            _tokens.c.org_id == viewer.org_id,
            _tokens.c.state == TokenState.ACTIVE,
            _tokens.c.owner_kind.in_([OwnerKind.QUEUE, OwnerKind.TECHNICIAN]),
            _tokens.c.owner_id.is_(None),
            sa.func.coalesce(_tokens.c.queue_role, "") != OFFERED,
            is_latest,
            _visible(viewer, "board.view"),
        )
    )
    total = connection.execute(sa.select(sa.func.count()).select_from(waiting.subquery())).scalar_one()
    rows = connection.execute(
        waiting.order_by(_tickets.c.priority, _tickets.c.opened_at, _tickets.c.id).limit(limit)
    ).all()
    in_the_way = Counter(code for row in rows if _was_looked_for(row) for code in row.failed)
    return UnassignedQueue(
        total=total,
        waiting=tuple(_waiting(row) for row in rows),
        failed=failure_counts(in_the_way),
    )


def technician_loads(connection: Connection, viewer: Actor) -> tuple[LoadView, ...]:
    """How much everybody in the viewer's regions has to do, the fullest first."""
    open_count = sa.func.coalesce(_loads.c.open_count, 0)
    rows = connection.execute(
        sa.select(
            _technicians.c.id,
            _technicians.c.name,
            _technicians.c.region_id,
            open_count,
            _technicians.c.capacity,
            _technicians.c.is_on_duty,
        )
        .select_from(_technicians.outerjoin(_loads, _loads.c.technician_id == _technicians.c.id))
        .where(
            _technicians.c.org_id == viewer.org_id,
            _technicians.c.is_active,
            people_reads.in_scope(viewer, "board.view"),
        )
        .order_by(open_count.desc(), _technicians.c.name, _technicians.c.id)
    )
    return tuple(LoadView(*row) for row in rows)


def offers(
    connection: Connection, viewer: Actor, need: Need, *, at: datetime, is_own: bool = False
) -> tuple[OfferView, ...]:
    """Everybody the viewer may send, those who may take the task first and best, with what speaks against
    the others: what a dispatcher sees before the drop, not after it.

    `is_own` says that the task is with the service partner the viewer dispatches for.
    """
    policy.require(viewer, "ticket.assign", region_id=need.region_id, is_own=is_own)
    people, considered = choosing.weigh(connection, need, at=at)
    skills = _skills(connection, need.org_id)
    within = {each.id for each in people_reads.technicians(connection, viewer, permission="ticket.assign")}
    shown = []
    for candidate in people.candidates:
        if candidate.technician_id in within:
            scored = considered.score_of(candidate.technician_id)
            failures = considered.failures_of(candidate.technician_id)
            shown.append(panel.offer_view(candidate.name, scored, failures, skills, considered.weights))
    shown.sort(key=lambda offer: (not offer.is_eligible, -offer.score, offer.technician_id))
    return tuple(shown)


def holders(connection: Connection, ticket_id: int) -> Mapping[int, int]:
    """Who holds which token of a ticket: technician by token."""
    rows = connection.execute(
        sa.select(_assignments.c.token_id, _assignments.c.technician_id).where(
            _assignments.c.ticket_id == ticket_id, _assignments.c.state == AssignmentState.CLAIMED
        )
    )
    return {row.token_id: row.technician_id for row in rows}


def _waiting(row: Any) -> WaitingView:
    return WaitingView(
        ticket_id=row.id,
        no=row.no,
        title=row.title,
        token_id=row.token_id,
        priority=row.priority,
        region_id=row.region_id,
        opened_at=row.opened_at,
        due_at=row.due_at,
        tried_at=row.tried_at,
        was_given_up=row.chosen_id is not None,
        is_by_rule=row.mode is DecisionMode.QUEUE,
        failed=failure_counts(row.failed) if _was_looked_for(row) else (),
    )


def _was_looked_for(row: Any) -> bool:
    """Whether somebody was looked for and not found: then what keeps people out is why nobody has it."""
    return row.chosen_id is None and row.mode is not DecisionMode.QUEUE


def _skills(connection: Connection, org_id: int) -> Skills:
    return {skill.code: skill.name for skill in people_reads.skills(connection, org_id)}


def _visible(viewer: Actor, permission: str) -> sa.ColumnElement[bool]:
    return row_condition(
        policy.row_scope(viewer, permission),
        region=_tickets.c.region_id,
        ticket_class=_tickets.c.ticket_class,
        own=own_rows(viewer),
    )
