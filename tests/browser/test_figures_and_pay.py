"""Figures lead to the tickets they count, and amounts to how they were computed."""

import re
from decimal import Decimal
from pathlib import Path
from uuid import uuid4
from zipfile import ZipFile

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.browsers import OpenPage
from tools import verify_statement

DRAWN = ".tc-chart-area[data-state=ready]"


def number_in(text: str) -> int:
    found = re.search(r"[\d,]+", text)
    assert found, text
    return int(found[0].replace(",", ""))


def amount_in(text: str) -> Decimal:
    return Decimal(re.sub(r"[^\d.-]", "", text))


def count_of(page: Page) -> int:
    hint = page.locator(".tc-head-hint")
    expect(hint).to_have_text(re.compile(r"^\d[\d,]* tickets?$"))
    return number_in(hint.inner_text())


def test_every_tile_and_bar_leads_to_as_many_tickets_as_it_says(page_as: OpenPage) -> None:  # RPT-01
    page = page_as("manager", "/", locale="en")
    page.wait_for_selector(DRAWN)
    said: list[tuple[str, int]] = []
    for tile in page.locator(".td-tiles > a").all():
        figure = tile.locator(".td-hint span").last if tile.locator(".td-hint").count() else tile
        said.append((tile.get_attribute("href") or "", number_in(figure.inner_text().split("\n")[-1])))
    for summary in page.locator(".tc-chart-data summary").all()[:3]:
        summary.click()
    links = page.locator(".tc-chart-data[open] td a").all()[-8:]
    said += [(link.get_attribute("href") or "", number_in(link.inner_text())) for link in links]

    for address, count in said:
        page.goto(address)
        page.wait_for_selector(".tl-table")
        assert (address, count_of(page)) == (address, count)


def test_a_bar_opens_its_list(page_as: OpenPage) -> None:  # RPT-01
    page = page_as("manager", "/", locale="en")
    page.wait_for_selector(DRAWN)
    bar = page.locator(".tc-chart").nth(1).locator(".bars .point path").first
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    assert box

    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    page.wait_for_url(re.compile(r"/tickets\?metric=in_time&region=\d+"))


def test_the_dashboard_follows_what_happens(page_as: OpenPage) -> None:
    page = page_as("manager", "/", locale="en")
    page.wait_for_selector(DRAWN)
    tile = page.locator(".td-tiles > a").nth(1).locator(".tc-tile-value")
    before = number_in(tile.inner_text())

    answer = page.context.request.post(
        "/api/v1/tickets",
        headers={"origin": page.url.rstrip("/")},
        data={"command_id": f"test:{uuid4().hex}", "template_code": "complaint", "title": "Seen at once"},
    )

    assert answer.status == 201, answer.text()
    expect(tile).to_have_text(str(before + 1))


def test_a_number_that_is_typed_opens_its_ticket(page_as: OpenPage) -> None:
    page = page_as("dispatcher", "/tickets", locale="en")
    link = page.locator(".tl-open").nth(2)
    link.wait_for()
    number, address = link.inner_text(), link.get_attribute("href")

    page.goto(f"/tickets?q={number}")
    expect(page.get_by_role("searchbox")).to_have_value(number)
    page.get_by_role("searchbox").fill(number.lower())
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{address}")


def test_a_total_is_the_sum_of_its_tickets_and_a_ticket_of_its_lines(page_as: OpenPage) -> None:  # STL-23
    page = page_as("finance", "/settlement", locale="en")
    first = page.locator(".ts-list tbody tr").first
    first.wait_for()
    total = amount_in(first.locator(".ts-amount").inner_text())

    first.locator("a").click()
    page.wait_for_selector(".ts-so-far")
    amounts = [amount_in(text) for text in page.locator(".ts-list .ts-amount").all_inner_texts()]
    assert sum(amounts) == total

    page.locator(".ts-list tbody a").first.click()
    page.wait_for_selector(".ts-lines")
    lines = [amount_in(text) for text in page.locator(".ts-lines .ts-amount").all_inner_texts()]
    assert sum(lines) == amounts[0] == amount_in(page.locator(".ts-total strong").inner_text())
    page.locator(".ts-lines summary").first.click()
    expect(page.locator(".ts-sentence").first).to_be_visible()


def test_a_statement_is_issued_once_looked_at_and_downloaded(page_as: OpenPage) -> None:  # STL-24
    page = page_as("finance", "/settlement", locale="en")
    page.locator(".ts-list tbody a").last.click()
    page.get_by_role("button", name="Issue statement").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Once issued it cannot change")
    dialog.get_by_role("button", name="Issue statement").click()

    expect(page.locator(".ts-statements")).to_contain_text("issued")
    expect(page.get_by_role("button", name="Issue statement")).to_have_count(0)
    with page.expect_download() as download:
        page.locator(".ts-statements").get_by_role("link", name="Download XLSX").click()
    assert re.fullmatch(r"statement-\d{4}-\d{2}-technician-\d+-01\.xlsx", download.value.suggested_filename)


def test_a_month_is_fetched_as_one_zip_and_proven_without_the_console(
    page_as: OpenPage, tmp_path: Path
) -> None:  # STL-24, moonshot 20
    page = page_as("finance", "/settlement", locale="en")
    page.locator(".ts-list tbody tr").first.wait_for()
    # The demo issued a statement for the month that is over.
    page.get_by_role("combobox").first.select_option(index=1)
    page.wait_for_url(re.compile(r"period=\d+"))
    page.get_by_role("button", name="Everything as one zip").click()
    link = page.get_by_role("link", name="Download the zip")
    link.wait_for(timeout=60_000)
    with page.expect_download() as download:
        link.click()
    page.get_by_text("Public keys of our signatures").click()
    key = page.locator(".ts-keys code").first.inner_text()

    download.value.save_as(tmp_path / "month.zip")
    with ZipFile(tmp_path / "month.zip") as archive:
        archive.extractall(tmp_path)
    papers = sorted(map(str, tmp_path.glob("statement-*")))
    proven = [paper for paper in papers if paper.endswith((".json", ".xlsx", ".csv"))]
    assert len(proven) == 3 * len([paper for paper in papers if paper.endswith(".pdf")])
    assert verify_statement.main([*proven, "--key", key]) == verify_statement.GENUINE
    paper = next(Path(each) for each in proven if each.endswith(".csv"))
    one_cent_more = re.sub(rb"0,CNY", b"1,CNY", paper.read_bytes(), count=1)
    paper.write_bytes(one_cent_more)
    assert verify_statement.main([str(paper), "--key", key]) == verify_statement.CHANGED


def test_technicians_see_their_own_pay_and_nobody_elses(page_as: OpenPage) -> None:  # STL-23
    page = page_as("tech01", "/settlement?payee=technician:2", locale="en", width=390, height=844)

    page.wait_for_url("**/pay")
    expect(page.get_by_role("heading", level=1)).to_have_text("My pay")
    earned = page.locator(".py-sum strong").inner_text()
    page.goto("/pay?payee=technician:2")
    expect(page.locator(".py-sum strong")).to_have_text(earned)
    assert page.locator("main").evaluate("main => main.scrollWidth <= main.clientWidth")


@pytest.mark.parametrize("login", ["dispatcher", "agent"])
def test_people_without_money_rights_find_no_amount(page_as: OpenPage, login: str) -> None:  # PRM-02
    page = page_as(login, "/settlement", locale="en")

    expect(page.locator(".tc-empty")).to_contain_text("Nothing here for you")
    assert "¥" not in page.content()
