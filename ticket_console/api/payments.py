"""What is to be paid, as a file."""

from typing import Final

from starlette.responses import Response

from ticket_console.access import places
from ticket_console.api.routing import Call, route
from ticket_console.api.statements import FileFormat, FileQuery, file_response
from ticket_console.kernel.database import off_loop, reading
from ticket_console.settlement import paying, payment_files


class PaymentsQuery(FileQuery):
    """`period` leaves out the statements of other periods."""

    period: int | None = None


async def download_payments(call: Call[None]) -> Response:
    """The confirmed statements that nobody has paid, with whom they go to and how much."""
    query: PaymentsQuery = call.query

    def read() -> bytes:
        with reading() as connection:
            currency = places.org(connection, call.actor.org_id).currency
            payables = paying.to_pay(connection, viewer=call.actor, period_id=query.period)
        if query.format is FileFormat.CSV:
            return payment_files.payments_csv(payables, locale=call.locale)
        return payment_files.payments_xlsx(payables, at=call.at, currency=currency, locale=call.locale)

    content = await off_loop(read)
    return file_response(content, payment_files.payments_filename(query.format.value), query.format)


endpoints: Final = (
    route(
        "/api/v1/payments",
        download_payments,
        permission="settlement.view",
        query=PaymentsQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
)
