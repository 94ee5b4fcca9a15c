"""Settling a ticket: what happened on it is frozen as facts, rated, and posted."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ticket_console.access import places
from ticket_console.desk.rated_facts import RATED_COLUMNS, Surroundings, WorkTimes, by_segment, rated_facts
from ticket_console.desk.rates import pinned_rules
from ticket_console.desk.work import MovedTicket, Work, change
from ticket_console.flows.elements import HANDLED_KINDS, NodeKind
from ticket_console.forms import reads as form_reads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, table
from ticket_console.kernel.errors import Conflict
from ticket_console.notices import surveys
from ticket_console.people import facts as people_facts
from ticket_console.people.facts import TechnicianFacts
from ticket_console.settlement import amending, disputes, refunding, tiering
from ticket_console.settlement import settling as settlement
from ticket_console.settlement.facts import Facts, PartUsed
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.segments import Segment, Stay, partition, standard_of
from ticket_console.stock import usage
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.tables import TokenRow

_tokens = table(TokenRow)
_STAYS: Final = (
    sa.select(_tokens.c.node_key, _tokens.c.entered_at, _tokens.c.left_at)
    .where(_tokens.c.ticket_id == sa.bindparam("ticket_id"))
    .order_by(_tokens.c.entered_at, _tokens.c.id)
)


class NothingToCorrect(Conflict):
    """The ticket has no live rating to be reversed."""

    code = "ticket.nothing_to_correct"


def settle_segment(work: Work, *, segment: str) -> None:
    """Rate and post the work up to here; a ticket nobody worked on is settled with nothing to pay.

    Where steps of the flow have billing standards of their own, each part of the ticket's time is settled by
    the standard of the step it was spent at.
    """
    technician_id = work.draft.get("assignee_id")
    if technician_id is None:
        work.draft.say("ticket.settled", segment=segment, total_minor=0, reason="settlement.no_technician")
        return
    for facts in _facts_by_segment(work, technician_id, segment):
        settled = settlement.settle(
            work.connection,
            at=work.at,
            actor=work.actor,
            facts=facts,
            region_id=work.draft.get("region_id"),
            command_id=work.command_id,
        )
        work.settled_minor[facts.segment] = settled.total_minor
        # The amount stays out of the history: its readers may see the ticket but not the money.
        work.draft.say("ticket.settled", segment=facts.segment, rating_id=settled.rating_id)


def facts_of(work: Work, *, technician_id: int, segment: str) -> Facts:
    """The facts of one segment as they are now, what disputes put right included."""
    settle_nodes = [node for node in work.graph.nodes if node.kind is NodeKind.SETTLE]
    names = [node.segment or "main" for node in settle_nodes]
    standard = standard_of(segment)[0]
    main = standard if standard in names or not names else names[0]
    found = _facts_by_segment(work, technician_id, main)
    return next((facts for facts in found if facts.segment == segment), found[-1])


def _facts_by_segment(work: Work, technician_id: int, main: str) -> list[Facts]:
    """The facts of every segment that settling `main` settles, in order; most flows have just that one."""
    whole = _whole_facts(work, technician_id, main)
    segments: Sequence[Segment] = ()
    standards = {node.key: node.segment or main for node in work.graph.nodes if node.kind in HANDLED_KINDS}
    if any(standard != main for standard in standards.values()):
        rows = work.connection.execute(_STAYS, {"ticket_id": work.ticket_id})
        segments = partition(
            [
                Stay(standards[node_key], entered_at, left_at)
                for node_key, entered_at, left_at in rows
                if node_key in standards
            ],
            starts_at=work.draft.get("opened_at"),
            ends_at=whole.finished_at,
            standard=main,
        )
    found = by_segment(whole, segments)
    # What a dispute has put right stays right, however often the ticket is settled anew.
    return [amending.amended(facts, disputes.amended_by_disputes(work.connection, facts)) for facts in found]


def _whole_facts(work: Work, technician_id: int, segment: str) -> Facts:
    get, connection = work.draft.get, work.connection
    region = None if get("region_id") is None else places.region(connection, get("region_id"))
    template = form_reads.template_version(connection, get("template_version_id"))
    technician = people_facts.technician(connection, technician_id)
    site_tz = places.zone_of(
        connection, org_id=work.actor.org_id, region_id=get("region_id"), site_id=get("site_id")
    )
    day = (get("resolved_at") or work.at).astimezone(ZoneInfo(site_tz)).date()
    vendor_id = _contract(work, technician, day)
    tiers = tiering.tiers_on(
        connection,
        org_id=work.actor.org_id,
        day=day,
        customer_id=get("customer_id"),
        vendor_id=vendor_id,
    )
    surroundings = Surroundings(
        technician=technician,
        site_tz=site_tz,
        region_code="" if region is None else region.code,
        template_code=template.code,
        parts=[
            PartUsed(line.sku, line.quantity, line.unit_cost_minor)
            for line in usage.parts_used(connection, work.ticket_id)
        ],
        satisfaction=_satisfaction(work),
        vendor_id=vendor_id,
        vendor_tier=tiers.vendor,
        customer_tier=tiers.customer,
        pinned_rules=pinned_rules(template.definition, work.facts),
    )
    times = WorkTimes(
        at=work.at,
        started_at=get("started_at"),
        resolved_at=get("resolved_at"),
        responded_at=get("responded_at"),
    )
    ticket = {key: get(key) for key in RATED_COLUMNS}
    return rated_facts(ticket, work.facts, surroundings=surroundings, times=times, segment=segment)


def _contract(work: Work, technician: TechnicianFacts, day: date) -> int | None:
    """The service partner to settle with: the technician's, where its agreement covers the work."""
    if technician.vendor_id is None:
        return None
    covered = people_facts.has_agreement(
        work.connection, technician.vendor_id, ticket_class=work.draft.get("ticket_class"), day=day
    )
    return technician.vendor_id if covered else None


