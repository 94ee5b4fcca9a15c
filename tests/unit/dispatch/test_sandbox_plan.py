"""A plan reckoned ahead: the order of somebody's day, what is late, how far, how long over; and its laws."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from ticket_console.dispatch.sandbox_plan import (
    Figures,
    Person,
    Plan,
    Put,
    Stop,
    Task,
    compare,
    evaluate,
    foresee,
    laid_over,
)
from ticket_console.dispatch.visits import Place, Travel
from ticket_console.people.candidate import Span

AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
BUND = Place(31.24, 121.49)
# A tenth of a degree to the north: 11.12 km by air.
NORTH = Place(31.34, 121.49)
# A kilometre takes two minutes and is no longer than by air.
STRAIGHT = Travel(detour=1.0, speed_kmh=30.0)


def task(token_id: int = 1, **changes: object) -> Task:
    made = Task(
        token_id=token_id,
        ticket_id=token_id * 10,
        priority=2,
        due_at=None,
        place=BUND,
        minutes=60,
        holder=1,
    )
    return replace(made, **changes)


def person(id: int = 1, **changes: object) -> Person:
    return replace(Person(id, BUND, 5), **changes)


def span(start: timedelta, end: timedelta) -> Span:
    return Span(AT + start, AT + end)


def plan(*tasks: Task, people: tuple[Person, ...] = (Person(1, BUND, 5), Person(2, NORTH, 5))) -> Plan:
    return Plan(AT, tasks, people, STRAIGHT)


def times(*tasks: Task, who: Person | None = None) -> list[tuple[int, timedelta, timedelta]]:
    stops = foresee(who or person(), tasks, at=AT, travel=STRAIGHT)
    return [(each.task.token_id, each.starts_at - AT, each.ends_at - AT) for each in stops]


def test_what_has_no_time_is_done_by_urgency_and_then_by_its_due_time() -> None:
    soon, urgent, later = task(1, due_at=AT + 5 * HOUR), task(2, priority=1), task(3)

    assert times(later, soon, urgent) == [
        (2, 0 * HOUR, 1 * HOUR),
        (1, 1 * HOUR, 2 * HOUR),
        (3, 2 * HOUR, 3 * HOUR),
    ]


def test_a_visit_keeps_its_time_and_others_are_done_around_it() -> None:
    visit = task(1, visit=span(90 * MINUTE, 150 * MINUTE))

    assert times(visit, task(2), task(3)) == [
        (2, 0 * HOUR, 1 * HOUR),
        (1, 90 * MINUTE, 150 * MINUTE),
        (3, 150 * MINUTE, 210 * MINUTE),
    ]


def test_a_gap_must_hold_the_ways_as_well() -> None:
    """22 minutes and a bit to the north and back again: an hour's gap and a half is too short."""
    visit = task(1, visit=span(90 * MINUTE, 150 * MINUTE))

    (first, second) = times(visit, task(2, place=NORTH))
    assert first[0] == 1
    assert second[1] == 150 * MINUTE + STRAIGHT.between(BUND, NORTH)


def test_a_visit_that_is_over_but_not_done_is_done_from_now_on() -> None:
    assert times(task(1, visit=span(-2 * HOUR, -1 * HOUR))) == [(1, 0 * HOUR, 1 * HOUR)]


def test_the_way_is_told_in_seconds_and_metres() -> None:
    (stop,) = foresee(person(), [task(place=NORTH)], at=AT, travel=STRAIGHT)

    assert (stop.travel_seconds, stop.metres) == (1335, 11120)


