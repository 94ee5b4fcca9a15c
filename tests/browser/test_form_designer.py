"""A manager draws a form in the browser: with the mouse, with the keyboard alone, beside a colleague."""

import io
import re
import sys
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.who_works import second_manager
from tests.fixtures.browsers import PATIENCE_MS, LogIn, Server

THREE_MINUTES = 180.0
# A person needs about so long between two actions.
PAUSE_MS = 150
SERIOUS = {"serious", "critical"}

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
    return second_manager(server)


def _designer(page: Page) -> Locator:
    return page.locator("[data-test=form-designer]")


def _cards(page: Page) -> Locator:
    return page.locator("[data-field-card]")


def _keys(page: Page) -> list[str]:
    return [str(card.get_attribute("data-field-card")) for card in _cards(page).all()]


def _is_saved(page: Page) -> None:
    expect(page.locator("[data-test=saved]")).to_have_attribute("data-state", "saved")


def _end_of_first_section(page: Page) -> tuple[float, float]:
    fields, middle = (page.locator(each).first.bounding_box() for each in (".fm-fields", ".fm-middle"))
    assert fields is not None
    assert middle is not None
    below = min(fields["y"] + fields["height"] - 30, middle["y"] + middle["height"] - 60)
    return round(fields["x"] + fields["width"] / 2), round(below)


def _drag_in(page: Page, kind: str) -> None:
    """Carry a component from the palette to the end of the first section, as a hand does."""
    tile = page.locator(f".fm-tile[data-kind={kind}]")
    tile.scroll_into_view_if_needed()
    start = tile.bounding_box()
    assert start is not None
    count = _cards(page).count()
    page.mouse.move(start["x"] + 40, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 60, start["y"] + start["height"] / 2 + 6, steps=4)
    page.locator(".fm-body[data-dragging]").wait_for()
    # Near its edge the canvas scrolls below the hand, which follows until it stands over the place.
    over, deadline = page.locator(".fm-fields[data-over]"), time.monotonic() + PATIENCE_MS / 1000
    reached, place = None, _end_of_first_section(page)
    while (reached != place or not over.count()) and time.monotonic() < deadline:
        page.mouse.move(*place, steps=8)
        page.wait_for_timeout(150)
        reached, place = place, _end_of_first_section(page)
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


def _in_use(page: Page, *kinds: str) -> str:
    """Add fields of these kinds, choose a flow and publish; the form's code."""
    for kind in kinds:
        page.locator(f".fm-tile[data-kind={kind}]").click()
    _choose_flow(page)
    _put_in_use(page)
    return page.url.partition("?")[0].rpartition("/")[2]


def _put_in_use(page: Page) -> None:
    _is_saved(page)
    _publish(page).get_by_role("button", name="Keep designing").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def _group(page: Page, title: str) -> Locator:
    group = page.locator(".fm-right details.fm-group", has=page.locator("summary", has_text=title))
    if group.get_attribute("open") is None:
        group.locator("summary").click()
    return group


def _choose(place: Locator, name: str) -> None:
    """One of a few values side by side; the words lie over the radio button."""
    place.get_by_role("radio", name=name, exact=True).check(force=True)


def _open_at_desk(page: Page, code: str, values: dict[str, Any], **more: Any) -> int:
    body = {"command_id": str(uuid4()), "template_code": code, "title": f"Of {code}", "values": values}
    answer = page.context.request.post(
        "/api/v1/tickets",
        data={**body, "contact_name": "Ann", "contact_phone": "13800001234", **more},
        headers={"origin": page.url.partition("/designer")[0]},
    )
    assert answer.status == 201, answer.text()
    return int(answer.json()["ticket_id"])


def _sheet(page: Page, code: str, **asked: str) -> list[list[Any]]:
    answer = page.context.request.get(
        "/api/v1/tickets/export", params={"q": f"Of {code}", "format": "xlsx", **asked}
    )
    assert answer.status == 200, answer.text()
    sheet = openpyxl.load_workbook(io.BytesIO(answer.body())).active
    assert sheet is not None
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def _column(sheet: list[list[Any]], name: str) -> list[Any]:
    at = sheet[0].index(name)
    return [row[at] for row in sheet[1:]]


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


