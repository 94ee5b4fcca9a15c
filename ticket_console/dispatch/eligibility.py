"""Who may take a task: the hard filters, each with its reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final

from ticket_console.kernel.errors import Param
from ticket_console.people.candidate import Candidate, Held, Span

_NOTHING: Final[Mapping[str, Param]] = {}


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


def judge(
    candidate: Candidate, need: Need, *, at: datetime, on: date, open_count: int
) -> tuple[Failure, ...]:
    """Every filter the candidate fails at that instant; `on` is its calendar day where the work is."""
    standing = judge_standing(candidate, need, at=at, on=on)
    crowded = judge_load(candidate, open_count)
    return standing if crowded is None else (*standing, crowded)


def judge_standing(candidate: Candidate, need: Need, *, at: datetime, on: date) -> tuple[Failure, ...]:
    """The filters that do not depend on how much the candidate has to do."""
    found = (
        None if candidate.is_active else Failure(Filter.INACTIVE),
        _skill(candidate, need.skill, on),
        _place(candidate, need),
        None if candidate.is_on_duty else Failure(Filter.OFF_DUTY),
        _presence(candidate, at),
    )
    return tuple(failure for failure in found if failure is not None)


def judge_load(candidate: Candidate, open_count: int) -> Failure | None:
    if open_count < candidate.capacity:
        return None
    return Failure(Filter.FULL, {"open": open_count, "capacity": candidate.capacity})


def skill_level(candidate: Candidate, skill: str | None, on: date) -> int:
    """The best level certified for that day; the general level where no skill is asked for."""
    if skill is None:
        return candidate.level
    held = candidate.certificates.get(skill, ())
    return max((certificate.level for certificate in held if certificate.is_valid(on)), default=0)


def _skill(candidate: Candidate, skill: str | None, on: date) -> Failure | None:
    if skill is None:
        return None
    held = candidate.certificates.get(skill, ())
    if not held:
        return Failure(Filter.NO_SKILL, {"skill": skill})
    if any(certificate.is_valid(on) for certificate in held):
        return None
    return _not_valid(skill, held, on)


def _not_valid(skill: str, held: tuple[Held, ...], on: date) -> Failure:
    coming = [certificate.valid_from for certificate in held if on < certificate.valid_from]
    if coming:
        return Failure(Filter.CERTIFICATE_EARLY, {"skill": skill, "from": min(coming).isoformat()})
    ended = max(certificate.valid_until for certificate in held if certificate.valid_until is not None)
    return Failure(Filter.CERTIFICATE_EXPIRED, {"skill": skill, "until": ended.isoformat()})


def _place(candidate: Candidate, need: Need) -> Failure | None:
    if need.region_id is None:
        return Failure(Filter.PLACE_UNKNOWN)
    if need.region_id not in candidate.region_ids:
        return Failure(Filter.REGION)
    if candidate.territory_ids and need.territory_id not in candidate.territory_ids:
        return Failure(Filter.TERRITORY)
    return None


def _presence(candidate: Candidate, at: datetime) -> Failure | None:
    for absence in candidate.absences:
        if absence.covers(at):
            until = absence.ends_at.astimezone(UTC).isoformat(timespec="minutes")
            return Failure(Filter.ABSENT, {"until": until})
    if candidate.shifts is None or any(shift.covers(at) for shift in candidate.shifts):
        return None
    return Failure(Filter.OFF_SHIFT)
