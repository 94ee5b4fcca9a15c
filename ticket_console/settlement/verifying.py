"""Whether a file is what was signed: offline, with nothing but the file and the public key.

What is read are the files `exports` writes: JSON, XLSX in any language, CSV with the signature beside it.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from babel.numbers import get_currency_precision

from ticket_console.i18n import translate
from ticket_console.kernel.text import LOCALES
from ticket_console.settlement import signing
from ticket_console.settlement.exports import SIGNATURE_ROWS
from ticket_console.settlement.kinds import Dimension, JournalKind
from ticket_console.settlement.signing import SignedLine
from ticket_console.settlement.tabling import (
    CHECK,
    DIMENSION_COLUMNS,
    LINE_COLUMNS,
    TICKET_COLUMNS,
    Column,
    dimension_names,
    entry_names,
    headings,
    major,
)


class Unreadable(Exception):
    """Not one of our files, or one whose form was changed; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is not as it was signed; `place` is where a person finds it in the file."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}" if self.place else self.what


@dataclass(frozen=True, slots=True)
class Verdict:
    """`head` is what was signed; the file is genuine when there are no problems."""

    head: Mapping[str, Any]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """A line as the file has it. `line` is None for one that cannot be understood; `why` says it then."""

    place: str
    line: SignedLine | None
    check: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class _Proof:
    head: Mapping[str, Any]
    signature: str
    public_key: str


_Cells = Sequence[Any]


def verify_json(content: bytes, *, public_key: str) -> Verdict:
    """Raises Unreadable, and BadKey for what is no key; so do the others."""
    found = _json(content)
    proof = _proof(found)
    reads = [_json_line(position, line) for position, line in enumerate(_list(found, "lines"), start=1)]
    problems = _against(proof, reads, public_key)
    stated = {
        "period": found.get("period"),
        "number": found.get("number"),
        "currency": found.get("currency"),
        "total_minor": found.get("total_minor"),
        "payee_kind": _in(found, "payee", "kind"),
        "payee_id": _in(found, "payee", "id"),
        "payee_name": _in(found, "payee", "name"),
    }
    problems += [
        Problem(name, f"says {value!r}, signed was {proof.head.get(name)!r}")
        for name, value in stated.items()
        if value != proof.head.get(name)
    ]
    return Verdict(proof.head, tuple(problems))


def verify_csv(content: bytes, sidecar: bytes, *, public_key: str) -> Verdict:
    """A CSV file with the `.sig` that was made with it."""
    found = _json(sidecar)
    proof = _proof(found)
    checks = _list(found, "checks")
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as wrong:
        raise Unreadable(f"the file is not CSV in UTF-8 ({wrong})") from wrong
    if not rows:
        raise Unreadable("the file is empty")
    locale = _language(rows[0], LINE_COLUMNS)
    reads = [_row_line(f"row {row}", cells, "", proof, locale) for row, cells in enumerate(rows[1:], start=2)]
    checked = [
        _Read(read.place, read.line, str(checks[index]) if index < len(checks) else "", read.why)
        for index, read in enumerate(reads)
    ]
    return Verdict(proof.head, tuple(_against(proof, checked, public_key)))


def verify_xlsx(content: bytes, *, public_key: str) -> Verdict:
    """A workbook: every line, and every subtotal made of them."""
    sheets = _sheets(content)
    locale = next((each for each in LOCALES if _sheet_name("lines", each) in sheets), None)
    if locale is None:
        raise Unreadable("the workbook has no sheet of lines")
    proof = _sheet_proof(sheets.get(_sheet_name("signature", locale)), locale)
    name = _sheet_name("lines", locale)
    rows = sheets[name]
    columns = (*LINE_COLUMNS, CHECK)
    if not rows or [str(cell) for cell in rows[0]] != headings(columns, locale):
        raise Unreadable(f"the headings of sheet {name} are not those of a statement")
    reads = [
        _row_line(f"sheet {name}, row {row}", cells[: len(LINE_COLUMNS)], str(cells[-1]), proof, locale)
        for row, cells in enumerate(rows[1:], start=2)
        if any(cell != "" for cell in cells)
    ]
    problems = _against(proof, reads, public_key)
    if not problems:
        lines = [read.line for read in reads if read.line is not None]
        problems += _summary_problems(sheets, lines, proof, locale)
    return Verdict(proof.head, tuple(problems))


