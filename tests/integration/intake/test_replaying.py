"""A file of real requests through the real door, whatever is wrong with some of its lines."""

from datetime import datetime
from pathlib import Path

import httpx
import pytest

from tests.builders.intake import Company, raw_states, ticket_count
from ticket_console.access import throttle
from ticket_console.access.tokens import create_token
from ticket_console.api.app import build_api
from ticket_console.intake.states import RawState
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.clock import FixedClock
from tools.replay import Outcome, counts, read_lines, replay, report

REAL = Path(__file__).parents[4] / "shared/data/boston311/requests.csv.gz"
FILE = """case_enquiry_id,open_dt,case_title,reason,type,department,location_street_name,latitude,longitude
1,06/01/2015 12:28:00 AM,Pothole,Highway Maintenance,Pothole,PWDx,1 Elm St,42.31,-71.05
2,13/45/2015 12:28:00 AM,Pothole,Highway Maintenance,Pothole,PWDx,2 Elm St,42.31,-71.05
3,06/01/2015 12:30:00 AM,Pothole,Highway Maintenance,Pothole,PWDx,3 Elm St,,
1,06/01/2015 12:31:00 AM,Pothole again,Highway Maintenance,Pothole,PWDx,1 Elm St,42.31,-71.05
4,06/01/2015 12:32:00 AM,<script>alert(1)</script>,Animal Issues,Dog,ANML,4 Elm St,42.3594,-71.0587
5,06/01/2015 12:33:00 AM,Pothole,Highway Maintenance,Pothole,PWDx,5 Elm St,42.31,-71.05,beyond
"""


@pytest.fixture
async def client(company: Company, at: datetime) -> httpx.AsyncClient:
    throttle.forget()
    made = create_token(
        actor=system_actor(company.org_id), at=at, command_id="t", name="city", permissions=["ticket.open"]
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=build_api(FixedClock(at))),
        base_url="http://console.test",
        headers={"authorization": f"Bearer {made.token}"},
    )


async def test_every_line_of_a_damaged_file_is_accounted_for(
    client: httpx.AsyncClient, tmp_path: Path
) -> None:
    path = tmp_path / "requests.csv"
    path.write_text(FILE, encoding="utf-8")
    lines, before = read_lines(path), await counts(client)

    outcomes = await replay(lines, client=client, file_hash="h" * 64, concurrency=1)
    again = await replay(lines, client=client, file_hash="h" * 64)
    said, agrees = report(lines, outcomes, seconds=1, before=before, after=await counts(client))

    assert outcomes == [
        Outcome(2, "opened", outcomes[0].detail),
        Outcome(3, "rejected", "open_dt: “13/45/2015 12:28:00 AM” is no date and time."),
        Outcome(4, "rejected", outcomes[2].detail),
        Outcome(5, "duplicate", outcomes[0].detail),
        Outcome(6, "opened", outcomes[4].detail),
        Outcome(7, "unsent", "more cells than the header has columns"),
    ]
    assert [part.partition(":")[0] for part in outcomes[2].detail.split("; ")] == ["latitude", "longitude"]
    states = ["repeated", "rejected", "rejected", "repeated", "repeated", "unsent"]
    assert [each.state for each in again] == states
    assert raw_states() == {RawState.TICKET: 2, RawState.REJECTED: 2, RawState.DUPLICATE: 1}
    assert ticket_count() == 2
    assert "Raw log of boston311: 5 messages = 2 tickets + 1 duplicates + 2 rejected" in said
    assert not agrees


@pytest.mark.skipif(not REAL.exists(), reason="the real service requests are not on this machine")
async def test_real_requests_become_tickets(client: httpx.AsyncClient) -> None:
    lines = read_lines(REAL)[:40]
    before = await counts(client)

    outcomes = await replay(lines, client=client, file_hash="real")

    assert {each.state for each in outcomes} == {"opened"}
    assert report(lines, outcomes, seconds=1, before=before, after=await counts(client))[1]
    assert (raw_states(), ticket_count()) == ({RawState.TICKET: 40}, 40)
