"""DSP-17, moonshot 12: an interval that holds as often as it says, and a rush hour that is seen coming."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.reports.forecasting import (
    HOURS,
    WEEK,
    WITHIN,
    Survival,
    expect_late,
    forecast_queue,
    relieve,
)


def months_of(
    seed: int, *, weeks: int = 8, rush: float = 1.0, length: int = 60
) -> tuple[list[int], list[int], int]:
    """Weeks of arrivals by day and night, and of people who finish about as much; the queue at the end.

    `rush` multiplies what comes at the hours that follow upon the end, every week.
    """
    chance = np.random.default_rng(seed)
    hours = np.arange(weeks * WEEK)
    rate = 30 + 15 * np.sin(hours * 2 * np.pi / 24)
    came_rate = np.where(hours % WEEK < 3, rate * rush, rate)
    came = chance.poisson(came_rate)
    left = np.zeros_like(came)
    queue = length
    for hour in hours:
        # The harder they are pressed the more they do, so that the queue stays about as it is.
        able = chance.poisson(rate[hour] * queue / length)
        left[hour] = min(able, queue + came[hour])
        queue += came[hour] - left[hour]
    return came.tolist(), left.tolist(), int(queue)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_interval_holds_as_often_as_it_says(seed: int) -> None:
    """Checked hours of four horizons depend on one another; bounds are those of one horizon's hours."""
    found = forecast_queue(*months_of(seed))

    assert found.tried > 1_200
    rate = found.hit_rate
    assert rate is not None
    spread = 3.3 * (WITHIN * (1 - WITHIN) / (found.tried / len(HOURS))) ** 0.5
    assert abs(rate - WITHIN) < spread


def test_what_has_become_of_a_forecast_is_not_known_to_it() -> None:
    """The hit rate falls when the world changes in the weeks in which it is measured."""
    came, left, queue = months_of(4)
    rng = np.random.default_rng(0)
    wild = [count + int(rng.integers(0, 200)) for count in came[-2 * WEEK :]]
    done = [count + int(rng.integers(0, 200)) for count in left[-2 * WEEK :]]

    changed = forecast_queue([*came[: -2 * WEEK], *wild], [*left[: -2 * WEEK], *done], queue)

    calm = forecast_queue(came, left, queue)
    assert changed.hit_rate is not None
    assert calm.hit_rate is not None
    assert changed.hit_rate < calm.hit_rate - 0.05


def test_a_rush_of_every_week_is_seen_coming() -> None:
    plain, rushed = forecast_queue(*months_of(5)), forecast_queue(*months_of(5, rush=4.0))
    now = months_of(5, rush=4.0)[2]

    assert rushed.outlooks[2].low > now
    assert rushed.outlooks[2].mean - now > 3 * abs(plain.outlooks[2].mean - months_of(5)[2])


def test_equal_history_gives_equal_forecasts() -> None:
    assert forecast_queue(*months_of(6)) == forecast_queue(*months_of(6))


def test_the_farther_ahead_the_wider() -> None:
    widths = [each.high - each.low for each in forecast_queue(*months_of(7)).outlooks]

    assert widths == sorted(widths)
    assert widths[0] < widths[-1]


def test_without_history_nothing_is_claimed_about_hits() -> None:
    found = forecast_queue([], [], 5)

    assert (found.tried, found.hit_rate) == (0, None)
    assert [(each.mean, each.low, each.high) for each in found.outlooks] == [(5.0, 3, 7)] * 4


def test_a_queue_is_never_less_than_empty() -> None:
    came, left = [0] * (3 * WEEK), [5] * (3 * WEEK)

    assert [(each.mean, each.low) for each in forecast_queue(came, left, 2).outlooks] == [(0.0, 0)] * 4


@given(st.lists(st.floats(0, 1), max_size=12))
def test_lateness_lies_within_its_interval_on_average(chances: list[float]) -> None:
    mean, low, high = expect_late(chances)

    assert mean == pytest.approx(sum(chances))
    assert 0 <= low <= high <= len(chances)


def test_the_number_of_late_tickets_is_reckoned_exactly() -> None:
    """Of two tickets with even chances: none in a quarter, one in half, both in a quarter of all cases."""
    assert expect_late([0.5, 0.5]) == (1.0, 0, 2)
    assert expect_late([1.0, 1.0, 0.0]) == (2.0, 2, 2)
    assert expect_late([]) == (0.0, 0, 0)


def test_a_ticket_is_late_as_often_as_its_like_were_still_open() -> None:
    survival = Survival((2, 4, 2, 2))

    assert survival.still_open(stayed_seconds=0, until_seconds=900) == 0.8
    assert survival.still_open(stayed_seconds=900, until_seconds=1_800) == 0.5
    assert survival.still_open(stayed_seconds=4_000, until_seconds=9_000) == 1.0
    assert Survival().still_open(stayed_seconds=0, until_seconds=60) == 1.0


def test_the_fewest_people_who_are_enough_are_suggested() -> None:
    found = relieve(queue_now=10, queue_then=18.0, late=3.0, per_person=3.0, most=9)

    assert found is not None
    assert (found.people, found.queue_after, found.late_after) == (3, 9.0, 0.0)
    few = relieve(queue_now=10, queue_then=18.0, late=7.0, per_person=3.0, most=1)
    assert few is not None
    assert (few.people, few.queue_after, few.late_after) == (1, 15.0, 4.0)


@pytest.mark.parametrize(
    "calm",
    [{"queue_then": 10.0, "late": 0.5}, {"per_person": 0.0}, {"per_person": 0.05, "most": 47}, {"most": 0}],
)
def test_nothing_is_suggested_where_nothing_would_help(calm: dict[str, float]) -> None:
    facts: dict[str, Any] = {
        "queue_now": 10,
        "queue_then": 18.0,
        "late": 3.0,
        "per_person": 3.0,
        "most": 9,
        **calm,
    }

    assert relieve(**facts) is None
