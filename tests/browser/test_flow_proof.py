"""A manager proves a change on past tickets, publishes it, moves running tickets and goes back."""

import os
import re
import sqlite3
import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.fixtures.browsers import OpenPage, Server

FLOW = "repair"
OTHER_PATH = {"zh": "走不同的路", "en": "other path"}
TEST = "cooling as before"
# Asked for electrical work, the first way takes it; cooling is left for whoever takes the rest.
WOULD_TAKE = {"accept_hvac": "accept_any", "accept_electrical": "accept_hvac"}


def asked(server: Server, query: str, *values: Any) -> list[tuple[Any, ...]]:
    path = Path(server.environ["DATA_DIR"]) / "console.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return connection.execute(query, values).fetchall()


def turn_to(page: Page, tab: int) -> None:
    page.locator(".fl-head [role=tab]").nth(tab).click()


def saved(page: Page) -> None:
    expect(page.locator('[data-test="save-state"]')).to_have_attribute("data-state", "saved")


def send_cooling_elsewhere(page: Page, to: str = "electrical") -> None:
    """Change the condition of one way, in the inspector: cooling is no longer what it asks for."""
    page.locator('.react-flow__edge[data-id="trade-accept_hvac"]').focus()
    page.keyboard.press("Enter")
    page.locator(".fl-guard .tc-select").last.select_option(to)
    page.locator(".fl-guard .tc-select").last.blur()
    saved(page)


def undo(page: Page) -> None:
    turn_to(page, 0)
    page.locator('[data-test="undo"]').click()
    saved(page)


def replay(page: Page, since: date, until: date) -> None:
    page.locator(".fp-period [name=since]").fill(since.isoformat())
    page.locator(".fp-period [name=until]").fill(until.isoformat())
    page.locator(".fp-period button[type=submit]").click()


def last_month(server: Server) -> tuple[date, date]:
    """The days on which tickets of the flow were opened."""
    ((first, last),) = asked(server, "SELECT min(opened_at), max(opened_at) FROM ticket")
    return date.fromisoformat(first[:10]), date.fromisoformat(last[:10]) + timedelta(days=1)


def accepted_by(server: Server) -> dict[str, str]:
    """The tickets whose way the change is about, and the step each of them took."""
    query = """
        SELECT DISTINCT ticket.no, token.node_key FROM token
        JOIN ticket ON ticket.id = token.ticket_id
        JOIN flow_version ON flow_version.id = ticket.flow_version_id
        JOIN flow ON flow.id = flow_version.flow_id
        WHERE flow.code = ? AND token.node_key IN ('accept_hvac', 'accept_electrical')
    """
    return dict(asked(server, query, FLOW))


def only(picture: Locator, edge: str) -> None:
    """On this side only, the edge is walked."""
    expect(picture.locator(f'.react-flow__edge[data-id="{edge}"] [data-path="warn"]')).to_have_count(1)


def runs(server: Server) -> list[tuple[Any, ...]]:
    return asked(server, "SELECT state, report IS NULL FROM replay_run ORDER BY id")


def versions_of_running(server: Server) -> list[tuple[Any, ...]]:
    return asked(server, "SELECT id, flow_version_id, marking FROM ticket WHERE status = 'open' ORDER BY id")


def parts_at_work(server: Server) -> list[str]:
    """Processes that play tickets for this console."""
    assert server.process is not None
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes()
            if b"desk.replay.part" in line and os.getsid(int(entry.name)) == server.process.pid:
                found.append(entry.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_changed_condition_lists_the_tickets_that_differ_and_draws_both_ways(
    page_as: OpenPage, server: Server, locale: str
) -> None:  # moonshot 1
    page = page_as("manager", f"/designer/flows/{FLOW}", locale=locale)
    send_cooling_elsewhere(page)
    before = versions_of_running(server)
    turn_to(page, 1)
    replay(page, *last_month(server))
    rows = page.locator(".fp .tc-table button")
    expect(rows.first).to_be_visible()

    path = page.locator(".fp-filter button", has_text=OTHER_PATH[locale])
    concerned = accepted_by(server)
    assert int(path.locator(".tc-num").inner_text()) == len(concerned)
    path.click()
    expect(path).to_have_attribute("aria-pressed", "true")
    took = concerned[page.locator(".fp .tc-table tbody tr a").first.inner_text()]
    rows.first.click()
    pair = page.locator(".fp-replayed .fp-pair section")
    only(pair.nth(0), f"trade-{took}")
    only(pair.nth(1), f"trade-{WOULD_TAKE[took]}")
    assert versions_of_running(server) == before
    undo(page)


def test_an_unchanged_draft_would_send_every_ticket_the_way_it_went(
    page_as: OpenPage, server: Server
) -> None:
    page = page_as("manager", f"/designer/flows/{FLOW}", locale="en")
    turn_to(page, 1)
    replay(page, *last_month(server))

    expect(page.locator(".fp .tc-note[data-tone=ok]")).to_contain_text("exactly as they went")
    expect(page.locator(".fp-filter")).to_have_count(0)


def test_a_replay_that_is_stopped_leaves_its_row_and_no_process(page_as: OpenPage, server: Server) -> None:
    page = page_as("manager", f"/designer/flows/{FLOW}", locale="en")
    send_cooling_elsewhere(page)
    turn_to(page, 1)
    before = runs(server)
    replay(page, *last_month(server))

    page.locator(".fp").get_by_role("button", name="Stop").click()

    expect(page.locator(".fp .tc-note")).to_contain_text("was stopped and left no result")
    deadline = time.monotonic() + 20
    while parts_at_work(server):
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)
    assert runs(server) == [*before, ("cancelled", 1)]
    undo(page)


