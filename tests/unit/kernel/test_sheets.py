"""Tables out of whatever people upload."""

import io
import random
import zipfile
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any

import openpyxl
import pytest

from ticket_console.kernel.sheets import (
    MOST_BYTES,
    MOST_ROWS,
    BrokenFile,
    FileTooLarge,
    Sheet,
    SheetRow,
    cell_text,
    read_sheet,
)


def workbook(*lines: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


EXPECTED = Sheet(("标题", "电话"), (SheetRow(2, ("空调坏了", "13800000001")),))


@pytest.mark.parametrize(
    "content",
    [
        "标题,电话\n空调坏了,13800000001\n".encode(),
        "\ufeff标题,电话\r\n空调坏了,13800000001\r\n".encode(),
        "标题;电话\n空调坏了;13800000001".encode(),
        "标题\t电话\n空调坏了\t13800000001".encode("utf-16"),
        "标题,电话\n空调坏了,13800000001\n".encode("gb18030"),
        "标题,电话\r空调坏了,13800000001\r".encode(),
        '"标题","电话"\n"空调坏了","13800000001"\n'.encode(),
        workbook(["标题", "电话"], ["空调坏了", 13800000001]),
        workbook(["标题", "电话", None], ["空调坏了", 13800000001.0, None], [None, " "]),
    ],
    ids=[
        "utf-8",
        "bom",
        "semicolons",
        "excel unicode text",
        "gb18030",
        "old mac",
        "quoted",
        "xlsx",
        "ragged xlsx",
    ],
)
# PAIN-44
def test_the_same_table_is_read_from_every_dialect(content: bytes) -> None:
    assert read_sheet(content) == EXPECTED


def test_rows_keep_the_numbers_a_spreadsheet_shows() -> None:
    sheet = read_sheet(b"title,note\na,\n,\n\nb,x\n")

    assert [(row.number, row.cells) for row in sheet.rows] == [(2, ("a",)), (5, ("b", "x"))]


def test_a_line_end_within_quotes_does_not_end_the_row() -> None:
    sheet = read_sheet(b'title,note\n"a, with ""quotes""","two\nlines"\nb,x\n')

    assert sheet.rows == (SheetRow(2, ('a, with "quotes"', "two\nlines")), SheetRow(3, ("b", "x")))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (13800000001.0, "13800000001"),
        (0.5, "0.5"),
        (True, "true"),
        (datetime.fromisoformat("2026-01-05T10:30"), "2026-01-05 10:30:00"),
        (date(2026, 1, 5), "2026-01-05"),
        (time(8, 30), "08:30:00"),
        ("00123", "00123"),
    ],
)
# PAIN-44
def test_a_typed_cell_is_the_text_a_person_reads(cell: object, text: str) -> None:
    assert cell_text(cell) == text


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "intake.file.empty"),
        (b" \r\n ", "intake.file.empty"),
        (b"title,phone\n", "intake.file.no_rows"),
        (b"title,phone\n,\n", "intake.file.no_rows"),
        (b",,\n1,2,3\n", "intake.file.no_header"),
        (b"title,Title\n1,2\n", "intake.file.header_twice"),
        (b'title,phone\na,"1\nb,2\n', "intake.file.quotes"),
        (b'title,phone\n"a"b,2\n', "intake.file.quotes"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), "intake.file.encoding"),
        (b"PK\x03\x04 not a zip at all", "intake.file.workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), "intake.file.workbook"),
        (workbook(["title"], ["a"])[:-200], "intake.file.workbook"),
    ],
)
def test_a_broken_file_gets_one_clear_reason(content: bytes, why: str) -> None:
    with pytest.raises(BrokenFile) as refused:
        read_sheet(content)

    assert refused.value.params["why"] == why


def test_the_line_where_the_quotes_break_is_named() -> None:
    with pytest.raises(BrokenFile) as refused:
        read_sheet(b'title,phone\na,1\nb,"2\nc,3\n')

    assert refused.value.params["line"] == 3


def test_a_damaged_workbook_never_breaks_the_reader() -> None:
    sound, chance = workbook(["title", "phone"], ["a", 1]), random.Random(7)
    for _ in range(100):
        damaged = bytearray(sound)
        for _ in range(25):
            damaged[chance.randrange(30, len(damaged))] = chance.randrange(256)
        with suppress(BrokenFile, FileTooLarge):
            read_sheet(bytes(damaged))


@pytest.mark.parametrize(
    "content",
    [
        b"a" * (MOST_BYTES + 1),
        b"title\n" + b"x\n" * (MOST_ROWS + 1),
        (",".join(f"c{n}" for n in range(101)) + "\n1\n").encode(),
    ],
    ids=["bytes", "rows", "columns"],
)
def test_a_file_beyond_the_limits_is_refused(content: bytes) -> None:
    with pytest.raises(FileTooLarge):
        read_sheet(content)


def test_a_workbook_that_unpacks_to_gigabytes_is_refused_unopened() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("xl/worksheets/sheet1.xml", bytes(201 << 20))

    with pytest.raises(FileTooLarge):
        read_sheet(file.getvalue())
