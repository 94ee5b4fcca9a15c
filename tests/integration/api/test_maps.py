"""Maps, tracks and positions over HTTP."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from tests.builders import access
from tests.builders.company import SHANGHAI, Company, found_company
from tests.fixtures.databases import Database
from ticket_console.access import sessions, throttle
from ticket_console.access.passwords import hash_password
from ticket_console.access.tables import UserAccount
from ticket_console.api.app import build_api
from ticket_console.kernel.canonical import instant_text
from ticket_console.kernel.clock import FixedClock
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.people import positions
from ticket_console.people.tables import PositionFix

ORIGIN = "http://console.test"


@pytest.fixture
def company(database: Database, at: datetime) -> Iterator[Company]:
    throttle.forget()
    yield found_company(at)
    throttle.forget()


@pytest.fixture
def client(company: Company, at: datetime) -> Iterator[TestClient]:
    users = table(UserAccount)
    with transaction() as connection:
        connection.execute(sa.update(users).values(password_hash=hash_password(access.PASSWORD)))
    with TestClient(build_api(FixedClock(at)), base_url=ORIGIN, follow_redirects=False) as client:
        yield client


def headers(company: Company, login: str) -> dict[str, str]:
    session = sessions.log_in(
        login=login, password=access.PASSWORD, at=company.at, user_agent="", address="10.0.0.1"
    )
    return {"origin": ORIGIN, "accept-language": "en", "cookie": f"tc_session={session.token}"}


def position(company: Company, **wish: Any) -> dict[str, Any]:
    taken_at = instant_text(company.at - timedelta(minutes=1))
    plain = {"device": "phone", "lat": 31.24, "lon": 121.49, "accuracy_m": 8.5, "taken_at": taken_at}
    return {**plain, **wish}


def consent(company: Company, login: str) -> None:
    positions.set_consent(
        actor=company.actor(login),
        at=company.at - timedelta(hours=1),
        command_id=company.command_id(),
        is_given=True,
    )


def fixes() -> int:
    with reading() as connection:
        return int(
            connection.execute(sa.select(sa.func.count()).select_from(table(PositionFix))).scalar_one()
        )


def test_the_map_is_read_by_box(client: TestClient, company: Company) -> None:
    opened = company.open()
    who = headers(company, "dispatcher")

    here = client.get("/api/v1/map?bbox=121,31,122,32", headers=who).json()
    elsewhere = client.get("/api/v1/map?bbox=0,0,1,1", headers=who).json()

    assert [feature["id"] for feature in here["tickets"]["features"]] == [opened.ticket_id]
    assert elsewhere["tickets"]["features"] == []
    assert client.get("/api/v1/map?bbox=nan,0,1,1", headers=who).status_code == 422
    assert client.get("/api/v1/map", headers=headers(company, "tech_near")).status_code == 403
    assert client.get("/api/v1/map").status_code == 401


def test_a_device_tells_its_position_and_its_owner_reads_the_track(
    client: TestClient, company: Company
) -> None:  # MOB-10
    consent(company, "tech_near")
    who = headers(company, "tech_near")
    for minutes in (3, 2, 1):
        taken_at = instant_text(company.at - timedelta(minutes=minutes))
        body = position(company, taken_at=taken_at, lat=31.24 + minutes / 100)
        assert client.post("/api/v1/positions", json=body, headers=who).json()["is_new"] is True
    assert client.post("/api/v1/positions", json=body, headers=who).json()["is_new"] is False

    technician_id = company.technicians["tech_near"]
    answer = client.get(f"/api/v1/technicians/{technician_id}/track", headers=who)

    track = answer.json()
    assert answer.headers["content-type"] == "application/geo+json"
    (line,) = track["features"]
    assert line["geometry"]["coordinates"] == [[121.49, 31.27], [121.49, 31.26], [121.49, 31.25]]
    assert len(line["properties"]["times"]) == 3
    before = client.get(f"/api/v1/technicians/{technician_id}/track?day=2020-01-01", headers=who)
    assert before.json()["features"] == []


def test_tracks_are_not_for_everybody(client: TestClient, company: Company) -> None:  # RPT-06
    address = f"/api/v1/technicians/{company.technicians['tech_near']}/track"

    seen = {
        login: client.get(address, headers=headers(company, login)).status_code
        for login in ("manager", "dispatcher", "dispatcher_cd", "tech_near", "tech_far", "agent", "finance")
    }

    assert seen == {
        "manager": 200,
        "dispatcher": 200,
        "dispatcher_cd": 403,
        "tech_near": 200,
        "tech_far": 403,
        "agent": 403,
        "finance": 403,
    }
    unknown = client.get("/api/v1/technicians/999999/track", headers=headers(company, "manager"))
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("wish", "status"),
    [
        ({"lat": 91}, 422),
        ({"lon": 200.0}, 422),
        ({"accuracy_m": -1}, 422),
        ({"device": ""}, 422),
        ({"taken_at": "yesterday"}, 422),
        ({"taken_at": "2026-11-21T02:00:00"}, 422),
        ({"taken_at": "2099-01-01T00:00:00Z"}, 422),
        ({"technician_id": 1}, 422),
    ],
)
def test_positions_that_cannot_be_are_refused(
    client: TestClient, company: Company, wish: dict[str, Any], status: int
) -> None:
    consent(company, "tech_near")

    answer = client.post(
        "/api/v1/positions", json=position(company, **wish), headers=headers(company, "tech_near")
    )

    assert answer.status_code == status
    assert fixes() == 0


def test_positions_of_nobody_of_others_and_without_consent_are_refused(
    client: TestClient, company: Company
) -> None:
    body = position(company)

    assert client.post("/api/v1/positions", json=body, headers={"origin": ORIGIN}).status_code == 401
    assert client.post("/api/v1/positions", json=body, headers=headers(company, "manager")).status_code == 403
    refused = client.post("/api/v1/positions", json=body, headers=headers(company, "tech_near"))
    foreign = {**headers(company, "tech_near"), "origin": "https://evil.example"}
    assert (refused.status_code, refused.json()["code"]) == (409, "position.no_consent")
    assert client.post("/api/v1/positions", json=body, headers=foreign).status_code == 403
    assert fixes() == 0


def test_sites_are_read_with_their_figures(client: TestClient, company: Company) -> None:  # RPT-05
    company.open()

    found = client.get("/api/v1/sites", headers=headers(company, "manager")).json()

    figures = {site["code"]: (site["open"], site["lat"]) for site in found["sites"]}
    assert figures == {"sh-1": (1, SHANGHAI[0]), "cd-1": (0, 30.66)}


@pytest.mark.parametrize("place", [{"lat": 90.5, "lon": 0.0}, {"lat": 0.0, "lon": 180.5}, {"lat": 31.0}])
def test_a_ticket_outside_the_world_is_refused(
    client: TestClient, company: Company, place: dict[str, float]
) -> None:
    body = {"command_id": "outside-1", "template_code": "repair", "title": "空调", **place}

    answer = client.post("/api/v1/tickets", json=body, headers=headers(company, "manager"))

    assert answer.status_code == 422
    assert client.get("/api/v1/map", headers=headers(company, "manager")).json()["total"] == 0


def test_what_maps_are_drawn_on_is_told_to_those_who_are_logged_in(
    client: TestClient, company: Company
) -> None:
    told = client.get("/api/v1/map/setup", headers=headers(company, "tech_near"))

    assert told.json() == {"style": "", "datum": "wgs84"}
    assert client.get("/api/v1/map/setup").status_code == 401
