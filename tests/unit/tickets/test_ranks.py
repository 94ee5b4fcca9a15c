"""Ranks: a card goes between two others, and the order of all the others stays what it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticket_console.tickets.ranks import LONGEST, NoRoomBetween, between

RANKS = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=15, max_size=15)


@given(RANKS, RANKS)
def test_what_is_put_between_two_lies_between_them(one: str, other: str) -> None:  # BRD-02
    first, second = sorted((one, other))
    if first < second:
        assert first < between(first, second, own="x") < second


@given(RANKS)
def test_at_the_ends_of_a_lane_there_is_room(rank: str) -> None:
    assert between(rank, None, own="x") > rank
    if rank.strip("0"):
        assert between(None, rank, own="x") < rank


def test_an_urgent_card_on_top_of_the_last_urgent_one_is_a_second_ahead_and_no_longer() -> None:
    rank = "0mb5w0jk0000abc"
    for _ in range(10_000):
        above = between(None, rank, own="x")
        assert above < rank
        assert len(above) == len(rank)
        rank = above


def test_without_neighbours_a_card_stays_where_it_is() -> None:
    assert between(None, None, own="0abc") == "0abc"


def test_two_neighbours_in_the_wrong_order_mean_the_place_after_the_first() -> None:
    assert between("0b0000000000000", "0a0000000000000", own="x") > "0b0000000000000"


@given(st.lists(st.booleans(), max_size=60))
def test_putting_into_the_same_gap_again_and_again_keeps_every_order(sides: list[bool]) -> None:
    low, high = "0mb5w0jk0000abc", "0mb5w0jk0000abd"
    for is_above in sides:
        middle = between(low, high, own="x")
        assert low < middle < high
        assert len(middle) <= LONGEST
        low, high = (low, middle) if is_above else (middle, high)


def test_a_gap_that_is_used_up_is_refused_in_words() -> None:
    low, high = "0mb5w0jk0000abc", "0mb5w0jk0000abd"

    def use_up(low: str, high: str) -> None:
        for _ in range(1_000):
            high = between(low, high, own="x")

    with pytest.raises(NoRoomBetween):
        use_up(low, high)
