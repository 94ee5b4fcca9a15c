"""Everything that waits is planned at once: a row is left out, somebody is faster with another."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.fixtures.browsers import LogIn, OpenPage, Server

SHANGHAI = {"lat": 31.2304, "lon": 121.4737}
IN_SHANGHAI = "region_id = (SELECT id FROM region WHERE code = 'SH')"
HOLDER = "SELECT technician.name FROM ticket LEFT JOIN technician ON technician.id = ticket.assignee_id"


def rows(server: Server, query: str, *values: Any) -> list[tuple[Any, ...]]:
    path = server.environ["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        return list(connection.execute(query, values))


def holder(server: Server, no: str) -> str | None:
    ((name,),) = rows(server, f"{HOLDER} WHERE ticket.no = ?", no)
    return None if name is None else str(name)


def open_repair(server: Server, context_as: LogIn, title: str) -> dict[str, Any]:
    body = {
        "command_id": str(uuid4()),
        "template_code": "repair",
        "title": title,
        "values": {"category": "hvac"},
        "contact_name": "罗霞",
        "contact_phone": "13800001234",
        "address": "上海市南京东路 1 号",
        **SHANGHAI,
    }
    answer = context_as("agent").request.post("/api/v1/tickets", data=body, headers={"origin": server.url})
    assert answer.status == 201, answer.text()
    told: dict[str, Any] = answer.json()
    return told


@pytest.fixture
def waiting(server: Server, context_as: LogIn) -> Iterator[list[str]]:
    """Four repairs that came to Shanghai while nobody was on duty, with everybody back by now.

    The worker rests: it would have given them away before anybody could look.
    """
    server.stop()
    server.environ["WORKER"] = "0"
    server.start()
    duty = f"UPDATE technician SET is_on_duty = ?, version = version + 1 WHERE {IN_SHANGHAI}"
    rows(server, duty, 0)
    opened = [open_repair(server, context_as, f"空调不制冷 {number}")["no"] for number in range(4)]
    rows(server, duty, 1)
    assert [holder(server, no) for no in opened] == [None] * 4
    yield opened
    server.stop()
    del server.environ["WORKER"]
    server.start()


def plan(page: Page) -> Locator:
    page.locator(".tc-head").get_by_role("button", name=re.compile("Plan everything|整体派单")).click()
    dialog = page.locator("dialog[open]")
    expect(dialog.locator(".tc-plan-worth")).to_be_visible()
    return dialog


def no_findings(page: Page) -> None:
    found = Axe().run(page, context="dialog[open]")
    assert found.violations_count == 0, found.generate_report()


def test_a_plan_is_looked_at_chosen_from_and_carried_out(
    server: Server, waiting: list[str], page_as: OpenPage
) -> None:
    left_out, taken, *others = waiting
    desk = page_as("dispatcher", "/waiting", locale="en")
    dialog = plan(desk)
    for no in waiting:
        expect(dialog.get_by_role("row", name=re.compile(no))).to_contain_text(re.compile(r"\d+/\d+"))
    expect(dialog.get_by_role("row", name=re.compile("As a whole"))).to_contain_text(
        re.compile(r"\d+ of \d+")
    )
    expect(dialog.get_by_role("row", name=re.compile("One by one"))).to_be_visible()
    no_findings(desk)
    box = dialog.get_by_role("checkbox", name=re.compile(left_out))
    box.focus()
    desk.keyboard.press("Space")
    expect(box).not_to_be_checked()
    expect(dialog.get_by_role("checkbox", name="All rows")).not_to_be_checked()

    # Another dispatcher gives one of them to somebody by hand, who is not whom the plan has for it.
    other = page_as("dispatcher", "/waiting", locale="en")
    other.get_by_role("row", name=re.compile(taken)).get_by_role("button", name="Assign…").click()
    offers = other.locator("dialog[open] .tc-offers button[data-fit=yes]")
    offers.last.click()
    other.locator("dialog[open] button[type=submit]").click()
    expect(other.locator("dialog[open]")).to_have_count(0)
    faster = holder(server, taken)
    assert faster is not None
    expect(dialog.get_by_text("What waits has changed since this plan was made.")).to_be_visible()
    assert [holder(server, no) for no in (left_out, *others)] == [None] * 3

    dialog.get_by_role("button", name=re.compile(r"Apply \d+")).click()

    refused = dialog.get_by_role("row", name=re.compile(taken))
    expect(refused).to_contain_text("Refused")
    expect(refused).to_contain_text(re.compile(r"at \d\d:\d\d:\d\d\. Look at the ticket again"))
    for no in others:
        expect(dialog.get_by_role("row", name=re.compile(no))).to_contain_text("Given")
        assert holder(server, no) is not None
    expect(dialog.get_by_role("row", name=re.compile(left_out))).to_have_count(0)
    assert (holder(server, taken), holder(server, left_out)) == (faster, None)
    no_findings(desk)

    dialog.get_by_role("button", name="Plan again").click()
    expect(dialog.get_by_role("row", name=re.compile(left_out))).to_be_visible()
    expect(dialog.get_by_role("row", name=re.compile(taken))).to_have_count(0)
    desk.keyboard.press("Escape")
    expect(desk.locator("dialog[open]")).to_have_count(0)
    expect(desk.get_by_role("row", name=re.compile(left_out))).to_be_visible()


def test_a_plan_fits_a_phone_in_the_dark(server: Server, waiting: list[str], page_as: OpenPage) -> None:
    phone = page_as("dispatcher", "/waiting", width=390, height=844, dark=True)
    dialog = plan(phone)

    expect(dialog.get_by_role("checkbox", name=re.compile(waiting[0]))).to_be_checked()
    assert dialog.evaluate("each => each.scrollWidth - each.clientWidth") == 0
    no_findings(phone)
    dialog.get_by_role("button", name=re.compile("执行")).click()
    for no in waiting:
        expect(dialog.get_by_role("row", name=re.compile(no))).to_contain_text("已派出")
        assert holder(server, no) is not None
