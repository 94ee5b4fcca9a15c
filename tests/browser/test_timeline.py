"""Timeline and roster in two browsers: what speaks against a drop is seen first, others see what happens."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.who_works import open_ticket
from tests.fixtures.browsers import PATIENCE_MS, LogIn, OpenPage, Server

AT_ONCE_MS = 1000
CHINA = timedelta(hours=8)


@pytest.fixture
def tomorrow() -> str:
    """Tomorrow in Shanghai, on which nothing is planned yet and nobody's hours are over."""
    return (datetime.now(UTC) + CHINA + timedelta(days=1)).date().isoformat()


def plan(page_as: OpenPage, login: str, day: str, **options: object) -> Page:
    page = page_as(login, f"/timeline?{urlencode({'day': day})}", **options)
    expect(page.locator(".tl-person").first).to_be_visible(timeout=PATIENCE_MS)
    return page


def hold(page: Page, job: Locator) -> None:
    """Take a job into the hand and wait until everybody's row says how they stand to it."""
    box = job.locator(".tl-job-title").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 6)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 12, steps=4)
    expect(page.locator(".tl-person[data-tone]").first).to_be_visible()


def carry_to(page: Page, person: str, x: float = 900) -> None:
    box = page.locator(f'.tl-person[data-person="{person}"]').bounding_box()
    assert box is not None
    page.mouse.move(x, box["y"] + box["height"] / 2, steps=8)


def somebody(page: Page, tone: str) -> str:
    person = page.locator(f'.tl-person[data-tone="{tone}"]').first.get_attribute("data-person")
    assert person is not None
    return person


# DSP-16, CTX-09, pain 35, moonshot 8
def test_a_job_is_dropped_on_a_person_and_a_time_and_others_see_it_at_once(
    page_as: OpenPage, tomorrow: str
) -> None:
    mine, hers = plan(page_as, "manager", tomorrow), plan(page_as, "dispatcher", tomorrow, locale="en")
    job = mine.locator(".tl-job").first
    number = job.get_attribute("data-job")

    hold(mine, job)
    red = somebody(mine, "red")
    carry_to(mine, red)
    expect(mine.locator(".tl-live[data-tone=red]")).to_be_visible()
    mine.mouse.up()

    refused = mine.locator("dialog[open]")
    expect(refused.locator(".tl-against li").first).to_be_visible()
    mine.keyboard.press("Escape")
    expect(refused).to_have_count(0)
    expect(mine.locator(f'[data-visit="{number}"]')).to_have_count(0)

    hold(mine, job)
    green = somebody(mine, "green")
    carry_to(mine, green)
    mine.mouse.up()

    expect(mine.locator(f'[data-visit="{number}"]')).to_be_visible()
    expect(hers.locator(f'[data-visit="{number}"]')).to_be_visible(timeout=AT_ONCE_MS)
    expect(hers.locator(f'.tl-job[data-job="{number}"]')).to_have_count(0)

    # The same hour of the same person is taken now: the other dispatcher is refused with the reason.
    other = hers.locator(".tl-job").first.get_attribute("data-job")
    hers.locator(".tl-job").first.get_by_role("button").click()
    dialog = hers.locator("dialog[open]")
    dialog.get_by_label("Person").select_option(green)
    start = mine.locator(f'[data-visit="{number}"] button').get_attribute("aria-label") or ""
    (hour,) = re.findall(r"(\d\d:\d\d) 至", start)
    dialog.get_by_label("Time").fill(hour)
    expect(dialog.locator(".tl-against")).to_contain_text(re.compile("visit|booked|already", re.IGNORECASE))
    dialog.get_by_role("button", name="Schedule", exact=True).click()
    expect(dialog).to_be_visible()
    expect(hers.locator(f'[data-visit="{other}"]')).to_have_count(0)


def test_a_visit_is_moved_by_keyboard_and_taken_off_again(page_as: OpenPage, tomorrow: str) -> None:
    page = plan(page_as, "dispatcher", tomorrow, locale="en")
    job = page.locator(".tl-job").nth(1)
    number = job.get_attribute("data-job")
    hold(page, job)
    person = somebody(page, "green")
    page.keyboard.press("Escape")
    page.mouse.up()

    job.get_by_role("button").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    dialog.get_by_label("Person").select_option(person)
    dialog.get_by_label("Time").fill("18:30")
    page.keyboard.press("Enter")
    visit = page.locator(f'[data-visit="{number}"] button')
    expect(visit).to_have_attribute("aria-label", re.compile("18:30 to 19:30"))

    visit.focus()
    page.keyboard.press("Enter")
    dialog.get_by_label("Time").fill("20:00")
    page.keyboard.press("Enter")
    expect(visit).to_have_attribute("aria-label", re.compile("20:00 to 21:00"))

    visit.focus()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Take off the plan").click()
    expect(page.locator(f'[data-visit="{number}"]')).to_have_count(0)
    expect(page.locator(f'.tl-job[data-job="{number}"]')).to_be_visible()


