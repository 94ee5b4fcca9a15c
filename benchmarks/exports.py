"""Statements leaving the console, beside the bare libraries that write the files.

    python -m benchmarks.exports [--lines 100000] [--statements 100]

The floor of a file is its library fed with finished values: the same cells for XLSX and CSV, the same words
in a plain table for PDF. Seconds on the clock and of the processor differ where the machine has other work.
"""

import argparse
import csv
import io
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pylopdf_fonts_zh_cn
import rustpy_xlsxwriter
import typst

from ticket_console.kernel.canonical import canonical_json
from ticket_console.settlement import exports, payees, printing, signing, verifying
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.documents import StatementDocument
from ticket_console.settlement.kinds import Dimension, JournalKind, PeriodState, StatementState
from ticket_console.settlement.stated_lines import DocumentLine
from ticket_console.settlement.tabling import LINE_COLUMNS, headings, line_rows

# Lines of a statement that goes on paper, as a technician has in a month or so.
PRINTED_LINES: Final = 40
_RUNS: Final = 3
_BEGIN: Final = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)
_KEY: Final = bytes(range(32))
_PLAIN_PAGE: Final = b"""#let rows = json(bytes(sys.inputs.rows))
#set text(font: "Noto Sans SC", size: 8.5pt)
#table(columns: (auto, auto, auto, auto, 1fr, auto), ..rows.flatten())
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """The best of some runs: seconds on the clock, and of the processor in the same run."""

    clock: float
    processor: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exports", description=__doc__)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--statements", type=int, default=100)
    asked = parser.parse_args()
    large = statement_of(asked.lines)
    print(f"a statement of {asked.lines:,} lines; {asked.statements} of {PRINTED_LINES} lines on paper")
    print(f"{'what':<52} {'seconds':>8} {'processor':>9} {'of floor':>9}")
    rows = list(line_rows(large, "zh"))
    _files(large, rows)
    _paper(asked.statements)
    print(f"resident at most: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB")
    return 0


def statement_of(lines: int) -> StatementDocument:
    """An issued and signed statement with as many lines, four a ticket."""
    made = tuple(_line(number) for number in range(lines))
    document = StatementDocument(
        organisation={"zh": "示例公司", "en": "Example company"},
        payee=payees.technician(42),
        payee_name={"zh": "王师傅", "en": "Wang"},
        period=PeriodView(
            1, "2026-11", _BEGIN, _BEGIN + timedelta(days=30), "Asia/Shanghai", PeriodState.CLOSED, 1
        ),
        number=1,
        state=StatementState.ISSUED,
        currency="CNY",
        total_minor=sum(line.amount_minor for line in made),
        as_of_seq=lines,
        issued_at=_BEGIN + timedelta(days=31),
        signature=None,
        lines=made,
    )
    return _signed(document)


def _line(number: int) -> DocumentLine:
    return DocumentLine(
        journal_seq=number // 4 + 1,
        kind=JournalKind.RATING,
        ticket_id=number // 4,
        ticket_no=f"WO-2026-{number // 4:07d}",
        segment="main",
        service_at=_BEGIN + timedelta(minutes=number % 43_000),
        dimension=list(Dimension)[number % 12],
        rule_code="hazard.height",
        rule_name={"zh": "高空作业危险津贴", "en": "Hazard pay for work at height"},
        rule_version=3,
        item="",
        formula="(100.00 + 25.00) × (1.2 − 1) = 25.00",
        amount_minor=2_500 + number % 977,
    )


def _signed(document: StatementDocument) -> StatementDocument:
    zone = ZoneInfo(document.period.tz)
    lines = [line.signed(zone) for line in document.lines]
    head = {
        "format": signing.FORMAT,
        "payee_kind": document.payee.kind.value,
        "payee_id": document.payee.id,
        "payee_name": dict(document.payee_name),
        "period": document.period.code,
        "number": document.number,
        "currency": document.currency,
        "total_minor": document.total_minor,
        "as_of_seq": document.as_of_seq,
        "line_count": len(lines),
        "lines_hash": signing.lines_hash(lines),
    }
    return replace(document, signature=signing.sign(head, private_key=_KEY))


def _files(large: StatementDocument, rows: Sequence[Sequence[Any]]) -> None:
    names = headings(LINE_COLUMNS, "zh")
    records = [dict(zip(names, row, strict=True)) for row in rows]
    floor = _taken(lambda: rustpy_xlsxwriter.write_worksheet(records, io.BytesIO(), "bare"))
    _row("XLSX: rustpy-xlsxwriter, finished values", floor, floor)
    _row(
        "XLSX: a signed statement, four sheets",
        _taken(lambda: exports.statement_xlsx(large, locale="zh")),
        floor,
    )

    def bare_csv() -> None:
        writer = csv.writer(io.StringIO())
        writer.writerows(rows)

    floor = _taken(bare_csv)
    _row("CSV: the standard library, finished values", floor, floor)
    _row("CSV: a statement", _taken(lambda: exports.statement_csv(large, locale="zh")), floor)
    floor = _taken(lambda: _signed(large))
    _row("signing it", floor, floor)
    content, key = exports.statement_json(large), signing.public_key_of(_KEY)
    _row("verifying its JSON", _taken(lambda: verifying.verify_json(content, public_key=key)), floor)


def _paper(count: int) -> None:
    documents = [replace(statement_of(PRINTED_LINES), number=number + 1) for number in range(count)]
    fonts = typst.Fonts(include_system_fonts=False, font_paths=[str(pylopdf_fonts_zh_cn.sans_path().parent)])
    words = [
        canonical_json([[str(row[at]) for at in (0, 1, 5, 6, 10, 11)] for row in line_rows(document, "zh")])
        for document in documents
    ]

    def bare() -> None:
        for each in words:
            typst.compile(_PLAIN_PAGE, font_paths=fonts, sys_inputs={"rows": each})

    floor = _taken(bare, runs=1)
    _row(f"PDF: typst, {count} plain tables", floor, floor)
    ours = _taken(lambda: sum(len(each) for each in printing.statement_pdfs(documents, locale="zh")), runs=1)
    _row(f"PDF: {count} statements", ours, floor)


def _taken(work: Callable[[], Any], runs: int = _RUNS) -> Taken:
    taken = []
    for _ in range(runs):
        clock, processor = time.perf_counter(), time.process_time()
        work()
        taken.append(Taken(time.perf_counter() - clock, time.process_time() - processor))
    return min(taken, key=lambda each: each.clock)


def _row(what: str, taken: Taken, floor: Taken) -> None:
    ratio = taken.processor / floor.processor
    print(f"{what:<52} {taken.clock:>8.2f} {taken.processor:>9.2f} {ratio:>8.1f}x")


if __name__ == "__main__":
    raise SystemExit(main())
