"""Statements and totals as files: typed XLSX, CSV that tricks no spreadsheet, JSON, with signatures."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
import xlsxwriter
from babel.numbers import get_currency_precision

from ticket_console.i18n import translate
from ticket_console.kernel.canonical import canonical_json
from ticket_console.kernel.csv_text import csv_file
from ticket_console.kernel.errors import Conflict
from ticket_console.kernel.text import pick
from ticket_console.settlement import signing
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.documents import StatementDocument
from ticket_console.settlement.kinds import OwnerKind
from ticket_console.settlement.reads import PayeeTotal
from ticket_console.settlement.signing import Signature
from ticket_console.settlement.tabling import (
    CHECK,
    DIMENSION_COLUMNS,
    LINE_COLUMNS,
    TICKET_COLUMNS,
    Cell,
    Column,
    Form,
    dimension_rows,
    headings,
    line_rows,
    major,
    statement_head,
    ticket_rows,
)

# Names of what stands on the sheet of the signature, which the verifier looks for.
SIGNATURE_ROWS: Final = ("signed_content", "signature", "signing_key")

_SIGNATURE_COLUMNS: Final = (Column("name", Form.TEXT, 24), Column("value", Form.TEXT, 100))
_HEADER_COLOUR: Final = "#E8EEF4"
# How many columns the name of a value above the table takes; the value takes the others.
_NAME_COLUMNS: Final = 2


class NotSigned(Conflict):
    """A draft has no signature yet."""

    code = "settlement.not_signed"


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A table under a few named values and an empty row; `total` stands in its last row and is set apart."""

    key: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]
    head: Sequence[tuple[str, Cell]] = ()
    total: Decimal | None = None

    @property
    def top(self) -> int:
        return len(self.head) + 1 if self.head else 0


def statement_xlsx(document: StatementDocument, *, locale: str) -> bytes:
    """Total, subtotals of dimensions and of tickets, every line, and the signature if there is one."""
    columns, rows = LINE_COLUMNS, line_rows(document, locale)
    signature = document.signature
    total = major(document.total_minor, document.currency)
    total_row: list[Cell] = [
        translate("settlement.export.total", locale),
        len(document.lines),
        total,
        document.currency,
    ]
    sheets = [
        _Sheet(
            "statement",
            DIMENSION_COLUMNS,
            [*dimension_rows(document, locale), total_row],
            statement_head(document, locale),
            total,
        ),
        _Sheet("tickets", TICKET_COLUMNS, ticket_rows(document)),
    ]
    if signature is None:
        sheets.append(_Sheet("lines", columns, rows))
        note = translate("settlement.export.unsigned", locale)
    else:
        sheets.append(_Sheet("lines", (*columns, CHECK), _checked(document, rows)))
        sheets.append(_Sheet("signature", _SIGNATURE_COLUMNS, _signature_rows(signature, locale)))
        note = f"{translate('settlement.export.content_hash', locale)} {signature.head['lines_hash']}"
    return _workbook(sheets, currency=document.currency, locale=locale, note=note)


def statement_csv(document: StatementDocument, *, locale: str) -> bytes:
    """Every line of the statement; the amounts add up to its total, so no total row is written."""
    return csv_of(LINE_COLUMNS, line_rows(document, locale), locale)


def statement_json(document: StatementDocument) -> bytes:
    """The statement in full with its signature, in no language; what the verifier asks no questions about."""
    signature = document.signature
    zone = ZoneInfo(document.period.tz)
    content = {
        "format": signing.FORMAT,
        "payee": {
            "kind": document.payee.kind,
            "id": document.payee.id,
            "name": dict(document.payee_name),
        },
        "period": document.period.code,
        "number": document.number,
        "currency": document.currency,
        "total_minor": document.total_minor,
        "lines": [
            {
                "journal_seq": line.journal_seq,
                "entry": line.kind,
                "ticket_no": line.ticket_no,
                "segment": line.segment,
                "service_on": line.service_at.astimezone(zone).date().isoformat(),
                "dimension": line.dimension,
                "rule_code": line.rule_code,
                "rule_name": dict(line.rule_name),
                "rule_version": line.rule_version,
                "item": line.item,
                "formula": line.formula,
                "amount_minor": line.amount_minor,
                "check": line.signed(zone).check,
            }
            for line in document.lines
        ],
        **({"head": None, "signature": None, "public_key": None} if signature is None else _proof(signature)),
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2)


