"""Historical quotes of a project: consulted when its work is charged, so that what is far off is seen.

The reference of a charge is the middle one of the latest quotes of its project and kind of service up to the
day of the work. A charge is never changed by it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median_low
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.access import policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.settlement.facts import Facts
from ticket_console.settlement.kinds import Purpose
from ticket_console.settlement.tables import FactSnapshot, PriceQuote, Rating, RatingReference

_QUOTES = table(PriceQuote)
_RATINGS = table(Rating)
_REFERENCES = table(RatingReference)
_SNAPSHOTS = table(FactSnapshot)

# How far back a quote still says something, and how many of the latest are asked.
WITHIN: Final = timedelta(days=365)
LATEST: Final = 15
# A charge further off than this is flagged, in ten-thousandths of the reference.
FLAGGED_BEYOND_BP: Final = 2_000
MOST_FLAGGED: Final = 500
_BP: Final = 10_000
_AT_ONCE: Final = 500
_LARGEST_BP: Final = 10**9
_LOOK_UP: Final = (
    sa.select(_QUOTES.c.amount_minor)
    .where(
        _QUOTES.c.org_id == sa.bindparam("org_id"),
        _QUOTES.c.project == sa.bindparam("project"),
        _QUOTES.c.service_type == sa.bindparam("service_type"),
        _QUOTES.c.currency == sa.bindparam("currency"),
        _QUOTES.c.quoted_on > sa.bindparam("since"),
        _QUOTES.c.quoted_on <= sa.bindparam("day"),
    )
    .order_by(_QUOTES.c.quoted_on.desc(), _QUOTES.c.id.desc())
    .limit(LATEST)
)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a charge is compared with; `deviation_bp` is (charge - reference) in ten-thousandths of it."""

    project: str
    quotes: int
    reference_minor: int
    deviation_bp: int
    is_flagged: bool


@dataclass(frozen=True, slots=True)
class FlaggedCharge:
    rating_id: int
    ticket_id: int
    service_on: date
    charge_minor: int
    currency: str
    reference: Reference


def compare(project: str, charge_minor: int, quoted: Sequence[int]) -> Reference | None:
    """A charge beside the quotes of its project; None where there are none, or only such of nothing."""
    if not quoted:
        return None
    reference = median_low(quoted)
    if reference <= 0:
        return None
    # Halves away from zero, in whole numbers, so that no charge is off by a rounding of ours.
    off = charge_minor - reference
    size = (2 * abs(off) * _BP + reference) // (2 * reference)
    deviation = min(size, _LARGEST_BP) * (1 if off >= 0 else -1)
    is_flagged = abs(off) * _BP > FLAGGED_BEYOND_BP * reference
    return Reference(project, len(quoted), reference, deviation, is_flagged)


def consult(
    conn: Connection, *, org_id: int, facts: Facts, charge_minor: int, currency: str
) -> Reference | None:
    """The historical quotes for the work of these facts; None where its project has none."""
    if not facts.project:
        return None
    day = facts.service_on
    quoted = conn.execute(
        _LOOK_UP,
        {
            "org_id": org_id,
            "project": facts.project,
            "service_type": facts.service_type,
            "currency": currency,
            "since": day - WITHIN,
            "day": day,
        },
    ).scalars()
    return compare(facts.project, charge_minor, list(quoted))


def keep(conn: Connection, rating_id: int, reference: Reference) -> None:
    """Write beside a rating what its charge was compared with."""
    conn.execute(
        sa.insert(_REFERENCES).values(
            rating_id=rating_id,
            project=reference.project,
            quotes=reference.quotes,
            reference_minor=reference.reference_minor,
            deviation_bp=reference.deviation_bp,
            is_flagged=reference.is_flagged,
        )
    )


