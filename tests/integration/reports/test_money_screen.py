"""The reports on money as screen and file: what is read off either is what the books say."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import openpyxl
import pytest

from tests.builders.earnings import earn
from tests.fixtures.databases import Database
from ticket_console.kernel.database import reading
from ticket_console.reports import money
from ticket_console.reports.money import By, Measure
from ticket_console.reports.money_asked import Asked, asked_of, in_time
from ticket_console.reports.money_files import csv_of, group_table, line_table, major, xlsx_of
from ticket_console.settlement import reads as settlement
from ticket_console.state.reports import look, look_at_lines

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)


def asked_at(href: str) -> Asked:
    return asked_of(dict(parse_qsl(urlsplit(href).query)))


def test_every_bar_row_and_tile_leads_to_entries_that_are_its_sum(database: Database) -> None:
    # STL-26: whoever clicks a figure reads the ledger behind it.
    viewer = earn().company.actor()
    view = look(viewer=viewer, at=NOW, asked=Asked(by=By.REGION))

    def behind(href: str) -> dict[str, Any]:
        return dict(look_at_lines(viewer=viewer, at=NOW, asked=asked_at(href))["figures"])

    assert view["groups"]
    for row in view["groups"]:
        assert behind(row["href"]) == {measure.value: row[measure.value] for measure in Measure}
    for bar, row in zip(view["bars"], view["groups"], strict=True):
        assert behind(bar["hrefs"]["value"])["cost"] == bar["value"] == row["cost"]
    for point in view["trend"]:
        found = behind(point["hrefs"]["cost"])
        assert (found["cost"], found["charge"]) == (point["cost"], point["charge"])
    for each in view["bins"]:
        assert behind(each["hrefs"]["tickets"])["count"] == each["tickets"]
    for tile in view["tiles"]:
        assert behind(tile["href"])[tile["measure"]] == tile["value"]


def test_the_sentence_and_its_table_explain_the_whole_difference(database: Database) -> None:
    viewer = earn().company.actor()
    change = look(viewer=viewer, at=NOW, asked=Asked(by=By.DIMENSION))["change"]

    assert (
        sum(row["delta"] for row in change["rows"]) == change["delta"] == change["after"] - change["before"]
    )
    assert change["volume"] + change["rate"] == change["delta"]
    assert change["delta"] != 0
    assert "2026-10" in change["sentence"]["zh"]
    assert "2026-10" in change["sentence"]["en"]
    assert "{" not in change["sentence"]["zh"] + change["sentence"]["en"]


def test_files_are_the_table_to_the_cent(database: Database) -> None:
    viewer = earn().company.actor()
    with reading() as connection:
        periods = settlement.periods(connection, viewer=viewer)
        slice = in_time(Asked(), periods, NOW).slice
        groups = money.grouped(connection, viewer=viewer, slice=slice, by=By.TECHNICIAN)
        whole = money.figures(connection, viewer=viewer, slice=slice)
        page = money.all_lines(connection, viewer=viewer, slice=replace(slice, dimension="travel"))

    table = group_table(groups, whole, by=By.TECHNICIAN, currency="CNY", locale="zh")
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_of(table, created=NOW, locale="zh"))).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][:3] == ("工程师", "成本", "收费")
    assert [row[0] for row in rows[1 : len(groups) + 1]] == [each.name["zh"] for each in groups]
    assert [round(row[1] * 100) for row in rows[1 : len(groups) + 1]] == [
        each.figures.cost_minor for each in groups
    ]
    assert [round(cell * 100) for cell in rows[-1][1:4]] == [
        whole.cost_minor,
        whole.charge_minor,
        whole.margin_minor,
    ]

    lines = line_table(page, currency="CNY", locale="en")
    read = list(csv.reader(io.StringIO(csv_of(lines, locale="en").decode("utf-8-sig"))))
    assert read[0][:2] == ["Work done on", "Ticket"]
    assert len(read) - 1 == page.count > 0
    assert sum(round(float(row[-2]) * 100) for row in read[1:]) == page.figures.cost_minor
    assert major(page.figures.cost_minor, "CNY") == lines.total[-2]


def test_a_name_that_could_run_stays_text(sqlite_database: Database) -> None:
    viewer = earn(tickets=2).company.actor()
    with reading() as connection:
        groups = money.grouped(connection, viewer=viewer, slice=money.EVERYTHING, by=By.TECHNICIAN)
    named = [replace(each, name={"zh": "=1+1", "en": "=1+1"}) for each in groups]
    table = group_table(named, money.NO_FIGURES, by=By.TECHNICIAN, currency="CNY", locale="en")

    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_of(table, created=NOW, locale="en"))).active
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s")
    assert b"'=1+1" in csv_of(table, locale="en")


def test_more_entries_than_a_file_holds_are_refused(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = earn(tickets=2).company.actor()
    monkeypatch.setattr(money, "MOST_LINES", 1)

    with reading() as connection, pytest.raises(money.TooManyLines):
        money.all_lines(connection, viewer=viewer, slice=money.EVERYTHING)


def test_a_month_without_work_has_tiles_of_nothing_and_no_figures(sqlite_database: Database) -> None:
    viewer = earn(tickets=2).company.actor()
    view = look(viewer=viewer, at=NOW, asked=asked_of({"since": "2020-01-01", "until": "2020-02-01"}))

    assert view["is_empty"] is True
    assert [tile["value"] for tile in view["tiles"]] == [0, 0, 0, 0, None, None]
