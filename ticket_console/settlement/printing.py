"""Statements on paper: PDF set by typst from a template that the customer may replace.

The template is `statement.typ` of TEMPLATES_DIR, or the one that comes along; pictures it uses lie beside it.
Setting a page keeps about 45 MB in the process, so typst is loaded when the first page is asked for.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from ticket_console.i18n import translate
from ticket_console.kernel.canonical import canonical_json
from ticket_console.kernel.errors import ConsoleError
from ticket_console.kernel.settings import settings
from ticket_console.kernel.text import pick
from ticket_console.settlement import wording
from ticket_console.settlement.documents import StatementDocument
from ticket_console.settlement.stated_lines import DocumentLine
from ticket_console.settlement.tabling import local_day, major, statement_head, subtotals_by_dimension

TEMPLATE: Final = "statement.typ"
_OURS: Final = Path(__file__).parent / "printed" / TEMPLATE
_WORDS: Final = (
    "service_on",
    "ticket_no",
    "dimension",
    "rule",
    "formula",
    "amount",
    "subtotal",
    "total",
    "content_hash",
    "signature",
    "signing_key",
    "unsigned",
)
_LINE: Final = re.compile(r"┌─ .*?:(\d+):\d+")


class BrokenTemplate(ConsoleError):
    """The template cannot be printed; `line` is where, 0 when the typesetter names none."""

    code = "settlement.template_broken"
    http_status = 500


def template() -> Path:
    """The file statements are printed by."""
    theirs = settings().templates_dir / TEMPLATE
    return theirs if theirs.is_file() else _OURS


def statement_pdf(document: StatementDocument, *, locale: str) -> bytes:
    """One statement; raises BrokenTemplate naming the line of the customer's template."""
    return next(statement_pdfs([document], locale=locale))


def statement_pdfs(documents: Iterable[StatementDocument], *, locale: str) -> Iterator[bytes]:
    """Statements one after the other, about 20 ms each; raises BrokenTemplate."""
    chosen = template()
    for document in documents:
        yield _compiled(chosen, _printed(document, locale), document)


def _compiled(chosen: Path, printed: Mapping[str, Any], document: StatementDocument) -> bytes:
    import typst

    try:
        # The time is that of the statement, so that one statement always gives the same file.
        content = typst.compile(
            str(chosen),
            root=str(chosen.parent),
            font_paths=_fonts(),
            sys_inputs={"statement": canonical_json(printed)},
            timestamp=(document.issued_at or document.period.starts_at).replace(microsecond=0),
        )
    except typst.TypstError as broken:
        found = _LINE.search(broken.diagnostic)
        raise BrokenTemplate(
            file=chosen.name, line=int(found[1]) if found else 0, reason=broken.message
        ) from broken
    assert isinstance(content, bytes)
    return content


@lru_cache(maxsize=1)
def _fonts() -> Any:
    import pylopdf_fonts_zh_cn as chinese
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[str(chinese.sans_path().parent)])


def _printed(document: StatementDocument, locale: str) -> dict[str, Any]:
    """What the template may use; every text in the reader's language, every amount as a person writes it."""
    signature = document.signature
    return {
        "language": locale,
        "title": translate("settlement.export.sheet_statement", locale),
        "organisation": pick(document.organisation, locale),
        "page": translate("settlement.export.page", locale, page="{page}", pages="{pages}"),
        "words": {word: translate(f"settlement.export.{word}", locale) for word in _WORDS},
        "head": [
            [translate(f"settlement.export.{name}", locale), str(value)]
            for name, value in statement_head(document, locale)
        ],
        "lines": [_line(line, document, locale) for line in document.lines],
        "subtotals": [
            {"dimension": name, "amount": _written(amount)}
            for name, _, amount in subtotals_by_dimension(document, locale)
        ],
        "total": _written(major(document.total_minor, document.currency)),
        "currency": document.currency,
        "hash": "" if signature is None else signature.head["lines_hash"],
        "signature": "" if signature is None else signature.signature,
        "key": "" if signature is None else signature.public_key,
    }


def _line(line: DocumentLine, document: StatementDocument, locale: str) -> dict[str, str]:
    return {
        "service_on": local_day(line.service_at, document.period).isoformat(),
        "ticket_no": line.ticket_no,
        "segment": line.segment,
        "entry": translate(f"settlement.entry.{line.kind.value}", locale),
        "dimension": pick(wording.DIMENSIONS[line.dimension], locale),
        "rule": pick(line.rule_name, locale),
        "rule_code": line.rule_code,
        "rule_version": str(line.rule_version),
        "item": line.item,
        "formula": line.formula,
        "amount": _written(major(line.amount_minor, document.currency)),
    }


def _written(amount: Decimal) -> str:
    return format(amount, ",f")
