"""A task's load goes from one person to another: never above the capacity, and never in a deadlock."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.builders.access import Company, make_company
from tests.builders.dispatch import load_of
from tests.builders.people import hire
from ticket_console.dispatch import booking
from ticket_console.kernel.database import transaction


@pytest.fixture
def company(database: object) -> Company:
    return make_company()


def give(technician_id: int, tasks: int) -> None:
    with transaction() as connection:
        for _ in range(tasks):
            booking.raise_load(connection, technician_id)


def test_a_load_moves_where_there_is_room_and_stays_where_there_is_none(company: Company) -> None:
    li, wang = hire(company, "Li"), hire(company, "Wang")
    give(li, 3)
    with transaction() as connection:
        answers = [booking.move_load(connection, li, wang, capacity=2) for _ in range(3)]

    assert answers == [True, True, False]
    assert (load_of(li), load_of(wang)) == (1, 2)


def test_somebody_who_never_had_a_task_can_be_held(company: Company) -> None:
    li = hire(company, "Li")
    with transaction() as connection:
        assert booking.hold_people(connection, (li,)) == {li: 0}


def test_loads_that_change_places_at_once_all_arrive(company: Company) -> None:
    """No retry here: a deadlock would end one of them."""
    li, wang = hire(company, "Li"), hire(company, "Wang")
    give(li, 20)
    give(wang, 20)
    line = Barrier(8)

    def swap(number: int) -> bool:
        line.wait()
        giver, taker = (li, wang) if number % 2 else (wang, li)
        with transaction() as connection:
            return booking.move_load(connection, giver, taker)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(swap, range(8))) == [True] * 8
    assert (load_of(li), load_of(wang)) == (20, 20)
