"""What a browser sends to a branch, and what anybody else could send in its place."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ticket_console.desk.sandbox.committing import Choice, Decided
from ticket_console.kernel.errors import InvalidInput
from ticket_console.state import sandbox

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, 2**31, None, "7", True, [], {}])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput) as refused:
        sandbox._whole("minutes", value)

    assert [(each.path, each.code) for each in refused.value.problems] == [("minutes", "field.not_a_number")]


def test_a_number_is_taken_as_it_is() -> None:
    assert (sandbox._whole("minutes", 60), sandbox._whole("minutes", 60.0)) == (60, 60)


def test_decisions_are_by_ticket_with_the_version_that_was_seen() -> None:
    assert sandbox._decisions([[7, "mine", 3], [8, "live", 1]]) == {
        7: Decided(Choice.MINE, 3),
        8: Decided(Choice.LIVE, 1),
    }


@pytest.mark.parametrize(
    "given",
    [
        [[7, "theirs", 3]],
        [[7, "mine"]],
        [["x", "mine", 3]],
        [[7, "mine", float("nan")]],
        [[7, "mine", None]],
        [7],
    ],
)
def test_what_is_no_decision_is_refused(given: list[list[object]]) -> None:
    with pytest.raises(InvalidInput):
        sandbox._decisions(given)


def test_a_time_is_the_regions_clock() -> None:
    assert sandbox._instant("2026-11-23T09:30", SHANGHAI) == datetime(2026, 11, 23, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("wall", ["", "tomorrow", "2026-13-40T09:30", "0001-01-01T00:00"])
def test_what_is_no_time_is_refused(wall: str) -> None:
    with pytest.raises(InvalidInput):
        sandbox._instant(wall, SHANGHAI)
