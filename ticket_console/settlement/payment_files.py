"""What is to be paid, as a file for whoever carries the payments out: XLSX with typed cells, and CSV."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ticket_console.i18n import translate
from ticket_console.kernel.text import pick
from ticket_console.settlement.exports import Book, csv_of
from ticket_console.settlement.paying import Payable
from ticket_console.settlement.tabling import Cell, Column, Form, major

_COLUMNS: Final = (
    Column("payee_kind", Form.TEXT, 14),
    Column("payee_id", Form.TEXT, 12),
    Column("payee", Form.TEXT, 28),
    Column("period", Form.TEXT, 10),
    Column("number", Form.TEXT, 10),
    Column("amount", Form.MONEY, 16),
    Column("currency", Form.TEXT, 8),
    Column("statement", Form.TEXT, 14),
)


def payments_xlsx(payables: Sequence[Payable], *, at: datetime, currency: str, locale: str) -> bytes:
    """One row a statement, and their total, as of a moment."""
    total = sum(each.total_minor for each in payables)
    book = Book(currency, locale, at)
    book.sheet("payments", _COLUMNS, _rows(payables, locale), total=major(total, currency))
    return book.finish()


def payments_csv(payables: Sequence[Payable], *, locale: str) -> bytes:
    """One row a statement; without a total, so that a bank's import takes nothing twice."""
    return csv_of(_COLUMNS, _rows(payables, locale), locale)


def payments_filename(extension: str) -> str:
    return f"payments.{extension}"


def _rows(payables: Sequence[Payable], locale: str) -> list[list[Cell]]:
    return [
        [
            translate(f"settle.payees.{each.payee.kind.value}", locale),
            str(each.payee.id),
            pick(each.payee_name, locale),
            each.period_code,
            str(each.number),
            major(each.total_minor, each.currency),
            each.currency,
            str(each.statement_id),
        ]
        for each in payables
    ]
