"""Day routes: in time, by those who may, within what they carry, with the optional solver and without."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticket_console.dispatch.routes import (
    Route,
    RouteJob,
    Routes,
    Stretch,
    is_available,
    one_by_one,
    plan_routes,
)
from ticket_console.dispatch.visits import Place, Travel
from ticket_console.people.candidate import Span

MORNING = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOME = Place(31.23, 121.47)
LI, WANG = 1, 2
WAYS = Travel().between


def east(kilometres: float) -> Place:
    """At this latitude a degree of longitude is 95.07 km."""
    return Place(31.23, 121.47 + kilometres / 95.07)


def stretch(technician_id: int = LI, hours: tuple[float, float] = (0, 8), **changes: Any) -> Stretch:
    span = Span(MORNING + hours[0] * HOUR, MORNING + hours[1] * HOUR)
    return Stretch(**{"technician_id": technician_id, "span": span, "start": HOME, **changes})


def job(key: int, place: Place, begins: tuple[float, float] = (0, 8), **changes: Any) -> RouteJob:
    span = Span(MORNING + begins[0] * HOUR, MORNING + begins[1] * HOUR)
    wish = {"lasts": HOUR, "people": frozenset({LI, WANG}), **changes}
    return RouteJob(key=key, place=place, begins=span, **wish)


def order(routes: Routes) -> dict[int, list[int]]:
    return {each.stretch.technician_id: [stop.key for stop in each.stops] for each in routes.routes}


# DSP-10
def test_jobs_are_done_in_the_order_of_the_shortest_way() -> None:
    found = plan_routes([stretch()], [job(30, east(30)), job(10, east(10)), job(20, east(20))], WAYS)

    assert order(found) == {LI: [10, 20, 30]}
    assert found.left == ()
    assert abs(found.travel - 78 * MINUTE) < MINUTE


def test_a_time_window_is_kept_whatever_way_that_costs() -> None:
    jobs = [job(10, east(10), begins=(5, 6)), job(30, east(30), begins=(1, 2))]

    found = plan_routes([stretch()], jobs, WAYS)

    assert order(found) == {LI: [30, 10]}
    first, second = found.routes[0].stops
    assert MORNING + HOUR <= first.starts_at <= MORNING + 2 * HOUR
    assert MORNING + 5 * HOUR <= second.starts_at <= MORNING + 6 * HOUR


def test_a_job_goes_to_nobody_but_those_who_may() -> None:
    jobs = [job(10, HOME, people=frozenset({WANG})), job(20, HOME, people=frozenset())]

    found = plan_routes([stretch(LI), stretch(WANG, start=east(40))], jobs, WAYS)

    assert order(found) == {WANG: [10]}
    assert found.left == (20,)


def test_of_what_does_not_fit_the_urgent_is_done() -> None:
    jobs = [job(10, HOME, priority=10), job(20, HOME, priority=90), job(30, HOME, priority=50)]

    found = plan_routes([stretch(hours=(0, 2))], jobs, WAYS)

    assert sorted(order(found)[LI]) == [20, 30]
    assert found.left == (10,)


def test_nobody_takes_more_than_they_carry() -> None:
    jobs = [job(10, HOME, takes=(1,)), job(20, HOME, takes=(1,)), job(30, HOME, takes=(0,))]

    found = plan_routes([stretch(carries=(1,))], jobs, WAYS)

    assert len(order(found)[LI]) == 2
    assert 30 in order(found)[LI]
    assert len(found.left) == 1


def test_somebody_is_back_at_the_goal_before_the_time_is_over() -> None:
    """An hour there, an hour of work: with an hour back it is three."""
    far = east(23.07)

    just = plan_routes([stretch(hours=(0, 3.02), goal=HOME)], [job(10, far)], WAYS)
    short = plan_routes([stretch(hours=(0, 2.98), goal=HOME)], [job(10, far)], WAYS)
    open_end = plan_routes([stretch(hours=(0, 2.98))], [job(10, far)], WAYS)

    assert (order(just), order(short), order(open_end)) == ({LI: [10]}, {}, {LI: [10]})
    assert short.left == (10,)


def test_waiting_at_doors_counts_as_the_way_does() -> None:
    """The place next door opens at noon: who works there anyway goes, not who would wait for hours."""
    early, noon = job(10, HOME, begins=(0, 0.5)), job(20, HOME, begins=(6, 6.5))
    li = stretch(LI, start=HOME)
    wang = stretch(WANG, start=east(2), hours=(5, 8))

    found = plan_routes([li, wang], [early, noon], WAYS)

    assert order(found) == {LI: [10], WANG: [20]}


def test_nothing_to_do_and_nobody_there_come_to_nothing() -> None:
    assert plan_routes([stretch()], [], WAYS) == Routes((), ())
    assert plan_routes([], [job(10, HOME)], WAYS) == Routes((), (10,))


def test_what_had_to_begin_before_anybody_is_there_is_left() -> None:
    found = plan_routes([stretch(hours=(2, 8))], [job(10, HOME, begins=(0, 1)), job(20, HOME)], WAYS)

    assert (order(found), found.left) == ({LI: [20]}, (10,))


def test_equal_input_gives_equal_routes() -> None:
    people = [stretch(LI), stretch(WANG, start=east(15))]
    jobs = [job(number, east(number * 7 % 31), takes=()) for number in range(1, 13)]

    assert plan_routes(people, jobs, WAYS) == plan_routes(people, jobs, WAYS)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 40), st.floats(0, 6), st.floats(0, 4), st.sampled_from([15, 60, 150])),
        max_size=8,
    )
)
def test_every_route_can_be_walked(drawn: Sequence[tuple[float, float, float, int]]) -> None:
    people = [stretch(LI, hours=(0, 8), goal=HOME), stretch(WANG, hours=(1, 5), start=east(20))]
    jobs = [
        job(number, east(where), begins=(opens, opens + wide), lasts=minutes * MINUTE)
        for number, (where, opens, wide, minutes) in enumerate(drawn)
    ]

    found = plan_routes(people, jobs, WAYS, rounds=200)

    by_key = {each.key: each for each in jobs}
    for route in found.routes:
        walk(route, by_key)
    done = [stop.key for route in found.routes for stop in route.stops]
    assert sorted([*done, *found.left]) == sorted(by_key)


def walk(route: Route, jobs: dict[int, RouteJob]) -> None:
    clock, here = route.stretch.span.starts_at, route.stretch.start
    second = timedelta(seconds=1)
    for stop in route.stops:
        wanted = jobs[stop.key]
        assert clock + WAYS(here, wanted.place) <= stop.starts_at
        assert wanted.begins.starts_at - second < stop.starts_at < wanted.begins.ends_at + second
        assert stop.ends_at - stop.starts_at == wanted.lasts
        assert stop.way == WAYS(here, wanted.place)
        clock, here = stop.ends_at, wanted.place
    if route.stretch.goal is not None:
        clock += WAYS(here, route.stretch.goal)
    assert clock <= route.stretch.span.ends_at


def test_without_the_optional_solver_the_routes_are_as_good(monkeypatch: pytest.MonkeyPatch) -> None:
    people = [stretch(LI, goal=HOME), stretch(WANG, start=east(30), goal=east(30))]
    jobs = [job(number, east(number * 7 % 31)) for number in range(1, 11)]
    begun = plan_routes(people, jobs, WAYS)

    monkeypatch.setitem(sys.modules, "vroom", None)
    alone = plan_routes(people, jobs, WAYS)

    assert not is_available()
    assert (alone.left, begun.left) == ((), ())
    assert alone.travel == begun.travel


def test_parts_that_run_out_are_fetched_where_that_is_on_the_way() -> None:
    """Two parts on board and three to put in: the store lies 20 km out, between the second and the third."""
    jobs = [job(where, east(where), takes=(1,)) for where in (5, 10, 30)]
    li = stretch(carries=(2,))

    stranded = plan_routes([li], jobs, WAYS)
    supplied = plan_routes([li], jobs, WAYS, refill=east(20))

    assert len(stranded.left) == 1
    assert order(supplied) == {LI: [5, 10, 30]}
    assert supplied.routes[0].refill_after == 2
    assert abs(supplied.travel - 78 * MINUTE) < MINUTE


def test_who_begins_late_leaves_no_sooner_than_they_have_to() -> None:
    """The door opens three hours from now, half an hour away."""
    (route,) = plan_routes([stretch()], [job(10, east(11.5), begins=(3, 4))], WAYS).routes

    assert route.stops[0].starts_at == MORNING + 3 * HOUR
    assert abs(route.leaves_at - (MORNING + 2.5 * HOUR)) < MINUTE


def test_one_by_one_is_what_the_order_of_urgency_comes_to() -> None:
    """The urgent job is far; on the way back nobody passes by the near one again before the day is over."""
    jobs = [job(1, east(5)), job(2, east(40), priority=90), job(3, east(10), priority=50)]
    li = stretch(hours=(0, 5.6))

    singly = one_by_one([li], jobs, WAYS)
    planned = plan_routes([li], jobs, WAYS)

    assert (order(singly), singly.left) == ({LI: [2, 3]}, (1,))
    assert (order(planned), planned.left) == ({LI: [1, 3, 2]}, ())
    assert planned.travel < singly.travel
