"""Two dispatchers, two branches: figures move with the cards, and a commit asks about true conflicts only."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.fixtures.browsers import PATIENCE_MS, OpenPage

LANES = ".sb-lanes .sb-lane"
NOBODY = "0"


def branch(page_as: OpenPage, login: str, name: str, **options: object) -> Page:
    page = page_as(login, "/sandbox", locale="en", **options)
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="New branch").click()
    expect(page.locator(".sb-card").first).to_be_visible(timeout=PATIENCE_MS)
    return page


def lane_of(page: Page, number: str) -> str:
    lane = page.locator(".sb-lane", has=card(page, number)).get_attribute("data-lane")
    assert lane is not None
    return lane


def card(page: Page, number: str) -> Locator:
    return page.locator(f'[data-card="{number}"]')


def cards_of_a_full_screen(page: Page) -> list[str]:
    """Two tickets of two people whose lanes stand in the first row."""
    found = page.locator(f"{LANES}:has(.sb-card)").evaluate_all(
        "lanes => lanes.slice(0, 2).map(lane => lane.querySelector('.sb-card').dataset.card)"
    )
    assert len(found) == 2
    return [str(each) for each in found]


def drag(page: Page, number: str, lane: str) -> None:
    start = card(page, number).locator(".sb-grip").bounding_box()
    goal = page.locator(f'.sb-lane[data-lane="{lane}"] .sb-cards').bounding_box()
    assert start is not None
    assert goal is not None
    page.mouse.move(start["x"] + 20, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 40, start["y"] + 20, steps=5)
    page.mouse.move(goal["x"] + 60, goal["y"] + 15, steps=15)
    expect(page.locator(f'.sb-lane[data-lane="{lane}"] .sb-cards[data-over]')).to_be_visible()
    page.mouse.up()
    expect(page.locator(f'[data-move="{number}"]')).to_be_visible()


def move_by_menu(page: Page, number: str, person: str) -> None:
    page.get_by_role("button", name=f"Move ticket {number}…").click()
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Person", exact=True).select_option(person)
    dialog.get_by_role("button", name="Move", exact=True).press("Enter")
    expect(dialog).to_have_count(0)


# moonshot 5
def test_two_dispatchers_branch_and_the_second_decides_about_true_conflicts_only(page_as: OpenPage) -> None:
    first = branch(page_as, "dispatcher", "First")
    both, own = cards_of_a_full_screen(first)
    second = branch(page_as, "manager", "Second")
    homes = {each: lane_of(first, each) for each in (both, own)}

    drag(first, both, NOBODY)
    expect(first.locator('[data-figure="unassigned"] .sb-delta')).to_have_text("+1 worse")
    expect(first.locator(f'.sb-lane[data-lane="{NOBODY}"] [data-card="{both}"]')).to_be_visible()
    # Nothing live has moved: the other one's board does not know of it.
    assert lane_of(second, both) == homes[both]

    move_by_menu(second, both, homes[own])
    expect(second.locator(f'[data-move="{both}"]')).to_be_visible()
    move_by_menu(second, own, NOBODY)
    expect(second.locator(f'[data-move="{own}"]')).to_contain_text("→ Nobody")

    first.get_by_role("button", name="Commit 1 move…").click()
    first.locator("dialog[open]").get_by_role("button", name="Commit", exact=True).click()
    expect(first.locator(f'[data-no="{both}"]')).to_have_attribute("data-came", "done")

    expect(second.get_by_role("status").filter(has_text="changed since")).to_be_visible()
    second.get_by_role("button", name="Commit 2 moves…").click()
    dialog = second.locator("dialog[open]")
    expect(dialog.locator("[data-conflict]")).to_have_count(1)
    expect(dialog.locator(f'[data-conflict="{both}"] .sb-by')).not_to_be_empty()
    commit = dialog.get_by_role("button", name="Commit", exact=True)
    expect(commit).to_be_disabled()
    dialog.get_by_label("Keep live").check()
    commit.click()

    expect(dialog.locator(f'[data-no="{both}"]')).to_have_attribute("data-came", "dropped")
    expect(dialog.locator(f'[data-no="{own}"]')).to_have_attribute("data-came", "done")
    dialog.get_by_role("button", name="Close").click()
    expect(second.locator(".sb-bar").get_by_text("Committed", exact=True)).to_be_visible()
    assert lane_of(second, both) != homes[own]


def test_a_card_is_lifted_by_keyboard_and_taken_back(page_as: OpenPage) -> None:
    page = branch(page_as, "dispatcher", "Keys")
    (number, _) = cards_of_a_full_screen(page)
    home = lane_of(page, number)
    card(page, number).locator(".sb-grip").focus()
    page.keyboard.press("Space")
    expect(page.locator(f'[data-card="{number}"][data-held]')).to_be_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    expect(page.locator(f'[data-move="{number}"]')).to_be_visible()
    assert lane_of(page, number) != home

    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-move]")).to_have_count(0)
    expect(page.locator(f'.sb-lane[data-lane="{home}"] [data-card="{number}"]')).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_branch_with_its_dialogs_has_no_serious_barrier_and_fits_a_phone(
    page_as: OpenPage, theme: str
) -> None:
    page = branch(page_as, "dispatcher", "Barriers", dark=theme == "dark", reduced_motion="reduce")
    (number, other) = cards_of_a_full_screen(page)
    move_by_menu(page, number, lane_of(page, other))
    expect(page.locator(f'[data-move="{number}"]')).to_be_visible()
    assert barriers(page) == []

    page.get_by_role("button", name="Commit 1 move…").click()
    expect(page.locator("dialog[open]")).to_be_visible()
    assert barriers(page) == []
    page.keyboard.press("Escape")

    page.get_by_role("button", name=f"Move ticket {number}…").click()
    page.get_by_label("At an agreed time").check()
    assert barriers(page) == []
    page.keyboard.press("Escape")

    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def barriers(page: Page) -> list[str]:
    return [
        f"{rule['id']}: {rule['nodes'][0]['target']} {rule['nodes'][0]['failureSummary']}"
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in {"serious", "critical"}
    ]


def test_a_branch_that_is_not_there_says_so(page_as: OpenPage) -> None:
    page = page_as("dispatcher", "/sandbox?branch=999999", locale="en")

    expect(page.get_by_role("link", name="All branches")).to_be_visible(timeout=PATIENCE_MS)
