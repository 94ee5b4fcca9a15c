"""How requests come in, as people do it: the public form, the inbox, a file, and work without anybody."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.browsers import OpenPage, Server

SCRIPT = "<img src=x onerror=alert(1)>"
FILE = "标题,编号,杂项\n空调不制冷,{key}-1,x\n,{key}-2,x\n水管漏水,{key}-3,x\n"


def send(server: Server, page: Page, channel: str, body: dict[str, Any], *, key: str | None = None) -> int:
    """What a program sends with the token of the demo; returns the status of the answer."""
    token = Path(server.environ["DATA_DIR"], "demo_token").read_text(encoding="utf-8").strip()
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    answer = page.context.request.post(
        f"/api/v1/intake/{channel}",
        data=json.dumps(body),
        headers=headers if key is None else {**headers, "idempotency-key": key},
    )
    return answer.status


def fill_in(page: Page, **values: str) -> None:
    for field, value in values.items():
        page.locator(f"[data-field={field}]").locator("input, textarea").fill(value)


# INT-16 INT-19
def test_a_stranger_sends_a_request_on_a_phone_and_can_follow_it(page_as: OpenPage) -> None:
    page = page_as(None, "/request", locale="en", width=390, height=844)
    page.get_by_role("link", name="Repair").click()
    fill_in(page, description=f"{SCRIPT} leaks", contact_name="Mei", contact_phone="13800001234")

    page.get_by_role("button", name="Send").dblclick()

    number = page.locator(".tc-request-no")
    expect(number).to_have_text(re.compile(r"WO-\d+"))
    shown = number.inner_text()
    page.reload()
    expect(number).to_have_text(shown)
    page.get_by_role("button", name="Send another request").click()
    expect(page.locator("[data-field=description] textarea")).to_have_value("")
    inbox = page_as("agent", "/intake?channel=web_form", locale="en")
    # The double click was one request.
    expect(inbox.locator("tbody tr", has_text=f"{SCRIPT} leaks")).to_have_count(1)
    expect(inbox.get_by_role("link", name=shown)).to_be_visible()


def test_every_problem_of_a_public_form_stands_at_its_field(page_as: OpenPage) -> None:
    page = page_as(None, "/request/repair", locale="en", width=390, height=844)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".tc-problem")).to_have_count(3)

    fill_in(page, description="leaks", contact_name="Mei", contact_phone="12")
    page.get_by_role("button", name="Send").click()

    expect(page.locator("[data-field=contact_phone] .tc-problem")).to_be_visible()
    expect(page.locator(".tc-problem")).to_have_count(1)
    expect(page.locator("[data-field=description] textarea")).to_have_value("leaks")


def test_what_only_a_program_would_fill_in_gives_it_away(page_as: OpenPage) -> None:
    page = page_as(None, "/request/repair", locale="en")
    fill_in(page, description="Buy now", contact_name="Bot", contact_phone="13800001234")
    page.locator("[data-field=website] input").evaluate(
        """input => {
          Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, "http://spam");
          input.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )

    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("alert")).to_contain_text("as if a program had filled it in")


# INT-01 INT-02 INT-03
def test_the_inbox_shows_live_what_became_of_every_message(server: Server, page_as: OpenPage) -> None:
    page = page_as("agent", "/intake", locale="en")
    page.locator("tbody tr").first.wait_for()
    key = uuid4().hex

    assert send(server, page, "wechat", _push(key)) == 201
    assert send(server, page, "pigeon", {"title": f"by pigeon {key}"}, key=key) == 201
    assert send(server, page, "api", {"title": f"once {key}", "external_id": key}) == 201
    assert send(server, page, "api", {"title": f"twice {key}", "external_id": key}) == 200
    assert send(server, page, "phone", {"caller": f"wrong {key}", "colour": "red"}, key=key) == 422

    expect(page.locator("tbody tr", has_text=f"twice {key}").get_by_text("duplicate")).to_be_visible()
    expect(page.locator("tbody tr", has_text=f"wrong {key}")).to_contain_text("colour")
    expect(page.locator("tbody tr", has_text=f"by pigeon {key}")).to_contain_text("pigeon")
    numbers = [_whole(text) for text in page.locator(".tc-balance-count").all_inner_texts()]
    assert numbers[0] == sum(numbers[1:])


# INT-02
def test_a_refused_message_is_there_word_for_word(server: Server, page_as: OpenPage) -> None:
    page = page_as("auditor", "/intake?channel=phone&state=rejected", locale="en")
    key = uuid4().hex
    assert send(server, page, "phone", {"caller": key, "colour": SCRIPT}, key=key) == 422

    page.locator("tbody tr", has_text=key).click()

    expect(page.locator("dialog pre")).to_contain_text(SCRIPT)
    expect(page.locator("dialog .tc-problems")).to_contain_text("colour")
    expect(page).to_have_url(re.compile(r"channel=phone&state=rejected&message=\d+"))
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/intake/?\?channel=phone&state=rejected$"))


