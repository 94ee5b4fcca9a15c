"""Lists of tickets as files."""

from datetime import date
from typing import Annotated, Final

from pydantic import Field
from starlette.responses import Response

from ticket_console.api.bodies import Query
from ticket_console.api.routing import Call, route
from ticket_console.api.statements import FileFormat, file_response
from ticket_console.kernel.database import off_loop, reading
from ticket_console.reports.metrics import Metric, Slice
from ticket_console.reports.returned import parse_returned
from ticket_console.reports.ticket_files import tickets_csv, tickets_xlsx
from ticket_console.reports.ticket_table import ticket_table


class ListQuery(Query):
    """What the list of tickets on screen is asked for; `history` adds fields that are in use no more."""

    format: FileFormat = FileFormat.XLSX
    metric: Metric | None = None
    day: date | None = None
    region: int | None = None
    alone: bool = False
    template: int | None = None
    returned: Annotated[str, Field(max_length=260)] = ""
    q: Annotated[str, Field(max_length=100)] = ""
    site: int | None = None
    history: bool = False


async def download_tickets(call: Call[None]) -> Response:
    """The tickets of a list with their fields, as far as the caller may see them."""
    query: ListQuery = call.query

    def read() -> bytes:
        with reading() as connection:
            table = ticket_table(
                connection,
                viewer=call.actor,
                at=call.at,
                locale=call.locale,
                slice=Slice(
                    query.region, query.template, query.alone, parse_returned(query.returned), query.site
                ),
                metric=query.metric,
                on=query.day,
                search=query.q,
                with_history=query.history,
            )
        if query.format is FileFormat.CSV:
            return tickets_csv(table)
        return tickets_xlsx(table, created=call.at, locale=call.locale)

    content = await off_loop(read)
    return file_response(content, f"tickets-{call.at:%Y%m%d-%H%M}.{query.format.value}", query.format)


endpoints: Final = (
    route(
        "/api/v1/tickets/export",
        download_tickets,
        permission="ticket.view",
        query=ListQuery,
        produces="application/octet-stream",
        tag="tickets",
    ),
)
