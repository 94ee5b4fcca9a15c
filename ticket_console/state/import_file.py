"""Importing a file: choose it, say what its columns mean, look at the first rows, run, read the report."""

import asyncio
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ticket_console.forms import reads as form_reads
from ticket_console.intake.importing import ImportReport, StopImport, preview, run_import, targets
from ticket_console.intake.importing import batches as imports
from ticket_console.intake.importing.columns import BadMapping
from ticket_console.intake.importing.uploads import content_of
from ticket_console.intake.states import RawState
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import FieldProblem
from ticket_console.state.feedback import done, told
from ticket_console.state.session import Reply, SessionState, handler
from ticket_console.state.ticket import plain

PAGE: Final = 50
_TELL_SECONDS: Final = 0.25
_SAMPLES: Final = 3
_CELL_LENGTH: Final = 200

Plain = dict[str, Any]


class ImportState(SessionState):
    status: str = "loading"
    step: str = "choose"
    templates: list[Plain] = []
    template: str = ""
    filename: str = ""
    columns: list[Plain] = []
    places: list[Plain] = []
    headers: list[str] = []
    preview_rows: list[Plain] = []
    row_count: int = 0
    bad_rows: int = 0
    mapping_problems: list[Plain] = []
    recent: list[Plain] = []
    progress: int = 0
    stopping: bool = False
    batch: Plain = {}
    outcome: str = ""
    outcomes: list[Plain] = []
    page: int = 1
    pages: int = 1
    listed: int = 0

    _key: str = ""
    _mapping: dict[str, str] = {}

    @handler(permission="intake.import")
    async def load(self) -> Reply:
        self.templates, self.recent = await off_loop(_start, viewer=self._actor())
        if not self.template and self.templates:
            self.template = self.templates[0]["value"]
        if self.step == "report":
            self.step = "choose"
        self.status = "ready"
        asked = self.router.url.query_parameters.get("batch", "")
        if asked.isascii() and asked.isdecimal() and len(asked) < 10:
            await self._open_report(int(asked))
        return None

    @handler(permission="intake.import")
    async def take(self, upload: Plain) -> Reply:
        """A file that was uploaded: show how it would be read."""
        if self.step == "running":
            return told("imports.still_running")
        self._key, self.filename = str(upload.get("key", "")), str(upload.get("filename", ""))[:200]
        await self._look(None)
        self.step = "map"
        return None

    @handler(permission="intake.import")
    async def choose_template(self, code: str) -> Reply:
        self.template = code
        if self._key and self.step == "map":
            await self._look(None)
        return None

    @handler(permission="intake.import")
    async def place_column(self, index: int, place: str) -> Reply:
        """Say what a column means; a place that another column had is taken from it."""
        if self.step != "map" or not 0 <= index < len(self.headers):
            return None
        header = self.headers[index]
        mapping = {key: kept for key, kept in self._mapping.items() if key != header and kept != place}
        if place:
            mapping[header] = place
        await self._look(mapping)
        return None

    @handler(permission="intake.import")
    async def start_over(self) -> Reply:
        if self.step != "running":
            self.step, self._key, self._mapping = "choose", "", {}
            self.recent = (await off_loop(_start, viewer=self._actor()))[1]
        return None

    @handler(permission="intake.import")
    async def stop(self) -> Reply:
        self.stopping = True
        return None

    @handler(permission="intake.import", background=True)
    async def run(self) -> Reply:
        """Receive every row; leaving the page does not end it, only `stop` does."""
        actor, at = self._actor(), self._now()
        async with self:
            if self.step != "map" or self.mapping_problems:
                return None
            self.step, self.progress, self.stopping = "running", 0, False
            job = _Job(actor, at, self._key, self.filename, self.template, dict(self._mapping))
        running = asyncio.ensure_future(off_loop(job.run))
        try:
            while not (await asyncio.wait({running}, timeout=_TELL_SECONDS))[0]:
                async with self:
                    self.progress = job.done
                    if self.stopping:
                        job.stopped.set()
            report = running.result()
        except BaseException:
            job.stopped.set()
            async with self:
                self.step = "map"
            raise
        async with self:
            self._key = ""
            await self._open_report(report.batch_id)
            self.recent = (await off_loop(_start, viewer=actor))[1]
        if len(report.outcomes) < job.total:
            return told("imports.stopped", done=len(report.outcomes), all=job.total)
        return done("imports.finished", n=len(report.outcomes))

    @handler(permission="intake.import")
    async def show_outcomes(self, state: str) -> Reply:
        self.outcome, self.page = state if state in set(RawState) else "", 1
        await self._list_outcomes()
        return None

    @handler(permission="intake.import")
    async def turn(self, step: int) -> Reply:
        self.page = min(max(1, self.page + (1 if step > 0 else -1)), self.pages)
        await self._list_outcomes()
        return None

    async def _look(self, mapping: dict[str, str] | None) -> None:
        seen = await off_loop(
            _look, actor=self._actor(), key=self._key, template=self.template, mapping=mapping
        )
        self._mapping = seen.pop("mapping")
        for part, value in seen.items():
            setattr(self, part, value)

    async def _open_report(self, batch_id: int) -> None:
        self.batch = await off_loop(_batch, viewer=self._actor(), batch_id=batch_id)
        self.outcome, self.page = "", 1
        self.step = "report"
        await self._list_outcomes()

    async def _list_outcomes(self) -> None:
        found = await off_loop(
            _outcomes,
            viewer=self._actor(),
            batch_id=int(self.batch["id"]),
            state=self.outcome,
            page=self.page,
        )
        self.outcomes, self.listed = found
        self.pages = max(1, -(-self.listed // PAGE))


class _Job:
    """An import on its way in a thread of its own, and how far it is."""

    def __init__(
        self, actor: Actor, at: datetime, key: str, filename: str, template: str, mapping: Mapping[str, str]
    ) -> None:
        self._actor, self._at, self._key, self._filename = actor, at, key, filename
        self._template, self._mapping = template, mapping
        self.done = self.total = 0
        self.stopped = threading.Event()

    def run(self) -> ImportReport:
        return run_import(
            actor=self._actor,
            at=self._at,
            content=content_of(actor=self._actor, key=self._key),
            filename=self._filename,
            template_code=self._template,
            mapping=self._mapping,
            on_progress=self._hear,
        )

    def _hear(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        if self.stopped.is_set() and done < total:
            raise StopImport


def _start(*, viewer: Actor) -> tuple[list[Plain], list[Plain]]:
    with reading() as connection:
        templates = form_reads.published_templates(connection, viewer.org_id)
        recent = imports.recent(connection, viewer)
    return (
        [{"value": each.code, "label": each.name} for each in templates],
        [{**plain(each), "href": f"/intake/import?batch={each.id}"} for each in recent],
    )


def _look(*, actor: Actor, key: str, template: str, mapping: Mapping[str, str] | None) -> Plain:
    """How a file would be read; where the mapping cannot be used, what is wrong with it."""
    content = content_of(actor=actor, key=key)
    refused: tuple[FieldProblem, ...] = ()
    guessed = preview(actor=actor, content=content, template_code=template)
    chosen = dict(guessed.mapping if mapping is None else mapping)
    shown = guessed
    try:
        shown = preview(actor=actor, content=content, template_code=template, mapping=chosen)
    except BadMapping as bad:
        refused = bad.problems
    with reading() as connection:
        definition = form_reads.template_by_code(connection, actor.org_id, template).definition
    rows = [_preview_row(row, shown.headers, is_judged=not refused) for row in shown.rows]
    return {
        "mapping": chosen,
        "headers": list(shown.headers),
        "columns": [
            {
                "index": index,
                "header": header,
                "place": chosen.get(header, ""),
                "samples": _samples(shown.rows, index),
            }
            for index, header in enumerate(shown.headers)
            if header
        ],
        "places": [
            {"value": target.key, "label": target.name or {}, "key": target.label}
            for target in targets(definition)
        ],
        "preview_rows": rows,
        "row_count": shown.row_count,
        "bad_rows": sum(bool(row["problems"]) for row in rows),
        "mapping_problems": [plain(each) for each in refused],
    }


def _preview_row(row: Any, headers: tuple[str, ...], *, is_judged: bool) -> Plain:
    problems = [plain(each) for each in row.problems] if is_judged else []
    wrong = {each["path"] for each in problems}
    cells = [
        {
            "text": (row.cells[index] if index < len(row.cells) else "")[:_CELL_LENGTH],
            "is_wrong": header in wrong,
        }
        for index, header in enumerate(headers)
    ]
    return {"number": row.number, "cells": cells, "problems": problems}


def _samples(rows: Any, index: int) -> str:
    cells = (row.cells[index].strip() for row in rows if index < len(row.cells))
    found = dict.fromkeys(cell[:40] for cell in cells if cell)
    return " · ".join(list(found)[:_SAMPLES])


def _batch(*, viewer: Actor, batch_id: int) -> Plain:
    with reading() as connection:
        found: Plain = plain(imports.batch(connection, viewer, batch_id))
    found["report_url"] = f"/api/v1/imports/{batch_id}/report"
    return found


def _outcomes(*, viewer: Actor, batch_id: int, state: str, page: int) -> tuple[list[Plain], int]:
    with reading() as connection:
        report = imports.report_of(connection, viewer, batch_id)
    chosen = [each for each in report.outcomes if not state or each.state == state]
    return [plain(each) for each in chosen[(page - 1) * PAGE : page * PAGE]], len(chosen)
