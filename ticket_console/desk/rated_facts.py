"""What a ticket is rated on, made of what is known of it. Pure: settling asks it, and so does replay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from ticket_console.clocks.holidays import is_public_holiday
from ticket_console.kernel.geo import distance_km
from ticket_console.people.facts import TechnicianFacts
from ticket_console.settlement.facts import Facts, Hazard, PartUsed, ServiceClass, Urgency
from ticket_console.settlement.segments import Segment
from ticket_console.tickets.priority import URGENCY_NAMES

# Yes/no fields that, answered with yes, are dangers met on the job.
HAZARD_FIELDS: Final = {"at_height": "height", "live_wire": "live_wire", "confined_space": "confined_space"}

PROJECT_LENGTH: Final = 64
RATED_COLUMNS: Final = (
    "id",
    "no",
    "ticket_class",
    "urgency",
    "region_id",
    "lat",
    "lon",
    "is_vip",
    "opened_at",
    "due_at",
    "returns",
    "customer_id",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What other rooms know: who did the work, where the clock on the wall hangs, what was used.

    `satisfaction` is the mean of the marks the customer gave by then. `vendor_id` is the partner with whom
    the work is settled; the tiers are those of the service date.
    """

    technician: TechnicianFacts
    site_tz: str
    region_code: str
    template_code: str
    parts: Sequence[PartUsed]
    satisfaction: Decimal | None = None
    vendor_id: int | None = None
    vendor_tier: str = ""
    customer_tier: str = ""
    pinned_rules: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkTimes:
    """When the work began, was done (`at` the latest, which is now), and was first taken up."""

    at: datetime
    started_at: datetime | None
    resolved_at: datetime | None
    responded_at: datetime | None


def rated_facts(
    ticket: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    surroundings: Surroundings,
    times: WorkTimes,
    segment: str,
) -> Facts:
    """The facts of one segment; `ticket` are its columns, `values` its fields as they are by then."""
    technician = surroundings.technician
    finished_at = times.resolved_at or times.at
    started_at = min(times.started_at or finished_at, finished_at)
    due_at, region_id = ticket["due_at"], ticket["region_id"]
    return Facts(
        ticket_id=ticket["id"],
        no=ticket["no"],
        technician_id=technician.id,
        technician_level=technician.level,
        template_code=surroundings.template_code,
        service_type=ticket["ticket_class"],
        service_class=_service_class(values),
        urgency=Urgency(URGENCY_NAMES[ticket["urgency"]]),
        difficulty=_decimal(values.get("difficulty"), Decimal(1)),
        hazards=tuple(
            Hazard(code, f"field:{key}") for key, code in HAZARD_FIELDS.items() if values.get(key) is True
        ),
        started_at=started_at,
        finished_at=finished_at,
        site_tz=surroundings.site_tz,
        distance_km=_distance(technician, ticket["lat"], ticket["lon"]),
        cross_city=technician.region_id != region_id and region_id is not None,
        parts=tuple(surroundings.parts),
        labour_hours=_decimal(values.get("labour_hours"), _hours(started_at, finished_at)),
        region_code=surroundings.region_code,
        vip=ticket["is_vip"],
        response_minutes=_minutes(ticket["opened_at"], times.responded_at),
        on_time=None if due_at is None else finished_at <= due_at,
        returns=ticket["returns"],
        satisfaction=surroundings.satisfaction,
        is_holiday=is_public_holiday(
            finished_at.astimezone(ZoneInfo(surroundings.site_tz)).date(), surroundings.site_tz
        ),
        by_vendor=technician.vendor_id is not None,
        vendor_id=surroundings.vendor_id,
        vendor_tier=surroundings.vendor_tier,
        customer_id=ticket["customer_id"],
        customer_tier=surroundings.customer_tier,
        project=project_of(values, ticket["customer_id"]),
        pinned_rules=surroundings.pinned_rules,
        segment=segment,
    )


def by_segment(whole: Facts, segments: Sequence[Segment]) -> tuple[Facts, ...]:
    """The facts of each segment of a ticket's time; without segments the whole is the only one.

    Parts, tools and the way belong to the ticket and are settled once: with the first segment of the standard
    that is settled, or with the last segment where that standard never held.
    """
    if not segments:
        return (whole,)
    chief = next((each for each in segments if each.standard == whole.segment), segments[-1])
    return tuple(_of_segment(whole, each, is_chief=each is chief) for each in segments)


def _of_segment(whole: Facts, segment: Segment, *, is_chief: bool) -> Facts:
    day = segment.ends_at.astimezone(ZoneInfo(whole.site_tz)).date()
    facts = replace(
        whole,
        segment=segment.code,
        started_at=segment.starts_at,
        finished_at=segment.ends_at,
        labour_hours=_hours(segment.starts_at, segment.ends_at),
        is_holiday=is_public_holiday(day, whole.site_tz),
    )
    if is_chief:
        return facts
    return replace(facts, parts=(), tools=(), distance_km=Decimal(0), cross_city=False)


def project_of(values: Mapping[str, Any], customer_id: int | None) -> str:
    """The project written on the ticket, else what is done for its customer taken together."""
    written = str(values.get("project") or "").strip()
    if written:
        return written[:PROJECT_LENGTH]
    return "" if customer_id is None else f"customer-{customer_id}"


def _service_class(values: Mapping[str, Any]) -> ServiceClass:
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
    """To the hundredth, like hours: a figure that can be written down."""
    if later is None:
        return None
    return (Decimal(int((later - earlier).total_seconds())) / 60).quantize(Decimal("0.01"))


def _distance(technician: TechnicianFacts, lat: float | None, lon: float | None) -> Decimal:
    """Kilometres as the crow flies, to one decimal: the figure people can check on a map."""
    if lat is None or lon is None:
        return Decimal(0)
    return Decimal(str(round(distance_km(technician.lat, technician.lon, lat, lon), 1)))
