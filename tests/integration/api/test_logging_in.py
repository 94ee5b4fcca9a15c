"""Logging in and out over HTTP: the cookie, where it leads, and who may ask for it."""

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from tests.builders.access import PASSWORD, Company, make_user
from ticket_console.access import sessions
from ticket_console.kernel.clock import FixedClock
from ticket_console.kernel.errors import Unauthenticated

OURS = {"origin": "http://console.test"}
FORM = {"username": "li", "password": PASSWORD}


@pytest.fixture(autouse=True)
def li(company: Company) -> int:
    return make_user(company, "li")


def log_in(api: TestClient, **fields: str) -> str:
    """The token in the cookie."""
    answer = api.post("/auth/login", data={**FORM, **fields}, headers=OURS)
    assert answer.status_code == 303
    return api.cookies["tc_session"]


def test_logging_in_sets_a_cookie_no_script_can_read_and_leads_on(
    api: TestClient, clock: FixedClock, li: int
) -> None:
    answer = api.post("/auth/login", data={**FORM, "next": "/board?lane=onsite"}, headers=OURS)

    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/board?lane=onsite")
    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=604800"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert answer.headers["cache-control"] == "no-store"
    assert sessions.resolve(token=api.cookies["tc_session"], at=clock.now()).user_id == li


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/board\r\nSet-Cookie: a=b",
        "/\t/evil.example",
        "board",
        "",
    ],
)
def test_a_log_in_never_leads_away_from_the_console(api: TestClient, elsewhere: str) -> None:
    answer = api.post("/auth/login", data={**FORM, "next": elsewhere}, headers=OURS)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_wrong_password_leads_back_with_the_code_and_without_a_cookie(api: TestClient) -> None:
    answer = api.post("/auth/login", data={**FORM, "password": "wrong", "next": "/board"}, headers=OURS)

    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?error=access.log_in_failed&next=%2Fboard"
    assert "set-cookie" not in answer.headers


def test_too_many_wrong_passwords_lead_back_with_their_own_code(api: TestClient) -> None:
    for _ in range(10):
        api.post("/auth/login", data={"username": "nobody", "password": "wrong"}, headers=OURS)

    answer = api.post("/auth/login", data={"username": "nobody", "password": "wrong"}, headers=OURS)

    assert answer.headers["location"] == "/login?error=access.rate_limited"


def test_an_empty_form_is_a_failed_log_in(api: TestClient) -> None:
    assert api.post("/auth/login", headers=OURS).headers["location"] == "/login?error=access.log_in_failed"


def test_a_session_cannot_be_fixed_before_the_log_in(api: TestClient, clock: FixedClock) -> None:
    planted = "planted-by-somebody-else"
    api.cookies.set("tc_session", planted)

    api.post("/auth/login", data=FORM, headers=OURS)

    tokens = {cookie.value for cookie in api.cookies.jar}
    assert len(tokens - {planted}) == 1
    with pytest.raises(Unauthenticated):
        sessions.resolve(token=planted, at=clock.now())


def test_logging_in_again_ends_the_session_before(api: TestClient, clock: FixedClock) -> None:
    earlier = log_in(api)

    later = log_in(api)

    assert sessions.resolve(token=later, at=clock.now()).display == "Li"
    with pytest.raises(Unauthenticated):
        sessions.resolve(token=earlier, at=clock.now())


def test_logging_out_ends_the_session_and_removes_the_cookie(api: TestClient, clock: FixedClock) -> None:
    token = log_in(api)

    answer = api.post("/auth/logout", headers=OURS)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "tc_session" not in api.cookies
    with pytest.raises(Unauthenticated):
        sessions.resolve(token=token, at=clock.now())


def test_logging_out_everywhere_ends_the_other_devices_too(api: TestClient, clock: FixedClock) -> None:
    phone = log_in(api)
    api.cookies.clear()
    log_in(api)

    answer = api.post("/auth/logout-everywhere", headers=OURS)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    with pytest.raises(Unauthenticated):
        sessions.resolve(token=phone, at=clock.now())


def test_logging_out_without_a_session_leads_to_the_log_in_page(api: TestClient, clock: FixedClock) -> None:
    log_in(api)
    clock.advance(timedelta(days=30))

    for path in ("/auth/logout-everywhere", "/auth/logout"):
        assert api.post(path, headers=OURS).headers["location"] == "/login"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://console.test.evil.example"},
        {"origin": "https://console.test"},
        {"origin": "null"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {},
    ],
)
def test_another_site_can_neither_log_in_nor_out(
    api: TestClient, clock: FixedClock, headers: dict[str, str]
) -> None:
    token = log_in(api)

    for path in ("/auth/logout", "/auth/logout-everywhere"):
        refused = api.post(path, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "access.foreign_origin")
    answer = api.post("/auth/login", data=FORM, headers=headers)

    assert answer.headers["location"] == "/login?error=access.foreign_origin"
    assert "set-cookie" not in answer.headers
    assert sessions.resolve(token=token, at=clock.now()).display == "Li"


def test_a_browser_that_hides_the_origin_of_its_own_page_is_believed(api: TestClient) -> None:
    answer = api.post("/auth/login", data=FORM, headers={"origin": "null", "sec-fetch-site": "same-origin"})

    assert answer.headers["location"] == "/"


def test_the_form_is_not_an_upload(api: TestClient) -> None:
    answer = api.post("/auth/login", data={**FORM, "password": "x" * 20_000}, headers=OURS)

    assert (answer.status_code, answer.json()["code"]) == (413, "api.body_too_large")


def test_a_link_does_not_log_anybody_in_or_out(api: TestClient) -> None:
    for path in ("/auth/login", "/auth/logout", "/auth/logout-everywhere"):
        answer = api.get(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
