"""One request's whole way through the console, by everybody who has a part in it."""

import csv
import re
import struct
import zlib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect
from python_calamine import CalamineWorkbook

from tests.browser.who_works import who_has
from tests.fixtures.browsers import PATIENCE_MS, OpenPage, Server
from ticket_console.i18n import translate

PHONE: Final = {"width": 390, "height": 844}
SEEN_WITHIN_MS: Final = 2000


@dataclass(frozen=True, slots=True)
class Words:
    """What people say, and what they read, in one language."""

    locale: str
    caller: str
    request: str
    emergency: str
    done: str
    remark: str
    waiting: str
    finished: str


WORDS: Final = (
    Words(
        locale="zh",
        caller="程静",
        request="卷帘门卡住了，关不上，请今天派人来看看。",
        emergency="紧急",
        done="更换导轨滚轮，门已能正常开合。",
        remark="师傅很专业。",
        waiting="待验收",
        finished="已完成",
    ),
    Words(
        locale="en",
        caller="袁嘉豪",
        request="The shutter is stuck and does not close. Please send somebody today.",
        emergency="Emergency",
        done="Replaced the rollers of the rail; the shutter runs again.",
        remark="Quick and friendly.",
        waiting="Awaiting acceptance",
        finished="Done",
    ),
)


@dataclass(frozen=True, slots=True)
class Opened:
    no: str
    ticket_id: int
    technician: str
    tracking_link: str


@pytest.mark.parametrize("words", WORDS, ids=lambda words: words.locale)
def test_a_request_becomes_a_settled_statement(
    words: Words, server: Server, page_as: OpenPage, tmp_path: Path
) -> None:
    # A lane of many cards draws those in sight only, so the dispatcher looks for who will call.
    board = page_as("dispatcher", f"/board?{urlencode({'q': words.caller})}", locale=words.locale)
    board.locator("[data-lane]").first.wait_for()
    board.evaluate("window.wasNeverReloaded = true")

    opened = _the_agent_takes_the_request(page_as("agent", "/tickets/new", locale=words.locale), words)

    card = board.locator(f'[data-card="{opened.ticket_id}"]')
    expect(_in_lane(board, "accept", card)).to_be_visible(timeout=SEEN_WITHIN_MS)
    expect(card).to_contain_text(opened.technician)

    login = who_has(server, opened.no).login
    phone = page_as(login, "/my", locale=words.locale, **PHONE)
    _the_technician_accepts_the_job(phone, opened)
    expect(_in_lane(board, "onsite", card)).to_be_visible(timeout=SEEN_WITHIN_MS)
    _the_technician_does_the_job(phone, words, _photo(tmp_path))
    expect(_in_lane(board, "acceptance", card)).to_be_visible(timeout=SEEN_WITHIN_MS)

    _the_customer_signs(page_as(None, opened.tracking_link, locale=words.locale, **PHONE), words)
    expect(board.locator(f'[data-lane="acceptance"] [data-card="{opened.ticket_id}"]')).to_have_count(0)
    assert board.evaluate("window.wasNeverReloaded")

    finance = page_as("finance", "/settlement", locale=words.locale)
    earned = _finance_reads_how_it_was_computed(finance, opened)
    _finance_issues_and_rereads_the_statement(finance, opened, earned, words.locale, tmp_path)


def _in_lane(board: Page, stage: str, card: Locator) -> Locator:
    lane = board.locator(f'[data-lane="{stage}"]')
    # A lane beside the screen has its cards drawn when somebody looks at it.
    lane.scroll_into_view_if_needed()
    return lane.locator(card)


def _the_agent_takes_the_request(page: Page, words: Words) -> Opened:
    page.get_by_role("searchbox").fill(words.caller)
    page.locator(".tc-found button").first.click()
    page.locator(".tc-device").first.wait_for()
    page.locator("textarea").first.fill(words.request)
    page.get_by_role("radio", name=words.emergency, exact=True).click()
    page.locator('[data-template="general"]').click()
    expect(page.locator('[data-template="general"]')).to_have_attribute("aria-pressed", "true")
    page.locator("form button[type=submit]").click()

    link = page.locator(".tc-opened input").input_value(timeout=PATIENCE_MS)
    heading = page.get_by_role("heading", level=1).inner_text()
    assigned = page.locator(".tc-opened-facts").inner_text()
    shown = page.locator('.tc-opened a[href^="/tickets/"]').get_attribute("href")
    assert shown is not None
    no = re.search(r"WO-\d+", heading)
    assert no is not None
    who = _between(translate("new.assigned_to", words.locale, who="|"), assigned)
    return Opened(no[0], int(shown.rpartition("/")[2]), who, link)


def _between(pattern: str, text: str) -> str:
    before, _, after = pattern.partition("|")
    found = re.search(f"{re.escape(before)}(.+?){re.escape(after)}$", text, re.MULTILINE)
    assert found is not None, text
    return found[1].strip()