# DSP-21, pain 34
def test_shifts_are_dragged_and_an_absence_over_a_visit_is_told_first(
    page_as: OpenPage, tomorrow: str
) -> None:
    page = plan(page_as, "manager", tomorrow, locale="en")
    job = page.locator(".tl-job").nth(2)
    number = job.get_attribute("data-job")
    hold(page, job)
    person = somebody(page, "green")
    carry_to(page, person, 1000)
    page.mouse.up()
    expect(page.locator(f'[data-visit="{number}"]')).to_be_visible()
    name = page.locator(f'.tl-person[data-person="{person}"] .tl-name').inner_text()

    roster = page_as("manager", f"/roster?{urlencode({'day': tomorrow})}", locale="en")
    seen = page_as("dispatcher", f"/roster?{urlencode({'day': tomorrow})}")
    cell = roster.get_by_role("button", name=re.compile(f"^{name} {tomorrow}"))
    cell.click()
    dialog = roster.locator("dialog[open]")
    dialog.get_by_label("Reason").fill("Training")
    dialog.get_by_role("button", name="Add").last.click()
    told = roster.get_by_role("dialog", name=re.compile("would have nobody"))
    expect(told).to_be_visible()
    told.get_by_role("button", name="Leave the roster").click()
    expect(page.locator(f'[data-visit="{number}"]')).to_be_visible()

    cell.click()
    dialog.get_by_label("Reason").fill("Training")
    dialog.get_by_role("button", name="Add").last.click()
    told.get_by_role("button", name="Change it and take them off").click()
    expect(cell).to_contain_text("Training")
    expect(seen.get_by_role("button", name=re.compile(f"^{name} {tomorrow}"))).to_contain_text("Training")
    expect(page.locator(f'[data-visit="{number}"]')).to_have_count(0)

    # Whoever has a visit would be asked about it: their first shift leaves it outside. Boston has none.
    roster.get_by_label("Region").select_option(label="Boston")
    target = roster.locator(".ro-grid tbody tr").filter(has_text="Boston").first.locator("td").last
    roster.locator(".ro-palette .ro-shift").last.drag_to(target)
    expect(target).to_contain_text("22:00–06:00")
    expect(roster.get_by_role("heading", name="Response before and after a change")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_scrolls_sideways_and_a_phone_reads_the_day_as_a_list(
    page_as: OpenPage, tomorrow: str, width: int
) -> None:
    page = page_as("dispatcher", f"/timeline?{urlencode({'day': tomorrow})}", width=width, dark=True)
    expect(page.locator(".tl-agenda" if width == 390 else ".tl-calendar")).to_be_visible(timeout=PATIENCE_MS)

    assert page.evaluate("document.documentElement.scrollWidth") == width


# DSP-16
def test_the_routes_of_a_day_are_looked_at_chosen_from_and_planned(
    page_as: OpenPage, context_as: LogIn, server: Server
) -> None:
    for number in range(3):
        open_ticket(context_as("manager"), server.url, f"Routed {number}")
    later = (datetime.now(UTC) + CHINA + timedelta(days=3)).date().isoformat()
    page = plan(page_as, "manager", later, locale="en")

    page.get_by_role("button", name="Plan routes").click()
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_role("row", name=re.compile("Planned routes"))).to_be_visible(timeout=PATIENCE_MS)
    expect(dialog.get_by_role("row", name=re.compile("One by one"))).to_be_visible()
    rows = dialog.locator("tbody tr", has=page.locator("a[href*='/tickets/']"))
    first = rows.first.locator("a").inner_text()
    rows.first.get_by_role("checkbox").click()
    expect(rows.first.get_by_role("checkbox")).not_to_be_checked()
    planned = rows.count() - 1
    dialog.locator(".tc-dialog-foot .tc-btn[data-tone=primary]").click()

    expect(dialog.get_by_role("status")).to_contain_text("planned", timeout=PATIENCE_MS)
    expect(dialog.locator("tbody tr")).to_have_count(planned)
    expect(dialog.get_by_text("Not planned")).to_have_count(0)
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("[data-visit]")).to_have_count(planned)
    expect(page.locator(".tl-job", has_text=first).first).to_be_visible()
