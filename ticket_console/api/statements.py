"""Settlement files in the caller's language: what somebody earned, what a period cost; and the keys they are
signed with.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel
from starlette.responses import Response

from ticket_console.access import places
from ticket_console.api.bodies import Query
from ticket_console.api.routing import Call, route
from ticket_console.kernel.database import off_loop, reading
from ticket_console.reports import metrics
from ticket_console.settlement import closing, documents, exports, payees, printing, reads, signatures
from ticket_console.settlement.documents import StatementDocument
from ticket_console.settlement.kinds import OwnerKind
from ticket_console.settlement.payees import Payee

# More payees than any period has; a file leaves nobody out.
_EVERYBODY: Final = 1_000_000


class FileFormat(StrEnum):
    XLSX = "xlsx"
    CSV = "csv"


class StatementFormat(StrEnum):
    """`json` is the statement with its signature, `sig` the signature to lie beside the CSV file."""

    XLSX = "xlsx"
    CSV = "csv"
    PDF = "pdf"
    JSON = "json"
    SIG = "sig"


_MEDIA: Final[Mapping[str, str]] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "pdf": "application/pdf",
    "json": "application/json",
    "sig": "application/json",
}


class KeyAnswer(BaseModel):
    """`fingerprint` is what two people compare. `retired_at` is null while it is in use."""

    public_key: str
    fingerprint: str
    made_at: datetime
    retired_at: datetime | None


class FileQuery(Query):
    format: FileFormat = FileFormat.XLSX


class StatementQuery(Query):
    format: StatementFormat = StatementFormat.XLSX


class PayeeKind(StrEnum):
    """Whose totals: those of our people, of service partners, or what customers are charged."""

    TECHNICIAN = OwnerKind.TECHNICIAN.value
    VENDOR = OwnerKind.VENDOR.value
    CUSTOMER = OwnerKind.CUSTOMER.value


class TotalsQuery(FileQuery):
    """`region` takes in all that lies below it."""

    kind: PayeeKind = PayeeKind.TECHNICIAN
    region: int | None = None


async def download_statement(call: Call[None]) -> Response:
    """A statement; a technician gets their own."""

    def read() -> StatementDocument:
        with reading() as connection:
            return documents.document(
                connection, viewer=call.actor, statement_id=call.path_param("statement_id")
            )

    return await _statement_file(await off_loop(read), call)


async def download_earnings(call: Call[None]) -> Response:
    """All a technician earned in a period so far, on statements or not; a technician gets their own."""
    return await _earnings_file(call, payees.technician(call.path_param("technician_id")))


async def download_vendor_earnings(call: Call[None]) -> Response:
    """All a service partner earned in a period so far, on statements or not."""
    return await _earnings_file(call, payees.vendor(call.path_param("vendor_id")))


async def download_customer_charges(call: Call[None]) -> Response:
    """All a customer is charged for a period so far, on statements or not."""
    return await _earnings_file(call, payees.customer(call.path_param("customer_id")))


async def _earnings_file(call: Call[None], payee: Payee) -> Response:
    def read() -> StatementDocument:
        with reading() as connection:
            return documents.earnings(
                connection,
                viewer=call.actor,
                payee=payee,
                period_id=call.path_param("period_id"),
            )

    return await _statement_file(await off_loop(read), call)


async def download_totals(call: Call[None]) -> Response:
    """What every technician or partner earned in a period, or every customer is charged."""
    query: TotalsQuery = call.query
    kind = OwnerKind(query.kind.value)

    def read() -> tuple[bytes, str]:
        with reading() as connection:
            org = places.org(connection, call.actor.org_id)
            period = closing.period_view(connection, org.id, call.path_param("period_id"))
            regions = places.regions(connection, org.id)
            totals = reads.payee_totals(
                connection,
                viewer=call.actor,
                period_id=period.id,
                kind=kind,
                region_ids=None if query.region is None else metrics.with_below(query.region, regions),
                limit=_EVERYBODY,
            ).rows
        name = exports.totals_filename(period, kind, query.format.value)
        if query.format is FileFormat.CSV:
            return exports.totals_csv(totals, kind=kind, locale=call.locale), name
        content = exports.totals_xlsx(
            totals, kind=kind, period=period, currency=org.currency, locale=call.locale
        )
        return content, name

    content, name = await off_loop(read)
    return file_response(content, name, query.format)


async def _statement_file(document: StatementDocument, call: Call[None]) -> Response:
    form: StatementFormat = call.query.format
    content = await off_loop(_written, document, form, call.locale)
    ending = "csv.sig" if form is StatementFormat.SIG else form.value
    return file_response(content, exports.statement_filename(document, ending), form)


def _written(document: StatementDocument, form: StatementFormat, locale: str) -> bytes:
    match form:
        case StatementFormat.XLSX:
            return exports.statement_xlsx(document, locale=locale)
        case StatementFormat.CSV:
            return exports.statement_csv(document, locale=locale)
        case StatementFormat.PDF:
            return printing.statement_pdf(document, locale=locale)
        case StatementFormat.JSON:
            return exports.statement_json(document)
        case StatementFormat.SIG:
            return exports.statement_sig(document)


async def signing_keys(call: Call[None]) -> list[KeyAnswer]:
    """The public keys that statements are or were signed with, the one in use first."""

    def read() -> list[KeyAnswer]:
        with reading() as connection:
            return [
                KeyAnswer(
                    public_key=key.public_key,
                    fingerprint=key.fingerprint,
                    made_at=key.made_at,
                    retired_at=key.retired_at,
                )
                for key in signatures.known_keys(connection, viewer=call.actor)
            ]

    return await off_loop(read)


def file_response(content: bytes, name: str, form: FileFormat | StatementFormat) -> Response:
    """A file to be saved, which no cache keeps."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=_MEDIA[form], headers=headers)


# Whose pay a caller may read is asked below, of the rows; whoever works with tickets may knock.
endpoints: Final = (
    route(
        "/api/v1/statements/{statement_id:id}",
        download_statement,
        permission="ticket.view",
        query=StatementQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
    route(
        "/api/v1/periods/{period_id:id}/technicians/{technician_id:id}/earnings",
        download_earnings,
        permission="ticket.view",
        query=StatementQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
    route(
        "/api/v1/periods/{period_id:id}/vendors/{vendor_id:id}/earnings",
        download_vendor_earnings,
        permission="settlement.view",
        query=StatementQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
    route(
        "/api/v1/periods/{period_id:id}/customers/{customer_id:id}/charges",
        download_customer_charges,
        permission="settlement.view",
        query=StatementQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
    route(
        "/api/v1/periods/{period_id:id}/totals",
        download_totals,
        permission="settlement.view",
        query=TotalsQuery,
        produces="application/octet-stream",
        tag="settlement",
    ),
    route(
        "/api/v1/statement-keys",
        signing_keys,
        permission="ticket.view",
        answer=list[KeyAnswer],
        tag="settlement",
    ),
)
