"""The time of a ticket, cut up by the billing standards of the steps it stood at."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ticket_console.settlement.segments import Segment, Stay, partition, standard_of

OPENED = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return OPENED + timedelta(minutes=minutes)


def stay(standard: str, entered: int, left: int | None) -> Stay:
    return Stay(standard, at(entered), None if left is None else at(left))


def cut(*stays: Stay, until: int = 100) -> list[tuple[str, int, int]]:
    found = partition(stays, starts_at=OPENED, ends_at=at(until), standard="main")
    return [(each.code, _minutes(each.starts_at), _minutes(each.ends_at)) for each in found]


def _minutes(when: datetime) -> int:
    return int((when - OPENED).total_seconds() // 60)


def test_the_standard_switches_where_the_ticket_moves() -> None:  # STL-18
    assert cut(stay("care", 0, 30), stay("rescue", 30, 45), stay("care", 45, None)) == [
        ("care", 0, 30),
        ("rescue", 30, 45),
        ("care#2", 45, 100),
    ]


def test_steps_of_one_standard_are_one_segment() -> None:
    assert cut(stay("main", 0, 30), stay("main", 30, None)) == [("main", 0, 100)]


def test_time_between_two_steps_belongs_to_the_one_before() -> None:
    assert cut(stay("care", 10, 20), stay("rescue", 40, None)) == [
        ("main", 0, 10),
        ("care", 10, 40),
        ("rescue", 40, 100),
    ]


def test_of_steps_side_by_side_the_one_come_to_last_counts() -> None:
    assert cut(stay("care", 0, 90), stay("rescue", 20, 50)) == [
        ("care", 0, 20),
        ("rescue", 20, 50),
        ("care#2", 50, 100),
    ]


def test_a_step_passed_in_no_time_makes_no_segment() -> None:
    assert cut(stay("care", 0, 30), stay("rescue", 30, 30), stay("care", 30, None)) == [("care", 0, 100)]


def test_a_ticket_of_no_time_has_no_segments() -> None:
    assert cut(stay("care", 0, None), until=0) == []


def test_a_segment_says_its_standard_and_which_time_it_is() -> None:
    assert (standard_of("rescue"), standard_of("rescue#3")) == (("rescue", 1), ("rescue", 3))


_STAYS = st.lists(
    st.builds(
        lambda standard, entered, length: stay(
            standard, entered, None if length is None else entered + length
        ),
        st.sampled_from(["main", "care", "rescue"]),
        st.integers(-20, 120),
        st.none() | st.integers(0, 60),
    ),
    max_size=8,
)


@given(stays=_STAYS, until=st.integers(1, 100))
def test_segments_partition_the_time_of_the_ticket(stays: list[Stay], until: int) -> None:  # STL-18
    found = partition(stays, starts_at=OPENED, ends_at=at(until), standard="main")

    assert (found[0].starts_at, found[-1].ends_at) == (OPENED, at(until))
    assert all(each.starts_at < each.ends_at for each in found)
    assert all(one.ends_at == other.starts_at for one, other in pairwise(found))
    assert all(one.standard != other.standard for one, other in pairwise(found))
    assert sum((each.ends_at - each.starts_at for each in found), timedelta()) == timedelta(minutes=until)
    assert len({each.code for each in found}) == len(found)
    assert all(standard_of(each.code)[0] == each.standard for each in found)


@given(stays=_STAYS, minute=st.integers(0, 99))
def test_every_instant_is_billed_by_the_step_come_to_last(stays: list[Stay], minute: int) -> None:
    found = partition(stays, starts_at=OPENED, ends_at=at(100), standard="main")

    here = [
        each
        for each in stays
        if each.entered_at <= at(minute) and (each.left_at is None or at(minute) < each.left_at)
    ]
    holding: Segment = next(each for each in found if each.starts_at <= at(minute) < each.ends_at)
    if here:
        latest = max(each.entered_at for each in here)
        assert holding.standard == [each.standard for each in here if each.entered_at == latest][-1]
