"""Reading what somebody else sent: which column means what, and every row as a line of theirs."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel.numbers import get_currency_precision, get_currency_symbol

from ticket_console.forms.kinds.reading import iso_moment
from ticket_console.kernel.errors import FieldProblem, InvalidInput, Param
from ticket_console.kernel.sheets import Sheet, SheetRow
from ticket_console.settlement.reconciling.kinds import Place
from ticket_console.settlement.reconciling.matching import Line, ticket_key

MOST_PROBLEMS: Final = 20
MOST_NO_LENGTH: Final = 80
_MOST_MINOR: Final = 10**15
# What a calculated cell may be off a whole minor unit by, since spreadsheets count in binary fractions.
_BINARY_DUST: Final = Decimal("0.000001")
_AMOUNT: Final = re.compile(r"([-+]?)(\d{1,3}(?:,\d{3})+|\d+)?(\.\d+)?(?:e([-+]?\d{1,2}))?")
_ALSO_WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {"CNY": ("人民币", "RMB", "元")}
_FORMULA: Final = re.compile(r"[=@]|[-+][A-Za-z(]")
_COMPACT_DAY: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SUMS: Final = frozenset({"合计", "总计", "小计", "共计", "total", "subtotal", "grandtotal", "sum"})

_NAMES: Final[Mapping[Place, tuple[str, ...]]] = {
    Place.TICKET_NO: (
        *("工单号", "工单编号", "单号", "订单号", "服务单号", "编号"),
        *("ticket", "ticketno", "ticketnumber", "order", "orderno", "workorder", "no", "number", "ref"),
    ),
    Place.AMOUNT: (
        *("金额", "应付金额", "结算金额", "费用", "合计金额", "总金额", "应收金额", "含税金额"),
        *("amount", "total", "fee", "price", "sum", "due"),
    ),
    Place.SERVICE_ON: (
        *("日期", "服务日期", "完成日期", "完工日期", "完成时间", "服务时间"),
        *("date", "servicedate", "servicedon", "finished", "completed", "day"),
    ),
    Place.CURRENCY: ("币种", "货币", "currency"),
}


class BadColumns(InvalidInput):
    """Columns that are not in the file, a place given twice, or nothing for the ticket or the amount."""

    code = "reconcile.bad_columns"


class BadRows(InvalidInput):
    """Rows that cannot be read; `rows` is how many, the first of them are named."""

    code = "reconcile.bad_rows"


@dataclass(frozen=True, slots=True)
class TheirRow:
    """A row as it would be taken: a line, a sum of other rows that is left out, or what is wrong with it."""

    number: int
    line: Line | None
    problems: tuple[FieldProblem, ...]

    @property
    def is_left_out(self) -> bool:
        return self.line is None and not self.problems


@dataclass(frozen=True, slots=True)
class TheirFile:
    """Every line of a file that can be read as a whole; rows that only add others up are left out."""

    lines: tuple[Line, ...]
    left_out: int

    @property
    def total_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)


def suggest_columns(headers: Sequence[str], remembered: Mapping[str, str]) -> dict[str, str]:
    """Header to place: as it was for the last file where its columns are here, else by their names."""
    kept = {header: place for header, place in remembered.items() if header in headers}
    if {Place.TICKET_NO, Place.AMOUNT} <= set(kept.values()):
        return kept
    guess: dict[str, str] = {}
    for place, names in _NAMES.items():
        by_name = {_plain(header): header for header in reversed(headers) if header and header not in guess}
        found = next((by_name[name] for name in (place.value, *names) if name in by_name), None)
        if found is not None:
            guess[found] = place.value
    return guess


def check_columns(mapping: Mapping[str, str], headers: Sequence[str]) -> None:
    """Raises BadColumns naming everything that is wrong."""
    problems = [
        FieldProblem("", "reconcile.column_unknown", {"column": header[:80]})
        for header in mapping
        if header not in headers
    ]
    places = list(mapping.values())
    problems += [
        FieldProblem("", "reconcile.place_unknown", {"place": place[:40]})
        for place in dict.fromkeys(places)
        if place not in set(Place)
    ]
    problems += [
        FieldProblem("", "reconcile.place_twice", {"place": f"reconcile.place.{place.value}"})
        for place in Place
        if places.count(place) > 1
    ]
    problems += [
        FieldProblem("", "reconcile.place_missing", {"place": f"reconcile.place.{place.value}"})
        for place in (Place.TICKET_NO, Place.AMOUNT)
        if place not in places
    ]
    if problems:
        raise BadColumns(tuple(problems))


def read_file(sheet: Sheet, mapping: Mapping[str, str], *, currency: str) -> TheirFile:
    """Every row of a file; raises BadColumns, or BadRows where any row cannot be taken."""
    rows = read_rows(sheet, mapping, currency=currency)
    wrong = [row for row in rows if row.problems]
    if wrong:
        problems = tuple(problem for row in wrong for problem in row.problems)
        raise BadRows(problems[:MOST_PROBLEMS], rows=len(wrong))
    lines = tuple(row.line for row in rows if row.line is not None)
    if not lines:
        raise BadRows((FieldProblem("", "reconcile.no_lines"),), rows=len(rows))
    return TheirFile(lines, sum(row.is_left_out for row in rows))


def read_rows(
    sheet: Sheet, mapping: Mapping[str, str], *, currency: str, first: int | None = None
) -> tuple[TheirRow, ...]:
    """The rows, or the first of them, one by one; raises BadColumns."""
    check_columns(mapping, sheet.headers)
    columns = {Place(place): sheet.headers.index(header) for header, place in mapping.items()}
    return tuple(_row(row, columns, currency) for row in sheet.rows[:first])


def amount_minor_of(text: str, currency: str) -> int:
    """An amount as people and spreadsheets write it, in minor units; ValueError with the code of a text."""
    plain = unicodedata.normalize("NFKC", text).strip()
    plain = plain.removeprefix("'")
    if _FORMULA.match(plain):
        raise ValueError("reconcile.row.formula")
    plain = _money_signs(currency).sub("", plain)
    if not plain:
        raise ValueError("reconcile.row.no_amount")
    in_brackets = plain.startswith("(") and plain.endswith(")")
    if in_brackets:
        plain = f"-{plain[1:-1]}"
    found = _AMOUNT.fullmatch(plain)
    if found is None or not (found[2] or found[3]):
        raise ValueError("reconcile.row.amount")
    exact = Decimal(plain.replace(",", "")).scaleb(get_currency_precision(currency))
    if abs(exact) >= _MOST_MINOR:
        raise ValueError("reconcile.row.amount_too_large")
    minor = int(exact.to_integral_value())
    if abs(exact - minor) > _BINARY_DUST:
        raise ValueError("reconcile.row.fraction")
    return minor


def _row(row: SheetRow, columns: Mapping[Place, int], currency: str) -> TheirRow:
    cells = {place: _cell(row, index) for place, index in columns.items()}
    ticket_no = cells[Place.TICKET_NO]
    names_a_sum = {_plain(cell) for cell in row.cells} & _SUMS
    if names_a_sum and (not ticket_key(ticket_no) or _plain(ticket_no) in _SUMS):
        return TheirRow(row.number, None, ())
    problems: list[FieldProblem] = []

    def wrong(code: str, **params: Param) -> None:
        problems.append(FieldProblem("", code, {"row": row.number, **params}))

    if not ticket_key(ticket_no):
        wrong("reconcile.row.no_ticket")
    elif _FORMULA.match(ticket_no):
        wrong("reconcile.row.formula", text=ticket_no[:40])
    elif len(ticket_no) > MOST_NO_LENGTH:
        wrong("reconcile.row.ticket_too_long", most=MOST_NO_LENGTH)
    amount = 0
    try:
        amount = amount_minor_of(cells[Place.AMOUNT], currency)
    except ValueError as unread:
        wrong(str(unread), text=cells[Place.AMOUNT][:40])
    on: date | None = None
    if cells.get(Place.SERVICE_ON):
        on = _day(cells[Place.SERVICE_ON])
        if on is None:
            wrong("reconcile.row.date", text=cells[Place.SERVICE_ON][:40])
    said = cells.get(Place.CURRENCY, "")
    if said and _currency(said) != currency:
        wrong("reconcile.row.currency", text=said[:10], currency=currency)
    if problems:
        return TheirRow(row.number, None, tuple(problems))
    return TheirRow(row.number, Line(row.number, ticket_no, amount, currency, on), ())


def _cell(row: SheetRow, index: int) -> str:
    return row.cells[index].strip() if index < len(row.cells) else ""


def _day(text: str) -> date | None:
    plain = unicodedata.normalize("NFKC", text).strip()
    compact = _COMPACT_DAY.fullmatch(plain)
    try:
        if compact is not None:
            return date(*(int(part) for part in compact.groups()))
        return datetime.fromisoformat(iso_moment(plain)).date()
    except ValueError:
        return None


def _currency(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).strip().upper()
    return next((code for code, names in _ALSO_WRITTEN.items() if plain in names), plain)


@lru_cache
def _money_signs(currency: str) -> re.Pattern[str]:
    """Space, and how this one currency is written; the sign of any other makes an amount unreadable."""
    symbols = {get_currency_symbol(currency, locale=locale) for locale in ("zh_CN", "en_US")}
    written = {unicodedata.normalize("NFKC", each) for each in symbols}
    names = sorted({currency, *written, *_ALSO_WRITTEN.get(currency, ())}, key=len, reverse=True)
    return re.compile("|".join([r"\s", *map(re.escape, names)]), re.IGNORECASE)


def _plain(name: str) -> str:
    """A header without width, case, what stands in brackets, and what people put around its words."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"\([^)]*\)|[\s_*.:\-/#]+", "", plain)
