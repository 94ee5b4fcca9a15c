"""From a point on the map to the region, the territory and the site that are responsible."""

from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders.access import Company, make_company
from tests.builders.people import AT
from ticket_console.access.tables import Site, SiteKind
from ticket_console.kernel.actor import system_actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import InvalidInput
from ticket_console.people.drawing import TerritoryExists, draw_territory
from ticket_console.people.territories import Located, LocatedBy, locate


@pytest.fixture
def company(database: object) -> Company:
    return make_company()


def box(west: float, south: float, east: float, north: float) -> list[list[float]]:
    return [[west, south], [east, south], [east, north], [west, north]]


def draw(company: Company, code: str, outline: list[list[float]] | None, **wish: Any) -> int:
    with transaction() as connection:
        return draw_territory(
            connection,
            **{
                "actor": system_actor(company.org_id),
                "at": AT,
                "command_id": "draw",
                "code": code,
                "name": {"zh": code, "en": code},
                "region_id": company.north,
                "outline": outline,
                **wish,
            },
        )


def build(company: Company, code: str, lat: float, lon: float, **wish: Any) -> int:
    sites = table(Site)
    plain = {
        "org_id": company.org_id,
        "region_id": company.north,
        "territory_id": None,
        "kind": SiteKind.OUTLET,
        "code": code,
        "name": {"zh": code, "en": code},
        "address": "",
        "lat": lat,
        "lon": lon,
        "tz": "Asia/Shanghai",
        "version": 1,
    }
    with transaction() as connection:
        statement = sa.insert(sites).values(**{**plain, **wish}).returning(sites.c.id)
        return int(connection.execute(statement).scalar_one())


def place(company: Company, lat: float, lon: float) -> Located:
    with reading() as connection:
        return locate(connection, company.org_id, lat, lon)


def test_a_place_within_an_outline_belongs_to_it_and_to_its_nearest_site(company: Company) -> None:  # DSP-11
    west, east = draw(company, "W", box(121, 31, 122, 32)), draw(company, "E", box(122, 31, 123, 32))
    build(company, "far", 31.9, 122.9, territory_id=east)
    near = build(company, "near", 31.5, 122.4, territory_id=east)
    build(company, "next-door", 31.5, 121.99, territory_id=west)
    assert place(company, 31.5, 122.1) == Located(company.north, east, LocatedBy.OUTLINE, near, 28.443)
    assert place(company, 31.5, 121.9).territory_id == west


def test_of_two_outlines_the_smaller_one_wins(company: Company) -> None:
    city = draw(company, "CITY", box(121, 31, 122, 32))
    centre = draw(company, "CENTRE", box(121.4, 31.4, 121.6, 31.6), region_id=company.harbour)
    assert place(company, 31.5, 121.5) == Located(company.harbour, centre, LocatedBy.OUTLINE)
    assert place(company, 31.1, 121.1).territory_id == city


def test_outside_every_outline_the_nearest_site_of_ours_decides(company: Company) -> None:  # DSP-08
    south = build(company, "south", 30.0, 121.0, region_id=company.south)
    build(company, "north", 32.0, 121.0)
    build(company, "a customer's", 30.5, 121.0, kind=SiteKind.CUSTOMER_SITE)
    found = place(company, 30.6, 121.0)
    assert found == Located(company.south, None, LocatedBy.NEAREST_SITE, south, 66.717)


def test_a_region_with_one_territory_and_no_outline_is_served_by_it(company: Company) -> None:
    build(company, "north", 31.0, 121.0)
    only = draw(company, "ALL", None)
    assert place(company, 31.0, 121.0).territory_id == only
    draw(company, "ALSO", None)
    assert place(company, 31.0, 121.0).territory_id is None


def test_a_place_far_from_everything_belongs_to_nobody(company: Company) -> None:
    assert place(company, 31.0, 121.0) == Located(None, None, LocatedBy.NOTHING)
    build(company, "north", 31.0, 121.0)
    assert place(company, 31.89, 121.0).region_id == company.north
    assert place(company, 31.91, 121.0) == Located(None, None, LocatedBy.NOTHING)


def test_another_company_has_its_own_map(company: Company) -> None:
    other = make_company("other")
    draw(company, "W", box(121, 31, 122, 32))
    assert place(other, 31.5, 121.5) == Located(None, None, LocatedBy.NOTHING)


@pytest.mark.parametrize(
    "outline",
    [
        [[121, 31], [122, 31]],
        [[121, 31], [122, 31], [123, 31]],
        [[121, 31], [122, 31], [122, 95]],
        [[121, 31, 5], [122, 31, 5], [122, 32, 5]],
    ],
)
def test_an_outline_that_encloses_nothing_is_refused(company: Company, outline: list[list[float]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        draw(company, "BAD", outline)
    assert [each.code for each in refused.value.problems] == ["people.not_an_outline"]


def test_a_code_is_given_once(company: Company) -> None:
    draw(company, "W", None)
    with pytest.raises(TerritoryExists):
        draw(company, "W", None)
