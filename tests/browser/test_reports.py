"""Finance follows a figure to the ticket; a row somebody changed in the database turns its badge red."""

import csv
import io
import re
import sqlite3

from playwright.sync_api import expect

from tests.fixtures.browsers import PATIENCE_MS, OpenPage, Server
from ticket_console.state import invariants as checks


# RPT-13, STL-26, STL-28
def test_a_figure_leads_to_its_entries_and_to_the_ticket(page_as: OpenPage) -> None:
    page = page_as("finance", "/reports?by=region", locale="en")
    cost = page.locator(".tc-tile", has_text="Cost").first
    expect(cost).to_contain_text("¥", timeout=PATIENCE_MS)
    told = cost.locator(".tc-tile-value").inner_text()
    expect(page.locator(".rp-sentence")).to_contain_text("moved it most", timeout=PATIENCE_MS)
    expect(page.locator(".tc-chart-area[data-state='ready']")).to_have_count(4, timeout=PATIENCE_MS)

    page.get_by_label("Grouped by").first.select_option("dimension")
    expect(page).to_have_url(re.compile("by=dimension"))
    row = page.get_by_role("row", name=re.compile("^base labour.*Entries$")).last
    expect(row).to_be_visible(timeout=PATIENCE_MS)
    amount = row.get_by_role("cell").nth(1).inner_text()
    row.get_by_role("link", name="Entries").click()
    expect(page).to_have_url(re.compile("/reports/lines.*dimension=base_labour"))
    sum_of_lines = page.locator(".tc-tile", has_text="Cost").locator(".tc-tile-value")
    expect(sum_of_lines).to_have_text(amount, timeout=PATIENCE_MS)

    with page.expect_download() as saved:
        page.get_by_role("link", name="Export as CSV").click()
    rows = list(csv.DictReader(io.StringIO(saved.value.path().read_text(encoding="utf-8-sig"))))
    cents = sum(round(float(each["Amount"]) * 100) for each in rows if each["Side"] == "Cost")
    assert f"¥{cents / 100:,.2f}" == amount != told

    page.locator("tbody a").first.click()
    expect(page).to_have_url(re.compile(r"/tickets/\d+"))


# Moonshot 4
def test_a_row_changed_in_the_database_turns_its_badge_red_with_its_id(
    page_as: OpenPage, server: Server
) -> None:
    page = page_as("auditor", "/invariants", locale="en")
    journals = page.locator("[data-law='journals']")
    expect(journals).to_have_attribute("data-state", "holds", timeout=PATIENCE_MS)

    database = sqlite3.connect(server.environ["DATABASE_URL"].partition(":///")[2], timeout=30)
    with database:
        database.execute("DROP TRIGGER posting_no_update")
        (journal,) = database.execute("SELECT journal_id FROM posting ORDER BY id LIMIT 1").fetchone()
        database.execute(
            "UPDATE posting SET amount_minor = amount_minor + 1 WHERE id = (SELECT min(id) FROM posting)"
        )
    database.close()

    # What was checked a moment ago is not checked again, so that moment is let pass.
    page.wait_for_timeout(checks.PAUSE.total_seconds() * 1_000 + 500)
    page.get_by_role("button", name="Check now").click()
    expect(journals).to_have_attribute("data-state", "broken", timeout=PATIENCE_MS)
    expect(journals).to_contain_text(f"journal {journal}")
    expect(page.get_by_role("alert").first).to_contain_text("broken")
    expect(page.locator("[data-law='closed']")).to_have_attribute("data-state", "holds")
