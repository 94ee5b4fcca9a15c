"""Records that fields of forms point at, looked up while somebody types."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Annotated, Any, Final

from pydantic import Field

from ticket_console.api.bodies import Body, Query
from ticket_console.api.routing import Call, route
from ticket_console.desk import looking_up, picking
from ticket_console.desk.picking import Choice
from ticket_console.forms.asking import NAMED
from ticket_console.forms.fields import FieldKind
from ticket_console.kernel.database import off_loop, reading
from ticket_console.kernel.errors import NotFound

# Other systems may take their time: the threads that read the database must not wait for them.
_sources: Final = ThreadPoolExecutor(4, "console-sources")


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


class RefreshBody(Body):
    command_id: Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]


async def refresh_lookup(call: Call[RefreshBody]) -> Mapping[str, Any]:
    """Read a live field of a ticket again from its source, if it is old."""
    read = partial(
        looking_up.refresh,
        actor=call.actor,
        at=call.at,
        command_id=call.body.command_id,
        ticket_id=call.path_param("ticket_id"),
        field_key=call.path_param("field"),
    )
    return await asyncio.get_running_loop().run_in_executor(_sources, read)


endpoints: Final = (
    route(
        "/api/v1/tickets/{ticket_id:id}/lookups/{field}",
        refresh_lookup,
        method="POST",
        permission="ticket.view",
        body=RefreshBody,
        answer=dict[str, Any],
        tag="tickets",
    ),
    route(
        "/api/v1/records/{kind}",
        find_records,
        permission="ticket.view",
        query=RecordQuery,
        answer=tuple[Choice, ...],
        tag="tickets",
    ),
)
