"""Finding somebody for a technician's step by the policy that holds for it, and what follows where nobody is.

A step is given to the best at once, offered to several, left to a dispatcher, or put into the queue of a
service partner. `place` says whose it becomes; whoever calls it writes that down.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final

from ticket_console.clocks import timers
from ticket_console.desk.needs import need_of
from ticket_console.desk.work import Work
from ticket_console.dispatch import asking, choosing, handovers, offers
from ticket_console.dispatch.asking import Circle
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.offers import Offer
from ticket_console.dispatch.policies import policy_for
from ticket_console.dispatch.rules import DispatchPolicy, Mode
from ticket_console.dispatch.tables import AssignmentState, DecisionMode
from ticket_console.i18n import translate
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.text import LOCALES
from ticket_console.notices import outbox
from ticket_console.notices.tables import Channel
from ticket_console.people import crews
from ticket_console.people.candidate import Post
from ticket_console.tickets import reads
from ticket_console.tickets.tables import OFFERED, OwnerKind

Owner = dict[str, Any]

OFFER_TIMER: Final = "offer"
NOBODY_TIMER: Final = "nobody"
HANDOVER_TIMER: Final = "handover"
TIMERS: Final = frozenset({OFFER_TIMER, NOBODY_TIMER, HANDOVER_TIMER})
DISPATCHERS: Final = "dispatcher"
_TOLD_OF_NOBODY: Final = ("role:dispatcher", "role:manager")


def place(work: Work, need: Need) -> Owner:
    """Whose a step becomes. Nobody who said no to it before is given it or asked again."""
    policy = policy_for(work.connection, need, work.at)
    if policy.mode is Mode.QUEUE:
        return leave_to_dispatchers(work, need, policy, mode=DecisionMode.QUEUE)
    if policy.mode is Mode.OFFER:
        return _ask_next(work, need, policy)
    if policy.mode is Mode.VENDOR:
        return _to_nearest_vendor(work, need, policy)
    choice = choosing.assign_best(work.connection, at=work.at, by=work.actor.label, need=need, policy=policy)
    if choice.technician_id is None:
        return _unassigned(work, need, policy, choice.decision_id, choice.failed)
    return give(
        work,
        need.token_id,
        technician_id=choice.technician_id,
        name=choice.technician_name,
        decision_id=choice.decision_id,
        mode=DecisionMode.AUTO,
    )


def give(
    work: Work,
    token_id: int,
    *,
    technician_id: int,
    name: str | None,
    decision_id: int,
    mode: DecisionMode,
    reason: str = "",
) -> Owner:
    """Note in the history and on the ticket who has the step now."""
    said: dict[str, Any] = {
        "technician_id": technician_id,
        "technician": name,
        "decision_id": decision_id,
        "mode": mode.value,
    }
    if reason.strip():
        said["reason"] = reason.strip()
    work.draft.say("ticket.claimed" if mode is DecisionMode.CLAIM else "ticket.assigned", **said)
    work.draft.columns["assignee_id"] = technician_id
    if work.draft.get("assigned_at") is None:
        work.draft.columns["assigned_at"] = work.at
    work.assignee_name = name
    if token_id in work.tokens:
        timers.cancel_kinds(work.connection, (token_id,), TIMERS)
    return {"owner_kind": OwnerKind.TECHNICIAN, "owner_id": technician_id, "queue_role": None}


def withdraw_offers(work: Work, token_id: int) -> None:
    """End the offers of a step that is given to somebody, or is over."""
    if work.tokens[token_id]["queue_role"] == OFFERED:
        offers.withdraw(work.connection, (token_id,), at=work.at)
        timers.cancel_kinds(work.connection, (token_id,), TIMERS)


def leave_to_dispatchers(work: Work, need: Need, policy: DispatchPolicy, *, mode: DecisionMode) -> Owner:
    """Put a step into the dispatchers' queue, with everybody's numbers on record."""
    decision_id, failed = asking.leave_to_others(
        work.connection, at=work.at, by=work.actor.label, need=need, mode=mode
    )
    return _unassigned(work, need, policy, decision_id, failed)


def wait_for_dispatcher(work: Work, need: Need, policy: DispatchPolicy) -> Owner:
    """Nobody has a step: the dispatchers do, and are told again when that stays so."""
    work.draft.columns["assignee_id"] = None
    timers.arm(
        work.connection,
        fact_key=f"{NOBODY_TIMER}:{need.token_id}:{work.draft.version}",
        kind=NOBODY_TIMER,
        ticket_id=work.ticket_id,
        token_id=need.token_id,
        due_at=work.at + timedelta(minutes=policy.nobody_minutes),
    )
    return {"owner_kind": OwnerKind.QUEUE, "owner_id": None, "queue_role": DISPATCHERS}


def to_vendor(work: Work, need: Need, policy: DispatchPolicy, vendor_id: int) -> Owner:
    """Put a step into a service partner's queue: its own dispatcher gives it away, or its people take it."""
    name = crews.vendor_name(work.connection, work.actor.org_id, vendor_id)
    decision_id, _ = asking.leave_to_others(
        work.connection,
        at=work.at,
        by=work.actor.label,
        need=need,
        mode=DecisionMode.VENDOR,
    )
    work.draft.say(
        "ticket.vendor_asked",
        token_id=need.token_id,
        vendor_id=vendor_id,
        vendor=name,
        decision_id=decision_id,
    )
    for each in crews.members_of_vendor(work.connection, vendor_id):
        notify(
            work,
            fact=f"vendor:{need.token_id}:{decision_id}",
            recipient=f"technician:{each}",
            key="offers.notice.vendor",
        )
    wait_for_dispatcher(work, need, policy)
    return {"owner_kind": OwnerKind.VENDOR, "owner_id": vendor_id, "queue_role": None}


