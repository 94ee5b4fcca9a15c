"""Moving a ticket: the one way for page, board, phone, API, customer link and timer alike."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.clocks import timers
from ticket_console.desk import cautions, outward, placing
from ticket_console.desk.effects import carry_out
from ticket_console.desk.formulas import formulas_of
from ticket_console.desk.ordering import put_between
from ticket_console.desk.signing import SignatureInput, sign
from ticket_console.desk.steps import FormRequired, require_act, require_cancel, take_values, unfilled
from ticket_console.desk.work import MovedTicket, Reason, Work, already_moved, finish, new_row_id, take_up
from ticket_console.flows.elements import Act, EdgeKind, Node, NodeKind
from ticket_console.kernel.actor import Actor, ActorKind, system_actor
from ticket_console.kernel.database import retried, transaction
from ticket_console.kernel.errors import Conflict
from ticket_console.tickets import engine, limits, writing
from ticket_console.tickets.actions import (
    Action,
    Cancel,
    Complete,
    IllegalMove,
    ReasonRequired,
    Reject,
    SendBack,
    TimerFired,
    TokenNotActive,
)
from ticket_console.tickets.limits import UNLIMITED
from ticket_console.tickets.moves import Move, preview, reachable_moves
from ticket_console.tickets.tables import LimitScope, OwnerKind
from ticket_console.tickets.writing import AlreadyApplied

REASON_LENGTH = 500


class NoWayToStage(IllegalMove):
    """No step leads from where the ticket stands to the lane it was dropped on."""

    code = "ticket.no_way_to_stage"


class WhichStep(Conflict):
    """The ticket stands at several steps at once and the asker did not say which is meant."""

    code = "ticket.which_step"


class ReasonTooLong(Conflict):
    code = "ticket.reason_too_long"
    http_status = 422


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for, in the words of the doors; `action` is worked out against the ticket."""

    act: Act
    token_id: int | None
    edge_key: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Entries:
    """What came with finishing a step."""

    values: Mapping[str, Any] = field(default_factory=dict)
    signature: SignatureInput | None = None
    checklist: object = None


_NOTHING: Final = _Entries()


@retried
def act(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    token_id: int | None = None,
    edge_key: str | None = None,
    values: Mapping[str, Any] | None = None,
    signature: SignatureInput | None = None,
    checklist: object = None,
) -> MovedTicket:
    """Finish a step with its entries. `edge_key` says which way where a person decides, `checklist` what was
    found at the points of the step's list.

    Raises InvalidInput naming every entry that is missing or wrong, Forbidden where the step is not
    the asker's, StaleTicket where somebody was faster.
    """
    wish = Wish(Act.COMPLETE, token_id, edge_key, "")
    entries = _Entries(values or {}, signature, checklist)
    return _move(actor, at, command_id, ticket_id, expected_version, wish, entries)


@retried
def send_back(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    reason: str,
    token_id: int | None = None,
    edge_key: str | None = None,
) -> MovedTicket:
    """Give a step's work back along a return edge, with the reason, and count it."""
    wish = Wish(Act.RETURN, token_id, edge_key, reason)
    return _move(actor, at, command_id, ticket_id, expected_version, wish)


@retried
def reject(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    reason: str,
    token_id: int | None = None,
    edge_key: str | None = None,
) -> MovedTicket:
    """Refuse the work at an approval, with the reason."""
    wish = Wish(Act.REJECT, token_id, edge_key, reason)
    return _move(actor, at, command_id, ticket_id, expected_version, wish)


@retried
def cancel(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    reason: str,
) -> MovedTicket:
    """Give the whole ticket up, wherever it stands."""
    wish = Wish(Act.CANCEL, None, None, reason)
    return _move(actor, at, command_id, ticket_id, expected_version, wish)


@retried
def drop(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    to_stage: str,
    reason: str = "",
    before_id: int | None = None,
    after_id: int | None = None,
    override: bool = False,
) -> MovedTicket:
    """Move a card to another lane of the board, by whichever step leads there.

    `before_id` and `after_id` are the cards it is put between, for those who may say what is first. Raises
    NoWayToStage where no step leads there, FormRequired where the step asks for entries, ReasonRequired where
    it goes back and nobody said why, and LaneFull, which `override` with a reason goes over.
    """
    with transaction() as connection:
        try:
            work = _take_up(connection, actor, at, command_id, ticket_id, expected_version, Act.COMPLETE)
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        planned = plan_drop(work, to_stage, reason)
        warnings = cautions_of_lane(work, to_stage)
        _carry_out_wish(work, planned)
        put_between(work, before_id, after_id)
        work.override = reason if override else None
        return replace(finish(work), warnings=warnings)