def references(conn: Connection, *, viewer: Actor, rating_ids: Collection[int]) -> Mapping[int, Reference]:
    """What these ratings were compared with; ratings without a comparison are absent."""
    policy.require(viewer, "settlement.view")
    rows = conn.execute(
        sa.select(_REFERENCES)
        .join(_RATINGS, _RATINGS.c.id == _REFERENCES.c.rating_id)
        .where(_RATINGS.c.org_id == viewer.org_id, _REFERENCES.c.rating_id.in_(rating_ids))
    )
    return {
        row.rating_id: Reference(
            row.project, row.quotes, row.reference_minor, row.deviation_bp, row.is_flagged
        )
        for row in rows
    }


def flagged(conn: Connection, *, viewer: Actor, since: date, until: date) -> tuple[FlaggedCharge, ...]:
    """The live charges for work of the days [since, until) that are far off, the furthest first."""
    policy.require_everywhere(viewer, "settlement.view")
    rows = conn.execute(
        sa.select(
            _RATINGS.c.id,
            _RATINGS.c.ticket_id,
            _RATINGS.c.service_on,
            _RATINGS.c.total_minor,
            _RATINGS.c.currency,
            _REFERENCES.c.project,
            _REFERENCES.c.quotes,
            _REFERENCES.c.reference_minor,
            _REFERENCES.c.deviation_bp,
        )
        .join(_REFERENCES, _REFERENCES.c.rating_id == _RATINGS.c.id)
        .where(
            _RATINGS.c.org_id == viewer.org_id,
            _RATINGS.c.is_live,
            _RATINGS.c.service_on >= since,
            _RATINGS.c.service_on < until,
            _REFERENCES.c.is_flagged,
        )
        .order_by(sa.func.abs(_REFERENCES.c.deviation_bp).desc(), _RATINGS.c.id)
        .limit(MOST_FLAGGED)
    )
    return tuple(FlaggedCharge(*row[:5], Reference(*row[5:], is_flagged=True)) for row in rows)


def adopt_charges(
    conn: Connection, *, actor: Actor, at: datetime, since: date, until: date, command_id: str
) -> int:
    """Take the live charges for work of the days [since, until) into the projects' quotes; how many are new.

    A charge is taken once, whoever asks again.
    """
    policy.require_everywhere(actor, "settlement.issue")
    rows = conn.execute(
        sa.select(
            _RATINGS.c.id,
            _RATINGS.c.service_on,
            _RATINGS.c.total_minor,
            _RATINGS.c.currency,
            _SNAPSHOTS.c.facts,
        )
        .join(_SNAPSHOTS, _SNAPSHOTS.c.id == _RATINGS.c.fact_snapshot_id)
        .where(
            _RATINGS.c.org_id == actor.org_id,
            _RATINGS.c.purpose == Purpose.CUSTOMER_CHARGE,
            _RATINGS.c.is_live,
            _RATINGS.c.service_on >= since,
            _RATINGS.c.service_on < until,
        )
        .order_by(_RATINGS.c.id)
    )
    found = [
        {
            "project": facts["project"],
            "service_type": facts["service_type"],
            "quoted_on": service_on,
            "amount_minor": total_minor,
            "currency": currency,
            "reference": f"charge:{rating_id}",
        }
        for rating_id, service_on, total_minor, currency, facts in rows
        if facts.get("project")
    ]
    return add(conn, actor=actor, at=at, quotes=found, command_id=command_id)


def add(
    conn: Connection,
    *,
    actor: Actor,
    at: datetime,
    quotes: Sequence[Mapping[str, object]],
    command_id: str,
) -> int:
    """Keep quotes, each known by its reference: one that is there stays as it is. How many are new."""
    known: set[str] = set()
    names = [str(each["reference"]) for each in quotes]
    for begin in range(0, len(names), _AT_ONCE):
        part = names[begin : begin + _AT_ONCE]
        known |= set(
            conn.execute(
                sa.select(_QUOTES.c.reference).where(
                    _QUOTES.c.org_id == actor.org_id, _QUOTES.c.reference.in_(part)
                )
            ).scalars()
        )
    more = {"org_id": actor.org_id, "added_at": at, "added_by": actor.label, "command_id": command_id}
    new = [{**each, **more} for each in quotes if each["reference"] not in known]
    if new:
        conn.execute(sa.insert(_QUOTES), new)
    return len(new)
