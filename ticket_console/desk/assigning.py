"""Giving a step to somebody: by a dispatcher, by the one who claims it, or by looking again for the best."""

from dataclasses import replace
from datetime import datetime

from ticket_console.access import policy
from ticket_console.desk import limiting, placing
from ticket_console.desk.moving import WhichStep
from ticket_console.desk.my_work import NotATechnician
from ticket_console.desk.needs import need_of
from ticket_console.desk.work import MovedTicket, Work, change, finish, take_up
from ticket_console.dispatch import booking, choosing
from ticket_console.dispatch.offers import REASON_LENGTH
from ticket_console.dispatch.tables import AssignmentState, DecisionMode
from ticket_console.flows.elements import HandlerMode
from ticket_console.kernel.actor import Actor, system_actor
from ticket_console.kernel.database import retried, transaction
from ticket_console.kernel.errors import Conflict
from ticket_console.people import crews
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.tables import OFFERED, OwnerKind
from ticket_console.tickets.writing import AlreadyApplied


class NothingToAssign(Conflict):
    """No step of this ticket is a technician's to do right now."""

    code = "ticket.nothing_to_assign"


class _NobodyYet(Exception):
    """Undoes a second look that found nobody either."""


@retried
def assign(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    technician_id: int,
    reason: str = "",
    override: bool = False,
) -> MovedTicket:
    """Give the ticket's step to a technician, taking it from whoever had it.

    The hard filters hold for people too: NotEligible names what speaks against it, and `override`
    needs a reason and the permission to go over limits. Who dispatches for a service partner sends that
    partner's people only.
    """
    if override and not reason.strip():
        raise ReasonRequired()

    def give(work: Work) -> bool:
        if override:
            limiting.require_override(
                actor,
                reason,
                region_id=work.draft.get("region_id"),
                ticket_class=work.draft.get("ticket_class"),
            )
        token_id = technician_step(work)
        if actor.vendor_id is not None and crews.vendor_of(work.connection, technician_id) != actor.vendor_id:
            raise choosing.TechnicianNotFound(technician_id=technician_id)
        if holder_of(work, token_id) == technician_id:
            return False
        give_step(work, token_id, technician_id, mode=DecisionMode.MANUAL, reason=reason, override=override)
        return True

    return change(
        give,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="ticket.assign",
    )


@retried
def claim(
    *, actor: Actor, at: datetime, command_id: str, ticket_id: int, expected_version: int
) -> MovedTicket:
    """A technician takes a waiting step for themselves; the first one wins, the others learn who and when.

    Having said no to it before does not count any more: they want it now.
    """
    technician_id = actor.technician_id
    if technician_id is None:
        raise NotATechnician()

    def take(work: Work) -> bool:
        token_id = technician_step(work)
        if holder_of(work, token_id) == technician_id:
            return False
        if work.tokens[token_id]["queue_role"] == OFFERED:
            raise NothingToAssign(ticket_no=work.draft.get("no"))
        give_step(work, token_id, technician_id, mode=DecisionMode.CLAIM, reason="", override=False)
        return True

    return change(
        take,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="ticket.act",
        is_claim=True,
    )


@retried
def release(
    *, actor: Actor, at: datetime, command_id: str, ticket_id: int, expected_version: int, reason: str
) -> MovedTicket:
    """Give a step up, with the reason; it goes back to the dispatchers' queue, and never by itself to the
    one who gave it up."""
    if not reason.strip():
        raise ReasonRequired()

    def give_up(work: Work) -> None:
        token_id, holder = require_release(work)
        choosing.finish(
            work.connection,
            at=at,
            token_ids=[token_id],
            state=AssignmentState.RELEASED,
            reason=reason.strip()[:REASON_LENGTH],
        )
        work.draft.say("ticket.released", technician_id=holder, reason=reason.strip())
        need = need_of(work, token_id, placing.skill_of(work, token_id))
        work.draft.moved[token_id] = placing.wait_for_dispatcher(
            work, need, placing.policy_of(work, token_id)
        )
        placing.count_handoff(work, token_id)

    return change(
        give_up,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="ticket.act",
    )


@retried
def give_to_vendor(
    *, actor: Actor, at: datetime, command_id: str, ticket_id: int, expected_version: int, vendor_id: int
) -> MovedTicket:
    """Put the ticket's step into a service partner's queue, taking it from whoever had it."""

    def give(work: Work) -> bool:
        _require_assign(work)
        token_id = technician_step(work)
        token = work.tokens[token_id]
        if token["owner_kind"] is OwnerKind.VENDOR and token["owner_id"] == vendor_id:
            return False
        crews.vendor_name(work.connection, actor.org_id, vendor_id)
        placing.withdraw_offers(work, token_id)
        if holder_of(work, token_id) is not None:
            choosing.finish(work.connection, at=at, token_ids=[token_id], state=AssignmentState.RELEASED)
            placing.count_handoff(work, token_id)
        need = need_of(work, token_id, placing.skill_of(work, token_id))
        work.draft.moved[token_id] = placing.to_vendor(
            work, need, placing.policy_of(work, token_id), vendor_id
        )
        return True

    return change(
        give,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="ticket.assign",
    )


