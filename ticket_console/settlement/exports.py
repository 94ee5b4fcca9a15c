"""Statements and totals as files: XLSX with typed cells, and CSV that tricks no spreadsheet."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter
from babel.numbers import get_currency_precision

from ticket_console.i18n import translate
from ticket_console.kernel.csv_text import csv_file
from ticket_console.kernel.text import pick
from ticket_console.settlement import wording
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.documents import DocumentLine, StatementDocument
from ticket_console.settlement.reads import TechnicianTotal

Cell = str | int | Decimal | date


class Form(StrEnum):
    """How the cells of a column are kept."""

    TEXT = "text"
    WHOLE = "whole"
    MONEY = "money"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file; its heading is the text of `settlement.export.<key>`."""

    key: str
    form: Form
    width: int


_LINE_COLUMNS: Final = (
    Column("service_on", Form.DATE, 12),
    Column("ticket_no", Form.TEXT, 20),
    Column("segment", Form.TEXT, 10),
    Column("entry", Form.TEXT, 10),
    Column("dimension", Form.TEXT, 14),
    Column("rule", Form.TEXT, 26),
    Column("rule_version", Form.WHOLE, 10),
    Column("item", Form.TEXT, 16),
    Column("formula", Form.TEXT, 44),
    Column("amount", Form.MONEY, 14),
    Column("currency", Form.TEXT, 8),
)
_TICKET_COLUMNS: Final = (
    Column("service_on", Form.DATE, 16),
    Column("ticket_no", Form.TEXT, 24),
    Column("lines", Form.WHOLE, 10),
    Column("subtotal", Form.MONEY, 16),
    Column("currency", Form.TEXT, 8),
)
_TOTAL_COLUMNS: Final = (
    Column("technician_id", Form.TEXT, 14),
    Column("technician", Form.TEXT, 24),
    Column("tickets", Form.WHOLE, 10),
    Column("amount", Form.MONEY, 16),
    Column("currency", Form.TEXT, 8),
)


def statement_xlsx(document: StatementDocument, *, locale: str) -> bytes:
    """A sheet with a subtotal for each ticket and the total, and a sheet with every line."""
    book = Book(document.currency, locale, document.issued_at or document.period.starts_at)
    book.sheet(
        "statement",
        _TICKET_COLUMNS,
        _ticket_rows(document),
        head=_statement_head(document, locale),
        total=major(document.total_minor, document.currency),
    )
    book.sheet("lines", _LINE_COLUMNS, _line_rows(document, locale))
    return book.finish()


def statement_csv(document: StatementDocument, *, locale: str) -> bytes:
    """Every line of the statement; the amounts add up to its total, so no total row is written."""
    return csv_of(_LINE_COLUMNS, _line_rows(document, locale), locale)


def totals_xlsx(
    totals: Sequence[TechnicianTotal], *, period: PeriodView, currency: str, locale: str
) -> bytes:
    """What each technician earned in a period, with the total."""
    book = Book(currency, locale, period.starts_at)
    book.sheet(
        "totals",
        _TOTAL_COLUMNS,
        _total_rows(totals),
        head=[("period", period.code)],
        total=major(sum(row.total_minor for row in totals), currency),
    )
    return book.finish()


def totals_csv(totals: Sequence[TechnicianTotal], *, locale: str) -> bytes:
    return csv_of(_TOTAL_COLUMNS, _total_rows(totals), locale)


def statement_filename(document: StatementDocument, extension: str) -> str:
    """A name any system takes; the payee's own name stays inside the file."""
    number = "draft" if document.number is None else f"{document.number:02d}"
    payee = document.payee
    return f"statement-{document.period.code}-{payee.kind.value}-{payee.id}-{number}.{extension}"


def totals_filename(period: PeriodView, extension: str) -> str:
    return f"settlement-{period.code}.{extension}"


def _statement_head(document: StatementDocument, locale: str) -> list[tuple[str, Cell]]:
    state = translate(f"settlement.statement.{document.state.value}", locale)
    head: list[tuple[str, Cell]] = [
        ("statement_payee", pick(document.payee_name, locale)),
        ("period", document.period.code),
        ("number", "" if document.number is None else str(document.number)),
        ("state", state),
        ("as_of", str(document.as_of_seq)),
    ]
    if document.issued_at is not None:
        head.append(("issued_on", _local_day(document.issued_at, document.period)))
    return head


def _ticket_rows(document: StatementDocument) -> list[list[Cell]]:
    def ticket(line: DocumentLine) -> tuple[int, str]:
        return line.ticket_id, line.ticket_no

    rows: list[list[Cell]] = []
    by_ticket = sorted(document.lines, key=lambda line: (line.service_at, line.ticket_id))
    first_seen = dict.fromkeys(ticket(line) for line in by_ticket)
    grouped = {key: list(lines) for key, lines in groupby(sorted(document.lines, key=ticket), ticket)}
    for key in first_seen:
        lines = grouped[key]
        rows.append(
            [
                _local_day(lines[0].service_at, document.period),
                key[1],
                len(lines),
                major(sum(line.amount_minor for line in lines), document.currency),
                document.currency,
            ]
        )
    return rows


