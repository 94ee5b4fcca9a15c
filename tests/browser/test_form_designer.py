"""A manager draws a form in the browser: with the mouse, with the keyboard alone, beside a colleague."""

import re
import sqlite3
import sys
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.fixtures.browsers import LogIn, Server

THREE_MINUTES = 180.0
# A person needs about so long between two actions.
PAUSE_MS = 150

KINDS = ("text", "phone", "choice", "money", "date", "rating", "photo", "yes_no")
PROBLEMS = {"zh": "门店反映收银机无法联网", "en": "The till of the store is offline"}

NewForm = Callable[..., Page]


@pytest.fixture
def new_form(context_as: LogIn) -> NewForm:
    """`new_form("en")`: the designer on a form that has just begun, with nothing in it."""

    def begin(locale: str = "zh", context: BrowserContext | None = None, **options: object) -> Page:
        page = (context or context_as("manager", locale=locale, **options)).new_page()
        page.goto("/designer")
        page.locator("[data-test=new-form]").click()
        dialog = page.get_by_role("dialog")
        unique = uuid4().hex[:6]
        dialog.locator("[data-tongue=zh]").fill(f"门店报障{unique}")
        dialog.locator("[data-tongue=en]").fill(f"Store trouble {unique}")
        dialog.locator("[data-test=create]").click()
        page.wait_for_url(re.compile(r"/designer/forms/store_trouble_"))
        _designer(page).wait_for()
        return page

    return begin


@pytest.fixture
def colleague(server: Server) -> str:
    """The log-in of a second manager."""
    login = f"manager-{uuid4().hex[:6]}"
    path = server.environ["DATABASE_URL"].removeprefix("sqlite:///")
    connection = sqlite3.connect(path, timeout=20)
    with connection:
        connection.row_factory = sqlite3.Row
        known = dict(connection.execute("SELECT * FROM user_account WHERE login = 'manager'").fetchone())
        role = dict(
            connection.execute("SELECT * FROM role_grant WHERE user_id = ?", (known.pop("id"),)).fetchone()
        )
        del role["id"]
        user_id = _insert(connection, "user_account", {**known, "login": login, "display_name": "Ann Brook"})
        _insert(connection, "role_grant", {**role, "user_id": user_id})
    connection.close()
    return login


def _insert(connection: sqlite3.Connection, table: str, row: dict[str, object]) -> int | None:
    places = ", ".join("?" * len(row))
    return connection.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values())
    ).lastrowid


def _designer(page: Page) -> Locator:
    return page.locator("[data-test=form-designer]")


def _cards(page: Page) -> Locator:
    return page.locator("[data-field-card]")


def _keys(page: Page) -> list[str]:
    return [str(card.get_attribute("data-field-card")) for card in _cards(page).all()]


def _is_saved(page: Page) -> None:
    expect(page.locator("[data-test=saved]")).to_have_attribute("data-state", "saved")


def _drag_in(page: Page, kind: str) -> None:
    """Carry a component from the palette to the end of the first section, as a hand does."""
    tile = page.locator(f".fm-tile[data-kind={kind}]")
    tile.scroll_into_view_if_needed()
    start, target = tile.bounding_box(), page.locator(".fm-fields").first.bounding_box()
    assert start is not None
    assert target is not None
    count = _cards(page).count()
    page.mouse.move(start["x"] + 40, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + start["height"] / 2 + 6, steps=4)
    page.locator(".fm-body[data-dragging]").wait_for()
    middle = page.locator(".fm-middle").bounding_box()
    assert middle is not None
    below = min(target["y"] + target["height"] - 12, middle["y"] + middle["height"] - 60)
    page.mouse.move(target["x"] + target["width"] / 2, below, steps=8)
    page.locator(".fm-fields[data-over]").wait_for()
    page.mouse.up()
    expect(_cards(page)).to_have_count(count + 1)


def _choose_flow(page: Page) -> None:
    page.locator(".fm-title").click()
    page.locator(".fm-right select").nth(2).select_option(index=1)
    _is_saved(page)


def _publish(page: Page) -> Locator:
    page.locator("[data-test=publish]").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[data-test=publish-now]").click()
    expect(dialog.locator(".fm-published")).to_be_visible()
    return dialog


# TPL-01, TPL-02, TPL-11
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_form_of_eight_fields_is_drawn_published_and_used_within_three_minutes(
    new_form: NewForm, capsys: pytest.CaptureFixture[str], locale: str
) -> None:
    began = time.monotonic()
    page = new_form(locale)
    for kind in KINDS:
        _drag_in(page, kind)
        page.wait_for_timeout(PAUSE_MS)
    assert sorted(_keys(page)) == sorted(KINDS)
    page.locator("[data-field-card=choice]").click()
    first = page.locator(".fm-right .fm-option .tc-input").first
    first.fill("收银机" if locale == "zh" else "Till")
    page.locator("[data-field-card=text]").click()
    page.locator(".fm-right [role=switch]").first.check(force=True)
    expect(page.locator("[data-field-card=text] .tc-need")).to_be_visible()
    _choose_flow(page)

    dialog = _publish(page)
    dialog.locator("[data-test=use]").click()

    page.wait_for_url(re.compile(r"/tickets/new\?template="))
    page.locator("textarea").first.fill(PROBLEMS[locale])
    page.locator("[data-field=text] input").fill("A-17")
    page.locator("[data-action=open]").click()
    expect(page.locator(".tc-opened, .tc-opened-mark").first).to_be_visible()
    took = time.monotonic() - began
    with capsys.disabled():
        sys.stdout.write(f"TPL-01 {locale}: 8 fields drawn, published and used in {took:.1f} s\n")
    assert took < THREE_MINUTES


