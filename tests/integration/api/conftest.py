"""The HTTP application as a caller sees it, on a database with one company."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from starlette.testclient import TestClient

from tests.builders.access import Company, make_company
from tests.fixtures.databases import Database
from ticket_console.access import throttle
from ticket_console.api.app import build_api
from ticket_console.kernel.clock import FixedClock

ORIGIN = "http://console.test"


@pytest.fixture
def company(database: Database) -> Iterator[Company]:
    throttle.forget()
    yield make_company()
    throttle.forget()


@pytest.fixture
def clock(at: datetime) -> FixedClock:
    return FixedClock(at)


@pytest.fixture
def api(company: Company, clock: FixedClock) -> Iterator[TestClient]:
    with TestClient(build_api(clock), base_url=ORIGIN, follow_redirects=False) as client:
        client.headers["accept-language"] = "en"
        yield client
