"""What the files of a statement say, as plain rows: no writer's business and no database's."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from babel.numbers import get_currency_precision

from ticket_console.i18n import translate
from ticket_console.kernel.text import pick
from ticket_console.settlement import wording
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.documents import StatementDocument
from ticket_console.settlement.kinds import Dimension, JournalKind

Cell = str | int | Decimal | date


class Form(StrEnum):
    """How the cells of a column are kept."""

    TEXT = "text"
    WHOLE = "whole"
    MONEY = "money"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file; its heading is the text of `settlement.export.<key>`."""

    key: str
    form: Form
    width: int


LINE_COLUMNS: Final = (
    Column("service_on", Form.DATE, 12),
    Column("ticket_no", Form.TEXT, 20),
    Column("segment", Form.TEXT, 10),
    Column("journal", Form.WHOLE, 10),
    Column("entry", Form.TEXT, 10),
    Column("dimension", Form.TEXT, 14),
    Column("rule", Form.TEXT, 26),
    Column("rule_code", Form.TEXT, 20),
    Column("rule_version", Form.WHOLE, 10),
    Column("item", Form.TEXT, 16),
    Column("formula", Form.TEXT, 44),
    Column("amount", Form.MONEY, 14),
    Column("currency", Form.TEXT, 8),
)
# What the verifier finds a changed line by; only in files that carry a signature.
CHECK: Final = Column("check", Form.TEXT, 20)
TICKET_COLUMNS: Final = (
    Column("service_on", Form.DATE, 16),
    Column("ticket_no", Form.TEXT, 24),
    Column("lines", Form.WHOLE, 10),
    Column("subtotal", Form.MONEY, 16),
    Column("currency", Form.TEXT, 8),
)
DIMENSION_COLUMNS: Final = (
    Column("dimension", Form.TEXT, 24),
    Column("lines", Form.WHOLE, 10),
    Column("subtotal", Form.MONEY, 18),
    Column("currency", Form.TEXT, 18),
)


def major(amount_minor: int, currency: str) -> Decimal:
    """An amount as a person writes it, exactly."""
    return Decimal(amount_minor).scaleb(-get_currency_precision(currency))


def local_day(at: datetime, period: PeriodView) -> date:
    return at.astimezone(ZoneInfo(period.tz)).date()


def headings(columns: Sequence[Column], locale: str) -> list[str]:
    return [translate(f"settlement.export.{column.key}", locale) for column in columns]


def dimension_names(locale: str) -> dict[Dimension, str]:
    return {dimension: pick(name, locale) for dimension, name in wording.DIMENSIONS.items()}


def entry_names(locale: str) -> dict[JournalKind, str]:
    return {kind: translate(f"settlement.entry.{kind.value}", locale) for kind in JournalKind}


def statement_head(document: StatementDocument, locale: str) -> list[tuple[str, Cell]]:
    """What stands above the lines, by the key of its name."""
    head: list[tuple[str, Cell]] = [
        (document.payee.kind.value, pick(document.payee_name, locale)),
        ("period", document.period.code),
        ("number", "" if document.number is None else str(document.number)),
        ("state", translate(f"settlement.statement.{document.state.value}", locale)),
        ("as_of", str(document.as_of_seq)),
    ]
    if document.issued_at is not None:
        head.append(("issued_on", local_day(document.issued_at, document.period)))
    return head


def subtotals_by_dimension(document: StatementDocument, locale: str) -> list[tuple[str, int, Decimal]]:
    """Name, number of lines and sum of every dimension that has lines, in the order of the dimensions."""
    names = dimension_names(locale)
    counts = dict.fromkeys(Dimension, 0)
    sums = dict.fromkeys(Dimension, 0)
    for line in document.lines:
        counts[line.dimension] += 1
        sums[line.dimension] += line.amount_minor
    return [
        (names[dimension], counts[dimension], major(sums[dimension], document.currency))
        for dimension in Dimension
        if counts[dimension]
    ]


def dimension_rows(document: StatementDocument, locale: str) -> list[list[Cell]]:
    return [
        [name, count, amount, document.currency]
        for name, count, amount in subtotals_by_dimension(document, locale)
    ]


def ticket_rows(document: StatementDocument) -> list[list[Cell]]:
    """A subtotal for each ticket, in the order in which the work was finished."""
    finished: dict[tuple[int, str], datetime] = {}
    counts: Counter[tuple[int, str]] = Counter()
    sums: Counter[tuple[int, str]] = Counter()
    for line in document.lines:
        ticket = line.ticket_id, line.ticket_no
        finished[ticket] = min(finished.get(ticket, line.service_at), line.service_at)
        counts[ticket] += 1
        sums[ticket] += line.amount_minor
    return [
        [
            local_day(finished[ticket], document.period),
            ticket[1],
            counts[ticket],
            major(sums[ticket], document.currency),
            document.currency,
        ]
        for ticket in sorted(finished, key=lambda ticket: (finished[ticket], ticket))
    ]


def line_rows(document: StatementDocument, locale: str) -> Iterator[list[Cell]]:
    """Every line under `LINE_COLUMNS`."""
    dimensions, entries = dimension_names(locale), entry_names(locale)
    zone = ZoneInfo(document.period.tz)
    places = -get_currency_precision(document.currency)
    for line in document.lines:
        yield [
            line.service_at.astimezone(zone).date(),
            line.ticket_no,
            line.segment,
            line.journal_seq,
            entries[line.kind],
            dimensions[line.dimension],
            pick(line.rule_name, locale),
            line.rule_code,
            line.rule_version,
            line.item,
            line.formula,
            Decimal(line.amount_minor).scaleb(places),
            document.currency,
        ]