def _at_place(page: Page, *, region: str = "", store: str = "") -> None:
    page.locator("[data-tab=layers]").first.click()
    place = page.locator(".fm-layer-side select")
    place.nth(0).select_option(region)
    if store:
        place.nth(1).select_option(store)
    here = {"line": "general", "region": region, "store": store}[
        "store" if store else "region" if region else "line"
    ]
    expect(page.locator(f".fm-stack [data-here][data-place$=':{here}']")).to_be_visible()


def _save_place(page: Page) -> None:
    page.locator("[data-test=save-layer]").click()
    expect(page.locator("[data-test=save-layer]")).to_be_disabled()
    expect(page.locator(".fm-stack [data-here][data-has]")).to_be_visible()


# TPL-19
def test_a_line_a_region_and_a_store_say_what_is_different_and_a_ticket_there_follows(
    new_form: NewForm,
) -> None:
    page = new_form("en")
    code = _in_use(page, "text", "choice")
    text = page.locator("[data-layer-field=text]")
    choice = page.locator("[data-layer-field=choice]")

    _at_place(page)
    _choose(text, "Required")
    _save_place(page)
    _at_place(page, region="EAST")
    text.locator(".fm-layer-name input").fill("Eastern number")
    _save_place(page)
    _at_place(page, region="SH")
    expect(text.locator(".fm-layer-name .fm-origin")).to_have_text("East China")
    _at_place(page, region="SH", store="SH-05")
    choice.get_by_role("button", name="Option 2").click()
    _save_place(page)

    # Each setting says which layer it comes from.
    expect(text.locator(".fm-layer-name input")).to_have_value("Eastern number")
    expect(text.locator(".fm-origin").nth(0)).to_have_text("East China")
    expect(text.locator(".fm-origin").nth(1)).to_have_text("Base form")
    expect(text.locator(".fm-origin").nth(2)).to_have_text("General business")
    expect(choice.locator(".fm-layer-options .fm-origin")).to_have_text("Here")

    at_store = _open_at_desk(page, code, {"text": "A-17", "choice": "option_1"}, site_code="SH-05")
    elsewhere = _open_at_desk(page, code, {"text": "B-2"}, region_code="GZ")
    page.goto(f"/tickets/{at_store}")
    expect(page.locator(".tc-values")).to_contain_text("Eastern number")
    page.goto(f"/tickets/{elsewhere}")
    expect(page.locator(".tc-values")).not_to_contain_text("Eastern number")
    refused = page.context.request.post(
        "/api/v1/tickets",
        data={
            "command_id": str(uuid4()),
            "template_code": code,
            "title": "An option the store does not have",
            "values": {"text": "A-18", "choice": "option_2"},
            "contact_phone": "13800001234",
            "site_code": "SH-05",
        },
        headers={"origin": page.url.partition("/tickets")[0]},
    )
    assert refused.status == 422


# TPL-10
def test_what_works_in_one_region_is_applied_to_another_and_kept_as_a_standard(new_form: NewForm) -> None:
    page = new_form("en")
    code = _in_use(page, "text")
    text = page.locator("[data-layer-field=text]")
    _at_place(page, region="EAST")
    text.locator(".fm-layer-name input").fill("Eastern number")
    _save_place(page)

    page.locator("[data-test=apply]").click()
    page.locator("[data-test=apply-region]").select_option("SOUTH")
    page.locator("[data-test=apply-now]").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    _at_place(page, region="SOUTH")
    expect(text.locator(".fm-layer-name input")).to_have_value("Eastern number")

    page.locator("[data-test=standard-here]").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input.tc-mono").fill("repair")
    dialog.get_by_role("button", name="Save as standard").click()
    expect(page.locator("[data-sonner-toast]", has_text="Another form has the code")).to_be_visible()
    page.locator("[data-test=standard-here]").click()
    dialog.locator("[data-tongue=en]").fill(f"Standard {code}")
    dialog.get_by_role("button", name="Save as standard").click()
    expect(dialog).to_have_count(0)

    page.goto("/designer")
    card = page.locator(f"[data-card-code={code}_standard]")
    expect(card).to_contain_text("Standard")
    card.get_by_role("link").first.click()
    _designer(page).wait_for()
    expect(page.locator("[data-field-card=text]")).to_contain_text("Eastern number")


