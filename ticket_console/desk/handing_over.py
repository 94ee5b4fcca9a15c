"""The change of shift: what somebody still has is put down, and taken over piece by piece by the next shift.

A shift can be closed only when nothing of it is left open. What nobody has taken when the time of grace is
over is told to those who answer for it. A step stays with the one who had it until somebody takes it over:
at every moment it is somebody's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.engine import Connection

from ticket_console.access import places, policy
from ticket_console.clocks import timers
from ticket_console.desk import placing
from ticket_console.desk.assigning import note_owner
from ticket_console.desk.needs import need_of, needs_of
from ticket_console.desk.work import MovedTicket, Work, change
from ticket_console.dispatch import asking, choosing, handovers, panel
from ticket_console.dispatch.eligibility import Filter
from ticket_console.dispatch.handovers import HandoverRow, ItemRow
from ticket_console.dispatch.offers import REASON_LENGTH
from ticket_console.dispatch.panel import ReasonView
from ticket_console.dispatch.tables import AssignmentState, DecisionMode, HandoverState
from ticket_console.flows import reads as flow_reads
from ticket_console.kernel import ids
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, retried, transaction
from ticket_console.kernel.errors import Conflict, ConsoleError, Forbidden, NotFound, Param
from ticket_console.kernel.text import LocalText
from ticket_console.people import crews, roster
from ticket_console.people import names as people_names
from ticket_console.people import reads as people_reads
from ticket_console.people.candidate import Candidate, Post, Span
from ticket_console.people.roster import Roster
from ticket_console.tickets import reads, writing
from ticket_console.tickets.actions import ReasonRequired

GRACE: Final = timedelta(minutes=30)
# Closed hand-overs stay to be read for the length of a shift.
SHOWN_FOR: Final = timedelta(hours=12)
# A shift that ended this recently may still be handed over.
_JUST_ENDED: Final = timedelta(hours=4)


class HandoverNotFound(NotFound):
    code = "handover.not_found"


class NoShiftEnds(Conflict):
    """Nobody of the crew has a shift that ends now."""

    code = "handover.no_shift_ends"


class NotOfNextShift(Forbidden):
    """Whoever gives something away at the end of their shift cannot take it over."""

    code = "handover.not_of_next_shift"


class HandoverTaken(Conflict):
    """Somebody was faster: `who` did `what` at `when`."""

    code = "handover.taken"


class HandoverGone(Conflict):
    """It was finished, or given to somebody else, before anybody took it over."""

    code = "handover.gone"


class HandoverUnaccepted(Conflict):
    """The shift cannot be closed: `open` things are nobody's yet."""

    code = "handover.unaccepted"


@dataclass(frozen=True, slots=True)
class ItemView:
    """One thing to take over, with what the next shift has to know of it; `holder` gives it away.

    `against` is what keeps the viewer from taking it over: nothing, for who may.
    """

    id: int
    ticket_id: int
    no: str
    title: str
    step: LocalText
    priority: int
    is_vip: bool
    site: LocalText | None
    address: str
    due_at: datetime | None
    holder: str
    note: str
    state: str
    taken_by: str | None
    settled_by: str
    settled_at: datetime | None
    reason: str
    against: tuple[ReasonView, ...]


@dataclass(frozen=True, slots=True)
class HandoverView:
    """A hand-over; `can_accept` is whether the viewer is of the next shift, `can_close` whether the shift
    is theirs to close."""

    id: int
    name: LocalText
    givers: tuple[str, ...]
    ends_at: datetime
    due_at: datetime
    note: str
    by_name: str
    at: datetime
    escalated_at: datetime | None
    closed_at: datetime | None
    open: int
    can_accept: bool
    can_close: bool
    items: tuple[ItemView, ...]