def _line_rows(document: StatementDocument, locale: str) -> list[list[Cell]]:
    return [
        [
            _local_day(line.service_at, document.period),
            line.ticket_no,
            line.segment,
            translate(f"settlement.entry.{line.kind.value}", locale),
            pick(wording.DIMENSIONS[line.dimension], locale),
            pick(line.rule_name, locale),
            line.rule_version,
            line.item,
            line.formula,
            major(line.amount_minor, document.currency),
            document.currency,
        ]
        for line in document.lines
    ]


def _total_rows(totals: Sequence[TechnicianTotal]) -> list[list[Cell]]:
    return [
        [
            str(row.technician_id),
            row.name,
            row.tickets,
            major(row.total_minor, row.currency),
            row.currency,
        ]
        for row in totals
    ]


def major(amount_minor: int, currency: str) -> Decimal:
    """An amount as a person writes it, exactly."""
    return Decimal(amount_minor).scaleb(-get_currency_precision(currency))


def _local_day(at: datetime, period: PeriodView) -> date:
    return at.astimezone(ZoneInfo(period.tz)).date()


def csv_of(columns: Sequence[Column], rows: Sequence[Sequence[Cell]], locale: str) -> bytes:
    return csv_file([translate(f"settlement.export.{column.key}", locale) for column in columns], rows)


class Book:
    """A workbook being written. Text goes in as text, so nothing in it is ever a formula or a link."""

    def __init__(self, currency: str, locale: str, created: datetime) -> None:
        self._written = io.BytesIO()
        self._book = xlsxwriter.Workbook(
            self._written,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_numbers": False,
                "strings_to_urls": False,
            },
        )
        # The time is that of the statement, so that one statement always gives the same file.
        self._book.set_properties({"created": created.replace(tzinfo=None)})
        self._locale = locale
        places = get_currency_precision(currency)
        money = "#,##0" + ("." + "0" * places if places else "")
        self._plain = self._format({})
        self._bold = self._format({"bold": True})
        self._header = self._format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
        self._money_total = self._format({"bold": True, "num_format": money, "top": 1})
        self._formats = {
            Form.TEXT: self._format({"num_format": "@"}),
            Form.WHOLE: self._format({"num_format": "0"}),
            Form.MONEY: self._format({"num_format": money}),
            Form.DATE: self._format({"num_format": "yyyy-mm-dd"}),
        }

    def _format(self, properties: dict[str, Any]) -> Any:
        return self._book.add_format(properties)

    def _text(self, key: str) -> str:
        return translate(f"settlement.export.{key}", self._locale)

    def sheet(
        self,
        key: str,
        columns: Sequence[Column],
        rows: Sequence[Sequence[Cell]],
        *,
        head: Sequence[tuple[str, Cell]] = (),
        total: Decimal | None = None,
    ) -> None:
        """A sheet with a few named values on top, then a table with a frozen header and a filter."""
        sheet = self._book.add_worksheet(self._text(f"sheet_{key}"))
        for row, (name, value) in enumerate(head):
            sheet.write_string(row, 0, self._text(name), self._bold)
            self._write(sheet, row, 1, value, Form.DATE if isinstance(value, date) else Form.TEXT)
        top = len(head) + 1 if head else 0
        for index, column in enumerate(columns):
            sheet.set_column(index, index, column.width)
            sheet.write_string(top, index, self._text(column.key), self._header)
        for offset, cells in enumerate(rows, start=top + 1):
            for index, (column, cell) in enumerate(zip(columns, cells, strict=True)):
                self._write(sheet, offset, index, cell, column.form)
        sheet.freeze_panes(top + 1, 0)
        sheet.autofilter(top, 0, top + max(len(rows), 1), len(columns) - 1)
        if total is not None:
            amount = next(index for index, column in enumerate(columns) if column.form is Form.MONEY)
            below = top + len(rows) + 2
            sheet.write_string(below, 0, self._text("total"), self._bold)
            sheet.write_number(below, amount, float(total), self._money_total)

    def _write(self, sheet: Any, row: int, column: int, cell: Cell, form: Form) -> None:
        style = self._formats[form]
        if isinstance(cell, date):
            sheet.write_datetime(row, column, cell, style)
        elif isinstance(cell, str):
            sheet.write_string(row, column, cell, style)
        else:
            sheet.write_number(row, column, float(cell), style)

    def finish(self) -> bytes:
        self._book.close()
        return self._written.getvalue()