def ask_in_place_of(work: Work, declined: Offer) -> bool:
    """Somebody said no: ask the next best in their place; false where nobody is left to be asked."""
    need = need_of(work, declined.token_id, skill_of(work, declined.token_id))
    return _ask(work, need, in_circle=declined.decision_id) is not None


def ask_next_circle(work: Work, token_id: int) -> Owner:
    """Everybody who was asked said no or nothing: ask the next ones, or leave it to the dispatchers."""
    need = need_of(work, token_id, skill_of(work, token_id))
    policy = policy_for(work.connection, need, work.at)
    return _ask_next(work, need, policy)


def refused_vendors(work: Work, token_id: int) -> frozenset[int]:
    """The service partners who gave a step back."""
    if token_id not in work.tokens:
        return frozenset()
    return frozenset(
        event["payload"]["vendor_id"]
        for event in reads.events_of(work.connection, work.ticket_id)
        if event["type"] == "ticket.vendor_declined" and event["payload"]["token_id"] == token_id
    )


def policy_of(work: Work, token_id: int) -> DispatchPolicy:
    """The policy by which a step is dispatched now."""
    return policy_for(work.connection, need_of(work, token_id, skill_of(work, token_id)), work.at)


def skill_of(work: Work, token_id: int) -> str | None:
    """The skill that a step asks for."""
    handler = work.graph.handler_of(work.tokens[token_id]["node_key"], work.facts)
    return None if handler is None else handler.skill


def count_handoff(work: Work, token_id: int) -> None:
    """One more gave the ticket away unfinished; above the policy's number the dispatchers hear of it."""
    count = (work.draft.get("handoffs") or 0) + 1
    work.draft.columns["handoffs"] = count
    policy = policy_of(work, token_id)
    if count <= policy.most_handoffs:
        return
    work.draft.say("ticket.handed_around", handoffs=count, most=policy.most_handoffs)
    for recipient in _TOLD_OF_NOBODY:
        notify(
            work,
            fact=f"handoffs:{work.ticket_id}:{count}",
            recipient=recipient,
            key="offers.notice.handed_around",
            count=count,
        )


def on_timer(work: Work, token_id: int, kind: str) -> bool:
    """The time of an offer or of a hand-over is up, or nobody has a step for too long; false where that is
    so no more."""
    token = work.tokens[token_id]
    if kind == HANDOVER_TIMER:
        return _was_not_taken_over(work, token_id)
    if kind == OFFER_TIMER:
        return token["queue_role"] == OFFERED and _time_is_over(work, token_id)
    if token["owner_kind"] not in (OwnerKind.QUEUE, OwnerKind.VENDOR):
        return False
    minutes = policy_of(work, token_id).nobody_minutes
    work.draft.say("ticket.nobody_has_it", minutes=minutes)
    for recipient in _TOLD_OF_NOBODY:
        notify(
            work,
            fact=f"{NOBODY_TIMER}:{token_id}:{work.draft.version}",
            recipient=recipient,
            key="offers.notice.nobody",
            minutes=minutes,
        )
    return True


