"""Reconciliation over HTTP: the upload of a file to compare, and the result as a file."""

from typing import Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from ticket_console.api.routing import Call, route
from ticket_console.api.statements import FileFormat, FileQuery, file_response
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.kernel.sheets import MOST_BYTES
from ticket_console.settlement.reconciling import files, uploads
from ticket_console.settlement.reconciling.uploads import TheirUpload

# What a form adds around the file: its boundaries and headers.
_AROUND: Final = 16 << 10


async def upload_their_file(call: Call[None]) -> TheirUpload:
    """Upload a CSV file or a workbook to reconcile; sent as a form with one part called "file"."""
    async with call.request.form(max_files=1, max_fields=4) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise InvalidInput((FieldProblem("file", "field.required"),))
        content, name = await sent.read(), sent.filename or "file"
    kept: TheirUpload = await off_loop(
        uploads.keep, actor=call.actor, at=call.at, filename=name, content=content
    )
    return kept


async def download_reconciliation(call: Call[None]) -> Response:
    """A reconciliation with its totals, every line and what was decided of it."""
    form: FileFormat = call.query.format

    def read() -> tuple[bytes, str]:
        with reading() as connection:
            shown = files.document(
                connection, viewer=call.actor, reconciliation_id=call.path_param("reconciliation_id")
            )
        write = files.reconciliation_xlsx if form is FileFormat.XLSX else files.reconciliation_csv
        return write(shown, locale=call.locale), files.reconciliation_filename(shown, form.value)

    content, name = await off_loop(read)
    return file_response(content, name, form)


endpoints: Final = (
    route(
        "/api/v1/reconciliations/files",
        upload_their_file,
        method="POST",
        permission="settlement.issue",
        consumes="multipart/form-data",
        answer=TheirUpload,
        status=201,
        max_bytes=lambda: MOST_BYTES + _AROUND,
        per_minute=lambda: 30,
        tag="settlement",
    ),
    route(
        "/api/v1/reconciliations/{reconciliation_id:id}/file",
        download_reconciliation,
        permission="settlement.view",
        query=FileQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
)
