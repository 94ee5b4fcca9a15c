"""The dispatcher's map: what stands where for whom, and who is how far from a ticket that wants somebody."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.company import CHENGDU, SHANGHAI, Company, found_company
from tests.fixtures.databases import Database
from ticket_console.desk import assigning, on_map
from ticket_console.desk.on_map import Chosen
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.boxes import WORLD, Box, read_box
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.datums import Datum, shown_at
from ticket_console.kernel.errors import Forbidden, InvalidInput
from ticket_console.people import duty, positions
from ticket_console.people.drawing import draw_territory
from ticket_console.tickets.tables import Ticket
from ticket_console.tickets.writing import StaleTicket, TicketNotFound

AROUND_SHANGHAI = Box(121.0, 31.0, 122.0, 32.0)


@pytest.fixture
def company(database: Database, at: datetime) -> Company:
    return found_company(at)


def window(
    company: Company, login: str = "dispatcher", box: Box = WORLD, datum: Datum = Datum.WGS84
) -> dict[str, Any]:
    with reading() as connection:
        return on_map.window(connection, company.actor(login), box, at=company.at, datum=datum)


def chosen(company: Company, ticket_id: int, login: str = "dispatcher") -> Chosen:
    with reading() as connection:
        return on_map.choose(connection, company.actor(login), ticket_id, at=company.at)


def numbers(found: dict[str, Any], layer: str) -> set[int]:
    return {feature["id"] for feature in found[layer]["features"]}


def share(company: Company, login: str, place: tuple[float, float]) -> None:
    who = company.actor(login)
    early = company.at - timedelta(minutes=5)
    positions.set_consent(actor=who, at=early, command_id=company.command_id(), is_given=True)
    positions.report_position(
        actor=who, at=company.at, device="phone", lat=place[0], lon=place[1], accuracy_m=9, taken_at=early
    )


def test_a_window_holds_what_stands_in_it_and_nothing_else(company: Company) -> None:  # DSP-09
    near = company.open()
    company.open(lat=CHENGDU[0], lon=CHENGDU[1])

    found = window(company, box=AROUND_SHANGHAI)

    assert numbers(found, "tickets") == {near.ticket_id}
    assert numbers(found, "people") == {company.technicians["tech_near"], company.technicians["tech_far"]}
    assert numbers(found, "sites") == {company.sites["sh"]}
    assert found["total"] == 1
    (ticket,) = found["tickets"]["features"]
    assert ticket["geometry"] == {"type": "Point", "coordinates": [SHANGHAI[1], SHANGHAI[0]]}
    assert ticket["properties"]["no"] == near.no
    assert ticket["properties"]["priority"] == 4


def test_everybody_sees_their_own_regions(company: Company) -> None:
    company.open()
    there = company.open(lat=CHENGDU[0], lon=CHENGDU[1])

    found = window(company, "dispatcher_cd")

    assert numbers(found, "tickets") == {there.ticket_id}
    assert numbers(found, "people") == {company.technicians["tech_cd"]}
    assert numbers(found, "sites") == {company.sites["cd"]}
    with pytest.raises(Forbidden):
        window(company, "tech_near")


def test_a_window_shows_the_most_pressing_and_counts_all(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_map, "MOST_TICKETS", 2)
    company.open()
    pressing = company.open(urgency=3, impact=3)
    company.open()

    found = window(company)

    assert found["total"] == 3
    assert len(found["tickets"]["features"]) == 2
    # DSP-18: an emergency is on the map before everything else.
    assert found["tickets"]["features"][0]["id"] == pressing.ticket_id
    assert found["tickets"]["features"][0]["properties"]["priority"] == 1


def test_outlines_of_territories_are_closed_rings(company: Company) -> None:
    corners = [[121.0, 31.0], [122.0, 31.0], [122.0, 32.0], [121.0, 32.0]]
    with transaction() as connection:
        drawn = draw_territory(
            connection,
            actor=company.system,
            at=company.at,
            command_id="draw",
            code="W",
            name={"zh": "西", "en": "West"},
            region_id=company.regions["sh"],
            outline=corners,
        )

    (territory,) = window(company)["territories"]["features"]

    assert territory["id"] == drawn
    assert territory["geometry"]["coordinates"] == [[*corners, corners[0]]]
    assert window(company, "dispatcher_cd")["territories"]["features"] == []


def test_somebody_on_duty_who_consents_is_where_they_are_and_others_at_their_base(company: Company) -> None:
    share(company, "tech_far", (31.231, 121.471))
    share(company, "tech_near", (31.5, 121.5))
    duty.set_on_duty(
        actor=company.actor("tech_near"),
        at=company.at,
        command_id="off",
        technician_id=company.technicians["tech_near"],
        is_on_duty=False,
    )

    people = {each["id"]: each for each in window(company)["people"]["features"]}

    far, near = people[company.technicians["tech_far"]], people[company.technicians["tech_near"]]
    assert far["geometry"]["coordinates"] == [121.471, 31.231]
    assert (far["properties"]["live"], far["properties"]["accuracy_m"]) == (True, 9)
    assert near["geometry"]["coordinates"] == [121.47, 31.24]
    assert (near["properties"]["live"], near["properties"]["is_on_duty"]) == (False, False)


def test_positions_are_for_those_who_dispatch(company: Company) -> None:  # RPT-06
    share(company, "tech_far", (31.231, 121.471))

    for login in ("agent", "auditor"):
        people = {each["id"]: each for each in window(company, login)["people"]["features"]}
        assert people[company.technicians["tech_far"]]["properties"]["live"] is False
        assert people[company.technicians["tech_far"]]["geometry"]["coordinates"] == [121.47, 31.43]


def test_candidates_are_ranked_with_their_ways(company: Company) -> None:  # DSP-01
    opened = company.open()

    found = chosen(company, opened.ticket_id)

    near, far = company.technicians["tech_near"], company.technicians["tech_far"]
    eligible = [placed for placed in found.offers if placed.offer.is_eligible]
    assert [placed.offer.technician_id for placed in eligible] == [near, far]
    assert [placed.way_km for placed in eligible] == [1.11, 22.24]
    # By road a third more than the straight line, at 30 km/h.
    assert [placed.eta_minutes for placed in eligible] == [3, 58]
    kept_out = [placed for placed in found.offers if not placed.offer.is_eligible]
    assert [placed.offer.technician_id for placed in kept_out] == [company.technicians["tech_cd"]]
    assert kept_out[0].offer.failures[0].key == "dispatch.failed.region"


def test_the_way_begins_where_somebody_is(company: Company) -> None:
    opened = company.open()
    share(company, "tech_far", SHANGHAI)

    found = chosen(company, opened.ticket_id)

    placed = next(each for each in found.offers if each.offer.name == "tech_far")
    assert (placed.is_live, placed.way_km, placed.eta_minutes) == (True, 0.0, 1)


def test_the_nearest_sites_are_named_with_their_way(company: Company) -> None:  # DSP-08
    opened = company.open(lat=SHANGHAI[0] + 0.1, lon=SHANGHAI[1])

    found = chosen(company, opened.ticket_id)

    assert [outlet.site_id for outlet in found.outlets] == [company.sites["sh"], company.sites["cd"]]
    assert found.outlets[0].way_km == 11.12
    assert (found.lat, found.lon) == (SHANGHAI[0] + 0.1, SHANGHAI[1])


def test_who_may_not_dispatch_sees_the_ticket_and_why_nobody_is_offered(company: Company) -> None:
    opened = company.open()

    found = chosen(company, opened.ticket_id, "agent")

    assert (found.offers, found.why_not) == ((), "access.forbidden")
    with pytest.raises(TicketNotFound):
        chosen(company, opened.ticket_id, "dispatcher_cd")


def test_of_two_who_give_a_ticket_away_the_second_learns_of_the_first(company: Company) -> None:
    opened = company.open()
    seen = chosen(company, opened.ticket_id)
    far, near = company.technicians["tech_far"], company.technicians["tech_near"]

    def give(login: str, technician_id: int) -> None:
        assigning.assign(
            actor=company.actor(login),
            at=company.at,
            command_id=company.command_id(),
            ticket_id=opened.ticket_id,
            expected_version=seen.version,
            technician_id=technician_id,
        )

    give("manager", far)
    with pytest.raises(StaleTicket) as refused:
        give("dispatcher", near)

    assert refused.value.params["who"] == company.actor("manager").display
    assert chosen(company, opened.ticket_id).assignee_id == far


def test_what_changed_is_told_and_what_is_over_is_gone(company: Company) -> None:
    opened, other = company.open(), company.open(lat=CHENGDU[0], lon=CHENGDU[1])
    both = [opened.ticket_id, other.ticket_id]

    def told(viewer: Actor) -> tuple[list[int], list[int]]:
        with reading() as connection:
            features, gone = on_map.changed_tickets(connection, viewer, both)
        return [feature["id"] for feature in features], gone

    assert told(company.actor("dispatcher")) == (both, [])
    assert told(company.actor("dispatcher_cd")) == ([other.ticket_id], [opened.ticket_id])
    tickets = table(Ticket)
    with transaction() as connection:
        connection.execute(
            sa.update(tickets).where(tickets.c.id == opened.ticket_id).values(closed_at=company.at)
        )
    assert told(company.actor("dispatcher")) == ([other.ticket_id], [opened.ticket_id])


def test_a_map_in_gcj02_gets_everything_moved_and_its_windows_understood(company: Company) -> None:
    opened = company.open()
    lat, lon = shown_at(Datum.GCJ02, *SHANGHAI)
    # So narrow a window around the mark holds the ticket only if both ways were converted.
    box = Box(lon - 0.0005, lat - 0.0005, lon + 0.0005, lat + 0.0005)

    found = window(company, box=box, datum=Datum.GCJ02)

    (ticket,) = found["tickets"]["features"]
    assert ticket["id"] == opened.ticket_id
    assert ticket["geometry"]["coordinates"] == [round(lon, 6), round(lat, 6)]


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "a,b,c,d", "nan,0,1,1", "0,0,inf,1", "10,0,5,1", "0,10,1,5", "-181,0,0,1", "0,0,1,91"],
)
def test_what_is_no_box_of_the_world_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_box(text)

    assert [problem.code for problem in refused.value.problems] == ["map.bad_box"]
