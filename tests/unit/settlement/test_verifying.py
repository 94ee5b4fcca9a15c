"""A signed statement verifies with nothing but the file and the key, and fails when one cent is flipped."""

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.documents import PUBLIC_KEY, make_document, make_line, signed
from ticket_console.kernel.text import LOCALES
from ticket_console.settlement import sealing, signing
from ticket_console.settlement.documents import StatementDocument
from ticket_console.settlement.exports import (
    NotSigned,
    statement_csv,
    statement_json,
    statement_sig,
    statement_xlsx,
)
from ticket_console.settlement.kinds import Dimension, JournalKind
from ticket_console.settlement.verifying import Unreadable, Verdict, verify_csv, verify_json, verify_xlsx
from tools.verify_statement import CHANGED, GENUINE, UNREADABLE, main

STATEMENT = signed(
    make_document(
        make_line(10000),
        make_line(2000, dimension=Dimension.HAZARD, formula="100.00 × (1.2 − 1) = 20.00"),
        make_line(-10000, kind=JournalKind.REVERSAL, journal_seq=2),
        make_line(333, ticket_id=8, ticket_no="=1+1", item="\t@P-1", dimension=Dimension.PARTS),
    )
)
CHECKS = json.loads(statement_sig(STATEMENT))["checks"]
FORMS = ["json", "csv", "xlsx"]


def verdict(document: StatementDocument, form: str, locale: str, content: bytes | None = None) -> Verdict:
    match form:
        case "json":
            return verify_json(content or statement_json(document), public_key=PUBLIC_KEY)
        case "csv":
            file = content or statement_csv(document, locale=locale)
            return verify_csv(file, statement_sig(document), public_key=PUBLIC_KEY)
        case _:
            return verify_xlsx(content or statement_xlsx(document, locale=locale), public_key=PUBLIC_KEY)


