"""Importing a file: look first, then every row through the same door as every other request."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from ticket_console.access import places, policy
from ticket_console.forms import reads as form_reads
from ticket_console.forms.reads import PublishedTemplate
from ticket_console.intake.importing.columns import check_mapping, suggest_mapping
from ticket_console.intake.importing.rows import RowReader, by_column
from ticket_console.intake.receiving import receive
from ticket_console.intake.states import RawState
from ticket_console.intake.tables import ImportBatch
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import reading, table, transaction
from ticket_console.kernel.errors import ConsoleError, FieldProblem, InvalidInput
from ticket_console.kernel.sheets import SheetRow, read_sheet

CHANNEL: Final = "import"
PREVIEW_ROWS: Final = 20
# How often the caller hears how far it is.
_TELL_EVERY: Final = 10

batches = table(ImportBatch)


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """`cells` as they stand in the file, `problems` under the header of the column they are about."""

    number: int
    cells: tuple[str, ...]
    problems: tuple[FieldProblem, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The first rows of a file as they would be imported, and how many rows there are in all."""

    headers: tuple[str, ...]
    mapping: Mapping[str, str]
    rows: tuple[PreviewRow, ...]
    row_count: int


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """`state` is ticket, duplicate or rejected; a row that is imported again is a duplicate of itself."""

    number: int
    state: RawState
    ticket_id: int | None = None
    ticket_no: str | None = None
    code: str | None = None
    problems: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Every row that held any text is in `outcomes`; the counts add up to their number."""

    batch_id: int
    filename: str
    outcomes: tuple[RowOutcome, ...]

    @property
    def opened(self) -> int:
        return self._count(RawState.TICKET)

    @property
    def duplicates(self) -> int:
        return self._count(RawState.DUPLICATE)

    @property
    def rejected(self) -> int:
        return self._count(RawState.REJECTED)

    def _count(self, state: RawState) -> int:
        return sum(outcome.state is state for outcome in self.outcomes)


OnProgress = Callable[[int, int], None]


class StopImport(Exception):
    """Raised by an `OnProgress` to end an import early; the rows received so far stay received."""


def preview(
    *, actor: Actor, content: bytes, template_code: str, mapping: Mapping[str, str] | None = None
) -> Preview:
    """The first rows with what is wrong with them; without a mapping, by a first guess.

    Raises BrokenFile, FileTooLarge, TemplateNotFound or BadMapping. Nothing is kept.
    """
    policy.require(actor, "intake.import")
    sheet = read_sheet(content)
    template, zone = _template_and_zone(actor, template_code)
    chosen = dict(mapping) if mapping is not None else suggest_mapping(sheet.headers, template.definition)
    if mapping is not None:
        check_mapping(chosen, sheet.headers, template.definition)
    reader = RowReader(sheet, chosen, template.code, template.definition, zone)
    rows = tuple(PreviewRow(row.number, row.cells, reader.problems(row)) for row in sheet.rows[:PREVIEW_ROWS])
    return Preview(sheet.headers, chosen, rows, len(sheet.rows))


def run_import(
    *,
    actor: Actor,
    at: datetime,
    content: bytes,
    filename: str,
    template_code: str,
    mapping: Mapping[str, str],
    on_progress: OnProgress | None = None,
) -> ImportReport:
    """Receive every row of a file; `on_progress` hears how many of how many are done.

    It may raise StopImport: then the report ends with the rows received so far.

    A row is recognised by its source's number, or by the file's content and its place in it, so the
    same file again creates nothing; a rejected row may come again with another mapping. Raises what
    `preview` raises before any row is received; a row's own refusal is its outcome.
    """
    policy.require(actor, "intake.import")
    sheet = read_sheet(content)
    template, zone = _template_and_zone(actor, template_code)
    check_mapping(mapping, sheet.headers, template.definition)
    reader = RowReader(sheet, mapping, template.code, template.definition, zone)
    content_hash = hashlib.sha256(content).hexdigest()
    batch_id = _begin(actor, at, filename, content_hash, template, reader)
    outcomes: list[RowOutcome] = []
    for row in sheet.rows:
        outcomes.append(_outcome(reader, row, actor=actor, at=at, content_hash=content_hash))
        if on_progress is not None and (len(outcomes) % _TELL_EVERY == 0 or len(outcomes) == len(sheet.rows)):
            try:
                on_progress(len(outcomes), len(sheet.rows))
            except StopImport:
                break
    report = ImportReport(batch_id, filename, tuple(outcomes))
    _end(report, at)
    return report


def _template_and_zone(actor: Actor, template_code: str) -> tuple[PublishedTemplate, tzinfo]:
    with reading() as connection:
        template = form_reads.template_by_code(connection, actor.org_id, template_code)
        return template, ZoneInfo(places.org(connection, actor.org_id).tz)


def _outcome(
    reader: RowReader, row: SheetRow, *, actor: Actor, at: datetime, content_hash: str
) -> RowOutcome:
    request = reader.request(row)
    key = None if "external_id" in request else f"{content_hash}:{row.number}"
    try:
        receipt = receive(actor=actor, at=at, channel=CHANNEL, delivery_key=key, payload=request)
    except InvalidInput as invalid:
        problems = by_column(invalid.problems, reader.mapping)
        return RowOutcome(row.number, RawState.REJECTED, code=invalid.code, problems=problems)
    except ConsoleError as refusal:
        problem = FieldProblem("", refusal.code, refusal.params)
        return RowOutcome(row.number, RawState.REJECTED, code=refusal.code, problems=(problem,))
    state = RawState.DUPLICATE if receipt.is_repeat else receipt.state
    return RowOutcome(row.number, state, receipt.ticket_id, receipt.ticket_no)


def _begin(
    actor: Actor,
    at: datetime,
    filename: str,
    content_hash: str,
    template: PublishedTemplate,
    reader: RowReader,
) -> int:
    with transaction() as connection:
        batch_id: int = connection.execute(
            sa.insert(batches)
            .values(
                org_id=actor.org_id,
                filename=filename[:200],
                content_hash=content_hash,
                template_id=template.template_id,
                mapping=dict(reader.mapping),
                rows=len(reader.sheet.rows),
                opened=0,
                duplicates=0,
                rejected=0,
                report=[],
                by=actor.label,
                started_at=at,
            )
            .returning(batches.c.id)
        ).scalar_one()
    return batch_id


def _end(report: ImportReport, at: datetime) -> None:
    with transaction() as connection:
        connection.execute(
            sa.update(batches)
            .where(batches.c.id == report.batch_id)
            .values(
                opened=report.opened,
                duplicates=report.duplicates,
                rejected=report.rejected,
                report=[outcome_json(outcome) for outcome in report.outcomes],
                finished_at=at,
            )
        )


def outcome_json(outcome: RowOutcome) -> dict[str, Any]:
    return {
        "row": outcome.number,
        "state": outcome.state.value,
        "ticket_id": outcome.ticket_id,
        "ticket_no": outcome.ticket_no,
        "code": outcome.code,
        "problems": [
            {"path": each.path, "code": each.code, "params": dict(each.params)} for each in outcome.problems
        ],
    }
