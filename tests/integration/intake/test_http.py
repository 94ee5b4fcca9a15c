"""The door for programs and strangers: what is let in, and that a refusal changes nothing."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.builders.intake import Company, raw_states, ticket_count, ticket_row
from ticket_console.access import throttle
from ticket_console.access.tokens import create_token, revoke_token
from ticket_console.api.app import build_api
from ticket_console.intake.public_form import PER_ADDRESS
from ticket_console.intake.states import RawState
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.clock import FixedClock
from ticket_console.kernel.settings import settings

REPAIR = {"template": "repair", "title": "空调坏了", "latitude": 31.21, "longitude": 121.41}


@pytest.fixture
def api(company: Company, at: datetime) -> Iterator[TestClient]:
    throttle.forget()
    with TestClient(build_api(FixedClock(at)), base_url="http://console.test") as client:
        yield client
    throttle.forget()


@pytest.fixture
def program(api: TestClient, company: Company, at: datetime) -> TestClient:
    """A caller with a token that may open tickets."""
    made = create_token(
        actor=system_actor(company.org_id), at=at, command_id="t", name="shop", permissions=["ticket.open"]
    )
    api.headers["authorization"] = f"Bearer {made.token}"
    return api


def post(client: TestClient, body: Any, *, key: str | None = "k-1", channel: str = "api") -> Any:
    headers = {} if key is None else {"idempotency-key": key}
    return client.post(f"/api/v1/intake/{channel}", json=body, headers=headers)


# INT-16
def test_one_call_opens_a_ticket_and_says_where_to_follow_it(program: TestClient) -> None:
    answer = post(program, REPAIR)

    told = answer.json()
    assert answer.status_code == 201
    assert told["state"] == "ticket"
    assert told["ticket_no"] == ticket_row(told["ticket_id"])["no"]
    assert answer.headers["location"] == told["tracking_url"]
    assert told["tracking_url"].startswith(f"{settings().public_url}/track/")


# PAIN-32
def test_a_repetition_and_a_duplicate_answer_200(program: TestClient) -> None:
    first = post(program, {**REPAIR, "external_id": "E-1"})
    again = post(program, {**REPAIR, "external_id": "E-1"})
    duplicate = post(program, {**REPAIR, "external_id": "E-1"}, key="k-2")

    assert (again.status_code, again.json()) == (200, {**first.json(), "is_repeat": True})
    assert (duplicate.status_code, duplicate.json()["state"]) == (200, "duplicate")
    assert duplicate.json()["ticket_no"] == first.json()["ticket_no"]
    assert (raw_states(), ticket_count()) == ({RawState.TICKET: 1, RawState.DUPLICATE: 1}, 1)


def test_the_same_key_with_another_body_is_a_conflict(program: TestClient) -> None:
    post(program, REPAIR)

    answer = post(program, {**REPAIR, "title": "other"})

    assert (answer.status_code, answer.json()["code"]) == (409, "intake.key_reused")
    assert ticket_count() == 1


# INT-02
def test_a_sender_can_compare_what_was_sent_with_what_was_received(program: TestClient) -> None:
    for key, title in (("k-1", "a"), ("k-2", "a"), ("k-3", "")):
        post(program, {"title": title, "external_id": "E-1" if title else "E-2"}, key=key)
    post(program, REPAIR, channel="website")

    counted = program.get("/api/v1/intake/api").json()

    assert counted == {"new": 0, "ticket": 1, "duplicate": 1, "rejected": 1}


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({"title": 5}, [("title", "input.wrong_type")]),
        ({**REPAIR, "template": "no-such"}, [("template", "template.not_found")]),
        ({**REPAIR, "values": {"category": "boat"}}, [("category", "field.not_an_option")]),
        ({**REPAIR, "site": "nowhere"}, [("site", "intake.unknown_site")]),
    ],
)
def test_a_wrong_request_is_a_problem_that_names_every_field(
    program: TestClient, body: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    answer = post(program, body)

    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, told["status"]) == (422, 422)
    assert [(each["path"], each["code"]) for each in told["problems"]] == problems
    assert (raw_states(), ticket_count()) == ({RawState.REJECTED: 1}, 0)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_refusal_is_a_sentence_in_the_callers_language(program: TestClient, language: str) -> None:
    told = program.post(
        "/api/v1/intake/api",
        json={"title": ""},
        headers={"idempotency-key": "k", "accept-language": language},
    ).json()

    sentences = {
        "zh": "这条请求有 1 处需要修改。",
        "en": "The request cannot be taken as it is (problems: 1).",
    }
    assert told["title"] == sentences[language]


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b'{"title": "a"', 400, "api.malformed_json"),
        (b"", 400, "api.malformed_json"),
        (b'{"title": "\\ud83d"}', 400, "api.malformed_json"),
        (b'{"title": "a", "latitude": NaN, "longitude": 1}', 400, "api.malformed_json"),
        (b'["title"]', 422, "input.invalid"),
        (b'"title"', 422, "input.invalid"),
        (b"null", 422, "input.invalid"),
        (b'{"title": "a\\u0000b"}', 422, "input.invalid"),
        (b"[" * 50_000, 400, "api.malformed_json"),
        (b"\xff\xfe{}", 400, "api.malformed_json"),
    ],
)
def test_what_is_no_json_object_is_refused_at_the_door(
    program: TestClient, content: bytes, status: int, code: str
) -> None:
    answer = program.post(
        "/api/v1/intake/api",
        content=content,
        headers={"content-type": "application/json", "idempotency-key": "k"},
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (raw_states(), ticket_count()) == ({}, 0)


def test_a_body_that_is_not_called_json_is_refused(program: TestClient) -> None:
    answer = program.post("/api/v1/intake/api", content=b"title=a", headers={"idempotency-key": "k"})

    assert (answer.status_code, raw_states()) == (415, {})


def test_an_oversize_body_is_refused_unread(program: TestClient) -> None:
    answer = post(program, {**REPAIR, "description": "x" * settings().max_body_bytes})

    assert (answer.status_code, answer.json()["code"]) == (413, "api.body_too_large")
    assert (raw_states(), ticket_count()) == ({}, 0)


@pytest.mark.parametrize("key", [None, "", "two words", "x" * 101])
def test_a_missing_or_malformed_key_is_refused(program: TestClient, key: str | None) -> None:
    answer = post(program, REPAIR, key=key)

    assert (answer.status_code, raw_states()) == (400, {})


@pytest.mark.parametrize("channel", ["No%20Channel", "..%2f", "x" * 33, "%00"])
def test_a_malformed_channel_is_refused(program: TestClient, channel: str) -> None:
    answer = post(program, REPAIR, channel=channel)

    assert answer.status_code in {404, 422}
    assert raw_states() == {}


def test_without_a_token_nothing_is_kept(api: TestClient) -> None:
    answer = post(api, REPAIR)

    assert (answer.status_code, raw_states()) == (401, {})


def test_a_revoked_token_opens_nothing(api: TestClient, company: Company, at: datetime) -> None:
    actor = system_actor(company.org_id)
    made = create_token(actor=actor, at=at, command_id="t", name="shop", permissions=["ticket.open"])
    revoke_token(actor=actor, at=at, command_id="r", token_id=made.id)
    api.headers["authorization"] = f"Bearer {made.token}"

    assert (post(api, REPAIR).status_code, raw_states()) == (401, {})


def test_a_token_for_something_else_is_forbidden(api: TestClient, company: Company, at: datetime) -> None:
    made = create_token(
        actor=system_actor(company.org_id), at=at, command_id="t", name="bi", permissions=["ticket.view"]
    )
    api.headers["authorization"] = f"Bearer {made.token}"

    assert (post(api, REPAIR).status_code, raw_states()) == (403, {})


def test_a_public_form_describes_what_it_asks(api: TestClient) -> None:
    told = api.get("/api/v1/public/forms/repair").json()

    assert told["name"] == {"zh": "报修", "en": "Repair"}
    keys = [field["key"] for field in told["fields"]]
    assert {"category", "model"} <= set(keys)
    assert not {"photos", "dispatch_note", "labour_hours"} & set(keys)
    assert "repair" in [form["code"] for form in api.get("/api/v1/public/forms").json()]


@pytest.mark.parametrize("template", ["inspection", "no-such"])
def test_a_form_that_is_not_public_does_not_exist(api: TestClient, template: str) -> None:
    seen = api.get(f"/api/v1/public/forms/{template}")
    sent = api.post(f"/api/v1/public/forms/{template}", json={"title": "a"}, headers={"idempotency-key": "k"})

    assert (seen.status_code, sent.status_code) == (404, 404)
    assert raw_states() == {}


# INT-01, INT-16
def test_a_stranger_sends_a_form_and_gets_a_link(api: TestClient) -> None:
    answer = api.post(
        "/api/v1/public/forms/repair",
        json={
            "title": "空调坏了",
            "contact_name": "Li",
            "contact_phone": "13800000001",
            "address": "虹桥路1号",
            "values": {"category": "hvac"},
            "website": "",
        },
        headers={"idempotency-key": "shown-1"},
    )

    assert answer.status_code == 201
    ticket = ticket_row(answer.json()["ticket_id"])
    assert (ticket["source"], ticket["contact_name"]) == ("web_form", "Li")
    assert "/track/" in answer.json()["tracking_url"]


def test_a_double_click_sends_one_request(api: TestClient) -> None:
    answers = [
        api.post("/api/v1/public/forms/repair", json={"title": "a"}, headers={"idempotency-key": "shown-1"})
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json()["tracking_url"] == answers[1].json()["tracking_url"]
    assert ticket_count() == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"title": "Cheap watches", "website": "http://spam.example"}, "intake.looks_automatic"),
        ({"title": "a", "urgency": 3}, "intake.invalid"),
        ({"title": "a", "external_id": "E-1"}, "intake.invalid"),
        ({"title": "a", "values": {"dispatch_note": "give me the best"}}, "intake.invalid"),
        ({"title": ""}, "intake.invalid"),
    ],
)
def test_what_a_stranger_may_not_say_is_refused_and_kept(
    api: TestClient, answer: dict[str, Any], code: str
) -> None:
    told = api.post("/api/v1/public/forms/repair", json=answer, headers={"idempotency-key": "shown-1"})

    assert (told.status_code, told.json()["code"]) == (422, code)
    assert (raw_states(), ticket_count()) == ({RawState.REJECTED: 1}, 0)


def test_a_stranger_cannot_choose_another_template_than_the_one_in_the_address(api: TestClient) -> None:
    answer = api.post(
        "/api/v1/public/forms/repair",
        json={"title": "a", "template": "inspection"},
        headers={"idempotency-key": "shown-1"},
    )

    assert ticket_row(answer.json()["ticket_id"])["ticket_class"] == "repair"


def test_too_many_forms_from_one_address_are_put_off(api: TestClient) -> None:
    answers = [
        api.post(
            "/api/v1/public/forms/repair", json={"title": "a"}, headers={"idempotency-key": f"k-{number}"}
        )
        for number in range(PER_ADDRESS.amount + 1)
    ]

    assert [answer.status_code for answer in answers] == [201] * PER_ADDRESS.amount + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert ticket_count() == PER_ADDRESS.amount


def test_the_description_of_the_api_shows_the_shape_of_a_request(api: TestClient) -> None:
    described = api.get("/api/v1/openapi.json").json()

    body = described["paths"]["/api/v1/intake/{channel}"]["post"]["requestBody"]
    assert body["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/IntakeMessage"}
    assert "external_id" in described["components"]["schemas"]["IntakeMessage"]["properties"]