@dataclass(frozen=True, slots=True)
class Beginning:
    """A shift the viewer may hand over now: that of a crew, or of one person alone."""

    crew_id: int | None
    technician_id: int | None
    name: LocalText
    ends_at: datetime
    held: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item of several; `code` says why not."""

    item_id: int
    ok: bool
    code: str
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class _Ending:
    """Whose shift ends, and when."""

    region_id: int
    ends_at: datetime
    giver_ids: tuple[int, ...]


@retried
def begin(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    crew_id: int | None = None,
    technician_id: int | None = None,
    note: str = "",
    notes: Mapping[int, str] | None = None,
    grace: timedelta = GRACE,
) -> int:
    """Put down everything that a crew, or one person, still has at the end of the shift; the hand-over's id.

    Everybody does so for themselves, a lead for the crew, a dispatcher for the people of their regions.
    `notes` by token are words for the one who takes it over.
    """
    policy.require(actor, "shift.hand_over")
    with transaction() as connection:
        repeated = handovers.by_command(connection, command_id)
        if repeated is not None:
            return repeated.id
        people = roster.current(connection, actor.org_id, at=at)
        ending = _ending(connection, actor, people, at, crew_id=crew_id, technician_id=technician_id)
        _require_giving(actor, people, ending, crew_id)
        row = HandoverRow(
            id=ids.take("row"),
            org_id=actor.org_id,
            region_id=ending.region_id,
            crew_id=crew_id,
            technician_id=technician_id,
            giver_ids=ending.giver_ids,
            ends_at=ending.ends_at,
            due_at=max(at, ending.ends_at) + grace,
            note=note.strip()[:REASON_LENGTH],
            by=actor.label,
            by_name=actor.display,
            at=at,
            escalated_at=None,
            closed_at=None,
        )
        written = {token: words.strip()[:REASON_LENGTH] for token, words in (notes or {}).items()}
        for item in handovers.put_down(
            connection,
            row,
            handovers.held_by(connection, ending.giver_ids),
            command_id=command_id,
            notes=written,
        ):
            timers.arm(
                connection,
                fact_key=f"{placing.HANDOVER_TIMER}:{item.token_id}:{item.id}",
                kind=placing.HANDOVER_TIMER,
                ticket_id=item.ticket_id,
                token_id=item.token_id,
                due_at=row.due_at,
            )
        return row.id


@retried
def accept(*, actor: Actor, at: datetime, command_id: str, item_id: int) -> MovedTicket:
    """Take one thing over: it is the asker's from this moment on. The first one has it.

    Refuses with NotOfNextShift who gives it away, HandoverTaken where somebody was faster, and NotEligible
    who is not fit for it or not there when the next shift begins.
    """
    item, row = _found(actor, at, item_id)
    me = actor.technician_id
    if me is None or me in row.giver_ids:
        raise NotOfNextShift(permission="ticket.act")

    def take(work: Work) -> bool:
        if _is_theirs(work, item, me):
            return False
        _refuse_settled(work, item)
        handovers.settle(
            work.connection,
            item.id,
            state=HandoverState.ACCEPTED,
            at=at,
            by=actor.display,
            taken_by=me,
        )
        taken = asking.take_over(
            work.connection,
            at=at,
            by=actor.label,
            need=need_of(work, item.token_id, placing.skill_of(work, item.token_id)),
            giver_id=item.technician_id,
            technician_id=me,
            on_shift_at=max(at, row.ends_at),
        )
        work.draft.say("ticket.handed_over", handover_id=row.id, to=taken.technician_name)
        note_owner(
            work,
            item.token_id,
            technician_id=me,
            name=taken.technician_name,
            decision_id=taken.decision_id,
            mode=DecisionMode.HANDOVER,
        )
        return True

    return change(
        take,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=item.ticket_id,
        expected_version=None,
        permission="ticket.act",
        is_asked=True,
    )


def accept_all(*, actor: Actor, at: datetime, command_id: str, handover_id: int) -> tuple[Outcome, ...]:
    """Take over everything that is still open, each thing for itself; what became of each."""
    with reading() as connection:
        row = _seen(connection, actor, at, handover_id)
        open_items = handovers.open_items(connection, (row.id,))
    outcomes = []
    for item in open_items:
        try:
            accept(
                actor=actor,
                at=at,
                command_id=ids.command_id_of(command_id, item.id),
                item_id=item.id,
            )
        except ConsoleError as refusal:
            outcomes.append(Outcome(item.id, False, refusal.code, refusal.params))
        else:
            outcomes.append(Outcome(item.id, True, "", {}))
    return tuple(outcomes)


@retried
def give_back(*, actor: Actor, at: datetime, command_id: str, item_id: int, reason: str) -> MovedTicket:
    """The next shift cannot do it, for a reason: the dispatchers answer for it from now on."""
    if not reason.strip():
        raise ReasonRequired()
    item, row = _found(actor, at, item_id)
    if actor.technician_id in row.giver_ids:
        raise NotOfNextShift(permission="ticket.act")
    why = reason.strip()[:REASON_LENGTH]

    def give(work: Work) -> bool:
        _refuse_settled(work, item)
        handovers.settle(
            work.connection, item.id, state=HandoverState.RETURNED, at=at, by=actor.display, reason=why
        )
        choosing.finish(work.connection, at=at, token_ids=[item.token_id], state=AssignmentState.RELEASED)
        work.draft.say("ticket.handover_returned", handover_id=row.id, reason=why)
        need = need_of(work, item.token_id, placing.skill_of(work, item.token_id))
        work.draft.moved[item.token_id] = placing.wait_for_dispatcher(
            work, need, placing.policy_of(work, item.token_id)
        )
        placing.notify(
            work,
            fact=f"handover:{item.id}:returned",
            recipient="role:dispatcher",
            key="handover.notice.returned",
            reason=why,
        )
        placing.count_handoff(work, item.token_id)
        return True

    return change(
        give,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=item.ticket_id,
        expected_version=None,
        permission="ticket.act",
        is_asked=True,
    )


@retried
def close(*, actor: Actor, at: datetime, handover_id: int) -> None:
    """Close the shift. Refuses with HandoverUnaccepted while anything of it is nobody's; said twice, it is
    closed once."""
    with transaction() as connection:
        row = handovers.hold(connection, actor.org_id, handover_id)
        people = roster.current(connection, actor.org_id, at=at)
        if row is None or not _may_see(actor, people, row):
            raise HandoverNotFound(handover_id=handover_id)
        _require_giving(actor, people, _Ending(row.region_id, row.ends_at, row.giver_ids), row.crew_id)
        left = len(handovers.open_items(connection, (row.id,)))
        if left:
            raise HandoverUnaccepted(open=left)
        handovers.tell_gone(
            connection, [each.token_id for each in handovers.items(connection, (row.id,))], at=at
        )
        handovers.close(connection, row.id, at=at)


def all_shown(connection: Connection, viewer: Actor, *, at: datetime) -> tuple[HandoverView, ...]:
    """The hand-overs that concern the viewer, the latest first, with everything in them."""
    policy.require(viewer, "shift.hand_over")
    people = roster.current(connection, viewer.org_id, at=at)
    rows = [
        row
        for row in handovers.unclosed(connection, viewer.org_id, since=at - SHOWN_FOR)
        if _may_see(viewer, people, row)
    ]
    items = handovers.items(connection, [row.id for row in rows])
    open_ids = {each.id for each in handovers.open_items(connection, [row.id for row in rows])}
    against = _against(connection, viewer, rows, items, open_ids, at=at)
    shown = _item_views(connection, items, open_ids, against)
    known = crews.crews(connection, viewer.org_id)
    return tuple(
        HandoverView(
            id=row.id,
            name=_name(people, row.crew_id, row.technician_id, known),
            givers=tuple(people.by_id[each].name for each in row.giver_ids),
            ends_at=row.ends_at,
            due_at=row.due_at,
            note=row.note,
            by_name=row.by_name,
            at=row.at,
            escalated_at=row.escalated_at,
            closed_at=row.closed_at,
            open=sum(each.handover_id == row.id and each.id in open_ids for each in items),
            can_accept=viewer.technician_id is not None and viewer.technician_id not in row.giver_ids,
            can_close=_may_give(
                viewer, people, _Ending(row.region_id, row.ends_at, row.giver_ids), row.crew_id
            ),
            items=tuple(shown[each.id] for each in items if each.handover_id == row.id),
        )
        for row in rows
    )


def beginnings(connection: Connection, viewer: Actor, *, at: datetime) -> tuple[Beginning, ...]:
    """The shifts that the viewer may hand over now: their own, and those of crews they lead or dispatch."""
    policy.require(viewer, "shift.hand_over")
    people = roster.current(connection, viewer.org_id, at=at)
    found = []
    known = crews.crews(connection, viewer.org_id)
    asked: list[tuple[int | None, int | None]] = [(crew_id, None) for crew_id in known]
    if viewer.technician_id is not None:
        asked.append((None, viewer.technician_id))
    for crew_id, technician_id in asked:
        try:
            ending = _ending(connection, viewer, people, at, crew_id=crew_id, technician_id=technician_id)
        except NoShiftEnds:
            continue
        if _may_give(viewer, people, ending, crew_id):
            name = _name(people, crew_id, technician_id, known)
            held = len(handovers.held_by(connection, ending.giver_ids))
            found.append(Beginning(crew_id, technician_id, name, ending.ends_at, held))
    return tuple(found)


def _ending(
    connection: Connection,
    actor: Actor,
    people: Roster,
    at: datetime,
    *,
    crew_id: int | None,
    technician_id: int | None,
) -> _Ending:
    """Whose shift ends next. Who works without planned shifts hands over when they say so."""
    if (crew_id is None) == (technician_id is None):
        raise HandoverNotFound()
    if technician_id is not None:
        giver = people.by_id.get(technician_id)
        if giver is None:
            raise HandoverNotFound()
        shift = _shift_at(giver, at)
        return _Ending(giver.region_id, at if shift is None else shift.ends_at, (technician_id,))
    crew = crews.crews(connection, actor.org_id).get(crew_id or 0)
    if crew is None:
        raise HandoverNotFound()
    ending = [
        (shift.ends_at, each.technician_id)
        for each in people.candidates
        if each.crew_id == crew.id and (shift := _shift_at(each, at)) is not None
    ]
    if not ending:
        raise NoShiftEnds()
    ends_at = min(ending)[0]
    return _Ending(crew.region_id, ends_at, tuple(who for end, who in sorted(ending) if end == ends_at))


def _shift_at(candidate: Candidate, at: datetime) -> Span | None:
    """The shift somebody is in, or the one that ended just now."""
    shifts = [
        shift for shift in candidate.shifts or () if shift.starts_at <= at < shift.ends_at + _JUST_ENDED
    ]
    return min(shifts, key=lambda shift: shift.ends_at, default=None)


def _require_giving(actor: Actor, people: Roster, ending: _Ending, crew_id: int | None) -> None:
    if not _may_give(actor, people, ending, crew_id):
        raise Forbidden(permission="ticket.assign")


def _may_give(actor: Actor, people: Roster, ending: _Ending, crew_id: int | None) -> bool:
    """One's own shift is one's own to hand over, a crew's its lead's, and both the dispatchers' there."""
    if ending.giver_ids == (actor.technician_id,):
        return True
    me = people.by_id.get(actor.technician_id or 0)
    if me is not None and me.post is Post.LEAD and crew_id is not None and me.crew_id == crew_id:
        return True
    return policy.allows(actor, "ticket.assign", region_id=ending.region_id)