def statement_sig(document: StatementDocument) -> bytes:
    """The signature to lie beside a CSV file; raises NotSigned for a draft."""
    signature = document.signature
    if signature is None:
        raise NotSigned()
    zone = ZoneInfo(document.period.tz)
    checks = [line.signed(zone).check for line in document.lines]
    return orjson.dumps(
        {"format": signing.FORMAT, **_proof(signature), "checks": checks}, option=orjson.OPT_INDENT_2
    )


def totals_xlsx(
    totals: Sequence[PayeeTotal], *, kind: OwnerKind, period: PeriodView, currency: str, locale: str
) -> bytes:
    """What each payee of a kind earned, or is charged, in a period, with the total."""
    book = Book(currency, locale, period.starts_at)
    book.sheet(
        "totals",
        _total_columns(kind),
        _total_rows(totals, locale),
        head=[("period", period.code)],
        total=major(sum(row.total_minor for row in totals), currency),
    )
    return book.finish()


def totals_csv(totals: Sequence[PayeeTotal], *, kind: OwnerKind, locale: str) -> bytes:
    return csv_of(_total_columns(kind), _total_rows(totals, locale), locale)


def statement_stem(document: StatementDocument) -> str:
    """A name any system takes; the payee's own name stays inside the file."""
    number = "draft" if document.number is None else f"{document.number:02d}"
    payee = document.payee
    return f"statement-{document.period.code}-{payee.kind.value}-{payee.id}-{number}"


def statement_filename(document: StatementDocument, extension: str) -> str:
    return f"{statement_stem(document)}.{extension}"


def totals_filename(period: PeriodView, kind: OwnerKind, extension: str) -> str:
    return f"settlement-{period.code}-{kind.value}.{extension}"


def _total_columns(kind: OwnerKind) -> tuple[Column, ...]:
    return (
        Column(f"{kind.value}_id", Form.TEXT, 14),
        Column(kind.value, Form.TEXT, 24),
        Column("tickets", Form.WHOLE, 10),
        Column("amount", Form.MONEY, 16),
        Column("currency", Form.TEXT, 8),
    )


def _total_rows(totals: Sequence[PayeeTotal], locale: str) -> list[list[Cell]]:
    return [
        [
            str(row.payee.id),
            pick(row.name, locale),
            row.tickets,
            major(row.total_minor, row.currency),
            row.currency,
        ]
        for row in totals
    ]


def csv_of(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], locale: str) -> bytes:
    return csv_file(headings(columns, locale), rows)


def _checked(document: StatementDocument, rows: Iterator[list[Cell]]) -> Iterator[list[Cell]]:
    zone = ZoneInfo(document.period.tz)
    for line, cells in zip(document.lines, rows, strict=True):
        cells.append(line.signed(zone).check)
        yield cells


def _proof(signature: Signature) -> dict[str, Any]:
    return {
        "head": dict(signature.head),
        "signature": signature.signature,
        "public_key": signature.public_key,
    }


def _signature_rows(signature: Signature, locale: str) -> list[list[Cell]]:
    values = (canonical_json(signature.head), signature.signature, signature.public_key)
    return [
        [translate(f"settlement.export.{name}", locale), value]
        for name, value in zip(SIGNATURE_ROWS, values, strict=True)
    ]