# TPL-09
def test_an_older_version_is_rolled_back_to_and_old_tickets_keep_theirs(new_form: NewForm) -> None:
    page = new_form("en")
    code = _in_use(page, "text")
    ticket = _open_at_desk(page, code, {"text": "A-17"})
    page.locator("[data-field-card=text]").focus()
    page.keyboard.press("F2")
    page.keyboard.type("Number of the till")
    page.keyboard.press("Enter")
    _put_in_use(page)

    page.locator("[data-tab=versions]").first.click()
    versions = page.locator(".fm-version-list > li")
    expect(versions).to_have_count(2)
    expect(versions.nth(1)).to_contain_text("1 open ticket")
    versions.nth(0).get_by_role("button", name="What changed").click()
    expect(page.locator(".fm-changes del")).to_have_text("Text")
    expect(page.locator(".fm-changes ins")).to_have_text("Number of the till")
    page.goto(f"/tickets/{ticket}")
    expect(page.locator(".tc-values")).to_contain_text("Text")
    expect(page.locator(".tc-values")).not_to_contain_text("Number of the till")

    page.goto(f"/designer/forms/{code}?tab=versions")
    versions.nth(1).get_by_role("button", name="Publish this again").click()
    page.get_by_role("dialog").locator("textarea").fill("The till has no number")
    page.get_by_role("dialog").get_by_role("button", name="Publish this again").click()
    expect(versions.nth(1)).to_contain_text("The till has no number")
    page.locator("[data-tab=build]").first.click()
    expect(page.locator("[data-field-card=text]")).not_to_contain_text("Number of the till")


# TPL-03, TPL-05
def test_another_kind_reads_what_was_entered_in_the_old_one(new_form: NewForm) -> None:
    page = new_form("en")
    code = _in_use(page, "text")
    _open_at_desk(page, code, {"text": "35.5"})
    page.locator("[data-field-card=text]").click()
    page.locator(".fm-inspector-foot").get_by_role("button", name="Change the kind").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("select").select_option("number")
    dialog.locator("input.tc-mono").fill("power")
    dialog.get_by_role("button", name="Change", exact=True).click()
    expect(page.locator("[data-field-card=power]")).to_be_visible()
    expect(page.locator("[data-field-card=text] .fm-card")).to_have_attribute("data-state", "hidden")
    _group(page, "Texts").locator("[data-tongue=en]").first.fill("Power")
    _put_in_use(page)

    _open_at_desk(page, code, {"power": "12"})

    assert sorted(map(float, _column(_sheet(page, code), "Power"))) == [12.0, 35.5]


