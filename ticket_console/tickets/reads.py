"""Reads of tickets that are not a board: one ticket's rows, a technician's jobs, a customer's link."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import policy
from ticket_console.flows import reads as flow_reads
from ticket_console.flows.elements import EdgeKind
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.tickets.chain import ChainBreak, first_break
from ticket_console.tickets.marking import TicketStatus, TokenState
from ticket_console.tickets.scoping import own_rows, row_condition
from ticket_console.tickets.tables import (
    Attachment,
    Comment,
    Event,
    FieldValue,
    OwnerKind,
    Signature,
    Ticket,
    TokenRow,
    Visibility,
)
from ticket_console.tickets.writing import TicketNotFound

_AT_ONCE: Final = 500
TIMELINE_LENGTH: Final = 200

tickets = table(Ticket)
tokens = table(TokenRow)
events = table(Event)
values = table(FieldValue)
comments = table(Comment)
attachments = table(Attachment)
signatures = table(Signature)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrackedTicket:
    """What a tracking link leads to; `acceptance_token_id` is set while the customer is asked to accept.

    `refusal` says by which kind of edge a refusal goes: "return", "reject", or None.
    """

    ticket_id: int
    org_id: int
    version: int
    contact_name: str
    acceptance_token_id: int | None
    refusal: str | None


def find_tracked(connection: Connection, *, tracking_hash: str) -> TrackedTicket:
    row = connection.execute(
        sa.select(
            tickets.c.id,
            tickets.c.org_id,
            tickets.c.version,
            tickets.c.contact_name,
            tickets.c.flow_version_id,
            tickets.c.marking,
        ).where(tickets.c.tracking_hash == tracking_hash)
    ).first()
    if row is None:
        raise TicketNotFound()
    graph = flow_reads.compiled(connection, row.flow_version_id)
    for token in live_tokens(connection, row.id):
        if token["owner_kind"] is OwnerKind.CUSTOMER:
            refusal = next(
                (
                    kind.value
                    for kind in (EdgeKind.REJECT, EdgeKind.RETURN)
                    if graph.edges_from(token["node_key"], kind)
                ),
                None,
            )
            return TrackedTicket(row.id, row.org_id, row.version, row.contact_name, token["id"], refusal)
    return TrackedTicket(row.id, row.org_id, row.version, row.contact_name, None, None)


def find_ticket(connection: Connection, *, viewer: Actor, ticket_id: int) -> Row:
    """The ticket's row; TicketNotFound also for what the viewer may not see."""
    query = sa.select(tickets).where(
        tickets.c.id == ticket_id, tickets.c.org_id == viewer.org_id, visible_to(viewer)
    )
    row = connection.execute(query).first()
    if row is None:
        raise TicketNotFound(ticket_id=ticket_id)
    return row._asdict()


def visible_to(viewer: Actor) -> sa.ColumnElement[bool]:
    """Which rows of tickets a viewer may see, of those of their organisation."""
    if viewer.ticket_id is not None:
        return tickets.c.id == viewer.ticket_id
    return row_condition(
        policy.row_scope(viewer, "ticket.view"),
        region=tickets.c.region_id,
        ticket_class=tickets.c.ticket_class,
        own=own_rows(viewer),
    )


def ticket_id_by_no(connection: Connection, *, viewer: Actor, no: str) -> int:
    """The id behind a number that somebody typed or scanned; TicketNotFound where it is not theirs to see."""
    found = connection.execute(
        sa.select(tickets.c.id).where(
            tickets.c.org_id == viewer.org_id, tickets.c.no == no, visible_to(viewer)
        )
    ).scalar_one_or_none()
    if found is None:
        raise TicketNotFound(ticket_no=no)
    return int(found)


def live_tokens(connection: Connection, ticket_id: int) -> Sequence[Row]:
    query = (
        sa.select(tokens)
        .where(tokens.c.ticket_id == ticket_id, tokens.c.state == TokenState.ACTIVE)
        .order_by(tokens.c.id)
    )
    return [row._asdict() for row in connection.execute(query)]


