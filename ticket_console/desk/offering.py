"""Whom a ticket's step could be given to, before anybody decides; and the answers of those who were asked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk import placing
from ticket_console.desk.assigning import NothingToAssign, note_owner
from ticket_console.desk.moving import WhichStep
from ticket_console.desk.my_work import JobView, NotATechnician, job_cards
from ticket_console.desk.needs import need_of, needs_of
from ticket_console.desk.work import MovedTicket, Work, change, is_of_vendor
from ticket_console.dispatch import asking, booking, choosing, offers, panel
from ticket_console.dispatch import reads as dispatch_reads
from ticket_console.dispatch.asking import OfferOver
from ticket_console.dispatch.offers import REASON_LENGTH
from ticket_console.dispatch.panel import OfferView, ReasonView
from ticket_console.dispatch.tables import AssignmentState, DecisionMode
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, retried, table
from ticket_console.kernel.text import LocalText
from ticket_console.people import names as people_names
from ticket_console.people import reads as people_reads
from ticket_console.tickets import reads
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.tables import OFFERED, Ticket
from ticket_console.tickets.writing import TicketNotFound

tickets = table(Ticket)

# How long somebody who was asked still sees who was faster.
LOST_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class TicketOffers:
    """Everybody a dispatcher may send to a ticket, the fittest first, and the version they look at."""

    ticket_id: int
    no: str
    title: str
    version: int
    skill: LocalText | None
    offers: tuple[OfferView, ...]


@dataclass(frozen=True, slots=True)
class AskedOf:
    """What somebody was asked: an open offer, or one that `taken_by` was faster to take, at `taken_at`."""

    ticket_id: int
    token_id: int
    until: datetime
    is_open: bool
    taken_by: str | None
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class AskedJob:
    """What somebody was asked, with the job it is about."""

    asked: AskedOf
    job: JobView


def offers_for(connection: Connection, *, viewer: Actor, ticket_id: int, at: datetime) -> TicketOffers:
    """Who could do the step of a ticket that is a technician's.

    Raises NothingToAssign where no step is, WhichStep where several are.
    """
    row = reads.find_ticket(connection, viewer=viewer, ticket_id=ticket_id)
    is_own = is_theirs_to_give(connection, viewer, row)
    needs = needs_of(connection, row)
    if not needs:
        raise NothingToAssign(ticket_no=row["no"])
    if len(needs) > 1:
        raise WhichStep(steps=len(needs))
    (need,) = needs
    names = {each.code: each.name for each in people_reads.skills(connection, row["org_id"])}
    return TicketOffers(
        ticket_id=ticket_id,
        no=row["no"],
        title=row["title"],
        version=row["version"],
        skill=None if need.skill is None else names.get(need.skill, {"zh": need.skill, "en": need.skill}),
        offers=dispatch_reads.offers(connection, viewer, need, at=at, is_own=is_own),
    )


def is_theirs_to_give(connection: Connection, viewer: Actor, row: Mapping[str, Any]) -> bool:
    """Refuse who may not say who does this ticket; whether it is with the partner they dispatch for."""
    tokens = {token["id"]: token for token in reads.live_tokens(connection, row["id"])}
    is_own = is_of_vendor(connection, viewer, tokens)
    policy.require(
        viewer, "ticket.assign", region_id=row["region_id"], ticket_class=row["ticket_class"], is_own=is_own
    )
    return is_own


def obstacles(
    connection: Connection, *, viewer: Actor, ticket_ids: Iterable[int], at: datetime
) -> dict[int, tuple[ReasonView, ...]]:
    """What keeps a technician from claiming each of these tickets: nothing, for those they may take.

    Tickets that wait for no technician are absent. Whether the tickets are the viewer's to see is not
    asked: they are those `my_work` found up for claim.
    """
    wanted = sorted(set(ticket_ids))
    if viewer.technician_id is None or not wanted:
        return {}
    needs = {}
    for row in connection.execute(
        sa.select(tickets).where(tickets.c.id.in_(wanted), tickets.c.org_id == viewer.org_id)
    ):
        for need in needs_of(connection, row._asdict())[:1]:
            # Who wants it now is not held to having said no before.
            needs[need.token_id] = replace(need, refused_by={})
    skills = {each.code: each.name for each in people_reads.skills(connection, viewer.org_id)}
    against = choosing.objections(connection, viewer.org_id, viewer.technician_id, needs.values(), at=at)
    return {
        needs[token_id].ticket_id: panel.reasons(failures, skills) for token_id, failures in against.items()
    }


def asked_of(connection: Connection, viewer: Actor, *, at: datetime) -> Sequence[AskedOf]:
    """What the viewer is asked for now, the most urgent first, and what others were faster to take."""
    if viewer.technician_id is None:
        return ()
    mine = offers.to_technician(connection, viewer.technician_id, since=at - LOST_FOR)
    found = []
    for each in mine:
        is_open = each.state is AssignmentState.OFFERED
        if is_open and each.offered_until <= at:
            continue
        held = None if is_open else booking.holder(connection, each.token_id)
        if held is None and not is_open:
            continue
        taken_by = None
        if held is not None:
            taken_by = people_names.names(connection, (held.technician_id,))[held.technician_id]
        found.append(
            AskedOf(
                ticket_id=each.ticket_id,
                token_id=each.token_id,
                until=each.offered_until,
                is_open=is_open,
                taken_by=taken_by,
                taken_at=None if held is None else held.since,
            )
        )
    return found


def asked_jobs(connection: Connection, viewer: Actor, *, at: datetime) -> tuple[AskedJob, ...]:
    """What the viewer is asked for, and what others were faster to take, with all they need to decide."""
    asked = asked_of(connection, viewer, at=at)
    jobs = job_cards(connection, viewer, {each.ticket_id for each in asked}) if asked else {}
    return tuple(AskedJob(each, jobs[each.ticket_id]) for each in asked)


@retried
def accept_offer(*, actor: Actor, at: datetime, command_id: str, ticket_id: int) -> MovedTicket:
    """Take what one was asked for; of several who do, the first has it and the others learn who and when.

    Whatever else happened to the ticket meanwhile does not matter. Who was never asked finds no such ticket.
    """
    technician_id = _asked(actor, ticket_id)

    def take(work: Work) -> bool:
        token_id = _offered_step(work, technician_id)
        if work.tokens[token_id]["owner_id"] == technician_id:
            return False
        need = need_of(work, token_id, placing.skill_of(work, token_id))
        taken = asking.accept(
            work.connection,
            at=at,
            by=actor.label,
            need=need,
            technician_id=technician_id,
        )
        note_owner(
            work,
            token_id,
            technician_id=technician_id,
            name=taken.technician_name,
            decision_id=taken.decision_id,
            mode=DecisionMode.CLAIM,
        )
        return True

    return change(
        take,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=None,
        permission="ticket.act",
        is_asked=True,
    )


@retried
def decline_offer(*, actor: Actor, at: datetime, command_id: str, ticket_id: int, reason: str) -> MovedTicket:
    """Say no to what one was asked for, with the reason; the next best is asked instead.

    Where nobody is left who may still answer, the step goes to the next circle or to the dispatchers.
    """
    technician_id = _asked(actor, ticket_id)
    if not reason.strip():
        raise ReasonRequired()

    def say_no(work: Work) -> None:
        token_id = _offered_step(work, technician_id)
        mine = offers.latest(work.connection, token_id=token_id, technician_id=technician_id)
        why = reason.strip()[:REASON_LENGTH]
        if mine is None or not offers.decline(
            work.connection, at=at, token_id=token_id, technician_id=technician_id, reason=why
        ):
            raise OfferOver()
        work.draft.say("ticket.offer_declined", technician_id=technician_id, reason=why)
        if placing.ask_in_place_of(work, mine) or offers.of_tokens(work.connection, (token_id,)):
            return
        work.draft.moved[token_id] = placing.ask_next_circle(work, token_id)

    return change(
        say_no,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=None,
        permission="ticket.act",
        is_asked=True,
    )


def _asked(actor: Actor, ticket_id: int) -> int:
    """The asker as a technician who was offered a step of the ticket at some time."""
    if actor.technician_id is None:
        raise NotATechnician()
    with reading() as connection:
        if not offers.was_asked(connection, ticket_id=ticket_id, technician_id=actor.technician_id):
            raise TicketNotFound(ticket_id=ticket_id)
    return actor.technician_id


def _offered_step(work: Work, technician_id: int) -> int:
    """The step that somebody was asked for last; who has it by now, or that its time is over, is told."""
    asked = [
        each
        for token_id in work.tokens
        if (each := offers.latest(work.connection, token_id=token_id, technician_id=technician_id))
        is not None
    ]
    if not asked:
        raise OfferOver()
    mine = max(asked, key=lambda each: each.id)
    held = booking.holder(work.connection, mine.token_id)
    if held is not None and held.technician_id != technician_id:
        name = people_names.names(work.connection, (held.technician_id,))[held.technician_id]
        raise asking.already_claimed(held, name)
    is_waiting = work.tokens[mine.token_id]["queue_role"] == OFFERED
    if not is_waiting and held is None:
        raise OfferOver()
    return mine.token_id
