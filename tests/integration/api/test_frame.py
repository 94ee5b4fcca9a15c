"""What surrounds every handler: callers, permissions, sizes, bodies, and refusals in two languages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import pytest
import sqlalchemy as sa
from pydantic import AwareDatetime, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from tests.builders.access import PASSWORD, Company, make_token, make_user
from tests.fixtures.databases import Database
from ticket_console.access import administration, sessions
from ticket_console.access.administration import NewGrant
from ticket_console.api.bodies import Body, Query
from ticket_console.api.routing import Call, mount_of, route, routes_of
from ticket_console.kernel.actor import Role, system_actor
from ticket_console.kernel.clock import FixedClock
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Conflict, Unauthenticated

ORIGIN = "http://console.test"


class Line(Body):
    sku: str = Field(min_length=1, max_length=8, pattern="^[A-Z]+$")
    quantity: int = Field(ge=1, le=99)


class Order(Body):
    kind: Literal["repair", "consult"]
    due: AwareDatetime | None = None
    price: Decimal | None = None
    lines: tuple[Line, ...] = ()


class Page(Query):
    limit: int = Field(default=50, ge=1, le=200)
    region: int | None = None
    stage: tuple[str, ...] = ()


class Stale(Conflict):
    code = "ticket.stale"


async def place(call: Call[Order]) -> dict[str, Any]:
    """Place an order."""
    return {"by": call.actor.display, "at": call.at, "order": call.body}


async def anything(call: Call[dict[str, Any]]) -> dict[str, Any]:
    """Take any object."""
    return call.body


async def listed(call: Call[None]) -> dict[str, Any]:
    """List."""
    return {"limit": call.query.limit, "stage": call.query.stage, "who": call.actor.display}


async def one(call: Call[None]) -> dict[str, int]:
    """Show one."""
    return {"id": call.path_param("order_id")}


async def refused(call: Call[None]) -> None:
    """Refuse."""
    raise Stale(who="Wu", what="ticket.claimed", when="2026-11-21T02:00:00Z")


async def broken(call: Call[None]) -> None:
    """Break."""
    raise RuntimeError("the secret is 4711")


async def overloaded(call: Call[None]) -> None:
    """Reach no database."""
    raise sa.exc.OperationalError("SELECT secret", {}, Exception("database is locked"))


async def nothing(call: Call[None]) -> None:
    """Say nothing."""


def _three() -> int:
    return 3


def _small() -> int:
    return 200


SAMPLE = (
    route("/api/orders", place, method="POST", permission="ticket.open", body=Order, status=201),
    route("/api/orders", listed, permission="ticket.view", query=Page),
    route("/api/orders/{order_id:id}", one, public=True),
    route(
        "/api/anything",
        anything,
        method="POST",
        permission="ticket.open",
        body=dict[str, Any],
        max_bytes=_small,
    ),
    route("/api/named/{name}", nothing, public=True),
    route("/api/refused", refused, public=True),
    route("/api/broken", broken, public=True),
    route("/api/overloaded", overloaded, public=True),
    route("/api/nothing", nothing, method="DELETE", public=True, status=204),
    route("/api/rationed", nothing, permission="ticket.open", per_minute=_three),
)


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough for what happens around a handler."""
    return sqlite_database


@pytest.fixture
def sample(company: Company, clock: FixedClock) -> Iterator[TestClient]:
    app = Starlette(routes=[mount_of(SAMPLE, prefix="/api", clock=clock)])
    with TestClient(app, base_url=ORIGIN) as client:
        client.headers["accept-language"] = "en-GB,en;q=0.8"
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def shop(company: Company) -> dict[str, str]:
    return bearer(make_token(company, "ticket.open"))


def test_a_token_with_the_permission_is_let_in(sample: TestClient, shop: dict[str, str]) -> None:
    answer = sample.post(
        "/api/orders",
        headers=shop,
        json={"kind": "repair", "due": "2026-11-22T08:00:00+08:00", "price": "12.30"},
    )

    assert answer.status_code == 201
    assert answer.json() == {
        "by": "shop",
        "at": "2026-11-21T02:00:00Z",
        "order": {"kind": "repair", "due": "2026-11-22T08:00:00+08:00", "price": "12.30", "lines": []},
    }


