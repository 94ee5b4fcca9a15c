"""Definitions over HTTP: downloaded, previewed, imported, and a BPMN file as a draft with its report."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.builders.company import Company, found_company
from ticket_console.access import throttle
from ticket_console.api.app import build_api
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.clock import FixedClock

FOREIGN = """<?xml version="1.0"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:x="urn:tool" targetNamespace="t">
  <process id="p" name="Order">
    <startEvent id="s"><outgoing>f1</outgoing></startEvent>
    <sequenceFlow id="f1" sourceRef="s" targetRef="t"/>
    <userTask id="t" name="Check" x:colour="red"/>
    <dataObject id="d" name="Order form"/>
    <sequenceFlow id="f2" sourceRef="t" targetRef="e"/>
    <endEvent id="e"/>
  </process>
</definitions>"""


# A test that expects what no flow does: to end before anybody has done anything.
ENDS_AT_ONCE = """\
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


class Door:
    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.caller: Actor | None = None

    def upload(self, path: str, content: bytes | str, name: str = "in.yaml", **parts: str) -> Any:
        return self.client.post(f"/api/v1/definitions{path}", files={"file": (name, content)}, data=parts)

    def get(self, path: str = "") -> Any:
        return self.client.get(f"/api/v1/definitions{path}")


@pytest.fixture
def company(database: object, at: datetime) -> Company:
    throttle.forget()
    return found_company(at)


@pytest.fixture
def door(company: Company, at: datetime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    with TestClient(build_api(FixedClock(at)), base_url="http://console.test") as client:
        client.headers["accept-language"] = "en"
        door = Door(client)
        door.caller = company.actor("manager")

        async def known(_request: object, *, at: datetime) -> Actor:
            assert door.caller is not None
            return door.caller

        monkeypatch.setattr("ticket_console.api.routing.caller_of", known)
        yield door


def test_a_flow_is_downloaded_changed_previewed_and_imported(door: Door) -> None:  # EXT-05
    text = door.get("/flow/repair").text.replace("Repair on site", "Repair at home")

    shown = door.upload("/preview", text).json()
    done = door.upload(f"?token={shown['token']}", text).json()

    assert (shown["is_possible"], [item["change"] for item in shown["items"]]) == (True, ["changed"])
    assert [item["change"] for item in done] == ["changed"]
    assert "Repair at home" in door.get("/flow/repair").text
    assert [item["change"] for item in door.upload("/preview", text).json()["items"]] == ["same"]


def test_a_bundle_of_a_process_is_a_download_that_imports_as_it_is(door: Door) -> None:
    bundle = door.get("/bundle?flow=repair")

    assert bundle.headers["content-disposition"] == 'attachment; filename="repair.bundle.zip"'
    assert {item["change"] for item in door.upload("", bundle.content, "b.zip").json()} == {"same"}


def test_a_golden_ticket_that_goes_another_way_needs_a_reason(door: Door) -> None:  # FLW-16
    shown = door.upload("/preview", ENDS_AT_ONCE).json()
    refused = door.upload("", ENDS_AT_ONCE)
    bad = door.upload("", ENDS_AT_ONCE, accepted="[1]")
    before = door.get("/golden_ticket/inspection").status_code
    reason = '{"inspection": {"Ends at once": "Drawn for another flow"}}'
    done = door.upload(f"?token={shown['token']}", ENDS_AT_ONCE, accepted=reason)

    (failing,) = shown["failing"]
    assert (failing["flow"], failing["name"], failing["ticket_no"]) == ("inspection", "Ends at once", "T-1")
    assert (failing["about"], failing["expected"], failing["actual"]["how"]) == ("course", None, "opened")
    assert refused.status_code == 422
    assert [each["path"] for each in refused.json()["problems"]] == ["inspection: Ends at once"]
    assert (bad.status_code, bad.json()["problems"][0]["path"]) == (422, "accepted")
    assert before == 404
    assert (done.status_code, [item["change"] for item in done.json()]) == (200, ["new"])
    assert "status: open" in door.get("/golden_ticket/inspection").text


def test_a_yaml_bomb_is_refused_with_a_sentence(door: Door) -> None:
    answer = door.upload("", "a: &a [x, x]\nb: [*a, *a]\n", "bomb.yaml")

    assert answer.status_code == 422
    assert answer.json()["problems"] == [
        {
            "path": "bomb.yaml:1 a",
            "title": "Line 1 uses an anchor or an alias, which is not allowed here.",
            "code": "exchange.anchor",
            "params": {"line": 1},
        }
    ]


def test_a_flow_leaves_as_bpmn_and_comes_back_as_a_draft_without_remarks(door: Door) -> None:
    content = door.get("/flow/repair?format=bpmn").content

    made = door.upload("/flow/repair2/bpmn", content).json()

    assert content.startswith(b"<?xml")
    assert (made["is_whole"], made["remarks"], made["problems"]) == (True, [], [])


def test_every_element_that_could_not_be_kept_is_in_the_report(door: Door) -> None:
    made = door.upload("/flow/order/bpmn", FOREIGN).json()

    assert [(each["element"], each["id"], each["line"], each["outcome"]) for each in made["remarks"]] == [
        ("userTask", "t", 6, "tool"),
        ("dataObject", "d", 7, "dropped"),
    ]
    assert made["remarks"][1]["title"] == (
        "Data (dataObject) of “Order” is not carried over: data lives in the fields of forms."
    )
    assert [problem["code"] for problem in made["problems"]] == ["flow.no_handler"]


def test_external_entities_are_refused_and_nothing_is_read(door: Door) -> None:
    attack = '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + FOREIGN.split("?>")[1].replace(
        "Order form", "&e;"
    )

    answer = door.upload("/flow/order/bpmn", attack)

    assert answer.status_code == 422
    assert [problem["code"] for problem in answer.json()["problems"]] == ["bpmn.dtd"]
    assert "root:" not in answer.text


def test_who_does_not_design_gets_nothing(door: Door, company: Company) -> None:
    text = door.get("/flow/repair").text
    for login in ("dispatcher", "agent", "finance", "auditor"):
        door.caller = company.actor(login)

        answers = [
            door.get(),
            door.get("/flow/repair"),
            door.get("/bundle"),
            door.upload("", text),
            door.upload("/preview", text),
            door.upload("/flow/x/bpmn", FOREIGN),
        ]

        assert {answer.status_code for answer in answers} == {403}
