"""A form with a field of every kind is filled in at the desk and on site, and read back everywhere."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from tests.browser.who_works import who_has
from tests.builders import forms
from tests.fixtures.browsers import LogIn, Server, new_server

PHONE: dict[str, Any] = {
    "width": 390,
    "height": 844,
    "has_touch": True,
    "is_mobile": True,
    "geolocation": {"latitude": 31.23, "longitude": 121.47},
    "permissions": ["geolocation"],
}
TOO_WIDE = "document.documentElement.scrollWidth - innerWidth"
WORDS = {
    "zh": {"stopped": "停机", "hvac": "空调", "power": "供电", "nobody": "没有找到"},
    "en": {
        "stopped": "It stands still",
        "hvac": "Air conditioning",
        "power": "Power",
        "nobody": "Nothing found",
    },
}
# What was entered, as programs are told it.
ENTERED: dict[str, Any] = {
    "device": "Freezer 3",
    "level": "stopped",
    "loss": "1200.50",
    "downtime": 90,
    "area": "86.5",
    "wanted_on": "2026-11-24",
    "open_from": "2026-11-24T01:00:00.000000Z",
    "store_phone": "02155554444",
    "systems": ["hvac", "power"],
    "story": "The compressor does not start.",
    "spare": "HV-R32",
    "serial_code": "CN-88-A1",
    "store_address": {"street": "1 East Nanjing Road", "city": "Shanghai"},
    "position": {"lat": 31.23, "lon": 121.47},
    "power_off": True,
    "condition": 3,
    "checks": [
        {"key": "leak", "state": "ok"},
        {"key": "noise", "state": "problem", "note": "the bearing"},
        {"key": "label", "state": "na"},
    ],
    "findings": "The capacitor is worn out.",
    "lines": [
        {"item": "Capacitor", "qty": "2", "price": "86.50", "sum": "173"},
        {"item": "R32", "qty": "3.5", "price": "320.00", "sum": "1120"},
    ],
    "discount": "10",
    "total": "1163.7",
    "used_parts": [{"sku": "HV-R32", "qty": "1"}],
}


@dataclass(slots=True)
class Device:
    """What the system of the next fixture says of a device; nothing at all makes it fail."""

    state: str | None = "online"


@pytest.fixture(scope="module")
def device() -> Device:
    return Device()


@pytest.fixture(scope="module")
def platform(device: Device) -> Iterator[str]:
    """A system that says how a device is."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"state": device.state}).encode()
            self.send_response(503 if device.state is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def console(founded: Path, tmp_path_factory: pytest.TempPathFactory, platform: str) -> Iterator[Server]:
    """A console that may ask that system."""
    running = new_server(tmp_path_factory.mktemp("forms"), founded=founded, OUTBOUND_HOSTS=platform)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def survey(context_as: LogIn, console: Server, platform: str) -> Server:
    """The form and its flow, published by a program as the designer does it."""
    manager = context_as("manager", server=console)
    form = forms.every_kind(lookup_url=f"http://{platform}/{{serial_code}}")
    without_flow = {**form, "face": {**form["face"], "flow": None}}
    for kind, document in (("form", without_flow), ("flow", forms.flow()), ("form", form)):
        _publish(manager, console, kind, document)
    return console


def _publish(manager: BrowserContext, server: Server, kind: str, document: dict[str, Any]) -> None:
    draft, origin = f"/api/v1/designer/{kind}s/{forms.CODE}/draft", {"origin": server.url}
    read = manager.request.get(draft)
    if read.status == 404:
        read = manager.request.post(draft, data={"document": document}, headers=origin)
    tag = {"if-match": read.headers["etag"]}
    put = manager.request.put(
        draft, data={"id": str(uuid4()), "document": document}, headers={**origin, **tag}
    )
    assert put.status == 200, put.text()
    command = {"command_id": str(uuid4())}
    tag = {"if-match": put.headers["etag"]}
    done = manager.request.post(f"{draft}/publish", data=command, headers={**origin, **tag})
    assert done.status == 200 or "publishing.nothing" in done.text(), done.text()


def _field(page: Page, key: str) -> Locator:
    return page.locator(f"[data-field='{key}']")


def _choose(page: Page, key: str, text: str, shown: str) -> None:
    """Look a record up by a part of its name, and take it with the keyboard."""
    search = _field(page, key).locator("input")
    search.fill(text)
    expect(_field(page, key).locator("[role=option]").first).to_contain_text(shown)
    search.press("Enter")
    expect(_field(page, key).locator(".tf-record-name")).to_contain_text(shown)


def _is_clean(page: Page, within: str) -> None:
    found = Axe().run(page, context=within).response["violations"]
    serious = [each for each in found if each["impact"] in {"serious", "critical"}]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in serious] == []
    assert page.evaluate(TOO_WIDE) <= 0