def test_a_token_without_the_permission_is_refused(company: Company, sample: TestClient) -> None:
    answer = sample.get("/api/orders", headers=bearer(make_token(company, "ticket.open")))

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/api/docs#access.forbidden",
        "title": "You are not allowed to do this.",
        "status": 403,
        "code": "access.forbidden",
        "params": {"permission": "ticket.view"},
        "problems": [],
    }


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer tc_wrong"},
        {"authorization": "Bearer"},
        {"authorization": "Basic bGk6cGFzcw=="},
        {"cookie": "tc_session=wrong"},
        {"cookie": "tc_session="},
    ],
)
def test_without_a_caller_nothing_is_answered(sample: TestClient, headers: dict[str, str]) -> None:
    answer = sample.get("/api/orders", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "access.unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_bad_token_is_not_made_good_by_a_cookie(company: Company, sample: TestClient, at: datetime) -> None:
    cookie = session_cookie(company, at)

    answer = sample.get("/api/orders", headers={**cookie, **bearer("tc_wrong")})

    assert answer.status_code == 401


def session_cookie(company: Company, at: datetime) -> dict[str, str]:
    make_user(company, "li", NewGrant(Role.AGENT))
    session = sessions.log_in(login="li", password=PASSWORD, at=at, user_agent="", address="192.0.2.1")
    return {"cookie": f"tc_session={session.token}"}


def test_a_browser_reads_with_its_session(company: Company, sample: TestClient, at: datetime) -> None:
    answer = sample.get("/api/orders?limit=2&stage=onsite", headers=session_cookie(company, at))

    assert answer.json() == {"limit": 2, "stage": ["onsite"], "who": "Li"}


def test_a_session_that_ran_out_reads_nothing(
    company: Company, sample: TestClient, clock: FixedClock, at: datetime
) -> None:
    cookie = session_cookie(company, at)
    clock.advance(timedelta(hours=12))

    assert sample.get("/api/orders", headers=cookie).status_code == 401


def test_a_disabled_user_reads_nothing_any_more(company: Company, sample: TestClient, at: datetime) -> None:
    cookie = session_cookie(company, at)
    who = sample.get("/api/orders", headers=cookie).json()["who"]
    with reading() as connection:
        user_id = connection.execute(sa.text("SELECT id FROM user_account")).scalar_one()

    administration.disable_user(actor=system_actor(company.org_id), at=at, command_id="c1", user_id=user_id)

    assert who == "Li"
    assert sample.get("/api/orders", headers=cookie).status_code == 401


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ({"origin": ORIGIN}, 201),
        ({"origin": "http://localhost:8000"}, 201),
        ({"sec-fetch-site": "same-origin"}, 201),
        ({"origin": "http://evil.example"}, 403),
        ({}, 403),
    ],
)
def test_a_session_changes_something_from_our_own_pages_only(
    company: Company, sample: TestClient, at: datetime, origin: dict[str, str], status: int
) -> None:
    headers = {**session_cookie(company, at), **origin}

    assert sample.post("/api/orders", headers=headers, json={"kind": "repair"}).status_code == status


@pytest.mark.parametrize(
    ("body", "line", "column"),
    [
        (b"", 1, 0),
        (b'{"kind": "repair",}', 1, 19),
        (b'{\n  "kind": repair}', 2, 11),
        (b'{"kind": NaN}', 1, 10),
        (b"\xff\xfe", 1, 1),
        (b"[" * 10_000, 1, 202),
        (b'{"kind": "\\ud800"}', 1, 17),
        (b'{"kind": "repair"', 1, 17),
    ],
)
def test_a_body_that_is_no_json_is_named_by_line_and_column(
    sample: TestClient, shop: dict[str, str], body: bytes, line: int, column: int
) -> None:
    answer = sample.post("/api/orders", headers={**shop, "content-type": "application/json"}, content=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "api.malformed_json")
    assert answer.json()["params"] == {"line": line, "column": column}