def plan_drop(work: Work, to_stage: str, reason: str) -> Wish:
    """What a drop on a lane comes to, or the refusal it meets; the lane's limit is kept on saving.

    Asked before the drop as well as by it, so that what a lane promises is what happens.
    """
    move, move_act = _move_to(work, to_stage, reason)
    if move_act is Act.CANCEL:
        policy.require(
            work.actor,
            "ticket.cancel",
            region_id=work.draft.get("region_id"),
            ticket_class=work.draft.get("ticket_class"),
        )
        require_cancel(work.actor, work.graph, work.marking)
    elif move.token_id is not None:
        _node_to_do(work, move.token_id, move_act)
        if move_act is Act.COMPLETE and unfilled(work, move.token_id):
            raise FormRequired(ticket_no=work.draft.get("no"))
    return Wish(move_act, move.token_id, move.edge_key, reason)


def cautions_of_lane(work: Work, to_stage: str) -> tuple[Reason, ...]:
    """What speaks against a lane without closing it."""
    row = work.draft.before
    assert row is not None, "only a ticket that is there can be dropped"
    limit = limits.limits_of(work.connection, work.actor.org_id, LimitScope.STAGE).get(to_stage, UNLIMITED)
    return cautions.of_lane(
        cautions.circumstances(work.connection, work.actor, row, work.graph),
        category=next((each.category for each in work.graph.stages if each.key == to_stage), None),
        limit=limit,
        standing=0
        if limit.soft is None
        else limits.standing_in(work.connection, work.actor.org_id, to_stage),
        at=work.at,
    )


@retried
def fire_timer(*, at: datetime, org_id: int, ticket_id: int, token_id: int, timer_id: int) -> bool:
    """Let a timer that is due move its ticket on; false where the ticket had left it already."""
    actor = system_actor(org_id)
    command_id = f"timer:{timer_id}"
    with transaction() as connection:
        # The ticket before its timer, as every command that cancels timers holds them.
        writing.lock_ticket(connection, org_id=org_id, ticket_id=ticket_id)
        if not timers.mark_fired(connection, timer_id=timer_id, at=at):
            return False
        try:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=None,
                permission="ticket.act",
            )
        except AlreadyApplied:
            return False
        token = work.marking.token(token_id)
        if token is None:
            return False
        kind, edge_key = timers.meaning_of(connection, timer_id)
        if kind in outward.TARGET_TIMERS:
            if not _is_late(work, token.id, kind):
                return False
            node = work.graph.node_by_key[token.node_key]
            outward.on_staying_too_long(work, node=node, token_id=token_id, kind=kind)
        elif kind in placing.TIMERS:
            if not placing.on_timer(work, token_id, kind):
                return False
        else:
            said = "ticket.timer_fired" if edge_key is None else "ticket.timed_out"
            work.draft.say(said, node=token.node_key, edge=edge_key)
            _advance(work, TimerFired(token_id, edge_key))
        finish(work)
        return True


def _is_late(work: Work, token_id: int, kind: str) -> bool:
    """Whether the target is missed: a step somebody has taken up is not late in being taken up."""
    return kind != outward.UNCLAIMED_TIMER or work.tokens[token_id]["owner_kind"] is OwnerKind.QUEUE


_ACT_OF_EDGE = {
    EdgeKind.FORWARD: Act.COMPLETE,
    EdgeKind.RETURN: Act.RETURN,
    EdgeKind.REJECT: Act.REJECT,
    EdgeKind.CANCEL: Act.CANCEL,
}
_PERMISSION_OF_ACT = {Act.CANCEL: "ticket.cancel"}
_EVENT_OF_ACT = {
    Act.COMPLETE: "ticket.step_completed",
    Act.RETURN: "ticket.returned",
    Act.REJECT: "ticket.rejected",
    Act.CANCEL: "ticket.cancelled",
}


def _move(
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    wish: Wish,
    entries: _Entries = _NOTHING,
) -> MovedTicket:
    with transaction() as connection:
        try:
            work = _take_up(connection, actor, at, command_id, ticket_id, expected_version, wish.act)
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        _carry_out_wish(work, wish, entries)
        return finish(work)


