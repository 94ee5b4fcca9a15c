"""Files for spreadsheets that run nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ticket_console.kernel.csv_text import Cell, csv_cell, csv_file


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_text_that_a_spreadsheet_would_run_is_quoted(start: str) -> None:
    assert csv_cell(f"{start}SUM(A1:A9)") == f"'{start}SUM(A1:A9)"


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        (None, ""),
        ("漏水 = 2", "漏水 = 2"),
        (-5, "-5"),
        (Decimal("-1E+3"), "-1000"),
        (True, "True"),
        (date(2026, 11, 22), "2026-11-22"),
        (datetime(2026, 11, 22, 8, 30, tzinfo=UTC), "2026-11-22 08:30+00:00"),
    ],
)
def test_everything_else_is_written_as_it_is(cell: Cell, written: str) -> None:
    assert csv_cell(cell) == written


def test_a_file_begins_with_the_mark_that_tells_its_encoding() -> None:
    assert csv_file(["编号", "=x"], [["a,b", 1]]) == '\ufeff编号,\'=x\r\n"a,b",1\r\n'.encode()
