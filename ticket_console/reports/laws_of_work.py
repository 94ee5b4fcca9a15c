"""The laws of the work: each open ticket is somebody's, nothing is forgotten, counts are of the rows."""

from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from ticket_console.clocks.tables import Timer, TimerState
from ticket_console.dispatch.tables import Assignment, AssignmentState, TechnicianLoad
from ticket_console.intake.states import RawState
from ticket_console.intake.tables import RawIntake
from ticket_console.kernel.database import table
from ticket_console.people.tables import Technician
from ticket_console.reports.laws import CounterExample, Finding, Law, Look, counted, examples, in_turn, turned
from ticket_console.stock.tables import Part, PartUsage
from ticket_console.tickets.chain import first_break
from ticket_console.tickets.fold import differences, fold
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.tables import Event, LaneCount, OwnerKind, Ticket, TokenRow

_assignments = table(Assignment)
_events = table(Event)
_lanes = table(LaneCount)
_loads = table(TechnicianLoad)
_parts = table(Part)
_raw = table(RawIntake)
_technicians = table(Technician)
_tickets = table(Ticket)
_timers = table(Timer)
_tokens = table(TokenRow)
_used = table(PartUsage)

# What the worker does by itself is late after this; a message or a timer waits no longer.
LATE: Final = timedelta(minutes=15)
# A history is read event by event; one turn has so many times fewer of them than of rows.
_HISTORIES: Final = 20
_NOTHING_LESS: Final = -0.0005

_IS_OPEN: Final = _tickets.c.status == TicketStatus.OPEN


def open_tickets_are_somebodys(look: Look) -> Finding:
    """An open ticket has an active step, and each of these an owner, a queue or an armed timer."""
    own = sa.and_(_tickets.c.org_id == look.org_id, _IS_OPEN)
    active = sa.and_(_tokens.c.ticket_id == _tickets.c.id, _tokens.c.state == TokenState.ACTIVE)
    waits = sa.exists().where(_timers.c.token_id == _tokens.c.id, _timers.c.state == TimerState.ARMED)
    somebodys = sa.or_(
        sa.and_(
            _tokens.c.owner_kind.in_([OwnerKind.TECHNICIAN, OwnerKind.VENDOR]),
            _tokens.c.owner_id.is_not(None),
        ),
        sa.and_(_tokens.c.owner_kind == OwnerKind.QUEUE, _tokens.c.queue_role.is_not(None)),
        _tokens.c.owner_kind == OwnerKind.CUSTOMER,
        waits,
    )
    nobodys = sa.select(_tickets.c.id, sa.literal("active"), sa.null()).where(own, ~sa.exists().where(active))
    forgotten = (
        sa.select(_tokens.c.id, sa.literal("owner"), _tokens.c.owner_kind)
        .join(_tickets, _tickets.c.id == _tokens.c.ticket_id)
        .where(own, _tokens.c.state == TokenState.ACTIVE, ~somebodys)
    )
    found = (*examples(look, "ticket", nobodys), *examples(look, "token", forgotten))
    return Finding(counted(look, _tickets, own), found)


def ended_tickets_are_over(look: Look) -> Finding:
    """A ticket that ended has no step that anybody could still do."""
    left = (
        sa.select(_tokens.c.id, _tickets.c.status, _tokens.c.state)
        .join(_tickets, _tickets.c.id == _tokens.c.ticket_id)
        .where(
            _tokens.c.org_id == look.org_id,
            _tokens.c.state.in_([TokenState.ACTIVE, TokenState.WAITING]),
            ~_IS_OPEN,
        )
    )
    standing = sa.and_(
        _tokens.c.org_id == look.org_id, _tokens.c.state.in_([TokenState.ACTIVE, TokenState.WAITING])
    )
    return Finding(counted(look, _tokens, standing), examples(look, "token", left))