@retried
def return_from_vendor(
    *, actor: Actor, at: datetime, command_id: str, ticket_id: int, expected_version: int, reason: str
) -> MovedTicket:
    """A service partner's dispatcher gives a step back with the reason; the partner is not asked again."""
    if not reason.strip():
        raise ReasonRequired()

    def give_back(work: Work) -> None:
        token_id = technician_step(work)
        token = work.tokens[token_id]
        if token["owner_kind"] is not OwnerKind.VENDOR or token["owner_id"] != actor.vendor_id:
            raise NothingToAssign(ticket_no=work.draft.get("no"))
        work.draft.say(
            "ticket.vendor_declined", token_id=token_id, vendor_id=actor.vendor_id, reason=reason.strip()
        )
        need = need_of(work, token_id, placing.skill_of(work, token_id))
        work.draft.moved[token_id] = placing.wait_for_dispatcher(
            work, need, placing.policy_of(work, token_id)
        )
        placing.count_handoff(work, token_id)

    return change(
        give_back,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="ticket.assign",
    )


@retried
def dispatch_again(*, at: datetime, org_id: int, ticket_id: int, command_id: str) -> bool:
    """Look again for a ticket that nobody has, by the policy that holds now; false where nobody is found."""
    try:
        return _dispatch_again(at, org_id, ticket_id, command_id)
    except _NobodyYet:
        return False


def _dispatch_again(at: datetime, org_id: int, ticket_id: int, command_id: str) -> bool:
    actor = system_actor(org_id)
    with transaction() as connection:
        try:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=None,
                permission="ticket.assign",
            )
            token_id = technician_step(work)
        except (AlreadyApplied, NothingToAssign, WhichStep):
            return False
        token = work.tokens[token_id]
        if token["owner_kind"] is not OwnerKind.QUEUE or token["queue_role"] == OFFERED:
            return False
        owner = placing.place(work, need_of(work, token_id, placing.skill_of(work, token_id)))
        if owner["queue_role"] == placing.DISPATCHERS:
            # The earlier decision still tells why; another one like it is undone.
            raise _NobodyYet
        work.draft.moved[token_id] = owner
        finish(work)
        return True


def give_step(
    work: Work, token_id: int, technician_id: int, *, mode: DecisionMode, reason: str, override: bool
) -> None:
    """Give a step to somebody within a command that saves it, taking it from whoever had it."""
    holder = holder_of(work, token_id)
    placing.withdraw_offers(work, token_id)
    if holder is not None and mode is DecisionMode.MANUAL:
        people, _ = choosing.read_standing(work.connection, work.actor.org_id, at=work.at)
        if technician_id not in people.by_id:
            raise choosing.TechnicianNotFound(technician_id=technician_id)
        # Both before either changes: two dispatchers may be swapping these very people just now.
        booking.hold_people(work.connection, (holder, technician_id))
        choosing.finish(work.connection, at=work.at, token_ids=[token_id], state=AssignmentState.RELEASED)
    need = need_of(work, token_id, placing.skill_of(work, token_id))
    if mode is DecisionMode.CLAIM:
        others = {each: why for each, why in need.refused_by.items() if each != technician_id}
        need = replace(need, refused_by=others)
    choice = choosing.assign_to(
        work.connection,
        at=work.at,
        by=work.actor.label,
        need=need,
        technician_id=technician_id,
        mode=mode,
        override=override,
    )
    note_owner(
        work,
        token_id,
        technician_id=technician_id,
        name=choice.technician_name,
        decision_id=choice.decision_id,
        mode=mode,
        reason=reason,
    )
    if holder is not None:
        placing.count_handoff(work, token_id)


def note_owner(
    work: Work,
    token_id: int,
    *,
    technician_id: int,
    name: str | None,
    decision_id: int,
    mode: DecisionMode,
    reason: str = "",
) -> None:
    """Write down who has a step now; who takes one for themselves has responded to the customer's wish."""
    work.draft.moved[token_id] = placing.give(
        work,
        token_id,
        technician_id=technician_id,
        name=name,
        decision_id=decision_id,
        mode=mode,
        reason=reason,
    )
    if mode is DecisionMode.CLAIM and work.draft.get("responded_at") is None:
        work.draft.columns["responded_at"] = work.at


def holder_of(work: Work, token_id: int) -> int | None:
    """The technician who has a step."""
    token = work.tokens[token_id]
    return token["owner_id"] if token["owner_kind"] is OwnerKind.TECHNICIAN else None


def require_release(work: Work) -> tuple[int, int]:
    """The step to give back and who has it: it is one's own, or one's to give out."""
    token_id = technician_step(work)
    holder = holder_of(work, token_id)
    if holder is None:
        raise NothingToAssign(ticket_no=work.draft.get("no"))
    if holder != work.actor.technician_id:
        _require_assign(work)
    return token_id, holder


def _require_assign(work: Work) -> None:
    """Refuse who does not dispatch here; that the ticket is theirs is not enough."""
    policy.require(
        work.actor,
        "ticket.assign",
        region_id=work.draft.get("region_id"),
        ticket_class=work.draft.get("ticket_class"),
    )


def technician_step(work: Work) -> int:
    """The one step of the ticket that is a technician's to do."""
    steps = [
        token.id
        for token in work.marking.active()
        if (handler := work.graph.handler_of(token.node_key, work.facts)) is not None
        and handler.mode is HandlerMode.TECHNICIAN
    ]
    if not steps:
        raise NothingToAssign(ticket_no=work.draft.get("no"))
    if len(steps) > 1:
        raise WhichStep(steps=len(steps))
    return steps[0]
