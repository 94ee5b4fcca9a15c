"""CSV files for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

Cell = str | int | Decimal | bool | date | datetime | None

# A cell that starts with one of these may be taken for a formula when the file is opened, the wide ones where
# Chinese is written.
_FORMULA_STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")


def csv_file(heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with the mark Excel needs to see Chinese; text that could run as a formula is quoted with '."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([csv_cell(cell) for cell in heading])
    writer.writerows([[csv_cell(cell) for cell in row] for row in rows])
    return written.getvalue().encode("utf-8-sig")


def csv_cell(cell: Cell) -> str:
    """A value as the file has it: numbers as they are, moments in ISO form, text that runs as nothing."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="minutes")
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS):
        return f"'{cell}"
    return str(cell)
