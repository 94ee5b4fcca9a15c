"""Historical quotes brought in from a file: project, kind of service, day, amount, and a reference."""

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.sheets import Sheet, SheetRow, read_sheet
from ticket_console.settlement import quotes
from ticket_console.settlement.books import read_head
from ticket_console.settlement.reconciling.their_file import amount_minor_of

# What the columns may be called.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "project": ("project", "项目", "项目编号"),
    "service_type": ("service type", "service_type", "服务类型"),
    "quoted_on": ("date", "quoted on", "日期", "报价日期"),
    "amount": ("amount", "price", "金额", "报价"),
    "reference": ("reference", "quote no", "报价单号", "编号"),
}
_LENGTHS: Final = {"project": 64, "service_type": 32, "reference": 80}
MOST_PROBLEMS: Final = 50


class BadQuotes(InvalidInput):
    """A file of which some row cannot be read is not brought in at all."""

    code = "quotes.bad_file"


def import_quotes(conn: Connection, *, actor: Actor, at: datetime, content: bytes, command_id: str) -> int:
    """Bring in the quotes of a CSV file or workbook; how many are new.

    A quote whose reference is known stays as it is, so a file may be brought in twice. Raises BrokenFile,
    FileTooLarge and BadQuotes.
    """
    policy.require_everywhere(actor, "settlement.issue")
    currency = read_head(conn, actor.org_id).currency
    found = read_quotes(read_sheet(content), currency=currency)
    new = quotes.add(conn, actor=actor, at=at, quotes=found, command_id=command_id)
    audit.record(
        conn,
        at=at,
        actor=actor,
        action="quotes.imported",
        subject=f"org:{actor.org_id}",
        payload={"rows": len(found), "new": new},
        command_id=command_id,
    )
    return new


def read_quotes(sheet: Sheet, *, currency: str) -> list[dict[str, Any]]:
    """The quotes of a sheet, their amounts in minor units; raises BadQuotes with what is wrong where."""
    places = _places(sheet)
    problems: list[FieldProblem] = []
    found: list[dict[str, Any]] = []
    for row in sheet.rows:
        quote, wrong = _quote(row, places, currency)
        problems += wrong
        found.append(quote)
    seen: dict[str, int] = {}
    for row, quote in zip(sheet.rows, found, strict=True):
        reference = quote.get("reference", "")
        if reference in seen:
            params = {"row": row.number, "text": reference[:40], "other": seen[reference]}
            problems.append(FieldProblem("", "quotes.row.twice", params))
        elif reference:
            seen[reference] = row.number
    if not found:
        problems.append(FieldProblem("", "quotes.no_rows"))
    if problems:
        raise BadQuotes(tuple(problems[:MOST_PROBLEMS]))
    return found


def _places(sheet: Sheet) -> dict[str, int]:
    headers = [_plain(header) for header in sheet.headers]
    places = {
        column: next((headers.index(name) for name in names if name in headers), -1)
        for column, names in COLUMNS.items()
    }
    missing = [column for column, place in places.items() if place < 0]
    if missing:
        raise BadQuotes(
            tuple(FieldProblem("", "quotes.no_column", {"column": COLUMNS[each][0]}) for each in missing)
        )
    return places


def _quote(
    row: SheetRow, places: Mapping[str, int], currency: str
) -> tuple[dict[str, Any], list[FieldProblem]]:
    cells = {
        column: row.cells[place].strip() if place < len(row.cells) else "" for column, place in places.items()
    }
    problems: list[FieldProblem] = []

    def wrong(code: str, text: str) -> None:
        problems.append(FieldProblem("", code, {"row": row.number, "text": text[:40]}))

    for column, most in _LENGTHS.items():
        if not cells[column] or len(cells[column]) > most:
            wrong("quotes.row.text", cells[column])
        elif cells[column][0] in "=+-@":
            wrong("reconcile.row.formula", cells[column])
    amount = 0
    try:
        amount = amount_minor_of(cells["amount"], currency)
    except ValueError as unread:
        wrong(str(unread), cells["amount"])
    else:
        if amount <= 0:
            wrong("quotes.row.not_positive", cells["amount"])
    quoted_on: date | None = None
    try:
        quoted_on = date.fromisoformat(cells["quoted_on"].replace("/", "-")[:10])
    except ValueError:
        wrong("reconcile.row.date", cells["quoted_on"])
    quote = {
        "project": cells["project"],
        "service_type": cells["service_type"],
        "quoted_on": quoted_on,
        "amount_minor": amount,
        "currency": currency,
        "reference": cells["reference"],
    }
    return quote, problems


def _plain(header: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", header).casefold().split())
