"""The application as a whole: health, its own description, and what it tells browsers."""

import re

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from ticket_console.api import health
from ticket_console.kernel.database import transaction


def test_it_is_alive_ready_and_knows_its_version(api: TestClient) -> None:
    assert api.get("/healthz").json() == {"status": "ok"}
    assert api.get("/version").json() == {"version": health.VERSION}
    ready = api.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ready", "revision": health.newest_revision()},
    )


def test_it_is_not_ready_with_another_schema(api: TestClient) -> None:
    with transaction() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'older'"))

    answer = api.get("/readyz")

    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "schema out of date", "revision": "older"},
    )


def test_it_is_not_ready_without_a_schema(api: TestClient) -> None:
    with transaction() as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))

    assert api.get("/readyz").status_code == 503
    assert api.get("/healthz").status_code == 200


def test_the_description_is_complete_in_itself(api: TestClient) -> None:
    described = api.get("/api/v1/openapi.json").json()

    references = set(
        re.findall(r'"\$ref": ?"#/components/schemas/([^"]+)"', str(described).replace("'", '"'))
    )
    assert described["openapi"] == "3.1.0"
    assert references <= described["components"]["schemas"].keys()
    assert "/healthz" in described["paths"]
    login = described["paths"]["/auth/login"]["post"]
    assert (login["security"], min(login["responses"])) == ([], "303")


@pytest.mark.parametrize(("language", "heading"), [("zh", "错误代码"), ("en", "Problem codes")])
def test_the_page_for_people_loads_nothing_from_anywhere(
    api: TestClient, language: str, heading: str
) -> None:
    answer = api.get("/api/docs", headers={"accept-language": language})

    assert heading in answer.text
    assert "api.malformed_json" in answer.text
    assert not re.search(r"<(script|link|img|iframe)|https?://(?!console\.test)", answer.text)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_answers_forbid_framing_sniffing_and_caching(api: TestClient) -> None:
    answer = api.get("/api/nowhere")

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_pages_may_load_from_ourselves_only(api: TestClient) -> None:
    answer = api.get("/some-page")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "ws://console.test" in policy
    assert "cache-control" not in answer.headers
