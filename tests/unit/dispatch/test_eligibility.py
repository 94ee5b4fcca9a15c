"""Who may take a task: every hard filter, and its edges."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.builders.dispatch import a_need
from tests.builders.people import AT, NORTH, TERRITORY, TODAY, a_candidate
from ticket_console.dispatch.eligibility import Failure, Filter, judge, skill_level
from ticket_console.people.candidate import Held, Span

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NOW = Span(AT - HOUR, AT + HOUR)


def failures(
    *, person: dict[str, Any] | None = None, task: dict[str, Any] | None = None, open_count: int = 0
) -> tuple[Failure, ...]:
    return judge(
        a_candidate(**(person or {})), a_need(**(task or {})), at=AT, on=TODAY, open_count=open_count
    )


def test_somebody_certified_on_duty_nearby_and_free_passes_every_filter() -> None:
    assert failures() == ()


@pytest.mark.parametrize(
    ("person", "task", "open_count", "expected"),
    [
        ({"is_active": False}, {}, 0, Failure(Filter.INACTIVE)),
        ({"is_on_duty": False}, {}, 0, Failure(Filter.OFF_DUTY)),
        ({"certificates": {}}, {}, 0, Failure(Filter.NO_SKILL, {"skill": "hvac"})),
        ({}, {"skill": "lift"}, 0, Failure(Filter.NO_SKILL, {"skill": "lift"})),
        ({}, {"region_id": None}, 0, Failure(Filter.PLACE_UNKNOWN)),
        ({}, {"region_id": NORTH + 1}, 0, Failure(Filter.REGION)),
        ({"territory_ids": frozenset({TERRITORY + 1})}, {}, 0, Failure(Filter.TERRITORY)),
        ({"territory_ids": frozenset({TERRITORY})}, {"territory_id": None}, 0, Failure(Filter.TERRITORY)),
        ({"absences": (NOW,)}, {}, 0, Failure(Filter.ABSENT, {"until": "2026-11-21T03:00+00:00"})),
        ({"shifts": ()}, {}, 0, Failure(Filter.OFF_SHIFT)),
        ({}, {}, 8, Failure(Filter.FULL, {"open": 8, "capacity": 8})),
        ({}, {}, 9, Failure(Filter.FULL, {"open": 9, "capacity": 8})),
        ({"capacity": 0}, {}, 0, Failure(Filter.FULL, {"open": 0, "capacity": 0})),
    ],
)
def test_one_thing_wrong_is_one_reason(
    person: dict[str, Any], task: dict[str, Any], open_count: int, expected: Failure
) -> None:  # DSP-02 DSP-04
    assert failures(person=person, task=task, open_count=open_count) == (expected,)


@pytest.mark.parametrize(
    ("person", "task", "open_count"),
    [
        ({}, {"skill": None}, 0),
        ({"certificates": {}}, {"skill": None}, 0),
        ({"territory_ids": frozenset({TERRITORY, 99})}, {}, 0),
        ({"region_ids": frozenset({NORTH, 7})}, {"region_id": 7}, 0),
        ({"shifts": (NOW,)}, {}, 0),
        ({"absences": (Span(AT - DAY, AT - HOUR),)}, {}, 0),
        ({}, {}, 7),
        ({}, {"lat": None, "lon": None}, 0),
    ],
)
def test_what_is_not_asked_for_or_is_over_keeps_nobody_out(
    person: dict[str, Any], task: dict[str, Any], open_count: int
) -> None:
    assert failures(person=person, task=task, open_count=open_count) == ()


def test_everything_that_is_wrong_is_told_in_one_go() -> None:
    found = failures(
        person={"is_active": False, "is_on_duty": False, "certificates": {}, "shifts": ()},
        task={"region_id": 9},
        open_count=8,
    )
    assert [each.code for each in found] == [
        Filter.INACTIVE,
        Filter.NO_SKILL,
        Filter.REGION,
        Filter.OFF_DUTY,
        Filter.OFF_SHIFT,
        Filter.FULL,
    ]


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2026, 10, 31), Failure(Filter.CERTIFICATE_EARLY, {"skill": "hvac", "from": "2026-11-01"})),
        (date(2026, 11, 1), None),
        (date(2026, 11, 20), None),
        (date(2026, 11, 21), Failure(Filter.CERTIFICATE_EXPIRED, {"skill": "hvac", "until": "2026-11-21"})),
        (date(2026, 11, 22), Failure(Filter.CERTIFICATE_EXPIRED, {"skill": "hvac", "until": "2026-11-21"})),
    ],
)
def test_a_certificate_counts_from_its_first_day_to_the_day_before_its_end(
    on: date, expected: Failure | None
) -> None:  # DSP-03
    person = a_candidate(certificates={"hvac": (Held(3, date(2026, 11, 1), date(2026, 11, 21)),)})
    assert judge(person, a_need(), at=AT, on=on, open_count=0) == ((expected,) if expected else ())


def test_between_an_old_and_a_new_certificate_the_reason_names_the_coming_one() -> None:
    held = (Held(3, date(2024, 1, 1), date(2026, 1, 1)), Held(4, date(2026, 12, 1), None))
    found = failures(person={"certificates": {"hvac": held}})
    assert found == (Failure(Filter.CERTIFICATE_EARLY, {"skill": "hvac", "from": "2026-12-01"}),)


def test_the_best_of_the_valid_certificates_is_the_level_that_counts() -> None:
    held = (
        Held(5, date(2024, 1, 1), date(2026, 11, 21)),
        Held(2, date(2025, 1, 1), None),
        Held(3, date(2025, 6, 1), None),
    )
    person = a_candidate(certificates={"hvac": held}, level=1)
    assert skill_level(person, "hvac", TODAY) == 3
    assert skill_level(person, "hvac", date(2026, 11, 20)) == 5
    assert skill_level(person, "lift", TODAY) == 0
    assert skill_level(person, None, TODAY) == 1


@pytest.mark.parametrize(
    ("at", "is_there"),
    [
        (datetime(2026, 11, 21, 0, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 21, 1, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 21, 8, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 21, 9, 0, tzinfo=UTC), False),
    ],
)
def test_a_shift_and_an_absence_last_from_their_start_to_just_before_their_end(
    at: datetime, is_there: bool
) -> None:
    span = Span(datetime(2026, 11, 21, 1, 0, tzinfo=UTC), datetime(2026, 11, 21, 9, 0, tzinfo=UTC))
    on_shift = judge(a_candidate(shifts=(span,)), a_need(), at=at, on=TODAY, open_count=0)
    absent = judge(a_candidate(absences=(span,)), a_need(), at=at, on=TODAY, open_count=0)
    assert (on_shift == ()) is is_there
    assert (absent == ()) is not is_there


def test_an_absence_beats_a_shift() -> None:
    found = failures(person={"shifts": (NOW,), "absences": (NOW,)})
    assert [each.code for each in found] == [Filter.ABSENT]