def test_a_job_waits_for_the_next_shift_unless_that_makes_it_late() -> None:
    shifts = (span(-7 * HOUR, HOUR / 2), span(10 * HOUR, 18 * HOUR))

    assert times(task(), who=person(shifts=shifts)) == [(1, 10 * HOUR, 11 * HOUR)]
    assert times(task(due_at=AT + 11 * HOUR), who=person(shifts=shifts)) == [(1, 10 * HOUR, 11 * HOUR)]
    assert times(task(due_at=AT + 10 * HOUR), who=person(shifts=shifts)) == [(1, 0 * HOUR, 1 * HOUR)]
    assert times(task(due_at=AT - HOUR), who=person(shifts=shifts)) == [(1, 10 * HOUR, 11 * HOUR)]


def test_what_lies_outside_the_shift_is_overtime_to_the_second() -> None:
    who = person(shifts=(span(-7 * HOUR, HOUR / 2), span(10 * HOUR, 18 * HOUR)))
    (stop,) = foresee(who, [task(due_at=AT + 2 * HOUR)], at=AT, travel=STRAIGHT)

    assert stop.overtime_seconds == 1800


def test_a_job_that_ends_with_the_shift_is_no_overtime() -> None:
    (stop,) = foresee(person(shifts=(span(-HOUR, HOUR),)), [task()], at=AT, travel=STRAIGHT)

    assert (stop.starts_at, stop.overtime_seconds) == (AT, 0)


def test_nobody_works_while_absent() -> None:
    assert times(task(), who=person(absences=(span(HOUR / 2, 3 * HOUR),))) == [(1, 3 * HOUR, 4 * HOUR)]


def test_due_at_the_very_end_is_in_time() -> None:
    assert evaluate(plan(task(due_at=AT + HOUR))).late == frozenset()
    assert evaluate(plan(task(due_at=AT + HOUR - MINUTE))).late == {10}


def test_what_nobody_has_is_late_if_it_is_due_at_all() -> None:
    found = evaluate(plan(task(1, holder=None, due_at=AT + 9 * HOUR), task(2, holder=None)))

    assert (found.figures.unassigned, found.figures.late, found.late) == (2, 1, {10})


def test_the_figures_of_a_plan() -> None:
    tasks = (
        task(1, due_at=AT + HOUR / 2),
        task(2, place=NORTH, is_short_of_parts=True),
        task(3, holder=None, is_short_of_parts=True),
    )
    people = (person(1, capacity=1, elsewhere=1), person(2), person(3, is_there=False))

    assert evaluate(plan(*tasks, people=people)).figures == Figures(
        tasks=3,
        unassigned=1,
        late=1,
        travel_seconds=1335,
        metres=11120,
        overtime_seconds=0,
        short_of_parts=1,
        over_capacity=1,
        busiest=3,
        idlest=0,
        gini_bp=5000,
    )


def test_the_difference_names_tickets_and_people() -> None:
    live = plan(task(1, due_at=AT + HOUR), task(2, due_at=AT + HOUR))
    branch = laid_over(live, [Put(20, 2)])

    difference = compare(evaluate(live), evaluate(branch))

    # On the way from the north it comes too late all the same, and nobody else is kept from theirs.
    assert (difference.now_late, difference.saved, difference.people) == ((), (), (1, 2))


def test_only_a_tickets_last_move_counts_and_strangers_change_nothing() -> None:
    live = plan(task(1))

    assert laid_over(live, [Put(10, 2), Put(10, 1), Put(99, 2)]) == live


def test_a_time_goes_with_the_person_and_ends_with_them() -> None:
    live = plan(task(1))
    hour = span(HOUR, 2 * HOUR)

    assert laid_over(live, [Put(10, 2, hour)]).tasks == (task(1, holder=2, visit=hour),)
    assert laid_over(live, [Put(10, None, hour)]).tasks == (task(1, holder=None),)


