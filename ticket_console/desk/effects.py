"""The table of what the engine's effects mean in the other rooms. Nothing else connects them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from ticket_console.clocks import calendars, timers
from ticket_console.desk import outward, placing
from ticket_console.desk.needs import need_of
from ticket_console.desk.settling import settle_segment
from ticket_console.desk.work import Work
from ticket_console.dispatch import choosing
from ticket_console.dispatch.tables import AssignmentState, DecisionMode
from ticket_console.flows.elements import (
    EdgeKind,
    Handler,
    HandlerMode,
    NodeKind,
    StageCategory,
)
from ticket_console.tickets.actions import (
    ActionDue,
    Closed,
    FieldsSet,
    HandlerNeeded,
    Outcome,
    ProgressChanged,
    ReturnCounted,
    SettleDue,
    Step,
    SurveyDue,
    TimerArmed,
    TokenEntered,
    TokenLeft,
)
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.tables import OwnerKind
from ticket_console.tickets.writing import place_in_lane


def carry_out(work: Work, step: Step) -> None:
    """Carry a step's effects out, in their order, then put the ticket into its lane."""
    work.marking = step.marking
    work.draft.columns["marking"] = step.marking.as_json()
    for effect in step.effects:
        _HANDLERS[type(effect)](work, effect)
    _record_way(work, step)
    _release_owners(work)
    _stand_in_lane(work)


def _record_way(work: Work, step: Step) -> None:
    """Every edge the step followed, in order: most of them lead through nodes where no token rests."""
    ways = (effect.path for effect in step.effects if isinstance(effect, TokenEntered | Closed))
    if way := list(dict.fromkeys(chain.from_iterable(ways))):
        work.draft.events[0][1]["way"] = way


def _token_entered(work: Work, effect: TokenEntered) -> None:
    token = next(token for token in work.marking.tokens if token.id == effect.token_id)
    work.draft.entered[effect.token_id] = {
        "id": effect.token_id,
        "org_id": work.actor.org_id,
        "ticket_id": work.ticket_id,
        "node_key": effect.node_key,
        "state": effect.state,
        "owner_kind": OwnerKind.SYSTEM,
        "owner_id": None,
        "queue_role": None,
        "arrived_by": effect.edge_key,
        "forks": token.as_json()["forks"],
        "entered_at": work.at,
        "left_at": None,
        "outcome": None,
    }


def _token_left(work: Work, effect: TokenLeft) -> None:
    state = TokenState.CANCELLED if effect.outcome is Outcome.CANCELLED else TokenState.DONE
    columns = {"state": state, "left_at": work.at, "outcome": effect.outcome.value}
    if effect.token_id in work.draft.entered:
        work.draft.entered[effect.token_id].update(columns)
    else:
        work.draft.left[effect.token_id] = columns
    node = work.graph.node_by_key[effect.node_key]
    if (
        node.kind is NodeKind.TIMER
        or node.targets is not None
        or work.graph.edges_from(node.key, EdgeKind.TIMEOUT)
    ):
        timers.cancel_for_tokens(work.connection, (effect.token_id,))
    if effect.token_id in work.tokens:
        placing.withdraw_offers(work, effect.token_id)
    if node.notices and effect.outcome is Outcome.DONE:
        outward.on_completing(work, node=node, token_id=effect.token_id)


def _handler_needed(work: Work, effect: HandlerNeeded) -> None:
    handler = effect.handler
    owner: dict[str, Any] = {"owner_kind": OwnerKind.SYSTEM}
    if handler.mode is HandlerMode.CUSTOMER:
        owner = {"owner_kind": OwnerKind.CUSTOMER}
    elif handler.mode is HandlerMode.QUEUE:
        owner = {"owner_kind": OwnerKind.QUEUE, "queue_role": handler.role}
    elif handler.mode is HandlerMode.TECHNICIAN:
        owner = _technician_for(work, effect.token_id, handler)
    work.draft.entered[effect.token_id].update(owner)
    node = work.graph.node_by_key[effect.node_key]
    if node.notices or node.targets is not None:
        outward.on_entering(work, node=node, token_id=effect.token_id)


def _technician_for(work: Work, token_id: int, handler: Handler) -> dict[str, Any]:
    """Keep who has the ticket where the step says so, else choose the best; else the queue has it."""
    need = need_of(work, token_id, handler.skill)
    keeper = work.draft.get("assignee_id") if handler.sticky else None
    if keeper is not None:
        handed = _token_handed_on(work, keeper)
        if handed is not None:
            choosing.hand_on(
                work.connection,
                at=work.at,
                ticket_id=work.ticket_id,
                from_token_id=handed,
                to_token_id=token_id,
                technician_id=keeper,
            )
            return {"owner_kind": OwnerKind.TECHNICIAN, "owner_id": keeper}
        try:
            choosing.assign_to(
                work.connection,
                at=work.at,
                by=work.actor.label,
                need=need,
                technician_id=keeper,
                mode=DecisionMode.STICKY,
                override=False,
            )
        except choosing.NotEligible:
            # The one who had it may be away by now; then somebody else is looked for.
            pass
        else:
            return {"owner_kind": OwnerKind.TECHNICIAN, "owner_id": keeper}
    return placing.place(work, need)


