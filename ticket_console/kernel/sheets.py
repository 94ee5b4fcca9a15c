"""Reading a table out of an uploaded file: CSV in whatever dialect, or a workbook's first sheet.

Every cell becomes text, so that numbers which are names, phone numbers above all, stay what they look like.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from python_calamine import CalamineWorkbook, load_workbook

from ticket_console.kernel.errors import ConsoleError

MOST_BYTES: Final = 10 << 20
MOST_ROWS: Final = 20_000
MOST_COLUMNS: Final = 100
MOST_UNPACKED_BYTES: Final = 200 << 20
_DELIMITERS: Final = (",", ";", "\t", "|")
_ZIP_START: Final = b"PK\x03\x04"
_OLD_EXCEL_START: Final = b"\xd0\xcf\x11\xe0"


class BrokenFile(ConsoleError):
    """A file no table can be read from; `why` is the key of a text."""

    code = "intake.broken_file"
    http_status = 422


class FileTooLarge(ConsoleError):
    code = "intake.file_too_large"
    http_status = 413


def _too_large() -> FileTooLarge:
    return FileTooLarge(megabytes=MOST_BYTES >> 20, rows=MOST_ROWS, columns=MOST_COLUMNS)


@dataclass(frozen=True, slots=True)
class SheetRow:
    """`number` is the row as a spreadsheet program counts it: the header is 1."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    headers: tuple[str, ...]
    rows: tuple[SheetRow, ...]


def read_sheet(content: bytes) -> Sheet:
    """The table of a file; raises BrokenFile or FileTooLarge. Rows without any text are left out."""
    if len(content) > MOST_BYTES:
        raise _too_large()
    if not content.strip():
        raise BrokenFile(why="intake.file.empty")
    if content.startswith((_ZIP_START, _OLD_EXCEL_START)):
        lines = _workbook_lines(content)
    else:
        lines = _csv_lines(_decoded(content))
    return _sheet(lines)


def _sheet(lines: Sequence[Sequence[str]]) -> Sheet:
    if not lines or not any(lines[0]):
        raise BrokenFile(why="intake.file.no_header")
    headers = _without_blank_end(tuple(" ".join(cell.split()) for cell in lines[0]))
    if len(headers) > MOST_COLUMNS:
        raise _too_large()
    named = [header.casefold() for header in headers if header]
    if len(set(named)) < len(named):
        twice = next(header for header in named if named.count(header) > 1)
        raise BrokenFile(why="intake.file.header_twice", header=twice[:80])
    rows = tuple(
        SheetRow(number, _without_blank_end(tuple(line)))
        for number, line in enumerate(lines[1:], start=2)
        if any(cell.strip() for cell in line)
    )
    if not rows:
        raise BrokenFile(why="intake.file.no_rows")
    if len(rows) > MOST_ROWS:
        raise _too_large()
    return Sheet(headers, rows)


def _without_blank_end(cells: tuple[str, ...]) -> tuple[str, ...]:
    end = len(cells)
    while end and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _decoded(content: bytes) -> str:
    is_utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_utf16 else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text.replace("\r\n", "\n").replace("\r", "\n")
    raise BrokenFile(why="intake.file.encoding")


def _csv_lines(text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    lines: list[list[str]] = []
    read = 0
    try:
        for line in reader:
            lines.append(line)
            read = reader.line_num
            if len(lines) > MOST_ROWS + 1:
                raise _too_large()
    except csv.Error:
        raise BrokenFile(why="intake.file.quotes", line=read + 1) from None
    return lines


def _delimiter(text: str) -> str:
    """The delimiter that divides the header into most parts; a comma where none does."""
    header = text.lstrip("\n").partition("\n")[0]
    counts = {each: len(next(csv.reader([header], delimiter=each), [])) for each in _DELIMITERS}
    return max(_DELIMITERS, key=lambda each: counts[each])


def _workbook_lines(content: bytes) -> list[list[str]]:
    try:
        if content.startswith(_ZIP_START):
            _refuse_zip_bomb(content)
        book: CalamineWorkbook = load_workbook(io.BytesIO(content))
        sheet = book.get_sheet_by_index(0)
        if sheet.total_height > MOST_ROWS + 1:
            raise _too_large()
        lines = sheet.to_python(skip_empty_area=False)
    except ConsoleError:
        raise
    except Exception:
        # The reader raises a dozen kinds of error for broken workbooks; to the user they are one.
        raise BrokenFile(why="intake.file.workbook") from None
    return [[cell_text(cell) for cell in line] for line in _cut(lines)]


def _cut(lines: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    return (line[: MOST_COLUMNS + 1] for line in lines)


def _refuse_zip_bomb(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        unpacked = sum(member.file_size for member in package.infolist())
    if unpacked > MOST_UNPACKED_BYTES:
        raise _too_large()


def cell_text(cell: object) -> str:
    """A typed cell as the text a person reads in it: 13800000001.0 is a phone number, not a measurement."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, float):
        return repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)
