"""What a browser sends to the board can be anything; what makes no sense is refused by name."""

from typing import Any

import pytest

from ticket_console.desk.bulk import Order
from ticket_console.kernel.errors import InvalidInput
from ticket_console.state import board_asked
from ticket_console.state.board import filters_of
from ticket_console.state.board_asked import Target
from ticket_console.tickets.board import BoardFilters, By, Rows

NONSENSE: tuple[Any, ...] = (None, "", "x", -1, True, 1.5, 2**63, [], {}, [1], {"a": 1}, "\x00", "\ud800")


def test_a_drop_says_where() -> None:
    asked = {"by": "person", "key": "7", "before": 3, "after": None}

    assert board_asked.target_asked(asked) == Target(By.PERSON, "7", 3, None)


@pytest.mark.parametrize(
    "asked",
    [
        *NONSENSE,
        {"by": "stage"},
        {"by": "colour", "key": "x"},
        {"by": [], "key": "x"},
        {"by": "stage", "key": "x" * 65},
        {"by": "stage", "key": "x", "before": "1"},
        {"by": "stage", "key": "x", "after": -1},
    ],
    ids=repr,
)
def test_a_drop_nowhere_is_refused(asked: Any) -> None:
    with pytest.raises(InvalidInput):
        board_asked.target_asked(asked)


@pytest.mark.parametrize("asked", [each for each in NONSENSE if each != []], ids=repr)
def test_a_window_after_nothing_of_the_kind_is_refused(asked: Any) -> None:
    with pytest.raises(InvalidInput):
        board_asked.place_asked(asked)
    with pytest.raises(InvalidInput):
        board_asked.place_asked([asked, asked])


def test_many_are_pairs_of_numbers_and_no_more_than_a_hundred() -> None:
    assert board_asked.items_asked([[1, 2], [3, 4]]) == [(1, 2), (3, 4)]
    for wrong in (NONSENSE, [[1, 1]] * 101, [[1]], [["1", 1]], "x", None):
        with pytest.raises(InvalidInput):
            board_asked.items_asked(list(wrong) if isinstance(wrong, tuple) else wrong)


def test_an_order_takes_what_it_knows() -> None:
    asked = {"technician_id": 7, "reason": "病", "override": True, "evil": {}}

    assert board_asked.order_asked("assign", asked) == Order(
        "assign", technician_id=7, reason="病", override=True
    )


@pytest.mark.parametrize(
    "args",
    [
        None,
        [],
        {"technician_id": "7"},
        {"reason": 7},
        {"reason": "x" * 2_001},
        {"override": "yes"},
        {"priority": 2**70},
        {"to": "\ud800"},
    ],
    ids=repr,
)
def test_an_order_of_the_wrong_kind_is_refused(args: Any) -> None:
    with pytest.raises(InvalidInput):
        board_asked.order_asked("assign", args)


def test_an_address_says_how_the_board_is_laid_out() -> None:
    asked = {"by": "due", "rows": "region", "vip": "1", "late": "1", "unread": "1"}

    assert filters_of(asked, user_id=7) == BoardFilters(
        by=By.DUE, rows=Rows.REGION, is_vip=True, is_late=True, unread_of=7
    )
    assert filters_of({"by": "colour", "rows": "'; DROP", "vip": "yes"}) == BoardFilters()
