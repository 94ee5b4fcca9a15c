"""The plan of a whole day: pairs pass the filters, nobody gets more than they hold, nothing is better."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from tests.builders.dispatch import a_need
from tests.builders.people import AT, BUND, a_candidate
from tests.unit.dispatch.test_deciding import a_roster, rosters
from ticket_console.dispatch import batch
from ticket_console.dispatch.batch import Assignment, Matrix
from ticket_console.dispatch.deciding import NOTHING_KNOWN
from ticket_console.dispatch.eligibility import Need, judge
from ticket_console.dispatch.rules import STANDARD, Band, DispatchPolicy
from ticket_console.dispatch.scoring import Whole
from ticket_console.people.roster import Roster

NORTHWARDS = BUND[0] + 0.09
RINGS = replace(STANDARD, bands=(Band(3_000), Band(10_000), Band()))


def weighed(
    people: Roster,
    needs: list[Need],
    *,
    loads: dict[int, int] | None = None,
    policy: DispatchPolicy = STANDARD,
) -> Matrix:
    return batch.weigh(
        people, loads or {}, needs, at=AT, policy_of=lambda _: policy, known=lambda _: NOTHING_KNOWN
    )


def tasks(count: int, **changes: object) -> list[Need]:
    return [a_need(ticket_id=number, token_id=number, **changes) for number in range(1, count + 1)]


def pairs(assignment: Assignment) -> dict[int, int]:
    return {each.need.ticket_id: each.technician_id for each in assignment.given}


def test_the_nearest_is_kept_for_the_one_nobody_else_can_reach_as_well() -> None:
    """One by one, the first task takes the person the second one needs; as a whole it does not."""
    people = a_roster(
        a_candidate(technician_id=1, capacity=1, lat=BUND[0], lon=BUND[1]),
        a_candidate(technician_id=2, capacity=1, lat=BUND[0] - 0.004, lon=BUND[1]),
    )
    needs = [a_need(ticket_id=1, token_id=1), a_need(ticket_id=2, token_id=2, lat=BUND[0] + 0.01)]
    matrix = weighed(people, needs)

    whole, singly = batch.best(matrix), batch.greedy(matrix)

    assert pairs(singly) == {1: 1, 2: 2}
    assert whole.score >= singly.score
    assert set(pairs(whole)) == {1, 2}


def test_where_not_all_can_be_done_the_urgent_ones_are() -> None:
    people = a_roster(a_candidate(technician_id=1, capacity=2))
    needs = [*tasks(2, priority=4), a_need(ticket_id=9, token_id=9, priority=1)]

    planned = batch.best(weighed(people, needs))

    assert 9 in pairs(planned)
    assert len(planned.given) == 2
    assert [need.priority for need in planned.left] == [4]


def test_work_is_spread_over_people_who_are_equal() -> None:
    people = a_roster(*(a_candidate(technician_id=number, capacity=4) for number in (1, 2, 3)))

    planned = batch.best(weighed(people, tasks(6)))

    assert sorted(pairs(planned).values()) == [1, 1, 2, 2, 3, 3]


def test_the_inner_ring_comes_before_a_better_score() -> None:
    near = a_candidate(technician_id=1, capacity=3, level=1)
    far = a_candidate(technician_id=2, capacity=3, level=5, lat=NORTHWARDS)
    people = a_roster(near, far)

    planned = batch.best(weighed(people, tasks(3), policy=RINGS))

    assert set(pairs(planned).values()) == {1}


@pytest.mark.parametrize("count", [0, 3])
def test_with_nobody_there_everything_is_left(count: int) -> None:
    planned = batch.best(weighed(a_roster(), tasks(count)))

    assert planned.given == ()
    assert len(planned.left) == count


def test_more_tasks_than_can_be_added_exactly_are_refused() -> None:
    with pytest.raises(ValueError, match="more than"):
        weighed(a_roster(), tasks(batch.MOST_TASKS + 1))


@settings(max_examples=60)
@given(drawn=rosters(), count=st.integers(0, 4), data=st.data())
def test_no_other_assignment_is_better_and_nobody_is_overcharged(
    drawn: tuple[Roster, dict[int, int]], count: int, data: st.DataObject
) -> None:
    people, loads = drawn
    needs = [
        a_need(
            ticket_id=number,
            token_id=number,
            priority=data.draw(st.integers(1, 4)),
            lat=BUND[0] + data.draw(st.integers(-20, 20)) / 100,
        )
        for number in range(1, count + 1)
    ]
    matrix = weighed(people, needs, loads=loads)
    values, owners = batch.values_of(matrix)

    planned = batch.best(matrix)

    assert sum(_value(matrix, values, owners, planned)) == _best_by_trying(values)
    assert pairs(planned) == pairs(batch.best(matrix))
    assert sum(_value(matrix, values, owners, batch.greedy(matrix))) <= _best_by_trying(values)
    for each in planned.given:
        candidate = people.by_id[each.technician_id]
        assert each.open_count < candidate.capacity
        on = people.local_day(AT, each.need.region_id)
        assert judge(candidate, each.need, at=AT, on=on, open_count=each.open_count) == ()


def _value(matrix: Matrix, values: batch.Real, owners: Whole, planned: Assignment) -> list[float]:
    """What the plan is worth on the places it takes, each person's filled from the first on."""
    columns = {int(technician): column for column, technician in enumerate(matrix.ids)}
    rows = {need.token_id: row for row, need in enumerate(matrix.needs)}
    found = []
    for each in planned.given:
        column = columns[each.technician_id]
        places = np.flatnonzero(owners == column)
        taken = each.open_count - int(matrix.open_counts[column])
        found.append(float(values[rows[each.need.token_id], places[taken]]))
    return found


def _best_by_trying(values: batch.Real) -> float:
    """The optimum, found by trying every choice of places; nothing of the code under test but the values."""
    tasks_, places = values.shape
    best = 0.0
    for choice in product(range(-1, min(places, 12)), repeat=tasks_):
        used = [place for place in choice if place >= 0]
        if len(used) == len(set(used)):
            best = max(best, sum(values[row, place] for row, place in enumerate(choice) if place >= 0))
    if places > 12:
        rows, columns = linear_sum_assignment(values, maximize=True)
        best = float(values[rows, columns].sum())
    return float(best)
