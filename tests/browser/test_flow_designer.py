"""A manager draws a process as a person would: by mouse, by keyboard, in two browsers at once."""

import json
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.fixtures.browsers import OpenPage, Server

TEN_MINUTES = 600
STILL_MS = 700
WORDS = {
    "zh": {
        "exclusive": "条件分支",
        "parallel": "并行分支",
        "visit": "上门服务",
        "inspect": "拍照检查",
        "join": "并行汇合",
        "timer": "等待",
        "acceptance": "客户验收",
    },
    "en": {
        "exclusive": "Decision",
        "parallel": "Parallel split",
        "visit": "Visit",
        "inspect": "Inspection",
        "join": "Parallel join",
        "timer": "Wait",
        "acceptance": "Customer acceptance",
    },
}


def begin(page: Page) -> str:
    """A new flow of the smallest kind, open on its canvas."""
    code = f"drawn_{uuid4().hex[:8]}"
    page.goto("/designer/flows/new")
    page.locator("[name=zh]").fill("演练流程")
    page.locator("[name=en]").fill("Drawn flow")
    page.locator("[name=code]").fill(code)
    page.locator("form button[type=submit]").click()
    node(page, "task").wait_for()
    return code


def node(page: Page, key: str) -> Locator:
    return page.locator(f'.react-flow__node[data-id="{key}"]')


def edge(page: Page, key: str) -> Locator:
    return page.locator(f'.react-flow__edge[data-id="{key}"]')


def saved(page: Page) -> None:
    expect(page.locator('[data-test="save-state"]')).to_have_attribute("data-state", "saved")


def fit(page: Page) -> None:
    page.locator(".fl-zoom button").nth(3).click()
    # The view glides to its place; a person waits for that as well.
    page.wait_for_timeout(STILL_MS)


def add_after(page: Page, key: str, preset: str, words: dict[str, str]) -> None:
    node(page, key).click()
    page.wait_for_timeout(STILL_MS)
    node(page, key).locator(".fl-next").click()
    page.locator(".fl-picker input").fill(words[preset])
    page.keyboard.press("Enter")
    expect(node(page, preset)).to_have_count(1)
    fit(page)


def move_to(page: Page, goal: Locator) -> None:
    box = goal.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=8)


def draw_edge(page: Page, source: str, target: str) -> None:
    fit(page)
    node(page, source).hover()
    move_to(page, node(page, source).locator(".fl-out"))
    page.mouse.down()
    # Near its border the canvas moves under the pointer: the goal is looked for again, as eyes do.
    for _ in range(4):
        move_to(page, node(page, target))
        page.wait_for_timeout(120)
    page.mouse.up()
    expect(edge(page, f"{source}_to_{target}")).to_have_count(1)


def kept(server: Server, code: str) -> dict[str, Any]:
    """The draft's document as the database has it."""
    with sqlite3.connect(Path(server.environ["DATA_DIR"]) / "console.db") as connection:
        row = connection.execute("SELECT document FROM draft WHERE code = ?", [code]).fetchone()
    return dict(json.loads(row[0]))


def drawn(page: Page) -> tuple[list[str], list[str]]:
    """The keys of what is on the canvas: nodes, and edges."""
    keys = [
        page.locator(f".react-flow__{kind}").evaluate_all("all => all.map(each => each.dataset.id)")
        for kind in ("node", "edge")
    ]
    return sorted(keys[0]), sorted(keys[1])


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_process_with_branch_parallel_part_return_and_timer_is_drawn_in_ten_minutes(
    page_as: OpenPage, server: Server, locale: str
) -> None:  # TPL-02, FLW-01, FLW-12
    page = page_as("manager", locale=locale)
    words = WORDS[locale]
    started = time.monotonic()
    code = begin(page)
    fit(page)
    edge(page, "task-end").click(force=True)
    page.keyboard.press("Delete")
    expect(edge(page, "task-end")).to_have_count(0)
    for source, preset in (
        ("task", "exclusive"),
        ("exclusive", "parallel"),
        ("parallel", "visit"),
        ("parallel", "inspect"),
        ("visit", "join"),
        ("join", "timer"),
        ("timer", "acceptance"),
    ):
        add_after(page, source, preset, words)
    draw_edge(page, "inspect", "join")
    draw_edge(page, "acceptance", "end")
    draw_edge(page, "acceptance", "task")
    draw_edge(page, "exclusive", "end")
    page.locator('[data-test="arrange"]').click()
    saved(page)
    took = time.monotonic() - started

    document = kept(server, code)
    kinds = {each["key"]: each["kind"] for each in document["edges"]}
    assert took < TEN_MINUTES
    sys.stdout.write(f"drawn in {took:.1f} s ({locale})\n")
    assert kinds["acceptance_to_task"] == "return"
    assert drawn(page) == (
        sorted(each["key"] for each in document["nodes"]),
        sorted(kinds),
    )
    assert sorted(document["drawing"]["nodes"]) == sorted(each["key"] for each in document["nodes"])


def test_undo_leads_to_the_first_state_and_redo_to_the_last(page_as: OpenPage, server: Server) -> None:
    # FLW-01
    page = page_as("manager", locale="en")
    code = begin(page)
    first = kept(server, code)
    fit(page)
    add_after(page, "task", "visit", WORDS["en"] | {"visit": "Visit"})
    page.keyboard.press("Escape")
    node(page, "visit").press("Delete")
    expect(node(page, "visit")).to_have_count(0)
    page.locator('[data-test="arrange"]').click()
    saved(page)
    last = kept(server, code)
    undo, redo = (page.locator(f'[data-test="{name}"]') for name in ("undo", "redo"))

    for _ in range(3):
        undo.click()
    expect(undo).to_be_disabled()
    saved(page)
    assert kept(server, code) == first

    for _ in range(3):
        redo.click()
    expect(redo).to_be_disabled()
    saved(page)
    assert kept(server, code) == last


def test_a_step_is_added_connected_and_named_with_the_keyboard_alone(
    page_as: OpenPage, server: Server
) -> None:
    page = page_as("manager", locale="en")
    code = begin(page)
    node(page, "task").focus()
    page.keyboard.press("n")
    page.locator(".fl-picker input").wait_for()
    page.keyboard.type("Inspection")
    page.keyboard.press("Enter")
    expect(node(page, "inspect")).to_be_focused()
    page.keyboard.press("c")
    page.locator(".fl-picker input").wait_for()
    page.keyboard.type("End")
    page.keyboard.press("Enter")
    expect(edge(page, "inspect_to_end")).to_have_count(1)
    node(page, "inspect").focus()
    page.keyboard.press("F2")
    page.locator(".fl-rename").wait_for()
    page.keyboard.type("Look closely")
    page.keyboard.press("Enter")
    saved(page)

    named = {each["key"]: each["name"] for each in kept(server, code)["nodes"]}
    assert named["inspect"] == {"en": "Look closely"}
    expect(page.locator('[data-test="said"]')).to_contain_text("Look closely")


def test_two_windows_of_one_author_follow_each_other(page_as: OpenPage) -> None:
    one = page_as("manager", locale="en")
    code = begin(one)
    other = page_as("manager", f"/designer/flows/{code}", locale="zh")
    node(other, "task").wait_for()

    node(one, "task").focus()
    one.keyboard.press("n")
    one.locator(".fl-picker input").wait_for()
    one.keyboard.type("Inspection")
    one.keyboard.press("Enter")

    expect(node(other, "inspect")).to_have_count(1)
