"""By when a ticket is to be answered and solved."""

from datetime import UTC, datetime, timedelta

import pytest

from ticket_console.clocks.targets import RESOLVE, RESPOND, due_at, response_due_at

OPENED = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(("priority", "hours"), [(1, 4), (2, 8), (3, 24), (4, 72)])
def test_a_ticket_is_due_by_its_priority(priority: int, hours: int) -> None:
    assert due_at(priority=priority, opened_at=OPENED) == OPENED + timedelta(hours=hours)


@pytest.mark.parametrize(("priority", "minutes"), [(1, 15), (2, 30), (3, 120), (4, 480)])
def test_an_answer_is_due_by_the_priority(priority: int, minutes: int) -> None:
    assert response_due_at(priority=priority, opened_at=OPENED) == OPENED + timedelta(minutes=minutes)


def test_a_company_may_promise_other_times() -> None:
    assert due_at(priority=1, opened_at=OPENED, targets={1: timedelta(hours=1)}) == OPENED + timedelta(
        hours=1
    )


def test_every_priority_is_answered_before_it_is_solved() -> None:
    assert RESOLVE.keys() == RESPOND.keys()
    assert all(RESPOND[priority] < RESOLVE[priority] for priority in RESOLVE)
