"""Trying rules of dispatch out before they hold: on the tickets that are open, and on those that are over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk.needs import steps_of_many
from ticket_console.dispatch import choosing, circumstances, learning, policies, preview, rulebook
from ticket_console.dispatch.learning import PastJob
from ticket_console.dispatch.preview import Moved, Spread
from ticket_console.dispatch.rules import Learned, read_terms
from ticket_console.dispatch.tables import Assignment, AssignmentState, DispatchDecision
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.tables import OwnerKind, Ticket, TokenRow

# A preview looks at the most urgent of what is open; learning at the latest of what is over.
MOST_TASKS: Final = 300
MOST_JOBS: Final = 4_000
LEARN_FROM: Final = timedelta(days=180)

_tickets = table(Ticket)
_tokens = table(TokenRow)
_assignments = table(Assignment)
_decisions = table(DispatchDecision)


@dataclass(frozen=True, slots=True)
class MovedTask:
    """A ticket that would go to somebody else; names are None where nobody would have it."""

    ticket_id: int
    no: str
    title: str
    before: str | None
    after: str | None
    before_km: float | None
    after_km: float | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What the draft would change; `is_cut` says that more is open than was looked at."""

    tasks: int
    is_cut: bool
    before: Spread
    after: Spread
    moved: tuple[MovedTask, ...]


def try_out(*, viewer: Actor, at: datetime, policy_id: int, terms: Mapping[str, Any]) -> Preview:
    """How the open tickets of a policy's business line and region would be given out by these terms.

    Refuses with BadTerms what nobody could dispatch by. Writes nothing.
    """
    policy.require_everywhere(viewer, "dispatch.manage")
    with reading() as connection:
        found = rulebook.policy_view(connection, viewer, policy_id)
        supposed = read_terms(terms, code=found.code)
        rows = _open_tickets(connection, viewer.org_id, found.ticket_class, found.region_id)
        steps = steps_of_many(connection, rows[:MOST_TASKS])
        needs = [step.need for step in steps]
        people, loads = choosing.read_standing(connection, viewer.org_id, at=at)
        for holder_id in (step.holder_id for step in steps if step.holder_id is not None):
            loads[holder_id] = max(0, loads.get(holder_id, 0) - 1)
        after = policies.policies_as_if(
            connection,
            viewer.org_id,
            ticket_class=found.ticket_class,
            region_id=found.region_id,
            terms=supposed,
            at=at,
        )
        before = policies.policies_now(connection, viewer.org_id, at=at)
        known = circumstances.circumstances_of_many(connection, viewer.org_id, needs)
    compared = preview.compare(
        people, loads, needs, at=at, before=before, after=after, known=lambda need, _: known(need)
    )
    told = {row["id"]: row for row in rows}
    names = {each.technician_id: each.name for each in people.candidates}
    return Preview(
        tasks=compared.tasks,
        is_cut=len(rows) > MOST_TASKS,
        before=compared.before,
        after=compared.after,
        moved=tuple(_moved(each, told[each.ticket_id], names) for each in compared.moved),
    )


def learn(*, viewer: Actor, at: datetime, policy_id: int, seed: int) -> Learned:
    """Weights learned from the finished jobs of a policy's business line and region.

    Raises NotEnoughHistory. Writes nothing: what is learned holds once a manager publishes it.
    """
    policy.require_everywhere(viewer, "dispatch.manage")
    with reading() as connection:
        found = rulebook.policy_view(connection, viewer, policy_id)
        jobs = _past_jobs(connection, viewer.org_id, found.ticket_class, found.region_id, at)
    return learning.learn(jobs, weights=found.shown.weights, seed=seed)


def _moved(moved: Moved, row: Mapping[str, Any], names: Mapping[int, str]) -> MovedTask:
    return MovedTask(
        ticket_id=moved.ticket_id,
        no=row["no"],
        title=row["title"],
        before=None if moved.before is None else names.get(moved.before),
        after=None if moved.after is None else names.get(moved.after),
        before_km=None if moved.before_metres is None else round(moved.before_metres / 1000, 1),
        after_km=None if moved.after_metres is None else round(moved.after_metres / 1000, 1),
    )


def _of(ticket_class: str | None, region_ids: Sequence[int] | None) -> Iterable[sa.ColumnElement[bool]]:
    if ticket_class is not None:
        yield _tickets.c.ticket_class == ticket_class
    if region_ids is not None:
        yield _tickets.c.region_id.in_(region_ids)


def _open_tickets(
    connection: Connection, org_id: int, ticket_class: str | None, region_id: int | None
) -> list[Mapping[str, Any]]:
    """The most urgent open tickets with a step of a technician, one more than are looked at."""
    region_ids = None if region_id is None else policies.regions_below(connection, org_id, region_id)
    has_step = sa.exists().where(
        _tokens.c.ticket_id == _tickets.c.id,
        _tokens.c.state == TokenState.ACTIVE,
        _tokens.c.owner_kind.in_([OwnerKind.QUEUE, OwnerKind.TECHNICIAN]),
    )
    rows = connection.execute(
        sa.select(_tickets)
        .where(
            _tickets.c.org_id == org_id,
            _tickets.c.status == TicketStatus.OPEN,
            has_step,
            *_of(ticket_class, region_ids),
        )
        .order_by(_tickets.c.priority, _tickets.c.opened_at, _tickets.c.id)
        .limit(MOST_TASKS + 1)
    )
    return [row._asdict() for row in rows]


def _past_jobs(
    connection: Connection, org_id: int, ticket_class: str | None, region_id: int | None, at: datetime
) -> list[PastJob]:
    """Finished and given-up assignments whose decision kept the numbers of who had them, the latest first."""
    region_ids = None if region_id is None else policies.regions_below(connection, org_id, region_id)
    rows = connection.execute(
        sa.select(
            _assignments.c.id,
            _assignments.c.technician_id,
            _assignments.c.state,
            _assignments.c.claimed_at,
            _assignments.c.ended_at,
            _decisions.c.candidates,
            _tickets.c.ticket_class,
            _tickets.c.template_id,
            _tickets.c.returns,
        )
        .join(_decisions, _decisions.c.id == _assignments.c.decision_id)
        .join(_tickets, _tickets.c.id == _assignments.c.ticket_id)
        .where(
            _tickets.c.org_id == org_id,
            _assignments.c.state.in_([AssignmentState.DONE, AssignmentState.RELEASED]),
            _assignments.c.claimed_at.is_not(None),
            _assignments.c.ended_at > at - LEARN_FROM,
            _assignments.c.ended_at <= at,
            *_of(ticket_class, region_ids),
        )
        .order_by(_assignments.c.ended_at.desc(), _assignments.c.id.desc())
        .limit(MOST_JOBS)
    )
    jobs = (_past_job(row) for row in rows)
    return [job for job in jobs if job is not None]


def _past_job(row: Any) -> PastJob | None:
    points = next((entry["points"] for entry in row.candidates if entry.get("id") == row.technician_id), None)
    if points is None:
        # Somebody only went on with their own work.
        return None
    return PastJob(
        id=row.id,
        kind=f"{row.ticket_class}:{row.template_id}",
        points=tuple(points),
        minutes=max(1, int((row.ended_at - row.claimed_at).total_seconds() // 60)),
        is_completed=row.state is AssignmentState.DONE and not row.returns,
    )
