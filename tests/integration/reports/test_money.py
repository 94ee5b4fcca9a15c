"""Figures about money: whatever is asked, tile, table, trend, lines and ledger agree to the minor unit."""

import csv
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.earnings import Earnings, earn
from tests.fixtures.databases import Database
from ticket_console.kernel.actor import Role, Scope
from ticket_console.kernel.database import reading
from ticket_console.kernel.errors import Forbidden
from ticket_console.reports import money
from ticket_console.reports.money import (
    AMOUNTS,
    EVERYTHING,
    Between,
    By,
    Figures,
    Measure,
    MoneySlice,
    Step,
)
from ticket_console.reports.money_files import MoneyTable, csv_of, line_table
from ticket_console.settlement.kinds import Dimension

_DAYS = st.none() | st.dates(date(2026, 9, 28), date(2026, 12, 3))


def slices(found: Earnings, periods: list[int]) -> st.SearchStrategy[MoneySlice]:
    company = found.company
    regions = st.sampled_from([None, 0, company.north, company.south, found.below])
    return st.builds(
        MoneySlice,
        period_id=st.sampled_from([None, *periods]),
        since=_DAYS,
        until=_DAYS,
        line=st.sampled_from([None, "", "delivery", "repair"]),
        region_id=regions,
        is_region_alone=st.booleans(),
        dimension=st.none() | st.sampled_from([each.value for each in Dimension]),
        team_id=st.sampled_from([None, 0, found.team]),
        technician_id=st.sampled_from([None, company.anna, company.bo]),
        vendor_id=st.sampled_from([None, 0, found.vendor]),
        between=st.none()
        | st.builds(
            Between,
            st.sampled_from(AMOUNTS),
            st.none() | st.integers(-30_000, 40_000),
            st.none() | st.integers(-30_000, 40_000),
        ),
    )


def by_hand(found: Earnings, slice: MoneySlice) -> Figures:
    """The same figures, from every posting of the books read one by one and chosen in Python."""
    company = found.company
    rows = _postings()
    regions: set[int | None] = {slice.region_id or None}
    if slice.region_id == company.north and not slice.is_region_alone:
        regions.add(found.below)
    chosen = [
        row
        for row in rows
        if slice.period_id in (None, row.period_id)
        and (slice.since is None or row.service_on >= slice.since)
        and (slice.until is None or row.service_on < slice.until)
        and slice.line in (None, row.business_line)
        and (slice.region_id is None or row.region_id in regions)
        and slice.dimension in (None, row.code)
        and slice.technician_id in (None, row.technician_id)
        and (slice.team_id is None or (slice.team_id or None) == row.crew_id)
        and (slice.vendor_id is None or (slice.vendor_id or None) == row.vendor_id)
    ]
    if slice.between is not None:
        chosen = _within(chosen, slice.between)
    return _figures(chosen)


def _within(rows: list[Any], between: Between) -> list[Any]:
    kept = []
    for ticket_id in {row.ticket_id for row in rows}:
        of_ticket = [row for row in rows if row.ticket_id == ticket_id]
        amount = money_of(_figures(of_ticket), between.measure)
        if (between.from_minor is None or amount >= between.from_minor) and (
            between.until_minor is None or amount < between.until_minor
        ):
            kept += of_ticket
    return kept


def _figures(rows: list[Any]) -> Figures:
    return Figures(
        cost_minor=sum(row.amount_minor for row in rows if row.kind in ("cost", "parts")),
        charge_minor=-sum(row.amount_minor for row in rows if row.kind == "revenue"),
        tickets=len({row.ticket_id for row in rows}),
    )


def _postings() -> list[Any]:
    with reading() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT p.amount_minor, p.ticket_id, p.period_id, p.region_id, a.kind, a.code, r.service_on,"
                " t.id AS technician_id, t.crew_id, r.vendor_id, m.business_line FROM posting p"
                " JOIN account a ON a.id = p.account_id JOIN journal j ON j.id = p.journal_id"
                " JOIN rating r ON r.id = j.rating_id"
                " JOIN technician t ON t.id = r.technician_id JOIN ticket k ON k.id = p.ticket_id"
                " JOIN template m ON m.id = k.template_id WHERE a.kind IN ('cost', 'parts', 'revenue')"
            ).columns(service_on=sa.Date)
        )
        return list(rows)


def of_file(table: MoneyTable) -> tuple[int, int]:
    """Cost and charge as whoever opens the file adds them up."""
    rows = csv.DictReader(io.StringIO(csv_of(table, locale="en").decode("utf-8-sig")))
    sums = {"Cost": Decimal(0), "Charge": Decimal(0)}
    for row in rows:
        sums[row["Side"]] += Decimal(row["Amount"])
    return int(sums["Cost"] * 100), int(sums["Charge"] * 100)


def money_of(figures: Figures, measure: Measure) -> int:
    amount = figures.of(measure)
    assert amount is not None
    return amount


def periods_of(connection: sa.Connection) -> list[int]:
    return list(connection.execute(sa.text("SELECT id FROM period ORDER BY starts_at")).scalars())


