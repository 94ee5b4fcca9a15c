"""Where tickets of the demo stand: the open steps, and who is to do them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.demo.requests import NUMBER_PREFIX
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import Node
from ticket_console.forms import reads as form_reads
from ticket_console.forms.definitions import TemplateDefinition
from ticket_console.intake.tables import RawIntake
from ticket_console.kernel.database import table
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.tables import FieldValue, OwnerKind, Ticket, TokenRow

_tickets, _tokens, _values = table(Ticket), table(TokenRow), table(FieldValue)
_raw = table(RawIntake)


@dataclass(frozen=True, slots=True)
class Step:
    """One open step of one ticket; `values` are the fields filled in so far."""

    ticket_id: int
    version: int
    title: str
    template: str
    contact_name: str
    is_urgent: bool
    region_id: int | None
    token_id: int
    node: Node
    owner_kind: OwnerKind
    owner_id: int | None
    queue_role: str | None
    definition: TemplateDefinition
    values: Mapping[str, Any]


_STEPS: Final = (
    sa.select(
        _tickets.c.id,
        _tickets.c.version,
        _tickets.c.title,
        _tickets.c.template_version_id,
        _tickets.c.flow_version_id,
        _tickets.c.contact_name,
        _tickets.c.priority,
        _tickets.c.region_id,
        _tokens.c.id.label("token_id"),
        _tokens.c.node_key,
        _tokens.c.owner_kind,
        _tokens.c.owner_id,
        _tokens.c.queue_role,
    )
    .join(_tokens, _tokens.c.ticket_id == _tickets.c.id)
    .where(_tickets.c.id == sa.bindparam("ticket_id"), _tokens.c.state == TokenState.ACTIVE)
    .order_by(_tokens.c.id)
)
_FILLED: Final = sa.select(_values.c.field_key, _values.c.value).where(
    _values.c.ticket_id == sa.bindparam("ticket_id")
)
_OPEN_OF_DEMO: Final = (
    sa.select(_tickets.c.id)
    .join(_raw, _raw.c.id == _tickets.c.raw_intake_id)
    .where(
        _tickets.c.org_id == sa.bindparam("org_id"),
        _tickets.c.closed_at.is_(None),
        _tickets.c.updated_at < sa.bindparam("before"),
        _raw.c.external_id.startswith(NUMBER_PREFIX),
    )
    .order_by(_tickets.c.id)
)
_OPEN: Final = sa.select(sa.func.count()).where(
    _tickets.c.org_id == sa.bindparam("org_id"), _tickets.c.status == TicketStatus.OPEN
)


def steps_of(connection: Connection, ticket_id: int) -> tuple[Step, ...]:
    rows = connection.execute(_STEPS, {"ticket_id": ticket_id}).all()
    if not rows:
        return ()
    filled = {row.field_key: row.value for row in connection.execute(_FILLED, {"ticket_id": ticket_id})}
    graph = flow_reads.compiled(connection, rows[0].flow_version_id)
    template = form_reads.template_version(connection, rows[0].template_version_id)
    return tuple(
        Step(
            ticket_id=row.id,
            version=row.version,
            title=row.title,
            template=template.code,
            contact_name=row.contact_name,
            is_urgent=row.priority <= 2,
            region_id=row.region_id,
            token_id=row.token_id,
            node=graph.node_by_key[row.node_key],
            owner_kind=row.owner_kind,
            owner_id=row.owner_id,
            queue_role=row.queue_role,
            definition=template.definition,
            values=filled,
        )
        for row in rows
    )


def untouched_since(connection: Connection, *, org_id: int, before: datetime) -> Sequence[int]:
    """The open tickets that the demo itself asked for and that nobody has moved since then."""
    return connection.execute(_OPEN_OF_DEMO, {"org_id": org_id, "before": before}).scalars().all()


def count_open(connection: Connection, org_id: int) -> int:
    return int(connection.execute(_OPEN, {"org_id": org_id}).scalar_one())