def _may_see(viewer: Actor, people: Roster, row: HandoverRow) -> bool:
    """Who gives, who may take over, and who dispatches there."""
    if policy.allows(viewer, "ticket.assign", region_id=row.region_id):
        return True
    me = people.by_id.get(viewer.technician_id or 0)
    if me is None:
        return False
    givers = [people.by_id[each] for each in row.giver_ids]
    if me in givers or (row.crew_id is not None and me.crew_id == row.crew_id):
        return True
    # Work of a service partner stays with its people.
    return all(each.vendor_id == me.vendor_id and row.region_id in me.region_ids for each in givers)


def _seen(connection: Connection, actor: Actor, at: datetime, handover_id: int) -> HandoverRow:
    policy.require(actor, "shift.hand_over")
    row = handovers.find(connection, actor.org_id, handover_id)
    people = roster.current(connection, actor.org_id, at=at)
    if row is None or not _may_see(actor, people, row):
        raise HandoverNotFound(handover_id=handover_id)
    return row


def _found(actor: Actor, at: datetime, item_id: int) -> tuple[ItemRow, HandoverRow]:
    with reading() as connection:
        item = handovers.find_item(connection, item_id)
        if item is None:
            raise HandoverNotFound(item_id=item_id)
        return item, _seen(connection, actor, at, item.handover_id)


