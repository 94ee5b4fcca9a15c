"""Tiers over time: reviewed for customers day by day and for partners period by period, kept as windows.

A review opens and ends windows from its own day on. What was settled before keeps the tier it had, and what
is corrected later finds the tier of its service date as it was.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.text import LocalText
from ticket_console.people.tables import Vendor
from ticket_console.settlement import closing, payees, tiers
from ticket_console.settlement.books import lock_head, read_head
from ticket_console.settlement.facts import plain
from ticket_console.settlement.kinds import OwnerKind, Purpose
from ticket_console.settlement.payees import Payee
from ticket_console.settlement.tables import FactSnapshot, Period, Rating, TierWindow
from ticket_console.settlement.tiers import NO_TIER, VIP, PeakPolicy, Performance
from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.tables import Ticket

_PERIODS = table(Period)
_RATINGS = table(Rating)
_SNAPSHOTS = table(FactSnapshot)
_TICKETS = table(Ticket)
_VENDORS = table(Vendor)
_WINDOWS = table(TierWindow)

_HUNDREDTH: Final = Decimal("0.01")
_PAID: Final = (Purpose.WORKER_PAY, Purpose.VENDOR_PAY)
_ON: Final = sa.select(_WINDOWS.c.subject_kind, _WINDOWS.c.tier).where(
    _WINDOWS.c.org_id == sa.bindparam("org_id"),
    _WINDOWS.c.starts_on <= sa.bindparam("day"),
    sa.or_(_WINDOWS.c.ends_on.is_(None), _WINDOWS.c.ends_on > sa.bindparam("day")),
    sa.or_(
        sa.and_(
            _WINDOWS.c.subject_kind == OwnerKind.CUSTOMER, _WINDOWS.c.subject_id == sa.bindparam("customer")
        ),
        sa.and_(_WINDOWS.c.subject_kind == OwnerKind.VENDOR, _WINDOWS.c.subject_id == sa.bindparam("vendor")),
    ),
)


@dataclass(frozen=True, slots=True)
class Tiers:
    """The tiers of a day, empty for none."""

    customer: str = NO_TIER
    vendor: str = NO_TIER


@dataclass(frozen=True, slots=True)
class WindowView:
    """A tier a subject is or was in for [starts_on, ends_on), and what it was decided by."""

    subject: Payee
    tier: str
    starts_on: date
    ends_on: date | None
    measured: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """What a partner did in a period, and the tier that earns."""

    vendor_id: int
    name: LocalText
    performance: Performance
    tier: str


def tiers_on(
    conn: Connection, *, org_id: int, day: date, customer_id: int | None, vendor_id: int | None
) -> Tiers:
    """The tiers a customer and a partner were in on a day."""
    if customer_id is None and vendor_id is None:
        return Tiers()
    asked = {"org_id": org_id, "day": day, "customer": customer_id or 0, "vendor": vendor_id or 0}
    found: dict[OwnerKind, str] = {row.subject_kind: row.tier for row in conn.execute(_ON, asked)}
    return Tiers(found.get(OwnerKind.CUSTOMER, NO_TIER), found.get(OwnerKind.VENDOR, NO_TIER))


def timeline(conn: Connection, *, viewer: Actor, subject: Payee) -> tuple[WindowView, ...]:
    """Every window of a subject, in the order of its days."""
    policy.require(viewer, "settlement.view")
    rows = conn.execute(
        sa.select(_WINDOWS)
        .where(
            _WINDOWS.c.org_id == viewer.org_id,
            _WINDOWS.c.subject_kind == subject.kind,
            _WINDOWS.c.subject_id == subject.id,
        )
        .order_by(_WINDOWS.c.starts_on)
    )
    return tuple(WindowView(subject, row.tier, row.starts_on, row.ends_on, row.measured) for row in rows)


def review(conn: Connection, *, actor: Actor, at: datetime, command_id: str) -> int:
    """The review of a day: customers by their last weeks, partners by the latest period that is over.

    Returns how many changed their tier.
    """
    changed = review_customers(conn, actor=actor, at=at, command_id=command_id)
    over = conn.execute(
        sa.select(_PERIODS.c.id)
        .where(_PERIODS.c.org_id == actor.org_id, _PERIODS.c.ends_at <= at)
        .order_by(_PERIODS.c.ends_at.desc())
        .limit(1)
    ).scalar()
    if over is None:
        return changed
    return changed + grade_vendors(conn, actor=actor, at=at, period_id=over, command_id=command_id)


def review_customers(
    conn: Connection, *, actor: Actor, at: datetime, command_id: str, peak: PeakPolicy = VIP
) -> int:
    """Let customers enter and leave the tier of frequent work as of the day it is; how many did.

    Counted are the tickets they opened on the days before, on the clock of the books. Doing it again on the
    same day changes nothing.
    """
    policy.require_everywhere(actor, "settlement.issue")
    head = lock_head(conn, actor.org_id)
    zone = ZoneInfo(head.tz)
    today = at.astimezone(zone).date()
    begins, ends = (datetime.combine(day, time(), zone) for day in (today - timedelta(days=peak.days), today))
    opened: Mapping[int, int] = {
        row.customer_id: row.opened
        for row in conn.execute(
            sa.select(_TICKETS.c.customer_id, sa.func.count().label("opened"))
            .where(
                _TICKETS.c.org_id == actor.org_id,
                _TICKETS.c.customer_id.is_not(None),
                _TICKETS.c.opened_at >= begins,
                _TICKETS.c.opened_at < ends,
                # Anybody can ask for something and call it off again.
                _TICKETS.c.status != TicketStatus.CANCELLED,
            )
            .group_by(_TICKETS.c.customer_id)
        )
    }
    current = _current(conn, actor.org_id, OwnerKind.CUSTOMER)
    changed = 0
    for customer_id in sorted({*opened, *current}):
        tickets, was_in = opened.get(customer_id, 0), customer_id in current
        is_in = tiers.is_in_peak(was_in=was_in, tickets=tickets, policy=peak)
        measured = {"tickets": tickets, "days": peak.days, "enter_at": peak.enter_at}
        changed += _switch(
            conn,
            actor.org_id,
            payees.customer(customer_id),
            current.get(customer_id),
            peak.tier if is_in else NO_TIER,
            (today, at, command_id),
            {**measured, "leave_below": peak.leave_below},
        )
    return changed


def scorecards(conn: Connection, *, viewer: Actor, period_id: int) -> tuple[Scorecard, ...]:
    """What every partner did in a period, by what is settled of it: the same facts give the same tiers."""
    policy.require_everywhere(viewer, "settlement.view")
    return _scorecards(conn, viewer.org_id, period_id)


def grade_vendors(conn: Connection, *, actor: Actor, at: datetime, period_id: int, command_id: str) -> int:
    """Put every partner into the tier that a period earned it, from the day it is on; how many changed."""
    policy.require_everywhere(actor, "settlement.issue")
    head = lock_head(conn, actor.org_id)
    today = at.astimezone(ZoneInfo(head.tz)).date()
    current = _current(conn, actor.org_id, OwnerKind.VENDOR)
    changed = 0
    for card in _scorecards(conn, actor.org_id, period_id):
        minutes = card.performance.minutes
        changed += _switch(
            conn,
            actor.org_id,
            payees.vendor(card.vendor_id),
            current.get(card.vendor_id),
            card.tier,
            (today, at, command_id),
            {
                "period_id": period_id,
                "jobs": card.performance.jobs,
                "minutes": None if minutes is None else plain(minutes),
            },
        )
    return changed


def _scorecards(conn: Connection, org_id: int, period_id: int) -> tuple[Scorecard, ...]:
    period = closing.period_view(conn, org_id, period_id)
    zone = ZoneInfo(read_head(conn, org_id).tz)
    first, following = (each.astimezone(zone).date() for each in (period.starts_at, period.ends_at))
    responses: defaultdict[int, dict[int, Decimal | None]] = defaultdict(dict)
    rows = conn.execute(
        sa.select(_RATINGS.c.vendor_id, _RATINGS.c.ticket_id, _SNAPSHOTS.c.facts)
        .join(_SNAPSHOTS, _SNAPSHOTS.c.id == _RATINGS.c.fact_snapshot_id)
        .where(
            _RATINGS.c.org_id == org_id,
            _RATINGS.c.service_on >= first,
            _RATINGS.c.service_on < following,
            _RATINGS.c.vendor_id.is_not(None),
            _RATINGS.c.purpose.in_(_PAID),
            _RATINGS.c.is_live,
        )
        .order_by(_RATINGS.c.id)
    )
    for vendor_id, ticket_id, facts in rows:
        minutes = facts["response_minutes"]
        responses[vendor_id].setdefault(ticket_id, None if minutes is None else Decimal(minutes))
    vendors = conn.execute(
        sa.select(_VENDORS.c.id, _VENDORS.c.name)
        .where(_VENDORS.c.org_id == org_id, _VENDORS.c.is_active)
        .order_by(_VENDORS.c.id)
    )
    cards = []
    for vendor_id, name in vendors:
        performance = _performance(responses.get(vendor_id, {}))
        cards.append(Scorecard(vendor_id, name, performance, tiers.grade(performance)))
    return tuple(cards)


def _performance(responses: Mapping[int, Decimal | None]) -> Performance:
    known = [minutes for minutes in responses.values() if minutes is not None]
    mean = (sum(known, Decimal(0)) / len(known)).quantize(_HUNDREDTH, ROUND_HALF_UP) if known else None
    return Performance(len(responses), mean)


def _current(conn: Connection, org_id: int, kind: OwnerKind) -> dict[int, Any]:
    """The windows without an end, by subject."""
    rows = conn.execute(
        sa.select(_WINDOWS).where(
            _WINDOWS.c.org_id == org_id, _WINDOWS.c.subject_kind == kind, _WINDOWS.c.ends_on.is_(None)
        )
    )
    return {row.subject_id: row for row in rows}


def _switch(
    conn: Connection,
    org_id: int,
    subject: Payee,
    current: Any,
    tier: str,
    when: tuple[date, datetime, str],
    measured: Mapping[str, Any],
) -> bool:
    """End the tier a subject is in and begin another, from a day on; whether anything changed.

    What began this very day stays until the next: a day has one tier.
    """
    today, at, command_id = when
    before = NO_TIER if current is None else current.tier
    if tier == before or (current is not None and current.starts_on >= today):
        return False
    if current is not None:
        conn.execute(sa.update(_WINDOWS).where(_WINDOWS.c.id == current.id).values(ends_on=today))
    if tier != NO_TIER:
        conn.execute(
            sa.insert(_WINDOWS).values(
                org_id=org_id,
                subject_kind=subject.kind,
                subject_id=subject.id,
                tier=tier,
                starts_on=today,
                ends_on=None,
                measured=dict(measured),
                decided_at=at,
                command_id=command_id,
            )
        )
    return True
