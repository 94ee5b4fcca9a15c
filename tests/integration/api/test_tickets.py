"""Tickets over HTTP: the same commands, refusals and projections as on screen."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from tests.builders import access
from tests.builders.company import Company, found_company
from tests.fixtures.databases import Database
from ticket_console.access import sessions, throttle
from ticket_console.access.passwords import hash_password
from ticket_console.access.tables import UserAccount
from ticket_console.api.app import build_api
from ticket_console.desk.assigning import release
from ticket_console.desk.talking import attach
from ticket_console.kernel.clock import FixedClock
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.tickets.tables import Event, Visibility

ORIGIN = "http://console.test"
PDF = b"%PDF-1.7 plan"


@pytest.fixture
def company(database: Database, at: datetime) -> Iterator[Company]:
    throttle.forget()
    yield found_company(at)
    throttle.forget()


@pytest.fixture
def door(company: Company, at: datetime) -> Iterator["Door"]:
    with TestClient(build_api(FixedClock(at)), base_url=ORIGIN, follow_redirects=False) as client:
        yield Door(client, company)


class Door:
    """The API as several people use it."""

    def __init__(self, client: TestClient, company: Company) -> None:
        self._client = client
        self._company = company
        self._cookies: dict[str, str] = {}
        users = table(UserAccount)
        with transaction() as connection:
            connection.execute(sa.update(users).values(password_hash=hash_password(access.PASSWORD)))

    def _headers(self, login: str | None, locale: str) -> dict[str, str]:
        headers = {"origin": ORIGIN, "accept-language": locale}
        if login is not None:
            if login not in self._cookies:
                session = sessions.log_in(
                    login=login,
                    password=access.PASSWORD,
                    at=self._company.at,
                    user_agent="",
                    address="192.0.2.1",
                )
                self._cookies[login] = f"tc_session={session.token}"
            headers["cookie"] = self._cookies[login]
        return headers

    def post(self, path: str, login: str | None = None, *, locale: str = "en", **body: Any) -> Any:
        sent = {"command_id": self._company.command_id().ljust(8, "."), **body}
        return self._client.post(f"/api/v1/{path}", headers=self._headers(login, locale), json=sent)

    def get(self, path: str, login: str | None = None, *, locale: str = "en", **query: Any) -> Any:
        return self._client.get(f"/api/v1/{path}", headers=self._headers(login, locale), params=query)

    def upload(self, path: str, login: str, content: bytes, **query: Any) -> Any:
        return self._client.post(
            f"/api/v1/{path}",
            headers=self._headers(login, "en"),
            params=query,
            files={"file": ("plan.pdf", content, "application/pdf")},
        )


def opened(door: Door) -> Any:
    answer = door.post(
        "tickets",
        "agent",
        template_code="repair",
        title="空调不制冷",
        values={"category": "hvac"},
        lat=31.23,
        lon=121.47,
    )
    assert answer.status_code == 201
    return answer.json()


def events() -> int:
    with reading() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table(Event))).scalar_one()


def test_a_ticket_goes_through_the_hands_of_everybody(door: Door, company: Company) -> None:
    ticket = opened(door)
    path, near = f"tickets/{ticket['ticket_id']}", company.technicians["tech_near"]
    assert (ticket["version"], ticket["stage"], ticket["assignee_id"]) == (1, "accept", near)

    accepted = door.post(f"{path}/act", "tech_near", expected_version=1).json()
    assert (accepted["version"], accepted["stage"]) == (2, "onsite")
    back = door.post(f"{path}/return", "tech_near", expected_version=2, reason="缺少液压钳").json()
    assert (back["version"], back["stage"]) == (3, "dispatch")
    again = door.post(
        f"{path}/act", "dispatcher", expected_version=3, values={"dispatch_note": "带工具"}
    ).json()
    assert (again["version"], again["stage"]) == (4, "accept")
    given = door.post(
        f"{path}/assign",
        "dispatcher",
        expected_version=4,
        technician_id=company.technicians["tech_far"],
        reason="顺路",
    ).json()
    assert (given["version"], given["assignee_id"]) == (5, company.technicians["tech_far"])
    dropped = door.post(f"{path}/drop", "tech_far", expected_version=5, to_stage="onsite").json()
    assert (dropped["version"], dropped["stage"]) == (6, "onsite")
    said = door.post(f"{path}/comments", "tech_far", text="到了", for_customer=True).json()
    assert said["version"] == 7
    gone = door.post(f"{path}/cancel", "manager", expected_version=7, reason="重复").json()
    assert (gone["version"], gone["status"], gone["stage"]) == (8, "cancelled", "cancelled")

    seen = door.get(path, "dispatcher").json()
    assert (seen["version"], seen["status"], seen["money"]) == (8, "cancelled", None)
    assert [each["text"] for each in seen["comments"]] == ["到了"]


def test_a_waiting_step_is_claimed_by_the_first(door: Door, company: Company) -> None:
    ticket = opened(door)
    path = f"tickets/{ticket['ticket_id']}"
    freed = release(
        actor=company.actor("tech_near"),
        at=company.at,
        command_id="r",
        ticket_id=ticket["ticket_id"],
        expected_version=1,
        reason="生病",
    ).version

    first = door.post(f"{path}/claim", "tech_far", expected_version=freed)
    second = door.post(f"{path}/claim", "tech_near", expected_version=freed)

    assert (first.status_code, first.json()["assignee_id"]) == (200, company.technicians["tech_far"])
    assert (second.status_code, second.json()["code"]) == (409, "ticket.stale")


def test_a_repeated_request_is_answered_alike_and_done_once(door: Door) -> None:
    ticket = opened(door)
    wish = {"command_id": "the-same-1", "expected_version": 1, "reason": "重复"}
    first = door.post(f"tickets/{ticket['ticket_id']}/cancel", "dispatcher", **wish)
    before = events()

    second = door.post(f"tickets/{ticket['ticket_id']}/cancel", "dispatcher", **wish)

    assert (second.status_code, second.json()["version"]) == (200, first.json()["version"])
    assert events() == before


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_who_comes_too_late_is_told_who_did_what_and_when(door: Door, locale: str) -> None:
    ticket = opened(door)
    path = f"tickets/{ticket['ticket_id']}"
    door.post(f"{path}/act", "tech_near", expected_version=1)
    before = events()

    answer = door.post(f"{path}/cancel", "dispatcher", locale=locale, expected_version=1, reason="重复")

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "ticket.stale")
    assert answer.headers["content-language"] == locale
    assert problem["params"] == {
        "ticket_no": ticket["no"],
        "who": "tech_near",
        "what": "ticket.step_completed",
        "when": "2026-11-21T02:00:00+00:00",
        "version": 2,
    }
    assert "tech_near" in problem["title"]
    assert "02:00:00" in problem["title"]
    assert any(sign > "\u4e00" for sign in problem["title"]) is (locale == "zh")
    assert "ticket.step_completed" not in problem["title"]
    assert events() == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("act", {"expected_version": 1}),
        ("return", {"expected_version": 1, "reason": "x"}),
        ("return", {"expected_version": 1, "reason": "x", "kind": "reject"}),
        ("cancel", {"expected_version": 1, "reason": "x"}),
        ("drop", {"expected_version": 1, "to_stage": "onsite"}),
        ("assign", {"expected_version": 1, "technician_id": 1}),
        ("comments", {"text": "x"}),
    ],
)
def test_a_ticket_of_another_region_does_not_exist_and_without_permission_nothing_is_done(
    door: Door, path: str, body: dict[str, Any]
) -> None:
    ticket = opened(door)
    before = events()

    for ticket_id in (ticket["ticket_id"], 99_999):
        answer = door.post(f"tickets/{ticket_id}/{path}", "dispatcher_cd", **body)
        assert (answer.status_code, answer.json()["code"]) == (404, "ticket.not_found")
        assert door.get(f"tickets/{ticket_id}", "dispatcher_cd").status_code == 404
    refused = door.post(f"tickets/{ticket['ticket_id']}/{path}", "auditor", **body)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.forbidden")
    assert door.post(f"tickets/{ticket['ticket_id']}/{path}", **body).status_code == 401
    assert events() == before


def test_files_are_kept_and_given_back_as_what_they_are(door: Door) -> None:
    ticket = opened(door)
    path = f"tickets/{ticket['ticket_id']}/attachments"

    kept = door.upload(path, "dispatcher", PDF, command_id="upload-1").json()
    again = door.upload(path, "dispatcher", PDF, command_id="upload-1").json()
    refused = door.upload(path, "dispatcher", b"MZ program", command_id="upload-2")
    foreign = door.upload(path, "dispatcher_cd", PDF, command_id="upload-3")
    file = door.get(f"attachments/{kept['id']}", "dispatcher")

    assert (
        kept
        == again
        == {
            "id": kept["id"],
            "name": "plan.pdf",
            "url": f"/api/v1/attachments/{kept['id']}",
            "version": 2,
        }
    )
    assert (refused.status_code, refused.json()["problems"][0]["code"]) == (422, "file.kind_not_taken")
    assert (foreign.status_code, foreign.json()["code"]) == (404, "ticket.not_found")
    assert (file.content, file.headers["content-type"]) == (PDF, "application/pdf")
    assert file.headers["x-content-type-options"] == "nosniff"
    assert door.get(f"attachments/{kept['id']}", "dispatcher_cd").status_code == 404
    assert door.get(f"attachments/{kept['id']}").status_code == 401


def test_a_customer_gets_by_their_link_what_is_meant_for_them_alone(door: Door, company: Company) -> None:
    ticket = opened(door)
    wish = {"actor": company.actor("dispatcher"), "at": company.at, "ticket_id": ticket["ticket_id"]}
    inside = attach(**wish, command_id="a1", filename="inside.pdf", content=PDF)
    shown = attach(**wish, command_id="a2", filename="shown.pdf", content=PDF, visibility=Visibility.CUSTOMER)
    link = f"track/{ticket['tracking_token']}/attachments"

    assert door.get(f"{link}/{shown.attachment_id}").content == PDF
    assert door.get(f"{link}/{inside.attachment_id}").status_code == 404
    assert door.get(f"track/wrong/attachments/{shown.attachment_id}").status_code == 404
    assert (
        door.get(f"track/{opened(door)['tracking_token']}/attachments/{shown.attachment_id}").status_code
        == 404
    )


def test_the_board_is_the_viewers_own(door: Door, company: Company) -> None:
    here = opened(door)
    company.open(lat=None, lon=None, region_code="cd")

    def lanes(login: str, **query: Any) -> dict[str, int]:
        board = door.get("board", login, **query).json()
        return {lane["key"]: lane["count"] for lane in board["lanes"] if lane["count"]}

    assert lanes("manager") == {"accept": 2}
    assert lanes("dispatcher_cd") == {"accept": 1}
    assert lanes("manager", region_id=company.regions["sh"]) == {"accept": 1}
    assert lanes("manager", search=here["no"]) == {"accept": 1}
    assert lanes("manager", unassigned=True) == {}
    assert lanes("manager", priority=1) == {}
    assert door.get("board", "tech_near").status_code == 403
    assert door.get("board", "manager", priority=9).status_code == 422
    assert door.get("board", "manager", colour="red").status_code == 422
