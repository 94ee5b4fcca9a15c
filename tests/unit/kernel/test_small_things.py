"""Distances, labels, refusals, clocks and actors."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.access import actor, channel, customer
from ticket_console.kernel.actor import Role, system_actor
from ticket_console.kernel.clock import FixedClock, SystemClock
from ticket_console.kernel.errors import (
    Conflict,
    ConsoleError,
    FieldProblem,
    Forbidden,
    InvalidInput,
    NotFound,
)
from ticket_console.kernel.geo import EARTH_RADIUS_KM, distance_km
from ticket_console.kernel.ids import command_id_of
from ticket_console.kernel.text import pick

SHANGHAI, CHENGDU, BOSTON = (31.2304, 121.4737), (30.5728, 104.0668), (42.3601, -71.0589)
PLACES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("here", "there", "kilometres"),
    [
        (SHANGHAI, SHANGHAI, 0.0),
        (SHANGHAI, CHENGDU, 1660.7),
        (SHANGHAI, BOSTON, 11732.4),
        ((0.0, 0.0), (0.0, 1.0), 111.2),
        ((0.0, 179.5), (0.0, -179.5), 111.2),
        ((90.0, 0.0), (90.0, 123.0), 0.0),
        ((0.0, 0.0), (0.0, 180.0), 20015.1),
        ((90.0, 0.0), (-90.0, 0.0), 20015.1),
    ],
)
def test_distances_follow_the_globe(
    here: tuple[float, float], there: tuple[float, float], kilometres: float
) -> None:
    assert round(distance_km(*here, *there), 1) == kilometres


@given(PLACES, PLACES)
def test_a_way_is_as_long_there_as_back_and_never_longer_than_half_the_globe(
    here: tuple[float, float], there: tuple[float, float]
) -> None:
    there_and_back = distance_km(*here, *there), distance_km(*there, *here)

    assert there_and_back[0] == pytest.approx(there_and_back[1])
    assert 0 <= there_and_back[0] <= EARTH_RADIUS_KM * 3.141593


@pytest.mark.parametrize(
    ("text", "locale", "label"),
    [
        ({"zh": "电容", "en": "Capacitor"}, "zh", "电容"),
        ({"zh": "电容", "en": "Capacitor"}, "en", "Capacitor"),
        ({"zh": "电容", "en": ""}, "en", "电容"),
        ({"zh": "", "en": "Capacitor"}, "zh", "Capacitor"),
        ({"zh": "电容"}, "en", "电容"),
        ({"zh": "电容", "en": "Capacitor"}, "fr", "电容"),
        ({"zh": "", "en": ""}, "zh", ""),
        ({}, "zh", ""),
        (None, "en", ""),
    ],
)
def test_a_label_left_empty_is_shown_in_the_other_language(
    text: dict[str, str] | None, locale: str, label: str
) -> None:
    assert pick(text, locale) == label


def test_a_refusal_says_its_code_and_its_figures() -> None:
    class TooLate(Conflict):
        code = "ticket.too_late"

    refusal = TooLate(limit=3)

    assert (refusal.code, refusal.http_status, refusal.params) == ("ticket.too_late", 409, {"limit": 3})
    assert str(refusal) == "ticket.too_late {'limit': 3}"
    assert str(TooLate()) == "ticket.too_late"
    assert isinstance(refusal, ConsoleError)


def test_refusals_have_their_status() -> None:
    assert [each.http_status for each in (ConsoleError, NotFound, Forbidden, InvalidInput)] == [
        400,
        404,
        403,
        422,
    ]


def test_wrong_input_names_every_problem_and_counts_them() -> None:
    problems = (
        FieldProblem("title", "field.required"),
        FieldProblem("lat", "field.out_of_range", {"max": 90}),
    )

    refusal = InvalidInput(problems, form="open")

    assert refusal.problems == problems
    assert refusal.params == {"count": 2, "form": "open"}


def test_the_present_is_aware_and_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()

    assert now.utcoffset() == timedelta(0)
    assert before <= now <= datetime.now(UTC)


def test_a_fixed_clock_stands_until_it_is_moved(at: datetime) -> None:
    clock = FixedClock(at)

    assert clock.now() == clock.now() == at
    clock.advance(timedelta(hours=24))
    assert clock.now() == at + timedelta(hours=24)


def test_a_trail_names_actors_by_kind_and_number_only() -> None:
    assert [each.label for each in (actor(Role.AGENT), customer(40), channel(), system_actor(1))] == [
        "user:7",
        "customer:40",
        "channel",
        "system",
    ]
    assert actor(Role.AGENT, Role.FINANCE).roles == {Role.AGENT, Role.FINANCE}


def test_the_id_of_a_part_of_a_command_is_always_the_same_and_never_too_long() -> None:
    assert command_id_of("import:1", "rule", "care") == "import:1:rule:care"
    long = command_id_of("i" * 60, "rule", "care")
    assert long == command_id_of("i" * 60, "rule", "care")
    assert long != command_id_of("i" * 60, "rule", "late")
    assert len(long) == 64