def _token_handed_on(work: Work, technician_id: int) -> int | None:
    """A token of this technician that this step ended and whose work nobody has taken over yet."""
    for token_id in work.draft.left:
        token = work.tokens.get(token_id)
        if (
            token is not None
            and token["owner_kind"] is OwnerKind.TECHNICIAN
            and token["owner_id"] == technician_id
        ):
            work.tokens[token_id] = {**token, "owner_kind": OwnerKind.SYSTEM}
            return token_id
    return None


def _release_owners(work: Work) -> None:
    """End the assignments of tokens that left, but for those handed on."""
    ended = [
        token_id
        for token_id in work.draft.left
        if token_id in work.tokens and work.tokens[token_id]["owner_kind"] is OwnerKind.TECHNICIAN
    ]
    if ended:
        choosing.finish(work.connection, at=work.at, token_ids=ended, state=AssignmentState.DONE)


def _timer_armed(work: Work, effect: TimerArmed) -> None:
    timers.arm(
        work.connection,
        fact_key=timers.fact_of_node(effect.token_id)
        if effect.edge_key is None
        else timers.fact_of_edge(effect.token_id, effect.edge_key),
        kind="node" if effect.edge_key is None else "edge",
        ticket_id=work.ticket_id,
        token_id=effect.token_id,
        due_at=_due_at(work, effect),
    )


def _due_at(work: Work, effect: TimerArmed) -> datetime:
    """When a wait is over. One for an instant nobody entered is over at once: the ticket must not hang."""
    if effect.delay_seconds is None:
        until = _instant(effect.until, work)
        if until is None or effect.calendar is None:
            return until or work.at
        hours = calendars.business_time(work.connection, work.actor.org_id, effect.calendar)
        return until if hours.is_open(until) else hours.add(until, _MOMENT) - _MOMENT
    wait = timedelta(seconds=effect.delay_seconds)
    if effect.calendar is None:
        return work.at + wait
    return calendars.business_time(work.connection, work.actor.org_id, effect.calendar).add(work.at, wait)


_MOMENT: Final = timedelta(seconds=1)


def _instant(value: object, work: Work) -> datetime | None:
    """An instant as a field holds it; a time without an offset, or a day, is meant where the work happens."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read if read.tzinfo is not None else read.replace(tzinfo=work.zone())


def _fields_set(work: Work, effect: FieldsSet) -> None:
    for key, value in effect.values.items():
        work.draft.values[key] = (value, "rule")
        work.facts[key] = value


def _settle_due(work: Work, effect: SettleDue) -> None:
    settle_segment(work, segment=effect.segment)


def _action_due(work: Work, effect: ActionDue) -> None:
    outward.carry_out_action(work, node_key=effect.node_key, index=effect.index, action=effect.action)


def _survey_due(work: Work, effect: SurveyDue) -> None:
    outward.ask_survey(work, node_key=effect.node_key, questions=effect.questions)


def _return_counted(work: Work, effect: ReturnCounted) -> None:
    work.draft.columns["returns"] = (work.draft.get("returns") or 0) + 1


def _progress_changed(work: Work, effect: ProgressChanged) -> None:
    work.draft.columns["progress_bp"] = effect.bp


def _closed(work: Work, effect: Closed) -> None:
    work.draft.columns["status"] = effect.status
    work.draft.columns["closed_at"] = work.at
    work.draft.say("ticket.closed", status=effect.status.value)


_HANDLERS: Final[dict[type, Callable[[Work, Any], None]]] = {
    TokenEntered: _token_entered,
    TokenLeft: _token_left,
    HandlerNeeded: _handler_needed,
    TimerArmed: _timer_armed,
    FieldsSet: _fields_set,
    SettleDue: _settle_due,
    ActionDue: _action_due,
    SurveyDue: _survey_due,
    ReturnCounted: _return_counted,
    ProgressChanged: _progress_changed,
    Closed: _closed,
}


def _stand_in_lane(work: Work) -> None:
    """The ticket's stage is that of its earliest live token; the times of its work follow the stage."""
    draft, marking = work.draft, work.marking
    stage, category = _stage_of(work)
    draft.columns["stage"] = stage
    if category is StageCategory.DOING:
        if draft.get("started_at") is None:
            draft.columns["started_at"] = work.at
        if draft.get("resolved_at") is not None:
            draft.columns["resolved_at"] = None
    elif draft.get("started_at") is not None and draft.get("resolved_at") is None:
        draft.columns["resolved_at"] = work.at
    priority_class, rank = place_in_lane(
        marking.status,
        priority=draft.get("priority"),
        opened_at=draft.get("opened_at"),
        ended_at=draft.get("closed_at"),
        ticket_id=work.ticket_id,
    )
    if draft.get("rank") is None or marking.status is not TicketStatus.OPEN:
        draft.columns["priority_class"], draft.columns["rank"] = priority_class, rank


def _stage_of(work: Work) -> tuple[str, StageCategory | None]:
    graph, marking = work.graph, work.marking
    if marking.status is not TicketStatus.OPEN:
        if marking.ended_at is not None:
            end = graph.node_by_key[marking.ended_at]
            return end.stage, graph.category_of(end)
        return "cancelled", StageCategory.CANCELLED
    order = {stage.key: position for position, stage in enumerate(graph.stages)}
    resting = marking.active() or marking.tokens
    node = min(
        (graph.node_by_key[token.node_key] for token in resting), key=lambda node: order.get(node.stage, 0)
    )
    return node.stage, graph.category_of(node)
