"""Planning visits: giving a task and a time to somebody, moving it, and taking it off the plan."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk.assigning import give_step, technician_step
from ticket_console.desk.needs import need_of
from ticket_console.desk.work import MovedTicket, Work, already_moved, finish, take_up
from ticket_console.dispatch import booking, policies, visit_book, visits
from ticket_console.dispatch.choosing import TechnicianNotFound
from ticket_console.dispatch.tables import DecisionMode
from ticket_console.dispatch.visit_rules import LONGEST, SHORTEST, Judged, judge_visit, place_of
from ticket_console.dispatch.visits import Place, Planned
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, transaction
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.people import roster
from ticket_console.people.candidate import Candidate, Span
from ticket_console.people.presence import presences
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.tables import OwnerKind
from ticket_console.tickets.writing import AlreadyApplied

OVERRIDE: Final = "board.override"
# How far ahead a visit may be planned.
FURTHEST: Final = timedelta(days=366)


class VisitRefused(InvalidInput):
    """The person cannot make the visit at that time; every objection is a problem of its own."""

    code = "visit.refused"
    http_status = 409

    def __init__(self, name: str, judged: Judged) -> None:
        self.judged = judged
        problems = tuple(FieldProblem("starts_at", each.key, each.params) for each in judged.against)
        super().__init__(problems, who=name, reason=problems[0].code)


class NoVisit(Conflict):
    """The ticket's step stands in nobody's plan."""

    code = "visit.none"


@retried
def schedule(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    technician_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: str = "",
    override: bool = False,
) -> MovedTicket:
    """Give the ticket's step to somebody for a time; a visit it had moves there.

    Raises VisitRefused with everything that speaks against it. `override` needs a reason and the right
    to; it never makes two visits of one person overlap, nor sends somebody who is absent.
    """
    span = _span(at, starts_at, ends_at)
    with transaction() as connection:
        try:
            work = _take_up(connection, actor, at, command_id, ticket_id, expected_version)
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        _plan(work, technician_step(work), technician_id, span, reason.strip(), override=override)
        return finish(work)


@retried
def move_visit(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    starts_at: datetime,
    ends_at: datetime,
    technician_id: int | None = None,
    reason: str = "",
    override: bool = False,
) -> MovedTicket:
    """Put a planned visit to another time, or to another person's; NoVisit where none is planned."""
    span = _span(at, starts_at, ends_at)
    with transaction() as connection:
        try:
            work = _take_up(connection, actor, at, command_id, ticket_id, expected_version)
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        token_id = technician_step(work)
        planned = visit_book.visit_of_token(connection, token_id)
        if planned is None:
            raise NoVisit(ticket_no=work.draft.get("no"))
        to = planned.technician_id if technician_id is None else technician_id
        _plan(work, token_id, to, span, reason.strip(), override=override)
        return finish(work)


@retried
def unschedule(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    reason: str = "",
) -> MovedTicket:
    """Take a visit off the plan; the task stays with whoever has it."""
    with transaction() as connection:
        try:
            work = _take_up(connection, actor, at, command_id, ticket_id, expected_version)
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        planned = visit_book.visit_of_token(connection, technician_step(work))
        if planned is None:
            raise NoVisit(ticket_no=work.draft.get("no"))
        booking.hold_people(connection, (planned.technician_id,))
        take_off(work, planned, reason.strip())
        return finish(work)


def take_off(work: Work, planned: Planned, reason: str) -> None:
    """Take a visit off the plan within a command that saves its ticket and holds its technician."""
    visit_book.drop(work.connection, (planned.token_id,))
    _refresh_ways(work.connection, work.actor.org_id, planned.technician_id, planned.starts_at, at=work.at)
    said = {"reason": reason} if reason else {}
    work.draft.say(
        "visit.unscheduled", starts_at=planned.starts_at, technician_id=planned.technician_id, **said
    )


def candidates_at(
    connection: Connection, org_id: int, technician_ids: Collection[int], span: Span, *, at: datetime
) -> Mapping[int, Candidate]:
    """People as they are around a span, which may lie further ahead than the roster looks."""
    people = roster.current(connection, org_id, at=at).by_id
    there = presences(connection, technician_ids, span.starts_at, span.ends_at)
    return {
        each: replace(people[each], shifts=there[each].shift_spans, absences=there[each].absence_spans)
        for each in technician_ids
        if each in people
    }