def _against(proof: _Proof, reads: Sequence[_Read], public_key: str) -> list[Problem]:
    """Everything the lines, the head and the key have against each other."""
    problems: list[Problem] = []
    if proof.head.get("format") != signing.FORMAT:
        problems.append(Problem("signature", f"its form is not {signing.FORMAT!r}"))
    if not signing.is_genuine(proof.head, proof.signature, public_key=public_key):
        other = "" if proof.public_key == public_key else "; the file names another key than the one given"
        problems.append(Problem("signature", f"this key did not sign what the file says was signed{other}"))
    changed = [read for read in reads if read.line is None or read.line.check != read.check]
    problems += [
        Problem(read.place, read.why or f"the line of ticket {_ticket(read)} is not what was signed")
        for read in changed
    ]
    count = proof.head.get("line_count")
    if len(reads) != count:
        problems.append(Problem("", f"the file has {len(reads)} lines, signed were {count}"))
    lines = [read.line for read in reads if read.line is not None]
    if not changed and signing.lines_hash(lines) != proof.head.get("lines_hash"):
        problems.append(
            Problem("", "lines were changed together with their check codes, moved, added or taken out")
        )
    total, signed = sum(line.amount_minor for line in lines), proof.head.get("total_minor")
    if total != signed:
        problems.append(Problem("", f"the lines add up to {total} minor units, signed were {signed}"))
    return problems


def _ticket(read: _Read) -> str:
    return "" if read.line is None else read.line.ticket_no


def _summary_problems(
    sheets: Mapping[str, list[list[Any]]], lines: Sequence[SignedLine], proof: _Proof, locale: str
) -> list[Problem]:
    """What the other sheets of a workbook say otherwise than the lines that were found genuine."""
    currency = str(proof.head["currency"])
    names = dimension_names(locale)
    by_dimension: Counter[str] = Counter()
    by_ticket: Counter[str] = Counter()
    for line in lines:
        by_dimension[names[line.dimension]] += line.amount_minor
        by_ticket[line.ticket_no] += line.amount_minor
    by_dimension[translate("settlement.export.total", locale)] = proof.head["total_minor"]
    problems: list[Problem] = []
    for key, columns, label, wanted in (
        ("statement", DIMENSION_COLUMNS, 0, by_dimension),
        ("tickets", TICKET_COLUMNS, 1, by_ticket),
    ):
        name = _sheet_name(key, locale)
        found: Counter[str] = Counter()
        for place, cells in _table(sheets.get(name, []), columns, locale):
            amount = next(cells[i] for i, column in enumerate(columns) if column.key == "subtotal")
            minor = _minor(amount, currency)
            if minor is None:
                problems.append(Problem(f"sheet {name}, row {place}", f"{amount!r} is no amount"))
            else:
                found[str(cells[label])] += minor
        problems += [
            Problem(
                f"sheet {name}",
                f"{each} is {_shown(found, each, currency)}, the lines say {_shown(wanted, each, currency)}",
            )
            for each in sorted(wanted.keys() | found.keys())
            if wanted.get(each) != found.get(each)
        ]
    return problems + _named_problems(sheets, proof, locale)


def _named_problems(sheets: Mapping[str, list[list[Any]]], proof: _Proof, locale: str) -> list[Problem]:
    name = _sheet_name("statement", locale)
    head = proof.head
    wanted = {
        str(head["payee_kind"]): str(head["payee_name"].get(locale, "")),
        "period": str(head["period"]),
        "number": str(head["number"]),
        "as_of": str(head["as_of_seq"]),
    }
    said = {
        str(cells[0]): next((str(cell) for cell in cells[1:] if cell != ""), "")
        for cells in sheets.get(name, [])
        if cells
    }
    problems = []
    for key, value in wanted.items():
        label = translate(f"settlement.export.{key}", locale)
        if said.get(label, "") != value:
            problems.append(
                Problem(f"sheet {name}", f"{label} is {said.get(label, '')!r}, signed was {value!r}")
            )
    return problems


def _shown(amounts: Mapping[str, int], key: str, currency: str) -> str:
    return format(major(amounts[key], currency), "f") if key in amounts else "missing"


def _table(rows: list[list[Any]], columns: Sequence[Column], locale: str) -> Iterator[tuple[int, list[Any]]]:
    """The rows under the headings, with their numbers in the sheet."""
    wanted = headings(columns, locale)
    top = next((i for i, cells in enumerate(rows) if [str(c) for c in cells[: len(wanted)]] == wanted), None)
    if top is None:
        return
    for index, cells in enumerate(rows[top + 1 :], start=top + 2):
        if any(cell != "" for cell in cells):
            yield index, cells


