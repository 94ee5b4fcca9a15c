"""Entering what is known of a customer: who they are, what they own and bought, what was promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ticket_console.access import audit, policy
from ticket_console.customers.matching import CustomerNotFound
from ticket_console.customers.phones import dialled
from ticket_console.customers.tables import (
    Agreement,
    Asset,
    Contact,
    Customer,
    CustomerIdentity,
    CustomerKind,
    CustomerOrder,
    OrderLine,
    ProductModel,
)
from ticket_console.kernel.actor import Actor
from ticket_console.kernel.database import table
from ticket_console.kernel.errors import Conflict, FieldProblem, InvalidInput
from ticket_console.kernel.text import LocalText

_customers = table(Customer)
_contacts = table(Contact)
_identities = table(CustomerIdentity)
_models = table(ProductModel)
_assets = table(Asset)
_orders = table(CustomerOrder)
_lines = table(OrderLine)
_agreements = table(Agreement)

# Who may open tickets meets customers first, and enters what they tell.
_PERMISSION: Final = "ticket.open"


class IdentityTaken(Conflict):
    """The channel knows another customer by this name; one of the two must be wrong."""

    code = "customer.identity_taken"


class SerialTaken(Conflict):
    code = "customer.serial_taken"


class OrderExists(Conflict):
    code = "customer.order_exists"


class ModelExists(Conflict):
    code = "customer.model_exists"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomer:
    name: str
    kind: CustomerKind = CustomerKind.PERSON
    phone: str = ""
    is_vip: bool = False
    region_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAsset:
    serial: str
    model_code: str
    site_id: int | None = None
    purchased_on: date | None = None
    warranty_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrderLine:
    description: str
    quantity: int
    amount_minor: int
    model_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    no: str
    ordered_on: date
    currency: str
    lines: tuple[NewOrderLine, ...]


def register_customer(
    connection: Connection, *, actor: Actor, at: datetime, command_id: str, new: NewCustomer
) -> int:
    policy.require(actor, _PERMISSION, region_id=new.region_id)
    problems = _text_problems(("name", new.name, 1, 120), ("phone", new.phone, 0, 32))
    if problems:
        raise InvalidInput(problems)
    customer_id = _insert(
        connection,
        _customers,
        org_id=actor.org_id,
        kind=new.kind,
        name=new.name.strip(),
        phone=dialled(new.phone),
        is_vip=new.is_vip,
        region_id=new.region_id,
        version=1,
    )
    _audit(connection, actor, at, command_id, "customer.registered", customer_id)
    return customer_id


def add_contact(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    customer_id: int,
    name: str,
    phone: str = "",
    email: str = "",
) -> int:
    _require_customer(connection, actor, customer_id)
    problems = _text_problems(("name", name, 1, 120), ("phone", phone, 0, 32), ("email", email, 0, 200))
    if problems:
        raise InvalidInput(problems)
    contact_id = _insert(
        connection,
        _contacts,
        customer_id=customer_id,
        name=name.strip(),
        phone=dialled(phone),
        email=email.strip(),
    )
    _audit(connection, actor, at, command_id, "customer.contact_added", customer_id, contact_id=contact_id)
    return contact_id


def identify(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    customer_id: int,
    channel: str,
    external_id: str,
) -> None:
    """Let a channel's name stand for this customer; saying the same again changes nothing."""
    _require_customer(connection, actor, customer_id)
    problems = _text_problems(("channel", channel, 1, 32), ("external_id", external_id, 1, 128))
    if problems:
        raise InvalidInput(problems)
    owner = connection.execute(
        sa.select(_identities.c.customer_id).where(
            _identities.c.org_id == actor.org_id,
            _identities.c.channel == channel,
            _identities.c.external_id == external_id,
        )
    ).scalar()
    if owner == customer_id:
        return
    if owner is not None:
        raise IdentityTaken(channel=channel)
    _insert(
        connection,
        _identities,
        org_id=actor.org_id,
        channel=channel,
        external_id=external_id,
        customer_id=customer_id,
    )
    _audit(connection, actor, at, command_id, "customer.identified", customer_id, channel=channel)


def add_model(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    code: str,
    brand: str,
    family: str,
    name: LocalText,
) -> int:
    policy.require(actor, "template.manage")
    problems = _text_problems(("code", code, 1, 64), ("brand", brand, 1, 80), ("family", family, 1, 80))
    if problems:
        raise InvalidInput(problems)
    if _model_ids(connection, actor.org_id, [code]):
        raise ModelExists(model=code)
    model_id = _insert(
        connection, _models, org_id=actor.org_id, code=code, brand=brand, family=family, name=name
    )
    audit.record(
        connection,
        at=at,
        actor=actor,
        action="model.added",
        subject=f"model:{model_id}",
        payload={"code": code},
        command_id=command_id,
    )
    return model_id


def register_asset(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    customer_id: int,
    new: NewAsset,
) -> int:
    _require_customer(connection, actor, customer_id)
    problems = _text_problems(("serial", new.serial, 1, 64))
    if problems:
        raise InvalidInput(problems)
    models = _known_models(connection, actor.org_id, [new.model_code], path="model_code")
    taken = sa.select(_assets.c.id).where(_assets.c.org_id == actor.org_id, _assets.c.serial == new.serial)
    if connection.execute(taken).first() is not None:
        raise SerialTaken(serial=new.serial)
    asset_id = _insert(
        connection,
        _assets,
        org_id=actor.org_id,
        serial=new.serial,
        model_id=models[new.model_code],
        customer_id=customer_id,
        site_id=new.site_id,
        purchased_on=new.purchased_on,
        warranty_until=new.warranty_until,
        version=1,
    )
    _audit(connection, actor, at, command_id, "customer.asset_registered", customer_id, serial=new.serial)
    return asset_id


