"""Records that fields of forms point at, looked up while somebody types."""

from typing import Annotated, Final

from pydantic import Field

from ticket_console.api.bodies import Query
from ticket_console.api.routing import Call, route
from ticket_console.desk import picking
from ticket_console.desk.picking import Choice
from ticket_console.forms.asking import NAMED
from ticket_console.forms.fields import FieldKind
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import NotFound


class RecordQuery(Query):
    text: Annotated[str, Field(max_length=80)] = ""


async def find_records(call: Call[None]) -> tuple[Choice, ...]:
    """Find people, customers, devices or parts by a part of their name or number."""
    kind = call.path_param("kind")
    if kind not in NAMED:
        raise NotFound()

    def read() -> tuple[Choice, ...]:
        with reading() as connection:
            return picking.search(
                connection, call.actor, FieldKind(kind), call.query.text, locale=call.locale
            )

    return await off_loop(read)


endpoints: Final = (
    route(
        "/api/v1/records/{kind}",
        find_records,
        permission="ticket.view",
        query=RecordQuery,
        answer=tuple[Choice, ...],
        tag="tickets",
    ),
)
