"""What became of each row, as a file to take home and to correct."""

from typing import Any

from ticket_console.i18n import translate
from ticket_console.intake.importing.running import ImportReport, RowOutcome
from ticket_console.kernel.csv_text import csv_file
from ticket_console.kernel.errors import FieldProblem


def report_csv(report: ImportReport, *, locale: str) -> bytes:
    """One line per row, in the reader's language: UTF-8 with a mark, so that Excel reads it right.

    Text that a spreadsheet would run as a formula is made plain.
    """
    heading = [
        translate(f"intake.report.{column}", locale) for column in ("row", "outcome", "ticket", "problems")
    ]
    return csv_file(heading, [_line(outcome, locale) for outcome in report.outcomes])


def _line(outcome: RowOutcome, locale: str) -> tuple[str, ...]:
    return (
        str(outcome.number),
        translate(f"intake.state.{outcome.state.value}", locale),
        outcome.ticket_no or "",
        "; ".join(problem_text(each, locale) for each in outcome.problems),
    )


def problem_text(problem: FieldProblem, locale: str) -> str:
    figures: dict[str, Any] = dict(problem.params)
    said = translate(problem.code, locale, **figures)
    return f"{problem.path}: {said}" if problem.path else said