def test_a_saved_ticket_blocks_what_breaks_it_until_it_is_accepted_and_running_tickets_move_only_when_told(
    page_as: OpenPage, server: Server
) -> None:  # moonshot 9, FLW-11
    ((ticket_id, ticket_no),) = asked(
        server,
        """SELECT ticket.id, ticket.no FROM ticket JOIN token ON token.ticket_id = ticket.id
        JOIN flow_version ON flow_version.id = ticket.flow_version_id
        JOIN flow ON flow.id = flow_version.flow_id
        WHERE flow.code = ? AND token.node_key = 'accept_hvac'
            AND ticket.status = 'closed' AND ticket.returns = 0
        ORDER BY ticket.id LIMIT 1""",
        FLOW,
    )
    page = page_as("manager", f"/tickets/{ticket_id}", locale="en")
    page.get_by_role("button", name="Save as test").click()
    page.get_by_role("dialog").locator("textarea").fill(TEST)
    page.get_by_role("dialog").locator("[data-tone=primary]").click()
    expect(page.get_by_role("dialog")).to_have_count(0)

    # The change breaks the test: publishing names it, the test tab draws both ways.
    page.goto(f"/designer/flows/{FLOW}")
    send_cooling_elsewhere(page)
    page.locator('[data-test="publish"]').click()
    failed = page.locator(f'[data-failed-test="{TEST}"]')
    expect(failed).to_contain_text(ticket_no)
    expect(page.locator('[data-test="publish-now"]')).to_be_disabled()
    page.keyboard.press("Escape")
    turn_to(page, 1)
    tests = page.locator(".fp-tested")
    tests.get_by_role("button", name="Run on the draft").click()
    expect(tests.locator(".fp-failed")).to_contain_text("was expected")
    tests.get_by_role("button", name="Compare").click()
    pair = tests.locator(".fp-pair section")
    only(pair.nth(0), "trade-accept_hvac")
    only(pair.nth(1), "trade-accept_any")

    # With a reason it is published, and whoever is on the way stays on the version before.
    running = versions_of_running(server)
    turn_to(page, 0)
    page.locator('[data-test="publish"]').click()
    failed.locator("input").fill("cooling goes to everybody now")
    page.locator('[data-test="publish-now"]').click()
    expect(failed).to_have_count(0)
    turn_to(page, 2)
    shown = page.locator(".fp-version")
    expect(shown).to_have_count(2)
    assert versions_of_running(server) == running

    # What changed is drawn, with who stands there.
    picture = page.locator(".fp-canvas")
    expect(
        picture.locator('.react-flow__edge[data-id="trade-accept_hvac"] [data-mark="changed"]')
    ).to_have_count(1)
    expect(picture.locator(".fl-count").first).to_have_text(re.compile(r"^\d+$"))

    # One ticket is carried over after a dry run, and back again.
    page.get_by_role("button", name="Move running tickets here").click()
    able = page.locator(".fp .tc-table input[type=checkbox]:not([disabled])")
    expect(able.first).to_be_checked()
    page.get_by_role("button", name="Choose none").click()
    expect(able.first).not_to_be_checked()
    able.first.click()
    expect(able.first).to_be_checked()
    number = able.first.get_attribute("aria-label")
    page.get_by_role("button", name=re.compile(r"^Move the 1 chosen")).click()
    expect(page.get_by_role("button", name="Take back")).to_have_count(1)
    old, new = (
        row[0]
        for row in asked(
            server,
            """SELECT flow_version.id FROM flow_version JOIN flow ON flow.id = flow_version.flow_id
            WHERE flow.code = ? ORDER BY number""",
            FLOW,
        )
    )
    carried = "SELECT flow_version_id FROM ticket WHERE no = ?"
    assert asked(server, carried, number) == [(new,)]
    # It can be taken back for as long as nobody acted upon it, and not only in this sitting.
    page.reload()
    turn_to(page, 2)
    expect(page.get_by_role("button", name="Take back")).to_have_count(1)
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("button", name="Take back")).to_have_count(0)
    assert versions_of_running(server) == running

    # The older version is published again, with the reason; then nothing differs from how it went.
    shown.last.click()
    page.locator(".fp-actions input").fill("customers want their own technicians")
    page.get_by_role("button", name="Publish this version again").click()
    expect(shown.last).to_contain_text("in use")
    assert asked(server, "SELECT current_version_id FROM flow WHERE code = ?", FLOW) == [(old,)]
    assert versions_of_running(server) == running


def test_the_tabs_have_no_fault_a_screen_reader_would_meet(page_as: OpenPage, server: Server) -> None:
    page = page_as("manager", f"/designer/flows/{FLOW}", locale="en")
    for tab, ready in ((1, ".fp-period"), (2, ".fp-version")):
        turn_to(page, tab)
        page.locator(ready).first.wait_for()
        found = Axe().run(page).response["violations"]
        assert [rule for rule in found if rule["impact"] in {"serious", "critical"}] == []
