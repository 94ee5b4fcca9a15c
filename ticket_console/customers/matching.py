"""Which customer an inbound message is from, or the honest answer that nobody can tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.customers.phones import dialled
from ticket_console.customers.tables import Contact, Customer, CustomerIdentity
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound

_customers = table(Customer)
_contacts = table(Contact)
_identities = table(CustomerIdentity)


class CustomerNotFound(NotFound):
    code = "customer.not_found"


class MatchedBy(StrEnum):
    IDENTITY = "identity"
    PHONE = "phone"
    NOTHING = "nothing"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class CustomerRef:
    """What a message says of its sender: the channel's own name for them, and a number to call."""

    channel: str = ""
    external_id: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class MatchedCustomer:
    id: int
    name: str
    phone: str
    is_vip: bool
    region_id: int | None


@dataclass(frozen=True, slots=True)
class Match:
    """The customer, or None; `candidates` are the ids between which the message does not decide."""

    by: MatchedBy
    customer: MatchedCustomer | None
    candidates: tuple[int, ...] = ()


_WHO: Final = (
    _customers.c.id,
    _customers.c.name,
    _customers.c.phone,
    _customers.c.is_vip,
    _customers.c.region_id,
)
_OURS: Final = _customers.c.org_id == sa.bindparam("org_id")
_NUMBERS: Final[tuple[sa.BindParameter[str], ...]] = (
    sa.bindparam("phone"),
    sa.bindparam("dialled"),
)
_BY_ID: Final = sa.select(*_WHO).where(_OURS, _customers.c.id == sa.bindparam("customer_id"))
_BY_IDENTITY: Final = (
    sa.select(*_WHO)
    .join(_identities, _identities.c.customer_id == _customers.c.id)
    .where(
        _identities.c.org_id == sa.bindparam("org_id"),
        _identities.c.channel == sa.bindparam("channel"),
        _identities.c.external_id == sa.bindparam("external_id"),
    )
)
_BY_PHONE: Final = sa.union(
    sa.select(*_WHO).where(_OURS, _customers.c.phone.in_(_NUMBERS)),
    sa.select(*_WHO)
    .join(_contacts, _contacts.c.customer_id == _customers.c.id)
    .where(_OURS, _contacts.c.phone.in_(_NUMBERS)),
)


def match(connection: Connection, org_id: int, ref: CustomerRef) -> MatchedCustomer | None:
    """The customer whose message this certainly is."""
    return resolve(connection, org_id, ref).customer


def resolve(connection: Connection, org_id: int, ref: CustomerRef) -> Match:
    """Look by the channel's name first, then by the number; two owners of a number are never guessed between.

    The channel's name wins over the number: it was registered for one customer, while anybody may
    call from anybody's telephone.
    """
    known = find_by_identity(connection, org_id, ref.channel, ref.external_id)
    if known is not None:
        return Match(MatchedBy.IDENTITY, known)
    owners = find_by_phone(connection, org_id, ref.phone)
    if not owners:
        return Match(MatchedBy.NOTHING, None)
    if len(owners) > 1:
        return Match(MatchedBy.AMBIGUOUS, None, tuple(owner.id for owner in owners))
    return Match(MatchedBy.PHONE, owners[0])


def by_id(connection: Connection, org_id: int, customer_id: int) -> MatchedCustomer:
    row = connection.execute(_BY_ID, {"org_id": org_id, "customer_id": customer_id}).first()
    if row is None:
        raise CustomerNotFound(customer_id=customer_id)
    return _matched(row)


def find_by_identity(
    connection: Connection, org_id: int, channel: str, external_id: str
) -> MatchedCustomer | None:
    if not (channel and external_id):
        return None
    row = connection.execute(
        _BY_IDENTITY, {"org_id": org_id, "channel": channel, "external_id": external_id}
    ).first()
    return None if row is None else _matched(row)


def find_by_phone(connection: Connection, org_id: int, phone: str) -> Sequence[MatchedCustomer]:
    """Everybody who can be called under a number, themselves or a contact of theirs, by id."""
    number = dialled(phone)
    if not number:
        return ()
    rows = connection.execute(_BY_PHONE, {"org_id": org_id, "phone": phone.strip(), "dialled": number})
    return sorted((_matched(row) for row in rows), key=lambda customer: customer.id)


def _matched(row: Any) -> MatchedCustomer:
    return MatchedCustomer(row.id, row.name, row.phone, row.is_vip, row.region_id)
