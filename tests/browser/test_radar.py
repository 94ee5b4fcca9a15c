"""The radar: what is foreseen is shown with its hit rate, and the pool opened here is told of everywhere."""

import re

from playwright.sync_api import expect

from tests.fixtures.browsers import PATIENCE_MS, OpenPage


# DSP-14, DSP-16, DSP-17, moonshot 12
def test_the_standby_pool_is_opened_told_of_and_closed(page_as: OpenPage) -> None:
    radar = page_as("manager", "/radar", locale="en")
    expect(radar.locator(".tr-stages .tc-chart").first).to_be_visible(timeout=PATIENCE_MS)
    expect(radar.get_by_text(re.compile(r"held in \d+% of \d+ forecasts")).first).to_be_visible()
    expect(radar.get_by_role("heading", name="How long steps took (28 days)")).to_be_visible()

    radar.get_by_role("button", name="Open the standby pool").first.click()
    radar.get_by_role("dialog").get_by_role("textbox").fill("Typhoon")
    radar.get_by_role("dialog").get_by_role("button").last.click()

    expect(radar.get_by_role("row", name=re.compile("Typhoon"))).to_be_visible()
    for address in ("/board", "/waiting", "/dispatch"):
        page = page_as("dispatcher", address, locale="en")
        told = page.locator(".tr-banner")
        expect(told).to_contain_text("Standby pool is open", timeout=PATIENCE_MS)
        expect(told).to_contain_text("Typhoon")
        expect(page.get_by_role("button", name="End now")).to_have_count(0)

    radar.get_by_role("button", name="End now").click()
    expect(radar.get_by_role("button", name="End now")).to_have_count(0)
    expect(radar.locator("table", has_text="ended early")).to_be_visible()


def test_a_rule_that_closes_above_where_it_opens_is_refused_and_the_form_stays(page_as: OpenPage) -> None:
    radar = page_as("manager", "/radar", locale="en")
    radar.get_by_role("button", name="New rule").click(timeout=PATIENCE_MS)
    form = radar.get_by_role("dialog")
    form.get_by_label("Begins above").fill("5")
    form.get_by_label("Over below").fill("9")
    form.get_by_role("button", name="Save").click()

    expect(radar.get_by_text("must be below 5, where it opens")).to_be_visible()
    expect(form).to_be_visible()

    form.get_by_label("Over below").fill("2")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    expect(radar.get_by_role("row", name=re.compile("Backlog: standby pool"))).to_contain_text("watching")