# TPL-01
def test_a_form_is_drawn_with_the_keyboard_alone(new_form: NewForm) -> None:
    page = new_form("en")
    search = page.locator(".fm-palette input[type=search]")
    for kind in ("text", "amount"):
        search.focus()
        search.press("ControlOrMeta+a")
        search.press_sequentially(kind)
        search.press("Enter")
    search.fill("")
    expect(_cards(page)).to_have_count(2)
    assert _keys(page) == ["text", "money"]

    page.locator("[data-field-card=money]").focus()
    page.keyboard.press("Space")
    page.locator(".fm-body[data-dragging]").wait_for()
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(300)
    page.keyboard.press("Space")
    expect(page.locator(".fm-body[data-dragging]")).to_have_count(0)
    expect(_cards(page).first).to_have_attribute("data-field-card", "money")

    page.locator("[data-field-card=money]").focus()
    page.keyboard.press("F2")
    page.keyboard.type("Deposit")
    page.keyboard.press("Enter")
    expect(page.locator("[data-field-card=money]")).to_contain_text("Deposit")
    expect(page.locator("[data-field-card=money]")).to_be_focused()
    page.keyboard.press("Delete")
    expect(_cards(page)).to_have_count(1)
    page.keyboard.press("ControlOrMeta+z")
    expect(_cards(page)).to_have_count(2)
    _is_saved(page)


def test_undo_leads_to_the_first_state_and_redo_to_the_last(new_form: NewForm) -> None:
    page = new_form()
    for kind in ("text", "number", "choice"):
        page.locator(f".fm-tile[data-kind={kind}]").click()
    page.locator("[data-field-card=number]").click()
    page.locator(".fm-right [data-tongue=zh]").first.fill("数量")
    page.locator("[data-field-card=text]").focus()
    page.keyboard.press("Delete")
    expect(_cards(page)).to_have_count(2)
    _is_saved(page)
    undo, redo = page.locator("[data-test=undo]"), page.locator("[data-test=redo]")

    while undo.is_enabled():
        undo.click()
    expect(_cards(page)).to_have_count(0)

    # What can be undone is in the draft's log, not in this window.
    _is_saved(page)
    page.reload()
    _designer(page).wait_for()
    expect(_cards(page)).to_have_count(0)
    while redo.is_enabled():
        redo.click()
    expect(_cards(page)).to_have_count(2)
    expect(page.locator("[data-field-card=number]")).to_contain_text("数量")
    _is_saved(page)


# PRM-06
def test_the_preview_shows_a_role_what_it_would_see(new_form: NewForm) -> None:
    page = new_form("en")
    page.locator(".fm-tile[data-kind=text]").click()
    page.locator(".fm-tile[data-kind=money]").click()
    page.locator("[data-field-card=money]").click()
    access = page.locator("details.fm-group", has=page.locator("select option[value=settlement]"))
    if access.get_attribute("open") is None:
        access.locator("summary").click()
    access.locator("select").select_option("settlement")
    _is_saved(page)

    page.locator("button[data-tab=preview]").click()
    viewer = page.locator(".fm-preview-bar select").first
    viewer.select_option("customer")

    expect(page.locator(".fm-screen [data-field=text]")).to_be_visible()
    expect(page.locator(".fm-screen [data-field=money]")).to_have_count(0)
    expect(page.locator(".fm-unseen")).to_contain_text("Amount")


def test_what_one_window_draws_comes_to_the_other_window_of_the_same_manager(
    new_form: NewForm, context_as: LogIn
) -> None:
    mine = new_form("en")
    mine.locator(".fm-tile[data-kind=text]").click()
    _is_saved(mine)
    other = context_as("manager", locale="en").new_page()
    other.goto(mine.url)
    _designer(other).wait_for()
    expect(_cards(other)).to_have_count(1)

    other.locator(".fm-tile[data-kind=number]").click()
    _is_saved(other)
    mine.locator(".fm-tile[data-kind=date]").click()
    _is_saved(mine)

    assert sorted(_keys(mine)) == ["date", "number", "text"]


def test_two_managers_see_each_other_and_merge_what_both_drew(
    new_form: NewForm, context_as: LogIn, colleague: str
) -> None:
    mine = new_form("en")
    mine.locator(".fm-tile[data-kind=text]").click()
    _is_saved(mine)
    theirs = context_as(colleague, locale="en").new_page()
    theirs.goto(mine.url)
    _designer(theirs).wait_for()
    # What exists only as somebody's draft begins for the colleague as a copy of it.
    expect(_cards(theirs)).to_have_count(1)
    expect(theirs.locator(".fm-people .tc-avatar")).to_have_count(1)
    expect(mine.locator(".fm-people .tc-avatar")).to_have_count(1)

    theirs.locator(".fm-tile[data-kind=number]").click()
    _is_saved(theirs)
    mine.locator(".fm-tile[data-kind=date]").click()
    _is_saved(mine)
    expect(mine.locator("[data-field-card=number]")).to_have_count(0)
    mine.locator("[data-test=more]").click()
    mine.get_by_role("menuitem", name=re.compile("Merge")).click()

    dialog = mine.get_by_role("dialog")
    if dialog.locator(".fm-conflicts").is_visible(timeout=3000):
        dialog.locator(".tc-row button").first.click()
        dialog.locator("[data-tone=primary]").click()
    expect(mine.locator("[data-field-card=number]")).to_be_visible()
    expect(mine.locator("[data-field-card=date]")).to_be_visible()


def test_a_form_is_drawn_on_a_phone(new_form: NewForm) -> None:
    page = new_form("en", width=390, height=844, has_touch=True)

    page.locator(".fm-fab").tap()
    page.locator(".fm-tile[data-kind=rating]").tap()

    expect(page.locator("[data-field-card=rating]")).to_be_visible()
    _is_saved(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
