"""Figures about money over HTTP: the screen's address gives its file, to those who may read the amounts."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.testclient import TestClient

from tests.builders.earnings import Earnings, earn
from tests.fixtures.databases import Database
from ticket_console.api.app import build_api
from ticket_console.kernel.actor import Actor, Role
from ticket_console.kernel.clock import FixedClock
from ticket_console.reports.money_asked import asked_of
from ticket_console.state.reports import look, look_at_lines

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
Fetch = Callable[[str, Actor], tuple[int, bytes]]


@pytest.fixture
def found(sqlite_database: Database) -> Earnings:
    return earn(tickets=6)


@pytest.fixture
def fetch(found: Earnings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetch]:
    """Fetch an address as somebody whose session has been checked."""
    with TestClient(build_api(FixedClock(NOW)), base_url="http://console.test") as client:

        def get(path: str, caller: Actor) -> tuple[int, bytes]:
            async def known(_request: object, *, at: datetime) -> Actor:
                return caller

            monkeypatch.setattr("ticket_console.api.routing.caller_of", known)
            answer = client.get(path, headers={"accept-language": "en"})
            return answer.status_code, answer.content

        yield get


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_the_file_of_a_screen_has_its_rows_in_its_order(found: Earnings, fetch: Fetch) -> None:
    viewer = found.company.actor()
    view = look(viewer=viewer, at=NOW, asked=asked_of({"by": "region", "measure": "margin"}))
    href = next(each["href"] for each in view["files"] if each["key"] == "csv")

    status, content = fetch(href, viewer)

    assert status == 200
    assert [(row["Region"], Decimal(row["Margin"]) * 100) for row in rows(content)] == [
        (each["name"]["en"], each["margin"]) for each in view["groups"]
    ]


def test_the_file_of_entries_has_every_page_of_them(found: Earnings, fetch: Fetch) -> None:
    viewer = found.company.actor()
    asked = {"since": "2026-10-01", "until": "2026-12-01", "dimension": "base_labour"}
    view = look_at_lines(viewer=viewer, at=NOW, asked=asked_of(asked))
    href = next(each["href"] for each in view["files"] if each["key"] == "csv")
    assert dict(parse_qsl(urlsplit(href).query)).items() >= asked.items()

    status, content = fetch(href, viewer)

    assert status == 200
    assert len(rows(content)) == view["count"] > 0
    cost = sum(Decimal(row["Amount"]) for row in rows(content) if row["Side"] == "Cost")
    assert cost * 100 == view["figures"]["cost"]


@pytest.mark.parametrize("path", ["/api/v1/reports/money", "/api/v1/reports/money/lines"])
@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.AGENT, Role.TECHNICIAN])
def test_nobody_else_gets_a_file(found: Earnings, fetch: Fetch, path: str, role: Role) -> None:
    status, content = fetch(path, found.company.actor(role))

    assert status == 403
    assert b"minor" not in content


def test_an_unknown_parameter_is_refused(found: Earnings, fetch: Fetch) -> None:
    assert fetch("/api/v1/reports/money?org=2", found.company.actor())[0] == 422
