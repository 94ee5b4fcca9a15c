"""The files finance downloads: read again, they say to the cent what the statement says."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook

from ticket_console.settlement import payees
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.documents import DocumentLine, StatementDocument
from ticket_console.settlement.exports import (
    statement_csv,
    statement_filename,
    statement_xlsx,
    totals_csv,
    totals_xlsx,
)
from ticket_console.settlement.kinds import Dimension, JournalKind, PeriodState, StatementState
from ticket_console.settlement.reads import TechnicianTotal

NOVEMBER = PeriodView(
    id=1,
    code="2026-11",
    starts_at=datetime(2026, 10, 31, 16, 0, tzinfo=UTC),
    ends_at=datetime(2026, 11, 30, 16, 0, tzinfo=UTC),
    tz="Asia/Shanghai",
    state=PeriodState.OPEN,
    version=1,
)
DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")']


def make_line(amount_minor: int, **changes: Any) -> DocumentLine:
    plain: dict[str, Any] = {
        "journal_seq": 1,
        "kind": JournalKind.RATING,
        "ticket_id": 7,
        "ticket_no": "0012345",
        "segment": "main",
        "service_at": datetime(2026, 11, 20, 17, 0, tzinfo=UTC),
        "dimension": Dimension.BASE_LABOUR,
        "rule_code": "base.install",
        "rule_name": {"zh": "安装基础工费", "en": "Installation labour"},
        "rule_version": 1,
        "item": "",
        "formula": "1 × 100.00 = 100.00",
        "amount_minor": amount_minor,
    }
    return DocumentLine(**plain | changes)


def make_document(*lines: DocumentLine, **changes: Any) -> StatementDocument:
    plain: dict[str, Any] = {
        "payee": payees.technician(42),
        "payee_name": {"zh": "安娜", "en": "安娜"},
        "period": NOVEMBER,
        "number": 1,
        "state": StatementState.ISSUED,
        "currency": "CNY",
        "total_minor": sum(line.amount_minor for line in lines),
        "as_of_seq": 9,
        "issued_at": datetime(2026, 11, 30, 17, 0, tzinfo=UTC),
        "lines": lines,
    }
    return StatementDocument(**plain | changes)


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


TWO_TICKETS = make_document(
    make_line(10000),
    make_line(2000, dimension=Dimension.HAZARD, formula="100.00 × (1.2 − 1) = 20.00"),
    make_line(-10000, kind=JournalKind.REVERSAL, journal_seq=2),
    make_line(-2000, kind=JournalKind.REVERSAL, journal_seq=2, dimension=Dimension.HAZARD),
    make_line(333, ticket_id=8, ticket_no="0012346", item="P-1", dimension=Dimension.PARTS),
)


def test_the_workbook_read_again_says_what_the_statement_says() -> None:  # STL-24
    found = sheets(statement_xlsx(TWO_TICKETS, locale="zh"))

    assert list(found) == ["结算单", "明细"]
    lines = found["明细"]
    assert lines[0] == [
        "服务日期",
        "工单号",
        "结算段",
        "类型",
        "维度",
        "规则",
        "规则版本",
        "项目编码",
        "计算过程",
        "金额",
        "币种",
    ]
    assert lines[1] == [
        date(2026, 11, 21),
        "0012345",
        "main",
        "计价",
        "基础工费",
        "安装基础工费",
        1.0,
        "",
        "1 × 100.00 = 100.00",
        100.0,
        "CNY",
    ]
    assert [row[9] for row in lines[1:]] == [100.0, 20.0, -100.0, -20.0, 3.33]
    assert round(sum(row[9] for row in lines[1:]) * 100) == TWO_TICKETS.total_minor


def test_the_first_sheet_has_a_subtotal_for_each_ticket_and_the_total() -> None:
    statement = sheets(statement_xlsx(TWO_TICKETS, locale="en"))["Statement"]

    assert statement[:6] == [
        ["Payee", "安娜", "", "", ""],
        ["Period", "2026-11", "", "", ""],
        ["Statement no.", "1", "", "", ""],
        ["State", "issued", "", "", ""],
        ["Ledger up to entry", "9", "", "", ""],
        ["Issued on", date(2026, 12, 1), "", "", ""],
    ]
    assert statement[7:] == [
        ["Service date", "Ticket", "Lines", "Subtotal", "Currency"],
        [date(2026, 11, 21), "0012345", 4.0, 0.0, "CNY"],
        [date(2026, 11, 21), "0012346", 1.0, 3.33, "CNY"],
        ["", "", "", "", ""],
        ["Total", "", "", 3.33, ""],
    ]


def test_the_header_stays_in_sight_and_filters() -> None:
    content = statement_xlsx(TWO_TICKETS, locale="zh")

    parts = _parts(content)
    assert '<pane ySplit="8" topLeftCell="A9"' in parts["xl/worksheets/sheet1.xml"]
    assert '<autoFilter ref="A8:E10"/>' in parts["xl/worksheets/sheet1.xml"]
    assert '<pane ySplit="1" topLeftCell="A2"' in parts["xl/worksheets/sheet2.xml"]
    assert '<autoFilter ref="A1:K6"/>' in parts["xl/worksheets/sheet2.xml"]


def test_the_same_statement_gives_the_same_file() -> None:
    assert statement_xlsx(TWO_TICKETS, locale="zh") == statement_xlsx(TWO_TICKETS, locale="zh")


@pytest.mark.parametrize("text", DANGEROUS)
def test_nothing_in_a_workbook_is_a_formula_or_a_link(text: str) -> None:  # pains 44
    document = make_document(make_line(100, ticket_no=text, item=text, formula=text), payee_name={"zh": text})

    content = statement_xlsx(document, locale="zh")

    sheet = "".join(part for name, part in _parts(content).items() if name.startswith("xl/worksheets"))
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    found = sheets(content)
    assert found["明细"][1][1].replace("_x000D_", "\r") == text
    assert found["结算单"][0][1].replace("_x000D_", "\r") == text


def test_the_csv_file_read_again_adds_up_to_the_statement() -> None:  # STL-24
    content = statement_csv(TWO_TICKETS, locale="zh")

    found = rows(content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert found[0][9] == "金额"
    assert found[1] == [
        "2026-11-21",
        "0012345",
        "main",
        "计价",
        "基础工费",
        "安装基础工费",
        "1",
        "",
        "1 × 100.00 = 100.00",
        "100.00",
        "CNY",
    ]
    assert [row[9] for row in found[1:]] == ["100.00", "20.00", "-100.00", "-20.00", "3.33"]
    assert round(sum(float(row[9]) for row in found[1:]) * 100) == TWO_TICKETS.total_minor


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_that_could_run_is_quoted_in_csv_and_numbers_never_are(text: str) -> None:  # pains 44
    document = make_document(make_line(-100, item=text))

    row = rows(statement_csv(document, locale="zh"))[1]

    assert row[7] == f"'{text}"
    assert row[9] == "-1.00"


def test_headings_speak_the_language_asked_for() -> None:
    assert rows(statement_csv(TWO_TICKETS, locale="en"))[0][:2] == ["Service date", "Ticket"]
    assert rows(statement_csv(TWO_TICKETS, locale="en"))[3][3:6] == [
        "reversal",
        "base labour",
        "Installation labour",
    ]


def test_a_statement_without_lines_is_a_file_without_rows() -> None:
    empty = make_document()

    assert len(rows(statement_csv(empty, locale="zh"))) == 1
    assert sheets(statement_xlsx(empty, locale="zh"))["明细"][1:] == []


def test_totals_of_a_period_add_up_in_both_files() -> None:
    totals = [
        TechnicianTotal(42, "安娜", 12, 123456, "CNY", StatementState.ISSUED),
        TechnicianTotal(43, "=Bo", 1, -50, "CNY", None),
    ]

    book = sheets(totals_xlsx(totals, period=NOVEMBER, currency="CNY", locale="zh"))["汇总"]
    file = rows(totals_csv(totals, locale="zh"))

    assert book[0][:2] == ["结算期", "2026-11"]
    assert book[3:] == [
        ["42", "安娜", 12.0, 1234.56, "CNY"],
        ["43", "=Bo", 1.0, -0.5, "CNY"],
        ["", "", "", "", ""],
        ["合计", "", "", 1234.06, ""],
    ]
    assert file[1:] == [["42", "安娜", "12", "1234.56", "CNY"], ["43", "'=Bo", "1", "-0.50", "CNY"]]


def test_file_names_are_safe_anywhere() -> None:
    assert statement_filename(TWO_TICKETS, "xlsx") == "statement-2026-11-technician-42-01.xlsx"
    assert (
        statement_filename(make_document(number=None), "csv") == "statement-2026-11-technician-42-draft.csv"
    )


def _parts(content: bytes) -> dict[str, str]:
    with ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}
