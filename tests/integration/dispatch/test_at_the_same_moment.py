"""Fifty at once: one claim wins, no capacity is exceeded, and the others learn why."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from tests.builders.access import Company, make_company
from tests.builders.dispatch import claimed, load_of, make_tasks
from tests.builders.people import AT, hire, names_of
from ticket_console.dispatch.choosing import AlreadyClaimed, assign_best, assign_to
from ticket_console.dispatch.eligibility import Need
from ticket_console.dispatch.tables import DecisionMode
from ticket_console.kernel.database import transaction

RIVALS = 50


@pytest.fixture
def company(database: object) -> Company:
    return make_company()


def together(attempts: list[Callable[[], object]]) -> list[object]:
    """Run every attempt in a thread of its own, all starting at once; answers and refusals in order."""
    line = Barrier(len(attempts))

    def run(attempt: Callable[[], object]) -> object:
        line.wait()
        try:
            return attempt()
        except AlreadyClaimed as refusal:
            return refusal

    with ThreadPoolExecutor(len(attempts)) as pool:
        return list(pool.map(run, attempts))


def test_of_fifty_claims_exactly_one_wins_and_the_others_learn_whose(company: Company) -> None:
    # pain 33
    rivals = [hire(company, f"T{number}") for number in range(RIVALS)]
    (task,) = make_tasks(company)

    def claim(technician_id: int) -> int:
        with transaction() as connection:
            assign_to(
                connection,
                at=AT,
                by=f"user:{technician_id}",
                need=task,
                technician_id=technician_id,
                mode=DecisionMode.CLAIM,
            )
        return technician_id

    answers = together([lambda each=each: claim(each) for each in rivals])
    winners = [answer for answer in answers if isinstance(answer, int)]
    losers = [answer for answer in answers if isinstance(answer, AlreadyClaimed)]
    assert (len(winners), len(losers)) == (1, RIVALS - 1)
    (name,) = names_of(winners)
    assert {loser.params["who"] for loser in losers} == {name}
    assert {loser.params["when"] for loser in losers} == {"2026-11-21T02:00:00+00:00"}
    assert claimed() == claimed(winners[0]) == [task.token_id]
    assert [load_of(each) for each in rivals] == [int(each == winners[0]) for each in rivals]


def test_fifty_tasks_at_once_fill_everybody_up_and_nobody_above(company: Company) -> None:
    crew = [hire(company, f"T{number}", capacity=capacity) for number, capacity in enumerate((8, 5, 3))]
    tasks = make_tasks(company, RIVALS)

    def dispatch(task: Need) -> int | None:
        with transaction() as connection:
            return assign_best(connection, at=AT, by="system", need=task).technician_id

    answers = together([lambda task=task: dispatch(task) for task in tasks])
    assert [answers.count(each) for each in crew] == [8, 5, 3]
    assert answers.count(None) == RIVALS - 16
    assert [load_of(each) for each in crew] == [8, 5, 3]
    assert len(claimed()) == 16