def steps_have_one_holder(look: Look) -> Finding:
    """A technician's step is held by one claimed assignment, theirs, and no other step is held."""
    claimed = sa.and_(
        _assignments.c.token_id == _tokens.c.id, _assignments.c.state == AssignmentState.CLAIMED
    )
    owned = sa.and_(_tokens.c.state == TokenState.ACTIVE, _tokens.c.owner_kind == OwnerKind.TECHNICIAN)
    of_others = (
        sa.select(_tokens.c.id, _tokens.c.owner_id, _assignments.c.technician_id)
        .outerjoin(_assignments, claimed)
        .where(
            _tokens.c.org_id == look.org_id,
            owned,
            sa.func.coalesce(_assignments.c.technician_id, 0) != sa.func.coalesce(_tokens.c.owner_id, 0),
        )
    )
    is_claimed = _assignments.c.state == AssignmentState.CLAIMED
    of_nothing = (
        sa.select(_assignments.c.id, sa.literal("active"), _tokens.c.state)
        .join(_tokens, _tokens.c.id == _assignments.c.token_id)
        .where(_tokens.c.org_id == look.org_id, is_claimed, ~owned)
    )
    twice = (
        sa.select(sa.func.max(_assignments.c.id), sa.literal("1"), sa.func.count())
        .join(_tokens, _tokens.c.id == _assignments.c.token_id)
        .where(_tokens.c.org_id == look.org_id, is_claimed)
        .group_by(_assignments.c.token_id)
        .having(sa.func.count() > 1)
    )
    found = (
        *examples(look, "token", of_others),
        *examples(look, "assignment", of_nothing),
        *examples(look, "assignment", twice),
    )
    return Finding(counted(look, _tokens, _tokens.c.org_id == look.org_id, owned), found)


def timers_fire(look: Look) -> Finding:
    """An armed timer fires when it is due."""
    armed = sa.and_(_tickets.c.org_id == look.org_id, _timers.c.state == TimerState.ARMED)
    source = _timers.join(_tickets, _tickets.c.id == _timers.c.ticket_id)
    late = (
        sa.select(_timers.c.id, sa.literal(TimerState.FIRED.value), _timers.c.due_at)
        .select_from(source)
        .where(armed, _timers.c.due_at < look.at - LATE)
        .order_by(_timers.c.due_at)
    )
    return Finding(counted(look, source, armed), examples(look, "timer", late))


