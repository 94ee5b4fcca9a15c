"""Every cent explained: from a rated amount to what it rests on, back to the message that started the ticket.

`settlement.trace_tree` says how an amount follows from rules and facts. Here each fact is followed to its
grounds: the event of the history that set it, the photo, the signature, the position, the booking of a part.
And the whole is checked: rated anew the facts come to the same cents, the history is unbroken, and what was
booked is what was rated.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.desk.rated_facts import HAZARD_FIELDS
from ticket_console.intake.channels import CHANNELS
from ticket_console.intake.tables import RawIntake
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.geo import distance_km
from ticket_console.kernel.text import LocalText
from ticket_console.people.tables import PositionFix
from ticket_console.settlement import publishing
from ticket_console.settlement.facts import Facts, plain
from ticket_console.settlement.rating import rate
from ticket_console.settlement.reads import RatingView
from ticket_console.settlement.sides import SIDE_OF
from ticket_console.settlement.tables import FactSnapshot, Rating, RuleSetVersion
from ticket_console.stock.tables import Part, PartUsage
from ticket_console.tickets import reads as ticket_reads
from ticket_console.tickets.writing import TicketNotFound

_FIXES: Final = table(PositionFix)
_PARTS: Final = table(Part)
_RATINGS: Final = table(Rating)
_RAW: Final = table(RawIntake)
_SNAPSHOTS: Final = table(FactSnapshot)
_USED: Final = table(PartUsage)
_VERSIONS: Final = table(RuleSetVersion)

# Who is told to be on the way is on it some time before the work begins.
_BEFORE_WORK: Final = timedelta(minutes=90)
_MOST_FIXES: Final = 500

# What a fact was read from: columns of the ticket and fields of its form, as the history sets them.
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "urgency": ("urgency",),
    "vip": ("is_vip",),
    "returns": ("returns",),
    "on_time": ("due_at", "resolved_at"),
    "response_minutes": ("opened_at", "responded_at"),
    "distance_km": ("lat", "lon"),
    "cross_city": ("region_id",),
    "region_code": ("region_id",),
    "service_type": ("ticket_class",),
    "template_code": ("template_version_id",),
    "technician_level": ("assignee_id",),
    "by_vendor": ("assignee_id",),
    **dict.fromkeys(
        (
            "work_from",
            "work_until",
            "work_minutes",
            "minutes_inside",
            "service_on",
            "is_weekend",
            "is_holiday",
            "labour_hours",
        ),
        ("started_at", "resolved_at"),
    ),
}
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "difficulty": ("difficulty",),
    "labour_hours": ("labour_hours",),
    "service_class": ("service_class",),
    "hazards": tuple(HAZARD_FIELDS),
    "evidence": tuple(HAZARD_FIELDS),
}
_BY_EVENT: Final[Mapping[str, str]] = {"satisfaction": "ticket.survey_answered", "returns": "ticket.returned"}
_OF_PARTS: Final = frozenset({"parts", "item", "quantity", "unit_price"})
_SHOWN_BY_PHOTOS: Final = frozenset({"hazards", "evidence", "difficulty"})
_SHOWN_BY_POSITION: Final = frozenset({"distance_km", "cross_city", "work_from"})


class GroundKind(StrEnum):
    EVENT = "event"
    PHOTO = "photo"
    SIGNATURE = "signature"
    POSITION = "position"
    STOCK = "stock"
    TOOL = "tool"
    DISPUTE = "dispute"


@dataclass(frozen=True, slots=True)
class Ground:
    """Something a fact rests on. `name` is what it is called; an event is named by its translation key."""

    kind: GroundKind
    name: LocalText
    at: datetime | None = None
    who: str = ""
    event: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """The message that started the ticket and its channel; `raw_id` only for those who may read messages."""

    source: str
    received_at: datetime
    external_id: str | None
    raw_id: int | None


class Check(StrEnum):
    """What is found out anew each time somebody looks."""

    RECOMPUTED = "recomputed"
    FACTS = "facts"
    HISTORY = "history"
    STOCK = "stock"


@dataclass(frozen=True, slots=True)
class Explained:
    """A rating with its grounds. `grounds` are by fact key, and by "item:<code>" for a part.

    `work` shows that the work was done: photos, positions, the customer's signature. `story` are the events
    from the opening on, oldest first. Where the viewer may not see the ticket, everything but the checks of
    the books is empty.
    """

    rating: RatingView
    checks: Mapping[Check, bool]
    grounds: Mapping[str, tuple[Ground, ...]]
    work: tuple[Ground, ...]
    story: tuple[Ground, ...]
    origin: Origin | None
    title: str


@dataclass(frozen=True, slots=True)
class _Frozen:
    """What a rating was made of, as it is stored."""

    facts: Facts
    is_same: bool
    is_genuine: bool


def explained(
    connection: Connection, *, viewer: Actor, ratings: Sequence[RatingView]
) -> tuple[Explained, ...]:
    """The ratings of one ticket, which the viewer may read, with what each rests on."""
    if not ratings:
        return ()
    ticket_id = ratings[0].ticket_id
    frozen = _frozen(connection, [each.rating_id for each in ratings])
    try:
        ticket: Mapping[str, Any] | None = ticket_reads.find_ticket(
            connection, viewer=viewer, ticket_id=ticket_id
        )
    except TicketNotFound:
        ticket = None
    if ticket is None:
        return tuple(_alone(each, frozen[each.rating_id]) for each in ratings)
    scene = _Scene(connection, viewer, ticket)
    return tuple(scene.explain(each, frozen[each.rating_id]) for each in ratings)


def _alone(rating: RatingView, frozen: _Frozen) -> Explained:
    return Explained(rating, _checks_of(frozen), {}, (), (), None, "")


def _checks_of(frozen: _Frozen) -> dict[Check, bool]:
    return {Check.RECOMPUTED: frozen.is_same, Check.FACTS: frozen.is_genuine}


def _frozen(connection: Connection, rating_ids: Sequence[int]) -> dict[int, _Frozen]:
    """The facts of each rating, and whether its rules make the same of them today."""
    rows = connection.execute(
        sa.select(
            _RATINGS.c.id,
            _RATINGS.c.purpose,
            _RATINGS.c.content_hash,
            _SNAPSHOTS.c.facts,
            _SNAPSHOTS.c.content_hash,
            _VERSIONS.c.id,
            _VERSIONS.c.content_hash,
        )
        .join(_SNAPSHOTS, _SNAPSHOTS.c.id == _RATINGS.c.fact_snapshot_id)
        .join(_VERSIONS, _VERSIONS.c.id == _RATINGS.c.rule_set_version_id)
        .where(_RATINGS.c.id.in_(rating_ids))
    )
    found = {}
    for rating_id, purpose, rated_hash, stored, facts_hash, version_id, rules_hash in rows:
        facts = Facts.from_json(stored)
        anew = rate(
            facts,
            publishing.rules_of(connection, version_id, rules_hash),
            SIDE_OF[purpose],
        )
        found[rating_id] = _Frozen(facts, anew.content_hash == rated_hash, facts.content_hash() == facts_hash)
    return found


class _Scene:
    """Everything around a ticket that a fact may rest on, read once."""

    def __init__(self, connection: Connection, viewer: Actor, ticket: Mapping[str, Any]) -> None:
        self.connection = connection
        self.viewer = viewer
        self.ticket = ticket
        self.ticket_id: int = ticket["id"]
        self.events = ticket_reads.events_of(connection, self.ticket_id)
        self.photos = tuple(
            Ground(
                GroundKind.PHOTO,
                _same(each["filename"]),
                each["at"],
                each["author_name"],
                href=f"/api/v1/attachments/{each['id']}",
            )
            for each in ticket_reads.attachments_of(connection, self.ticket_id)
        )
        self.signatures = tuple(
            Ground(
                GroundKind.SIGNATURE,
                _same(each["signer_name"]),
                each["at"],
                each["signer_name"],
                href=f"/tickets/{self.ticket_id}",
            )
            for each in ticket_reads.signatures_of(connection, self.ticket_id)
        )
        self.bookings = _bookings(connection, self.ticket_id)
        self.is_whole = ticket_reads.verify_chain(connection, self.ticket_id) is None

    def explain(self, rating: RatingView, frozen: _Frozen) -> Explained:
        facts = frozen.facts
        before = [event for event in self.events if event["at"] <= rating.rated_at]
        position = self._position(facts)
        checks = _checks_of(frozen) | {Check.HISTORY: self.is_whole}
        if facts.parts:
            checks[Check.STOCK] = _is_booked(facts, self.bookings, rating.rated_at)
        return Explained(
            rating=rating,
            checks=checks,
            grounds=self._grounds(rating, facts, before, position),
            work=(*self.photos, *position, *self.signatures),
            story=tuple(self._event(event) for event in before if _is_milestone(event)),
            origin=_origin(self.connection, self.viewer, self.ticket),
            title=self.ticket["title"],
        )

    def _grounds(
        self,
        rating: RatingView,
        facts: Facts,
        events: Sequence[Mapping[str, Any]],
        position: tuple[Ground, ...],
    ) -> dict[str, tuple[Ground, ...]]:
        columns, fields = _last_setters(events)
        found: defaultdict[str, list[Ground]] = defaultdict(list)
        for key in {fact.key for fact in rating.facts} | {
            fact.key for line in rating.lines for fact in line.facts
        }:
            setters = [columns.get(each) for each in _COLUMNS.get(key, ())]
            setters += [fields.get(each) for each in _FIELDS.get(key, ())]
            setters += [event for event in events if event["type"] == _BY_EVENT.get(key)]
            found[key] += [self._event(event) for event in _distinct(setters)]
            if key in _SHOWN_BY_PHOTOS and (key != "evidence" or facts.hazards):
                found[key] += self.photos
            if key in _SHOWN_BY_POSITION:
                found[key] += position
        for sku, booked in self.bookings.items():
            found[f"item:{sku}"] += booked
        for tool in facts.tools:
            name = f"{tool.code} × {plain(tool.days)}"
            found[f"item:{tool.code}"].append(
                Ground(GroundKind.TOOL, _same(name), href=f"/tickets/{self.ticket_id}")
            )
        for hazard in facts.hazards:
            if hazard.evidence.startswith("dispute:"):
                found["hazards"].append(
                    Ground(GroundKind.DISPUTE, _same(f"#{hazard.evidence.partition(':')[2]}"))
                )
        found["parts"] += [each for booked in self.bookings.values() for each in booked]
        return {key: tuple(grounds) for key, grounds in found.items() if grounds}

    def _position(self, facts: Facts) -> tuple[Ground, ...]:
        """Where the technician was nearest to the site around the work, for those who may know."""
        lat, lon = self.ticket["lat"], self.ticket["lon"]
        is_own = self.viewer.technician_id == facts.technician_id
        if lat is None or not (
            is_own or policy.allows(self.viewer, "position.view", region_id=self.ticket["region_id"])
        ):
            return ()
        rows = self.connection.execute(
            sa.select(_FIXES.c.lat, _FIXES.c.lon, _FIXES.c.taken_at)
            .where(
                _FIXES.c.technician_id == facts.technician_id,
                _FIXES.c.taken_at >= facts.started_at - _BEFORE_WORK,
                _FIXES.c.taken_at <= facts.finished_at,
            )
            .order_by(_FIXES.c.taken_at)
            .limit(_MOST_FIXES)
        ).all()
        if not rows:
            return ()
        nearest = min(rows, key=lambda row: distance_km(row.lat, row.lon, lat, lon))
        metres = round(distance_km(nearest.lat, nearest.lon, lat, lon) * 1000)
        return (
            Ground(
                GroundKind.POSITION,
                {"zh": f"距现场 {metres} 米", "en": f"{metres} m from the site"},
                nearest.taken_at,
                href="/my/map" if is_own else "/map",
            ),
        )

    def _event(self, event: Mapping[str, Any]) -> Ground:
        return Ground(
            GroundKind.EVENT,
            {},
            event["at"],
            event["actor_name"],
            event=event["type"],
            href=f"/tickets/{self.ticket_id}",
        )


# What a ticket's way to the books is told by; the rest of its history is on its page.
_MILESTONES: Final = frozenset(
    {
        "ticket.opened",
        "ticket.assigned",
        "ticket.claimed",
        "ticket.step_completed",
        "ticket.returned",
        "ticket.signed",
        "ticket.survey_answered",
        "ticket.settled",
        "ticket.corrected",
        "ticket.closed",
    }
)


def _is_milestone(event: Mapping[str, Any]) -> bool:
    return event["type"] in _MILESTONES


def _last_setters(
    events: Iterable[Mapping[str, Any]],
) -> tuple[dict[str, Mapping[str, Any]], dict[str, Mapping[str, Any]]]:
    """The event that last set each column and each field."""
    columns: dict[str, Mapping[str, Any]] = {}
    fields: dict[str, Mapping[str, Any]] = {}
    for event in events:
        delta = event["payload"].get("delta", {})
        columns |= dict.fromkeys(delta.get("ticket", ()), event)
        fields |= dict.fromkeys(delta.get("values", ()), event)
    return columns, fields


def _distinct(events: Iterable[Mapping[str, Any] | None]) -> list[Mapping[str, Any]]:
    return list({event["seq"]: event for event in events if event is not None}.values())


def _bookings(connection: Connection, ticket_id: int) -> dict[str, tuple[Ground, ...]]:
    """What was issued from stock to the ticket, by number of the part."""
    rows = connection.execute(
        sa.select(_PARTS.c.sku, _PARTS.c.name, _USED.c.quantity, _USED.c.at)
        .join(_PARTS, _PARTS.c.id == _USED.c.part_id)
        .where(_USED.c.ticket_id == ticket_id)
        .order_by(_USED.c.at, _USED.c.id)
    )
    found: defaultdict[str, list[Ground]] = defaultdict(list)
    for sku, name, quantity, at in rows:
        said = {locale: f"{text} × {quantity}" for locale, text in name.items()}
        found[sku].append(Ground(GroundKind.STOCK, said, at, href=f"/tickets/{ticket_id}"))
    return {sku: tuple(booked) for sku, booked in found.items()}


def _is_booked(facts: Facts, bookings: Mapping[str, tuple[Ground, ...]], by: datetime) -> bool:
    """Whether each rated part was issued in just that quantity by the time it was rated."""
    rated: defaultdict[str, Decimal] = defaultdict(Decimal)
    for part in facts.parts:
        rated[part.sku] += part.qty
    booked = {
        sku: sum(
            (Decimal(each.name["en"].rpartition(" × ")[2]) for each in found if each.at and each.at <= by),
            Decimal(0),
        )
        for sku, found in bookings.items()
    }
    return {sku: qty for sku, qty in rated.items() if qty} == {sku: qty for sku, qty in booked.items() if qty}


def _origin(connection: Connection, viewer: Actor, ticket: Mapping[str, Any]) -> Origin | None:
    row = connection.execute(
        sa.select(_RAW.c.id, _RAW.c.channel, _RAW.c.received_at, _RAW.c.external_id)
        .where(_RAW.c.org_id == ticket["org_id"], _RAW.c.ticket_id == ticket["id"])
        .order_by(_RAW.c.received_at, _RAW.c.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    may_read = policy.allows(
        viewer, "intake.view", region_id=ticket["region_id"], ticket_class=ticket["ticket_class"]
    )
    source = row.channel if row.channel in CHANNELS else "other"
    return Origin(source, row.received_at, row.external_id, row.id if may_read else None)


def _same(text: str) -> LocalText:
    return {"zh": text, "en": text}