def _fill_at_the_desk(page: Page, locale: str) -> None:
    page.locator(f"[data-template={forms.CODE}]").click()
    _field(page, "ask:text").locator("textarea").fill(f"Freezer 3 stands still ({locale})")
    _field(page, "device").locator("input").fill("Freezer 3")
    expect(_field(page, "loss")).to_have_count(0)
    _field(page, "level").get_by_text(WORDS[locale]["stopped"], exact=True).click()
    expect(_field(page, "level")).to_have_attribute("data-tone", "danger")
    expect(_field(page, "loss").locator(".tc-need")).to_be_visible()
    _field(page, "loss").locator("input").fill("1200.50")
    _field(page, "downtime").locator("input").fill("1:30")
    _field(page, "area").locator("input").fill("86.5")
    _field(page, "wanted_on").locator("input").fill("2026-11-24")
    _field(page, "open_from").locator("input").fill("2026-11-24T09:00")
    _field(page, "store_phone").locator("input").fill("021-55554444")
    for system in ("hvac", "power"):
        _field(page, "systems").get_by_text(WORDS[locale][system], exact=True).click()
    _field(page, "story").locator("textarea").fill("The compressor does not start.")
    _field(page, "contact").locator("input").fill("nobody is called so")
    expect(_field(page, "contact").get_by_role("status")).to_have_text(WORDS[locale]["nobody"])
    _choose(page, "contact", "周明", "周明远")
    _choose(page, "client", "浦江光年", "浦江光年科技有限公司")
    _choose(page, "asset", "FL-MV140", "FL-MV140")
    _choose(page, "spare", "HV-R32", "R32")
    _field(page, "serial_code").locator("input").fill("CN-88-A1")
    address = _field(page, "store_address").locator("input")
    address.nth(0).fill("1 East Nanjing Road")
    address.nth(2).fill("Shanghai")
    _field(page, "ask:place").locator("input").evaluate("input => input.closest('details').open = true")
    place = _field(page, "ask:place").locator("input")
    place.fill("31.2304, 121.4737")
    place.blur()


def _fill_on_site(page: Page) -> None:
    expect(_field(page, "live_status").locator("output")).to_contain_text("online")
    _field(page, "position").locator("button").click()
    _field(page, "power_off").locator("label").first.click()
    _field(page, "condition").locator("button").nth(2).click()
    points = _field(page, "checks").locator(".tf-check")
    points.nth(0).locator("button").nth(0).click()
    points.nth(1).locator("button").nth(1).click()
    points.nth(1).locator("input").fill("the bearing")
    points.nth(2).locator("button").nth(2).click()
    _field(page, "findings").locator("textarea").fill("The capacitor is worn out.")
    for row, entries in enumerate((("Capacitor", "2", "86.5"), ("R32", "3.5", "320"))):
        _field(page, "lines").locator(".tf-table > button").click()
        for column, entry in enumerate(entries):
            _field(page, "lines").locator(f"[data-row='{row}'] input").nth(column).fill(entry)
    _field(page, "discount").locator("input").fill("10")
    expect(_field(page, "total").locator("output")).to_have_text("1163.7")
    expect(_field(page, "total")).to_have_attribute("data-tone", "warn")
    _field(page, "used_parts").locator("button").last.click()
    _field(page, "used_parts").locator("select").select_option("HV-R32")
    _field(page, "picture").locator("input[type=file]").set_input_files([_photo()])
    expect(_field(page, "picture").locator(".tc-thumb img")).to_have_count(1)
    _field(page, "report").locator("input[type=file]").set_input_files([_report()])
    expect(_field(page, "report").locator(".tc-thumb")).to_have_count(1)
    _sign(page)


def _photo() -> FilePayload:
    picture = io.BytesIO()
    Image.effect_noise((600, 400), 60).convert("RGB").save(picture, "JPEG")
    return {"name": "site.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()}


def _report() -> FilePayload:
    page = io.BytesIO()
    Image.new("RGB", (60, 40), "white").save(page, "PDF")
    return {"name": "report.pdf", "mimeType": "application/pdf", "buffer": page.getvalue()}


def _sign(page: Page) -> None:
    sheet = _field(page, "sign").locator(".tc-sign")
    sheet.scroll_into_view_if_needed()
    box = sheet.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 40, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 30, steps=4)
    page.mouse.move(box["x"] + 200, box["y"] + 90, steps=4)
    page.mouse.up()


# TPL-05, TPL-06
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_every_kind_of_field_is_filled_in_and_read_back_the_same(
    context_as: LogIn, survey: Server, locale: str
) -> None:
    desk = context_as("agent", server=survey, locale=locale).new_page()
    desk.goto("/tickets/new")
    _fill_at_the_desk(desk, locale)
    _is_clean(desk, "main")
    desk.locator(".tc-form-actions .tc-btn").first.click()
    expect(desk.locator(".tc-opened")).to_be_visible()
    no = desk.locator("h1").inner_text().split()[0]

    job = who_has(survey, no)
    pocket = context_as(job.login, server=survey, locale=locale, **PHONE).new_page()
    pocket.goto("/my")
    pocket.locator(f"[data-ticket={no}]").get_by_role("link").last.click()
    _fill_on_site(pocket)
    _is_clean(pocket, ".tc-step")
    pocket.locator(".tc-step .tc-form-actions .tc-btn").first.click()
    expect(pocket.locator(".tc-step")).to_have_count(0)
    _is_clean(pocket, "main")

    manager = context_as("manager", server=survey, locale=locale)
    page = manager.new_page()
    page.goto(pocket.url)
    signature = _reads_as_it_was_entered(page, locale)
    _is_clean(page, "main")
    _tells_programs_and_files_the_same(manager, pocket.url, no, signature)


