"""Visits beside each other: overlap to the minute, the way between them, absences and the ends of shifts."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.people import a_candidate
from ticket_console.dispatch.eligibility import Filter, Need
from ticket_console.dispatch.visit_rules import barred_starts, cautious_starts, judge_visit
from ticket_console.dispatch.visits import (
    Clash,
    ClashKind,
    Place,
    Planned,
    Travel,
    clash,
    slack,
    way_there,
)
from ticket_console.people.candidate import Candidate, Span

NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
BUND, PARK = Place(31.24, 121.49), Place(31.24, 121.59)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
# 9.51 km by air between the two: 24 minutes and 44 seconds by road.
TRAVEL = Travel(detour=1.3, speed_kmh=30)
WAY = timedelta(minutes=24, seconds=44)


def visit(start: float, hours: float = 1, *, place: Place | None = BUND, ticket_id: int = 1) -> Planned:
    starts_at = NINE + start * HOUR
    return Planned(ticket_id, ticket_id, ticket_id, 7, starts_at, starts_at + hours * HOUR, 0, place)


def need(place: Place | None = BUND, *, ticket_id: int = 99, due_at: datetime | None = None) -> Need:
    return Need(
        org_id=1,
        ticket_id=ticket_id,
        token_id=ticket_id,
        region_id=3,
        territory_id=None,
        lat=None if place is None else place.lat,
        lon=None if place is None else place.lon,
        skill="hvac",
        priority=3,
        due_at=due_at,
    )


def snags(who: Candidate, start: datetime, *visits: Planned, place: Place | None = BUND) -> list[str]:
    span = Span(start, start + HOUR)
    judged = judge_visit(
        who, need(place), span, visits, on=TODAY, open_count=0, holds_it=False, travel=TRAVEL
    )
    return [each.key.removeprefix("dispatch.failed.") for each in judged.against]


def test_a_way_is_the_straight_line_times_the_detour_at_the_speed_of_the_town() -> None:
    assert TRAVEL.between(BUND, PARK) == WAY
    assert TRAVEL.between(BUND, BUND) == timedelta()
    assert TRAVEL.between(None, PARK) == timedelta()


@pytest.mark.parametrize(
    ("start", "clashing"),
    [(-1, False), (-1 + 1 / 60, True), (0, True), (59 / 60, True), (1, False)],
)
def test_visits_may_touch_and_never_overlap(start: float, clashing: bool) -> None:
    # CTX-09, pain 35
    starts_at = NINE + start * HOUR
    found = clash([visit(0)], starts_at, starts_at + HOUR, BUND, travel=TRAVEL)
    assert (found is not None and found.kind is ClashKind.OVERLAP) == clashing


def test_a_visit_that_lies_wholly_within_another_or_around_it_overlaps_too() -> None:
    """Only looking at the start would let both through."""
    within = clash([visit(0, 8)], NINE + 3 * HOUR, NINE + 4 * HOUR, BUND, travel=TRAVEL)
    around = clash([visit(3)], NINE, NINE + 8 * HOUR, BUND, travel=TRAVEL)
    assert [within and within.kind, around and around.kind] == [ClashKind.OVERLAP, ClashKind.OVERLAP]


def test_the_way_must_fit_before_and_after() -> None:
    booked = visit(0)
    ends_at = booked.ends_at
    just = clash([booked], ends_at + WAY, ends_at + WAY + HOUR, PARK, travel=TRAVEL)
    early = clash([booked], ends_at + WAY - MINUTE, ends_at + WAY, PARK, travel=TRAVEL)
    before = clash([booked], NINE - HOUR - MINUTE, NINE - MINUTE, PARK, travel=TRAVEL)
    assert just is None
    assert early == Clash(ClashKind.TRAVEL, booked, MINUTE)
    assert before == Clash(ClashKind.TRAVEL, booked, WAY - MINUTE)


def test_a_ticket_does_not_clash_with_its_own_visit() -> None:
    assert clash([visit(0, ticket_id=5)], NINE, NINE + HOUR, BUND, travel=TRAVEL, ignoring=5) is None


def test_what_is_left_beside_the_way_is_the_smaller_of_both_sides() -> None:
    visits = [visit(0), visit(3, place=PARK, ticket_id=2)]
    assert slack(visits, NINE + 1.5 * HOUR, NINE + 2.5 * HOUR, BUND, travel=TRAVEL) == HOUR / 2 - WAY
    assert slack([], NINE, NINE + HOUR, BUND, travel=TRAVEL) is None


def test_the_way_begins_at_the_visit_before_or_at_home_after_a_long_pause() -> None:
    visits = [visit(0, place=PARK)]
    assert way_there(visits, NINE + 2 * HOUR, BUND, home=BUND, travel=TRAVEL) == WAY
    assert way_there(visits, NINE + 8 * HOUR, BUND, home=BUND, travel=TRAVEL) == timedelta()
    assert way_there([], NINE, PARK, home=BUND, travel=TRAVEL) == WAY


def test_a_shift_that_ends_during_the_visit_refuses_it_and_one_that_ends_with_it_does_not() -> None:
    shift = Span(NINE, NINE + 3 * HOUR)
    who = a_candidate(shifts=(shift,))
    assert snags(who, NINE + 2 * HOUR) == []
    assert snags(who, NINE + 2 * HOUR + MINUTE) == [Filter.SHIFT_ENDS]
    assert snags(who, NINE - MINUTE) == [Filter.OFF_SHIFT]
    assert snags(who, NINE + 3 * HOUR) == [Filter.OFF_SHIFT]


def test_two_shifts_without_a_gap_are_one() -> None:
    who = a_candidate(shifts=(Span(NINE, NINE + HOUR), Span(NINE + HOUR, NINE + 3 * HOUR)))
    assert snags(who, NINE + HOUR / 2) == []


def test_an_absence_refuses_every_visit_it_touches() -> None:
    # pain 34
    who = a_candidate(absences=(Span(NINE + HOUR, NINE + 2 * HOUR),))
    assert snags(who, NINE) == []
    assert snags(who, NINE + MINUTE) == [Filter.ABSENT]
    assert snags(who, NINE + 2 * HOUR - MINUTE) == [Filter.ABSENT]
    assert snags(who, NINE + 2 * HOUR) == []


def test_the_duty_switch_of_now_says_nothing_about_a_visit_of_tomorrow() -> None:
    assert snags(a_candidate(is_on_duty=False), NINE + 24 * HOUR) == []
    assert snags(a_candidate(is_active=False), NINE) == [Filter.INACTIVE]


def test_a_full_person_is_asked_for_room_only_for_a_task_they_do_not_have() -> None:
    full = a_candidate(capacity=1)
    span = Span(NINE, NINE + HOUR)
    keys = [
        [
            each.key
            for each in judge_visit(
                full, need(), span, (), on=TODAY, open_count=1, holds_it=holds_it, travel=TRAVEL
            ).against
        ]
        for holds_it in (False, True)
    ]
    assert keys == [["dispatch.failed.full"], []]


def test_a_tight_way_and_a_missed_due_time_warn_and_refuse_nothing() -> None:
    span = Span(NINE + HOUR + 10 * MINUTE, NINE + 2 * HOUR + 10 * MINUTE)
    judged = judge_visit(
        a_candidate(),
        need(due_at=NINE + 2 * HOUR),
        span,
        [visit(0)],
        on=TODAY,
        open_count=0,
        holds_it=False,
        travel=TRAVEL,
    )
    assert judged.against == ()
    assert [(each.key, dict(each.params)) for each in judged.warnings] == [
        ("visit.caution.tight", {"minutes": 15}),
        ("visit.caution.late", {"due": "2026-11-23T03:00+00:00"}),
    ]


_minutes = st.integers(0, 16 * 60)
_spans = st.builds(
    lambda start, length: Span(NINE + start * MINUTE, NINE + (start + length) * MINUTE),
    _minutes,
    st.integers(5, 240),
)
_places = st.sampled_from([BUND, PARK, Place(31.3, 121.4), None])


@given(
    shifts=st.none() | st.lists(_spans, max_size=3),
    absences=st.lists(_spans, max_size=2),
    booked=st.lists(st.tuples(_spans, _places), max_size=4),
    start=_minutes,
    length=st.integers(5, 240),
    place=_places,
)
def test_what_is_coloured_red_before_the_drop_is_exactly_what_the_drop_refuses(
    shifts: list[Span] | None,
    absences: list[Span],
    booked: list[tuple[Span, Place | None]],
    start: int,
    length: int,
    place: Place | None,
) -> None:
    # moonshot 8
    who = a_candidate(shifts=None if shifts is None else tuple(shifts), absences=tuple(absences))
    visits = [
        Planned(number, number, number, 7, span.starts_at, span.ends_at, 0, where)
        for number, (span, where) in enumerate(booked)
    ]
    starts_at, lasts = NINE + start * MINUTE, length * MINUTE
    judged = judge_visit(
        who,
        need(place),
        Span(starts_at, starts_at + lasts),
        visits,
        on=TODAY,
        open_count=0,
        holds_it=False,
        travel=TRAVEL,
    )
    barred = barred_starts(
        who, need(place), lasts, visits, since=NINE - HOUR, until=NINE + 24 * HOUR, travel=TRAVEL
    )
    warned = cautious_starts(
        need(place), lasts, visits, since=NINE - HOUR, until=NINE + 24 * HOUR, travel=TRAVEL
    )
    told = {each.objection.key for each in warned if each.since <= starts_at < each.until}
    assert {each.key for each in judged.warnings} <= told
    assert any(each.since <= starts_at < each.until for each in barred) == (
        "dispatch.failed.place_unknown" not in {each.key for each in judged.against} and bool(judged.against)
    )
