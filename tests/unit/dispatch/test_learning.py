"""Weights read off finished jobs: repeatable, a hundred in sum, and asked about jobs they have not seen."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.dispatch.learning import (
    LEAST_JOBS,
    NotEnoughHistory,
    PastJob,
    back_test,
    learn,
    outcomes,
    usual_minutes,
)
from ticket_console.dispatch.rules import STANDARD_WEIGHTS, Term

LEVEL, DISTANCE = list(Term).index(Term.LEVEL), list(Term).index(Term.DISTANCE)


def a_history(count: int = 400, *, seed: int = 7, counts: int = LEVEL) -> list[PastJob]:
    """Jobs in which one term alone decides how long they take."""
    draw = Random(seed)
    jobs = []
    for number in range(count):
        points = [draw.randrange(0, 10_001) for _ in range(4)] + [0, 0, 0, 0]
        minutes = 200 - points[counts] * 150 // 10_000 + draw.randrange(0, 20)
        jobs.append(PastJob(number, "repair:1", tuple(points), minutes, is_completed=draw.random() < 0.97))
    return jobs


def test_the_term_that_foretold_short_jobs_gains_weight_and_the_test_shows_it() -> None:  # AIX-01
    learned = learn(a_history(), weights=STANDARD_WEIGHTS, seed=1)
    assert learned.weights[LEVEL] > 60 > STANDARD_WEIGHTS[LEVEL]
    before, after = learned.report["before"], learned.report["after"]
    assert after["right_bp"] > 8_000 > before["right_bp"]
    assert after["minutes_high"] < before["minutes_high"]
    assert (learned.report["learned_from"], learned.report["asked"]) == (280, 120)


def test_another_history_teaches_something_else() -> None:
    learned = learn(a_history(counts=DISTANCE), weights=STANDARD_WEIGHTS, seed=1)
    assert learned.weights[DISTANCE] > 80


def test_the_same_jobs_and_seed_teach_the_same_in_whatever_order_they_come() -> None:
    jobs = a_history(200)
    once = learn(jobs, weights=STANDARD_WEIGHTS, seed=3)
    again = learn(list(reversed(jobs)), weights=STANDARD_WEIGHTS, seed=3)
    assert (again.weights, again.report) == (once.weights, once.report)
    assert learn(jobs, weights=STANDARD_WEIGHTS, seed=4).report["before"] != once.report["before"]


def test_terms_nobody_weighed_then_stay_at_nought() -> None:
    assert learn(a_history(), weights=STANDARD_WEIGHTS, seed=1).weights[4:] == (0, 0, 0, 0)


def test_a_history_in_which_nothing_differs_leaves_the_weights_as_they_are() -> None:
    same = [PastJob(number, "repair:1", (5_000,) * 8, 60, True) for number in range(100)]
    assert learn(same, weights=STANDARD_WEIGHTS, seed=1).weights == STANDARD_WEIGHTS


def test_too_few_jobs_teach_nothing() -> None:
    with pytest.raises(NotEnoughHistory) as refusal:
        learn(a_history(LEAST_JOBS - 1), weights=STANDARD_WEIGHTS, seed=1)
    assert refusal.value.params == {"found": 59, "least": 60}


def test_a_job_in_the_usual_time_went_half_as_well_as_one_could_and_one_that_came_back_not_at_all() -> None:
    jobs = [PastJob(1, "a", (0,) * 8, 60, True), PastJob(2, "a", (0,) * 8, 60, False)]
    usual = usual_minutes(jobs)
    assert usual == {"a": 60.0}
    assert outcomes(jobs, usual).tolist() == [0.5, 0.0]
    assert outcomes([replace(jobs[0], minutes=20)], usual).tolist() == [0.75]


def test_of_pairs_in_the_right_order_ties_count_half() -> None:
    def job(number: int, points: int, minutes: int) -> PastJob:
        return PastJob(number, "a", (points, 0, 0, 0, 0, 0, 0, 0), minutes, True)

    jobs = [job(1, 9_000, 10), job(2, 5_000, 20), job(3, 5_000, 30)]
    assert back_test(jobs, STANDARD_WEIGHTS, {"a": 20.0}) == {
        "right_bp": 8_333,
        "minutes_high": 10,
        "done_high_bp": 10_000,
        "minutes_low": 25,
        "done_low_bp": 10_000,
    }


@given(
    st.integers(60, 120), st.integers(0, 99), st.tuples(*[st.integers(0, 100) for _ in range(8)]).filter(any)
)
def test_whatever_is_learned_is_whole_bounded_and_a_hundred_in_sum(
    count: int, seed: int, weights: tuple[int, ...]
) -> None:
    learned = learn(a_history(count, seed=seed), weights=weights, seed=seed)
    assert sum(learned.weights) == 100
    assert all(0 <= each <= 100 for each in learned.weights)