def live_tokens_of(connection: Connection, ticket_ids: Sequence[int]) -> dict[int, list[Row]]:
    """The active tokens of each of many tickets."""
    found: dict[int, list[Row]] = {}
    for start in range(0, len(ticket_ids), _AT_ONCE):
        query = (
            sa.select(tokens)
            .where(
                tokens.c.ticket_id.in_(ticket_ids[start : start + _AT_ONCE]),
                tokens.c.state == TokenState.ACTIVE,
            )
            .order_by(tokens.c.id)
        )
        for row in connection.execute(query):
            found.setdefault(row.ticket_id, []).append(row._asdict())
    return found


def field_values(connection: Connection, ticket_id: int) -> Mapping[str, tuple[Any, str]]:
    """Value and provenance by field key."""
    query = sa.select(values.c.field_key, values.c.value, values.c.provenance).where(
        values.c.ticket_id == ticket_id
    )
    return {row.field_key: (row.value, row.provenance) for row in connection.execute(query)}


def timeline(connection: Connection, ticket_id: int) -> Sequence[Row]:
    """The latest events, newest first."""
    query = (
        sa.select(
            events.c.seq, events.c.type, events.c.payload, events.c.actor, events.c.actor_name, events.c.at
        )
        .where(events.c.ticket_id == ticket_id)
        .order_by(events.c.seq.desc())
        .limit(TIMELINE_LENGTH)
    )
    return [row._asdict() for row in connection.execute(query)]


def comments_of(connection: Connection, ticket_id: int, *, for_customer: bool = False) -> Sequence[Row]:
    query = sa.select(comments).where(comments.c.ticket_id == ticket_id).order_by(comments.c.id)
    if for_customer:
        query = query.where(comments.c.visibility == Visibility.CUSTOMER)
    return [row._asdict() for row in connection.execute(query.limit(TIMELINE_LENGTH))]


def attachments_of(connection: Connection, ticket_id: int, *, for_customer: bool = False) -> Sequence[Row]:
    query = sa.select(attachments).where(attachments.c.ticket_id == ticket_id).order_by(attachments.c.id)
    if for_customer:
        query = query.where(attachments.c.visibility == Visibility.CUSTOMER)
    return [row._asdict() for row in connection.execute(query.limit(TIMELINE_LENGTH))]


def attachment(connection: Connection, *, viewer: Actor, attachment_id: int) -> Row:
    """One attachment of a ticket the viewer may see; customers only get what is meant for them."""
    row = connection.execute(sa.select(attachments).where(attachments.c.id == attachment_id)).first()
    if row is None or (viewer.ticket_id is not None and row.visibility is not Visibility.CUSTOMER):
        raise AttachmentNotFound(attachment_id=attachment_id)
    try:
        find_ticket(connection, viewer=viewer, ticket_id=row.ticket_id)
    except TicketNotFound:
        # Which ticket it belongs to, and that it exists, is not theirs to know.
        raise AttachmentNotFound(attachment_id=attachment_id) from None
    return row._asdict()


class AttachmentNotFound(TicketNotFound):
    code = "ticket.attachment_not_found"


def signatures_of(connection: Connection, ticket_id: int) -> Sequence[Row]:
    query = sa.select(signatures).where(signatures.c.ticket_id == ticket_id).order_by(signatures.c.id)
    return [row._asdict() for row in connection.execute(query)]


_JOB_COLUMNS: Final = (
    tickets.c.id,
    tickets.c.no,
    tickets.c.version,
    tickets.c.title,
    tickets.c.stage,
    tickets.c.priority,
    tickets.c.template_id,
    tickets.c.contact_name,
    tickets.c.contact_phone,
    tickets.c.address,
    tickets.c.lat,
    tickets.c.lon,
    tickets.c.site_id,
    tickets.c.region_id,
    tickets.c.is_vip,
    tickets.c.opened_at,
    tickets.c.due_at,
    tickets.c.closed_at,
    tickets.c.updated_at,
    tickets.c.progress_bp,
    tickets.c.flow_version_id,
)


def jobs_of(connection: Connection, *, technician_id: int, limit: int = 100) -> Sequence[Row]:
    """A technician's open steps with their tickets, most pressing first."""
    query = (
        sa.select(*_JOB_COLUMNS, tokens.c.id.label("token_id"), tokens.c.node_key, tokens.c.entered_at)
        .join(tokens, tokens.c.ticket_id == tickets.c.id)
        .where(
            tokens.c.state == TokenState.ACTIVE,
            tokens.c.owner_kind == OwnerKind.TECHNICIAN,
            tokens.c.owner_id == technician_id,
        )
        .order_by(tickets.c.priority, tickets.c.due_at, tickets.c.id)
        .limit(limit)
    )
    return [row._asdict() for row in connection.execute(query)]


