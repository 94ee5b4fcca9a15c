"""A board's filters live in its address, and an address can hold anything."""

import pytest

from ticket_console.state.board import filters_of
from ticket_console.tickets.board import BoardFilters


def test_an_address_says_what_to_show() -> None:
    asked = {"region": "3", "template": "7", "priority": "1", "assignee": "12", "overdue": "1", "q": " 冷库 "}

    assert filters_of(asked) == BoardFilters(
        region_id=3, template_id=7, priority=1, assignee_id=12, is_overdue=True, search="冷库"
    )


def test_nobody_assigned_and_mine_are_asked_by_word() -> None:
    assert filters_of({"assignee": "none", "mine": "1"}) == BoardFilters(is_unassigned=True, is_mine=True)


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "1.5", "９", "1" * 40, "'; DROP TABLE ticket"])
def test_what_makes_no_sense_asks_for_nothing(nonsense: str) -> None:
    asked = dict.fromkeys(("region", "template", "priority", "assignee", "overdue", "mine"), nonsense)

    assert filters_of(asked) == BoardFilters()


def test_a_search_is_cut_where_no_title_is_that_long() -> None:
    assert len(filters_of({"q": "x" * 5_000}).search) == 100
