"""Files of requests over HTTP: the upload of a file to import, and the report of an import."""

from dataclasses import dataclass
from typing import Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from ticket_console.api.routing import Call, route
from ticket_console.intake.importing import MOST_BYTES, batches, report_csv, uploads
from ticket_console.intake.importing.uploads import Upload
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import FieldProblem, InvalidInput

# What a form adds around the file: its boundaries and headers.
_AROUND: Final = 16 << 10


@dataclass(frozen=True, slots=True)
class KeptUpload:
    """A file that can be imported; `key` is good for a day, for the caller only."""

    key: str
    filename: str
    rows: int


async def upload_import(call: Call[None]) -> KeptUpload:
    """Upload a CSV file or a workbook to import; sent as a form with one part called "file"."""
    async with call.request.form(max_files=1, max_fields=4) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise InvalidInput((FieldProblem("file", "field.required"),))
        content, name = await sent.read(), sent.filename or "file"
    kept: Upload = await off_loop(uploads.keep, actor=call.actor, at=call.at, filename=name, content=content)
    return KeptUpload(kept.key, kept.filename, kept.rows)


async def download_import_report(call: Call[None]) -> Response:
    """Download what became of each row of an import, as CSV in the caller's language."""

    def read() -> bytes:
        with reading() as connection:
            report = batches.report_of(connection, call.actor, call.path_param("batch_id"))
        return report_csv(report, locale=call.locale)

    content = await off_loop(read)
    name = f"import-{call.path_param('batch_id')}.csv"
    return Response(
        content,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


endpoints: Final = (
    route(
        "/api/v1/imports",
        upload_import,
        method="POST",
        permission="intake.import",
        consumes="multipart/form-data",
        answer=KeptUpload,
        status=201,
        max_bytes=lambda: MOST_BYTES + _AROUND,
        per_minute=lambda: 30,
        tag="intake",
    ),
    route(
        "/api/v1/imports/{batch_id:id}/report",
        download_import_report,
        permission="intake.import",
        produces="text/csv",
        tag="intake",
    ),
)
