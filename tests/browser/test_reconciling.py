"""Finance reconciles with a partner's file as it came, decides by keyboard and takes the result home."""

import csv
import io

from playwright.sync_api import Page, expect

from tests.fixtures.browsers import OpenPage

THEIRS = "工单号,结算金额,备注\nX-1,120.50,一\nX-2,80,二\n合计,200.50,\n".encode("gb18030")
WITH_A_FORMULA = "工单号,结算金额\nX-1,=1+1\n".encode()


def send(page: Page, content: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": "账单.csv", "mimeType": "text/csv", "buffer": content}
    )


# STL-22
def test_a_file_is_compared_decided_by_keyboard_closed_and_exported(page_as: OpenPage) -> None:
    page = page_as("finance", "/settlement/reconcile", locale="en")
    # Technicians of the demo company have earned something; its first partner may have nothing yet.
    payee = page.get_by_label("With whom")
    owed = payee.locator("option[value^=technician]").first.get_attribute("value")
    payee.select_option(owed)
    send(page, THEIRS)
    expect(page.get_by_label("What the column “结算金额” means")).to_have_value("amount")
    expect(page.get_by_text("A sum of other rows, left out")).to_be_visible()
    page.get_by_role("button", name="See the result first").click()
    expect(page.get_by_role("cell", name="¥200.50").first).to_be_visible()

    page.get_by_role("button", name="Start reconciling").click()

    page.wait_for_url("**/settlement/reconcile?id=*")
    page.get_by_role("button", name="Only theirs 2").click()
    lines = page.locator(".tc-reconcile")
    expect(lines.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_role("button", name="Close", exact=True)).to_be_disabled()
    lines.focus()
    page.keyboard.press("a")
    expect(lines.locator("tbody tr").first).to_contain_text("Accepted")
    page.keyboard.press("d")
    page.get_by_role("dialog").get_by_role("textbox").fill("never ordered")
    page.get_by_role("dialog").get_by_role("button", name="Dispute").click()
    expect(lines.locator("tbody tr").nth(1)).to_contain_text("never ordered")

    page.get_by_role("button", name="Only ours").click()
    page.get_by_role("button", name="Accept the other").click()
    page.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Close", exact=True).click()
    expect(page.get_by_role("button", name="Open again")).to_be_visible()

    href = page.get_by_role("link", name="CSV").get_attribute("href") or ""
    text = page.context.request.get(href).body().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    theirs = [row for row in rows if row["Outcome"] == "Only theirs"]
    assert [(row["Their ticket no."], row["Theirs"], row["Decision"], row["Note"]) for row in theirs] == [
        ("X-1", "120.50", "Accepted", ""),
        ("X-2", "80.00", "Disputed", "never ordered"),
    ]


def test_a_formula_is_refused_by_its_row_and_nothing_is_kept(page_as: OpenPage) -> None:
    page = page_as("finance", "/settlement/reconcile", locale="en")
    choose = page.get_by_text("Drop their file here")
    expect(choose).to_be_visible()
    before = page.locator(".tc-recent li").count()
    send(page, WITH_A_FORMULA)
    expect(page.get_by_text("“=1+1” in row 2 is a formula.").first).to_be_visible()

    page.get_by_role("button", name="Start reconciling").click()

    expect(page.get_by_text("rows that cannot be read: 1")).to_be_visible()
    page.get_by_role("button", name="Another file").click()
    page.reload()
    expect(choose).to_be_visible()
    assert page.locator(".tc-recent li").count() == before
