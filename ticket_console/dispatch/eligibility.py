"""Who may take a task: the hard filters, each with its reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from ticket_console.dispatch.rules import STANDARD, BrandRule, DispatchPolicy, Filters, ShiftEnd, Vendors
from ticket_console.dispatch.visits import ClashKind, Place, Planned, Travel, clash
from ticket_console.kernel.errors import Param
from ticket_console.people.candidate import Candidate, Held, Post, Span

STANDARD_TRAVEL: Final = Travel()
# The duty switch says who works now; it says nothing about a visit agreed for later than this.
_SOON: Final = timedelta(minutes=15)


class Filter(StrEnum):
    """What a candidate can fail, in the order in which the reasons are told."""

    INACTIVE = "inactive"
    NO_SKILL = "no_skill"
    CERTIFICATE_EARLY = "certificate_early"
    CERTIFICATE_EXPIRED = "certificate_expired"
    LEVEL = "level"
    NO_BRAND = "no_brand"
    BRAND_EARLY = "brand_early"
    BRAND_EXPIRED = "brand_expired"
    POST = "post"
    VENDOR_CLOSED = "vendor_closed"
    VENDOR_AGREEMENT = "vendor_agreement"
    STANDBY = "standby"
    OWN_STAFF = "own_staff"
    PLACE_UNKNOWN = "place_unknown"
    REGION = "region"
    TERRITORY = "territory"
    OFF_DUTY = "off_duty"
    ABSENT = "absent"
    OFF_SHIFT = "off_shift"
    SHIFT_ENDS = "shift_ends"
    TOO_FAR = "too_far"
    OVERLAP = "overlap"
    TRAVEL = "travel"
    DECLINED = "declined"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Failure:
    """One filter not passed; `key` is its translation, `params` the figures in it."""

    code: Filter
    params: Mapping[str, Param] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"dispatch.failed.{self.code}"


@dataclass(frozen=True, slots=True)
class Need:
    """The task that wants somebody: where it is and what it takes.

    `brand` is the make of the device it is about; `work_minutes` is how long it is expected to take, from
    now on, or in `span` where a time is agreed. `refused_by` are those who declined it, with their reasons.
    """

    org_id: int
    ticket_id: int
    token_id: int
    region_id: int | None
    territory_id: int | None
    lat: float | None
    lon: float | None
    skill: str | None
    priority: int
    ticket_class: str = ""
    customer_id: int | None = None
    asset_id: int | None = None
    brand: str | None = None
    due_at: datetime | None = None
    work_minutes: int = 60
    is_vip: bool = False
    span: Span | None = None
    refused_by: Mapping[int, str] = field(default_factory=dict)

    @property
    def place(self) -> Place | None:
        return None if self.lat is None or self.lon is None else Place(self.lat, self.lon)

    def window(self, at: datetime) -> Span:
        """When the work is done: the agreed time, or from now on for as long as it is expected to take."""
        return self.span or Span(at, at + timedelta(minutes=self.work_minutes))


def judge(
    candidate: Candidate,
    need: Need,
    *,
    at: datetime,
    on: date,
    open_count: int,
    policy: DispatchPolicy = STANDARD,
    visits: Sequence[Planned] = (),
    travel: Travel = STANDARD_TRAVEL,
    is_too_far: bool = False,
) -> tuple[Failure, ...]:
    """Every filter the candidate fails at that instant; `on` is its calendar day where the work is.

    `is_too_far` says that they are in no ring of a policy whose rings are a limit.
    """
    standing = judge_standing(candidate, need, at=at, on=on, filters=policy.filters)
    beyond = (too_far(need),) if is_too_far else ()
    task = judge_task(candidate, need, at=at, filters=policy.filters, visits=visits, travel=travel)
    crowded = judge_load(candidate, open_count)
    found = (*standing, *beyond, *task)
    return found if crowded is None else (*found, crowded)


def judge_standing(
    candidate: Candidate, need: Need, *, at: datetime, on: date, filters: Filters = STANDARD.filters
) -> tuple[Failure, ...]:
    """The filters that hold for every task of a kind, until the day, a shift or the roster changes."""
    found = (
        None if candidate.is_active else Failure(Filter.INACTIVE),
        Failure(Filter.POST) if candidate.post is Post.STOREKEEPER else None,
        _skill(candidate, need.skill, on),
        _level(candidate, need.skill, on, filters.least_level),
        _brand(candidate, need.brand, on) if filters.brand is BrandRule.REQUIRE else None,
        _vendor(candidate, need, on, filters),
        _place(candidate, need, filters),
        _duty(candidate, need, at),
        _presence(candidate, need, at, filters.shift_end is ShiftEnd.REFUSE),
    )
    return tuple(failure for failure in found if failure is not None)


def judge_task(
    candidate: Candidate,
    need: Need,
    *,
    at: datetime,
    filters: Filters = STANDARD.filters,
    visits: Sequence[Planned] = (),
    travel: Travel = STANDARD_TRAVEL,
) -> tuple[Failure, ...]:
    """The filters of this one task: visits in its way, and that the candidate declined it."""
    in_the_way = _visits(need, visits, at, travel) if filters.overlap and visits else None
    reason = need.refused_by.get(candidate.technician_id)
    declined = None if reason is None else Failure(Filter.DECLINED, {"reason": reason})
    return tuple(failure for failure in (in_the_way, declined) if failure is not None)


def judge_load(candidate: Candidate, open_count: int) -> Failure | None:
    if open_count < candidate.capacity:
        return None
    return Failure(Filter.FULL, {"open": open_count, "capacity": candidate.capacity})


def too_far(need: Need) -> Failure:
    """Beyond the last ring of a policy that goes no farther; nobody is in a ring around an unknown place."""
    return Failure(Filter.PLACE_UNKNOWN if need.place is None else Filter.TOO_FAR)


def cautions(
    candidate: Candidate, need: Need, *, at: datetime, policy: DispatchPolicy = STANDARD
) -> tuple[Failure, ...]:
    """What a dispatcher is warned of, though it keeps nobody out: a presence that ends during the job."""
    if policy.filters.shift_end is not ShiftEnd.WARN or need.span is not None:
        return ()
    strict = _presence(candidate, need, at, lasting=True)
    return (strict,) if strict is not None and strict.code is Filter.SHIFT_ENDS else ()


def skill_level(candidate: Candidate, skill: str | None, on: date) -> int:
    """The best level certified for that day; the general level where no skill is asked for."""
    if skill is None:
        return candidate.level
    held = candidate.certificates.get(skill, ())
    return max((certificate.level for certificate in held if certificate.is_valid(on)), default=0)


def is_certified(candidate: Candidate, brand: str | None, on: date) -> bool:
    """Whether somebody may work on devices of a make that day; of no known make, everybody may."""
    return brand is None or any(held.is_valid(on) for held in candidate.brands.get(brand, ()))


def _skill(candidate: Candidate, skill: str | None, on: date) -> Failure | None:
    if skill is None:
        return None
    held = candidate.certificates.get(skill, ())
    if not held:
        return Failure(Filter.NO_SKILL, {"skill": skill})
    if any(certificate.is_valid(on) for certificate in held):
        return None
    code, when = _not_valid(held, on)
    early = code == "from"
    return Failure(
        Filter.CERTIFICATE_EARLY if early else Filter.CERTIFICATE_EXPIRED, {"skill": skill, **when}
    )


def _brand(candidate: Candidate, brand: str | None, on: date) -> Failure | None:
    if brand is None or is_certified(candidate, brand, on):
        return None
    held = candidate.brands.get(brand, ())
    if not held:
        return Failure(Filter.NO_BRAND, {"brand": brand})
    code, when = _not_valid(held, on)
    return Failure(Filter.BRAND_EARLY if code == "from" else Filter.BRAND_EXPIRED, {"brand": brand, **when})


def _not_valid(held: tuple[Held, ...], on: date) -> tuple[str, dict[str, Param]]:
    """When the next certificate begins, or when the last one ended: of those that do not hold that day."""
    coming = [certificate.valid_from for certificate in held if on < certificate.valid_from]
    if coming:
        return "from", {"from": min(coming).isoformat()}
    ended = max(certificate.valid_until for certificate in held if certificate.valid_until is not None)
    return "until", {"until": ended.isoformat()}


def _level(candidate: Candidate, skill: str | None, on: date, least: int) -> Failure | None:
    level = skill_level(candidate, skill, on)
    # Without any valid certificate the missing skill says it all.
    if level >= least or (skill is not None and level == 0):
        return None
    return Failure(Filter.LEVEL, {"level": level, "least": least})


def _vendor(candidate: Candidate, need: Need, on: date, filters: Filters) -> Failure | None:
    if candidate.vendor_id is None:
        return Failure(Filter.OWN_STAFF) if filters.vendors is Vendors.ONLY else None
    if filters.vendors is Vendors.NONE:
        return Failure(Filter.VENDOR_CLOSED)
    agreed = candidate.agreed
    if agreed is None:
        return None
    if not agreed.covers(need.ticket_class, on):
        return Failure(Filter.VENDOR_AGREEMENT)
    return Failure(Filter.STANDBY) if agreed.is_standby and not filters.standby else None


def _place(candidate: Candidate, need: Need, filters: Filters) -> Failure | None:
    if need.region_id is None:
        return Failure(Filter.PLACE_UNKNOWN)
    if need.region_id not in candidate.region_ids:
        return Failure(Filter.REGION)
    if filters.territory and candidate.territory_ids and need.territory_id not in candidate.territory_ids:
        return Failure(Filter.TERRITORY)
    return None


def _duty(candidate: Candidate, need: Need, at: datetime) -> Failure | None:
    is_later = need.span is not None and need.span.starts_at > at + _SOON
    return None if candidate.is_on_duty or is_later else Failure(Filter.OFF_DUTY)


def _presence(candidate: Candidate, need: Need, at: datetime, lasting: bool) -> Failure | None:
    """Whether somebody is there when the work begins; and until it ends, if that was agreed or is asked."""
    window = need.window(at)
    must_last = lasting or need.span is not None
    for absence in candidate.absences:
        if absence.covers(window.starts_at) or (
            need.span is not None
            and absence.starts_at < window.ends_at
            and window.starts_at < absence.ends_at
        ):
            return Failure(Filter.ABSENT, {"until": _minute(absence.ends_at)})
    there_until = _there_until(candidate, window.starts_at)
    if there_until == window.starts_at:
        return Failure(Filter.OFF_SHIFT)
    if must_last and there_until is not None and there_until < window.ends_at:
        return Failure(Filter.SHIFT_ENDS, {"at": _minute(there_until)})
    return None


def _there_until(candidate: Candidate, start: datetime) -> datetime | None:
    """How long somebody stays from an instant on, over shifts without a gap and up to the next absence.

    None without end; the instant itself for somebody who is not on shift at all.
    """
    until: datetime | None = None
    if candidate.shifts is not None:
        until = start
        for shift in sorted(candidate.shifts, key=lambda shift: shift.starts_at):
            if shift.starts_at <= until < shift.ends_at:
                until = shift.ends_at
    away = [absence.starts_at for absence in candidate.absences if absence.starts_at > start]
    return min((each for each in (until, *away) if each is not None), default=None)


def _visits(need: Need, visits: Sequence[Planned], at: datetime, travel: Travel) -> Failure | None:
    window = need.window(at)
    found = clash(
        visits, window.starts_at, window.ends_at, need.place, travel=travel, ignoring=need.ticket_id
    )
    if found is None:
        return None
    if found.kind is ClashKind.TRAVEL:
        return Failure(Filter.TRAVEL, {"minutes": -(-int(found.missing.total_seconds()) // 60)})
    other = found.other
    return Failure(Filter.OVERLAP, {"from": _minute(other.starts_at), "until": _minute(other.ends_at)})


def _minute(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="minutes")
