"""The income of a day as a file."""

from datetime import date
from typing import Final

from starlette.responses import Response

from ticket_console.api.routing import Call, route
from ticket_console.api.statements import FileFormat, FileQuery, file_response
from ticket_console.kernel.database import off_loop, reading
from ticket_console.settlement import daily, daily_files


class DayQuery(FileQuery):
    """`day` is a local day, of every zone its own."""

    day: date


async def download_day(call: Call[None]) -> Response:
    """What everybody earned on a day up to the afternoon, as far as the caller may read it."""
    query: DayQuery = call.query

    def read() -> tuple[bytes, str]:
        with reading() as connection:
            day = daily.national(connection, viewer=call.actor, local_day=query.day)
        write = daily_files.day_xlsx if query.format is FileFormat.XLSX else daily_files.day_csv
        return write(day, locale=call.locale), daily_files.day_filename(day, query.format.value)

    content, name = await off_loop(read)
    return file_response(content, name, query.format)


endpoints: Final = (
    route(
        "/api/v1/daily-income/file",
        download_day,
        permission="settlement.view",
        query=DayQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
)
