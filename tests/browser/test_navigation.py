"""From everywhere to every place: groups beside the page, tabs and a sheet on a phone."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.fixtures.browsers import LogIn

PHONE = {"width": 390, "height": 844}


def _names(links: Locator) -> list[str]:
    return [name.strip() for name in links.all_inner_texts()]


def _open_sheet(page: Page) -> Locator:
    page.locator(".tc-tabbar button").click()
    sheet = page.get_by_role("dialog", name="All places")
    expect(sheet).to_be_visible()
    return sheet


def test_a_phone_reaches_every_place_of_the_viewer(context_as: LogIn) -> None:
    desk = context_as("manager", locale="en").new_page()
    desk.goto("/")
    expect(desk.locator(".tc-nav-item").first).to_be_visible()
    everywhere = _names(desk.locator(".tc-nav-item"))
    phone = context_as("manager", locale="en", **PHONE).new_page()
    phone.goto("/designer")

    expect(phone.locator(".tc-tabbar > *")).to_have_count(5)
    assert _names(phone.locator(".tc-tabbar a")) == ["Dashboard", "Board", "Intake", "Unassigned"]
    # Where the viewer is stands behind "More".
    expect(phone.locator(".tc-tabbar button")).to_have_accessible_name("More you are at Designer")
    sheet = _open_sheet(phone)
    assert _names(sheet.get_by_role("link")) == everywhere
    expect(sheet.get_by_role("link", name="Designer")).to_have_attribute("aria-current", "page")
    sheet.get_by_role("link", name="Audit").click()

    expect(phone.get_by_role("dialog")).to_have_count(0)
    expect(phone).to_have_url("/audit")


def test_the_sheet_is_for_the_keyboard_and_a_screen_reader_too(context_as: LogIn) -> None:
    page = context_as("manager", locale="en", reduced_motion="reduce", **PHONE).new_page()
    page.goto("/designer")
    more = page.locator(".tc-tabbar button")
    more.focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="All places")
    expect(sheet).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [rule["id"] for rule in found if rule["impact"] in {"serious", "critical"}] == []

    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    sheet.get_by_role("link", name="Tickets").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url("/tickets")


def test_who_has_few_places_needs_no_sheet(context_as: LogIn) -> None:
    page = context_as("tech01", locale="en", **PHONE).new_page()
    page.goto("/my")
    expect(page.locator(".tc-tabbar a").first).to_be_visible()

    expect(page.locator(".tc-tabbar button")).to_have_count(0)


def test_a_group_that_was_closed_stays_closed_but_shows_where_the_viewer_is(context_as: LogIn) -> None:
    page = context_as("manager", locale="en").new_page()
    page.goto("/audit")
    heading = page.get_by_role("button", name="Manage")
    designer, audit = (page.locator(".tc-nav-item", has_text=name) for name in ("Designer", "Audit"))
    expect(designer).to_be_visible()

    heading.focus()
    page.keyboard.press("Enter")

    expect(heading).to_have_attribute("aria-expanded", "false")
    expect(designer).to_be_hidden()
    expect(audit).to_be_visible()
    page.reload()
    expect(heading).to_have_attribute("aria-expanded", "false")
    expect(designer).to_be_hidden()
    # The narrow column has no headings, so nothing may stay hidden in it.
    page.keyboard.press("[")
    expect(designer).to_be_visible()
    page.keyboard.press("[")
    heading.click()
    expect(designer).to_be_visible()
