"""A table of tickets as a file."""

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import xlsxwriter

from ticket_console.i18n import translate
from ticket_console.kernel.csv_text import Cell, csv_file
from ticket_console.reports.ticket_table import TicketTable

_WIDEST: Final = 48
_NARROWEST: Final = 10
# Enough of a table to see how wide its columns are.
_MEASURED: Final = 200
# The most a cell of a workbook holds.
_LONGEST: Final = 32_767


def tickets_csv(table: TicketTable) -> bytes:
    return csv_file(table.columns, table.rows)


def tickets_xlsx(table: TicketTable, *, created: datetime, locale: str) -> bytes:
    """Typed cells under a frozen heading with a filter. Text stays text: nothing in it runs or links."""
    written = io.BytesIO()
    book = xlsxwriter.Workbook(
        written,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    book.set_properties({"created": created.replace(tzinfo=None)})
    formats = _Formats(book)
    sheet = book.add_worksheet(translate("tickets.export.sheet", locale))
    for column, name in enumerate(table.columns):
        sheet.set_column(column, column, _width(table, column))
        sheet.write_string(0, column, name, formats.heading)
    for line, row in enumerate(table.rows, start=1):
        for column, cell in enumerate(row):
            _write(sheet, line, column, cell, formats)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(table.rows), 1), len(table.columns) - 1)
    book.close()
    return written.getvalue()


class _Formats:
    def __init__(self, book: Any) -> None:
        self.heading = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
        self.text = book.add_format({"num_format": "@"})
        self.moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})


def _write(sheet: Any, row: int, column: int, cell: Cell, formats: _Formats) -> None:
    if cell is None or cell == "":
        return
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, datetime):
        sheet.write_datetime(row, column, cell.replace(tzinfo=None), formats.moment)
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, cell, formats.day)
    elif isinstance(cell, int | Decimal):
        sheet.write_number(row, column, float(cell))
    else:
        sheet.write_string(row, column, cell[:_LONGEST], formats.text)


def _width(table: TicketTable, column: int) -> int:
    longest = max((_length(row[column]) for row in table.rows[:_MEASURED]), default=0)
    return max(_NARROWEST, min(_WIDEST, max(longest, _length(table.columns[column])) + 2))


def _length(cell: Cell) -> int:
    """Chinese characters are twice as wide."""
    return sum(1 if ord(char) < 0x2E80 else 2 for char in str("" if cell is None else cell))