def notify(work: Work, *, fact: str, recipient: str, key: str, **params: Any) -> None:
    """Tell somebody in the console, in both languages, about the ticket at work."""
    words = {"no": work.draft.get("no"), "title": work.draft.get("title"), **params}
    outbox.enqueue(
        work.connection,
        org_id=work.actor.org_id,
        at=work.at,
        ticket_id=work.ticket_id,
        fact_key=fact,
        channel=Channel.CONSOLE,
        recipient=recipient,
        payload={
            "text": {locale: translate(key, locale, zone=work.zone(), **words) for locale in LOCALES},
            "no": work.draft.get("no"),
        },
    )


def _was_not_taken_over(work: Work, token_id: int) -> bool:
    item = handovers.open_item_of(work.connection, token_id)
    if item is None:
        return False
    row = handovers.find(work.connection, work.actor.org_id, item.handover_id)
    assert row is not None
    handovers.note_escalated(work.connection, row.id, at=work.at)
    work.draft.say("ticket.handover_late", handover_id=row.id, technician_id=item.technician_id)
    leads = []
    if row.crew_id is not None:
        leads = [
            f"technician:{each.technician_id}"
            for each in crews.members(work.connection, work.actor.org_id, crew_id=row.crew_id)
            if each.post is Post.LEAD
        ]
    for recipient in (*_TOLD_OF_NOBODY, *leads):
        notify(work, fact=f"{HANDOVER_TIMER}:{item.id}:late", recipient=recipient, key="handover.notice.late")
    return True


def _ask_next(work: Work, need: Need, policy: DispatchPolicy) -> Owner:
    is_new = need.token_id not in work.tokens
    asked_circles = 0 if is_new else offers.circles(work.connection, need.token_id)
    circle = None if asked_circles >= policy.offer.rounds else _ask(work, need)
    if circle is not None:
        return {"owner_kind": OwnerKind.QUEUE, "owner_id": None, "queue_role": OFFERED}
    return leave_to_dispatchers(work, need, policy, mode=DecisionMode.AUTO)


def _ask(work: Work, need: Need, *, in_circle: int | None = None) -> Circle | None:
    asked: Collection[int] = ()
    if need.token_id in work.tokens:
        asked = {each.technician_id for each in offers.of_token(work.connection, need.token_id)}
    circle = asking.ask(
        work.connection,
        at=work.at,
        by=work.actor.label,
        need=need,
        avoid=asked,
        in_circle=in_circle,
    )
    if circle is None:
        return None
    work.draft.columns["assignee_id"] = None
    work.draft.say(
        "ticket.offered",
        technician_ids=list(circle.technician_ids),
        technicians=list(circle.names),
        until=instant_text(circle.until),
        decision_id=circle.decision_id,
    )
    _arm(work, need.token_id, circle)
    for technician_id in circle.technician_ids:
        notify(
            work,
            fact=f"{OFFER_TIMER}:{need.token_id}:{circle.decision_id}",
            recipient=f"technician:{technician_id}",
            key="offers.notice.asked",
            until=circle.until,
        )
    return circle


def _arm(work: Work, token_id: int, circle: Circle) -> None:
    timers.arm(
        work.connection,
        fact_key=f"{OFFER_TIMER}:{token_id}:{circle.technician_ids[0]}",
        kind=OFFER_TIMER,
        ticket_id=work.ticket_id,
        token_id=token_id,
        due_at=circle.until,
    )


def _time_is_over(work: Work, token_id: int) -> bool:
    """Whoever is asked later has a timer of their own: while somebody may still answer, it is waited for."""
    before = {
        each.id
        for each in offers.of_token(work.connection, token_id)
        if each.state is AssignmentState.OFFERED
    }
    still_open = {each.id for each in offers.expire(work.connection, token_id, at=work.at)}
    if before == still_open:
        return False
    work.draft.say("ticket.offer_over", unanswered=len(before - still_open))
    if not still_open:
        work.draft.moved[token_id] = ask_next_circle(work, token_id)
    return True


def _to_nearest_vendor(work: Work, need: Need, policy: DispatchPolicy) -> Owner:
    nearest = asking.nearest_vendors(
        work.connection, at=work.at, need=need, avoid=refused_vendors(work, need.token_id)
    )
    if nearest:
        return to_vendor(work, need, policy, nearest[0])
    return leave_to_dispatchers(work, need, policy, mode=DecisionMode.AUTO)


def _unassigned(
    work: Work, need: Need, policy: DispatchPolicy, decision_id: int, failed: Mapping[str, int]
) -> Owner:
    work.draft.say("ticket.unassigned", decision_id=decision_id, failed=dict(failed))
    return wait_for_dispatcher(work, need, policy)
