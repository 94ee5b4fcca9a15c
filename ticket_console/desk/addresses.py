"""Where the recipient of a notice is reached outside the console: an address or a number."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.customers import records as customers
from ticket_console.kernel.database import table
from ticket_console.notices.outbox import Message
from ticket_console.people import names as people
from ticket_console.tickets.tables import Ticket

_tickets = table(Ticket)


def mail_address(connection: Connection, message: Message) -> str | None:
    """The customer's address; of colleagues none are kept."""
    if not message.recipient.startswith("customer:"):
        return None
    row = connection.execute(
        sa.select(_tickets.c.customer_id, _tickets.c.contact_phone).where(_tickets.c.id == message.ticket_id)
    ).one_or_none()
    if row is None or row.customer_id is None:
        return None
    return customers.mail_address(connection, row.customer_id, phone=row.contact_phone or "")


def phone_number(connection: Connection, message: Message) -> str | None:
    """The number a customer left, or a technician's; a role has none."""
    kind, _, key = message.recipient.partition(":")
    if not key:
        return message.recipient
    return people.phone(connection, int(key)) if kind == "technician" else None
