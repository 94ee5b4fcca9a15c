"""A manager writes, tries, publishes and orders trigger rules, by keyboard alone where it matters."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.browsers import OpenPage


def rules(page: Page) -> list[str]:
    return [str(each.get_attribute("data-code")) for each in page.locator(".tc-rule").all()]


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_rule_is_written_tried_and_published(page_as: OpenPage, locale: str) -> None:  # INT-13, FLW-21
    page = page_as("manager", "/designer/rules", locale=locale)
    words = {
        "zh": ("新建规则", "添加一条", "消息内容的值", "发布", "消息内容包含“电梯”", "电梯"),
        "en": (
            "New rule",
            "Add rule",
            "Value of Message",
            "Publish",
            "Message contains “escalator”",
            "escalator",
        ),
    }[locale]
    new, add, value, publish, said, word = words
    expect(page.locator(".tc-rule").first).to_be_visible()

    page.get_by_role("button", name=new).first.click()
    dialog = page.get_by_role("dialog")
    name, code = dialog.locator("input.tc-input").first, f"lift-{locale}"
    name.fill("电梯")
    dialog.locator("input.tc-input").nth(1).fill("Lifts")
    dialog.locator("input.tc-input").nth(2).fill(code)
    dialog.get_by_role("button", name=add).first.press("Enter")
    dialog.get_by_label(value, exact=True).fill(word)
    expect(dialog.locator(".tc-cond-said")).to_have_text(said)
    dialog.get_by_role("button", name=publish).click()

    published = page.locator(f'.tc-rule[data-code="{code}"]')
    expect(published).to_contain_text(said)
    page.locator("textarea[name=text]").fill(f"{word}: 3F")
    page.locator("form:has(textarea[name=text]) button[type=submit]").click()
    expect(page.locator(".tc-rule-verdicts > li").last).to_contain_text(re.compile("由它决定|Decides"))


def test_rules_are_put_into_order_and_to_rest_by_keyboard(page_as: OpenPage) -> None:  # INT-13
    page = page_as("manager", "/designer/rules", locale="en")
    expect(page.locator(".tc-rule").nth(1)).to_be_visible()
    before = rules(page)

    page.locator(".tc-rule").nth(1).get_by_role("button", name=re.compile("^Move up")).press("Enter")
    expect(page.locator(".tc-rule").first).to_have_attribute("data-code", before[1])
    page.locator(".tc-rule").first.get_by_role("button", name=re.compile("^Move down")).press("Enter")
    expect(page.locator(".tc-rule").first).to_have_attribute("data-code", before[0])
    page.locator(".tc-rule").first.get_by_role("button", name="Put to rest").press("Enter")
    expect(page.locator(".tc-rule").first).to_have_attribute("data-rests", "true")
    page.locator(".tc-rule").first.get_by_role("button", name="Put to work").press("Enter")
    expect(page.locator(".tc-rule").first).to_have_attribute("data-rests", "false")

    assert rules(page) == before


def test_a_rule_that_can_never_hold_is_refused_with_words(page_as: OpenPage) -> None:
    page = page_as("manager", "/designer/rules", locale="en")
    expect(page.locator(".tc-rule").first).to_be_visible()

    page.get_by_role("button", name="New rule").first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input.tc-input").first.fill("不可能")
    dialog.locator("input.tc-input").nth(2).fill("never")
    for operator in ("=", "!="):
        dialog.get_by_role("button", name="Add rule").first.click()
        rule = dialog.locator(".tc-cond-rule").last
        rule.get_by_label("Field").select_option("channel")
        rule.get_by_label("Comparison").select_option(operator)
    dialog.get_by_role("button", name="Publish").click()

    expect(dialog.locator(".tc-cond-problems")).to_contain_text("can never hold")
    expect(page.locator('.tc-rule[data-code="never"]')).to_have_count(0)


def test_somebody_who_does_not_manage_rules_does_not_get_the_page(page_as: OpenPage) -> None:
    page = page_as("agent", "/designer/rules", locale="en")

    expect(page.get_by_role("heading", name="Trigger rules")).to_have_count(0)
