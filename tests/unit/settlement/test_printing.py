"""Statements on paper: text taken from the PDF adds up to the statement, in both languages, page by page."""

import io
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.builders.documents import PUBLIC_KEY, make_document, make_line, signed
from ticket_console.kernel.settings import settings
from ticket_console.settlement import printing
from ticket_console.settlement.kinds import Dimension
from ticket_console.settlement.printing import BrokenTemplate, statement_pdf

LONG = signed(
    make_document(
        *(
            make_line(
                10000 + number,
                ticket_id=number,
                ticket_no=f"T-{number:04d}",
                dimension=list(Dimension)[number % 12],
            )
            for number in range(70)
        ),
        make_line(-4999, ticket_no="T-0000", dimension=Dimension.PARTS),
    )
)
TOTAL = f"{Decimal(LONG.total_minor) / 100:,.2f}"


@pytest.fixture(autouse=True)
def templates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    chosen = replace(settings(), templates_dir=tmp_path)
    monkeypatch.setattr(printing, "settings", lambda: chosen)
    return tmp_path


def pages(content: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def amounts(text: str) -> list[Decimal]:
    """The figures at the end of the printed lines, as somebody adds them up."""
    return [Decimal(found.replace(",", "")) for found in re.findall(r"= 100\.00\s+(-?[\d,]+\.\d\d)", text)]


@pytest.mark.parametrize(
    ("locale", "page", "heading", "dimension"),
    [
        ("zh", "第 {} 页 / 共 {} 页", "计算过程", "基础工费"),
        ("en", "Page {} of {}", "Computation", "base labour"),
    ],
)
def test_the_printed_lines_add_up_to_the_statement(
    locale: str, page: str, heading: str, dimension: str
) -> None:  # STL-24
    printed = pages(statement_pdf(LONG, locale=locale))

    found = amounts("\n".join(printed))
    assert (len(found), sum(found)) == (71, Decimal(LONG.total_minor) / 100)
    assert len(printed) == 2
    assert LONG.signature is not None
    for number, text in enumerate(printed, start=1):
        assert page.format(number, 2) in text
        assert heading in text
        assert PUBLIC_KEY in text
        assert LONG.signature.head["lines_hash"] in text
    assert dimension in printed[-1]
    assert f"CNY {TOTAL}" in printed[-1]


def test_the_font_is_inside_so_that_nothing_else_is_needed() -> None:
    reader = PdfReader(io.BytesIO(statement_pdf(LONG, locale="zh")))

    fonts = {
        str(descendant.get_object()["/BaseFont"])
        for font in reader.pages[0]["/Resources"]["/Font"].values()  # type: ignore[index]
        for descendant in font.get_object()["/DescendantFonts"]
    }
    assert any("NotoSansSC" in name for name in fonts)


def test_the_same_statement_gives_the_same_file() -> None:
    assert statement_pdf(LONG, locale="zh") == statement_pdf(LONG, locale="zh")


def test_a_draft_says_that_it_is_not_signed() -> None:
    (text,) = pages(statement_pdf(make_document(make_line(100), number=None), locale="zh"))

    assert "未签名：尚未出具" in text


def test_markup_in_names_is_text() -> None:
    text = "#panic() $x$ *b* _i_ @ref <l>"
    document = make_document(make_line(100, item=text, formula=text), payee_name={"zh": text})

    (printed,) = pages(statement_pdf(document, locale="zh"))

    assert "#panic() $x$ *b* _i_" in printed


def test_the_customers_template_is_printed_instead_of_ours(templates: Path) -> None:
    (templates / "statement.typ").write_text(
        "#let statement = json(bytes(sys.inputs.statement))\nSum: #statement.total", encoding="utf-8"
    )

    assert pages(statement_pdf(LONG, locale="zh")) == [f"Sum: {TOTAL}"]


@pytest.mark.parametrize(
    ("template", "line", "reason"),
    [
        ("First line\n#let broken = (\n", 2, "unclosed delimiter"),
        (
            "#let statement = json(bytes(sys.inputs.statement))\n\n#statement.nothing",
            3,
            "dictionary does not contain key",
        ),
        ('#image("missing.png")', 1, "file not found"),
    ],
)
def test_a_broken_template_is_refused_by_its_line(
    templates: Path, template: str, line: int, reason: str
) -> None:
    (templates / "statement.typ").write_text(template, encoding="utf-8")

    with pytest.raises(BrokenTemplate) as refused:
        statement_pdf(LONG, locale="zh")

    assert (refused.value.params["file"], refused.value.params["line"]) == ("statement.typ", line)
    assert reason in str(refused.value.params["reason"])