def _plan(work: Work, token_id: int, technician_id: int, span: Span, reason: str, *, override: bool) -> None:
    connection, at = work.connection, work.at
    token = work.tokens[token_id]
    had = token["owner_id"] if token["owner_kind"] is OwnerKind.TECHNICIAN else None
    # Everybody whose plan this changes is held from here on: of two who book the same hour one waits,
    # and then finds it taken.
    open_counts = booking.hold_people(connection, {technician_id, had or technician_id})
    handler = work.graph.handler_of(token["node_key"], work.facts)
    need = need_of(work, token_id, None if handler is None else handler.skill)
    people = candidates_at(connection, work.actor.org_id, (technician_id,), span, at=at)
    if technician_id not in people:
        raise TechnicianNotFound(technician_id=technician_id)
    candidate = people[technician_id]
    booked = visit_book.around(connection, technician_id, span.starts_at)
    judged = judge_visit(
        candidate,
        need,
        span,
        booked,
        on=span.starts_at.astimezone(work.zone()).date(),
        open_count=open_counts[technician_id],
        holds_it=had == technician_id,
        travel=visit_book.travel(),
        filters=policies.policy_for(connection, need, at).filters,
    )
    if judged.against:
        _require_override(work, candidate.name, judged, reason, override=override)
    before = visit_book.visit_of_token(connection, token_id)
    if before is not None:
        visit_book.drop(connection, (token_id,))
    if had != technician_id:
        give_step(work, token_id, technician_id, mode=DecisionMode.MANUAL, reason=reason, override=True)
    way = visits.way_there(
        booked,
        span.starts_at,
        place_of(need),
        Place(candidate.lat, candidate.lon),
        travel=visit_book.travel(),
        ignoring=work.ticket_id,
    )
    visit_book.write(
        connection,
        org_id=work.actor.org_id,
        ticket_id=work.ticket_id,
        token_id=token_id,
        technician_id=technician_id,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        travel_seconds=int(way.total_seconds()),
        by=work.actor.label,
    )
    for who, when in {(technician_id, span.starts_at)} | (
        set() if before is None else {(before.technician_id, before.starts_at)}
    ):
        _refresh_ways(connection, work.actor.org_id, who, when, at=at)
    said = {"reason": reason} if reason else {}
    work.draft.say(
        "visit.scheduled" if before is None else "visit.moved",
        technician_id=technician_id,
        technician=candidate.name,
        starts_at=span.starts_at,
        ends_at=span.ends_at,
        **said,
    )


def _require_override(work: Work, name: str, judged: Judged, reason: str, *, override: bool) -> None:
    if not override or judged.is_firm:
        raise VisitRefused(name, judged)
    policy.require(
        work.actor,
        OVERRIDE,
        region_id=work.draft.get("region_id"),
        ticket_class=work.draft.get("ticket_class"),
    )
    if not reason:
        raise ReasonRequired()


def _refresh_ways(
    connection: Connection, org_id: int, technician_id: int, starts_at: datetime, *, at: datetime
) -> None:
    """The way to the visit that follows begins somewhere else now."""
    booked = visit_book.around(connection, technician_id, starts_at)
    following = next((each for each in booked if each.starts_at > starts_at), None)
    if following is None:
        return
    someone = roster.current(connection, org_id, at=at).by_id[technician_id]
    way = visits.way_there(
        booked,
        following.starts_at,
        following.place,
        Place(someone.lat, someone.lon),
        travel=visit_book.travel(),
        ignoring=following.ticket_id,
    )
    seconds = int(way.total_seconds())
    if seconds != following.travel_seconds:
        visit_book.change(connection, following.id, travel_seconds=seconds)


def _span(at: datetime, starts_at: datetime, ends_at: datetime) -> Span:
    problems = []
    if starts_at.tzinfo is None or ends_at.tzinfo is None:
        raise InvalidInput((FieldProblem("starts_at", "field.bad_datetime"),))
    if not SHORTEST <= ends_at - starts_at <= LONGEST:
        limits = {"least": int(SHORTEST.total_seconds() // 60), "most": int(LONGEST.total_seconds() // 3600)}
        problems.append(FieldProblem("ends_at", "visit.bad_length", limits))
    if ends_at <= at:
        problems.append(FieldProblem("starts_at", "visit.in_the_past"))
    if starts_at > at + FURTHEST:
        problems.append(FieldProblem("starts_at", "visit.too_far_ahead", {"days": FURTHEST.days}))
    if problems:
        raise InvalidInput(tuple(problems))
    return Span(starts_at, ends_at)


def _take_up(
    connection: Connection,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
) -> Work:
    return take_up(
        connection,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="ticket.assign",
    )
