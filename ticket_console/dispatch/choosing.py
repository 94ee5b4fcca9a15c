"""Choosing who does a task: the best one, a named one, or the one who has it already.

Called within a transaction that somebody else commits. A load is raised only while it is below the
capacity, whatever other transactions do at the same moment, and a token has at most one claimed
assignment. The rows of ticket and token may be written later in the same transaction.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.engine import Connection

from ticket_console.dispatch import booking, circumstances, deciding, policies, visit_book
from ticket_console.dispatch.booking import Ended
from ticket_console.dispatch.deciding import Considered
from ticket_console.dispatch.eligibility import Failure, Filter, Need
from ticket_console.dispatch.rules import STANDARD, DispatchPolicy
from ticket_console.dispatch.scoring import Scored
from ticket_console.dispatch.tables import AssignmentState, DecisionMode
from ticket_console.kernel import ids
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput, NotFound
from ticket_console.people import roster
from ticket_console.people.candidate import Candidate
from ticket_console.people.roster import Roster

__all__ = [
    "AlreadyClaimed",
    "Choice",
    "Ended",
    "Need",
    "NotEligible",
    "TechnicianNotFound",
    "assign_best",
    "assign_to",
    "finish",
    "hand_on",
    "objections",
    "read_standing",
    "record",
    "weigh",
]

_REFERENCE_LENGTH: Final = 64


class TechnicianNotFound(NotFound):
    code = "dispatch.technician_not_found"


class NotEligible(InvalidInput):
    """The technician fails hard filters; every one of them is a problem of its own."""

    code = "dispatch.not_eligible"
    http_status = 409

    def __init__(self, candidate: Candidate, failures: tuple[Failure, ...]) -> None:
        self.failures = failures
        problems = tuple(FieldProblem("technician_id", failure.key, failure.params) for failure in failures)
        super().__init__(problems, who=candidate.name, reason=failures[0].key)


class AlreadyClaimed(Conflict):
    """Somebody holds the task: `who`, since `when`."""

    code = "dispatch.already_claimed"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was decided; without a technician, `failed` says how many people each filter kept out.

    `candidates` are the ranked ones, best first, as the decision keeps them.
    """

    decision_id: int
    assignment_id: int | None
    technician_id: int | None
    technician_name: str | None
    distance_km: float | None
    candidates: tuple[Scored, ...]
    failed: Mapping[str, int]


def assign_best(
    connection: Connection, *, at: datetime, by: str, need: Need, policy: DispatchPolicy | None = None
) -> Choice:
    """Give the task to the best of those who may take it, or keep on record why nobody may.

    `policy` is what holds for it, where the caller has asked already.
    """
    people, considered = weigh(connection, need, at=at, policy=policy)
    chosen = _first_with_room(connection, people, considered)
    if chosen is None:
        decision_id = ids.take("row")
        record(connection, decision_id, DecisionMode.AUTO, need, considered, None, by=by, at=at)
        return Choice(decision_id, None, None, None, None, considered.ranked(), considered.counts())
    return _give(connection, DecisionMode.AUTO, need, considered, chosen, people, by=by, at=at)


def assign_to(
    connection: Connection,
    *,
    at: datetime,
    by: str,
    need: Need,
    technician_id: int,
    mode: DecisionMode = DecisionMode.MANUAL,
    override: bool = False,
    failures: tuple[Failure, ...] | None = None,
) -> Choice:
    """Give the task to one person: a dispatcher's choice, or somebody's claim.

    Refuses with AlreadyClaimed when somebody holds the task, and with NotEligible what the hard
    filters keep out, unless `override`, which the decision then shows. A refusal writes nothing.
    `failures` are those of a caller who judged already, for a day the roster does not hold.
    """
    people, considered = weigh(connection, need, at=at)
    candidate = people.by_id.get(technician_id)
    if candidate is None:
        raise TechnicianNotFound(technician_id=technician_id)
    held = booking.holder(connection, need.token_id)
    if held is not None:
        raise _already_claimed(held, people)
    if override:
        booking.raise_load(connection, technician_id)
    else:
        against = considered.failures_of(technician_id) if failures is None else failures
        if against:
            raise NotEligible(candidate, against)
        if not booking.take_room(connection, technician_id, capacity=candidate.capacity):
            raise NotEligible(candidate, (_filled_up(candidate),))
    chosen = considered.score_of(technician_id)
    return _give(connection, mode, need, considered, chosen, people, by=by, at=at)


def hand_on(
    connection: Connection,
    *,
    at: datetime,
    ticket_id: int,
    from_token_id: int,
    to_token_id: int,
    technician_id: int,
    by: str = "system",
) -> Choice:
    """The same person goes on with the next step: one assignment ends, one begins, the load stays.

    No filter is asked: who has begun a job may finish it after their shift.
    """
    visit_book.carry(connection, from_token_id, to_token_id, technician_id=technician_id)
    freed = booking.end(connection, (from_token_id,), state=AssignmentState.DONE, at=at)
    others = [each.technician_id for each in freed if each.technician_id != technician_id]
    if others:
        booking.lower_loads(connection, others)
    if len(others) == len(freed):
        booking.raise_load(connection, technician_id)
    decision_id = ids.take("row")
    assignment_id = booking.claim(
        connection,
        ticket_id=ticket_id,
        token_id=to_token_id,
        technician_id=technician_id,
        decision_id=decision_id,
        at=at,
    )
    if assignment_id is None:
        raise AlreadyClaimed(who=None, when=None)
    booking.keep_decision(
        connection,
        decision_id,
        mode=DecisionMode.STICKY,
        policy=STANDARD.reference,
        ticket_id=ticket_id,
        token_id=to_token_id,
        chosen_id=technician_id,
        candidates=(),
        failed={},
        by=by,
        at=at,
    )
    return Choice(decision_id, assignment_id, technician_id, None, None, (), {})


