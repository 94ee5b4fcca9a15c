"""Figures about money as files: exactly the rows of the screen, as XLSX with typed cells and as CSV."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import xlsxwriter
from babel.numbers import get_currency_precision

from ticket_console.i18n import translate
from ticket_console.kernel.csv_text import csv_file
from ticket_console.kernel.text import pick
from ticket_console.reports.money import By, Figures, Group, LinePage, Measure, MoneyLine

Cell = str | int | Decimal | date | None


class Form(StrEnum):
    TEXT = "text"
    WHOLE = "whole"
    MONEY = "money"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; its heading is the text of `reports.column.<key>`, or of `heading` where that is given."""

    key: str
    form: Form
    width: int
    heading: str = ""


@dataclass(frozen=True, slots=True)
class MoneyTable:
    """A table ready to be written; `total` has as many cells as a row, and is no row of a CSV file."""

    sheet: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...]
    currency: str


_MEASURES: Final = (
    Measure.COST,
    Measure.CHARGE,
    Measure.MARGIN,
    Measure.COUNT,
    Measure.AVERAGE_COST,
    Measure.AVERAGE_CHARGE,
    Measure.AVERAGE_MARGIN,
)
_LINE_COLUMNS: Final = (
    Column("service_on", Form.DAY, 12),
    Column("ticket_no", Form.TEXT, 20),
    Column("journal", Form.TEXT, 10),
    Column("entry", Form.TEXT, 12),
    Column("period", Form.TEXT, 10),
    Column("region", Form.TEXT, 16),
    Column("technician", Form.TEXT, 18),
    Column("dimension", Form.TEXT, 16),
    Column("rule", Form.TEXT, 28),
    Column("side", Form.TEXT, 10),
    Column("amount", Form.MONEY, 14),
    Column("currency", Form.TEXT, 8),
)


def group_table(groups: Sequence[Group], total: Figures, *, by: By, currency: str, locale: str) -> MoneyTable:
    """What each part of a slice comes to, in all measures."""
    columns = [Column("group", Form.TEXT, 28, f"reports.by.{by.value}")]
    for measure in _MEASURES:
        form = Form.WHOLE if measure is Measure.COUNT else Form.MONEY
        columns.append(Column(measure.value, form, 16, f"reports.measure.{measure.value}"))
    return MoneyTable(
        sheet=translate("reports.title", locale),
        columns=tuple(columns),
        rows=tuple((pick(each.name, locale), *_measured(each.figures, currency)) for each in groups),
        total=(translate("reports.total", locale), *_measured(total, currency)),
        currency=currency,
    )


def line_table(page: LinePage, *, currency: str, locale: str) -> MoneyTable:
    """Every entry of a slice. Costs and charges stand in one column, so a file of both has no total of it."""
    sides = {line.is_charge for line in page.lines}
    whole = page.figures.charge_minor if sides == {True} else page.figures.cost_minor
    total: list[Cell] = [None] * len(_LINE_COLUMNS)
    if len(sides) == 1:
        total[0] = translate("reports.total", locale)
        total[-2] = major(whole, currency)
    return MoneyTable(
        sheet=translate("reports.lines.title", locale),
        columns=_LINE_COLUMNS,
        rows=tuple(_line(each, currency, locale) for each in page.lines),
        total=tuple(total),
        currency=currency,
    )


def major(amount_minor: int, currency: str) -> Decimal:
    """An amount as a person writes it, exactly."""
    return Decimal(amount_minor).scaleb(-get_currency_precision(currency))


def csv_of(table: MoneyTable, *, locale: str) -> bytes:
    """The rows alone; their amounts add up, so no total is among them."""
    return csv_file([_heading(each, locale) for each in table.columns], table.rows)


def xlsx_of(table: MoneyTable, *, created: datetime, locale: str) -> bytes:
    """Typed cells under a frozen heading with a filter, and the total. Text is never a formula or a link."""
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
    places = get_currency_precision(table.currency)
    money = "#,##0" + ("." + "0" * places if places else "")
    numbers = {Form.TEXT: "@", Form.WHOLE: "0", Form.MONEY: money, Form.DAY: "yyyy-mm-dd"}
    formats = {form: book.add_format({"num_format": number}) for form, number in numbers.items()}
    bold = {
        form: book.add_format({"num_format": number, "bold": True, "top": 1})
        for form, number in numbers.items()
    }
    heading = book.add_format({"bold": True, "bg_color": "#E8EEF4", "bottom": 1})
    sheet = book.add_worksheet(table.sheet[:31])
    for index, column in enumerate(table.columns):
        sheet.set_column(index, index, column.width)
        sheet.write_string(0, index, _heading(column, locale), heading)
    for number, row in enumerate(table.rows, start=1):
        _write(sheet, number, row, table.columns, formats)
    # A filter reaches over the rows and not over the total below them.
    _write(sheet, len(table.rows) + 2, table.total, table.columns, bold)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(table.rows), 1), len(table.columns) - 1)
    book.close()
    return written.getvalue()


def _write(
    sheet: Any, number: int, row: Sequence[Cell], columns: Sequence[Column], formats: dict[Form, Any]
) -> None:
    for index, (column, cell) in enumerate(zip(columns, row, strict=True)):
        if cell is None:
            continue
        if isinstance(cell, date):
            sheet.write_datetime(number, index, cell, formats[Form.DAY])
        elif isinstance(cell, str):
            sheet.write_string(number, index, cell, formats[Form.TEXT])
        else:
            sheet.write_number(number, index, float(cell), formats[column.form])


def _heading(column: Column, locale: str) -> str:
    return translate(column.heading or f"reports.column.{column.key}", locale)


def _measured(found: Figures, currency: str) -> tuple[Cell, ...]:
    amounts = ((measure, found.of(measure)) for measure in _MEASURES)
    return tuple(
        amount if measure is Measure.COUNT or amount is None else major(amount, currency)
        for measure, amount in amounts
    )


def _line(line: MoneyLine, currency: str, locale: str) -> tuple[Cell, ...]:
    return (
        line.service_on,
        line.ticket_no,
        str(line.journal_seq),
        translate(f"settlement.entry.{line.kind.value}", locale),
        line.period_code,
        "" if line.region is None else pick(line.region, locale),
        line.technician,
        pick(line.dimension, locale),
        "" if line.rule_name is None else pick(line.rule_name, locale),
        translate("reports.measure.charge" if line.is_charge else "reports.measure.cost", locale),
        major(line.amount_minor, currency),
        currency,
    )
