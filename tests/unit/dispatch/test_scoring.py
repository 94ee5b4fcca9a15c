"""Who should take a task: points that can be added up by hand."""

from typing import Any

from ticket_console.dispatch.scoring import STANDARD, Scored, rank, score


def scored(technician_id: int = 1, **facts: Any) -> Scored:
    plain = {"metres": 3_000, "open_count": 2, "capacity": 8, "level": 3}
    return score(technician_id, **{**plain, **facts})


def ids(candidates: list[Scored]) -> list[int]:
    return [each.technician_id for each in candidates]


def test_the_weights_make_a_hundred() -> None:
    assert sum(STANDARD.weights) == 100


def test_a_score_is_the_weighted_sum_of_whole_points() -> None:  # DSP-04
    found = scored()
    assert found.points == (6_250, 10_000, 7_500, 6_000)
    assert found.score == 45 * 6_250 + 10 * 10_000 + 30 * 7_500 + 15 * 6_000 == 696_250


def test_somebody_at_the_door_with_nothing_to_do_and_the_highest_level_has_every_point() -> None:
    assert scored(metres=0, open_count=0, level=5).score == 1_000_000


def test_a_level_above_the_highest_and_a_load_above_the_capacity_change_nothing_more() -> None:
    assert scored(level=9).points == scored(level=5).points
    assert scored(open_count=12).points == scored(open_count=8).points == (6_250, 10_000, 0, 6_000)


def test_an_unknown_distance_earns_nothing_for_being_near() -> None:
    assert scored(metres=None).points == (0, 0, 7_500, 6_000)


def test_three_kilometres_are_near_and_a_metre_more_is_not() -> None:  # DSP-03
    near = [scored(metres=metres).points[1] for metres in (2_990, 3_000, 3_001, 3_010)]
    assert near == [10_000, 10_000, 0, 0]


def test_of_people_alike_the_nearer_one_comes_first() -> None:  # DSP-01 DSP-03
    far, middle, near = (
        scored(technician_id, metres=m) for technician_id, m in ((1, 3_010), (2, 3_000), (3, 2_990))
    )
    assert ids(rank([far, near, middle])) == [3, 2, 1]


def test_within_three_kilometres_a_busier_person_still_beats_an_idle_one_just_beyond() -> None:
    within = scored(1, metres=2_999, open_count=2)
    beyond = scored(2, metres=3_001, open_count=0)
    assert ids(rank([beyond, within])) == [1, 2]


def test_of_people_equally_far_the_less_busy_one_comes_first() -> None:  # DSP-04 DSP-05
    assert ids(rank([scored(1, open_count=3), scored(2, open_count=2)])) == [2, 1]


def test_a_load_is_measured_against_the_capacity() -> None:
    assert ids(rank([scored(1, open_count=2, capacity=4), scored(2, open_count=3, capacity=12)])) == [2, 1]


def test_of_equals_the_lower_number_comes_first_however_they_are_listed() -> None:  # DSP-01
    twins = [scored(technician_id) for technician_id in (7, 3, 5)]
    assert ids(rank(twins)) == ids(rank(reversed(twins))) == [3, 5, 7]
