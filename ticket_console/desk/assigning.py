"""Giving a step to somebody: by a dispatcher, by the one who claims it, or by looking again for the best."""

from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk.moving import WhichStep
from ticket_console.desk.my_work import NotATechnician
from ticket_console.desk.needs import need_of
from ticket_console.desk.work import MovedTicket, Work, already_moved, finish, take_up
from ticket_console.dispatch import choosing
from ticket_console.dispatch.tables import AssignmentState, DecisionMode
from ticket_console.flows.elements import HandlerMode
from ticket_console.kernel.actor import Actor, system_actor
from ticket_console.kernel.database import retried, transaction
from ticket_console.kernel.errors import Conflict
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.tables import OwnerKind
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
    needs a reason.
    """
    if override and not reason.strip():
        raise ReasonRequired()
    return _give(
        actor,
        at,
        command_id,
        ticket_id,
        expected_version,
        technician_id,
        DecisionMode.MANUAL,
        reason,
        override,
    )


@retried
def claim(
    *, actor: Actor, at: datetime, command_id: str, ticket_id: int, expected_version: int
) -> MovedTicket:
    """A technician takes a waiting step for themselves; the first one wins, the others learn who and when."""
    if actor.technician_id is None:
        raise NotATechnician()
    return _give(
        actor,
        at,
        command_id,
        ticket_id,
        expected_version,
        actor.technician_id,
        DecisionMode.CLAIM,
        "",
        False,
    )


@retried
def release(
    *, actor: Actor, at: datetime, command_id: str, ticket_id: int, expected_version: int, reason: str
) -> MovedTicket:
    """Give a step up, with the reason; it goes back to the dispatcher's queue."""
    if not reason.strip():
        raise ReasonRequired()
    with transaction() as connection:
        try:
            work = _take_up(connection, actor, at, command_id, ticket_id, expected_version, "ticket.act")
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        token_id = technician_step(work)
        token = work.tokens[token_id]
        if token["owner_kind"] is not OwnerKind.TECHNICIAN:
            raise NothingToAssign(ticket_no=work.draft.get("no"))
        if token["owner_id"] != actor.technician_id:
            _require_assign(work)
        choosing.finish(connection, at=at, token_ids=[token_id], state=AssignmentState.RELEASED)
        work.draft.say("ticket.released", technician_id=token["owner_id"], reason=reason.strip())
        work.draft.moved[token_id] = {
            "owner_kind": OwnerKind.QUEUE,
            "owner_id": None,
            "queue_role": "dispatcher",
        }
        work.draft.columns["assignee_id"] = None
        return finish(work)


@retried
def dispatch_again(*, at: datetime, org_id: int, ticket_id: int, command_id: str) -> bool:
    """Look again for the best technician for a ticket that found none; false where nobody is eligible yet."""
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
        if work.tokens[token_id]["owner_kind"] is OwnerKind.TECHNICIAN:
            return False
        handler = work.graph.handler_of(work.tokens[token_id]["node_key"], work.facts)
        skill = None if handler is None else handler.skill
        choice = choosing.assign_best(connection, at=at, by=actor.label, need=need_of(work, token_id, skill))
        if choice.technician_id is None:
            # The earlier decision still tells why; another one like it is undone.
            raise _NobodyYet
        _note_owner(
            work,
            token_id,
            choice.technician_id,
            choice.technician_name,
            choice.decision_id,
            DecisionMode.AUTO,
            "",
        )
        finish(work)
        return True


def _give(
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    technician_id: int,
    mode: DecisionMode,
    reason: str,
    override: bool,
) -> MovedTicket:
    permission = "ticket.assign" if mode is DecisionMode.MANUAL else "ticket.act"
    is_claim = mode is DecisionMode.CLAIM
    with transaction() as connection:
        try:
            work = _take_up(
                connection, actor, at, command_id, ticket_id, expected_version, permission, is_claim=is_claim
            )
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        token_id = technician_step(work)
        if _holder_of(work, token_id) == technician_id:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        give_step(work, token_id, technician_id, mode=mode, reason=reason, override=override)
        return finish(work)


def give_step(
    work: Work, token_id: int, technician_id: int, *, mode: DecisionMode, reason: str, override: bool
) -> None:
    """Give a step to somebody within a command that saves it, taking it from whoever had it."""
    if _holder_of(work, token_id) is not None and mode is DecisionMode.MANUAL:
        choosing.finish(work.connection, at=work.at, token_ids=[token_id], state=AssignmentState.RELEASED)
    handler = work.graph.handler_of(work.tokens[token_id]["node_key"], work.facts)
    skill = None if handler is None else handler.skill
    choice = choosing.assign_to(
        work.connection,
        at=work.at,
        by=work.actor.label,
        need=need_of(work, token_id, skill),
        technician_id=technician_id,
        mode=mode,
        override=override,
    )
    _note_owner(work, token_id, technician_id, choice.technician_name, choice.decision_id, mode, reason)


def _holder_of(work: Work, token_id: int) -> int | None:
    token = work.tokens[token_id]
    return token["owner_id"] if token["owner_kind"] is OwnerKind.TECHNICIAN else None


def _note_owner(
    work: Work,
    token_id: int,
    technician_id: int,
    name: str | None,
    decision_id: int,
    mode: DecisionMode,
    reason: str,
) -> None:
    said: dict[str, Any] = {
        "technician_id": technician_id,
        "technician": name,
        "decision_id": decision_id,
        "mode": mode.value,
    }
    if reason.strip():
        said["reason"] = reason.strip()
    work.draft.say("ticket.claimed" if mode is DecisionMode.CLAIM else "ticket.assigned", **said)
    work.draft.moved[token_id] = {
        "owner_kind": OwnerKind.TECHNICIAN,
        "owner_id": technician_id,
        "queue_role": None,
    }
    work.draft.columns["assignee_id"] = technician_id
    if mode is DecisionMode.CLAIM and work.draft.get("responded_at") is None:
        work.draft.columns["responded_at"] = work.at
    work.assignee_name = name


def _take_up(
    connection: Connection,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    permission: str,
    *,
    is_claim: bool = False,
) -> Work:
    return take_up(
        connection,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission=permission,
        is_claim=is_claim,
    )


def _require_assign(work: Work) -> None:
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
