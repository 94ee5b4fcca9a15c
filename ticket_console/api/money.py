"""Figures about money as files: what a screen shows, narrowed by the same parameters."""

from typing import Annotated, Final

from pydantic import Field
from sqlalchemy.engine import Connection
from starlette.responses import Response

from ticket_console.access import places
from ticket_console.api.bodies import Query
from ticket_console.api.routing import Call, route
from ticket_console.api.statements import FileFormat, file_response
from ticket_console.kernel.database import off_loop, reading
from ticket_console.reports import money
from ticket_console.reports.money_asked import asked_of, in_time
from ticket_console.reports.money_files import MoneyTable, csv_of, group_table, line_table, xlsx_of
from ticket_console.settlement import reads as settlement

Short = Annotated[str, Field(max_length=64)]


class MoneyQuery(Query):
    """The address of the screen, as it is; `page` and `step` change nothing in a file."""

    format: FileFormat = FileFormat.XLSX
    period: Short = ""
    since: Short = ""
    until: Short = ""
    line: Short = ""
    region: Short = ""
    alone: Short = ""
    dimension: Short = ""
    team: Short = ""
    technician: Short = ""
    vendor: Short = ""
    measure: Short = ""
    by: Short = ""
    step: Short = ""
    of: Short = ""
    low: Short = ""
    high: Short = ""
    page: Short = ""


async def download_groups(call: Call[None]) -> Response:
    """Cost, charge and margin of each part of a slice, with the total."""
    return await _file(call, "money", lines=False)


async def download_lines(call: Call[None]) -> Response:
    """Every entry of the books a figure is the sum of."""
    return await _file(call, "money-lines", lines=True)


async def _file(call: Call[None], name: str, *, lines: bool) -> Response:
    query: MoneyQuery = call.query

    def read() -> bytes:
        with reading() as connection:
            table = _table(connection, call, query, lines=lines)
        if query.format is FileFormat.CSV:
            return csv_of(table, locale=call.locale)
        return xlsx_of(table, created=call.at, locale=call.locale)

    content = await off_loop(read)
    return file_response(content, f"{name}-{call.at:%Y%m%d-%H%M}.{query.format.value}", query.format)


def _table(connection: Connection, call: Call[None], query: MoneyQuery, *, lines: bool) -> MoneyTable:
    viewer = call.actor
    currency = places.org(connection, viewer.org_id).currency
    asked = asked_of(query.model_dump(exclude={"format"}))
    asked = in_time(asked, settlement.periods(connection, viewer=viewer), call.at)
    if lines:
        page = money.all_lines(connection, viewer=viewer, slice=asked.slice)
        return line_table(page, currency=currency, locale=call.locale)
    groups = money.grouped(connection, viewer=viewer, slice=asked.slice, by=asked.by)
    total = money.figures(connection, viewer=viewer, slice=asked.slice)
    return group_table(groups, total, by=asked.by, currency=currency, locale=call.locale)


endpoints: Final = (
    route(
        "/api/v1/reports/money",
        download_groups,
        permission=money.PERMISSION,
        query=MoneyQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
    route(
        "/api/v1/reports/money/lines",
        download_lines,
        permission=money.PERMISSION,
        query=MoneyQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
)