def jobs_finished_since(
    connection: Connection, *, technician_id: int, since: datetime, limit: int = 50
) -> Sequence[Row]:
    query = (
        sa.select(*_JOB_COLUMNS)
        .where(tickets.c.assignee_id == technician_id, tickets.c.closed_at >= since)
        .order_by(tickets.c.closed_at.desc())
        .limit(limit)
    )
    return [row._asdict() for row in connection.execute(query)]


def jobs_up_for_claim(
    connection: Connection,
    *,
    org_id: int,
    region_id: int,
    vendor_id: int | None = None,
    limit: int = 50,
) -> Sequence[Row]:
    """Tickets whose step nobody has, oldest of the most pressing first: of a region, or of a service
    partner's queue for its people."""
    waits = sa.and_(_tokens_of_queue(), tickets.c.region_id == region_id)
    if vendor_id is not None:
        waits = _tokens_of_vendor(vendor_id)
    query = (
        sa.select(*_JOB_COLUMNS)
        .where(
            tickets.c.org_id == org_id,
            tickets.c.status == TicketStatus.OPEN,
            tickets.c.assignee_id.is_(None),
            waits,
        )
        .order_by(tickets.c.priority_class, tickets.c.rank)
        .limit(limit)
    )
    return [row._asdict() for row in connection.execute(query)]


def jobs_by_id(connection: Connection, ticket_ids: Collection[int]) -> Mapping[int, Row]:
    """Tickets as cards of a working day, by id; whose they are to see is the caller's to know."""
    query = sa.select(*_JOB_COLUMNS).where(tickets.c.id.in_(sorted(ticket_ids)))
    return {row.id: row._asdict() for row in connection.execute(query)}


def node_keys(connection: Connection, token_ids: Collection[int]) -> Mapping[int, str]:
    """At which node of its flow each of these steps stands or stood."""
    query = sa.select(tokens.c.id, tokens.c.node_key).where(tokens.c.id.in_(sorted(token_ids)))
    return {row.id: row.node_key for row in connection.execute(query)}


def _tokens_of_queue() -> sa.ColumnElement[bool]:
    return sa.exists().where(
        tokens.c.ticket_id == tickets.c.id,
        tokens.c.state == TokenState.ACTIVE,
        tokens.c.owner_kind == OwnerKind.QUEUE,
        tokens.c.queue_role == "dispatcher",
    )


def _tokens_of_vendor(vendor_id: int) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        tokens.c.ticket_id == tickets.c.id,
        tokens.c.state == TokenState.ACTIVE,
        tokens.c.owner_kind == OwnerKind.VENDOR,
        tokens.c.owner_id == vendor_id,
    )


def events_of(connection: Connection, ticket_id: int) -> Sequence[Row]:
    """The whole history of one ticket, oldest first."""
    query = sa.select(events).where(events.c.ticket_id == ticket_id).order_by(events.c.seq)
    return [row._asdict() for row in connection.execute(query)]


def verify_chain(connection: Connection, ticket_id: int) -> ChainBreak | None:
    """The first event of a ticket whose hash does not follow, or None where the history is whole."""
    history = events_of(connection, ticket_id)
    found = first_break(history)
    if found is not None:
        return found
    head = connection.execute(
        sa.select(tickets.c.head_hash, tickets.c.event_count).where(tickets.c.id == ticket_id)
    ).one()
    if not history or history[-1]["hash"] != head.head_hash or len(history) != head.event_count:
        return ChainBreak(ticket_id, history[-1]["seq"] if history else 0)
    return None


def classes_of(connection: Connection, ticket_ids: Collection[int]) -> dict[int, str]:
    """The business line of each of these tickets."""
    if not ticket_ids:
        return {}
    query = sa.select(tickets.c.id, tickets.c.ticket_class).where(tickets.c.id.in_(sorted(ticket_ids)))
    return {row[0]: row[1] for row in connection.execute(query)}
