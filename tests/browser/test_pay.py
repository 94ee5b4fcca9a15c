"""A technician objects to a line from the phone, finance answers and corrects, the statement shows both."""

import re
from decimal import Decimal

from playwright.sync_api import Page, expect

from tests.fixtures.browsers import OpenPage


def amount_in(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.-]", "", text.replace("−", "-")))


def amounts(page: Page, selector: str) -> list[Decimal]:
    page.wait_for_selector(selector)
    return [amount_in(text) for text in page.locator(selector).all_inner_texts()]


def open_facts(page: Page) -> None:
    """Every fact of the ticket, the kilometres among them."""
    page.locator(".ex-rating .ts-all-facts > summary").last.click()


def open_payee(page: Page, name: str) -> None:
    """By address: amounts that change while one clicks put the list into another order."""
    page.goto("/settlement")
    page.goto(page.get_by_role("link", name=name, exact=True).get_attribute("href") or "")


def test_a_dispute_from_the_phone_is_answered_corrected_and_stated(page_as: OpenPage) -> None:
    # STL-23, STL-25, STL-27
    phone = page_as("tech01", "/pay", locale="zh", width=390, height=844)
    before = amount_in(phone.locator(".py-sum strong").inner_text())
    phone.locator(".py-tickets a").first.click()
    rated = sum(amounts(phone, ".ts-lines .ts-amount"))
    assert rated == amount_in(phone.locator(".ts-total strong").inner_text())
    ticket = phone.url

    # Any node can be objected to: here the kilometres, with a sentence.
    open_facts(phone)
    kilometres = phone.locator(".ex-nodes > li").filter(has_text="行驶公里数").last
    kilometres.get_by_role("button", name="对此提出申诉").click()
    asked = phone.get_by_role("dialog")
    expect(asked).to_contain_text("行驶公里数")
    asked.get_by_role("textbox").fill("开了 235.5 公里，照片上有里程表")
    asked.get_by_role("button", name="确定").click()
    expect(phone.locator(".ex-dispute")).to_contain_text("待答复")
    assert phone.locator("main").evaluate("main => main.scrollWidth <= main.clientWidth")

    finance = page_as("finance", "/settlement", locale="en")
    expect(finance.locator(".ts-count")).to_have_text("1")
    finance.get_by_role("link", name=re.compile("^Disputes")).click()
    finance.locator(".ds-inbox nav a").first.click()
    finance.get_by_role("button", name="Answer", exact=True).click()
    finance.get_by_label("What you say").fill("We look at the odometer.")
    finance.get_by_role("button", name="Send the answer").click()
    expect(finance.locator(".ex-dispute").first).to_contain_text("We look at the odometer.")

    finance.get_by_role("button", name="Correct", exact=True).click()
    finance.get_by_label("Right value").fill("235.5")
    finance.get_by_label("What you say").fill("The photo shows it.")
    finance.get_by_role("button", name="Accept and correct").click()
    expect(finance.locator(".ex-dispute").first).to_contain_text("taken back and rated anew")

    # On the phone stand the entry, its exact reversal and the new one, and what was said.
    phone.goto(ticket)
    expect(phone.locator(".ts-entries li")).to_have_count(3)
    entries = amounts(phone, ".ts-entries .ts-amount")
    assert entries[:2] == [rated, -rated]
    assert entries[2] > rated
    expect(phone.locator(".ex-dispute")).to_contain_text("The photo shows it.")
    phone.goto(re.sub(r"&ticket=\d+", "", ticket))
    expect(phone.locator(".py-disputes")).to_contain_text("已接受")
    after = amount_in(phone.locator(".py-sum strong").inner_text())
    assert after == before - rated + entries[2]

    # The statement says all three; it is confirmed by whom it is for, paid once, and paid for good.
    name = finance.locator(".ds-inbox nav a strong").first.inner_text()
    open_payee(finance, name)
    expect(finance.locator(".ts-way")).to_contain_text(name)
    finance.get_by_role("button", name="Issue statement").click()
    finance.get_by_role("dialog").get_by_role("button", name="Issue statement").click()
    expect(finance.locator(".ts-statements")).to_contain_text("issued")
    phone.goto(ticket)
    expect(phone.locator(".ts-entries")).to_contain_text("列入第 1 号结算单")
    phone.goto(re.sub(r"&ticket=\d+", "", ticket))
    phone.get_by_role("button", name="确认无误").click()
    phone.get_by_role("dialog").get_by_role("button", name="确认无误").click()
    expect(phone.locator(".ts-statements")).to_contain_text("已确认")
    finance.goto("/settlement")
    waiting = finance.locator(".ts-payables li").filter(has_text=name)
    assert amount_in(waiting.locator(".ts-sum").inner_text()) == after
    waiting.get_by_role("button", name="Pay").click()
    finance.get_by_role("dialog").get_by_role("button", name="Pay").click()
    expect(finance.locator(".ts-payables li").filter(has_text=name)).to_have_count(0)
    open_payee(finance, name)
    expect(finance.locator(".ts-statements")).to_contain_text("paid")
    expect(finance.get_by_role("button", name="Pay")).to_have_count(0)


def test_the_way_leads_from_a_line_back_to_the_first_message(page_as: OpenPage) -> None:  # STL-27
    page = page_as("manager", "/settlement", locale="en")
    page.locator(".ts-list tbody a").first.click()
    page.wait_for_selector(".ts-so-far")
    page.locator(".ts-list tbody a").first.click()
    page.locator(".ts-all-facts summary").filter(has_text="From the first message").first.click()

    first = page.locator(".ex-story li").first
    expect(first).to_contain_text("came in by")
    first.locator("a").click()

    page.wait_for_url(re.compile(r"/intake\?message=\d+"))
