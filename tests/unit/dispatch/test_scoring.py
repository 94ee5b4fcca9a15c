"""Who should take a task: points that can be added up by hand."""

from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.people import AT, BUND
from ticket_console.dispatch import scoring
from ticket_console.dispatch.rules import STANDARD, STANDARD_WEIGHTS, Band, Scales, Term, Weights
from ticket_console.dispatch.scoring import KNOWS_CUSTOMER, KNOWS_DEVICE, UNKNOWN, Facts, Measure
from ticket_console.kernel.geo import distance_km

PLAIN = Measure()
EVERYTHING: Weights = (40, 10, 20, 10, 5, 5, 5, 5)


def columns(*people: dict[str, Any]) -> Facts:
    plain = {
        "metres": 3_000,
        "open_counts": 2,
        "capacities": 8,
        "levels": 3,
        "hard_jobs": 0,
        "income_minor": 0,
        "familiar": 0,
    }
    return Facts(
        **{name: np.array([{**plain, **each}[name] for each in people], dtype=np.int64) for name in plain}
    )


def points(measure: Measure = PLAIN, weights: Weights = STANDARD_WEIGHTS, **facts: Any) -> list[int]:
    earned = scoring.points(columns(facts), Scales(), measure, weights)
    return [0 if each is None else int(each[0]) for each in earned]


def earned_by(term: Term, measure: Measure = PLAIN, **facts: Any) -> int:
    return points(measure, EVERYTHING, **facts)[list(Term).index(term)]


def first_to_last(*people: dict[str, Any], bands: tuple[Band, ...] = ()) -> list[int]:
    """The order of people whose numbers are 1, 2, 3 as they are listed."""
    facts = columns(*people)
    scores = scoring.total(scoring.points(facts, Scales(), Measure(), STANDARD_WEIGHTS), STANDARD_WEIGHTS)
    rings = scoring.bands_of(bands, facts.metres, np.ones(facts.metres.shape, dtype=np.bool_))
    ids = np.arange(1, len(people) + 1)
    return [int(ids[each]) for each in scoring.order(ids, rings, scores)]


def test_the_standard_weights_make_a_hundred() -> None:
    assert sum(STANDARD.weights) == 100


def test_a_score_is_the_weighted_sum_of_whole_points() -> None:  # DSP-04
    earned = scoring.points(columns({}), Scales(), Measure(), STANDARD_WEIGHTS)
    assert points() == [6_250, 10_000, 7_500, 6_000, 0, 0, 0, 0]
    assert int(scoring.total(earned, STANDARD_WEIGHTS)[0]) == (
        45 * 6_250 + 10 * 10_000 + 30 * 7_500 + 15 * 6_000
    )


def test_somebody_at_the_door_with_nothing_to_do_and_the_highest_level_has_every_point() -> None:
    earned = scoring.points(
        columns({"metres": 0, "open_counts": 0, "levels": 5}), Scales(), Measure(), STANDARD_WEIGHTS
    )
    assert int(scoring.total(earned, STANDARD_WEIGHTS)[0]) == scoring.most(STANDARD_WEIGHTS) == 1_000_000


def test_a_level_above_the_highest_and_a_load_above_the_capacity_change_nothing_more() -> None:
    assert points(levels=9) == points(levels=5)
    assert points(open_counts=12) == points(open_counts=8) == [6_250, 10_000, 0, 6_000, 0, 0, 0, 0]


def test_an_unknown_distance_earns_nothing_for_being_near() -> None:
    assert points(metres=UNKNOWN) == [0, 0, 7_500, 6_000, 0, 0, 0, 0]


def test_three_kilometres_are_near_and_a_metre_more_is_not() -> None:  # DSP-03
    assert [points(metres=metres)[1] for metres in (2_990, 3_000, 3_001, 3_010)] == [10_000, 10_000, 0, 0]


def test_of_people_alike_the_nearer_one_comes_first() -> None:  # DSP-01 DSP-03
    assert first_to_last({"metres": 3_010}, {"metres": 3_000}, {"metres": 2_990}) == [3, 2, 1]


def test_of_people_equally_far_the_less_busy_one_comes_first() -> None:  # DSP-04 DSP-05
    assert first_to_last({"open_counts": 3}, {"open_counts": 2}) == [2, 1]


def test_a_load_is_measured_against_the_capacity() -> None:
    assert first_to_last({"open_counts": 2, "capacities": 4}, {"open_counts": 3, "capacities": 12}) == [2, 1]


def test_of_equals_the_lower_number_comes_first_however_they_are_listed() -> None:  # DSP-01
    ids = np.array([7, 3, 5])
    same = np.zeros(3, dtype=np.int64)
    assert [int(ids[each]) for each in scoring.order(ids, same, same)] == [3, 5, 7]
    assert [int(ids[each]) for each in scoring.order(ids, same + 1, same)] == [3, 5, 7]


def test_a_person_in_a_nearer_ring_comes_before_everybody_beyond_it_whatever_their_points() -> None:  # DSP-03
    bands = (Band(3_000), Band(10_000), Band())
    idle_beyond = {"metres": 3_001, "open_counts": 0, "levels": 5}
    busy_within = {"metres": 3_000, "open_counts": 7, "levels": 1}
    assert first_to_last(idle_beyond, busy_within) == [1, 2]
    assert first_to_last(idle_beyond, busy_within, bands=bands) == [2, 1]


