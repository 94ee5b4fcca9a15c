"""Timers fire once, in order, and say how late."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from tests.builders.access import Company, make_company
from tests.builders.dispatch import make_tasks
from tests.builders.people import AT
from ticket_console.clocks import timers
from ticket_console.clocks.tables import Timer, TimerState
from ticket_console.clocks.timers import DueTimer
from ticket_console.dispatch.eligibility import Need
from ticket_console.kernel.database import reading, table, transaction

MINUTE = timedelta(minutes=1)


@pytest.fixture
def company(database: object) -> Company:
    return make_company()


@pytest.fixture
def task(company: Company) -> Need:
    return make_tasks(company)[0]


def arm(task: Need, fact_key: str = "node:1", due_at: datetime = AT) -> bool:
    with transaction() as connection:
        return timers.arm(
            connection,
            fact_key=fact_key,
            kind="node",
            ticket_id=task.ticket_id,
            token_id=task.token_id,
            due_at=due_at,
        )


def due(at: datetime = AT, limit: int = 100) -> tuple[DueTimer, ...]:
    with reading() as connection:
        return timers.due(connection, at=at, limit=limit)


def fire(timer_id: int, at: datetime = AT) -> bool:
    with transaction() as connection:
        return timers.mark_fired(connection, timer_id=timer_id, at=at)


def states() -> list[tuple[str, TimerState, datetime | None, int | None]]:
    made = table(Timer)
    columns = (made.c.fact_key, made.c.state, made.c.fired_at, made.c.late_ms)
    with reading() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(made.c.id))]


def test_a_fact_is_armed_once(task: Need) -> None:
    assert arm(task) is True
    assert arm(task, due_at=AT + MINUTE) is False
    assert [timer.due_at for timer in due(AT + MINUTE)] == [AT]


def test_timers_are_due_from_their_moment_on_the_longest_overdue_first(company: Company, task: Need) -> None:
    arm(task, "late", AT - MINUTE)
    arm(task, "now", AT)
    arm(task, "later", AT + timedelta(microseconds=1))
    found = due()
    assert [timer.due_at for timer in found] == [AT - MINUTE, AT]
    assert due(limit=1) == found[:1]
    assert found[0] == DueTimer(
        found[0].timer_id, company.org_id, task.ticket_id, task.token_id, "node", AT - MINUTE
    )


def test_a_timer_fires_once_and_says_how_late(task: Need) -> None:
    arm(task, due_at=AT - timedelta(seconds=2, microseconds=1999))
    (timer,) = due()
    assert fire(timer.timer_id) is True
    assert fire(timer.timer_id) is False
    assert states() == [("node:1", TimerState.FIRED, AT, 2_001)]
    assert due() == ()


def test_what_a_timer_causes_and_the_timer_stand_or_fall_together(task: Need) -> None:
    arm(task)
    (timer,) = due()

    def fail_while_firing() -> None:
        with transaction() as connection:
            timers.mark_fired(connection, timer_id=timer.timer_id, at=AT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_while_firing()
    assert due() == (timer,)


def test_timers_of_tokens_that_leave_are_cancelled(company: Company) -> None:
    leaving, staying = make_tasks(company, 2)
    arm(leaving, "one")
    arm(leaving, "two")
    arm(staying, "three")
    (first, *_) = due()
    fire(first.timer_id)
    with transaction() as connection:
        assert timers.cancel_for_tokens(connection, [leaving.token_id]) == 1
        assert timers.cancel_for_tokens(connection, []) == 0
    assert [state for _, state, _, _ in states()] == [
        TimerState.FIRED,
        TimerState.CANCELLED,
        TimerState.ARMED,
    ]
    assert fire(first.timer_id) is False


def test_a_timer_whose_work_fails_makes_way_for_the_next(task: Need) -> None:
    arm(task, "poison", AT - MINUTE)
    arm(task, "fine", AT)
    with transaction() as connection:
        timers.postpone(connection, timer_id=due()[0].timer_id, until=AT + MINUTE)
    assert [timer.due_at for timer in due()] == [AT]
    assert len(due(AT + MINUTE)) == 2


def test_the_lag_is_that_of_the_oldest_timer_nobody_fired(task: Need) -> None:
    def lag() -> timedelta:
        with reading() as connection:
            return timers.lag(connection, at=AT)

    assert lag() == timedelta(0)
    arm(task, "later", AT + MINUTE)
    assert lag() == timedelta(0)
    arm(task, "late", AT - MINUTE)
    assert lag() == MINUTE


def test_of_many_workers_one_fires_a_timer(task: Need) -> None:
    arm(task)
    (timer,) = due()
    line = Barrier(8)

    def work(_: int) -> bool:
        line.wait()
        return fire(timer.timer_id)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(work, range(8))) == [False] * 7 + [True]
