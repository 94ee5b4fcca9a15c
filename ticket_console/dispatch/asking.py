"""Whom to ask for a task, and taking the answer: circles of offers, partners, and work taken over.

Called within a transaction that somebody else commits and that holds the ticket, as in `choosing`.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy.engine import Connection

from ticket_console.dispatch import booking, choosing, offers
from ticket_console.dispatch.booking import Holder
from ticket_console.dispatch.choosing import AlreadyClaimed, NotEligible, TechnicianNotFound
from ticket_console.dispatch.deciding import Considered
from ticket_console.dispatch.eligibility import Filter, Need
from ticket_console.dispatch.rules import OfferedTo
from ticket_console.dispatch.tables import AssignmentState, DecisionMode
from ticket_console.kernel import ids
from ticket_console.kernel.errors import Conflict
from ticket_console.people.candidate import Candidate, Post
from ticket_console.people.roster import Roster

# What holds for everybody who takes a task; the other filters are about how well they would do it, and are
# not asked of a crew's lead and storekeeper, who see to it that it is done.
_OF_PRESENCE: Final = frozenset(
    {Filter.INACTIVE, Filter.OFF_DUTY, Filter.ABSENT, Filter.OFF_SHIFT, Filter.FULL, Filter.DECLINED}
)


class OfferOver(Conflict):
    """The time to answer is over, or the offer was answered; nobody else has the task yet."""

    code = "dispatch.offer_over"


@dataclass(frozen=True, slots=True)
class Circle:
    """Who was asked just now, until when."""

    decision_id: int
    technician_ids: tuple[int, ...]
    names: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """Somebody has the task now."""

    decision_id: int
    technician_id: int
    technician_name: str


def ask(
    connection: Connection,
    *,
    at: datetime,
    by: str,
    need: Need,
    avoid: Collection[int] = (),
    in_circle: int | None = None,
) -> Circle | None:
    """Offer the task to the next best who were not asked yet; None, and nothing kept, where nobody is left.

    `in_circle` asks one more in the circle of that decision, in the place of somebody who said no.
    """
    people, considered = choosing.weigh(connection, need, at=at)
    size = None if in_circle is None else 1
    chosen = _circle(people, considered, avoid=avoid, size=size)
    if not chosen:
        return None
    until = at + timedelta(seconds=considered.policy.offer.seconds)
    decision_id = in_circle
    if decision_id is None:
        decision_id = ids.take("row")
        choosing.record(connection, decision_id, DecisionMode.OFFER, need, considered, None, by=by, at=at)
    offers.make(
        connection,
        at=at,
        until=until,
        ticket_id=need.ticket_id,
        token_id=need.token_id,
        decision_id=decision_id,
        technician_ids=chosen,
    )
    return Circle(decision_id, chosen, tuple(people.by_id[each].name for each in chosen), until)


def accept(
    connection: Connection,
    *,
    at: datetime,
    by: str,
    need: Need,
    technician_id: int,
) -> Taken:
    """Give the task to somebody who was asked for it and wants it.

    Raises AlreadyClaimed where somebody was faster, OfferOver where the time is over, NotEligible where
    they may not have it any more. A refusal writes nothing.
    """
    booking.hold_people(connection, (technician_id,))
    people, considered = choosing.weigh(connection, need, at=at)
    candidate = _candidate(people, technician_id)
    _refuse_held(connection, need.token_id, people)
    mine = offers.latest(connection, token_id=need.token_id, technician_id=technician_id)
    if mine is None or mine.state is not AssignmentState.OFFERED or mine.offered_until <= at:
        raise OfferOver()
    failures = considered.failures_of(technician_id)
    if candidate.post is not Post.TECHNICIAN:
        failures = tuple(each for each in failures if each.code in _OF_PRESENCE)
    if failures:
        raise NotEligible(candidate, failures)
    decision_id = ids.take("row")
    offers.claim(
        connection, at=at, token_id=need.token_id, technician_id=technician_id, decision_id=decision_id
    )
    booking.raise_load(connection, technician_id)
    chosen = considered.score_of(technician_id)
    choosing.record(connection, decision_id, DecisionMode.CLAIM, need, considered, chosen, by=by, at=at)
    return Taken(decision_id, technician_id, candidate.name)


def take_over(
    connection: Connection,
    *,
    at: datetime,
    by: str,
    need: Need,
    giver_id: int | None,
    technician_id: int,
    on_shift_at: datetime,
) -> Taken:
    """Hand a task over at the end of a shift, from whoever had it.

    The receiver's shift may begin when the giver's ends: presence is asked as of `on_shift_at`. They must
    be fit for it, but somebody who is full may take over what would be nobody's otherwise.
    """
    booking.move_load(connection, giver_id, technician_id)
    people, considered = choosing.weigh(connection, need, at=on_shift_at)
    candidate = _candidate(people, technician_id)
    failures = tuple(each for each in considered.failures_of(technician_id) if each.code is not Filter.FULL)
    if failures:
        raise NotEligible(candidate, failures)
    if giver_id is not None:
        booking.end(connection, (need.token_id,), state=AssignmentState.RELEASED, at=at)
    decision_id = ids.take("row")
    claimed = booking.claim(
        connection,
        ticket_id=need.ticket_id,
        token_id=need.token_id,
        technician_id=technician_id,
        decision_id=decision_id,
        at=at,
    )
    if claimed is None:
        _refuse_held(connection, need.token_id, people)
        raise AlreadyClaimed(who=None, when=None)
    chosen = considered.score_of(technician_id)
    choosing.record(connection, decision_id, DecisionMode.HANDOVER, need, considered, chosen, by=by, at=at)
    return Taken(decision_id, technician_id, candidate.name)


def leave_to_others(
    connection: Connection,
    *,
    at: datetime,
    by: str,
    need: Need,
    mode: DecisionMode,
) -> tuple[int, Mapping[str, int]]:
    """Keep on record that nobody was chosen, and everybody's numbers; the decision, and counts per filter."""
    _, considered = choosing.weigh(connection, need, at=at)
    decision_id = ids.take("row")
    choosing.record(connection, decision_id, mode, need, considered, None, by=by, at=at)
    return decision_id, considered.counts()