@pytest.mark.parametrize(
    ("metres", "ring"), [(0, 0), (2_990, 0), (3_000, 0), (3_001, 1), (3_010, 1), (10_000, 1), (10_001, 2)]
)
def test_the_edge_of_a_ring_belongs_to_it(metres: int, ring: int) -> None:  # DSP-03
    bands = (Band(3_000), Band(10_000))
    found = scoring.bands_of(bands, np.array([metres]), np.array([True]))
    assert found.tolist() == [ring]


def test_a_ring_for_the_certified_holds_nobody_else_and_one_without_a_bound_holds_an_unknown_place() -> None:
    bands = (Band(3_000, certified=True), Band(3_000), Band(certified=True))
    metres = np.array([1_000, 1_000, UNKNOWN, UNKNOWN])
    certified = np.array([True, False, True, False])
    assert scoring.bands_of(bands, metres, certified).tolist() == [0, 1, 2, 3]


def test_whoever_had_half_the_hard_jobs_of_the_others_earns_three_quarters_of_the_points() -> None:
    team = Measure(people=4, hard_jobs=16, income_minor=400_000)
    assert [earned_by(Term.HARD, team, hard_jobs=each) for each in (0, 2, 4, 8, 12)] == [
        10_000,
        7_500,
        5_000,
        0,
        0,
    ]
    assert [earned_by(Term.INCOME, team, income_minor=each) for each in (0, 100_000, 200_000, 300_000)] == [
        10_000,
        5_000,
        0,
        0,
    ]


def test_without_any_record_everybody_is_treated_alike() -> None:
    assert earned_by(Term.HARD, Measure(), hard_jobs=3) == 10_000
    assert earned_by(Term.INCOME, Measure()) == 10_000


def test_knowing_the_device_counts_more_than_knowing_the_customer() -> None:
    assert [earned_by(Term.CONTINUITY, familiar=each) for each in (0, KNOWS_CUSTOMER, KNOWS_DEVICE)] == [
        0,
        6_000,
        10_000,
    ]


def test_the_slack_is_what_is_left_after_the_work_at_hand_the_way_and_the_job() -> None:
    """Two jobs of an hour at hand and one to do; 10 km at 25 km/h are 24 minutes."""
    due = Measure(work_minutes=60, minutes_left=324)
    left = scoring.slack(columns({"metres": 10_000}), Scales(), due)
    assert left is not None
    assert left.tolist() == [324 - 24 - 180]
    assert earned_by(Term.SLACK, due, metres=10_000) == 5_000
    assert earned_by(Term.SLACK, Measure(minutes_left=10), metres=10_000) == 0
    assert earned_by(Term.SLACK, Measure(minutes_left=None)) == 0


def test_a_way_that_has_begun_its_next_minute_is_counted_to_the_end_of_it() -> None:
    left = scoring.slack(columns({"metres": 1, "open_counts": 0}), Scales(), Measure(minutes_left=100))
    assert left is not None
    assert left.tolist() == [100 - 1 - 60]


def test_the_minutes_until_a_due_time_are_whole_and_never_too_many() -> None:
    assert scoring.minutes_until(AT + timedelta(minutes=5, seconds=59), AT) == 5
    assert scoring.minutes_until(AT - timedelta(seconds=1), AT) == -1
    assert scoring.minutes_until(None, AT) is None


facts = st.fixed_dictionaries(
    {
        "metres": st.just(UNKNOWN) | st.integers(0, 2_000_000),
        "open_counts": st.integers(0, 30),
        "capacities": st.integers(0, 20),
        "levels": st.integers(0, 10),
        "hard_jobs": st.integers(0, 40),
        "income_minor": st.integers(0, 5_000_000),
        "familiar": st.integers(0, 2),
    }
)
measures = st.builds(
    Measure,
    work_minutes=st.integers(1, 600),
    minutes_left=st.none() | st.integers(-10_000, 10_000),
    people=st.integers(0, 300),
    hard_jobs=st.integers(0, 5_000),
    income_minor=st.integers(0, 10**12),
)


@given(facts, measures)
def test_every_term_earns_between_nothing_and_all(person: dict[str, int], measure: Measure) -> None:
    assert all(0 <= each <= scoring.FULL_POINTS for each in points(measure, EVERYTHING, **person))


@given(facts, facts, measures)
def test_a_column_of_many_gives_each_what_a_column_of_one_gives(
    one: dict[str, int], other: dict[str, int], measure: Measure
) -> None:  # DSP-01
    together = scoring.points(columns(one, other), Scales(), measure, EVERYTHING)
    for position, person in enumerate((one, other)):
        assert [int(each[position]) for each in together if each is not None] == points(
            measure, EVERYTHING, **person
        )


def test_distances_are_those_of_the_map_to_the_metre() -> None:
    places = Random(7)
    lats = [places.uniform(-89, 89) for _ in range(2_000)]
    lons = [places.uniform(-180, 180) for _ in range(2_000)]
    here = np.radians(BUND)
    found = scoring.distances(float(here[0]), float(here[1]), np.radians(lats), np.radians(lons))
    expected = [1_000 * distance_km(*BUND, lat, lon) for lat, lon in zip(lats, lons, strict=True)]
    assert max(abs(a - b) for a, b in zip(found.tolist(), expected, strict=True)) <= 0.501
