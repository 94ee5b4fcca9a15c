"""A day's income as files: a workbook with a column for each dimension, and CSV."""

from typing import Final
from zoneinfo import ZoneInfo

from ticket_console.i18n import translate
from ticket_console.kernel.text import pick
from ticket_console.settlement.daily import DayHead, Earned, NationalDay
from ticket_console.settlement.exports import Book, csv_of
from ticket_console.settlement.kinds import Dimension
from ticket_console.settlement.tabling import Cell, Column, Form, major

_COLUMNS: Final = (
    Column("zone", Form.TEXT, 20),
    Column("region_name", Form.TEXT, 16),
    Column("payee_kind", Form.TEXT, 14),
    Column("payee_id", Form.TEXT, 12),
    Column("payee_name", Form.TEXT, 24),
    Column("tickets", Form.WHOLE, 10),
    Column("amount", Form.MONEY, 16),
    *(Column(f"of_{dimension.value}", Form.MONEY, 13) for dimension in Dimension),
    Column("currency", Form.TEXT, 8),
)


def day_xlsx(day: NationalDay, *, locale: str) -> bytes:
    """One row for each payee and region, with the total below and on top what it is a picture of."""
    book = Book(day.currency, locale, day.zones[0].head.until)
    book.sheet(
        "daily",
        _COLUMNS,
        _rows(day, locale),
        head=[("day", day.local_day), *(("zone", _pictured(each.head)) for each in day.zones)],
        total=major(day.total_minor, day.currency),
    )
    return book.finish()


def day_csv(day: NationalDay, *, locale: str) -> bytes:
    """The rows alone; the amounts add up to the day's total."""
    return csv_of(_COLUMNS, _rows(day, locale), locale)


def day_filename(day: NationalDay, extension: str) -> str:
    return f"income-{day.local_day.isoformat()}.{extension}"


def _pictured(head: DayHead) -> str:
    """Which state of the books it is: up to when, taken when, at which entry, with which hash."""
    until, taken = (
        at.astimezone(ZoneInfo(head.zone)).isoformat(sep=" ", timespec="seconds")
        for at in (head.until, head.taken_at)
    )
    return f"{head.zone} < {until} · {taken} · #{head.as_of_seq} · {head.content_hash}"


def _rows(day: NationalDay, locale: str) -> list[list[Cell]]:
    return [_row(each.head, line, locale) for each in day.zones for line in each.lines]


def _row(head: DayHead, line: Earned, locale: str) -> list[Cell]:
    return [
        head.zone,
        pick(line.region_name, locale),
        translate(f"daily.kind.{line.payee.kind.value}", locale),
        str(line.payee.id),
        pick(line.payee_name, locale),
        line.tickets,
        major(line.total_minor, head.currency),
        *(major(line.amounts.get(dimension, 0), head.currency) for dimension in Dimension),
        head.currency,
    ]