def _sheets(content: bytes) -> dict[str, list[list[Any]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names
        }
    except CalamineError as wrong:
        raise Unreadable(f"the file is not a workbook ({wrong})") from wrong


def _sheet_name(key: str, locale: str) -> str:
    return translate(f"settlement.export.sheet_{key}", locale)


def _sheet_proof(rows: list[list[Any]] | None, locale: str) -> _Proof:
    said = {str(cells[0]): str(cells[1]) for cells in rows or [] if len(cells) > 1}
    content, signature, public_key = (
        said.get(translate(f"settlement.export.{name}", locale), "") for name in SIGNATURE_ROWS
    )
    if not content:
        raise Unreadable("the workbook carries no signature; drafts have none")
    return _proof({"head": _json(content.encode()), "signature": signature, "public_key": public_key})


def _language(cells: _Cells, columns: Sequence[Column]) -> str:
    for locale in LOCALES:
        if list(cells) == headings(columns, locale):
            return locale
    raise Unreadable("the headings are not those of a statement")


def _row_line(place: str, cells: _Cells, check: str, proof: _Proof, locale: str) -> _Read:
    """A line of a CSV file or a sheet, whose words are those of a language."""
    if len(cells) != len(LINE_COLUMNS):
        return _Read(place, None, check, f"has {len(cells)} cells, not {len(LINE_COLUMNS)}")
    said = {column.key: cell for column, cell in zip(LINE_COLUMNS, cells, strict=True)}
    currency = str(proof.head.get("currency"))
    try:
        if said["currency"] != currency:
            raise ValueError(f"the currency is {said['currency']!r}, signed was {currency!r}")
        amount = _minor(said["amount"], currency)
        if amount is None:
            raise ValueError(f"{said['amount']!r} is no amount of {currency}")
        line = SignedLine(
            journal_seq=_whole(said["journal"]),
            entry=_code(entry_names(locale), said["entry"]),
            ticket_no=str(said["ticket_no"]),
            segment=str(said["segment"]),
            service_on=_day(said["service_on"]),
            dimension=_code(dimension_names(locale), said["dimension"]),
            rule_code=str(said["rule_code"]),
            rule_version=_whole(said["rule_version"]),
            item=str(said["item"]),
            formula=str(said["formula"]),
            amount_minor=amount,
        )
    except ValueError as wrong:
        return _Read(place, None, check, str(wrong))
    return _Read(place, line, check)


def _json_line(position: int, said: Any) -> _Read:
    place = f"line {position}"
    try:
        line = SignedLine(
            journal_seq=int(said["journal_seq"]),
            entry=JournalKind(said["entry"]),
            ticket_no=str(said["ticket_no"]),
            segment=str(said["segment"]),
            service_on=date.fromisoformat(said["service_on"]),
            dimension=Dimension(said["dimension"]),
            rule_code=str(said["rule_code"]),
            rule_version=int(said["rule_version"]),
            item=str(said["item"]),
            formula=str(said["formula"]),
            amount_minor=int(said["amount_minor"]),
        )
        return _Read(place, line, str(said["check"]))
    except (KeyError, TypeError, ValueError) as wrong:
        return _Read(place, None, "", f"cannot be understood ({wrong!r})")


def _minor(cell: Any, currency: str) -> int | None:
    """An amount in whole minor units; None for what is none, a fraction of a cent included."""
    try:
        scaled = Decimal(str(cell)).scaleb(get_currency_precision(currency))
        return int(scaled) if scaled.is_finite() and scaled == scaled.to_integral_value() else None
    except InvalidOperation:
        return None


def _whole(cell: Any) -> int:
    number = float(cell)
    if not number.is_integer():
        raise ValueError(f"{cell!r} is no whole number")
    return int(number)


def _day(cell: Any) -> date:
    if isinstance(cell, datetime):
        return cell.date()
    return cell if isinstance(cell, date) else date.fromisoformat(str(cell))


def _code(names: Mapping[Any, str], said: Any) -> Any:
    for code, name in names.items():
        if name == said:
            return code
    raise ValueError(f"{said!r} is none of our words")


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as wrong:
        raise Unreadable(f"the signature cannot be read ({wrong})") from wrong
    if not isinstance(found, dict):
        raise Unreadable("the signature is not an object")
    return found


def _proof(found: Mapping[str, Any]) -> _Proof:
    head, signature, public_key = found.get("head"), found.get("signature"), found.get("public_key")
    if not isinstance(head, dict) or not isinstance(signature, str) or not isinstance(public_key, str):
        raise Unreadable("the file carries no signature; drafts have none")
    return _Proof(head, signature, public_key)


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    if not isinstance(value, list):
        raise Unreadable(f"{name} is missing")
    return value


def _in(found: Mapping[str, Any], *path: str) -> Any:
    value: Any = found
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
