"""A technician as dispatch sees them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class Post(StrEnum):
    """What somebody is there for."""

    TECHNICIAN = "technician"
    LEAD = "lead"
    STOREKEEPER = "storekeeper"


@dataclass(frozen=True, slots=True)
class Held:
    """One certificate: valid on the days [valid_from, valid_until), or on without end."""

    level: int
    valid_from: date
    valid_until: date | None

    def is_valid(self, on: date) -> bool:
        return self.valid_from <= on and (self.valid_until is None or on < self.valid_until)


@dataclass(frozen=True, slots=True)
class Span:
    """The instants [starts_at, ends_at)."""

    starts_at: datetime
    ends_at: datetime

    def covers(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a service partner and we have agreed: for which days [since, until) and business lines."""

    since: date | None = None
    until: date | None = None
    ticket_classes: frozenset[str] | None = None
    is_active: bool = True
    is_standby: bool = False

    def covers(self, ticket_class: str, on: date) -> bool:
        return (
            self.is_active
            and (self.since is None or self.since <= on)
            and (self.until is None or on < self.until)
            and (self.ticket_classes is None or ticket_class in self.ticket_classes)
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may be sent to work, with what makes them eligible.

    `region_ids` are the own region and all below it. Without `territory_ids` the whole of these is
    served. `shifts` is None for somebody who works by the duty switch alone. `vendor_id` is set for
    the people of a service partner, and `agreed` what holds for them; `brands` are the makes of devices
    somebody is certified for.
    """

    technician_id: int
    name: str
    region_id: int
    region_ids: frozenset[int]
    territory_ids: frozenset[int]
    lat: float
    lon: float
    level: int
    capacity: int
    is_on_duty: bool
    is_active: bool
    certificates: Mapping[str, tuple[Held, ...]]
    shifts: tuple[Span, ...] | None
    absences: tuple[Span, ...]
    crew_id: int | None = None
    vendor_id: int | None = None
    post: Post = Post.TECHNICIAN
    agreed: Agreed | None = None
    brands: Mapping[str, tuple[Held, ...]] = field(default_factory=dict)