def _satisfaction(work: Work) -> Decimal | None:
    """The mean of the customer's marks; only flows that ask for them are looked up."""
    if not any(node.kind is NodeKind.SURVEY for node in work.graph.nodes):
        return None
    marks = [
        answer
        for survey in surveys.of_ticket(work.connection, work.ticket_id)
        for answer in (survey.answers or {}).values()
        if isinstance(answer, int)
    ]
    return None if not marks else (Decimal(sum(marks)) / len(marks)).quantize(Decimal("0.01"))


@retried
def correct(
    *, actor: Actor, at: datetime, command_id: str, ticket_id: int, expected_version: int, reason: str
) -> MovedTicket:
    """Reverse a ticket's rating exactly and rate it anew on the facts as they are now, for a reason."""
    why = reason.strip()
    if not why:
        raise ReasonRequired()
    return change(
        lambda work: _correct_segments(work, why),
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="settlement.correct",
    )


def _correct_segments(work: Work, reason: str) -> None:
    technician_id = work.draft.get("assignee_id")
    if technician_id is None:
        raise NothingToCorrect(ticket_no=work.draft.get("no"))
    segments = settlement.settled_segments(work.connection, work.ticket_id) or ("main",)
    given_back = 0
    for segment in segments:
        try:
            corrected = settlement.correct(
                work.connection,
                at=work.at,
                actor=work.actor,
                facts=facts_of(work, technician_id=technician_id, segment=segment),
                region_id=work.draft.get("region_id"),
                command_id=work.command_id,
                reason=reason,
            )
        except settlement.AlreadyRefunded:
            # A part of the time that was given back stays so, and keeps no other from being put right.
            given_back += 1
            if given_back == len(segments):
                raise
            continue
        work.draft.say("ticket.corrected", reason=reason, rating_id=corrected.rating_id)


@retried
def refund(
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    ticket_id: int,
    expected_version: int,
    reason: str,
    purpose: Purpose = Purpose.CUSTOMER_CHARGE,
    segment: str = "main",
    positions: Sequence[int] | None = None,
) -> MovedTicket:
    """Give back what a side of a settled ticket was charged or paid: all of it, or lines at some positions.

    The original entries are negated exactly; nothing is rated anew, then or later. Refused without a reason
    and with NothingSettled, NoSuchLine and AlreadyRefunded.
    """
    why = reason.strip()
    if not why:
        raise ReasonRequired()

    def give_back(work: Work) -> None:
        given_back = refunding.refund(
            work.connection,
            at=work.at,
            actor=work.actor,
            ticket_id=work.ticket_id,
            segment=segment,
            purpose=purpose,
            region_id=work.draft.get("region_id"),
            command_id=work.command_id,
            reason=why,
            positions=positions,
        )
        work.draft.say(
            "ticket.refunded",
            reason=why,
            segment=segment,
            purpose=purpose.value,
            rating_id=given_back.rating_id,
            positions=list(given_back.positions),
        )

    return change(
        give_back,
        actor=actor,
        at=at,
        command_id=command_id,
        ticket_id=ticket_id,
        expected_version=expected_version,
        permission="settlement.correct",
    )
