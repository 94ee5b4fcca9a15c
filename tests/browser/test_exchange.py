"""A manager carries a process out and in again, as text and as BPMN, on the exchange page."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.browsers import OpenPage

FOREIGN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="http://example.org/lifts">
  <process id="lifts" name="Lift rescue" isExecutable="true">
    <laneSet id="lanes">
      <lane id="desk" name="Dispatcher"><flowNodeRef>call</flowNodeRef></lane>
      <lane id="crew" name="Technician"><flowNodeRef>free</flowNodeRef></lane>
    </laneSet>
    <startEvent id="begin"/>
    <userTask id="call" name="Call the crew"/>
    <userTask id="free" name="Free whoever is inside"/>
    <dataObject id="sheet" name="Sheet"/>
    <endEvent id="finished" name="Everybody is out"/>
    <sequenceFlow id="a" sourceRef="begin" targetRef="call"/>
    <sequenceFlow id="b" sourceRef="call" targetRef="free"/>
    <sequenceFlow id="c" sourceRef="free" targetRef="finished"/>
  </process>
</definitions>
"""
# A test that expects what no flow does: to end before anybody has done anything.
GOLDEN = """\
kind: golden_ticket
format: 1
code: inspection
tests:
  - name: Ends at once
    ticket: T-1
    story:
      opened_at: "2026-11-02T02:00:00Z"
      as_of: "2026-11-02T03:00:00Z"
      ticket:
        {priority: 3, urgency: 2, impact: 2, is_vip: false, source: manual, ticket_class: care,
        region_id: null, returns: 0, flow_version_id: 2000000000}
      values: {}
      visits: []
      called: null
      noted: []
      entered: {}
      marking: {tokens: [], status: open, progress_bp: 0, returns: {}, passed: [], ended_at: null}
    expected:
      legs: []
      stays: []
      outcome: {status: closed, end: done, standing: [], returns: {}, stuck: null}
"""
NAMES = {"zh": "上门维修", "en": "Repair on site"}


def taken_out(page: Page, what: str, folder: Path) -> Path:
    """What the menu of the repair process gives."""
    card = page.locator('[data-card-code="repair"][data-kind="flow"]')
    card.get_by_role("button").first.click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=what, exact=True).click()
    name = unquote(download.value.suggested_filename)
    download.value.save_as(folder / name)
    return folder / name


def choose(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)


@pytest.mark.parametrize(
    ("locale", "bundle", "bpmn"),
    [
        ("zh", "导出整个流程包", "导出 BPMN"),
        ("en", "Export the whole process", "Export as BPMN"),
    ],
)
def test_a_process_goes_out_as_a_bundle_and_as_bpmn_and_comes_back_as_it_was(  # TPL-15, FLW-23
    page_as: OpenPage, tmp_path: Path, locale: str, bundle: str, bpmn: str
) -> None:
    page = page_as("manager", "/designer?kind=flow", locale=locale)

    packed = taken_out(page, bundle, tmp_path)
    drawn = taken_out(page, bpmn, tmp_path)

    assert packed.read_bytes()[:2] == b"PK"
    assert 'id="flow_repair"' in drawn.read_text("utf-8")
    page.locator('a[href$="/designer/exchange"]').click()
    choose(page, packed)
    shown = page.locator("[data-test=preview]")
    expect(shown.locator("li.tc-card").first).to_be_visible()
    assert set(shown.locator("li .tc-badge").all_inner_texts()) == {{"zh": "相同", "en": "Same"}[locale]}
    expect(page.locator("[data-test=import]")).to_have_count(0)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_changed_process_is_seen_line_by_line_before_it_is_taken_in(  # TPL-10
    page_as: OpenPage, tmp_path: Path, locale: str
) -> None:
    page = page_as("manager", "/designer/exchange", locale=locale)
    text = page.request.get("/api/v1/definitions/flow/repair").text()
    old, new = f"{locale}: {NAMES[locale]}", f"{locale}: {NAMES[locale]} ({locale})"
    assert old in text
    file = tmp_path / "repair.yaml"
    file.write_text(text.replace(old, new), encoding="utf-8")

    choose(page, file)
    changes = page.locator("[data-test=preview]")
    changes.locator("summary").click()

    expect(changes.locator('[data-line="-"]')).to_contain_text([NAMES[locale]])
    expect(changes.locator('[data-line="+"]')).to_contain_text([f"{NAMES[locale]} ({locale})"])
    assert page.request.get("/api/v1/definitions/flow/repair").text() == text
    page.locator("[data-test=import]").press("Enter")
    expect(page.locator('.tc-note[data-tone="ok"]')).to_contain_text("1")
    assert new in page.request.get("/api/v1/definitions/flow/repair").text()


def test_a_golden_ticket_that_goes_another_way_is_accepted_with_a_reason_or_not_taken_in(  # FLW-16
    page_as: OpenPage, tmp_path: Path
) -> None:
    page = page_as("manager", "/designer/exchange", locale="en")
    file = tmp_path / "tests.yaml"
    file.write_text(GOLDEN, encoding="utf-8")

    choose(page, file)
    failing, take_in = page.locator("[data-test=failing]"), page.locator("[data-test=import]")

    expect(failing).to_contain_text("Why “Ends at once” (T-1) may do so")
    expect(take_in).to_be_disabled()
    failing.get_by_label(re.compile("Ends at once")).fill("It was drawn for another flow")
    take_in.press("Enter")
    expect(page.locator('.tc-note[data-tone="ok"]')).to_contain_text("1")
    kept = page.request.get("/api/v1/definitions/golden_ticket/inspection").text()
    assert "name: Ends at once" in kept
    assert "status: open" in kept


def test_a_file_that_cannot_be_is_refused_with_its_line(page_as: OpenPage, tmp_path: Path) -> None:
    page = page_as("manager", "/designer/exchange", locale="en")
    text = page.request.get("/api/v1/definitions/flow/repair").text()
    file = tmp_path / "repair.yaml"
    file.write_text(text.replace("stage: onsite", "stage: nowhere", 1), encoding="utf-8")
    line = next(
        number for number, each in enumerate(file.read_text("utf-8").splitlines(), 1) if "nowhere" in each
    )

    choose(page, file)

    expect(page.locator("[data-test=preview] [role=alert]")).to_contain_text(f"repair.yaml:{line}")
    expect(page.locator("[data-test=import]")).to_be_disabled()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_process_of_another_tool_becomes_a_draft_with_a_report_of_every_element(  # FLW-23
    page_as: OpenPage, tmp_path: Path, locale: str
) -> None:
    page = page_as("manager", "/designer/exchange", locale=locale)
    file = tmp_path / f"lifts_{locale}.bpmn"
    file.write_text(FOREIGN, encoding="utf-8")

    choose(page, file)
    report = page.locator("[data-test=report]")

    lost = report.locator("tbody tr", has=page.get_by_text("dataObject", exact=True))
    expect(lost).to_contain_text({"zh": "未带入", "en": "Not kept"}[locale])
    expect(lost).to_contain_text("Sheet")
    report.locator(f'a[href$="/designer/flows/lifts_{locale}"]').click()
    page.wait_for_url(re.compile(f"/designer/flows/lifts_{locale}"))
    for name in ("Call the crew", "Free whoever is inside"):
        expect(page.locator(".react-flow__node", has_text=name)).to_be_visible()


def test_somebody_who_does_not_design_does_not_get_the_page(page_as: OpenPage) -> None:
    page = page_as("agent", "/designer/exchange", locale="en")

    expect(page.locator("input[type=file]")).to_have_count(0)
    assert page.request.get("/api/v1/definitions/flow/repair").status == 403
