"""Several are asked on their phones and one has it; a shift is handed over from one phone to another."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.fixtures.browsers import LogIn, OpenPage, Server

SHANGHAI = {"lat": 31.2304, "lon": 121.4737}
PHONE: dict[str, Any] = {"width": 390, "height": 844}
ASKED = """
    SELECT user_account.login, technician.name FROM assignment
    JOIN technician ON technician.id = assignment.technician_id
    JOIN user_account ON user_account.id = technician.user_id
    JOIN ticket ON ticket.id = assignment.ticket_id
    WHERE ticket.no = ? AND assignment.state = 'offered' ORDER BY assignment.id
"""
COLLEAGUES = """
    SELECT user_account.login, technician.name, technician.id FROM technician
    JOIN user_account ON user_account.id = technician.user_id
    WHERE technician.region_id = (SELECT region_id FROM technician WHERE id = ?)
    AND technician.is_on_duty AND technician.id <> ? ORDER BY technician.id
"""


def rows(server: Server, query: str, *values: Any) -> list[tuple[Any, ...]]:
    path = server.environ["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=20)) as connection, connection:
        return list(connection.execute(query, values))


@pytest.fixture
def two_are_asked(server: Server) -> Iterator[None]:
    """Repairs in Shanghai are offered to two for five minutes while the test runs."""
    terms = json.dumps({"mode": "offer", "offer": {"size": 2, "seconds": 300}})
    code = f"asking-{uuid4().hex[:8]}"
    rows(
        server,
        "INSERT INTO dispatch_policy (org_id, code, name, ticket_class, region_id, version) "
        'SELECT 1, ?, \'{"zh":"x","en":"x"}\', \'repair\', id, 1 FROM region WHERE code = \'SH\'',
        code,
    )
    ((policy_id,),) = rows(server, "SELECT id FROM dispatch_policy WHERE code = ?", code)
    rows(
        server,
        "INSERT INTO dispatch_policy_version (policy_id, number, terms, content_hash, note, published_at, "
        "published_by) VALUES (?, 1, ?, '0', '', '2026-01-01 00:00:00.000000', 'test')",
        policy_id,
        terms,
    )
    ((version_id,),) = rows(server, "SELECT id FROM dispatch_policy_version WHERE policy_id = ?", policy_id)
    rows(
        server,
        "UPDATE dispatch_policy SET in_force_id = ?, version = 2 WHERE id = ?",
        version_id,
        policy_id,
    )
    yield
    rows(server, "UPDATE dispatch_policy SET in_force_id = NULL, version = 3 WHERE id = ?", policy_id)


def open_repair(server: Server, context_as: LogIn) -> dict[str, Any]:
    body = {
        "command_id": str(uuid4()),
        "template_code": "repair",
        "title": "空调不制冷",
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


def test_of_two_who_are_asked_one_accepts_and_the_other_reads_who_and_when(
    server: Server, two_are_asked: None, context_as: LogIn, page_as: OpenPage
) -> None:  # ESC-01 pains 8
    opened = open_repair(server, context_as)
    (first, first_name), (second, _) = rows(server, ASKED, opened["no"])
    desk = page_as("dispatcher", "/waiting")
    desk.get_by_role("button", name=re.compile("征询中")).click()
    expect(desk.get_by_role("row", name=re.compile(opened["no"]))).to_contain_text(first_name)
    phones = [page_as(login, "/my", **PHONE) for login in (first, second)]
    cards = [phone.locator(f".tc-asked [data-ticket='{opened['no']}']") for phone in phones]
    for card in cards:
        expect(card.locator(".tc-countdown")).to_have_text(re.compile(r"^[0-4]:\d\d$"))

    cards[0].get_by_role("button", name="接单").click()

    expect(
        phones[0].locator(f".tc-job[data-ticket='{opened['no']}'] .tc-btn[data-tone=primary]")
    ).to_be_visible()
    expect(cards[1]).to_contain_text(re.compile(rf"已被 {first_name} 接单 \d\d:\d\d:\d\d"))
    expect(cards[1].get_by_role("button")).to_have_count(0)
    expect(desk.get_by_role("row", name=re.compile(opened["no"]))).to_have_count(0)


def test_who_declines_says_why_and_the_dispatcher_reads_it(
    server: Server, two_are_asked: None, context_as: LogIn, page_as: OpenPage
) -> None:
    opened = open_repair(server, context_as)
    (login, name), _ = rows(server, ASKED, opened["no"])
    phone = page_as(login, "/my", locale="en", **PHONE)
    card = phone.locator(f".tc-asked [data-ticket='{opened['no']}']")

    card.get_by_role("button", name="Decline…").click()
    phone.get_by_role("dialog").get_by_role("textbox").fill("too far")
    phone.get_by_role("dialog").locator(".tc-btn[data-tone=primary]").click()

    expect(card).to_have_count(0)
    desk = page_as("dispatcher", "/waiting", locale="en")
    desk.get_by_role("button", name=re.compile("Offered")).click()
    row = desk.get_by_role("row", name=re.compile(opened["no"]))
    expect(row.locator("li", has_text=name)).to_contain_text("too far")


def test_a_shift_goes_from_one_phone_to_another(
    server: Server, context_as: LogIn, page_as: OpenPage
) -> None:  # ESC-07
    opened = open_repair(server, context_as)
    ((holder, holder_id),) = rows(
        server,
        "SELECT user_account.login, technician.id FROM ticket "
        "JOIN technician ON technician.id = ticket.assignee_id "
        "JOIN user_account ON user_account.id = technician.user_id WHERE ticket.no = ?",
        opened["no"],
    )
    colleagues = rows(server, COLLEAGUES, holder_id, holder_id)
    giving = page_as(holder, "/handover", locale="en", **PHONE)
    giving.locator(".tc-shifts button").first.click()
    giving.get_by_role("dialog").get_by_role("textbox").fill("The key is at the desk")
    giving.get_by_role("dialog").locator(".tc-btn[data-tone=primary]").click()
    line = f".tc-handover-items [data-ticket='{opened['no']}']"
    expect(giving.locator(line)).to_have_attribute("data-state", "open")
    expect(giving.get_by_role("button", name="Close the shift")).to_be_disabled()

    takers = [page_as(login, "/handover", locale="en", **PHONE) for login, _, _ in colleagues]
    expect(takers[0].get_by_text("The key is at the desk")).to_be_visible()
    for taker in takers:
        taker.get_by_role("button", name=re.compile("Take over all")).click()
        expect(taker.locator("[data-sonner-toast], .tc-toast").first).to_be_visible()

    expect(giving.locator(line)).to_have_attribute("data-state", "accepted")
    expect(giving.locator(line)).to_contain_text(re.compile(r"taken over by .+ at \d\d:\d\d:\d\d"))
