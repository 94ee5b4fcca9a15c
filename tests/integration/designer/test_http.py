"""Drafts over HTTP: what a program draws goes the designer's way, with tags instead of tabs."""

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
from ticket_console.flows import drafts
from ticket_console.kernel.clock import FixedClock
from ticket_console.kernel.database import table, transaction

ORIGIN = "http://console.test"
DRAFT = "/api/v1/designer/flows/repair/draft"


@pytest.fixture
def company(database: Database, at: datetime) -> Iterator[Company]:
    throttle.forget()
    yield found_company(at)
    throttle.forget()


class Door:
    """The API as somebody who is logged in uses it."""

    def __init__(self, client: TestClient, at: datetime) -> None:
        self._client, self._at = client, at
        with transaction() as connection:
            users = table(UserAccount)
            connection.execute(sa.update(users).values(password_hash=hash_password(access.PASSWORD)))

    def ask(
        self, method: str, path: str, body: Any = None, *, login: str = "manager", tag: str | None = None
    ) -> Any:
        session = sessions.log_in(
            login=login, password=access.PASSWORD, at=self._at, user_agent="", address="192.0.2.1"
        )
        headers = {"origin": ORIGIN, "accept-language": "en", "cookie": f"tc_session={session.token}"}
        if tag is not None:
            headers["if-match"] = tag
        return self._client.request(method, path, headers=headers, json=body)


@pytest.fixture
def door(company: Company, at: datetime) -> Iterator[Door]:
    with TestClient(build_api(FixedClock(at)), base_url=ORIGIN) as client:
        yield Door(client, at)


def rename(text: str, id: str = "g-1") -> dict[str, Any]:
    return {"id": id, "ops": [{"op": "put", "path": ["name", "en"], "value": text}]}


def test_a_draft_is_read_changed_saved_and_published_by_a_program(door: Door) -> None:
    read = door.ask("GET", DRAFT)
    assert (read.status_code, read.json()["seq"], read.json()["has_changes"]) == (200, 0, False)

    changed = door.ask("PATCH", DRAFT, rename("Repairs"), tag=read.headers["etag"])
    assert (changed.status_code, changed.json()["document"]["name"]["en"]) == (200, "Repairs")
    document = changed.json()["document"]
    document["stages"][0]["name"] = {"zh": "新的", "en": "New"}
    put = door.ask("PUT", DRAFT, {"id": "p-1", "document": document}, tag=changed.headers["etag"])
    assert (put.status_code, put.json()["seq"]) == (200, 2)
    same = door.ask("PUT", DRAFT, {"id": "p-2", "document": document}, tag=put.headers["etag"])
    assert same.headers["etag"] == put.headers["etag"]

    published = door.ask(
        "POST", f"{DRAFT}/publish", {"command_id": "publish-1", "note": "script"}, tag=put.headers["etag"]
    )
    assert (published.status_code, published.json()["number"]) == (200, 2)
    versions = door.ask("GET", "/api/v1/designer/flows/repair/versions").json()
    assert [(each["number"], each["is_current"], each["note"]) for each in versions] == [
        (2, True, "script"),
        (1, False, ""),
    ]
    back = door.ask(
        "POST",
        "/api/v1/designer/flows/repair/rollback",
        {"command_id": "rollback-1", "version_id": versions[1]["version_id"], "reason": "too early"},
    )
    assert (back.status_code, back.json()["number"]) == (200, 1)


def test_who_saw_an_older_draft_overwrites_nothing(door: Door, company: Company) -> None:
    first = door.ask("GET", DRAFT).headers["etag"]
    after = door.ask("PATCH", DRAFT, rename("First"), tag=first)

    for late in (
        door.ask("PATCH", DRAFT, rename("Second", "g-2"), tag=first),
        door.ask("PUT", DRAFT, {"id": "g-3", "document": after.json()["document"]}, tag=first),
        door.ask("DELETE", DRAFT, tag=first),
    ):
        assert (late.status_code, late.json()["code"]) == (412, "draft.moved")
        assert late.headers["content-type"] == "application/problem+json"

    (draft,) = drafts.drafts_of(actor=company.actor("manager"), code="repair")
    assert (draft.seq, draft.document["name"]["en"]) == (1, "First")


def test_without_a_tag_or_with_a_wrong_one_nothing_is_changed(door: Door) -> None:
    read = door.ask("GET", DRAFT)

    missing = door.ask("PATCH", DRAFT, rename("X"))
    wrong = door.ask("PATCH", DRAFT, rename("X"), tag="*")

    assert (missing.status_code, missing.json()["code"]) == (428, "api.precondition_required")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "api.bad_precondition")
    assert door.ask("GET", DRAFT).headers["etag"] == read.headers["etag"]


def test_a_forged_operation_is_named_and_the_draft_intact(door: Door) -> None:
    tag = door.ask("GET", DRAFT).headers["etag"]
    forged = {"id": "g-1", "ops": [{"op": "remove", "path": ["nodes", "ghost"]}]}

    refused = door.ask("PATCH", DRAFT, forged, tag=tag)

    assert (refused.status_code, refused.json()["code"]) == (422, "document.invalid_operation")
    (problem,) = refused.json()["problems"]
    assert (problem["path"], problem["code"]) == ("operations[0]", "document.unknown_part")
    assert problem["title"] == "concerns nodes.ghost, which the draft does not have"
    assert door.ask("GET", DRAFT).headers["etag"] == tag


def test_a_form_is_begun_and_thrown_away(door: Door) -> None:
    path = "/api/v1/designer/forms/tasting/draft"
    assert door.ask("GET", path).status_code == 404

    begun = door.ask("POST", path, {})
    assert (begun.status_code, begun.json()["document"]["definition"]["sections"][0]["key"]) == (201, "main")
    assert door.ask("POST", path, {}).status_code == 409
    listed = door.ask("GET", "/api/v1/designer/forms/tasting/drafts").json()
    assert [(each["author"], each["is_mine"]) for each in listed] == [("manager", True)]
    assert door.ask("DELETE", path, tag=begun.headers["etag"]).status_code == 204
    assert door.ask("GET", path).status_code == 404


@pytest.mark.parametrize("login", ["dispatcher", "agent", "finance", "tech_near", "auditor"])
def test_only_who_manages_them_draws(door: Door, login: str) -> None:
    for path in (DRAFT, "/api/v1/designer/flows/repair/versions", "/api/v1/designer/forms/repair/draft"):
        assert door.ask("GET", path, login=login).status_code == 403