def _take_up(
    connection: Connection,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    act: Act,
) -> Work:
    permission = (
        "ticket.accept" if actor.kind is ActorKind.CUSTOMER else _PERMISSION_OF_ACT.get(act, "ticket.act")
    )
    return take_up(
        connection,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission=permission,
    )


def _carry_out_wish(work: Work, wish: Wish, entries: _Entries = _NOTHING) -> None:
    if wish.act is Act.CANCEL:
        require_cancel(work.actor, work.graph, work.marking)
        reason = _reason(wish)
        work.draft.say("ticket.cancelled", reason=reason)
        _advance(work, Cancel(reason))
        return
    token_id = _token_meant(work, wish.token_id)
    node = _node_to_do(work, token_id, wish.act)
    reason = _reason(wish)
    payload: dict[str, Any] = {"node": node.key, "edge": wish.edge_key}
    if reason:
        payload["reason"] = reason
    work.draft.say(_EVENT_OF_ACT[wish.act], **payload)
    if work.draft.get("responded_at") is None and work.actor.kind is ActorKind.USER:
        work.draft.columns["responded_at"] = work.at
    if wish.act is Act.COMPLETE:
        before = dict(work.facts)
        take_values(
            work,
            node=node,
            token_id=token_id,
            values=entries.values,
            signature=entries.signature,
            checklist=entries.checklist,
        )
        if work.draft.values:
            outward.tell_of_values(work, before=before)
        if entries.signature is not None:
            sign(work.connection, draft=work.draft, token_id=token_id, signature=entries.signature)
    _advance(work, _action(wish, token_id, reason))


def _reason(wish: Wish) -> str:
    reason = said_reason(wish.reason)
    if wish.act is not Act.COMPLETE and not reason:
        raise ReasonRequired()
    return reason


def said_reason(text: str) -> str:
    """A reason as it is kept; ReasonTooLong for what nobody will read."""
    reason = text.strip()
    if len(reason) > REASON_LENGTH:
        raise ReasonTooLong(limit=REASON_LENGTH)
    return reason


def _node_to_do(work: Work, token_id: int, act: Act) -> Node:
    """The step of a token, which must be the asker's to finish, return or refuse."""
    token = work.marking.token(token_id)
    if token is None:
        raise TokenNotActive(token_id=token_id)
    node = work.graph.node_by_key[token.node_key]
    require_act(work.actor, node, work.tokens[token_id], act)
    return node


def _action(wish: Wish, token_id: int, reason: str) -> Action:
    if wish.act is Act.COMPLETE:
        return Complete(token_id, wish.edge_key)
    if wish.act is Act.RETURN:
        return SendBack(token_id, reason, wish.edge_key)
    return Reject(token_id, reason, wish.edge_key)


def _advance(work: Work, action: Action) -> None:
    step = engine.advance(
        work.graph,
        work.marking,
        action,
        facts=work.facts,
        new_token_id=new_row_id,
        worked_out=formulas_of(work.connection, work.draft.get("template_version_id")),
    )
    carry_out(work, step)


def _token_meant(work: Work, token_id: int | None) -> int:
    """The step that is meant: the named one, or the only one somebody can finish."""
    if token_id is not None:
        return token_id
    open_steps = [
        token.id
        for token in work.marking.active()
        if work.graph.node_by_key[token.node_key].kind is not NodeKind.TIMER
    ]
    if len(open_steps) != 1:
        raise WhichStep(steps=len(open_steps))
    return open_steps[0]


def _move_to(work: Work, to_stage: str, reason: str) -> tuple[Move, Act]:
    """The move that leads to a lane, decided on the facts as they are now; forward beats back."""
    leads_to = None
    for move in reachable_moves(work.graph, work.marking):
        if move.to_stage is not None and move.to_stage != to_stage:
            continue
        act = _ACT_OF_EDGE[move.kind]
        if act is Act.CANCEL:
            if move.to_stage == to_stage:
                return move, act
            continue
        wish = Wish(act, move.token_id, move.edge_key, reason or "-")
        action = _action(wish, move.token_id or 0, wish.reason)
        leads_to = preview(work.graph, work.marking, action, work.facts)
        if leads_to == to_stage:
            return move, act
    raise NoWayToStage(to_stage=to_stage, leads_to=leads_to or work.draft.get("stage"))
