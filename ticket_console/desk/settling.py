"""Settling a ticket: what happened on it is frozen as facts, rated, and posted."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ticket_console.access import places
from ticket_console.desk.work import MovedTicket, Work, already_moved, finish, take_up
from ticket_console.forms import reads as form_reads
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import retried, transaction
from ticket_console.kernel.errors import Conflict
from ticket_console.kernel.geo import distance_km
from ticket_console.people import facts as people_facts
from ticket_console.settlement import settling as settlement
from ticket_console.settlement.facts import Facts, Hazard, PartUsed, ServiceClass, Urgency
from ticket_console.stock import usage
from ticket_console.tickets.actions import ReasonRequired
from ticket_console.tickets.priority import URGENCY_NAMES
from ticket_console.tickets.writing import AlreadyApplied

# Yes/no fields that, answered with yes, are dangers met on the job.
HAZARD_FIELDS = {"at_height": "height", "live_wire": "live_wire", "confined_space": "confined_space"}


class NothingToCorrect(Conflict):
    """The ticket has no live rating to be reversed."""

    code = "ticket.nothing_to_correct"


def settle_segment(work: Work, *, segment: str) -> None:
    """Rate and post one segment; a ticket nobody worked on is settled with nothing to pay."""
    technician_id = work.draft.get("assignee_id")
    if technician_id is None:
        work.draft.say("ticket.settled", segment=segment, total_minor=0, reason="settlement.no_technician")
        return
    settled = settlement.settle(
        work.connection,
        at=work.at,
        actor=work.actor,
        facts=facts_of(work, technician_id=technician_id, segment=segment),
        region_id=work.draft.get("region_id"),
        command_id=work.command_id,
    )
    work.settled_minor[segment] = settled.total_minor
    # The amount stays out of the history: its readers may see the ticket but not the money.
    work.draft.say("ticket.settled", segment=segment, rating_id=settled.rating_id)


def facts_of(work: Work, *, technician_id: int, segment: str) -> Facts:
    get, values, connection = work.draft.get, work.facts, work.connection
    technician = people_facts.technician(connection, technician_id)
    tz = places.zone_of(
        connection, org_id=work.actor.org_id, region_id=get("region_id"), site_id=get("site_id")
    )
    region = None if get("region_id") is None else places.region(connection, get("region_id"))
    template = form_reads.template_version(connection, get("template_version_id"))
    finished_at = get("resolved_at") or work.at
    started_at = min(get("started_at") or finished_at, finished_at)
    return Facts(
        ticket_id=work.ticket_id,
        no=get("no"),
        technician_id=technician_id,
        technician_level=technician.level,
        template_code=template.code,
        service_type=get("ticket_class"),
        service_class=_service_class(values),
        urgency=Urgency(URGENCY_NAMES[get("urgency")]),
        difficulty=_decimal(values.get("difficulty"), Decimal(1)),
        hazards=tuple(
            Hazard(code, f"field:{key}") for key, code in HAZARD_FIELDS.items() if values.get(key) is True
        ),
        started_at=started_at,
        finished_at=finished_at,
        site_tz=tz,
        distance_km=_distance(technician.lat, technician.lon, get("lat"), get("lon")),
        cross_city=technician.region_id != get("region_id") and get("region_id") is not None,
        parts=tuple(
            PartUsed(line.sku, line.quantity, line.unit_cost_minor)
            for line in usage.parts_used(connection, work.ticket_id)
        ),
        labour_hours=_decimal(values.get("labour_hours"), _hours(started_at, finished_at)),
        region_code="" if region is None else region.code,
        vip=get("is_vip"),
        response_minutes=_minutes(get("opened_at"), get("responded_at")),
        on_time=None if get("due_at") is None else finished_at <= get("due_at"),
        segment=segment,
    )


def _service_class(values: dict[str, Any]) -> ServiceClass:
    chosen = values.get("service_class")
    return ServiceClass(chosen) if chosen in set(ServiceClass) else ServiceClass.STANDARD


def _decimal(value: Any, default: Decimal) -> Decimal:
    if value is None:
        return default
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return default


def _hours(started_at: datetime, finished_at: datetime) -> Decimal:
    """Time on the job in hours, to the hundredth, where nobody wrote it down."""
    seconds = Decimal(int((finished_at - started_at).total_seconds()))
    return (seconds / 3600).quantize(Decimal("0.01"))


def _minutes(earlier: datetime, later: datetime | None) -> Decimal | None:
    return None if later is None else Decimal(int((later - earlier).total_seconds())) / 60


def _distance(lat1: float, lon1: float, lat2: float | None, lon2: float | None) -> Decimal:
    """Kilometres as the crow flies, to one decimal: the figure people can check on a map."""
    if lat2 is None or lon2 is None:
        return Decimal(0)
    return Decimal(str(round(distance_km(lat1, lon1, lat2, lon2), 1)))


@retried
def correct(
    *, actor: Actor, at: datetime, command_id: str, ticket_id: int, expected_version: int, reason: str
) -> MovedTicket:
    """Reverse a ticket's rating exactly and rate it anew on the facts as they are now, for a reason."""
    if not reason.strip():
        raise ReasonRequired()
    with transaction() as connection:
        try:
            work = take_up(
                connection,
                actor=actor,
                at=at,
                command_id=command_id,
                ticket_id=ticket_id,
                expected_version=expected_version,
                permission="settlement.correct",
            )
        except AlreadyApplied:
            return already_moved(connection, actor=actor, ticket_id=ticket_id)
        technician_id = work.draft.get("assignee_id")
        if technician_id is None:
            raise NothingToCorrect(ticket_no=work.draft.get("no"))
        corrected = settlement.correct(
            connection,
            at=at,
            actor=actor,
            facts=facts_of(work, technician_id=technician_id, segment="main"),
            region_id=work.draft.get("region_id"),
            command_id=command_id,
            reason=reason.strip(),
        )
        work.draft.say("ticket.corrected", reason=reason.strip(), rating_id=corrected.rating_id)
        return finish(work)