def test_pages_of_the_inbox_stand_in_the_address(page_as: OpenPage) -> None:
    page = page_as("agent", "/intake", locale="en")
    page.get_by_role("button", name="Next page").click()
    expect(page.locator(".tc-pages")).to_contain_text("Page 2 of")
    first = page.locator("tbody tr").first.inner_text()

    page.reload()
    expect(page.locator("tbody tr").first).to_contain_text(first.split("\n")[-1].strip())
    page.get_by_role("button", name="Previous page").click()
    expect(page).to_have_url(re.compile(r"/intake/?$"))


# INT-02
def test_a_file_is_looked_at_corrected_imported_and_imported_again_without_effect(
    page_as: OpenPage, tmp_path: Path
) -> None:
    file = tmp_path / "需求.csv"
    file.write_text(FILE.format(key=uuid4().hex), encoding="gb18030")
    page = page_as("agent", "/intake/import", locale="en")
    chooser = page.locator("input[type=file]")

    chooser.set_input_files(file)
    expect(page.get_by_label("What “标题” means")).to_have_value("title")
    expect(page.locator(".tc-cell-problems")).to_have_count(1)
    page.get_by_label("What “杂项” means").select_option("description")
    expect(page.get_by_label("What “杂项” means")).to_have_value("description")
    page.get_by_role("button", name="Import 3 rows").click()

    expect(_tile(page, "Tickets opened")).to_have_text("3")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download report").click()
    assert len(download.value.path().read_text("utf-8-sig").splitlines()) == 4
    page.get_by_role("button", name="Import another file").click()
    chooser.set_input_files(file)
    page.get_by_label("What “杂项” means").select_option("description")
    expect(page.get_by_label("What “杂项” means")).to_have_value("description")
    page.get_by_role("button", name="Import 3 rows").click()
    expect(_tile(page, "Duplicates")).to_have_text("3")
    expect(_tile(page, "Tickets opened")).to_have_text("0")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"a,a\n1,2\n", "two columns"),
        (b"PK\x03\x04 no workbook", "workbook"),
        (b"a\n" + b"1\n" * (6 << 20), "too large"),
    ],
    ids=["empty", "two columns of one name", "broken workbook", "too large"],
)
def test_a_broken_file_gets_one_sentence(
    page_as: OpenPage, tmp_path: Path, content: bytes, said: str
) -> None:
    file = tmp_path / "file.xlsx"
    file.write_bytes(content)
    page = page_as("agent", "/intake/import", locale="en")

    page.locator("input[type=file]").set_input_files(file)

    expect(page.get_by_role("alert")).to_contain_text(re.compile(said, re.IGNORECASE))


# DSP-03
def test_work_that_nobody_has_is_given_away_for_a_reason_and_leaves_every_queue(
    server: Server, page_as: OpenPage
) -> None:
    page = page_as("dispatcher", "/waiting", locale="en")
    title = f"nowhere {uuid4().hex}"
    assert (
        send(server, page, "api", {"title": title, "template": "repair", "urgency": 3}, key=title[-32:])
        == 201
    )
    row = page.locator("tbody tr", has_text=title)
    expect(row).to_contain_text("Place unknown")
    other = page_as("manager", "/waiting", locale="en")
    expect(other.locator("tbody tr", has_text=title)).to_be_visible()
    row.get_by_role("button", name="Look again").click()
    expect(page.locator("[data-sonner-toast]")).to_contain_text("Nobody suitable")

    row.get_by_role("button", name="Assign…").click()
    page.locator(".tc-offers button").first.click()
    give = page.locator("dialog button[type=submit]")
    expect(give).to_contain_text("Assign to")
    give.click()
    expect(page.locator("dialog[open]")).to_be_visible()
    page.locator("dialog textarea[name=reason]").fill("Their neighbour")
    give.click()

    expect(row).to_have_count(0)
    expect(other.locator("tbody tr", has_text=title)).to_have_count(0)


# PRM-07
def test_an_auditor_finds_a_deed_and_verifies_its_ticket(page_as: OpenPage) -> None:
    page = page_as("auditor", "/audit?what=ticket.opened", locale="en")
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("opened the ticket")

    row.get_by_role("button", name=re.compile("Verify the history")).click()

    expect(page.get_by_role("status").filter(has_text="The history is whole")).to_be_visible()


@pytest.mark.parametrize(
    ("login", "path"), [("agent", "/waiting"), ("dispatcher", "/intake/import"), ("agent", "/audit")]
)
def test_somebody_else_gets_one_sentence_and_nothing_to_press(
    page_as: OpenPage, login: str, path: str
) -> None:
    page = page_as(login, path, locale="en")

    expect(page.get_by_role("heading", name="You are not allowed to do this.")).to_be_visible()
    expect(page.locator("main button")).to_have_count(0)


def _push(key: str) -> dict[str, Any]:
    return {
        "ToUserName": "gh",
        "FromUserName": f"o{key}",
        "CreateTime": 1,
        "MsgType": "text",
        "Content": "空调坏了",
        "MsgId": key,
    }


def _tile(page: Page, name: str) -> Any:
    return page.locator(".tc-tile", has_text=name).locator(".tc-tile-value")


def _whole(text: str) -> int:
    return int(text.replace(",", ""))
