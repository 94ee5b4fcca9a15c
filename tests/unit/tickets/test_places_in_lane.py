"""Where a card stands in its lane: open ones by priority, then age; ended ones by their end, latest first."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.tickets.marking import TicketStatus
from ticket_console.tickets.writing import place_in_lane

AT = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
IDS = st.integers(1, 36**6 - 1)


def still_open(priority: int, *, opened_at: datetime = AT, ticket_id: int = 10_001) -> tuple[int, str]:
    return place_in_lane(
        TicketStatus.OPEN, priority=priority, opened_at=opened_at, ended_at=None, ticket_id=ticket_id
    )


def ended(at: datetime, *, priority: int = 1, ticket_id: int = 10_001) -> tuple[int, str]:
    return place_in_lane(
        TicketStatus.CLOSED, priority=priority, opened_at=AT, ended_at=at, ticket_id=ticket_id
    )


def test_the_more_pressing_stands_above_the_older() -> None:
    assert still_open(1, opened_at=AT) < still_open(2, opened_at=AT - timedelta(days=9))


def test_of_equals_the_older_stands_above() -> None:
    assert still_open(2, opened_at=AT) < still_open(2, opened_at=AT + timedelta(milliseconds=1))


def test_of_the_same_moment_the_lower_number_stands_above() -> None:
    assert still_open(2, ticket_id=10_001) < still_open(2, ticket_id=10_002)


@given(INSTANTS, INSTANTS, IDS, IDS)
def test_age_never_stands_the_wrong_way_round(
    first: datetime, second: datetime, first_id: int, second_id: int
) -> None:
    is_older = first + timedelta(milliseconds=1) <= second

    above = still_open(3, opened_at=first, ticket_id=first_id)
    below = still_open(3, opened_at=second, ticket_id=second_id)

    assert above < below or not is_older


@given(INSTANTS, INSTANTS, IDS, IDS, st.integers(1, 4))
def test_what_ended_last_stands_first_whatever_its_priority(
    first: datetime, second: datetime, first_id: int, second_id: int, priority: int
) -> None:
    is_later = first >= second + timedelta(milliseconds=1)

    above = ended(first, ticket_id=first_id, priority=priority)
    below = ended(second, ticket_id=second_id)

    assert above < below or not is_later


@pytest.mark.parametrize("status", [TicketStatus.CLOSED, TicketStatus.CANCELLED])
def test_what_ended_stands_below_everything_open(status: TicketStatus) -> None:
    over = place_in_lane(status, priority=1, opened_at=AT, ended_at=AT, ticket_id=10_001)

    assert over > still_open(4, opened_at=AT + timedelta(days=900))


@given(INSTANTS, IDS)
def test_a_rank_is_fifteen_lower_case_letters_and_digits(at: datetime, ticket_id: int) -> None:
    rank = still_open(1, opened_at=at, ticket_id=ticket_id)[1]

    assert len(rank) == 15
    assert rank.isascii()
    assert rank == rank.lower()
    assert rank.isalnum()


def test_a_moment_before_all_ranks_is_refused_and_not_counted_for_ever() -> None:
    with pytest.raises(ValueError, match="rank"):
        still_open(1, opened_at=datetime(1969, 12, 31, tzinfo=UTC))
