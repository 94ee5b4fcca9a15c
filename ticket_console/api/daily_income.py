"""The income of a day as a file."""

from typing import Final

from starlette.responses import Response

from ticket_console.api.routing import Call, route
from ticket_console.api.statements import FileFormat, FileQuery, file_response
from ticket_console.kernel.database import off_loop, reading
from ticket_console.settlement import daily, daily_files


async def download_day(call: Call[None]) -> Response:
    """What everybody earned in a zone on a day, as far as the caller may read it."""
    form: FileFormat = call.query.format

    def read() -> tuple[bytes, str]:
        with reading() as connection:
            day = daily.day(connection, viewer=call.actor, day_id=call.path_param("day_id"))
        write = daily_files.day_xlsx if form is FileFormat.XLSX else daily_files.day_csv
        return write(day, locale=call.locale), daily_files.day_filename(day, form.value)

    content, name = await off_loop(read)
    return file_response(content, name, form)


endpoints: Final = (
    route(
        "/api/v1/daily-income/{day_id:id}/file",
        download_day,
        permission="settlement.view",
        query=FileQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
)