def test_every_wrong_entry_of_a_body_is_named_by_its_path(sample: TestClient, shop: dict[str, str]) -> None:
    answer = sample.post(
        "/api/orders",
        headers=shop,
        json={
            "kind": "gift",
            "due": "tomorrow",
            "lines": [{"sku": "", "quantity": 1}, {"sku": "pump", "quantity": "2"}, {"quantity": 100}],
            "colour": "red",
        },
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "input.invalid")
    assert answer.json()["title"] == "8 of the entries cannot be taken."
    assert [(problem["path"], problem["code"]) for problem in answer.json()["problems"]] == [
        ("kind", "input.not_allowed"),
        ("due", "input.bad_format"),
        ("lines[0].sku", "input.too_short"),
        ("lines[1].sku", "input.bad_format"),
        ("lines[1].quantity", "input.wrong_type"),
        ("lines[2].sku", "input.missing"),
        ("lines[2].quantity", "input.out_of_range"),
        ("colour", "input.unknown_key"),
    ]


@pytest.mark.parametrize("body", ["[]", '"text"', "1", "null", "true"])
def test_a_body_of_another_shape_is_refused(sample: TestClient, shop: dict[str, str], body: str) -> None:
    for path in ("/api/orders", "/api/anything"):
        answer = sample.post(path, headers={**shop, "content-type": "application/json"}, content=body)
        assert answer.status_code == 422
        assert [problem["code"] for problem in answer.json()["problems"]] == ["input.wrong_type"]


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        (r'{"a": {"b": ["x", "nul \u0000"]}}', "a.b[1]", "input.bad_character"),
        (r'{"a\u0000": 1}', "a", "input.bad_character"),
        (r'{"a": 1e999}', "a", "input.out_of_range"),
        (r'{"a": [9223372036854775808]}', "a[0]", "input.out_of_range"),
        (r'{"a": {"b": -1e19}}', "a.b", "input.out_of_range"),
    ],
)
def test_what_no_database_can_keep_is_refused_at_the_door(
    sample: TestClient, shop: dict[str, str], body: str, path: str, code: str
) -> None:
    answer = sample.post("/api/anything", headers={**shop, "content-type": "application/json"}, content=body)

    assert answer.status_code == 422
    assert [(each["path"], each["code"]) for each in answer.json()["problems"]] == [(path, code)]


def test_text_that_only_looks_like_an_escape_passes(sample: TestClient, shop: dict[str, str]) -> None:
    said = {"a": "\\u0000 <script>alert(1)</script> 😀"}

    assert sample.post("/api/anything", headers=shop, json=said).json() == said


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_of_another_kind_is_refused(
    sample: TestClient, shop: dict[str, str], content_type: str
) -> None:
    answer = sample.post(
        "/api/orders", headers={**shop, "content-type": content_type}, content=b'{"kind": "repair"}'
    )

    assert (answer.status_code, answer.json()["code"]) == (415, "api.unsupported_media_type")


def test_a_body_announced_as_too_large_is_refused_unread(sample: TestClient, shop: dict[str, str]) -> None:
    answer = sample.post("/api/anything", headers=shop, json={"a": "x" * 200})

    assert (answer.status_code, answer.json()["code"]) == (413, "api.body_too_large")
    assert answer.json()["params"] == {"limit": 200}


def test_a_body_that_grows_too_large_without_announcing_it_is_broken_off(
    sample: TestClient, shop: dict[str, str]
) -> None:
    def endless() -> Iterator[bytes]:
        yield b'{"a": "'
        for _ in range(100):
            yield b"x" * 10
        yield b'"}'

    answer = sample.post(
        "/api/anything", headers={**shop, "content-type": "application/json"}, content=endless()
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "api.body_too_large")