def record_order(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    customer_id: int,
    new: NewOrder,
) -> int:
    """Enter a purchase; its total is the sum of its lines."""
    _require_customer(connection, actor, customer_id)
    _refuse_order(connection, actor.org_id, new)
    codes = [line.model_code for line in new.lines if line.model_code is not None]
    models = _known_models(connection, actor.org_id, codes, path="lines")
    order_id = _insert(
        connection,
        _orders,
        org_id=actor.org_id,
        no=new.no,
        customer_id=customer_id,
        ordered_on=new.ordered_on,
        total_minor=sum(line.amount_minor for line in new.lines),
        currency=new.currency,
    )
    connection.execute(
        sa.insert(_lines),
        [
            {
                "order_id": order_id,
                "model_id": None if line.model_code is None else models[line.model_code],
                "description": line.description,
                "quantity": line.quantity,
                "amount_minor": line.amount_minor,
            }
            for line in new.lines
        ],
    )
    _audit(connection, actor, at, command_id, "customer.order_recorded", customer_id, no=new.no)
    return order_id


def agree(
    connection: Connection,
    *,
    actor: Actor,
    at: datetime,
    command_id: str,
    customer_id: int,
    kind: str,
    coverage: LocalText,
    starts_on: date,
    ends_on: date,
) -> int:
    """Promise something for the days [starts_on, ends_on)."""
    _require_customer(connection, actor, customer_id)
    problems = _text_problems(("kind", kind, 1, 32))
    if ends_on <= starts_on:
        problems = (*problems, FieldProblem("ends_on", "customer.ends_before_it_starts"))
    if problems:
        raise InvalidInput(problems)
    agreement_id = _insert(
        connection,
        _agreements,
        org_id=actor.org_id,
        customer_id=customer_id,
        kind=kind,
        coverage=coverage,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    _audit(connection, actor, at, command_id, "customer.agreed", customer_id, kind=kind)
    return agreement_id


def _require_customer(connection: Connection, actor: Actor, customer_id: int) -> None:
    row = connection.execute(
        sa.select(_customers.c.region_id).where(
            _customers.c.id == customer_id, _customers.c.org_id == actor.org_id
        )
    ).first()
    if row is None:
        raise CustomerNotFound(customer_id=customer_id)
    policy.require(actor, _PERMISSION, region_id=row.region_id)


def _refuse_order(connection: Connection, org_id: int, new: NewOrder) -> None:
    problems = list(_text_problems(("no", new.no, 1, 40), ("currency", new.currency, 3, 3)))
    if not new.lines:
        problems.append(FieldProblem("lines", "field.required"))
    for position, line in enumerate(new.lines):
        problems += _text_problems((f"lines.{position}.description", line.description, 1, 200))
        if line.quantity < 1:
            problems.append(FieldProblem(f"lines.{position}.quantity", "field.too_small", {"min": 1}))
        if line.amount_minor < 0:
            problems.append(FieldProblem(f"lines.{position}.amount_minor", "field.too_small", {"min": 0}))
    if problems:
        raise InvalidInput(tuple(problems))
    known = sa.select(_orders.c.id).where(_orders.c.org_id == org_id, _orders.c.no == new.no)
    if connection.execute(known).first() is not None:
        raise OrderExists(no=new.no)


def _known_models(connection: Connection, org_id: int, codes: Sequence[str], *, path: str) -> dict[str, int]:
    models = _model_ids(connection, org_id, codes)
    unknown = [code for code in dict.fromkeys(codes) if code not in models]
    if unknown:
        raise InvalidInput(
            tuple(FieldProblem(path, "customer.unknown_model", {"model": code}) for code in unknown)
        )
    return models


def _model_ids(connection: Connection, org_id: int, codes: Sequence[str]) -> dict[str, int]:
    rows = connection.execute(
        sa.select(_models.c.code, _models.c.id).where(
            _models.c.org_id == org_id, _models.c.code.in_(sorted(set(codes)))
        )
    )
    return {row.code: row.id for row in rows}


def _text_problems(*texts: tuple[str, str, int, int]) -> tuple[FieldProblem, ...]:
    """What is wrong with texts given as path, value, least and greatest length."""
    problems = []
    for path, value, least, most in texts:
        if len(value.strip()) < least:
            problems.append(FieldProblem(path, "field.required"))
        elif len(value) > most:
            problems.append(FieldProblem(path, "field.too_long", {"limit": most}))
    return tuple(problems)


def _insert(connection: Connection, into: sa.Table, **columns: object) -> int:
    key: Any = connection.execute(sa.insert(into).values(**columns)).inserted_primary_key
    return int(key[0])


def _audit(
    connection: Connection,
    actor: Actor,
    at: datetime,
    command_id: str,
    action: str,
    customer_id: int,
    **payload: object,
) -> None:
    audit.record(
        connection,
        at=at,
        actor=actor,
        action=action,
        subject=f"customer:{customer_id}",
        payload=payload,
        command_id=command_id,
    )
