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

from tests.browser.who_works import second_manager
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
        "name": "演练表单",
        "problem": "门禁打不开",
    },
    "en": {
        "exclusive": "Decision",
        "parallel": "Parallel split",
        "visit": "Visit",
        "inspect": "Inspection",
        "join": "Parallel join",
        "timer": "Wait",
        "acceptance": "Customer acceptance",
        "name": "Drill form",
        "problem": "The gate does not open",
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


def open_part(page: Page, part: Locator) -> Locator:
    """The inspector of a node or an edge, opened as the keyboard does it."""
    part.focus()
    page.keyboard.press("Enter")
    inspector = page.locator(".fl-inspector")
    expect(inspector.locator("[data-focus]").first).to_be_focused()
    return inspector


def section(inspector: Locator, name: str) -> Locator:
    """A section of the inspector, unfolded."""
    found = inspector.locator(f'[data-section$="-{name}"]')
    head = found.locator(".fl-section-head")
    if head.get_attribute("aria-expanded") == "false":
        head.click()
    return found


def publish(page: Page) -> None:
    saved(page)
    page.locator('[data-test="publish"]').click()
    page.locator('[data-test="publish-now"]').click()
    expect(page.locator('[data-test="publishing"]')).to_have_count(0)


def published(server: Server, code: str) -> list[dict[str, Any]]:
    """The graphs of a flow that were published, the oldest first."""
    query = """
        SELECT graph FROM flow_version JOIN flow ON flow.id = flow_version.flow_id
        WHERE flow.code = ? ORDER BY number
    """
    with sqlite3.connect(Path(server.environ["DATA_DIR"]) / "console.db") as connection:
        rows = connection.execute(query, [code]).fetchall()
    return [dict(json.loads(row[0])) for row in rows]


def form_following(page: Page, code: str, name: str) -> str:
    """A form like the general one whose tickets take the flow; its code."""
    page.goto("/designer")
    page.locator("[data-test=new-form]").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[data-tongue=zh]").fill(name)
    dialog.locator("[data-tongue=en]").fill(name)
    dialog.locator(".fm-segments label").nth(1).click()
    dialog.locator("select").select_option("copy:general")
    dialog.locator("[data-test=create]").click()
    page.locator("[data-test=form-designer]").wait_for()
    page.locator(f'.fm-right select:has(option[value="{code}"])').select_option(code)
    expect(page.locator("[data-test=saved]")).to_have_attribute("data-state", "saved")
    page.locator("[data-test=publish]").click()
    page.get_by_role("dialog").locator("[data-test=publish-now]").click()
    expect(page.locator(".fm-published")).to_be_visible()
    return page.url.rpartition("/")[2]


def ticket_of(page: Page, form: str, problem: str) -> int:
    """A new ticket by the form, opened as the page's reader."""
    page.goto(f"/tickets/new?template={form}")
    page.locator("textarea").first.fill(problem)
    page.locator("[data-action=open], form button[type=submit]").first.click()
    link = page.locator('.tc-opened a[href^="/tickets/"]').first.get_attribute("href")
    assert link is not None
    return int(link.rpartition("/")[2])


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
def test_a_process_is_drawn_published_and_used_within_ten_minutes(
    page_as: OpenPage, server: Server, locale: str, capsys: pytest.CaptureFixture[str]
) -> None:  # TPL-02, FLW-01, FLW-02, FLW-12
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
    set_up_the_process(page)
    publish(page)
    form = form_following(page, code, f"{words['name']} {code[-4:]}")
    ticket_id = ticket_of(page, form, words["problem"])
    walk(page_as, ticket_id, locale)
    took = time.monotonic() - started

    (graph,) = published(server, code)
    document = kept(server, code)
    edges = {each["key"]: each for each in graph["edges"]}
    nodes = {each["key"]: each for each in graph["nodes"]}
    with capsys.disabled():
        sys.stdout.write(f"FLW-01 {locale}: drawn, published, used and walked through in {took:.1f} s\n")
    assert took < TEN_MINUTES
    assert edges["acceptance_to_task"]["kind"] == "return"
    assert edges["exclusive_to_parallel"]["default"] is True
    assert edges["exclusive_to_end"]["guard"] == {
        "combinator": "and",
        "rules": [{"field": "returns", "operator": ">", "value": "2"}],
    }
    assert nodes["join"]["join"] == "all"
    assert nodes["timer"]["delay_seconds"] == 3
    assert nodes["visit"]["handler"] == {"mode": "queue", "role": "agent"}
    assert nodes["visit"]["fields"] == [{"key": "actions", "required": True}]
    assert sorted(graph["drawing"]["nodes"]) == sorted(nodes)
    assert sorted(nodes) == sorted(each["key"] for each in document["nodes"])


def set_up_the_process(page: Page) -> None:
    """Who does the steps, what they fill in, how long is waited, and when the short way is taken."""
    for key in ("visit", "inspect"):
        inspector = open_part(page, node(page, key))
        handler = section(inspector, "handler").locator("select")
        handler.first.select_option("queue")
        handler.nth(1).select_option("agent")
    evidence = section(inspector, "evidence").locator("input[type=checkbox]").first
    evidence.uncheck()
    inspector = open_part(page, node(page, "visit"))
    form = section(inspector, "form")
    form.locator("select").last.select_option("actions")
    form.locator(".fl-use-need input").check()
    inspector = open_part(page, node(page, "timer"))
    timer = section(inspector, "timer")
    timer.locator(".fl-unit select").select_option("minutes")
    timer.locator("input").fill("0.05")
    timer.locator("input").press("Enter")
    inspector = open_part(page, node(page, "acceptance"))
    handler = section(inspector, "handler").locator("select")
    handler.first.select_option("queue")
    handler.nth(1).select_option("manager")
    section(inspector, "evidence").locator("input[type=checkbox]").nth(1).uncheck()
    inspector = open_part(page, edge(page, "exclusive_to_end"))
    guard = inspector.locator(".fl-guard")
    guard.locator("button").first.click()
    guard.locator(".tc-cond-field").select_option("returns")
    guard.locator(".tc-cond-operator").select_option(">")
    guard.locator(".tc-cond-rule input").fill("2")
    expect(edge_label(page, "exclusive_to_end")).to_contain_text("2")
    saved(page)
    expect(page.locator('[data-test="problems"]')).not_to_have_attribute("data-problems", "danger")


def edge_label(page: Page, key: str) -> Locator:
    return page.locator(f'.fl-edge-label[data-key="{key}"]')


def walk(page_as: OpenPage, ticket_id: int, locale: str) -> None:
    """The ticket's way: sent back once by the manager, then done."""
    pages = {
        who: page_as(who, f"/tickets/{ticket_id}", locale=locale)
        for who in ("dispatcher", "agent", "manager")
    }

    def finish(who: str, action: str) -> None:
        pages[who].locator(f'[data-action="{action}"]').click()
        expect(pages[who].locator(f'[data-action="{action}"]')).to_have_count(0)

    for turn in ("sent back", "accepted"):
        finish("dispatcher", "task_to_exclusive")
        expect(pages["agent"].locator('[data-action="inspect_to_join"]')).to_be_visible()
        visit = pages["agent"].locator(
            ".tc-step", has=pages["agent"].locator('[data-action="visit_to_join"]')
        )
        visit.locator('[data-field="actions"] textarea, [data-field="actions"] input').first.fill(turn)
        finish("agent", "visit_to_join")
        finish("agent", "inspect_to_join")
        accept = pages["manager"].locator('[data-action="acceptance_to_end"]')
        accept.wait_for()
        if turn == "accepted":
            finish("manager", "acceptance_to_end")
            break
        pages["manager"].locator(".tc-step-ways button").first.click()
        dialog = pages["manager"].get_by_role("dialog")
        dialog.locator("textarea, input").first.fill("…")
        dialog.locator('button[data-tone="primary"]').click()
        expect(accept).to_have_count(0)
    expect(pages["manager"].locator(".tc-step")).to_have_count(0)


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


def test_a_new_step_is_named_in_both_languages(page_as: OpenPage, server: Server) -> None:
    page = page_as("manager", locale="zh")
    code = begin(page)

    add_after(page, "task", "approval", {"approval": "审批"})
    saved(page)

    named = {each["key"]: each["name"] for each in kept(server, code)["nodes"]}
    assert named["approval"] == {"zh": "审批", "en": "Approval"}


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


def test_publishing_is_refused_with_every_problem_named_and_clickable(
    page_as: OpenPage, server: Server
) -> None:  # FLW-12
    page = page_as("manager", locale="en")
    code = begin(page)
    node(page, "task").focus()
    page.keyboard.press("n")
    page.locator(".fl-picker input").fill("Inspection")
    page.keyboard.press("Enter")
    expect(node(page, "inspect")).to_be_focused()
    saved(page)
    page.locator('[data-test="publish"]').click()

    problem = page.locator('[data-test="publishing"] .fl-problem[data-part="inspect"]').first
    expect(problem).to_contain_text("Inspection")
    expect(page.locator('[data-test="publish-now"]')).to_be_disabled()
    problem.click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(node(page, "inspect").locator("[data-selected]")).to_have_count(1)
    expect(page.locator('[data-panel="problems"] .fl-problem').first).to_be_visible()
    assert published(server, code) == []


def test_a_small_flow_is_built_and_published_with_the_keyboard_alone(
    page_as: OpenPage, server: Server
) -> None:
    page = page_as("manager", locale="en")
    code = begin(page)
    edge(page, "task-end").focus()
    page.keyboard.press("Delete")
    expect(edge(page, "task-end")).to_have_count(0)
    node(page, "task").focus()
    page.keyboard.press("n")
    page.locator(".fl-picker input").wait_for()
    page.keyboard.type("Task")
    page.keyboard.press("Enter")
    expect(node(page, "task_2")).to_be_focused()
    page.keyboard.press("c")
    page.locator(".fl-picker input").wait_for()
    page.keyboard.type("End")
    page.keyboard.press("Enter")
    expect(edge(page, "task_2_to_end")).to_have_count(1)
    saved(page)
    page.locator('[data-test="publish"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator('[data-test="publish-now"]')).to_be_enabled()
    expect(page.locator('[data-test="publishing"] textarea')).to_be_focused()
    page.keyboard.type("A second look")
    for _ in range(4):
        page.keyboard.press("Tab")
        if page.locator('[data-test="publish-now"]:focus').count():
            break
    page.keyboard.press("Enter")
    expect(page.locator('[data-test="publishing"]')).to_have_count(0)

    (graph,) = published(server, code)
    assert sorted(each["key"] for each in graph["edges"]) == ["start-task", "task_2_to_end", "task_to_task_2"]


def test_a_copy_goes_within_and_between_flows_and_every_gesture_can_be_undone(
    page_as: OpenPage, server: Server
) -> None:
    page = page_as("manager", locale="en")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = begin(page)
    first = kept(server, code)
    node(page, "task").click()
    page.keyboard.press("ControlOrMeta+c")
    page.keyboard.press("ControlOrMeta+v")
    expect(node(page, "task_2")).to_have_count(1)
    page.keyboard.press("ControlOrMeta+a")
    page.get_by_role("button", name="Align left").click()
    saved(page)
    places = kept(server, code)["drawing"]["nodes"]
    assert len({place["x"] for place in places.values()}) == 1
    node(page, "task_2").focus()
    page.keyboard.press("m")
    note = page.locator(".react-flow__node-note textarea")
    note.fill("Ask the store first")
    note.press("Escape")
    saved(page)
    assert [each["text"] for each in kept(server, code)["drawing"]["comments"]] == ["Ask the store first"]
    node(page, "task_2").click()
    page.keyboard.press("Delete")
    expect(node(page, "task_2")).to_have_count(0)

    undo = page.locator('[data-test="undo"]')
    while undo.is_enabled():
        undo.click()
    saved(page)
    assert kept(server, code) == first

    other = begin(page)
    page.locator(".react-flow__pane").click(position={"x": 30, "y": 30})
    page.keyboard.press("ControlOrMeta+v")
    expect(node(page, "task_2")).to_have_count(1)
    saved(page)
    assert sorted(each["key"] for each in kept(server, other)["nodes"]) == ["end", "start", "task", "task_2"]


def test_two_managers_see_each_other_and_a_newer_version_is_merged_side_by_side(
    page_as: OpenPage, server: Server
) -> None:  # FLW-19
    mine = page_as("manager", locale="en")
    code = begin(mine)
    publish(mine)
    theirs = page_as(second_manager(server), f"/designer/flows/{code}", locale="en")
    node(theirs, "task").wait_for()
    expect(mine.locator(".fl-people")).to_contain_text("Ann Brook")
    expect(theirs.locator(".fl-people li")).to_have_count(1)
    rename(mine, "task", "Mine")
    rename(theirs, "task", "Theirs")
    rename(mine, "end", "Over")
    saved(mine)
    publish(theirs)

    behind = mine.locator('[data-test="behind"]')
    expect(behind).to_contain_text("Ann Brook")
    expect(node(mine, "task")).to_contain_text("Mine")
    mine.locator('[data-test="publish"]').click()
    expect(mine.locator('[data-test="publish-now"]')).to_be_disabled()
    mine.keyboard.press("Escape")
    mine.locator('[data-test="take-in"]').click()
    sides = mine.locator('[data-test="merging"] [data-conflict] [data-side]')
    expect(sides).to_have_count(2)
    expect(sides.nth(0)).to_contain_text("Mine")
    expect(sides.nth(1)).to_contain_text("Theirs")
    expect(mine.locator('[data-test="merge-now"]')).to_be_disabled()
    sides.nth(1).click()
    mine.locator('[data-test="merge-now"]').click()

    expect(behind).to_have_count(0)
    expect(node(mine, "task")).to_contain_text("Theirs")
    expect(node(mine, "end")).to_contain_text("Over")
    publish(mine)
    names = [
        {each["key"]: each["name"]["en"] for each in graph["nodes"]} for graph in published(server, code)
    ]
    assert [each["task"] for each in names][1:] == ["Theirs", "Theirs"]
    assert names[-1]["end"] == "Over"


def rename(page: Page, key: str, name: str) -> None:
    node(page, key).focus()
    page.keyboard.press("F2")
    page.locator(".fl-rename").fill(name)
    page.keyboard.press("Enter")
    expect(node(page, key)).to_contain_text(name)
    saved(page)


def test_work_goes_on_without_a_line_and_the_log_leads_back(page_as: OpenPage, server: Server) -> None:
    page = page_as("manager", locale="en")
    code = begin(page)
    rename(page, "task", "First")
    rename(page, "task", "Second")

    page.locator('[data-test="history"]').click()
    entry = page.locator(".fl-history li", has_text="First")
    entry.hover()
    entry.locator("button").click()
    page.get_by_role("dialog").locator('[data-tone="primary"], [data-tone="danger"]').last.click()
    expect(node(page, "task")).to_contain_text("First")

    page.context.set_offline(True)
    node(page, "task").focus()
    page.keyboard.press("F2")
    page.locator(".fl-rename").fill("Third")
    page.keyboard.press("Enter")
    expect(page.locator('[data-test="save-state"]')).to_have_attribute("data-state", "waiting")
    expect(node(page, "task")).to_contain_text("Third")
    page.context.set_offline(False)
    expect(page.locator('[data-test="save-state"]')).to_have_attribute("data-state", "saved", timeout=40_000)
    page.reload()
    expect(node(page, "task")).to_contain_text("Third")
    named = {each["key"]: each["name"] for each in kept(server, code)["nodes"]}
    assert named["task"]["en"] == "Third"


def test_what_a_role_is_shown_beforehand_is_what_it_finds_at_the_ticket(page_as: OpenPage) -> None:
    # PRM-01, PRM-06
    page = page_as("manager", locale="en")
    code = begin(page)
    inspector = open_part(page, node(page, "task"))
    handler = section(inspector, "handler").locator("select")
    handler.nth(1).select_option("agent")
    form = section(inspector, "form")
    for field in ("actions", "labour_hours", "dispatch_note"):
        form.locator("select").last.select_option(field)
    section(inspector, "permissions").locator("button").last.click()
    grid = page.locator(".fl-grid")
    grant(grid, "Service agent", "Labour hours", "none")
    grant(grid, "Dispatcher", "Work done", "read")
    page.get_by_role("dialog").locator('[data-tone="primary"]').click()
    publish(page)
    ticket_id = ticket_of(page, form_following(page, code, f"Grid {code[-4:]}"), "The gate does not open")

    page.goto(f"/designer/flows/{code}")
    open_part(page, node(page, "task")).get_by_role("button", name="See this step").click()
    dialog = page.get_by_role("dialog")
    expected = {
        "agent": ["actions", "dispatch_note"],
        "dispatcher": ["dispatch_note", "labour_hours"],
        "finance": [],
    }
    for role, fields in expected.items():
        dialog.locator("select").first.select_option(role)
        dialog.locator(".fl-sees").wait_for()
        assert entries(dialog) == fields, role

        ticket = page_as(role, f"/tickets/{ticket_id}", locale="en")
        step = ticket.locator(".tc-step")
        step.wait_for()
        assert entries(step) == fields, role
        assert (step.locator("[data-action]").count() > 0) is (role != "finance")


def grant(grid: Locator, role: str, field: str, level: str) -> None:
    cell = grid.get_by_label(f"{role}: {field}", exact=True)
    cell.select_option(level)
    expect(cell).to_have_value(level)


def entries(where: Locator) -> list[str]:
    """The fields that can be filled in there."""
    return sorted(where.locator("[data-field]").evaluate_all("all => all.map(each => each.dataset.field)"))
