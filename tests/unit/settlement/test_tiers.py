"""Entering and leaving tiers: by the days before alone, at exact edges, and the same every time."""

from datetime import date, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.settlement.tiers import (
    GRADES,
    NO_TIER,
    Days,
    Grade,
    PeakPolicy,
    Performance,
    grade,
    is_in_peak,
    is_total,
    peaks,
)

FIRST = date(2026, 3, 1)
WEEK = PeakPolicy(tier="vip", days=7, enter_at=8, leave_below=5)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def test_a_peak_is_paid_for_as_long_as_it_lasts() -> None:  # STL-16
    asked = {day(3): 4, day(4): 4, day(9): 5}

    found = peaks(asked, since=FIRST, until=day(40), policy=WEEK)

    # Eight within a week on the fifth day; the week of the five more is over after the sixteenth.
    assert found == (Days(day(5), day(17)),)


def test_a_peak_that_lasts_has_no_end_yet() -> None:
    assert peaks({day(0): 8}, since=FIRST, until=day(5), policy=WEEK) == (Days(day(1), None),)


@pytest.mark.parametrize(
    ("was_in", "tickets", "is_in"),
    [(False, 7, False), (False, 8, True), (True, 5, True), (True, 4, False), (True, 7, True)],
)
def test_entering_and_leaving_have_exact_edges(was_in: bool, tickets: int, is_in: bool) -> None:
    assert is_in_peak(was_in=was_in, tickets=tickets, policy=WEEK) is is_in


@pytest.mark.parametrize(("enter_at", "leave_below"), [(5, 6), (5, 0), (0, 0)])
def test_a_peak_is_not_left_above_where_it_is_entered(enter_at: int, leave_below: int) -> None:
    with pytest.raises(ValueError, match="left below"):
        PeakPolicy(tier="vip", days=7, enter_at=enter_at, leave_below=leave_below)


_ASKED = st.dictionaries(st.integers(-10, 50).map(day), st.integers(0, 9), max_size=30)


@given(asked=_ASKED, later=_ASKED, until=st.integers(1, 40))
def test_what_comes_later_changes_no_day_that_has_passed(
    asked: dict[date, int], later: dict[date, int], until: int
) -> None:  # STL-16
    now = day(until)
    more = {**asked, **{when: count for when, count in later.items() if when >= now}}

    before = peaks(asked, since=FIRST, until=now, policy=WEEK)
    after = peaks(more, since=FIRST, until=day(50), policy=WEEK)

    assert [_within(each, now) for each in after if each.starts_on < now] == [
        _within(each, now) for each in before
    ]


def _within(days: Days, until: date) -> tuple[date, date]:
    return days.starts_on, min(days.ends_on or until, until)


@given(asked=_ASKED)
def test_peaks_are_apart_and_in_order(asked: dict[date, int]) -> None:
    found = peaks(asked, since=FIRST, until=day(50), policy=WEEK)

    edges = [edge for each in found for edge in (each.starts_on, each.ends_on or day(50))]
    assert edges == sorted(set(edges))


@pytest.mark.parametrize(
    ("jobs", "minutes", "tier"),
    [
        (60, "30", "gold"),
        (59, "30", "silver"),
        (60, "30.01", "silver"),
        (20, "60", "silver"),
        (19, "1", NO_TIER),
        (500, "60.01", NO_TIER),
        (500, None, NO_TIER),
        (0, None, NO_TIER),
    ],
)
def test_a_partners_tier_follows_from_volume_and_speed(
    jobs: int, minutes: str | None, tier: str
) -> None:  # STL-19
    assert grade(Performance(jobs, None if minutes is None else D(minutes))) == tier


@given(jobs=st.integers(0, 200), minutes=st.none() | st.decimals(0, 200, places=2), more=st.integers(0, 50))
def test_more_work_and_faster_answers_never_cost_a_tier(jobs: int, minutes: D | None, more: int) -> None:
    order = [each.tier for each in reversed(GRADES)]
    faster = None if minutes is None else max(minutes - more, D(0))

    earned = grade(Performance(jobs, minutes))

    assert order.index(grade(Performance(jobs + more, minutes))) >= order.index(earned)
    assert order.index(grade(Performance(jobs, faster))) >= order.index(earned)


@pytest.mark.parametrize(
    "grades",
    [
        (),
        (Grade("gold", jobs=5),),
        (Grade("gold", minutes=D(5)),),
        (Grade("silver", jobs=5), Grade("gold", jobs=9), Grade("")),
        (Grade(""), Grade("gold", jobs=5, minutes=D(1)), Grade("")),
    ],
)
def test_a_table_that_leaves_somebody_out_or_a_grade_nobody_can_have_is_refused(
    grades: tuple[Grade, ...],
) -> None:
    assert not is_total(grades)
    with pytest.raises(ValueError, match="everybody"):
        grade(Performance(1, D(1)), grades)