def _reads_as_it_was_entered(page: Page, locale: str) -> str:
    """Look at the values on the page; the signature's strokes."""
    words = WORDS[locale]
    values = page.locator(".tc-values")
    danger = values.locator("[data-tone=danger]")
    expect(danger).to_contain_text(words["stopped"])
    for text in ("1,200.50", "86.5 m²", "02155554444", "周明远", "浦江光年科技有限公司", "CN-88-A1"):
        expect(values).to_contain_text(text)
    expect(values.locator("[data-kind=lookup]")).to_contain_text("online")
    expect(values.locator("[data-kind=checklist] li")).to_have_count(3)
    expect(values.locator("[data-kind=checklist] [data-state=problem]")).to_contain_text("the bearing")
    rows = values.locator("[data-kind=table] tbody tr")
    expect(rows).to_have_count(2)
    assert rows.nth(1).locator("td").all_inner_texts() == ["R32", "3.5", "320.00", "1120"]
    expect(values.locator("[data-tone=warn]")).to_contain_text("1163.7")
    drawn = values.locator("[data-kind=signature] svg path").get_attribute("d")
    assert drawn is not None
    return drawn


def _tells_programs_and_files_the_same(
    manager: BrowserContext, address: str, no: str, signature: str
) -> None:
    ticket_id = address.rstrip("/").rpartition("/")[2]
    told = manager.request.get(f"/api/v1/tickets/{ticket_id}").json()
    values = {field["key"]: field["value"] for field in told["fields"]}
    assert {key: values[key] for key in ENTERED} == ENTERED
    assert values["sign"] == signature
    assert values["live_status"]["value"] == "online"
    file = manager.request.get(f"/api/v1/tickets/export?format=csv&q={no}").body().decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(file))
    cells = set(row.values())
    assert {"Freezer 3", "1200.50", "86.5", "2026-11-24", "CN-88-A1", "1163.7", signature} <= cells


def test_where_no_camera_can_be_used_the_code_is_typed(context_as: LogIn, survey: Server) -> None:
    page = context_as("agent", server=survey, locale="en", width=390, height=844).new_page()
    page.goto("/tickets/new")
    page.locator(f"[data-template={forms.CODE}]").click()
    code = _field(page, "serial_code")

    code.get_by_role("button", name="Scan with the camera").click()

    expect(code.get_by_role("alert")).to_have_text("The camera cannot be used. Please type it.")
    code.locator("input").fill("CN-88-A1")
    expect(code.locator("video")).to_have_count(0)
    expect(code.locator("input")).to_have_value("CN-88-A1")


# TPL-11
def test_a_live_value_on_an_open_page_follows_its_source_and_says_when_it_is_silent(
    context_as: LogIn, console: Server, platform: str, device: Device
) -> None:
    manager = context_as("manager", server=console, locale="en")
    form = forms.every_kind(lookup_url=f"http://{platform}/{{serial_code}}")
    fields = [field for section in form["definition"]["sections"] for field in section["fields"]]
    live = next(field for field in fields if field["kind"] == "lookup")
    live["lookup"]["refresh_seconds"] = 10
    without_flow = {**form, "face": {**form["face"], "flow": None}}
    for kind, document in (("form", without_flow), ("flow", forms.flow()), ("form", form)):
        _publish(manager, console, kind, document)
    opened = manager.request.post(
        "/api/v1/tickets",
        data={
            "command_id": str(uuid4()),
            "template_code": forms.CODE,
            "title": "Freezer 3",
            "values": {"device": "Freezer 3", "level": "limited", "serial_code": "CN-88-A1"},
            "contact_name": "Ann",
            "contact_phone": "13800001234",
        },
        headers={"origin": console.url},
    )
    assert opened.status == 201, opened.text()
    device.state = "online"
    page = manager.new_page()
    page.goto(f"/tickets/{opened.json()['ticket_id']}")
    shown = page.locator(".tc-values [data-kind=lookup] output")
    expect(shown).to_contain_text("online")
    expect(shown).to_have_attribute("data-stale", "false")

    device.state = "asleep"
    expect(shown).to_contain_text("asleep")
    expect(shown).to_have_attribute("data-stale", "false")

    device.state = None
    expect(shown).to_have_attribute("data-stale", "true")
    expect(shown).to_contain_text("The source does not answer")
    # What was read last stays.
    expect(shown).to_contain_text("asleep")

    device.state = "online"
    expect(shown).to_contain_text("online")
    expect(shown).to_have_attribute("data-stale", "false")