def with_cell(content: bytes, sheet: int, cell: str, value: Any) -> bytes:
    """The workbook as somebody saves it again who typed something into one cell."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    book.worksheets[sheet][cell] = value
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("form", FORMS)
def test_what_was_exported_is_genuine(form: str, locale: str) -> None:  # moonshot 20
    assert verdict(STATEMENT, form, locale).problems == ()


@settings(max_examples=40, deadline=None)
@given(
    form=st.sampled_from(FORMS),
    locale=st.sampled_from(LOCALES),
    index=st.integers(0, 3),
    cents=st.integers(-(10**6), 10**6).filter(bool),
)
def test_a_file_of_other_amounts_is_refused_whatever_its_form(
    form: str, locale: str, index: int, cents: int
) -> None:  # moonshot 20
    lines = list(STATEMENT.lines)
    lines[index] = replace(lines[index], amount_minor=lines[index].amount_minor + cents)
    forged = replace(STATEMENT, lines=tuple(lines))
    match form:
        case "csv":
            content = statement_csv(forged, locale=locale)
            found = verify_csv(content, statement_sig(STATEMENT), public_key=PUBLIC_KEY)
            place = f"row {index + 2}"
        case "json":
            said = json.loads(statement_json(forged))
            said["lines"][index]["check"] = CHECKS[index]
            found = verify_json(json.dumps(said).encode(), public_key=PUBLIC_KEY)
            place = f"line {index + 1}"
        case _:
            # Here the forger has even made the check code anew, so that the line cannot be told.
            found = verify_xlsx(statement_xlsx(forged, locale=locale), public_key=PUBLIC_KEY)
            place = ""

    assert found.problems[0].place == place
    assert any("the lines add up to" in problem.what for problem in found.problems)


def test_one_cent_in_one_cell_is_found_by_its_row() -> None:
    content = with_cell(statement_xlsx(STATEMENT, locale="zh"), 2, "L3", 20.01)

    problems = [str(problem) for problem in verdict(STATEMENT, "xlsx", "zh", content).problems]

    assert problems == [
        "sheet 明细, row 3: the line of ticket 0012345 is not what was signed",
        "the lines add up to 2334 minor units, signed were 2333",
    ]


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "place"),
    [
        (0, "C12", 23.34, "sheet Statement"),
        (0, "C9", 0.01, "sheet Statement"),
        (0, "C1", "Bo", "sheet Statement"),
        (0, "C3", "2", "sheet Statement"),
        (1, "D2", 20.01, "sheet Tickets"),
        (2, "B2", "0012346", "sheet Lines, row 2"),
        (2, "F2", "parts", "sheet Lines, row 2"),
        (2, "F2", "gifts", "sheet Lines, row 2"),
        (2, "K2", "1 × 100.01 = 100.00", "sheet Lines, row 2"),
        (2, "L2", "100.005", "sheet Lines, row 2"),
        (2, "M2", "USD", "sheet Lines, row 2"),
        (2, "N2", "0" * 16, "sheet Lines, row 2"),
        (3, "B3", "A" * 88, "signature"),
    ],
)
def test_nothing_of_a_workbook_can_be_changed_unseen(sheet: int, cell: str, value: Any, place: str) -> None:
    content = with_cell(statement_xlsx(STATEMENT, locale="en"), sheet, cell, value)

    problems = verdict(STATEMENT, "xlsx", "en", content).problems

    assert [problem.place for problem in problems][:1] == [place]


def test_a_workbook_saved_again_by_another_program_is_as_genuine_as_before() -> None:
    content = with_cell(statement_xlsx(STATEMENT, locale="en"), 2, "A1", "Service date")

    assert verdict(STATEMENT, "xlsx", "en", content).problems == ()


@pytest.mark.parametrize("change", ["drop", "swap", "repeat"])
def test_lines_cannot_be_taken_out_moved_or_repeated(change: str) -> None:
    heading, first, second, *rest = statement_csv(STATEMENT, locale="zh").splitlines(keepends=True)
    lines = {"drop": [second, *rest], "swap": [second, first, *rest], "repeat": [first, first, second, *rest]}

    content = heading + b"".join(lines[change])

    assert verdict(STATEMENT, "csv", "zh", content).problems != ()


def test_the_head_cannot_be_changed_with_the_lines() -> None:
    said = json.loads(statement_json(STATEMENT))
    said["head"]["total_minor"] += 1
    said["total_minor"] += 1

    problems = verify_json(json.dumps(said).encode(), public_key=PUBLIC_KEY).problems

    assert problems[0].place == "signature"


def test_another_key_did_not_sign_it() -> None:
    other = signing.public_key_of(bytes(32))

    problems = verify_json(statement_json(STATEMENT), public_key=other).problems

    assert [str(problem) for problem in problems] == [
        "signature: this key did not sign what the file says was signed; "
        "the file names another key than the one given"
    ]


def test_a_draft_has_nothing_to_verify() -> None:
    draft = make_document(make_line(100), number=None)

    with pytest.raises(NotSigned):
        statement_sig(draft)
    with pytest.raises(Unreadable):
        verify_json(statement_json(draft), public_key=PUBLIC_KEY)
    with pytest.raises(Unreadable):
        verify_xlsx(statement_xlsx(draft, locale="zh"), public_key=PUBLIC_KEY)


def test_the_command_says_which_line_and_ends_with_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # moonshot 20
    good, csv_file, key = tmp_path / "good.json", tmp_path / "one.csv", tmp_path / "key.txt"
    good.write_bytes(statement_json(STATEMENT))
    key.write_text(PUBLIC_KEY + "\n", encoding="ascii")
    csv_file.write_bytes(statement_csv(STATEMENT, locale="en"))
    assert main([str(csv_file), "--key", PUBLIC_KEY]) == UNREADABLE
    csv_file.with_name("one.csv.sig").write_bytes(statement_sig(STATEMENT))

    assert main([str(good), str(csv_file), "--key", str(key)]) == GENUINE
    csv_file.write_bytes(csv_file.read_bytes().replace(b",3.33,", b",3.34,"))
    capsys.readouterr()
    assert main([str(good), str(csv_file), "--key", str(key)]) == CHANGED

    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"{good}: genuine; 安娜, 2026-11 no. 1, 4 lines, 2333 minor units of CNY")
    assert said[1:] == [
        f"{csv_file}: NOT what was signed",
        "  row 5: the line of ticket '=1+1 is not what was signed",
        "  the lines add up to 2334 minor units, signed were 2333",
    ]
    assert main([str(good), "--key", "nonsense"]) == UNREADABLE
    assert main([str(tmp_path / "good.pdf"), "--key", PUBLIC_KEY]) == UNREADABLE


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"head": 1}', b"PK\x03\x04", "工单,金额\r\n".encode("gbk")]
)
def test_what_is_no_statement_is_unreadable_and_never_a_crash(content: bytes) -> None:
    with pytest.raises(Unreadable):
        verify_json(content, public_key=PUBLIC_KEY)
    with pytest.raises(Unreadable):
        verify_xlsx(content, public_key=PUBLIC_KEY)
    with pytest.raises(Unreadable):
        verify_csv(content, statement_sig(STATEMENT), public_key=PUBLIC_KEY)


def test_a_sealed_key_opens_with_its_secret_and_for_its_owner_only() -> None:
    sealed = sealing.seal(b"k" * 32, secret="s" * 32, about="1:key")

    assert sealing.unseal(sealed, secret="s" * 32, about="1:key") == b"k" * 32
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(sealed, secret="t" * 32, about="1:key")
    with pytest.raises(sealing.SealBroken):
        sealing.unseal(sealed, secret="s" * 32, about="2:key")
    with pytest.raises(sealing.SealBroken):
        sealing.unseal("not base64!", secret="s" * 32, about="1:key")


@pytest.mark.parametrize("form", FORMS)
def test_currencies_without_cents_and_large_amounts_survive_every_file(form: str) -> None:
    yen = signed(make_document(make_line(123_456_789_012), make_line(-1), currency="JPY"))

    assert verdict(yen, form, "en").problems == ()
