"""What makers and partners have put in writing: certificates for a make of devices, and agreements."""

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import FieldProblem, InvalidInput
from ticket_console.people import hiring
from ticket_console.people.crews import VendorNotFound
from ticket_console.people.tables import BrandCertificate, Technician, Vendor

_brands = table(BrandCertificate)
_vendors = table(Vendor)
_technicians = table(Technician)


def certify_brand(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    technician_id: int,
    brand: str,
    level: int = 1,
    valid_from: date,
    valid_until: date | None = None,
) -> int:
    """Prove that somebody may work on a make of devices, for the days [valid_from, valid_until)."""
    hiring.change_technician(connection, actor, technician_id)
    problems = []
    if not 0 < len(brand.strip()) <= 80:
        problems.append(FieldProblem("brand", "people.unknown_brand"))
    if not 1 <= level <= hiring.HIGHEST_LEVEL:
        problems.append(FieldProblem("level", "field.out_of_range", {"min": 1, "max": hiring.HIGHEST_LEVEL}))
    if valid_until is not None and valid_until <= valid_from:
        problems.append(FieldProblem("valid_until", "people.ends_before_it_starts"))
    if problems:
        raise InvalidInput(tuple(problems))
    row = {
        "technician_id": technician_id,
        "brand": brand.strip(),
        "level": level,
        "valid_from": valid_from,
        "valid_until": valid_until,
    }
    certificate_id = connection.execute(sa.insert(_brands).values(row).returning(_brands.c.id)).scalar_one()
    audit.record(
        connection,
        at=at,
        actor=actor,
        action="technician.certified",
        subject=f"technician:{technician_id}",
        payload={"brand": brand.strip(), "level": level},
        command_id=command_id,
    )
    return int(certificate_id)


def agree(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    vendor_id: int,
    agreed_from: date | None = None,
    agreed_until: date | None = None,
    ticket_classes: Sequence[str] | None = None,
    is_standby: bool = False,
) -> None:
    """Write down what a service partner is there for; dispatch goes by it from the next decision on."""
    policy.require_everywhere(actor, "user.manage")
    if agreed_from is not None and agreed_until is not None and agreed_until <= agreed_from:
        raise InvalidInput((FieldProblem("agreed_until", "people.ends_before_it_starts"),))
    changed = connection.execute(
        sa.update(_vendors)
        .where(_vendors.c.id == vendor_id, _vendors.c.org_id == actor.org_id)
        .values(
            agreed_from=agreed_from,
            agreed_until=agreed_until,
            ticket_classes=None if ticket_classes is None else list(ticket_classes),
            is_standby=is_standby,
        )
    )
    if changed.rowcount != 1:
        raise VendorNotFound()
    # The roster is known by the versions of its people.
    connection.execute(
        sa.update(_technicians)
        .where(_technicians.c.vendor_id == vendor_id)
        .values(version=_technicians.c.version + 1)
    )
    audit.record(
        connection,
        at=at,
        actor=actor,
        action="vendor.agreed",
        subject=f"vendor:{vendor_id}",
        payload={
            "from": None if agreed_from is None else agreed_from.isoformat(),
            "until": None if agreed_until is None else agreed_until.isoformat(),
            "is_standby": is_standby,
        },
        command_id=command_id,
    )