def nearest_vendors(
    connection: Connection, *, at: datetime, need: Need, avoid: Collection[int] = ()
) -> tuple[int, ...]:
    """The service partners with somebody who may take the task, the one with the nearest first."""
    people, considered = choosing.weigh(connection, need, at=at)
    nearest: dict[int, tuple[float, int]] = {}
    for scored in considered.by_score:
        vendor_id = people.by_id[scored.technician_id].vendor_id
        if vendor_id is None or vendor_id in avoid:
            continue
        metres = float("inf") if scored.metres is None else scored.metres
        nearest[vendor_id] = min(nearest.get(vendor_id, (metres, -scored.score)), (metres, -scored.score))
    return tuple(sorted(nearest, key=lambda vendor_id: (*nearest[vendor_id], vendor_id)))


def already_claimed(held: Holder, name: str) -> AlreadyClaimed:
    return AlreadyClaimed(who=name, when=held.since.astimezone(UTC).isoformat(timespec="seconds"))


def _circle(
    people: Roster,
    considered: Considered,
    *,
    avoid: Collection[int],
    size: int | None,
) -> tuple[int, ...]:
    terms = considered.policy.offer
    fit = [each.technician_id for each in considered.by_score if each.technician_id not in avoid]
    if terms.to is not OfferedTo.CREW or size is not None or not fit:
        return tuple(fit[: terms.size if size is None else size])
    best = people.by_id[fit[0]]
    beside = [
        each.technician_id
        for each in _of_crew(people.candidates, best)
        if each.technician_id not in avoid
        and not any(failure.code in _OF_PRESENCE for failure in considered.failures_of(each.technician_id))
    ]
    return (best.technician_id, *beside)


def _of_crew(candidates: Iterable[Candidate], of: Candidate) -> Iterable[Candidate]:
    """The lead and the storekeeper of somebody's crew."""
    if of.crew_id is None:
        return ()
    posts = (Post.LEAD, Post.STOREKEEPER)
    return (
        each for each in candidates if each.crew_id == of.crew_id and each.post in posts and each is not of
    )


def _candidate(people: Roster, technician_id: int) -> Candidate:
    candidate = people.by_id.get(technician_id)
    if candidate is None:
        raise TechnicianNotFound(technician_id=technician_id)
    return candidate


def _refuse_held(connection: Connection, token_id: int, people: Roster) -> None:
    held = booking.holder(connection, token_id)
    if held is not None:
        raise already_claimed(held, people.by_id[held.technician_id].name)