# TPL-04
def test_a_hidden_field_leaves_the_form_and_stays_in_history_and_file(new_form: NewForm) -> None:
    page = new_form("en")
    code = _in_use(page, "text", "number")
    ticket = _open_at_desk(page, code, {"text": "A-17", "number": "3"})
    page.locator("[data-field-card=text]").click()
    _choose(_group(page, "Who and when"), "Hidden")
    page.locator("[data-field-card=number]").click()
    _group(page, "Who and when").locator("input[type=datetime-local]").first.fill("2099-01-01T00:00")
    expect(page.locator("[data-field-card=number] .fm-mark")).to_have_count(1)
    page.locator(".fm-tile[data-kind=date]").click()
    _put_in_use(page)

    page.locator("[data-tab=preview]").first.click()
    expect(page.locator(".fm-screen [data-field=date]")).to_be_visible()
    expect(page.locator(".fm-screen [data-field=text], .fm-screen [data-field=number]")).to_have_count(0)
    page.goto(f"/tickets/new?template={code}")
    expect(page.locator("[data-field=date]")).to_be_attached()
    expect(page.locator("[data-field=text], [data-field=number]")).to_have_count(0)
    page.goto(f"/tickets/{ticket}")
    expect(page.locator(".tc-values")).to_contain_text("A-17")
    assert "Text" not in _sheet(page, code)[0]
    page.goto(f"/tickets?q=Of+{code}")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=re.compile("no longer in use")).click()
    sheet = openpyxl.load_workbook(io.BytesIO(download.value.path().read_bytes())).active
    assert sheet is not None
    cells = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert _column(cells, "Text") == ["A-17"]
    assert _column(cells, "Number") == [3]


# TPL-16
def test_an_item_comes_onto_a_checklist_at_any_time(new_form: NewForm) -> None:
    page = new_form("en")
    code = _in_use(page, "checklist")
    before = _open_at_desk(page, code, {})
    card = page.locator("[data-field-card]")
    key = card.get_attribute("data-field-card")
    card.click()
    items = _group(page, "Checklist items")
    items.get_by_role("button", name="Add an item").click()
    items.locator(".fm-option").nth(1).locator("[lang=en]").fill("Filter is clean")
    expect(card.locator(".fm-ticks")).to_contain_text("Filter is clean")
    _put_in_use(page)

    page.goto(f"/tickets/new?template={code}")
    expect(page.locator(f"[data-field={key}]")).to_contain_text("Filter is clean")
    page.goto(f"/tickets/{before}")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("Filter is clean")


# TPL-06
def test_conditions_and_behaviours_act_in_the_preview(new_form: NewForm) -> None:
    page = new_form("en")
    for kind in ("choice", "text"):
        page.locator(f".fm-tile[data-kind={kind}]").click()
    page.locator("[data-field-card=choice]").click()
    _group(page, "Behaviours").get_by_role("button", name="Add a behaviour").click()
    page.locator("[data-field-card=text]").click()
    conditions = _group(page, "Conditions")
    conditions.get_by_role("button", name="Set a condition").first.click()
    expect(conditions).to_contain_text("Single choice is “Option 1”")
    _is_saved(page)

    page.locator("[data-tab=preview]").first.click()
    choice, text = (page.locator(f".fm-screen [data-field={key}]") for key in ("choice", "text"))
    expect(choice).to_be_visible()
    expect(text).to_have_count(0)
    choice.get_by_text("Option 2").click()
    expect(text).to_have_count(0)
    choice.get_by_text("Option 1").click()
    expect(text).to_be_visible()
    expect(page.locator(".fm-screen [data-field=choice][data-tone=danger]")).to_be_visible()


def test_two_managers_who_changed_the_same_choose_side_by_side(
    new_form: NewForm, context_as: LogIn, colleague: str
) -> None:
    mine = new_form("en")
    _in_use(mine, "text")
    theirs = context_as(colleague, locale="en").new_page()
    theirs.goto(mine.url)
    _designer(theirs).wait_for()
    for page, name in ((theirs, "Their name"), (mine, "My name")):
        page.locator("[data-field-card=text]").click()
        _group(page, "Texts").locator("[data-tongue=en]").first.fill(name)
        page.locator("[data-field-card=text]").focus()
        _is_saved(page)

    mine.locator("[data-test=more]").click()
    mine.get_by_role("menuitem", name=re.compile("Merge")).click()
    conflict = mine.locator(".fm-conflicts > li", has_text="My name")
    expect(conflict.locator("[data-side=ours]")).to_contain_text("My name")
    expect(conflict.locator("[data-side=theirs]")).to_contain_text("Their name")
    take = mine.get_by_role("dialog").locator("[data-tone=primary]")
    expect(take).to_be_disabled()
    mine.get_by_role("dialog").get_by_role("button", name="All theirs").click()
    take.click()

    expect(mine.get_by_role("dialog")).to_have_count(0)
    expect(mine.locator(".fm-canvas")).to_contain_text("Their name")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_form_that_does_not_exist_is_said_to(context_as: LogIn, locale: str) -> None:
    page = context_as("manager", locale=locale).new_page()
    page.goto("/designer/forms/nothing")
    expect(
        page.locator("h1", has_text={"zh": "没有这个表单", "en": "There is no such form"}[locale])
    ).to_be_visible()
    page.locator(".fm-missing a").click()
    expect(page.locator("[data-test=designer-home]")).to_be_visible()


