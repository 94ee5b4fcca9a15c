"""Whether somebody can make a visit at a time: one judgement for the colours of the plan and its commands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from ticket_console.dispatch.eligibility import Filter, Need, judge_load, judge_standing
from ticket_console.dispatch.rules import STANDARD, Filters
from ticket_console.dispatch.visits import TIGHT, ClashKind, Place, Planned, Travel, clash, slack
from ticket_console.kernel.errors import Param
from ticket_console.people.candidate import Candidate, Span

SHORTEST: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(hours=12)


class Caution(StrEnum):
    """What warns of a visit and refuses nothing."""

    TIGHT = "tight"
    LATE = "late"


# Nobody is at two places at once, and who is away is away: no reason overrides these.
FIRM: Final = frozenset(
    f"dispatch.failed.{each}" for each in (Filter.ABSENT, Filter.OVERLAP, Filter.INACTIVE)
)
# What is judged for the time of the visit instead.
_TIMED: Final = frozenset(
    {Filter.ABSENT, Filter.OFF_SHIFT, Filter.SHIFT_ENDS, Filter.OFF_DUTY, Filter.OVERLAP, Filter.TRAVEL}
)


@dataclass(frozen=True, slots=True)
class Objection:
    """One thing against a visit; `key` is its translation, `params` the figures in it."""

    key: str
    params: Mapping[str, Param] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """`against` refuses the visit, `warnings` do not."""

    against: tuple[Objection, ...] = ()
    warnings: tuple[Objection, ...] = ()

    @property
    def is_firm(self) -> bool:
        """Whether something speaks against it that nobody may override."""
        return any(each.key in FIRM for each in self.against)


@dataclass(frozen=True, slots=True)
class Barred:
    """The starts in [since, until) at which a visit of the asked length cannot begin, and why."""

    since: datetime
    until: datetime
    objection: Objection


def judge_visit(
    candidate: Candidate,
    need: Need,
    span: Span,
    visits: Sequence[Planned],
    *,
    on: date,
    open_count: int,
    holds_it: bool,
    travel: Travel,
    filters: Filters = STANDARD.filters,
) -> Judged:
    """Everything that speaks against this person making this visit.

    `candidate` comes with the shifts and absences around the visit and `visits` with the person's
    visits there; `on` is the day of the visit where the work is, `filters` are those of the task's
    policy. Who holds the task already is asked for no further room.
    """
    place = place_of(need)
    found = [
        *judge_person(
            candidate,
            need,
            at=span.starts_at,
            on=on,
            open_count=open_count,
            holds_it=holds_it,
            filters=filters,
        ),
        *judge_presence(candidate.shifts, candidate.absences, span),
        *_beside(visits, span, place, need.ticket_id, travel),
    ]
    warnings = []
    left = slack(visits, span.starts_at, span.ends_at, place, travel=travel, ignoring=need.ticket_id)
    if left is not None and timedelta() <= left < TIGHT:
        warnings.append(_tight())
    if need.due_at is not None and span.ends_at > need.due_at:
        warnings.append(_late(need.due_at))
    return Judged(tuple(found), tuple(warnings))


def judge_person(
    candidate: Candidate,
    need: Need,
    *,
    at: datetime,
    on: date,
    open_count: int,
    holds_it: bool,
    filters: Filters = STANDARD.filters,
) -> tuple[Objection, ...]:
    """What speaks against the person at any time of that day: skill, place, room."""
    # The duty switch is about now; for a visit the shifts and absences of its own time count.
    whenever = replace(candidate, is_on_duty=True, shifts=None, absences=())
    failures = [
        each
        for each in judge_standing(whenever, need, at=at, on=on, filters=filters)
        if each.code not in _TIMED
    ]
    crowded = None if holds_it else judge_load(candidate, open_count)
    if crowded is not None:
        failures.append(crowded)
    return tuple(Objection(each.key, each.params) for each in failures)


def barred_starts(
    candidate: Candidate,
    need: Need,
    length: timedelta,
    visits: Sequence[Planned],
    *,
    since: datetime,
    until: datetime,
    travel: Travel,
) -> tuple[Barred, ...]:
    """The starts within [since, until) that `judge_visit` refuses for their time, as intervals."""
    place = place_of(need)
    found = [
        Barred(absence.starts_at - length + _MOMENT, absence.ends_at, _absent(absence))
        for absence in candidate.absences
    ]
    if candidate.shifts is not None:
        found += _outside(joined(candidate.shifts), length, since, until)
    for visit in visits:
        if visit.ticket_id == need.ticket_id:
            continue
        way_there, way_back = travel.between(place, visit.place), travel.between(visit.place, place)
        first, last = visit.starts_at - length, visit.ends_at
        found.append(Barred(first + _MOMENT, last, _overlap(visit)))
        if way_there:
            found.append(Barred(first - way_there + _MOMENT, first + _MOMENT, _lacking(visit, way_there)))
        if way_back:
            found.append(Barred(last, last + way_back, _lacking(visit, way_back)))
    return _within(found, since, until)


def cautious_starts(
    need: Need,
    length: timedelta,
    visits: Sequence[Planned],
    *,
    since: datetime,
    until: datetime,
    travel: Travel,
) -> tuple[Barred, ...]:
    """The starts within [since, until) of which `judge_visit` warns, and some it refuses besides."""
    place = place_of(need)
    found = [] if need.due_at is None else [Barred(need.due_at - length + _MOMENT, until, _late(need.due_at))]
    for visit in visits:
        if visit.ticket_id == need.ticket_id:
            continue
        last = visit.starts_at - length - travel.between(place, visit.place)
        first = visit.ends_at + travel.between(visit.place, place)
        found += [
            Barred(last - TIGHT + _MOMENT, last + _MOMENT, _tight()),
            Barred(first, first + TIGHT, _tight()),
        ]
    return _within(found, since, until)


def place_of(need: Need) -> Place | None:
    return None if need.lat is None or need.lon is None else Place(need.lat, need.lon)


# Spans are half-open: a visit may end at the very instant at which an absence begins.
_MOMENT: Final = timedelta(microseconds=1)


def judge_presence(
    shifts: Sequence[Span] | None, absences: Sequence[Span], span: Span
) -> tuple[Objection, ...]:
    """Whether somebody is there for all of a span; `shifts` is None where the duty switch alone counts."""
    away = [each for each in absences if _meet(each, span)]
    found = [_absent(away[0])] if away else []
    if shifts is None:
        return tuple(found)
    begun = next((each for each in joined(shifts) if each.covers(span.starts_at)), None)
    if begun is None:
        found.append(_failed(Filter.OFF_SHIFT))
    elif begun.ends_at < span.ends_at:
        found.append(_failed(Filter.SHIFT_ENDS, at=_spelled(begun.ends_at)))
    return tuple(found)


def _beside(
    visits: Sequence[Planned], span: Span, place: Place | None, ticket_id: int, travel: Travel
) -> list[Objection]:
    clashing = clash(visits, span.starts_at, span.ends_at, place, travel=travel, ignoring=ticket_id)
    if clashing is None:
        return []
    if clashing.kind is ClashKind.OVERLAP:
        return [_overlap(clashing.other)]
    return [_lacking(clashing.other, clashing.missing)]


def _outside(shifts: Sequence[Span], length: timedelta, since: datetime, until: datetime) -> list[Barred]:
    """The starts that lie in no shift, and those from which a shift is over too soon."""
    found = []
    free_from = since
    for shift in shifts:
        if free_from < shift.starts_at:
            found.append(Barred(free_from, shift.starts_at, _failed(Filter.OFF_SHIFT)))
        last = max(shift.starts_at, shift.ends_at - length + _MOMENT)
        found.append(Barred(last, shift.ends_at, _failed(Filter.SHIFT_ENDS, at=_spelled(shift.ends_at))))
        free_from = max(free_from, shift.ends_at)
    found.append(Barred(free_from, until, _failed(Filter.OFF_SHIFT)))
    return found


def joined(shifts: Sequence[Span]) -> list[Span]:
    """Shifts that follow each other without a gap are one."""
    spans: list[Span] = []
    for shift in sorted(shifts, key=lambda each: each.starts_at):
        if spans and shift.starts_at <= spans[-1].ends_at:
            spans[-1] = Span(spans[-1].starts_at, max(spans[-1].ends_at, shift.ends_at))
        else:
            spans.append(shift)
    return spans


def _meet(one: Span, other: Span) -> bool:
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def _absent(absence: Span) -> Objection:
    return _failed(Filter.ABSENT, until=_spelled(absence.ends_at))


def _overlap(visit: Planned) -> Objection:
    return _failed(Filter.OVERLAP, **_when(visit))


def _lacking(visit: Planned, missing: timedelta) -> Objection:
    minutes = -(-int(missing.total_seconds()) // 60)
    return _failed(Filter.TRAVEL, minutes=minutes, **_when(visit))


def _when(visit: Planned) -> dict[str, str]:
    return {"from": _spelled(visit.starts_at), "until": _spelled(visit.ends_at)}


def _within(spans: Sequence[Barred], since: datetime, until: datetime) -> tuple[Barred, ...]:
    cut = (replace(each, since=max(each.since, since), until=min(each.until, until)) for each in spans)
    return tuple(sorted((each for each in cut if each.since < each.until), key=lambda each: each.since))


def _tight() -> Objection:
    return _caution(Caution.TIGHT, minutes=int(TIGHT.total_seconds() // 60))


def _late(due_at: datetime) -> Objection:
    return _caution(Caution.LATE, due=_spelled(due_at))


def _failed(filter: Filter, **params: Param) -> Objection:
    return Objection(f"dispatch.failed.{filter}", params)


def _caution(caution: Caution, **params: Param) -> Objection:
    return Objection(f"visit.caution.{caution}", params)


def _spelled(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="minutes")