def histories_are_whole(look: Look) -> Finding:
    """The events of a ticket hash to one another and to its head, and add up to what its row says."""
    smaller = Look(look.connection, look.org_id, look.at, look.turn // _HISTORIES, look.position)
    ids, end = in_turn(
        smaller, sa.select(_tickets.c.id).where(_tickets.c.org_id == look.org_id), _tickets.c.id
    )
    rows = {row["id"]: row for row in _mappings(look, sa.select(_tickets).where(_tickets.c.id.in_(ids)))}
    histories: dict[int, list[dict[str, Any]]] = {each: [] for each in ids}
    query = sa.select(_events).where(_events.c.ticket_id.in_(ids)).order_by(_events.c.seq)
    for event in _mappings(look, query):
        histories[event["ticket_id"]].append(event)
    broken = [found for each in ids if (found := _torn(rows[each], histories[each])) is not None]
    return turned(len(ids), broken, (int(each.row_id) for each in broken), end)


def _torn(ticket: dict[str, Any], history: list[dict[str, Any]]) -> CounterExample | None:
    broken = first_break(history)
    if broken is not None:
        return CounterExample("ticket", str(ticket["id"]), "event", str(broken.seq))
    if len(history) != ticket["event_count"]:
        return CounterExample("ticket", str(ticket["id"]), str(len(history)), str(ticket["event_count"]))
    if history and history[-1]["hash"] != ticket["head_hash"]:
        return CounterExample("ticket", str(ticket["id"]), history[-1]["hash"], ticket["head_hash"])
    if not history:
        return None
    folded = fold(history).ticket
    for column in differences(folded, ticket):
        return CounterExample(
            "ticket", str(ticket["id"]), f"{column} {folded.get(column)}", str(ticket.get(column))
        )
    return None


def _mappings(look: Look, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [row._asdict() for row in look.connection.execute(query)]


def lanes_are_counted(look: Look) -> Finding:
    """The counts a board shows are those of the tickets."""
    counted_tickets = (
        sa.select(
            _tickets.c.stage,
            sa.func.coalesce(_tickets.c.region_id, 0).label("region_id"),
            _tickets.c.ticket_class,
            sa.literal(0).label("kept"),
            sa.func.count().label("there"),
        )
        .where(_tickets.c.org_id == look.org_id)
        .group_by(_tickets.c.stage, _tickets.c.region_id, _tickets.c.ticket_class)
    )
    kept = sa.select(
        _lanes.c.stage, _lanes.c.region_id, _lanes.c.ticket_class, _lanes.c.tickets, sa.literal(0)
    ).where(_lanes.c.org_id == look.org_id)
    both = sa.union_all(counted_tickets, kept).subquery()
    there, told = sa.func.sum(both.c.there), sa.func.sum(both.c.kept)
    key = both.c.stage + "/" + sa.cast(both.c.region_id, sa.String) + "/" + both.c.ticket_class
    wrong = (
        sa.select(key, sa.cast(there, sa.BigInteger), sa.cast(told, sa.BigInteger))
        .group_by(both.c.stage, both.c.region_id, both.c.ticket_class)
        .having(there != told)
    )
    lanes = counted(look, _lanes, _lanes.c.org_id == look.org_id)
    return Finding(lanes, examples(look, "lane_count", wrong))


def loads_are_counted(look: Look) -> Finding:
    """What a technician has in hand is counted as what they have claimed."""
    held = sa.func.count(_assignments.c.id)
    told = sa.func.coalesce(_loads.c.open_count, 0)
    wrong = (
        sa.select(_technicians.c.id, held, told)
        .outerjoin(_loads, _loads.c.technician_id == _technicians.c.id)
        .outerjoin(
            _assignments,
            sa.and_(
                _assignments.c.technician_id == _technicians.c.id,
                _assignments.c.state == AssignmentState.CLAIMED,
            ),
        )
        .where(_technicians.c.org_id == look.org_id)
        .group_by(_technicians.c.id, _loads.c.open_count)
        .having(held != told)
    )
    people = counted(look, _technicians, _technicians.c.org_id == look.org_id)
    return Finding(people, examples(look, "technician_load", wrong))


def messages_are_settled(look: Look) -> Finding:
    """What came in became a ticket, a duplicate or a rejection; nothing is lost."""
    own = _raw.c.org_id == look.org_id
    waiting = sa.select(_raw.c.id, sa.literal(RawState.TICKET.value), _raw.c.state).where(
        own, _raw.c.state == RawState.NEW, _raw.c.received_at < look.at - LATE
    )
    lost = (
        sa.select(_raw.c.id, sa.literal(RawState.TICKET.value), _raw.c.ticket_id)
        .outerjoin(_tickets, _tickets.c.id == _raw.c.ticket_id)
        .where(own, _raw.c.state == RawState.TICKET, _tickets.c.id.is_(None))
    )
    found = (*examples(look, "raw_intake", waiting), *examples(look, "raw_intake", lost))
    return Finding(counted(look, _raw, own), found)


def parts_are_not_less_than_none(look: Look) -> Finding:
    """Of no part a ticket gave back more than it took."""
    quantity = sa.func.sum(sa.cast(_used.c.quantity, sa.Float))
    wrong = (
        sa.select(sa.func.max(_used.c.id), sa.literal("0"), quantity)
        .join(_parts, _parts.c.id == _used.c.part_id)
        .where(_parts.c.org_id == look.org_id)
        .group_by(_used.c.ticket_id, _used.c.part_id)
        .having(quantity < _NOTHING_LESS)
    )
    source = _used.join(_parts, _parts.c.id == _used.c.part_id)
    return Finding(counted(look, source, _parts.c.org_id == look.org_id), examples(look, "part_usage", wrong))


LAWS: Final = (
    Law("owned", open_tickets_are_somebodys),
    Law("ended", ended_tickets_are_over),
    Law("held", steps_have_one_holder),
    Law("timers", timers_fire),
    Law("histories", histories_are_whole, in_turns=True),
    Law("lanes", lanes_are_counted),
    Law("loads", loads_are_counted),
    Law("messages", messages_are_settled),
    Law("parts", parts_are_not_less_than_none),
)
