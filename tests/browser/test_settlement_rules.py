"""A manager raises the hazard pay for work at height, sees first what that does, and publishes it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.browsers import PATIENCE_MS, OpenPage
from ticket_console.i18n import translate

# Far ahead, so that no other test is paid by it, and each before what the other one has published.
DAYS = {"zh": "2031-01-01", "en": "2030-01-01"}
HAZARD = {"zh": "危险津贴", "en": "hazard pay"}
PASTED = "\tinstallation\trepair\nShanghai\t120\t90.5\nHangzhou\t110\tx9\n"
PASTE = """text => {
  const data = new DataTransfer();
  data.setData("text/plain", text);
  document.activeElement.dispatchEvent(
    new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
}"""


def tab(page: Page, name: str) -> None:
    page.locator(".rb-tabs").get_by_role("button", name=re.compile(name)).click()


def a_draft(page: Page, locale: str) -> None:
    page.get_by_role("button", name=translate("rulebook.begin", locale)).click()
    expect(page.get_by_role("button", name=translate("rulebook.discard", locale))).to_be_visible()


@pytest.mark.parametrize(("locale", "day"), DAYS.items())
def test_height_work_at_one_and_a_quarter_is_tried_in_the_shadow_and_published(
    page_as: OpenPage, locale: str, day: str
) -> None:  # STL-03, STL-08, moonshot 3, moonshot 15
    page = page_as("manager", "/settlement/rules", locale=locale)
    expect(page.locator(".rb-rule")).to_have_count(47, timeout=PATIENCE_MS)
    expect(page.locator(".rb-chip")).to_have_count(13)
    a_draft(page, locale)

    page.locator("[data-code='hazard.height'] .rb-rule-name").click()
    value = page.locator("[data-field=value]")
    value.fill("Infinity")
    expect(page.locator(".rb-form .tc-problem")).to_contain_text(
        translate("settlement.rules.not_finite", locale, limit="1,000,000,000,000")
    )
    value.fill("1.25")
    expect(page.locator("[data-test=sentence]")).to_contain_text("1.25")
    examples = page.locator("[data-test=examples] ul")
    expect(examples.first.locator("li")).to_have_count(3)
    expect(examples.first).to_contain_text("× (1.25 − 1) = ")
    expect(examples.nth(1).locator("li")).to_have_count(2)
    page.locator("[data-test=save-rule]").click()
    expect(page.locator("[data-code='hazard.height'] .rb-value")).to_have_text("× 1.25")

    tab(page, translate("rulebook.tab.shadow", locale))
    page.get_by_role("button", name=translate("rulebook.shadow.start", locale)).click()
    result = page.locator("[data-test=shadow-result]")
    expect(result).to_be_visible(timeout=PATIENCE_MS)
    gain = result.locator("[data-sign=more]").first
    expect(gain).to_have_text(re.compile(r"\+¥\d"))
    hazard = result.get_by_role("row").filter(has_text=HAZARD[locale])
    expect(hazard.locator("[data-sign=more]")).to_have_text(gain.inner_text())

    page.get_by_role("button", name=translate("rulebook.publish", locale)).first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[data-test=publish-day]").fill(day)
    confirm = dialog.get_by_role("button", name=translate("rulebook.publish.confirm", locale, day=day))
    expect(confirm).to_be_enabled()
    expect(dialog.locator("[data-code='hazard.height']")).to_contain_text("1.25")
    confirm.click()

    shown = page.locator(".rb-version[aria-current=page]")
    expect(shown).to_contain_text(translate("rulebook.state.upcoming", locale))
    expect(shown).to_contain_text(day)
    expect(page.get_by_role("button", name=translate("rulebook.begin", locale))).to_be_visible()


def test_a_sheet_is_pasted_put_right_at_its_cell_and_the_grid_changes_a_value(  # STL-01, STL-15
    page_as: OpenPage,
) -> None:
    page = page_as("manager", "/settlement/rules?tab=cards", locale="en")
    a_draft(page, "en")
    page.get_by_role("button", name="New rate card").first.click()
    page.locator("dialog input[lang=en]").fill("Regional labour")
    page.locator("dialog input[lang=zh]").fill("区域工费")
    page.get_by_role("button", name="Make the card").click()
    page.get_by_label("East China · installation").focus()
    page.evaluate(PASTE, PASTED)

    expect(page.get_by_label("Shanghai · repair")).to_have_value("90.5")
    save = page.get_by_role("button", name="Save to the draft")
    expect(save).to_be_disabled()
    wrong = page.get_by_label("Hangzhou · repair")
    expect(wrong).to_have_attribute("aria-invalid", "true")
    wrong.fill("85")
    wrong.press("Enter")
    expect(page.get_by_label("Nanjing · repair")).to_be_focused()
    save.click()
    expect(page.get_by_text("4 of ")).to_be_visible()

    tab(page, "Tier grid")
    expect(page.locator(".rb-cell")).to_have_count(9)
    page.locator("[data-cell='basic/urgent']").click()
    page.get_by_label("Value of Urgent premium", exact=True).fill("1.4")
    page.get_by_label("Save the value of Urgent premium").click()
    expect(page.locator("[data-cell='basic/urgent']")).to_contain_text("× 1.4")

    page.get_by_role("button", name="Discard draft").click()
    page.get_by_role("dialog").get_by_role("button", name="Discard draft").click()
    expect(page.get_by_role("button", name="Start a draft from this")).to_be_visible()


def test_finance_reads_the_rules_and_changes_none(page_as: OpenPage) -> None:
    page = page_as("finance", "/settlement/rules", locale="en")
    expect(page.locator(".rb-rule")).to_have_count(47, timeout=PATIENCE_MS)

    page.locator("[data-code='night.coefficient'] .rb-rule-name").click()

    expect(page.get_by_text("A published version is never changed.")).to_be_visible()
    expect(page.locator("[data-field=value]")).to_be_disabled()
    expect(page.get_by_role("button", name="Start a draft from this")).to_have_count(0)
    expect(page.locator("[data-test=save-rule]")).to_have_count(0)
