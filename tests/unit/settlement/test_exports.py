"""The files finance downloads: read again, they say to the cent what the statement says."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from tests.builders.documents import NOVEMBER, make_document, make_line, signed
from ticket_console.kernel.text import LOCALES
from ticket_console.settlement import payees
from ticket_console.settlement.exports import (
    statement_csv,
    statement_filename,
    statement_xlsx,
    totals_csv,
    totals_xlsx,
)
from ticket_console.settlement.kinds import Dimension, JournalKind, OwnerKind, StatementState
from ticket_console.settlement.reads import PayeeTotal
from ticket_console.settlement.stated_lines import DocumentLine
from ticket_console.settlement.tabling import major

DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")']


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

    assert list(found) == ["结算单", "工单小计", "明细"]
    lines = found["明细"]
    assert lines[0] == [
        "服务日期",
        "工单号",
        "结算段",
        "账本序号",
        "类型",
        "维度",
        "规则",
        "规则编码",
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
        1.0,
        "计价",
        "基础工费",
        "安装基础工费",
        "base.install",
        1.0,
        "",
        "1 × 100.00 = 100.00",
        100.0,
        "CNY",
    ]
    assert [row[11] for row in lines[1:]] == [100.0, 20.0, -100.0, -20.0, 3.33]
    assert round(sum(row[11] for row in lines[1:]) * 100) == TWO_TICKETS.total_minor


def test_the_first_sheet_has_a_subtotal_for_each_dimension_and_the_total() -> None:
    statement = sheets(statement_xlsx(TWO_TICKETS, locale="en"))["Statement"]

    assert statement[:6] == [
        ["Technician", "", "安娜", ""],
        ["Period", "", "2026-11", ""],
        ["Statement no.", "", "1", ""],
        ["State", "", "issued", ""],
        ["Ledger up to entry", "", "9", ""],
        ["Issued on", "", "2026-12-01", ""],
    ]
    assert statement[7:] == [
        ["Dimension", "Lines", "Subtotal", "Currency"],
        ["base labour", 2.0, 0.0, "CNY"],
        ["parts", 1.0, 3.33, "CNY"],
        ["hazard pay", 2.0, 0.0, "CNY"],
        ["Total", 5.0, 3.33, "CNY"],
    ]


def test_the_second_sheet_has_a_subtotal_for_each_ticket() -> None:
    assert sheets(statement_xlsx(TWO_TICKETS, locale="en"))["Tickets"] == [
        ["Service date", "Ticket", "Lines", "Subtotal", "Currency"],
        [date(2026, 11, 21), "0012345", 4.0, 0.0, "CNY"],
        [date(2026, 11, 21), "0012346", 1.0, 3.33, "CNY"],
    ]


def test_the_header_stays_in_sight_filters_and_is_printed_on_every_page() -> None:
    parts = _parts(statement_xlsx(TWO_TICKETS, locale="zh"))

    statement, tickets, lines = (parts[f"xl/worksheets/sheet{number}.xml"] for number in (1, 2, 3))
    assert '<pane ySplit="8" topLeftCell="A9"' in statement
    assert '<autoFilter ref="A1:E3"/>' in tickets
    assert '<pane ySplit="1" topLeftCell="A2"' in lines
    assert '<autoFilter ref="A1:M6"/>' in lines
    assert 'orientation="landscape"' in lines
    assert "未签名：尚未出具&amp;R&amp;8第 &amp;P 页 / 共 &amp;N 页" in lines
    assert "明细!$1:$1" in parts["xl/workbook.xml"]


def test_a_workbook_carries_its_signature() -> None:  # moonshot 20
    found = sheets(statement_xlsx(signed(TWO_TICKETS), locale="en"))

    assert list(found) == ["Statement", "Tickets", "Lines", "Signature"]
    assert [row[0] for row in found["Signature"]] == ["Name", "Signed content", "Signature", "Public key"]
    assert [len(row[-1]) for row in found["Lines"][1:]] == [16] * 5


@pytest.mark.parametrize("text", DANGEROUS)
def test_nothing_in_a_workbook_is_a_formula_or_a_link(text: str) -> None:  # pains 44
    document = make_document(make_line(100, ticket_no=text, item=text, formula=text), payee_name={"zh": text})

    content = statement_xlsx(document, locale="zh")

    sheet = "".join(part for name, part in _parts(content).items() if name.startswith("xl/worksheets"))
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    found = sheets(content)
    assert found["明细"][1][1].replace("_x000D_", "\r") == text
    assert found["结算单"][0][2].replace("_x000D_", "\r") == text


def test_the_csv_file_read_again_adds_up_to_the_statement() -> None:  # STL-24
    content = statement_csv(TWO_TICKETS, locale="zh")

    found = rows(content)
    assert content.startswith(b"\xef\xbb\xbf")
    assert found[0][11] == "金额"
    assert found[1] == [
        "2026-11-21",
        "0012345",
        "main",
        "1",
        "计价",
        "基础工费",
        "安装基础工费",
        "base.install",
        "1",
        "",
        "1 × 100.00 = 100.00",
        "100.00",
        "CNY",
    ]
    assert [row[11] for row in found[1:]] == ["100.00", "20.00", "-100.00", "-20.00", "3.33"]
    assert round(sum(float(row[11]) for row in found[1:]) * 100) == TWO_TICKETS.total_minor


@pytest.mark.parametrize("text", DANGEROUS)
def test_text_that_could_run_is_quoted_in_csv_and_numbers_never_are(text: str) -> None:  # pains 44
    document = make_document(make_line(-100, item=text))

    row = rows(statement_csv(document, locale="zh"))[1]

    assert row[9] == f"'{text}"
    assert row[11] == "-1.00"


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(
        st.builds(
            make_line,
            st.integers(-(10**11), 10**11),
            ticket_no=st.text(max_size=12),
            item=st.sampled_from(["", "P-1", *DANGEROUS]),
            dimension=st.sampled_from(Dimension),
        ),
        max_size=8,
    ),
    currency=st.sampled_from(["CNY", "JPY", "BHD"]),
    locale=st.sampled_from(LOCALES),
)
def test_any_statement_read_again_adds_up_to_the_last_unit_in_every_file(
    lines: list[DocumentLine], currency: str, locale: str
) -> None:  # STL-24
    document = make_document(*lines, currency=currency)
    unit = major(1, currency)

    statement, tickets, detail = sheets(statement_xlsx(document, locale=locale)).values()
    file = rows(statement_csv(document, locale=locale))

    assert [Decimal(row[11]) / unit for row in file[1:]] == [line.amount_minor for line in lines]
    shown = [round(Decimal(repr(row[11])) / unit) for row in detail[1:]]
    assert shown == [line.amount_minor for line in lines]
    assert sum(round(Decimal(repr(row[3])) / unit) for row in tickets[1:]) == document.total_minor
    assert round(Decimal(repr(statement[-1][2])) / unit) == document.total_minor
    assert all(not cell.startswith(tuple("=+-@\t\r")) for row in file[1:] for cell in row[1:11])


def test_headings_speak_the_language_asked_for() -> None:
    assert rows(statement_csv(TWO_TICKETS, locale="en"))[0][:2] == ["Service date", "Ticket"]
    assert rows(statement_csv(TWO_TICKETS, locale="en"))[3][4:7] == [
        "reversal",
        "base labour",
        "Installation labour",
    ]


def test_a_statement_without_lines_is_a_file_without_rows() -> None:
    empty = make_document()

    assert len(rows(statement_csv(empty, locale="zh"))) == 1
    assert sheets(statement_xlsx(empty, locale="zh"))["明细"][1:] == []
    assert sheets(statement_xlsx(empty, locale="zh"))["结算单"][-1] == ["合计", 0.0, 0.0, "CNY"]


def test_totals_of_a_period_add_up_in_both_files() -> None:
    totals = [
        PayeeTotal(payees.technician(42), {"zh": "安娜"}, 12, 123456, "CNY", StatementState.ISSUED),
        PayeeTotal(payees.technician(43), {"zh": "=Bo"}, 1, -50, "CNY", None),
    ]

    asked: dict[str, Any] = {"kind": OwnerKind.TECHNICIAN, "locale": "zh"}
    book = sheets(totals_xlsx(totals, **asked, period=NOVEMBER, currency="CNY"))["汇总"]
    file = rows(totals_csv(totals, **asked))

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
