"""Whom money is owed to or by: our technicians, service partners, and customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from ticket_console.customers.records import customer_names
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import NotFound
from ticket_console.kernel.text import LocalText
from ticket_console.people.tables import Technician, Vendor
from ticket_console.settlement.kinds import AccountKind, OwnerKind

_TECHNICIANS = table(Technician)
_VENDORS = table(Vendor)

_TECHNICIAN: Final = sa.select(_TECHNICIANS.c.name, _TECHNICIANS.c.region_id).where(
    _TECHNICIANS.c.id == sa.bindparam("id"), _TECHNICIANS.c.org_id == sa.bindparam("org_id")
)
_VENDOR: Final = sa.select(_VENDORS.c.name).where(
    _VENDORS.c.id == sa.bindparam("id"), _VENDORS.c.org_id == sa.bindparam("org_id")
)

# The account that says what a payee is owed, or owes us.
ACCOUNT_KINDS: Final[Mapping[OwnerKind, AccountKind]] = {
    OwnerKind.TECHNICIAN: AccountKind.PAYABLE_WORKER,
    OwnerKind.VENDOR: AccountKind.PAYABLE_VENDOR,
    OwnerKind.CUSTOMER: AccountKind.RECEIVABLE,
}


class PayeeNotFound(NotFound):
    code = "settlement.payee_not_found"


@dataclass(frozen=True, slots=True)
class Payee:
    """Somebody a statement is made for; `kind` is never the organisation itself."""

    kind: OwnerKind
    id: int

    @property
    def account_kind(self) -> AccountKind:
        return ACCOUNT_KINDS[self.kind]

    @property
    def sign(self) -> int:
        """Turns a posting on the account into an amount: pay is a credit, a charge a debit."""
        return 1 if self.kind is OwnerKind.CUSTOMER else -1


@dataclass(frozen=True, slots=True)
class KnownPayee:
    """A payee with its name and home region; partners and customers belong to no region."""

    payee: Payee
    name: LocalText
    region_id: int | None


def technician(technician_id: int) -> Payee:
    return Payee(OwnerKind.TECHNICIAN, technician_id)


def vendor(vendor_id: int) -> Payee:
    return Payee(OwnerKind.VENDOR, vendor_id)


def customer(customer_id: int) -> Payee:
    return Payee(OwnerKind.CUSTOMER, customer_id)


def known(conn: Connection, *, org_id: int, payee: Payee) -> KnownPayee:
    """Raises PayeeNotFound for one the organisation does not know; former ones are known."""
    if payee.kind is OwnerKind.TECHNICIAN:
        row = conn.execute(_TECHNICIAN, {"id": payee.id, "org_id": org_id}).one_or_none()
        if row is not None:
            return KnownPayee(payee, {"zh": row.name, "en": row.name}, row.region_id)
    elif payee.kind is OwnerKind.VENDOR:
        row = conn.execute(_VENDOR, {"id": payee.id, "org_id": org_id}).one_or_none()
        if row is not None:
            return KnownPayee(payee, dict(row.name), None)
    elif payee.kind is OwnerKind.CUSTOMER:
        name = customer_names(conn, org_id, [payee.id]).get(payee.id)
        if name is not None:
            return KnownPayee(payee, {"zh": name, "en": name}, None)
    raise PayeeNotFound()


def name_of(conn: Connection, *, org_id: int, payee: Payee) -> LocalText:
    """What a payee is called; raises PayeeNotFound."""
    return known(conn, org_id=org_id, payee=payee).name