def _the_technician_accepts_the_job(page: Page, opened: Opened) -> None:
    job = page.locator(f'[data-ticket="{opened.no}"]')
    job.locator(f'a[href="/tickets/{opened.ticket_id}"]').first.click()
    page.locator('[data-action="accept-onsite"]').click()


def _the_technician_does_the_job(page: Page, words: Words, photo: Path) -> None:
    finish = page.locator('[data-action="onsite-acceptance"]')
    finish.wait_for()
    # What is missing is said beside its field, and nothing is sent.
    finish.click()
    expect(page.locator('[data-field="arrival"]').get_by_role("alert")).to_be_visible()

    page.locator('[data-field="arrival"] button').click()
    page.locator('[data-field="actions"]').get_by_role("textbox").fill(words.done)
    page.locator('[data-field="labour_hours"]').get_by_role("textbox").fill("1.5")
    page.locator("input[type=file]").set_input_files(photo)
    page.locator(".tc-thumb img").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    finish.click()
    expect(page.get_by_text(words.waiting).first).to_be_visible()


def _the_customer_signs(page: Page, words: Words) -> None:
    sheet = page.locator(".tc-sign")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None
    for stroke in (((0.2, 0.3), (0.4, 0.7), (0.6, 0.3)), ((0.5, 0.6), (0.8, 0.4))):
        points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=5)
        page.mouse.up()
    expect(sheet.locator("path")).to_have_attribute("d", re.compile(r"^M .* L .* M .* L "))
    page.locator('[data-field="satisfaction"] [role=radio]').nth(4).click()
    page.locator('[data-field="customer_remark"]').get_by_role("textbox").fill(words.remark)
    page.get_by_role("button", name=translate("track.accept", words.locale), exact=True).click()

    expect(page.locator(".tc-track-state")).to_have_attribute("data-now", "done")
    expect(sheet).to_have_count(0)


def _finance_reads_how_it_was_computed(page: Page, opened: Opened) -> Decimal:
    """The amount of the ticket, which is the sum of lines that each say how they came about."""
    page.get_by_role("link", name=opened.technician, exact=True).click()
    row = page.get_by_role("row").filter(has_text=opened.no)
    listed = _amount(row.locator(".ts-amount"))
    row.get_by_role("link").click()
    page.locator(".ts-lines").wait_for()
    lines = page.locator(".ts-lines summary").all()
    for line in lines:
        assert "=" in line.locator(".ts-formula").inner_text()
    lines[0].click()
    expect(page.locator(".ts-lines .ts-sentence").first).to_be_visible()

    assert sum(_amount(line.locator(".ts-amount")) for line in lines) == listed > 0
    assert _amount(page.locator(".ts-total strong")) == listed
    return listed


def _finance_issues_and_rereads_the_statement(
    page: Page, opened: Opened, earned: Decimal, locale: str, folder: Path
) -> None:
    page.get_by_role("link", name=opened.technician, exact=True).click()
    page.locator(".ts-so-far").wait_for()
    before = page.locator(".ts-statements > li").count()
    page.get_by_role("button", name=translate("settle.issue", locale), exact=True).click()
    page.get_by_role("dialog").locator("[data-tone=primary]").click()
    name = translate("settle.statement_no", locale, n=before + 1)
    statement = page.locator(".ts-statements > li").filter(has=page.get_by_text(name, exact=True))
    statement.wait_for()
    total = _amount(statement.locator(".ts-sum"))

    lines = _csv_lines(_download(page, statement, "CSV", folder), locale)
    assert sum(amount for _, amount in lines) == total
    assert sum(amount for no, amount in lines if no == opened.no) == earned

    book = CalamineWorkbook.from_path(_download(page, statement, "XLSX", folder))
    for key, money in (("tickets", "subtotal"), ("lines", "amount")):
        heading, *rows = book.get_sheet_by_name(
            translate(f"settlement.export.sheet_{key}", locale)
        ).to_python()
        no, amount = (
            heading.index(translate(f"settlement.export.{column}", locale)) for column in ("ticket_no", money)
        )
        assert sum(Decimal(str(row[amount])) for row in rows) == total
        assert sum(Decimal(str(row[amount])) for row in rows if row[no] == opened.no) == earned


def _download(page: Page, statement: Locator, form: str, folder: Path) -> Path:
    with page.expect_download() as started:
        statement.get_by_role("link").filter(has_text=form).click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def _csv_lines(path: Path, locale: str) -> list[tuple[str, Decimal]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    no, amount = (translate(f"settlement.export.{column}", locale) for column in ("ticket_no", "amount"))
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(row[no], Decimal(row[amount])) for row in csv.DictReader(file)]


def _amount(shown: Locator) -> Decimal:
    return Decimal(re.sub(r"[^\d.-]", "", shown.inner_text()))


def _photo(folder: Path) -> Path:
    """A small photograph, as far as anybody can tell from its bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    side = 64
    rows = b"".join(
        b"\x00" + bytes((x * 4, y * 4, 128)[i] for x in range(side) for i in range(3)) for y in range(side)
    )
    path = folder / "shutter.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return path