def _is_theirs(work: Work, item: ItemRow, technician_id: int) -> bool:
    """Whether this very person took it over before."""
    now = handovers.find_item(work.connection, item.id)
    return now is not None and now.state is HandoverState.ACCEPTED and now.taken_by == technician_id


def _refuse_settled(work: Work, item: ItemRow) -> None:
    now = handovers.find_item(work.connection, item.id)
    assert now is not None
    if now.state is not HandoverState.OPEN:
        when = None if now.settled_at is None else now.settled_at.isoformat(timespec="seconds")
        raise HandoverTaken(who=now.settled_by, what=now.state.value, when=when)
    token = work.tokens.get(item.token_id)
    if token is None or token["owner_id"] != item.technician_id:
        raise HandoverGone()


def _name(
    people: Roster, crew_id: int | None, technician_id: int | None, known: Mapping[int, crews.CrewView]
) -> LocalText:
    if crew_id is not None:
        return known[crew_id].name
    name = people.by_id[technician_id or 0].name
    return {"zh": name, "en": name}


def _item_views(
    connection: Connection,
    items: Sequence[ItemRow],
    open_ids: set[int],
    against: Mapping[int, tuple[ReasonView, ...]],
) -> dict[int, ItemView]:
    tickets = reads.jobs_by_id(connection, {each.ticket_id for each in items})
    nodes = reads.node_keys(connection, {each.token_id for each in items})
    sites = places.site_names(connection, {row["site_id"] for row in tickets.values() if row["site_id"]})
    people = {each.technician_id for each in items} | {each.taken_by for each in items if each.taken_by}
    names = people_names.names(connection, people)
    found = {}
    for each in items:
        ticket: Mapping[str, Any] = tickets[each.ticket_id]
        graph = flow_reads.compiled(connection, ticket["flow_version_id"])
        is_gone = each.state is HandoverState.OPEN and each.id not in open_ids
        found[each.id] = ItemView(
            id=each.id,
            ticket_id=each.ticket_id,
            no=ticket["no"],
            title=ticket["title"],
            step=graph.node_by_key[nodes[each.token_id]].name,
            priority=ticket["priority"],
            is_vip=ticket["is_vip"],
            site=sites.get(ticket["site_id"]),
            address=ticket["address"],
            due_at=ticket["due_at"],
            holder=names[each.technician_id],
            note=each.note,
            state=HandoverState.GONE.value if is_gone else each.state.value,
            taken_by=None if each.taken_by is None else names[each.taken_by],
            settled_by=each.settled_by,
            settled_at=each.settled_at,
            reason=each.reason,
            against=against.get(each.id, ()),
        )
    return found


def _against(
    connection: Connection,
    viewer: Actor,
    rows: Sequence[HandoverRow],
    items: Sequence[ItemRow],
    open_ids: set[int],
    *,
    at: datetime,
) -> dict[int, tuple[ReasonView, ...]]:
    """What keeps the viewer from taking over each open item, judged as `accept` does."""
    if viewer.technician_id is None or not open_ids:
        return {}
    skills = {each.code: each.name for each in people_reads.skills(connection, viewer.org_id)}
    found = {}
    for row in rows:
        if viewer.technician_id in row.giver_ids:
            continue
        mine = [each for each in items if each.handover_id == row.id and each.id in open_ids]
        needs = {
            need.token_id: need
            for ticket_id in {each.ticket_id for each in mine}
            for need in needs_of(
                connection, writing.read_ticket(connection, org_id=viewer.org_id, ticket_id=ticket_id)
            )
        }
        failures = choosing.objections(
            connection, viewer.org_id, viewer.technician_id, needs.values(), at=max(at, row.ends_at)
        )
        for each in mine:
            kept_out = [
                failure for failure in failures.get(each.token_id, ()) if failure.code is not Filter.FULL
            ]
            found[each.id] = panel.reasons(kept_out, skills)
    return found
