"""A day's income as files: a workbook with a column for each dimension, and CSV."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from ticket_console.i18n import translate
from ticket_console.kernel.text import pick
from ticket_console.settlement.daily import DayIncome, Earned
from ticket_console.settlement.exports import Book, csv_of
from ticket_console.settlement.kinds import Dimension
from ticket_console.settlement.tabling import Cell, Column, Form, major

_COLUMNS: Final = (
    Column("region_name", Form.TEXT, 16),
    Column("payee_kind", Form.TEXT, 14),
    Column("payee_id", Form.TEXT, 12),
    Column("payee_name", Form.TEXT, 24),
    Column("tickets", Form.WHOLE, 10),
    Column("amount", Form.MONEY, 16),
    *(Column(f"of_{dimension.value}", Form.MONEY, 13) for dimension in Dimension),
    Column("currency", Form.TEXT, 8),
)


def day_xlsx(day: DayIncome, *, locale: str) -> bytes:
    """One row for each payee and region, with the total below and on top what it is a picture of."""
    head = day.head
    book = Book(head.currency, locale, head.until)
    book.sheet(
        "daily",
        _COLUMNS,
        _rows(day, locale),
        head=[
            ("zone", head.zone),
            ("day", head.local_day),
            ("until", _local(head.until, head.zone)),
            ("taken_at", _local(head.taken_at, head.zone)),
            ("as_of", str(head.as_of_seq)),
            ("content_hash", head.content_hash),
        ],
        total=major(day.total_minor, head.currency),
    )
    return book.finish()


def day_csv(day: DayIncome, *, locale: str) -> bytes:
    """The rows alone; the amounts add up to the day's total."""
    return csv_of(_COLUMNS, _rows(day, locale), locale)


def day_filename(day: DayIncome, extension: str) -> str:
    zone = day.head.zone.replace("/", "-").lower()
    return f"income-{day.head.local_day.isoformat()}-{zone}.{extension}"


def _rows(day: DayIncome, locale: str) -> list[list[Cell]]:
    return [_row(each, day.head.currency, locale) for each in day.lines]


def _row(line: Earned, currency: str, locale: str) -> list[Cell]:
    return [
        pick(line.region_name, locale),
        translate(f"daily.kind.{line.payee.kind.value}", locale),
        str(line.payee.id),
        pick(line.payee_name, locale),
        line.tickets,
        major(line.total_minor, currency),
        *(major(line.amounts.get(dimension, 0), currency) for dimension in Dimension),
        currency,
    ]


def _local(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).isoformat(sep=" ", timespec="seconds")