def _workbook(sheets: Sequence[_Sheet], *, currency: str, locale: str, note: str) -> bytes:
    """Written in Rust, as a statement may have 100,000 lines; text is never taken for a formula."""
    import rustpy_xlsxwriter as rust

    names = [translate(f"settlement.export.sheet_{sheet.key}", locale) for sheet in sheets]
    by_name = dict(zip(names, sheets, strict=True))
    shown = {name: headings(sheet.columns, locale) for name, sheet in by_name.items()}
    page = translate("settlement.export.page", locale, page="&P", pages="&N")
    written = io.BytesIO()
    rust.write_worksheets(
        [(name, _records(shown[name], sheet.rows)) for name, sheet in by_name.items()],
        written,
        header_row={name: sheet.top for name, sheet in by_name.items()},
        header_format=dict.fromkeys(names, _header_format(rust)),
        freeze_panes={name: {"row": sheet.top + 1, "col": 0} for name, sheet in by_name.items()},
        # A filter over the total would sort it away from its place.
        autofilter={name: sheet.total is None for name, sheet in by_name.items()},
        column_widths={
            name: [float(column.width) for column in sheet.columns] for name, sheet in by_name.items()
        },
        column_formats={
            name: [_cell_format(rust, column.form, currency) for column in sheet.columns]
            for name, sheet in by_name.items()
        },
        merge_ranges={
            name: _named_values(rust, sheet, locale) for name, sheet in by_name.items() if sheet.head
        },
        conditional_formats={
            name: _set_apart(rust, sheet, locale)
            for name, sheet in by_name.items()
            if sheet.total is not None
        },
        ignore_errors={
            name: [
                heading
                for heading, column in zip(shown[name], sheet.columns, strict=True)
                if column.form is Form.TEXT
            ]
            for name, sheet in by_name.items()
        },
        page_setup={
            name: {
                "paper_size": 9,
                "landscape": sheet.key == "lines",
                "fit_to_pages": (1, 0),
                "repeat_rows": sheet.top,
                "footer": f"&L&8{note}&R&8{page}",
            }
            for name, sheet in by_name.items()
        },
    )
    return written.getvalue()


def _records(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[dict[str, Cell]]:
    is_empty = True
    for cells in rows:
        is_empty = False
        yield dict(zip(names, cells, strict=True))
    if is_empty:
        # The writer takes the headings from the first row, so a table without rows has one that is empty.
        yield dict.fromkeys(names, "")


def _named_values(rust: Any, sheet: _Sheet, locale: str) -> list[tuple[Any, ...]]:
    last = len(sheet.columns) - 1
    ranges: list[tuple[Any, ...]] = []
    for row, (name, value) in enumerate(sheet.head):
        text = translate(f"settlement.export.{name}", locale)
        ranges.append((row, 0, row, _NAME_COLUMNS - 1, text, rust.Format().set_bold()))
        ranges.append((row, _NAME_COLUMNS, row, last, str(value), rust.Format().set_num_format("@")))
    return ranges


def _set_apart(rust: Any, sheet: _Sheet, locale: str) -> dict[str, Any]:
    """The writer cannot style a single row of a table; what its cells say can."""
    shown = rust.Format().set_bold().set_border_top("thin")
    first, *_ = sheet.columns
    money = next(column for column in sheet.columns if column.form is Form.MONEY)
    label, amount = headings((first, money), locale)
    total = translate("settlement.export.total", locale)
    return {
        label: {"type": "text", "criteria": "begins_with", "value": total, "format": shown},
        amount: {"type": "cell", "criteria": "==", "value": float(sheet.total or 0), "format": shown},
    }


def _header_format(rust: Any) -> Any:
    return rust.Format().set_bold().set_background_color(_HEADER_COLOUR).set_border_bottom("thin")


def _cell_format(rust: Any, form: Form, currency: str) -> Any:
    return rust.Format().set_num_format(_NUMBER_FORMATS.get(form) or _money_format(currency))


_NUMBER_FORMATS: Final[Mapping[Form, str]] = {Form.TEXT: "@", Form.WHOLE: "0", Form.DATE: "yyyy-mm-dd"}


def _money_format(currency: str) -> str:
    places = get_currency_precision(currency)
    return "#,##0" + ("." + "0" * places if places else "")


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
        money = _money_format(currency)
        self._plain = self._format({})
        self._bold = self._format({"bold": True})
        self._header = self._format({"bold": True, "bg_color": _HEADER_COLOUR, "bottom": 1})
        self._money_total = self._format({"bold": True, "num_format": money, "top": 1})
        self._formats = {
            form: self._format({"num_format": _NUMBER_FORMATS.get(form, money)}) for form in Form
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