places = st.builds(Place, st.floats(30.9, 31.5), st.floats(121.1, 121.9))
moments = st.integers(-6 * 60, 30 * 60).map(lambda minutes: AT + minutes * MINUTE)
spans = st.builds(lambda start, length: Span(start, start + length * MINUTE), moments, st.integers(30, 600))
IDS = (1, 2, 3)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    people = tuple(
        Person(
            id=id,
            home=draw(places),
            capacity=draw(st.integers(1, 6)),
            elsewhere=draw(st.integers(0, 3)),
            shifts=draw(st.none() | st.just((span(0 * HOUR, 8 * HOUR), span(24 * HOUR, 32 * HOUR)))),
            absences=tuple(draw(st.lists(spans, max_size=2))),
            is_there=draw(st.booleans()),
        )
        for id in IDS
    )
    tasks = tuple(
        Task(
            token_id=number,
            ticket_id=number * 10,
            priority=draw(st.integers(1, 4)),
            due_at=draw(st.none() | moments),
            place=draw(st.none() | places),
            minutes=60,
            holder=(holder := draw(st.sampled_from((None, *IDS)))),
            visit=None if holder is None else draw(st.none() | spans),
            is_short_of_parts=draw(st.booleans()),
        )
        for number in range(1, draw(st.integers(0, 9)) + 1)
    )
    return Plan(AT, tasks, people, STRAIGHT)


@given(plans())
def test_an_empty_branch_equals_the_live_plan(live: Plan) -> None:
    assert evaluate(laid_over(live, [])) == evaluate(live)


@given(plans(), st.data())
def test_moving_and_moving_back_is_the_live_plan(live: Plan, data: st.DataObject) -> None:
    moves = [
        Put(each.ticket_id, data.draw(st.sampled_from((None, *IDS))), data.draw(st.none() | spans))
        for each in live.tasks
    ]
    back = [Put(each.ticket_id, each.holder, each.visit) for each in live.tasks]

    assert laid_over(laid_over(live, moves), back) == live
    assert evaluate(laid_over(live, [*moves, *back])) == evaluate(live)


@given(plans())
def test_the_figures_of_the_people_add_up_to_those_of_the_plan(live: Plan) -> None:
    found = evaluate(live)
    total, people = found.figures, found.people.values()

    assert sum(each.jobs for each in people) + total.unassigned == total.tasks == len(live.tasks)
    assert sum(each.travel_seconds for each in people) == total.travel_seconds
    assert sum(each.metres for each in people) == total.metres
    assert sum(each.overtime_seconds for each in people) == total.overtime_seconds
    assert total.late == len(found.late)
    assert 0 <= total.spread <= total.busiest


@given(plans())
def test_every_task_that_somebody_has_is_done_once_and_never_in_the_past_or_an_absence(live: Plan) -> None:
    stops = evaluate(live).stops
    people = {each.id: each for each in live.people}

    assert set(stops) == {each.token_id for each in live.tasks if each.holder is not None}
    for stop in stops.values():
        if stop.task.visit is None:
            assert stop.starts_at >= AT
            assert not any(_meets(away, stop) for away in people[stop.task.holder or 0].absences)


@given(plans())
def test_the_order_in_which_tasks_are_read_changes_nothing(live: Plan) -> None:
    assert evaluate(replace(live, tasks=live.tasks[::-1])) == evaluate(live)


def test_five_hundred_tasks_of_fifty_people_are_reckoned_well_within_a_gesture() -> None:
    people = tuple(
        Person(id, Place(31.0 + id / 100, 121.3), 20, shifts=(span(0 * HOUR, 8 * HOUR),)) for id in range(50)
    )
    tasks = tuple(
        task(number, holder=number % 50, place=Place(31.0 + number / 1000, 121.5), due_at=AT + 6 * HOUR)
        for number in range(500)
    )
    live = Plan(AT, tasks, people, STRAIGHT)

    def both() -> float:
        begun = process_time()
        compare(evaluate(live), evaluate(laid_over(live, [Put(10, 3)])))
        return process_time() - begun

    assert min(both() for _ in range(5)) < 0.3


def _meets(away: Span, stop: Stop) -> bool:
    return away.starts_at < stop.ends_at and stop.starts_at < away.ends_at