def test_tile_table_trend_and_lines_are_the_ledger_to_the_cent(database: Database) -> None:
    # RPT-13, STL-26: whatever slice is asked for.
    found = earn()
    viewer = found.company.actor()
    with reading() as connection:
        periods = periods_of(connection)

        @settings(max_examples=12)
        @given(slices(found, periods))
        def agree(slice: MoneySlice) -> None:
            tile = money.figures(connection, viewer=viewer, slice=slice)
            assert tile == by_hand(found, slice)
            for by in By:
                groups = money.grouped(connection, viewer=viewer, slice=slice, by=by)
                for measure in AMOUNTS:
                    assert sum(money_of(each.figures, measure) for each in groups) == money_of(tile, measure)
                for each in groups:
                    assert money.figures(connection, viewer=viewer, slice=each.slice) == each.figures
            for step in Step:
                points = money.trend(connection, viewer=viewer, slice=slice, step=step)
                assert sum(each.figures.margin_minor for each in points) == tile.margin_minor
            page = money.all_lines(connection, viewer=viewer, slice=slice)
            assert page.figures == tile
            assert len(page.lines) == page.count
            assert sum(each.amount_minor for each in page.lines if not each.is_charge) == tile.cost_minor
            assert sum(each.amount_minor for each in page.lines if each.is_charge) == tile.charge_minor
            assert of_file(line_table(page, currency="CNY", locale="en")) == (
                tile.cost_minor,
                tile.charge_minor,
            )

        agree()


def test_every_step_of_a_trend_and_every_bar_of_a_distribution_leads_to_what_it_counts(
    database: Database,
) -> None:
    found = earn()
    viewer = found.company.actor()
    with reading() as connection:
        whole = money.figures(connection, viewer=viewer, slice=EVERYTHING)
        for step in Step:
            points = money.trend(connection, viewer=viewer, slice=EVERYTHING, step=step)
            assert [money.figures(connection, viewer=viewer, slice=each.slice) for each in points] == [
                each.figures for each in points
            ]
        for measure in AMOUNTS:
            spread = money.distribution(connection, viewer=viewer, slice=EVERYTHING, measure=measure)
            assert sum(each.tickets for each in spread.bins) == whole.tickets
            assert [
                money.figures(connection, viewer=viewer, slice=each.slice).tickets for each in spread.bins
            ] == [each.tickets for each in spread.bins]


def test_weeks_begin_on_monday_and_months_on_their_first_day(database: Database) -> None:
    found = earn(tickets=3)
    viewer = found.company.actor()
    with reading() as connection:
        weeks = money.trend(connection, viewer=viewer, slice=EVERYTHING, step=Step.WEEK)
        months = money.trend(connection, viewer=viewer, slice=EVERYTHING, step=Step.MONTH)

    # Work of 5, 9 and 13 October.
    assert [each.on for each in weeks] == [date(2026, 10, 5), date(2026, 10, 12)]
    assert [each.figures.tickets for each in weeks] == [2, 1]
    assert [each.on for each in months] == [date(2026, 10, 1)]


def test_whoever_reads_one_region_gets_the_figures_of_that_region(database: Database) -> None:
    # PRM-04: the scope of the viewer is part of every question.
    found = earn()
    company = found.company
    everything, south_only = company.actor(), company.actor(Role.FINANCE, region_ids=[company.south])
    south_only = replace(
        south_only, grants=tuple(replace(each, scope=Scope.REGION) for each in south_only.grants)
    )
    with reading() as connection:
        south = MoneySlice(region_id=company.south)
        expected = money.figures(connection, viewer=everything, slice=south)
        seen = money.figures(connection, viewer=south_only, slice=EVERYTHING)
        groups = money.grouped(connection, viewer=south_only, slice=EVERYTHING, by=By.REGION)
        north = money.lines(connection, viewer=south_only, slice=MoneySlice(region_id=company.north))

    assert seen == expected != Figures()
    assert [each.key for each in groups] == [str(company.south)]
    assert (north.count, north.lines, north.figures) == (0, (), Figures())


@pytest.mark.parametrize("role", [Role.DISPATCHER, Role.AGENT, Role.TECHNICIAN, Role.ACCOUNT_MANAGER])
def test_whoever_may_not_read_settlement_gets_no_figure_at_all(sqlite_database: Database, role: Role) -> None:
    found = earn(tickets=1)
    viewer = found.company.actor(role)
    with reading() as connection:
        for ask in (money.figures, money.lines, money.all_lines):
            with pytest.raises(Forbidden):
                ask(connection, viewer=viewer, slice=EVERYTHING)
        with pytest.raises(Forbidden):
            money.grouped(connection, viewer=viewer, slice=EVERYTHING, by=By.LINE)
        with pytest.raises(Forbidden):
            money.distribution(connection, viewer=viewer, slice=EVERYTHING, measure=Measure.COST)


def test_another_organisations_money_is_not_there(sqlite_database: Database) -> None:
    found = earn(tickets=2)
    stranger = replace(found.company.actor(), org_id=found.company.org_id + 1)
    with reading() as connection:
        seen = money.figures(connection, viewer=stranger, slice=EVERYTHING)

    assert seen == Figures()


def test_an_average_is_rounded_once_and_there_is_none_without_tickets() -> None:
    # STL-28
    found = Figures(cost_minor=100, charge_minor=205, tickets=2)

    assert found.of(Measure.AVERAGE_COST) == 50
    assert found.of(Measure.AVERAGE_CHARGE) == 103
    assert found.of(Measure.AVERAGE_MARGIN) == 53
    assert Figures().of(Measure.AVERAGE_MARGIN) is None


def test_bars_are_as_wide_as_people_count() -> None:
    assert [money.bin_width(spread) for spread in (0, 16, 17, 100, 1_000, 12_345, 100_000)] == [
        1,
        1,
        2,
        10,
        100,
        1_000,
        10_000,
    ]
