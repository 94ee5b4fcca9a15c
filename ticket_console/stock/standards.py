"""How much of a part a job takes: standards, and the warning the moment more is used than they allow."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText
from ticket_console.stock.tables import Part, PartStandard, PartWarning
from ticket_console.stock.usage import DECIMALS, MOST, exact, parts_used, text_of

_parts = table(Part)
_standards = table(PartStandard)
_warnings = table(PartWarning)

# A standard for all templates that have none of their own.
ANY_TEMPLATE: Final = ""
LONGEST_CODE: Final = 64
MOST_WARNINGS: Final = 500
_NONE: Final = Decimal(0)
# The one of the template comes after the one for all, and so stands.
_OF_PARTS: Final = (
    sa.select(
        _parts.c.sku,
        _parts.c.id,
        _parts.c.name,
        _standards.c.quantity,
        _standards.c.tolerance,
    )
    .outerjoin(
        _standards,
        sa.and_(
            _standards.c.part_id == _parts.c.id,
            _standards.c.template_code.in_((ANY_TEMPLATE, sa.bindparam("template"))),
        ),
    )
    .where(_parts.c.org_id == sa.bindparam("org_id"), _parts.c.sku.in_(sa.bindparam("skus", expanding=True)))
    .order_by(_parts.c.sku, _standards.c.template_code)
)


class StaleStandard(Conflict):
    code = "stock.standard_stale"


@dataclass(frozen=True, slots=True)
class StandardView:
    """`quantity` is what a job takes; more than `tolerance` beyond it is warned of."""

    sku: str
    name: LocalText
    template_code: str
    quantity: Decimal
    tolerance: Decimal
    version: int


@dataclass(frozen=True, slots=True)
class AboveStandard:
    """A part of which a ticket used more than allowed; `cost_minor` is what lies beyond the standard."""

    sku: str
    name: LocalText
    used: Decimal
    standard: Decimal
    tolerance: Decimal
    cost_minor: int


@dataclass(frozen=True, slots=True)
class WarningView:
    ticket_id: int
    at: datetime
    above: AboveStandard


def exceeds(used: Decimal, *, standard: Decimal, tolerance: Decimal) -> bool:
    """Exactly as much as the tolerance beyond the standard is still fine."""
    return used - standard > tolerance


def set_standard(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    sku: str,
    quantity: object,
    tolerance: object,
    template_code: str = ANY_TEMPLATE,
    expected_version: int | None = None,
) -> StandardView:
    """Say how much of a part a job takes, of one template or of all that have no standard of their own.

    Raises InvalidInput for a part we do not have and for quantities that are none, StaleStandard where the
    standard is not at the version the caller saw (None: there is none yet).
    """
    policy.require(actor, "rules.manage")
    taken, allowed = _quantity("quantity", quantity), _quantity("tolerance", tolerance)
    if len(template_code) > LONGEST_CODE:
        raise InvalidInput((FieldProblem("template_code", "field.too_long", {"limit": LONGEST_CODE}),))
    part = connection.execute(
        sa.select(_parts.c.id, _parts.c.name).where(_parts.c.org_id == actor.org_id, _parts.c.sku == sku)
    ).one_or_none()
    if part is None:
        raise InvalidInput((FieldProblem("sku", "stock.unknown_part", {"sku": sku}),))
    here = sa.and_(
        _standards.c.org_id == actor.org_id,
        _standards.c.part_id == part.id,
        _standards.c.template_code == template_code,
    )
    known = connection.execute(sa.select(_standards.c.version).where(here).with_for_update()).scalar()
    if known != expected_version:
        raise StaleStandard(sku=sku)
    values = {"quantity": text_of(taken), "tolerance": text_of(allowed)}
    if known is None:
        connection.execute(
            sa.insert(_standards).values(
                **values, org_id=actor.org_id, part_id=part.id, template_code=template_code, version=1
            )
        )
    else:
        connection.execute(sa.update(_standards).where(here).values(**values, version=known + 1))
    audit.record(
        connection,
        at=at,
        actor=actor,
        action="part.standard_set",
        subject=f"part:{part.id}",
        payload={"sku": sku, "template": template_code, **values},
        command_id=command_id,
    )
    return StandardView(sku, part.name, template_code, taken, allowed, (known or 0) + 1)


def standards(connection: Connection, *, viewer: Actor) -> tuple[StandardView, ...]:
    """Every standard of the organisation, by part and template."""
    policy.require(viewer, "ticket.view")
    rows = connection.execute(
        sa.select(
            _parts.c.sku,
            _parts.c.name,
            _standards.c.template_code,
            _standards.c.quantity,
            _standards.c.tolerance,
            _standards.c.version,
        )
        .join(_parts, _parts.c.id == _standards.c.part_id)
        .where(_standards.c.org_id == viewer.org_id)
        .order_by(_parts.c.sku, _standards.c.template_code)
    )
    return tuple(
        StandardView(
            row.sku, row.name, row.template_code, Decimal(row.quantity), Decimal(row.tolerance), row.version
        )
        for row in rows
    )


def warn(
    connection: Connection,
    *,
    org_id: int,
    at: datetime,
    ticket_id: int,
    template_code: str,
    skus: Collection[str],
    of_flow: Mapping[str, Decimal],
    command_id: str,
) -> tuple[AboveStandard, ...]:
    """Keep a warning for each of these parts of which the ticket by now used more than its standard allows.

    The standard is what the steps of the flow name (`of_flow`), else what is set for the part; a part of
    which neither says anything is never warned of.
    """
    if not skus:
        return ()
    asked = {"org_id": org_id, "template": template_code, "skus": sorted(skus)}
    known = {row.sku: row for row in connection.execute(_OF_PARTS, asked)}
    watched: dict[str, tuple[Decimal, Decimal]] = {}
    for sku, row in known.items():
        standard = of_flow.get(sku, _decimal(row.quantity))
        if standard is not None:
            watched[sku] = (standard, _decimal(row.tolerance) or _NONE)
    if not watched:
        return ()
    used: dict[str, tuple[Decimal, int]] = {}
    for line in parts_used(connection, ticket_id):
        earlier = used.get(line.sku, (_NONE, 0))[0]
        used[line.sku] = (earlier + line.quantity, line.unit_cost_minor)
    found = []
    for sku, (standard, allowed) in sorted(watched.items()):
        quantity, unit_cost = used.get(sku, (_NONE, 0))
        if exceeds(quantity, standard=standard, tolerance=allowed):
            cost = int(((quantity - standard) * unit_cost).to_integral_value())
            found.append(AboveStandard(sku, known[sku].name, quantity, standard, allowed, cost))
    if found:
        rows = [_row(org_id, at, ticket_id, command_id, known[each.sku].id, each) for each in found]
        connection.execute(sa.insert(_warnings), rows)
    return tuple(found)


def warnings(
    connection: Connection, *, viewer: Actor, since: datetime, until: datetime
) -> tuple[WarningView, ...]:
    """What was used above standard from one moment up to another, latest first."""
    policy.require_everywhere(viewer, "settlement.view")
    rows = connection.execute(
        sa.select(
            _warnings.c.ticket_id,
            _warnings.c.at,
            _parts.c.sku,
            _parts.c.name,
            _warnings.c.used,
            _warnings.c.standard,
            _warnings.c.tolerance,
            _warnings.c.cost_minor,
        )
        .join(_parts, _parts.c.id == _warnings.c.part_id)
        .where(_warnings.c.org_id == viewer.org_id, _warnings.c.at >= since, _warnings.c.at < until)
        .order_by(_warnings.c.at.desc(), _warnings.c.id.desc())
        .limit(MOST_WARNINGS)
    )
    return tuple(
        WarningView(
            row.ticket_id,
            row.at,
            AboveStandard(
                row.sku,
                row.name,
                Decimal(row.used),
                Decimal(row.standard),
                Decimal(row.tolerance),
                row.cost_minor,
            ),
        )
        for row in rows
    )


def _row(
    org_id: int, at: datetime, ticket_id: int, command_id: str, part_id: int, above: AboveStandard
) -> dict[str, Any]:
    return {
        "org_id": org_id,
        "ticket_id": ticket_id,
        "part_id": part_id,
        "used": text_of(above.used),
        "standard": text_of(above.standard),
        "tolerance": text_of(above.tolerance),
        "cost_minor": above.cost_minor,
        "command_id": command_id,
        "at": at,
    }


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _quantity(path: str, value: object) -> Decimal:
    number = exact(value)
    if number is None:
        raise InvalidInput((FieldProblem(path, "field.not_a_number"),))
    if not 0 <= number <= MOST:
        raise InvalidInput((FieldProblem(path, "stock.bad_quantity", {"most": text_of(MOST)}),))
    if number != round(number, DECIMALS):
        raise InvalidInput((FieldProblem(path, "field.too_many_decimals", {"limit": DECIMALS}),))
    return number
