"""A reconciliation to take home and to send back: XLSX with typed cells, and CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from ticket_console.i18n import translate
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.text import pick
from ticket_console.settlement import closing
from ticket_console.settlement.closing import PeriodView
from ticket_console.settlement.exports import Book, csv_of
from ticket_console.settlement.reconciling import reads
from ticket_console.settlement.reconciling.matching import Outcome
from ticket_console.settlement.reconciling.reads import LineView, OutcomeTotal
from ticket_console.settlement.reconciling.running import ReconciliationView
from ticket_console.settlement.tabling import Cell, Column, Form, major

# More lines than two sides can have; a file leaves none out.
_EVERY_LINE: Final = 1_000_000

_TOTAL_COLUMNS: Final = (
    Column("outcome", Form.TEXT, 18),
    Column("lines", Form.WHOLE, 10),
    Column("ours", Form.MONEY, 16),
    Column("theirs", Form.MONEY, 16),
    Column("difference", Form.MONEY, 16),
    Column("currency", Form.TEXT, 8),
    Column("disputed", Form.WHOLE, 12),
    Column("undecided", Form.WHOLE, 12),
)
_LINE_COLUMNS: Final = (
    Column("outcome", Form.TEXT, 18),
    Column("ticket_no", Form.TEXT, 20),
    Column("our_day", Form.DATE, 12),
    Column("ours", Form.MONEY, 14),
    Column("posting", Form.TEXT, 18),
    Column("their_row", Form.TEXT, 10),
    Column("their_ticket_no", Form.TEXT, 20),
    Column("their_day", Form.DATE, 12),
    Column("theirs", Form.MONEY, 14),
    Column("difference", Form.MONEY, 14),
    Column("currency", Form.TEXT, 8),
    Column("decision", Form.TEXT, 10),
    Column("note", Form.TEXT, 36),
)


@dataclass(frozen=True, slots=True)
class ReconciliationDocument:
    """All of a reconciliation, as its files say it."""

    reconciliation: ReconciliationView
    period: PeriodView
    totals: Mapping[Outcome, OutcomeTotal]
    lines: tuple[LineView, ...]


def document(conn: Connection, *, viewer: Actor, reconciliation_id: int) -> ReconciliationDocument:
    known = reads.reconciliation(conn, viewer=viewer, reconciliation_id=reconciliation_id)
    return ReconciliationDocument(
        reconciliation=known,
        period=closing.period_view(conn, viewer.org_id, known.period_id),
        totals=reads.outcome_totals(conn, viewer=viewer, reconciliation_id=reconciliation_id),
        lines=reads.lines(conn, viewer=viewer, reconciliation_id=reconciliation_id, limit=_EVERY_LINE).rows,
    )


def reconciliation_xlsx(shown: ReconciliationDocument, *, locale: str) -> bytes:
    """A sheet with the totals of each outcome and of all, and a sheet with every line."""
    known = shown.reconciliation
    book = Book(known.currency, locale, known.started_at)
    head: list[tuple[str, Cell]] = [
        ("payee", pick(known.payee_name, locale)),
        ("period", shown.period.code),
        ("state", translate(f"reconcile.state.{known.state.value}", locale)),
        ("file", known.file_name),
        ("as_of", str(known.as_of_seq)),
    ]
    book.sheet("reconciliation", _TOTAL_COLUMNS, _total_rows(shown, locale), head=head)
    book.sheet("lines", _LINE_COLUMNS, _line_rows(shown, locale))
    return book.finish()


def reconciliation_csv(shown: ReconciliationDocument, *, locale: str) -> bytes:
    """Every line; the amounts add up to the two sides, so no total row is written."""
    return csv_of(_LINE_COLUMNS, _line_rows(shown, locale), locale)


def reconciliation_filename(shown: ReconciliationDocument, extension: str) -> str:
    return f"reconciliation-{shown.period.code}-{shown.reconciliation.id}.{extension}"


def _total_rows(shown: ReconciliationDocument, locale: str) -> list[list[Cell]]:
    every = shown.totals.values()
    named = [
        (translate(f"reconcile.outcome.{outcome.value}", locale), [shown.totals[outcome]])
        for outcome in Outcome
    ]
    named.append((translate("settlement.export.total", locale), list(every)))
    return [_total_row(name, parts, shown.reconciliation.currency) for name, parts in named]


def _total_row(name: str, parts: Sequence[OutcomeTotal], currency: str) -> list[Cell]:
    return [
        name,
        sum(part.total.count for part in parts),
        major(sum(part.total.ours_minor for part in parts), currency),
        major(sum(part.total.theirs_minor for part in parts), currency),
        major(sum(part.total.difference_minor for part in parts), currency),
        currency,
        sum(part.disputed for part in parts),
        sum(part.undecided for part in parts),
    ]


def _line_rows(shown: ReconciliationDocument, locale: str) -> list[list[Cell]]:
    return [_line_row(line, shown.reconciliation.currency, locale) for line in shown.lines]


def _line_row(line: LineView, currency: str, locale: str) -> list[Cell]:
    def amount(minor: int | None) -> Cell:
        return "" if minor is None else major(minor, currency)

    return [
        translate(f"reconcile.outcome.{line.outcome.value}", locale),
        line.our_ticket_no or "",
        line.our_day or "",
        amount(line.our_amount_minor),
        "" if line.our_posting_id is None else str(line.our_posting_id),
        "" if line.their_row is None else str(line.their_row),
        line.their_ticket_no or "",
        line.their_day or "",
        amount(line.their_amount_minor),
        major(line.difference_minor, currency),
        currency,
        translate(f"reconcile.decision.{line.decision.value if line.decision else 'none'}", locale),
        line.note,
    ]