@pytest.mark.parametrize(
    ("query", "path", "code"),
    [
        ("limit=0", "limit", "input.out_of_range"),
        ("limit=many", "limit", "input.wrong_type"),
        ("page=2", "page", "input.unknown_key"),
        ("region=9223372036854775808", "region", "input.out_of_range"),
        ("stage=a%00", "stage[0]", "input.bad_character"),
    ],
)
def test_a_wrong_query_is_refused(
    company: Company, sample: TestClient, query: str, path: str, code: str
) -> None:
    answer = sample.get(f"/api/orders?{query}", headers=bearer(make_token(company, "ticket.view")))

    assert answer.status_code == 422
    assert [(each["path"], each["code"]) for each in answer.json()["problems"]] == [(path, code)]


@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/nowhere", "/api/orders/", "/api/orders/x", "/api/orders/" + "9" * 19, "/api/named/a%00"],
)
def test_an_address_without_a_route_is_a_problem_too(sample: TestClient, path: str) -> None:
    answer = sample.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "api.route_not_found")


def test_a_row_number_is_read_from_the_path(sample: TestClient) -> None:
    assert sample.get("/api/orders/10001").json() == {"id": 10001}


def test_a_method_no_route_takes_is_refused_with_those_it_takes(sample: TestClient) -> None:
    answer = sample.put("/api/orders")

    assert (answer.status_code, answer.json()["code"]) == (405, "api.method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_an_answer_without_content_has_none(sample: TestClient) -> None:
    answer = sample.delete("/api/nothing")

    assert (answer.status_code, answer.content) == (204, b"")


def test_a_refusal_carries_its_figures(sample: TestClient) -> None:
    answer = sample.get("/api/refused")

    assert (answer.status_code, answer.json()["code"]) == (409, "ticket.stale")
    assert answer.json()["params"] == {
        "who": "Wu",
        "what": "ticket.claimed",
        "when": "2026-11-21T02:00:00Z",
    }


@pytest.mark.parametrize(
    ("headers", "language", "title"),
    [
        ({"accept-language": "zh-CN,zh;q=0.9"}, "zh", "没有这个接口地址。"),
        ({"accept-language": "fr, en;q=0.5"}, "en", "There is nothing at this address."),
        ({"accept-language": "en", "cookie": "tc_locale=zh"}, "zh", "没有这个接口地址。"),
        ({"accept-language": ""}, "zh", "没有这个接口地址。"),
    ],
)
def test_a_refusal_speaks_the_language_of_the_caller(
    sample: TestClient, headers: dict[str, str], language: str, title: str
) -> None:
    answer = sample.get("/api/nowhere", headers=headers)

    assert (answer.headers["content-language"], answer.json()["title"]) == (language, title)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/api/broken", 500, "console.unexpected"), ("/api/overloaded", 503, "console.unavailable")],
)
def test_a_fault_of_ours_says_nothing_of_its_cause(
    sample: TestClient, path: str, status: int, code: str
) -> None:
    answer = sample.get(path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_a_ration_is_counted_for_each_caller(company: Company, sample: TestClient) -> None:
    one = bearer(make_token(company, "ticket.open"))
    user_id = make_user(company, "wu", NewGrant(Role.AGENT))
    other = bearer(make_token(company, "ticket.open", user_id=user_id))

    statuses = [sample.get("/api/rationed", headers=one).status_code for _ in range(4)]
    last = sample.get("/api/rationed", headers=one)

    assert statuses == [200, 200, 200, 429]
    assert last.json()["code"] == "access.rate_limited"
    assert 1 <= int(last.headers["retry-after"]) <= 60
    assert sample.get("/api/rationed", headers=other).status_code == 200


@pytest.mark.parametrize("arguments", [{}, {"permission": "ticket.view", "public": True}])
def test_a_route_declares_either_a_permission_or_that_it_is_public(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        route("/api/x", nothing, **arguments)


def test_a_route_is_declared_once(clock: FixedClock) -> None:
    with pytest.raises(TypeError):
        routes_of((*SAMPLE, SAMPLE[0]), prefix="/api", clock=clock)


def test_a_public_call_has_no_actor() -> None:
    call = Call(
        request=Request({"type": "http", "headers": []}),
        at=datetime(2026, 1, 1, tzinfo=UTC),
        body=None,
        query=None,
        caller=None,
    )

    with pytest.raises(Unauthenticated):
        _ = call.actor