@pytest.mark.parametrize("address", ["/designer", "/designer/forms/repair"])
def test_only_who_may_draw_sees_the_designer(context_as: LogIn, address: str) -> None:
    agent = context_as("agent", locale="en").new_page()
    agent.goto(address)
    expect(agent.locator("main .tc-empty h1")).to_be_visible()
    expect(agent.locator("[data-test=form-designer], [data-test=designer-home]")).to_have_count(0)
    visitor = context_as(None).new_page()
    visitor.goto(address)
    visitor.wait_for_url(re.compile("/login"))


def test_a_form_without_a_name_says_so_before_it_is_published(new_form: NewForm) -> None:
    page = new_form("en")
    page.locator(".fm-tile[data-kind=text]").click()
    page.locator(".fm-title").click()
    for tongue in ("zh", "en"):
        page.locator(f".fm-right [data-tongue={tongue}]").first.fill("")
    _is_saved(page)
    page.locator("[data-test=publish]").click()
    expect(page.get_by_role("dialog").locator(".fm-problems")).to_contain_text("name")
    expect(page.locator("[data-test=publish-now]")).to_be_disabled()


# TPL-05
def test_a_field_that_is_entered_once_is_marked_as_such(new_form: NewForm) -> None:
    page = new_form("en")
    page.locator(".fm-tile[data-kind=text]").click()
    page.locator(".fm-tile[data-kind=formula]").click()
    page.locator("[data-field-card=text]").click()

    page.get_by_role("switch", name="Entered once").check(force=True)

    expect(
        page.locator("[data-field-card=text]").get_by_title("Entered once, then only read")
    ).to_be_visible()
    _is_saved(page)
    page.reload()
    page.locator("[data-field-card=text]").click()
    expect(page.get_by_role("switch", name="Entered once")).to_be_checked()
    # What is calculated is entered by nobody.
    page.locator("[data-field-card=formula]").click()
    expect(page.locator(".fm-right").get_by_text("Formula").first).to_be_visible()
    expect(page.get_by_role("switch", name="Entered once")).to_have_count(0)


def _speak(page: Page, language: str) -> None:
    page.locator("[data-test=language]").click()
    page.get_by_role("menuitem", name=language).click()


def test_what_the_designer_names_is_named_in_both_languages_until_somebody_renames_it(
    new_form: NewForm,
) -> None:
    page = new_form("zh")
    page.locator(".fm-tile[data-kind=choice]").click()
    page.get_by_role("button", name="添加选项").click()
    last = page.locator(".fm-right .fm-option .tc-input").last
    expect(last).to_have_value("选项 4")

    _speak(page, "English")

    expect(last).to_have_value("Option 4")
    expect(page.locator("[data-field-card=choice] .fm-name")).to_have_text("Single choice")
    last.fill("Till")
    page.locator("[data-field-card=choice]").focus()
    page.keyboard.press("F2")
    page.keyboard.type("Where")
    page.keyboard.press("Enter")
    _is_saved(page)
    _speak(page, "中文")
    # A word of ours in the other language would now be wrong.
    expect(page.locator("[data-field-card=choice] .fm-name")).to_have_text("Where")
    expect(page.locator("[data-field-card=choice] .fm-chip").last).to_have_text("Till")