def finish(
    connection: Connection,
    *,
    at: datetime,
    token_ids: Collection[int],
    state: AssignmentState,
    reason: str | None = None,
) -> tuple[Ended, ...]:
    """End the claimed assignments of these tokens as done or released, and lower the loads.

    Tokens that nobody holds are passed over, so a repetition changes nothing.
    """
    ended = booking.end(connection, token_ids, state=state, at=at, reason=reason)
    if ended:
        booking.lower_loads(connection, [each.technician_id for each in ended])
    return ended


def weigh(
    connection: Connection, need: Need, *, at: datetime, policy: DispatchPolicy | None = None
) -> tuple[Roster, Considered]:
    """Everybody judged and scored for a task, by the policy that holds for it, as of now."""
    policy = policy or policies.policy_for(connection, need, at)
    people, loads = read_standing(connection, need.org_id, at=at)
    known = circumstances.read_circumstances(connection, need, policy, at=at)
    return people, deciding.consider(people, loads, need, at=at, policy=policy, circumstances=known)


def objections(
    connection: Connection, org_id: int, technician_id: int, needs: Iterable[Need], *, at: datetime
) -> dict[int, tuple[Failure, ...]]:
    """What keeps one person from each of these tasks, by token; nothing for those they may take."""
    people, loads = read_standing(connection, org_id, at=at)
    me = people.by_id.get(technician_id)
    if me is None:
        return {}
    alone = people.only(me)
    found = {}
    for need in needs:
        policy = policies.policy_for(connection, need, at)
        known = circumstances.plans(connection, need, policy, at=at)
        considered = deciding.consider(alone, loads, need, at=at, policy=policy, circumstances=known)
        found[need.token_id] = considered.failures_of(technician_id)
    return found


def read_standing(connection: Connection, org_id: int, *, at: datetime) -> tuple[Roster, dict[int, int]]:
    """The roster and everybody's open assignments, as of now; one statement while nothing changed."""
    rows = booking.standing(connection, org_id)
    people = roster.matching(connection, org_id, at=at, stamp=tuple([(row[0], row[1]) for row in rows]))
    return people, {row[0]: row[2] for row in rows if row[2]}


def _first_with_room(connection: Connection, people: Roster, considered: Considered) -> Scored | None:
    """The best candidate whose load could be raised.

    On PostgreSQL others may have filled somebody up since the loads were read; those are counted
    among the failed, and the next best is asked.
    """
    while considered.by_score:
        best = considered.by_score[0]
        candidate = people.by_id[best.technician_id]
        if booking.take_room(connection, best.technician_id, capacity=candidate.capacity):
            return best
        considered.reject(best.technician_id, _filled_up(candidate))
    return None


def _filled_up(candidate: Candidate) -> Failure:
    return Failure(Filter.FULL, {"open": candidate.capacity, "capacity": candidate.capacity})


def _give(
    connection: Connection,
    mode: DecisionMode,
    need: Need,
    considered: Considered,
    chosen: Scored,
    people: Roster,
    *,
    by: str,
    at: datetime,
) -> Choice:
    """Claim the token for somebody whose load has been raised, and keep the decision."""
    decision_id = ids.take("row")
    assignment_id = booking.claim(
        connection,
        ticket_id=need.ticket_id,
        token_id=need.token_id,
        technician_id=chosen.technician_id,
        decision_id=decision_id,
        at=at,
    )
    if assignment_id is None:
        booking.lower_loads(connection, (chosen.technician_id,))
        held = booking.holder(connection, need.token_id)
        raise AlreadyClaimed(who=None, when=None) if held is None else _already_claimed(held, people)
    record(connection, decision_id, mode, need, considered, chosen, by=by, at=at)
    return Choice(
        decision_id=decision_id,
        assignment_id=assignment_id,
        technician_id=chosen.technician_id,
        technician_name=people.by_id[chosen.technician_id].name,
        distance_km=None if chosen.metres is None else chosen.metres / 1000,
        candidates=considered.ranked(chosen),
        failed=considered.counts(),
    )


def _already_claimed(held: booking.Holder, people: Roster) -> AlreadyClaimed:
    return AlreadyClaimed(
        who=people.by_id[held.technician_id].name,
        when=held.since.astimezone(UTC).isoformat(timespec="seconds"),
    )


def record(
    connection: Connection,
    decision_id: int,
    mode: DecisionMode,
    need: Need,
    considered: Considered,
    chosen: Scored | None,
    *,
    by: str,
    at: datetime,
) -> None:
    """Keep a decision with everybody's numbers, the policy they come from, and what they were weighed by."""
    booking.keep_decision(
        connection,
        decision_id,
        mode=mode,
        policy=considered.policy.reference[:_REFERENCE_LENGTH],
        ticket_id=need.ticket_id,
        token_id=need.token_id,
        chosen_id=None if chosen is None else chosen.technician_id,
        terms=considered.terms(),
        candidates=considered.spelled(chosen),
        failed=considered.counts(),
        by=by,
        at=at,
    )