# TPL-05
def test_who_draws_for_a_department_reads_the_sections_of_others_and_is_told_why(
    context_as: LogIn, server: Server
) -> None:
    login = second_manager(server, department="marketing", region="SOUTH")
    page = context_as(login, locale="en").new_page()
    page.goto("/designer/forms/presales")
    _designer(page).wait_for()
    theirs = page.locator(".fm-section[data-locked]")
    ours = page.locator(".fm-section:not([data-locked])")
    before = _keys(page)

    expect(theirs.get_by_role("note").first).to_contain_text("you can read it here, not change it")
    expect(ours.locator(".tc-badge")).to_have_text("marketing")
    card = theirs.locator("[data-field-card]").first
    card.click()
    inspector = page.locator(".fm-right")
    expect(inspector.get_by_role("note")).to_contain_text("You draw for marketing")
    expect(inspector.locator("[data-tongue=zh]").first).to_be_disabled()
    expect(inspector.get_by_role("switch").first).to_be_disabled()
    expect(card.locator(".fm-card-tools")).to_have_count(0)
    card.focus()
    page.keyboard.press("Delete")
    page.keyboard.press("ControlOrMeta+d")
    page.keyboard.press("F2")
    assert _keys(page) == before
    expect(page.locator(".fm-name-input")).to_have_count(0)

    # What is added while a section of others is selected goes to one's own.
    page.locator(".fm-tile[data-kind=number]").click()
    expect(ours.locator("[data-field-card=number]")).to_be_visible()
    _is_saved(page)
    ours.locator("[data-field-card=number]").click()
    expect(inspector.locator("[data-tongue=zh]").first).to_be_enabled()
    page.reload()
    _designer(page).wait_for()
    assert sorted(_keys(page)) == sorted([*before, "number"])


# TPL-07
def test_an_option_stands_for_a_published_version_of_the_rates(new_form: NewForm) -> None:
    page = new_form("en")
    page.locator(".fm-tile[data-kind=choice]").click()
    page.locator(".fm-tile[data-kind=multi_choice]").click()
    # Of several chosen options none could say which rates hold.
    expect(page.locator(".fm-right .fm-option").first).to_be_visible()
    expect(page.locator("[data-test=rates]")).to_have_count(0)
    page.locator("[data-field-card=choice]").click()
    page.locator("[data-test=rates]").click()
    rates = page.get_by_role("combobox", name="Rates of Option 1")
    expect(rates).to_have_value("")
    version = rates.locator("option").nth(1).get_attribute("value")

    rates.select_option(version)
    _is_saved(page)

    page.reload()
    page.locator("[data-field-card=choice]").click()
    expect(rates).to_have_value(str(version))
    expect(page.get_by_role("combobox", name="Rates of Option 2")).to_have_value("")
    _choose_flow(page)
    _put_in_use(page)
    draft = page.context.request.get(f"/api/v1/designer/forms/{page.url.rpartition('/')[2]}/draft").json()
    fields = draft["document"]["definition"]["sections"][0]["fields"]
    options = next(field["options"] for field in fields if field["kind"] == "choice")
    rule_set, _, number = str(version).partition(":")
    assert [option.get("rates") for option in options] == [
        {"rule_set": rule_set, "version": int(number)},
        None,
        None,
    ]


# The phone shows tabs as signs only: each still has its name.
@pytest.mark.parametrize("width", [390, 768, 1024])
def test_the_designer_has_no_serious_barrier_at_any_width(context_as: LogIn, width: int) -> None:
    context = context_as("manager", locale="en", width=width, height=900, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/designer/forms/repair")
    _designer(page).wait_for()
    for tab in ("preview", "layers", "versions", "build"):
        page.locator(f"button[data-tab={tab}]").click()
        expect(page.locator(".tc-bone, [aria-busy=true]")).to_have_count(0)
        found = Axe().run(page).response["violations"]
        serious = [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in SERIOUS]
        assert serious == [], tab
